"""Every way in which an online store answers otherwise than training is told apart, counted, and shown."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from skewcheck.causes import KINDS
from skewcheck.replay.forms import FORMS
from skewcheck.verdict import ColumnVerdict
from tests.replay.feeds import (
    NOTHING,
    START,
    Read,
    Request,
    Row,
    audit_feeds,
    column,
    forms,
    online_after,
    write_feeds,
    write_log,
)

HOUR = timedelta(hours=1)
USERS = 20
Serve = Callable[[Request], Request]


def hourly(users: int = USERS, hours: int = 60) -> list[Row]:
    """A reading of every user every hour, no two alike."""
    return [
        Row(user, START + hour * HOUR, user * 1000.0 + hour + 0.1) for user in range(users) for hour in range(hours)
    ]


def requests(rows: Sequence[Row], count: int = 400, seed: int = 3) -> list[Request]:
    """Requests of the second day, served as training would."""
    chance = random.Random(seed)
    read = online_after(rows)
    found = []
    for _ in range(count):
        user, when = chance.randrange(USERS), START + timedelta(seconds=chance.uniform(30, 59) * 3600)
        found.append(Request(user, when, {"feed": read(user, when)}))
    return found


def served(request: Request, value: Any, event: datetime | None = None) -> Request:
    return replace(request, reads={"feed": Read(value, event)})


def examine(folder: Path, rows: Sequence[Row], log: Sequence[Request], **options: Any) -> ColumnVerdict:
    timed = options.pop("timed", True)
    dtype = options.pop("dtype", "Float64")
    key = options.pop("key", "INT64")
    repository = write_feeds(folder / "repo", {"feed": rows}, ttl=options.pop("ttl", None), dtype=dtype, key=key)
    path = write_log(folder / "log.parquet", log, timed=timed, dtype=dtype, key=key)
    return column(audit_feeds(repository, path, **options), "feed")


def some(log: Sequence[Request], fault: Serve, every: int = 4) -> tuple[list[Request], int]:
    """The log with a fault in every so many of its requests, and in how many."""
    found = [fault(request) if place % every == 0 else request for place, request in enumerate(log)]
    return found, len(log[::every])


def test_faultless_retrieval_has_no_cause(tmp_path: Path) -> None:
    rows = hourly()
    found = examine(tmp_path, rows, requests(rows), ttl=2 * HOUR)
    assert (found.comparison.mismatched, found.causes, found.lag, found.residual) == (0, (), None, None)


@pytest.mark.parametrize("timed", [True, False])
def test_rows_older_than_the_time_to_live_are_residuals(tmp_path: Path, timed: bool) -> None:
    rows = [row for row in hourly() if row.user % 4 or row.event < START + 5 * HOUR]
    log = requests(rows)
    gone = sum(request.user % 4 == 0 for request in log)
    found = examine(tmp_path, rows, log, ttl=10 * HOUR, timed=timed)
    assert forms(found) == {"expired": gone}
    (cause,) = found.causes
    assert (cause["kind"], cause["explains"], cause["stage"]) == ("residual", 1.0, "retrieval")
    assert found.residual is not None
    assert found.residual["rows"] == gone
    assert found.residual["share"] == pytest.approx(gone / len(log))
    assert found.residual["oldest_seconds"] > 30 * 3600


def test_a_row_as_old_as_the_time_to_live_is_no_residual_and_one_microsecond_older_is(tmp_path: Path) -> None:
    rows = [Row(0, START, 1.5), Row(1, START, 2.5)]
    edge = START + HOUR
    log = [
        Request(0, edge, {"feed": Read(1.5, START)}),
        Request(1, edge + timedelta(microseconds=1), {"feed": Read(2.5, START)}),
    ]
    found = examine(tmp_path, rows, log, ttl=HOUR)
    assert (found.comparison.mismatched, forms(found)) == (1, {"expired": 1})
    assert found.comparison.samples[0].request_id == "r1"


@pytest.mark.parametrize("timed", [True, False])
def test_an_older_row_is_stale(tmp_path: Path, timed: bool) -> None:
    rows = hourly()
    before = online_after(rows, 5 * HOUR)
    log, count = some(requests(rows), lambda r: replace(r, reads={"feed": before(r.user, r.when)}))
    found = examine(tmp_path, rows, log, timed=timed)
    assert (forms(found), found.causes[0]["kind"]) == ({"stale": count}, "stale")


@pytest.mark.parametrize("timed", [True, False])
def test_a_row_from_the_future_is_told_by_its_event_time(tmp_path: Path, timed: bool) -> None:
    rows = [*hourly(), *(Row(user, START + 90 * HOUR, -user - 0.5) for user in range(USERS))]
    log, count = some(requests(hourly()), lambda r: served(r, -r.user - 0.5, START + 90 * HOUR))
    found = examine(tmp_path, rows, log, timed=timed)
    assert (forms(found), found.causes[0]["kind"]) == ({"future_dated": count}, "latest_not_as_of")
    assert 31 * 3600 < found.causes[0]["parameters"]["median_ahead_seconds"] < 60 * 3600


def test_a_row_that_was_not_yet_known_arrived_late(tmp_path: Path) -> None:
    late = [Row(user, START + 29.5 * HOUR, user + 0.25, START + 100 * HOUR) for user in range(USERS)]
    rows = [row for row in hourly() if row.event < START + 29 * HOUR] + late
    log = requests([row for row in rows if row not in late])
    log, count = some(log, lambda r: served(r, r.user + 0.25, START + 29.5 * HOUR))
    found = examine(tmp_path, rows, log)
    assert (forms(found), found.causes[0]["kind"]) == ({"late_arrival": count}, "late_or_tie")


def test_another_row_of_the_same_event_time_is_a_tie(tmp_path: Path) -> None:
    rows = [*hourly(), *(replace(row, value=row.value + 0.5, created=row.event + HOUR / 60) for row in hourly())]
    log, count = some(
        [r for r in requests(rows) if r.when - r.reads["feed"].event > HOUR / 30],  # type: ignore[operator]
        lambda r: served(r, r.reads["feed"].value - 0.5, r.reads["feed"].event),
    )
    found = examine(tmp_path, rows, log)
    assert (forms(found), found.causes[0]["kind"]) == ({"tie": count}, "late_or_tie")


@pytest.mark.parametrize("timed", [True, False])
def test_a_key_that_goes_back_to_an_older_row_was_overwritten(tmp_path: Path, timed: bool) -> None:
    rows = hourly()
    read = online_after(rows)
    backfilled = START + 45 * HOUR
    log = sorted(requests(rows, 600), key=lambda r: r.when)
    log = [r if r.when < backfilled else replace(r, reads={"feed": read(r.user, START + 20 * HOUR)}) for r in log]
    found = examine(tmp_path, rows, log, timed=timed)
    assert (set(forms(found)), found.causes[0]["kind"]) == ({"out_of_order"}, "late_or_tie")


def test_an_older_row_created_after_the_newer_one_was_written_over_it(tmp_path: Path) -> None:
    backfill = [Row(user, START + 10.5 * HOUR, -1.0 - user, START + 29.9 * HOUR) for user in range(USERS)]
    rows = [row for row in hourly() if row.event < START + 20 * HOUR] + backfill
    log, count = some(requests(rows), lambda r: served(r, -1.0 - r.user, START + 10.5 * HOUR))
    found = examine(tmp_path, rows, log)
    assert forms(found) == {"out_of_order": count}


@pytest.mark.parametrize("timed", [True, False])
def test_storage_in_32_bits_is_precision(tmp_path: Path, timed: bool) -> None:
    import struct

    rows = hourly()
    log = [
        served(r, struct.unpack("f", struct.pack("f", r.reads["feed"].value))[0], r.reads["feed"].event)
        for r in requests(rows)
    ]
    found = examine(tmp_path, rows, log, timed=timed)
    assert (list(forms(found)), found.causes[0]["kind"]) == (["float32"], "precision")


def test_whole_numbers_that_went_through_floats_are_precision(tmp_path: Path) -> None:
    rows = [replace(row, value=2**53 + 1 + 2 * int(row.value)) for row in hourly()]
    log = [served(r, int(float(r.reads["feed"].value)), r.reads["feed"].event) for r in requests(rows)]
    found = examine(tmp_path, rows, log, dtype="Int64")
    assert (list(forms(found)), found.causes[0]["kind"]) == (["float64"], "precision")


def test_timestamps_in_whole_seconds_are_precision(tmp_path: Path) -> None:
    rows = [replace(row, value=row.event + timedelta(microseconds=1 + row.user)) for row in hourly()]
    log = [served(r, r.reads["feed"].value.replace(microsecond=0), r.reads["feed"].event) for r in requests(rows)]
    found = examine(tmp_path, rows, log, dtype="UnixTimestamp")
    assert forms(found) == {"whole_seconds": len(log)}


@pytest.mark.parametrize("timed", [True, False])
def test_one_value_for_keys_without_a_row_is_a_default(tmp_path: Path, timed: bool) -> None:
    rows = [row for row in hourly() if row.user % 5]
    log = [served(r, -1.0) if r.user % 5 == 0 else r for r in requests(rows)]
    found = examine(tmp_path, rows, log, timed=timed)
    assert forms(found) == {"default": sum(r.user % 5 == 0 for r in log)}
    assert found.causes[0]["parameters"]["value"] == "-1.0"


def test_one_value_for_every_request_is_a_default(tmp_path: Path) -> None:
    rows = [replace(row, value=float(int(row.value) % 3)) for row in hourly()]
    log = [served(r, 1.0) for r in requests(rows)]
    found = examine(tmp_path, rows, log, timed=False)
    assert set(forms(found)) == {"constant"}


def test_a_key_without_an_online_row_is_absent(tmp_path: Path) -> None:
    rows = hourly()
    log, count = some(requests(rows), lambda r: replace(r, reads={"feed": NOTHING}))
    found = examine(tmp_path, rows, log)
    assert (forms(found), found.causes[0]["kind"]) == ({"absent_row": count}, "absent_row")


def test_a_column_that_is_never_served_is_not_served(tmp_path: Path) -> None:
    rows = hourly()
    found = examine(tmp_path, rows, [replace(r, reads={"feed": NOTHING}) for r in requests(rows)])
    assert (set(forms(found)), found.causes[0]["kind"]) == ({"not_served"}, "not_served")


@pytest.mark.parametrize("timed", [True, False])
def test_the_value_of_another_key_is_a_wrong_key_and_says_which(tmp_path: Path, timed: bool) -> None:
    rows = hourly()
    read = online_after(rows)
    log = [replace(r, friend=(r.user + 7) % USERS) for r in requests(rows)]
    log, count = some(log, lambda r: replace(r, reads={"feed": read(r.friend, r.when)}))
    found = examine(tmp_path, rows, log, timed=timed)
    assert (forms(found), found.causes[0]["kind"]) == ({"wrong_key": count}, "wrong_key")
    assert found.causes[0]["parameters"]["key"] == "friend in place of user_id"


def test_a_key_that_is_written_otherwise_is_a_wrong_key(tmp_path: Path) -> None:
    rows = [replace(row, user=f"user {row.user}") for row in hourly()]
    read = online_after(rows)
    log = [
        replace(r, user=f" User {r.user}", reads={"feed": read(f"user {r.user}", r.when)}) for r in requests(hourly())
    ]
    found = examine(tmp_path, rows, log, key="STRING")
    assert forms(found) == {"wrong_key": len(log)}
    assert found.causes[0]["parameters"]["key"] == "the key user_id written otherwise"


def test_a_row_that_was_changed_since_is_rewritten_and_one_that_was_taken_away_is_gone(tmp_path: Path) -> None:
    rows = hourly()
    log = requests(rows)
    changed = [
        replace(row, value=row.value + 0.5) if row.user % 2 else row
        for row in rows
        if row.user != 4 or row.event < START + 9 * HOUR
    ]
    found = examine(tmp_path, changed, log)
    odd, four = (sum(test(r.user) for r in log) for test in (lambda user: user % 2, lambda user: user == 4))
    assert forms(found) == {"rewritten": odd, "gone": four}


def test_values_that_no_row_ever_had_are_unexplained(tmp_path: Path) -> None:
    rows, chance = hourly(), random.Random(1)
    log = [served(r, chance.random()) for r in requests(rows)]
    found = examine(tmp_path, rows, log, timed=False)
    assert (forms(found), found.causes[0]["kind"]) == ({"unexplained": len(log)}, "unexplained")


def test_coarse_values_that_are_shuffled_are_not_called_stale(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = [replace(row, value=float(chance.randrange(3))) for row in hourly()]
    log = requests(rows)
    mixed = [served(r, chance.choice(log).reads["feed"].value) for r in log]
    found = examine(tmp_path, rows, mixed, timed=False)
    assert forms(found).get("stale", 0) < 0.1 * found.comparison.mismatched


def test_several_causes_are_told_apart_and_add_up(tmp_path: Path) -> None:
    rows = [row for row in hourly() if row.user != 3 or row.event < START + 2 * HOUR]
    before = online_after(rows, 6 * HOUR)
    log = requests(rows, 800)

    def fault(place: int, request: Request) -> Request:
        if request.user == 3:
            return request
        if place % 10 == 0:
            return served(request, None)
        return replace(request, reads={"feed": before(request.user, request.when)}) if place % 3 == 0 else request

    log = [fault(place, request) for place, request in enumerate(log)]
    found = examine(tmp_path, rows, log, ttl=20 * HOUR)
    of_three = sum(r.user == 3 for r in log)
    absent = sum(r.user != 3 and place % 10 == 0 for place, r in enumerate(log))
    stale = sum(r.user != 3 and place % 10 != 0 and place % 3 == 0 for place, r in enumerate(log))
    assert forms(found) == {"stale": stale, "absent_row": absent, "expired": of_three}
    assert sum(cause["explains"] for cause in found.causes) == pytest.approx(1)
    assert [cause["explains"] for cause in found.causes] == sorted((c["explains"] for c in found.causes), reverse=True)


def test_each_cause_has_two_mismatches_in_words_and_none_where_no_samples_are_wanted(tmp_path: Path) -> None:
    rows = hourly()
    before = online_after(rows, 5 * HOUR)
    log = [replace(r, reads={"feed": before(r.user, r.when)}) for r in requests(rows)]
    found = examine(tmp_path / "shown", rows, log)
    assert len(found.causes[0]["evidence"]) == 2
    assert "for user_id" in found.causes[0]["evidence"][0]
    assert "row of 2024-03-0" in found.causes[0]["evidence"][0]
    hidden = examine(tmp_path / "hidden", rows, log, samples=0)
    assert hidden.causes[0]["evidence"] == []
    assert hidden.comparison.samples == ()


def test_every_form_is_of_a_kind_that_is_listed() -> None:
    assert {form.kind for form in FORMS.values()} <= set(KINDS)


def test_the_page_lists_the_forms_in_the_order_in_which_they_are_tried() -> None:
    page = (Path(__file__).parent.parent.parent / "docs" / "time.md").read_text(encoding="utf-8")
    table = page.partition("## Why a column differs")[2].partition("## How far behind")[0]
    rows = re.findall(r"^\| (`[^|]*) \| `(\w+)` \|", table, re.MULTILINE)
    listed = [(form, kind) for forms, kind in rows for form in re.findall(r"`(\w+)`", forms)]
    assert listed == [(name, form.kind) for name, form in FORMS.items()]


def test_a_view_without_keys_is_looked_at_like_any_other(tmp_path: Path) -> None:
    rows = hourly(users=1)
    fresh, before = online_after(rows), online_after(rows, 5 * HOUR)
    log = [
        Request(0, r.when, {"feed": (before if place % 4 == 0 else fresh)(0, r.when)})
        for place, r in enumerate(requests(rows))
    ]
    repository = write_feeds(tmp_path / "repo", {"feed": rows}, entities="")
    found = column(audit_feeds(repository, write_log(tmp_path / "log.parquet", log)), "feed")
    assert forms(found) == {"stale": 100}
    assert found.causes[0]["parameters"]["delay_seconds"] == 5 * 3600
