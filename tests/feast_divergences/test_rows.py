"""Divergences of Feast in rows: ties, repeated and unknown ones, their order, and the columns that come with them."""

from __future__ import annotations

import pandas as pd

from skewcheck.store.point_in_time import retrieve
from tests.feast_divergences.world import DAY, FEATURE_NAMES, HOUR, NOON, SECOND, World, column, kinds, skewed

MANY = 200


def test_feast_divergence_04_one_of_two_equal_requests_is_lost(world: World, user: int) -> None:
    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "value": 1.0})
    asked = [{"user_id": user, "event_timestamp": NOON, "amount": amount} for amount in (1.0, 2.0)]
    assert [len(world.offline(asked, store=store)) for store in ("dask", "duckdb")] == [1, 2]
    world.materialize(NOON - DAY, NOON)
    for amount in (1.0, 2.0):
        world.serve(NOON, user, amount=amount)
    verdict = world.audit()
    assert (verdict.verdict, verdict.rows.replayed, verdict.rows.unmatched) == ("pass", 2, 0)


def test_feast_divergence_05_corrections_of_one_event_time_are_drawn_at_random(world: World, user: int) -> None:
    users = range(user, user + 40)
    rows = [
        {"user_id": u, "event_timestamp": NOON - HOUR, "created": NOON - HOUR + n * SECOND, "value": float(n)}
        for n in range(50)
        for u in users
    ]
    world.write(*rows)
    asked = [{"user_id": u, "event_timestamp": NOON} for u in users]
    wrong = (world.offline(asked, store="dask")["value"] != 49.0).mean()
    assert wrong > 0.5
    assert (world.offline(asked)["value"] == 49.0).all()
    world.materialize(NOON - DAY, NOON)
    assert set(world.online(*users)["value"]) == {49.0}
    world.serve(NOON, *users)
    assert world.audit().verdict == "pass"


def test_feast_divergence_05_a_correction_that_did_not_reach_serving_is_a_tie(world: World, user: int) -> None:
    wrong, right = (
        {"user_id": user, "event_timestamp": NOON - HOUR, "created": NOON - HOUR + n * SECOND, "value": float(n)}
        for n in (1, 2)
    )
    world.write(wrong, right)
    world.write_online("stats", {"small": None, "count": None, "seen": None, **wrong})
    world.serve(NOON, user)
    verdict = world.audit()
    assert skewed(verdict)["as_read"] == "retrieval"
    assert kinds(verdict, "value") == [("late_or_tie", "tie")]


def test_feast_divergence_06_ties_without_a_created_timestamp_are_broken_by_chance(world: World, user: int) -> None:
    users = range(user, user + MANY)
    rows = [(u, NOON - HOUR, float((n * 7 + u) % 10)) for n in range(10) for u in users]
    world.write_notes(*rows)
    asked = [{"user_id": u, "event_timestamp": NOON} for u in users]
    world.materialize(NOON - DAY, NOON, "notes")
    answers = {
        store: world.offline(asked, "notes:note", store=store).sort_values("user_id")["note"].tolist()
        for store in ("dask", "duckdb")
    }
    answers["online"] = world.online(*users, features=["notes:note"])["note"]
    for one, other in (("dask", "duckdb"), ("dask", "online"), ("duckdb", "online")):
        assert sum(a != b for a, b in zip(answers[one], answers[other], strict=True)) > 0.3 * MANY
    world.serve(NOON, *users)
    verdict = world.audit()
    assert skewed(verdict) == {"note_as_read": "retrieval"}
    assert kinds(verdict, "note") == [("late_or_tie", "tie")]


def test_feast_divergence_13_what_an_unknown_key_has_is_missing_everywhere(world: World, user: int) -> None:
    asked = [{"user_id": user, "event_timestamp": NOON}, {"user_id": user + 1, "event_timestamp": NOON}]
    world.write({"user_id": user + 1, "event_timestamp": NOON - HOUR, "count": 3})
    found = world.offline(asked, "stats:count").sort_values("user_id")["count"]
    assert found.dtype == "float64"
    assert pd.isna(found.iloc[0])
    world.materialize(NOON - DAY, NOON)
    assert world.online(user)["count"] == [None]
    world.serve(NOON, user, user + 1)
    verdict = world.audit()
    assert verdict.verdict == "pass"
    assert world.logged().column("status.count").to_pylist() == ["NOT_FOUND", "PRESENT"]


def test_feast_divergence_25_rows_come_back_in_another_order_and_here_in_their_own(world: World, user: int) -> None:
    world.write(*({"user_id": user + n, "event_timestamp": NOON - HOUR, "value": float(n)} for n in range(MANY)))
    asked = [{"user_id": user + n, "event_timestamp": NOON - n * SECOND} for n in range(MANY)]
    assert world.offline(asked, store="dask")["value"].tolist() != [float(n) for n in range(MANY)]
    import pyarrow as pa

    service = world.repository.service("reads")
    entities = pa.table(
        {
            "user_id": [row["user_id"] for row in asked],
            "event_timestamp": pa.array([row["event_timestamp"] for row in asked], pa.timestamp("us", tz="UTC")),
        }
    )
    values, found = retrieve(world.repository, service, {"stats": ["value"]}, entities, "event_timestamp")
    assert values.column("value").to_pylist() == [float(n) for n in range(MANY)]
    assert found.to_pylist() == [True] * MANY


def test_feast_divergence_26_columns_of_the_request_come_back_offline_alone_and_here_never(
    world: World, user: int
) -> None:
    import pyarrow as pa

    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "value": 1.0})
    asked = [{"user_id": user, "event_timestamp": NOON, "label": 42.0}]
    for store in ("dask", "duckdb"):
        assert {"label", "event_timestamp"} <= set(world.offline(asked, store=store).columns)
    world.materialize(NOON - DAY, NOON)
    assert set(world.online(user)) == {"user_id", *(name.partition(":")[2] for name in FEATURE_NAMES)}
    instants = pa.array([NOON], pa.timestamp("us", tz="UTC"))
    entities = pa.table({"user_id": [user], "event_timestamp": instants, "label": [42.0]})
    service = world.repository.service("reads")
    values, _ = retrieve(world.repository, service, {"stats": ["value"]}, entities, "event_timestamp")
    assert values.column_names == ["value"]
    world.serve(NOON, user)
    assert column(world.audit(), "value").comparison.mismatched == 0
