"""Views whose rows are not in files here: what they answered is asked, and lag and causes come out of it as of rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skewcheck.audit import Options, audit
from skewcheck.replay import history
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.source_files import can_join
from skewcheck.verdict import ColumnVerdict, Verdict
from tests import windowed_shop
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
from tests.windowed_shop import EPOCH, FEATURES, INSTANT, build_windowed_shop, serve

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def readings(step: timedelta, span: timedelta = 6 * DAY, choices: int | None = None) -> list[Row]:
    chance = random.Random(2)
    return [
        Row(user, START + place * step, chance.random() if choices is None else float(chance.randrange(choices)))
        for user in range(8)
        for place in range(span // step)
    ]


def ask(read: Callable[[Any, datetime], Read], count: int = 500) -> list[Request]:
    chance, found = random.Random(4), []
    for _ in range(count):
        user, when = chance.randrange(8), START + timedelta(days=chance.uniform(3, 6))
        found.append(Request(user, when, {"feed": read(user, when)}))
    return found


def examine(folder: Path, rows: Sequence[Row], log: Sequence[Request], **options: Any) -> Verdict:
    """The audit of a feed that Feast joins."""
    timed = options.pop("timed", True)
    repository = write_feeds(folder / "repo", {"feed": rows}, by_feast=True, **options)
    assert not any(can_join(view, repository) for view in repository.service("feeds").sources.views)
    return audit_feeds(repository, write_log(folder / "log.parquet", log, timed=timed))


def lag_of(found: ColumnVerdict) -> dict[str, Any]:
    assert found.lag is not None
    return found.lag


@pytest.fixture(scope="module")
def by_feast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repo whose one feed, which Feast joins, each example writes anew."""
    root = tmp_path_factory.mktemp("by_feast") / "repo"
    write_feeds(root, {"feed": readings(HOUR)}, by_feast=True)
    return root


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.sampled_from([timedelta(minutes=30), HOUR, 6 * HOUR]),
    minutes=st.integers(60, 2 * 1440),
    timed=st.booleans(),
    choices=st.sampled_from([None, 12]),
)
def test_a_delay_planted_in_a_view_that_feast_joins_comes_back_within_one_step(
    by_feast: Path, step: timedelta, minutes: int, timed: bool, choices: int | None
) -> None:
    delay = timedelta(minutes=minutes)
    rows = readings(step, choices=choices)
    write_feed(by_feast, "feed", rows)
    log = write_log(by_feast / "log.parquet", ask(online_after(rows, delay)), timed=timed)
    found = column(audit_feeds(load_repository(by_feast), log), "feed")
    if not found.comparison.mismatched:
        assert delay < step
        return
    assert abs(lag_of(found)["seconds"] - delay.total_seconds()) <= step.total_seconds()
    assert lag_of(found)["share"] >= 0.95


