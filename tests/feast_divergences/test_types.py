"""Divergences of Feast in types: fewer digits, missing values that turn into others, and keys of another type."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from skewcheck.store.point_in_time import retrieve
from tests.feast_divergences.world import DAY, HOUR, INSTANT, NOON, World, by_hand, column, kinds, skewed, write_source

TENTH = 0.10000000149011612
BEYOND = 2**53 + 1


def test_feast_divergence_10_a_float32_field_has_all_digits_offline_and_seven_online(world: World, user: int) -> None:
    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "small": 0.1})
    asked = [{"user_id": user, "event_timestamp": NOON}]
    for store in ("dask", "duckdb"):
        assert world.offline(asked, "stats:small", store=store)["small"].tolist() == [0.1]
    world.materialize(NOON - DAY, NOON)
    assert world.online(user)["small"] == [TENTH]
    world.serve(NOON, user)
    verdict = world.audit()
    assert skewed(verdict) == {"small_as_read": "retrieval", "squared": "retrieval"}
    assert kinds(verdict, "small") == [("precision", "float32")]


def test_feast_divergence_11_pandas_multiplies_in_32_bits_offline_and_in_64_online(world: World, user: int) -> None:
    def square(frame: pd.DataFrame) -> pd.DataFrame:
        import pandas

        return pandas.DataFrame({"square_out": (frame["small"] * frame["small"]).astype("float64")})

    stored = {"user_id": [user], "small": pa.array([1.1], pa.float32()), "value": [0.5], "count": [1]}
    times = {name: pa.array([NOON - HOUR], INSTANT) for name in ("event_timestamp", "created", "seen")}
    write_source(pa.table({**stored, **times}), world.root / "data" / "stats.parquet")
    world.materialize(NOON - DAY, NOON)
    narrow = pd.Series([1.1], dtype="float32")
    for offline in ("dask", "duckdb"):
        store = world.beside(by_hand(world, "square", square), offline=offline)
        found = world.ask_offline(store, "stats:small", "square:square_out", users=[user])["square_out"].tolist()
        assert found == [float((narrow * narrow).iloc[0])]
    online = world.ask_online(store, "stats:small", "square:square_out", users=[user])["square_out"]
    assert online == [float(narrow.iloc[0]) ** 2]
    assert online != found
    # Here training multiplies what it reads in 64 bits, as serving does.
    (served,) = world.serve(NOON, user)
    assert [served["squared"]] == online
    assert world.audit().verdict == "pass"


def test_feast_divergence_12_whole_numbers_beside_a_missing_one_are_floats(world: World, user: int) -> None:
    world.write(
        {"user_id": user, "event_timestamp": NOON - HOUR, "count": BEYOND},
        {"user_id": user + 1, "event_timestamp": NOON - HOUR, "count": None},
    )
    asked = [{"user_id": n, "event_timestamp": NOON} for n in (user, user + 1)]
    found = {
        store: world.offline(asked, "stats:count", store=store).sort_values("user_id")["count"]
        for store in ("dask", "duckdb")
    }
    assert found["dask"].iloc[0] == BEYOND
    assert (found["duckdb"].dtype, found["duckdb"].iloc[0]) == ("float64", 2**53)
    world.materialize(NOON - DAY, NOON)
    assert world.online(user, user + 1)["count"] == [2**53, None]
    world.serve(NOON, user, user + 1)
    verdict = world.audit()
    assert skewed(verdict) == {"count_as_read": "retrieval"}
    assert kinds(verdict, "count") == [("precision", "float64")]


def test_feast_divergence_14_nan_and_null_are_told_apart_by_one_store_and_here_by_none(world: World, user: int) -> None:
    def is_null(inputs: dict) -> dict:  # type: ignore[type-arg]
        return {"null_out": [1.0 if value is None else 0.0 for value in inputs["value"]]}

    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "value": float("nan")})
    world.materialize(NOON - DAY, NOON)
    view = by_hand(world, "null", is_null, mode="python")
    asked = {store: world.beside(view, offline=store) for store in ("dask", "duckdb")}
    found = {
        store: world.ask_offline(feast, "stats:value", "null:null_out", users=[user])["null_out"].tolist()
        for store, feast in asked.items()
    }
    found["online"] = world.ask_online(asked["duckdb"], "stats:value", "null:null_out", users=[user])["null_out"]
    assert found == {"dask": [1.0], "duckdb": [0.0], "online": [1.0]}
    (served,) = world.serve(NOON, user)
    assert served["is_missing"] is True
    verdict = world.audit()
    assert verdict.verdict == "pass"
    assert column(verdict, "value").comparison.mismatched == 0


def test_feast_divergence_16_the_type_of_a_column_depends_on_its_company_and_here_on_the_declaration(
    world: World, user: int
) -> None:
    def tell_type(frame: pd.DataFrame) -> pd.DataFrame:
        import pandas

        codes = {"int64": 1.0, "float64": 2.0, "object": 3.0, "Int64": 4.0}
        return pandas.DataFrame({"kind_out": [codes[str(frame["count"].dtype)]] * len(frame)})

    world.write(
        {"user_id": user, "event_timestamp": NOON - HOUR, "count": 7},
        {"user_id": user + 1, "event_timestamp": NOON - HOUR, "count": None},
    )
    world.materialize(NOON - DAY, NOON)
    view = by_hand(world, "kind", tell_type)
    names = ("stats:count", "kind:kind_out")
    found = {}
    for offline in ("dask", "duckdb"):
        store = world.beside(view, offline=offline)
        found[offline] = world.ask_offline(store, *names, users=[user, user + 1])["kind_out"].iloc[0]
    assert found == {"dask": 2.0, "duckdb": 2.0}
    together, alone = ([user, user + 1], [user])
    kinds_online = [world.ask_online(store, *names, users=users)["kind_out"][0] for users in (together, alone)]
    assert kinds_online == [2.0, 1.0]
    assert world.ask_online(store, *names, users=[user + 1])["kind_out"] == [3.0]
    in_company = world.serve(NOON, user, user + 1)
    assert [row["count_as_read"] for row in in_company] == [7, None]
    assert [row["count_as_read"] for row in world.serve(NOON, user)] == [7]
    assert world.audit().verdict == "pass"


def test_feast_divergence_23_a_key_of_another_type_is_refused_offline_and_served_online(
    world: World, user: int
) -> None:
    world.write({"user_id": user, "event_timestamp": NOON - HOUR, "value": 1.0})
    world.materialize(NOON - DAY, NOON)
    asked = [{"user_id": str(user), "event_timestamp": NOON}]
    for store in ("dask", "duckdb"):
        with pytest.raises(Exception, match=r"(?i)merge|type|incompatible|compar"):
            world.offline(asked, store=store)
    assert world.online(str(user))["value"] == [1.0]
    world.serve(NOON, user)
    # Our own logger refuses such a row and counts it; another one may have written the text.
    world.serve(NOON, str(user))
    log = world.logged()
    assert world.writer.dropped == 1
    text = pa.array([str(key) for key in log.column("key.user_id").to_pylist()])
    verdict = world.audit(log.set_column(log.column_names.index("key.user_id"), "key.user_id", text))
    assert (verdict.verdict, verdict.exit_code) == ("incomplete", 3)
    assert "another type" in verdict.stages["retrieval"]
    (problem,) = [problem for problem in verdict.problems if problem.severity == "error"]
    assert problem.where == "join key user_id"
    assert "string" in problem.message


@pytest.mark.parametrize("key", ["1", 1.0])
def test_feast_divergence_23_the_join_here_refuses_a_key_of_another_type_too(world: World, key: Any) -> None:
    from skewcheck.errors import SkewcheckError

    world.write({"user_id": 1, "event_timestamp": NOON - HOUR, "value": 1.0})
    entities = pa.table({"user_id": [key], "event_timestamp": pa.array([NOON], INSTANT)})
    service = world.repository.service("reads")
    if key == 1.0:
        values, _ = retrieve(world.repository, service, {"stats": ["value"]}, entities, "event_timestamp")
        assert values.column("value").to_pylist() == [1.0]
        return
    with pytest.raises(SkewcheckError, match="a key of another type never matches"):
        retrieve(world.repository, service, {"stats": ["value"]}, entities, "event_timestamp")
