"""Divergences of Feast in time: what is too old, not yet there, or written in another order than it happened."""

from __future__ import annotations

import pandas as pd

from tests.feast_divergences.world import DAY, HOUR, MICROSECOND, NOON, World, column, kinds, skewed


def test_feast_divergence_01_a_value_past_its_time_to_live_is_served(world: World, user: int) -> None:
    world.write({"user_id": user, "event_timestamp": NOON - 10 * DAY, "value": 1.0})
    asked = [{"user_id": user, "event_timestamp": NOON}]
    assert len(world.offline(asked, store="dask")) == 0
    assert world.offline(asked)["value"].isna().tolist() == [True]
    world.materialize(NOON - 11 * DAY, NOON)
    assert world.online(user)["value"] == [1.0]
    world.serve(NOON, user)
    verdict = world.audit()
    assert skewed(verdict)["as_read"] == "retrieval"
    assert kinds(verdict, "value") == [("residual", "expired")]
    assert column(verdict, "value").residual == {
        "rows": 1,
        "share": 1.0,
        "ttl_seconds": 86400.0,
        "oldest_seconds": 864000.0,
    }


def test_feast_divergence_02_the_edge_of_the_time_to_live_belongs_to_training_and_serving_has_no_edge(
    world: World, user: int
) -> None:
    world.write(
        {"user_id": user, "event_timestamp": NOON - DAY, "value": 1.0},
        {"user_id": user + 1, "event_timestamp": NOON - DAY - MICROSECOND, "value": 2.0},
    )
    asked = [{"user_id": user, "event_timestamp": NOON}, {"user_id": user + 1, "event_timestamp": NOON}]
    assert world.offline(asked, store="dask")["value"].tolist() == [1.0]
    found = world.offline(asked).sort_values("user_id")["value"]
    assert found.iloc[0] == 1.0
    assert pd.isna(found.iloc[1])
    world.materialize(NOON - 2 * DAY, NOON)
    assert world.online(user, user + 1)["value"] == [1.0, 2.0]
    world.serve(NOON, user, user + 1)
    verdict = world.audit()
    assert column(verdict, "value").comparison.mismatched == 1
    assert column(verdict, "value").comparison.samples[0].served == 2.0
    assert kinds(verdict, "value") == [("residual", "expired")]


def test_feast_divergence_03_a_row_of_the_future_is_served(world: World, user: int) -> None:
    world.write({"user_id": user, "event_timestamp": NOON + HOUR, "created": NOON - HOUR, "value": 9.0})
    asked = [{"user_id": user, "event_timestamp": NOON}]
    assert len(world.offline(asked, store="dask")) == 0
    assert world.offline(asked)["value"].isna().tolist() == [True]
    world.materialize(NOON - DAY, NOON + DAY)
    assert world.online(user)["value"] == [9.0]
    world.serve(NOON, user)
    verdict = world.audit()
    assert skewed(verdict)["as_read"] == "retrieval"
    assert kinds(verdict, "value") == [("latest_not_as_of", "future_dated")]


def test_feast_divergence_07_materialising_an_earlier_span_overwrites_newer_rows(world: World, user: int) -> None:
    world.write(
        {"user_id": user, "event_timestamp": NOON - 5 * HOUR, "value": 5.0},
        {"user_id": user, "event_timestamp": NOON - HOUR, "value": 1.0},
    )
    world.materialize(NOON - 10 * HOUR, NOON)
    assert world.online(user)["value"] == [1.0]
    world.serve(NOON, user)
    world.materialize(NOON - 10 * HOUR, NOON - 4 * HOUR)
    assert world.online(user)["value"] == [5.0]
    asked = [{"user_id": user, "event_timestamp": NOON + HOUR}]
    assert [world.offline(asked, store=store)["value"].tolist() for store in ("dask", "duckdb")] == [[1.0], [1.0]]
    for minutes in (10, 20, 30):
        world.serve(NOON + minutes * HOUR / 60, user)
    verdict = world.audit()
    assert skewed(verdict)["as_read"] == "retrieval"
    assert column(verdict, "value").comparison.mismatched == 3
    assert kinds(verdict, "value") == [("late_or_tie", "out_of_order")]


def test_feast_divergence_08_an_older_row_that_is_pushed_overwrites_a_newer_one(world: World, user: int) -> None:
    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "value": 1.0})
    world.materialize(NOON - DAY, NOON)
    world.serve(NOON, user)
    older = {"user_id": user, "event_timestamp": NOON - 3 * HOUR, "value": -7.0}
    world.write_online("stats", {**older, "small": None, "count": None, "seen": None})
    assert world.online(user)["value"] == [-7.0]
    asked = [{"user_id": user, "event_timestamp": NOON + HOUR}]
    assert [world.offline(asked, store=store)["value"].tolist() for store in ("dask", "duckdb")] == [[1.0], [1.0]]
    world.serve(NOON + HOUR / 2, user)
    verdict = world.audit()
    assert skewed(verdict)["as_read"] == "retrieval"
    assert kinds(verdict, "value") == [("late_or_tie", "out_of_order")]


def test_feast_divergence_09_training_reads_rows_that_were_not_yet_known(world: World, user: int) -> None:
    world.write(
        {"user_id": user, "event_timestamp": NOON - 8 * HOUR, "value": 10.0},
        {"user_id": user, "event_timestamp": NOON - 5 * HOUR, "created": NOON - HOUR, "value": 5.0},
    )
    asked = [{"user_id": user, "event_timestamp": NOON - 3 * HOUR}]
    for store in ("dask", "duckdb"):
        assert world.offline(asked, store=store)["value"].tolist() == [5.0]
        assert world.offline(asked, store=store, filter_by_created_timestamp=True)["value"].tolist() == [10.0]
    # Serving could only know the first row, and the training path here reads that one too.
    world.materialize(NOON - DAY, NOON - 6 * HOUR)
    world.serve(NOON - 3 * HOUR, user)
    verdict = world.audit()
    assert column(verdict, "value").comparison.mismatched == 0
    assert column(verdict, "value").causes == ()


def test_feast_divergence_09_a_row_that_was_served_before_it_was_known_arrived_late(world: World, user: int) -> None:
    world.write(
        {"user_id": user, "event_timestamp": NOON - 8 * HOUR, "value": 10.0},
        {"user_id": user, "event_timestamp": NOON - 5 * HOUR, "created": NOON - HOUR, "value": 5.0},
    )
    world.materialize(NOON - DAY, NOON)
    world.serve(NOON - 3 * HOUR, user)
    verdict = world.audit()
    assert skewed(verdict)["as_read"] == "retrieval"
    assert kinds(verdict, "value") == [("late_or_tie", "late_arrival")]


def test_feast_divergence_17_timestamps_are_cut_to_whole_seconds(world: World, user: int) -> None:
    seen = NOON - HOUR + 900_000 * MICROSECOND
    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "seen": seen})
    asked = [{"user_id": user, "event_timestamp": NOON}]
    for store in ("dask", "duckdb"):
        assert world.offline(asked, "stats:seen", store=store)["seen"].tolist() == [pd.Timestamp(seen)]
    world.materialize(NOON - DAY, NOON)
    assert world.online(user)["seen"] == [seen.replace(microsecond=0)]
    world.serve(NOON, user)
    verdict = world.audit()
    assert skewed(verdict) == {"age": "retrieval"}
    assert kinds(verdict, "seen") == [("precision", "whole_seconds")]