def test_a_view_that_feast_joins_tells_the_delay_of_every_hour_of_the_day(tmp_path: Path) -> None:
    rows = readings(HOUR)
    read = online_after(rows)

    def at_midnight(user: Any, when: datetime) -> Read:
        return read(user, START + (when - START) // DAY * DAY)

    verdict = examine(tmp_path, rows, ask(at_midnight, 1200), ttl=DAY, timed=False)
    hours = {hour["hour"]: hour["seconds"] / 3600 for hour in lag_of(column(verdict, "feed"))["by_hour"]}
    assert len(hours) == 24
    assert all(hour - 1 <= seconds <= hour + 1 for hour, seconds in hours.items())
    assert "delay_seconds" not in column(verdict, "feed").causes[0]["parameters"]
    (aligned,) = verdict.alignment
    assert aligned["serving"]["delay_seconds"] > 0
    assert aligned["training"] == {"delay_seconds": 0.0, "age_seconds": None}


@pytest.mark.parametrize("timed", [True, False])
def test_rows_of_a_view_that_feast_joins_are_residuals_where_feast_says_that_they_are_too_old(
    tmp_path: Path, timed: bool
) -> None:
    rows = [row for row in readings(HOUR) if row.user % 4 or row.event < START + 5 * HOUR]
    log = ask(online_after(rows))
    found = column(examine(tmp_path, rows, log, ttl=10 * HOUR, timed=timed), "feed")
    gone = sum(request.user % 4 == 0 for request in log)
    assert forms(found) == {"expired": gone}
    assert found.residual is not None
    assert found.residual["share"] == pytest.approx(gone / len(log))


def test_rows_that_were_created_after_the_request_arrive_late_where_feast_joins_too(tmp_path: Path) -> None:
    rows = [
        Row(row.user, row.event, row.value, row.event + (3 * HOUR if row.user == 5 else timedelta(0)))
        for row in readings(HOUR)
    ]
    log = ask(online_after([Row(row.user, row.event, row.value) for row in rows]))
    found = column(examine(tmp_path, rows, log), "feed")
    assert forms(found) == {"late_arrival": sum(request.user == 5 for request in log)}


def test_values_of_no_row_are_told_apart_without_saying_what_the_source_no_longer_has(tmp_path: Path) -> None:
    rows = readings(HOUR)
    log = [
        Request(r.user, r.when, {"feed": Read(-0.5, r.when + HOUR)})
        if r.user == 5
        else Request(r.user, r.when, {"feed": Read(-1.5, r.when - HOUR)})
        if r.user == 6
        else r
        for r in ask(online_after(rows))
    ]
    found = column(examine(tmp_path, rows, log), "feed")
    assert forms(found) == {
        "future_dated": sum(r.user == 5 for r in log),
        "default": sum(r.user == 6 for r in log),
    }
    assert lag_of(found)["seconds"] == 0.0


def test_a_view_without_keys_that_feast_joins_has_a_delay(tmp_path: Path) -> None:
    rows = [row for row in readings(HOUR) if row.user == 0]
    read = online_after(rows, 5 * HOUR)
    log = ask(lambda _, when: read(0, when))
    found = column(examine(tmp_path, rows, log, entities=""), "feed")
    assert abs(lag_of(found)["seconds"] - 5 * 3600) <= 3600
    assert set(forms(found)) == {"stale"}


def test_however_few_instants_may_be_asked_for_some_requests_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ASKED": 200, "SHORTEST": 100, "LONGEST": 200}.items():
        monkeypatch.setattr(history, name, value)
    rows = readings(HOUR)
    found = column(examine(tmp_path, rows, ask(online_after(rows, 5 * HOUR))), "feed")
    assert 0 < lag_of(found)["requests"] < 500
    assert abs(lag_of(found)["seconds"] - 5 * 3600) <= 3600
    assert forms(found) == {"stale": found.comparison.mismatched}


Audit = Callable[[pa.Table], Verdict]


@pytest.fixture(scope="module")
def windowed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_windowed_shop(tmp_path_factory.mktemp("windowed"))


@pytest.fixture
def audited(windowed: Repository, tmp_path: Path) -> Audit:
    def run(log: pa.Table) -> Verdict:
        pq.write_table(log, tmp_path / "log.parquet")
        return audit(tmp_path / "log.parquet", generated_directory(windowed.root, "shop"), lambda: windowed, Options())

    return run


def many_requests(count: int = 400, customers: int = 7) -> pa.Table:
    """Requests of customers, two of whom never paid, at any time of the last week."""
    chance = random.Random(3)
    return pa.table(
        {
            "customer_id": pa.array([chance.randrange(customers) for _ in range(count)], pa.int64()),
            "event_timestamp": pa.array(
                [START + timedelta(days=chance.uniform(4, 11.5)) for _ in range(count)], INSTANT
            ),
            "asked": pa.array([float(place) for place in range(count)]),
        }
    )


def lags(verdict: Verdict) -> Mapping[str, dict[str, Any]]:
    return {found.name: found.lag for found in verdict.columns if found.lag is not None}


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(
    ("delay", "refresh"), [(30 * HOUR, timedelta(seconds=1)), (2 * HOUR, 6 * HOUR), (9 * DAY, HOUR)]
)
def test_a_delay_planted_in_windows_comes_back_within_one_refresh(
    windowed: Repository, audited: Audit, delay: timedelta, refresh: timedelta, timed: bool
) -> None:
    verdict = audited(serve(windowed, delay, refresh=refresh, asked=many_requests(), timed=timed))
    found = lags(verdict)
    assert set(found) == {column.name for column in verdict.columns}
    assert {column.name for column in verdict.columns if set(forms(column)) & {"stale", "expired"}} == set(found)
    for lag in found.values():
        # A customer pays every five hours, and the windows hardly change in between.
        assert -HOUR <= timedelta(seconds=lag["seconds"]) - delay <= refresh + HOUR
    (entry,) = verdict.alignment
    assert timedelta(seconds=entry["serving"]["delay_seconds"]) >= delay - HOUR
    age = entry["serving"]["age_seconds"]
    assert (age is not None) == timed
    if timed:
        assert delay <= timedelta(seconds=age) <= delay + refresh


def test_windows_are_said_to_be_of_an_instant_and_not_of_a_row(windowed: Repository, audited: Audit) -> None:
    verdict = audited(serve(windowed, DAY, refresh=HOUR, asked=many_requests(100), timed=True))
    cause = next(found for found in verdict.columns if found.name == "spent_7d").causes[0]
    assert cause["says"].endswith("it has an older value than the one that was known.")
    assert "(as of 2024-03-0" in cause["evidence"][0]
    assert "skewcheck materialise" in cause["fix"]


@pytest.mark.parametrize("timed", [True, False])
def test_values_older_than_their_window_are_residuals(windowed: Repository, audited: Audit, timed: bool) -> None:
    asked = many_requests(customers=4)
    log = serve(windowed, asked=asked, timed=timed)
    # One customer was refreshed for the last time at the end of the third day.
    last = EPOCH + timedelta(days=(START - EPOCH).days + 3)
    old = serve(windowed, refresh=last - EPOCH, asked=asked, timed=timed)
    stuck = pc.equal(log["key.customer_id"], 3)
    for place, name in enumerate(log.column_names):
        log = log.set_column(place, name, pc.if_else(stuck, old[name], log[name]))
    found = next(one for one in audited(log).columns if one.name == "spent_7d")
    times = zip(log["requested_at"].to_pylist(), stuck.to_pylist(), strict=True)
    planted = sum(is_stuck and when - last > timedelta(days=7) for when, is_stuck in times) / log.num_rows
    assert planted > 0.03
    assert found.residual is not None
    assert found.residual["window_seconds"] == 7 * 86400
    assert abs(found.residual["share"] - planted) <= 0.02
    assert set(forms(found)) == {"stale", "expired"}
    cause = next(cause for cause in found.causes if cause["kind"] == "residual")
    assert "older than its window" in cause["says"]


def test_events_that_were_not_yet_known_arrive_late(windowed: Repository, audited: Audit) -> None:
    asked = many_requests()
    log = serve(windowed, asked=asked, as_of="event")
    found = next(one for one in audited(log).columns if one.name == "spent_7d")
    # Every fifth payment, all of one customer, is known a day later.
    assert set(forms(found)) == {"late_arrival"}
    assert "were not yet known" in found.causes[0]["says"]


def test_work_on_windows_is_bounded(windowed: Repository, audited: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "PAIRS", 10_000)
    monkeypatch.setattr(history, "SHORTEST", 80)
    monkeypatch.setattr(history, "LONGEST", 80)
    verdict = audited(serve(windowed, 6 * HOUR, asked=many_requests(800)))
    for lag in lags(verdict).values():
        assert 0 < lag["requests"] < 800
        assert abs(lag["seconds"] - 6 * 3600) <= 3600


@pytest.mark.parametrize("timed", [True, False])
def test_a_value_that_changes_with_every_instant_is_stale_where_its_view_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, timed: bool
) -> None:
    declared = '\n\n@activity.feature\ndef idle():\n    return payments.time_since_last("7d")\n\n\npayment = Request'
    read = "\n\n@shop.feature\ndef idle_for(idle):\n    return idle\n"
    monkeypatch.setattr(windowed_shop, "FEATURES", FEATURES.replace("\n\npayment = Request", declared) + read)
    repository = build_windowed_shop(tmp_path / "repo")
    pq.write_table(serve(repository, 2 * HOUR, asked=many_requests(), timed=timed), tmp_path / "log.parquet")
    verdict = audit(
        tmp_path / "log.parquet", generated_directory(repository.root, "shop"), lambda: repository, Options()
    )
    found = next(one for one in verdict.columns if one.name == "idle")
    assert set(forms(found)) <= {"stale", "absent_row"}
    assert forms(found)["stale"] > 200
    assert found.lag is None
    (entry,) = verdict.alignment
    assert abs(entry["serving"]["delay_seconds"] - 2 * 3600) <= 3600
