"""How far behind serving is comes back within one step of the source, with its share and its pattern over the day."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skewcheck.verdict import ColumnVerdict, Verdict
from tests.replay.feeds import (
    START,
    Read,
    Request,
    Row,
    audit_feeds,
    column,
    forms,
    online_after,
    write_feed,
    write_feeds,
    write_log,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Store = Callable[[Any, datetime], Read]


def readings(step: timedelta, users: int = 8, span: timedelta = 6 * DAY, choices: int | None = None) -> list[Row]:
    """A reading of every user at every step; with `choices`, of so many different values."""
    chance = random.Random(2)
    return [
        Row(user, START + place * step, chance.random() if choices is None else float(chance.randrange(choices)))
        for user in range(users)
        for place in range(span // step)
    ]


def ask(store: Mapping[str, Store], count: int = 600, first: float = 3.0, last: float = 6.0) -> list[Request]:
    chance, found = random.Random(4), []
    for _ in range(count):
        user, when = chance.randrange(8), START + timedelta(days=chance.uniform(first, last))
        found.append(Request(user, when, {name: read(user, when) for name, read in store.items()}))
    return found


def examine(folder: Path, feeds: Mapping[str, Sequence[Row]], log: Sequence[Request], **options: Any) -> Verdict:
    timed = options.pop("timed", True)
    repository = write_feeds(folder / "repo", feeds, **options)
    return audit_feeds(repository, write_log(folder / "log.parquet", log, timed=timed))


def lag_of(found: ColumnVerdict) -> dict[str, Any]:
    assert found.lag is not None
    return found.lag


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repo whose one feed each example writes anew."""
    root = tmp_path_factory.mktemp("feeds") / "repo"
    write_feeds(root, {"feed": readings(HOUR)})
    return root


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.sampled_from([timedelta(minutes=10), HOUR, 6 * HOUR]),
    minutes=st.integers(1, 2 * 1440),
    timed=st.booleans(),
    choices=st.sampled_from([None, 12]),
)
def test_a_planted_delay_comes_back_within_one_step(
    feeds: Path, step: timedelta, minutes: int, timed: bool, choices: int | None
) -> None:
    from skewcheck.store.repository import load_repository

    delay = timedelta(minutes=minutes)
    rows = readings(step, choices=choices)
    write_feed(feeds, "feed", rows)
    log = write_log(feeds / "log.parquet", ask({"feed": online_after(rows, delay)}), timed=timed)
    found = column(audit_feeds(load_repository(feeds), log), "feed")
    if not found.comparison.mismatched:
        assert delay < step
        return
    lag = lag_of(found)
    assert abs(lag["seconds"] - delay.total_seconds()) <= step.total_seconds()
    assert lag["share"] >= 0.99


def test_a_delay_of_some_requests_alone_leaves_the_column_in_time_and_is_told_as_the_delay_of_those(
    tmp_path: Path,
) -> None:
    rows = readings(HOUR)
    fresh, behind = online_after(rows), online_after(rows, 3 * HOUR)
    log = [
        Request(r.user, r.when, {"feed": behind(r.user, r.when)}) if place % 5 == 0 else r
        for place, r in enumerate(ask({"feed": fresh}))
    ]
    found = column(examine(tmp_path, {"feed": rows}, log), "feed")
    assert (lag_of(found)["seconds"], lag_of(found)["share"]) == (0.0, 0.8)
    assert forms(found) == {"stale": 120}
    assert found.causes[0]["parameters"]["delay_seconds"] == 3 * 3600


