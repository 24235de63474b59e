"""Where Feast's stores agree, the audit has nothing to say."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from tests.feast_divergences.world import DAY, HOUR, NOON, World, column

NEW_YORK = ZoneInfo("America/New_York")
BEYOND = 2**53 + 1


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_the_zone_of_a_request_makes_no_difference(world: World, user: int, zone: str | None) -> None:
    world.write(
        {"user_id": user, "event_timestamp": NOON - 2 * HOUR, "value": 1.0},
        {"user_id": user, "event_timestamp": NOON + HOUR, "value": 2.0},
    )
    instant: datetime = NOON.replace(tzinfo=None) if zone is None else NOON.astimezone(ZoneInfo(zone))
    asked = [{"user_id": user, "event_timestamp": instant}]
    assert [world.offline(asked, store=store)["value"].tolist() for store in ("dask", "duckdb")] == [[1.0], [1.0]]
    world.materialize(NOON - DAY, NOON)
    world.serve(NOON.astimezone(NEW_YORK), user, asked=NOON.astimezone(NEW_YORK))
    assert world.audit().verdict == "pass"


def test_whole_numbers_beyond_floats_are_exact_where_none_is_missing(world: World, user: int) -> None:
    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "count": BEYOND})
    asked = [{"user_id": user, "event_timestamp": NOON}]
    for store in ("dask", "duckdb"):
        assert world.offline(asked, "stats:count", store=store)["count"].tolist() == [BEYOND]
    world.materialize(NOON - DAY, NOON)
    assert world.online(user)["count"] == [BEYOND]
    world.serve(NOON, user)
    assert world.audit().verdict == "pass"


def test_arithmetic_with_a_missing_value_is_missing(world: World, user: int) -> None:
    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "value": None, "small": None})
    asked = [{"user_id": user, "event_timestamp": NOON}]
    for store in ("dask", "duckdb"):
        assert pd.isna(world.offline(asked, store=store)["value"].iloc[0])
    world.materialize(NOON - DAY, NOON)
    (served,) = world.serve(NOON, user)
    assert (served["squared"], served["log_of_value"]) == (None, None)
    assert world.audit().verdict == "pass"


def test_no_time_to_live_is_for_ever(world: World, user: int) -> None:
    world.write_notes((user, NOON - 3000 * DAY, 7.0))
    asked = [{"user_id": user, "event_timestamp": NOON}]
    for store in ("dask", "duckdb"):
        assert world.offline(asked, "notes:note", store=store)["note"].tolist() == [7.0]
    world.materialize(NOON - 3001 * DAY, NOON, "notes")
    world.serve(NOON, user)
    verdict = world.audit()
    assert verdict.verdict == "pass"
    assert column(verdict, "note").comparison.compared == 1


def test_what_is_fresh_and_in_order_is_what_training_reads(world: World, user: int) -> None:
    rows = [
        {"user_id": user + n % 5, "event_timestamp": NOON - HOUR + n * timedelta(minutes=1), "value": n / 7, "count": n}
        for n in range(30)
    ]
    world.write(*rows)
    for n in range(0, 30, 5):
        until = NOON - HOUR + (n + 4) * timedelta(minutes=1)
        world.materialize(until - timedelta(minutes=4), until)
        world.serve(until + timedelta(seconds=30), *range(user, user + 5))
    verdict = world.audit()
    assert (verdict.verdict, verdict.rows.replayed) == ("pass", 30)
    assert [found.causes for found in verdict.columns] == [()] * len(verdict.columns)
    assert {entry["serving"]["delay_seconds"] for entry in verdict.alignment} == {0.0}