def test_a_daily_upload_shows_as_a_delay_that_grows_through_the_day(tmp_path: Path) -> None:
    rows = readings(HOUR)
    read = online_after(rows)

    def at_midnight(user: Any, when: datetime) -> Read:
        return read(user, START + (when - START) // DAY * DAY)

    lag = lag_of(column(examine(tmp_path, {"feed": rows}, ask({"feed": at_midnight}, 2000)), "feed"))
    hours = {hour["hour"]: hour["seconds"] / 3600 for hour in lag["by_hour"]}
    assert len(hours) == 24
    assert all(hour - 1 <= seconds <= hour + 1 for hour, seconds in hours.items())
    assert hours[20] > hours[10] > hours[3]


def test_serving_that_is_ahead_has_a_negative_delay(tmp_path: Path) -> None:
    rows = readings(HOUR, span=8 * DAY)
    read = online_after(rows)

    def ahead(user: Any, when: datetime) -> Read:
        return read(user, when + 5 * HOUR)

    assert lag_of(column(examine(tmp_path, {"feed": rows}, ask({"feed": ahead})), "feed"))["seconds"] == -5 * 3600


def test_a_view_in_time_has_no_delay_beside_one_that_is_behind(tmp_path: Path) -> None:
    rows = readings(HOUR)
    log = ask({"fresh": online_after(rows), "behind": online_after(rows, DAY)})
    verdict = examine(tmp_path, {"fresh": rows, "behind": rows}, log)
    assert column(verdict, "fresh").lag is None
    assert {entry["source"]: entry["serving"]["delay_seconds"] for entry in verdict.alignment} == {
        "fresh": 0.0,
        "behind": 86400.0,
    }
    behind = next(entry for entry in verdict.alignment if entry["source"] == "behind")
    assert behind["training"]["delay_seconds"] == 0.0
    assert behind["serving"]["age_seconds"] - behind["training"]["age_seconds"] == pytest.approx(86400, abs=1)


TABLE = {
    "f0": (1, 1.15, 9.69),
    "f1": (2, 45.6, 5.2),
    "f2": (3, 23.6, 11.3),
    "f3": (4, 6.07, 9.68),
    "f4": (2, 4.56, 8.37),
    "f5": (3, 31.0, 4.66),
    "f6": (2, 31.0, 4.66),
    "f7": (4, 34.9, 4.38),
    "f8": (1, 4.55, 4.78),
    "f9": (2, 24.7, 35.7),
}
"""Ten features as a published case has them: days of delay, residuals in percent, values that change in a day."""


@pytest.mark.parametrize("timed", [True, False])
def test_delays_and_residuals_of_ten_features_at_once_come_back(tmp_path: Path, timed: bool) -> None:
    chance, users, days = random.Random(5), 250, 30
    feeds: dict[str, list[Row]] = {}
    for name, (_, residual, changing) in TABLE.items():
        feeds[name] = []
        for user in range(users):
            value = chance.random()
            # A residual is a key that no longer comes in the uploads.
            last = days if (user + 0.5) * 100 >= residual * users else round(chance.uniform(4, 12))
            for day in range(last):
                value = chance.random() if chance.random() * 100 < changing else value
                feeds[name].append(Row(user, START + day * DAY, value))
    stores = {name: online_after(rows, TABLE[name][0] * DAY) for name, rows in feeds.items()}
    log = []
    for place in range(2000):
        # Every user asks as often as any other, so that the share of residuals is that of the keys.
        user, when = place % users, START + timedelta(days=chance.uniform(20, 29))
        log.append(Request(user, when, {name: read(user, when) for name, read in stores.items()}))
    verdict = examine(tmp_path, feeds, log, ttl=30 * HOUR, timed=timed)
    for name, (delay, residual, _) in TABLE.items():
        found = column(verdict, name)
        assert abs(lag_of(found)["seconds"] - delay * 86400) <= 86400
        assert found.residual is not None
        assert abs(found.residual["share"] * 100 - residual) <= 2
        assert set(forms(found)) == {"stale", "expired"}


def test_training_with_the_delay_of_serving_closes_the_gap(tmp_path: Path) -> None:
    rows = readings(HOUR)
    repository = write_feeds(tmp_path / "repo", {"feed": rows}, ttl=DAY)
    log = write_log(tmp_path / "log.parquet", ask({"feed": online_after(rows, 5 * HOUR)}))
    verdict = audit_feeds(repository, log, delays={"feed": 5 * HOUR})
    assert verdict.verdict == "pass"
    (entry,) = verdict.alignment
    assert (entry["training"]["delay_seconds"], entry["serving"]["delay_seconds"]) == (18000.0, 18000.0)


def test_serving_that_is_fresher_than_the_delay_of_training_is_told(tmp_path: Path) -> None:
    rows = readings(HOUR)
    repository = write_feeds(tmp_path / "repo", {"feed": rows}, ttl=DAY)
    log = write_log(tmp_path / "log.parquet", ask({"feed": online_after(rows, HOUR)}))
    verdict = audit_feeds(repository, log, delays={"feed": 5 * HOUR})
    assert set(forms(column(verdict, "feed"))) == {"fresher"}
    (entry,) = verdict.alignment
    assert (entry["training"]["delay_seconds"], entry["serving"]["delay_seconds"]) == (18000.0, 3600.0)
