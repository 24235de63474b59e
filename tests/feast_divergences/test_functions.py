"""Divergences of Feast in functions over features, and how generated code avoids them."""

from __future__ import annotations

import contextlib
import math
import warnings
from datetime import timedelta
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from feast import BatchFeatureView, Field
from feast.types import Float64

from skewcheck.errors import DeclarationError
from skewcheck.generate.manifest import read_manifest
from skewcheck.store.register import register
from skewcheck.store.repository import generated_directory, load_repository
from tests.feast_divergences.world import DAY, HOUR, NOON, World, by_hand, column, kinds, skewed

VALUE = "stats:value"


@pytest.fixture
def users(world: World, user: int) -> list[int]:
    """Three users with the values 1, 2 and 6, materialised."""
    found = [user, user + 1, user + 2]
    world.write(
        *(
            {"user_id": u, "event_timestamp": NOON - HOUR, "value": value}
            for u, value in zip(found, (1.0, 2.0, 6.0), strict=True)
        )
    )
    world.materialize(NOON - DAY, NOON)
    return found


def test_feast_divergence_15_a_pandas_function_fails_on_one_missing_value_alone(world: World, user: int) -> None:
    def log(frame: pd.DataFrame) -> pd.DataFrame:
        import numpy
        import pandas

        return pandas.DataFrame({"log_out": numpy.log1p(frame["value"])})

    world.write(
        {"user_id": user, "event_timestamp": NOON - HOUR, "value": None},
        {"user_id": user + 1, "event_timestamp": NOON - HOUR, "value": 1.0},
    )
    world.materialize(NOON - DAY, NOON)
    store = world.beside(by_hand(world, "log", log))
    both = world.ask_offline(store, VALUE, "log:log_out", users=[user, user + 1])["log_out"].tolist()
    assert math.isnan(both[0])
    assert world.ask_online(store, VALUE, "log:log_out", users=[user, user + 1])["log_out"] == [None, both[1]]
    with pytest.raises(TypeError):
        world.ask_online(store, VALUE, "log:log_out", users=[user])
    assert [row["log_of_value"] for row in world.serve(NOON, user)] == [None]
    assert [row["log_of_value"] for row in world.serve(NOON, user, user + 1)] == [None, both[1]]
    assert world.audit().verdict == "pass"


def test_feast_divergence_18_a_singleton_function_answers_two_requests_with_one_value(
    world: World, users: list[int]
) -> None:
    def double(inputs: dict) -> dict:  # type: ignore[type-arg]
        return {"double_out": inputs["value"] * 2.0}

    store = world.beside(by_hand(world, "double", double, mode="python", singleton=True))
    with pytest.raises(Exception, match=r"(?i)multiply|convert|sequence|arrow|list"):
        world.ask_offline(store, VALUE, "double:double_out", users=users)
    assert world.ask_online(store, VALUE, "double:double_out", users=users[:1])["double_out"] == [2.0]
    two = world.ask_online(store, VALUE, "double:double_out", users=users[:2])["double_out"]
    assert len(two) == 1
    registered = world.store().get_on_demand_feature_view("reads_features")
    assert registered.singleton is False
    assert [row["as_read"] for row in world.serve(NOON, *users)] == [1.0, 2.0, 6.0]


def test_feast_divergence_19_a_function_of_the_batch_is_another_one_for_each_request(
    world: World, users: list[int]
) -> None:
    def centre(frame: pd.DataFrame) -> pd.DataFrame:
        import pandas

        return pandas.DataFrame({"centre_out": frame["value"] - frame["value"].mean()})

    store = world.beside(by_hand(world, "centre", centre))
    names = (VALUE, "centre:centre_out")
    assert world.ask_offline(store, *names, users=users)["centre_out"].tolist() == [-2.0, -1.0, 3.0]
    alone = [world.ask_online(store, *names, users=[user])["centre_out"] for user in users]
    assert alone == [[0.0], [0.0], [0.0]]
    together = world.serve(NOON, *users)
    assert together == [row for user in users for row in world.serve(NOON, user)]
    assert world.audit().verdict == "pass"


def test_feast_divergence_19_a_feature_that_was_served_of_its_batch_is_found(world: World, users: list[int]) -> None:
    world.serve(NOON, *users)
    log = world.logged()
    centred = [value - 3.0 for value in log.column("feature.as_read").to_pylist()]
    verdict = world.audit(
        log.set_column(log.column_names.index("feature.as_read"), "feature.as_read", pa.array(centred))
    )
    assert skewed(verdict) == {"as_read": "transform"}


def test_feast_divergence_20_a_view_over_another_view_sees_nothing_online(world: World, users: list[int]) -> None:
    def first(inputs: dict) -> dict:  # type: ignore[type-arg]
        return {"first_out": [value + 1.0 for value in inputs["value"]]}

    def second(inputs: dict) -> dict:  # type: ignore[type-arg]
        return {
            "second_out": [-1.0 if v is None else v for v in inputs.get("first_out", [None] * len(inputs["value"]))]
        }

    one, other = (by_hand(world, name, udf, mode="python") for name, udf in (("first", first), ("second", second)))
    store = world.beside(one, other)
    names = (VALUE, "first:first_out", "second:second_out")
    assert world.ask_offline(store, *names, users=users[:1])["second_out"].tolist() == [2.0]
    assert world.ask_online(store, *names, users=users[:1])["second_out"] == [-1.0]
    (served,) = world.serve(NOON, users[0])
    assert served["chained"] == 2 * served["log_of_value"]
    assert world.audit().verdict == "pass"


def test_feast_divergence_21_a_function_may_read_the_label_and_here_no_feature_can(
    world: World, users: list[int], tmp_path: Any
) -> None:
    def peek(inputs: dict) -> dict:  # type: ignore[type-arg]
        return {"peek_out": inputs.get("label", [-1.0] * len(inputs["value"]))}

    store = world.beside(by_hand(world, "peek", peek, mode="python"))
    names = (VALUE, "peek:peek_out")
    assert world.ask_offline(store, *names, users=users[:1], label=42.0)["peek_out"].tolist() == [42.0]
    assert world.ask_online(store, *names, users=users[:1])["peek_out"] == [-1.0]
    declared = (world.root / "features" / "reads.py").read_text()
    (tmp_path / "features").mkdir()
    (tmp_path / "feature_store.yaml").write_text((world.root / "feature_store.yaml").read_text())
    peeking = f"{declared}\n\n@reads.feature\ndef peek(label):\n    return label\n"
    (tmp_path / "features" / "reads.py").write_text(peeking)
    with pytest.raises(DeclarationError, match="label"):
        load_repository(tmp_path)


def test_feast_divergence_22_full_names_lose_features_and_here_names_are_plain(world: World, users: list[int]) -> None:
    def plus(inputs: dict) -> dict:  # type: ignore[type-arg]
        return {"plus_out": [value + 1.0 for value in inputs["value"]]}

    store = world.beside(by_hand(world, "plus", plus, mode="python"))
    with contextlib.chdir(world.root):
        rows = [{"user_id": users[0]}]
        online = store.get_online_features([VALUE, "plus:plus_out"], rows, full_feature_names=True).to_dict()
        frame = pd.DataFrame([{"user_id": users[0], "event_timestamp": NOON}])
        offline = store.get_historical_features(frame, [VALUE, "plus:plus_out"], full_feature_names=True).to_df()
    assert "plus__plus_out" in offline
    assert not [name for name in online if "plus_out" in name]
    (served,) = world.serve(NOON, users[0])
    assert set(served) == {feature.name for feature in world.manifest.features}
    assert None not in {name: served[name] for name in ("as_read", "log_of_value", "is_missing")}.values()


def test_feast_divergence_24_a_batch_view_has_its_function_online_and_not_offline(
    world: World, users: list[int]
) -> None:
    def hundredfold(frame: pd.DataFrame) -> pd.DataFrame:
        frame["value"] = frame["value"] * 100.0
        return frame

    stats = world.repository.service("reads").sources.views[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = BatchFeatureView(
            name="stats",
            entities=[world.repository.entities["user"]],
            schema=[Field(name="value", dtype=Float64)],
            source=stats.batch_source,
            ttl=timedelta(days=1),
            mode="pandas",
            udf=hundredfold,
            udf_string="def hundredfold(frame):\n    frame['value'] = frame['value'] * 100.0\n    return frame\n",
            online=True,
        )
    store = world.beside(offline="dask")
    with contextlib.chdir(world.root):
        store.apply([world.repository.entities["user"], batch])
        store.materialize(NOON - DAY, NOON, ["stats"])
    assert world.ask_offline(store, VALUE, users=users)["value"].tolist() == [1.0, 2.0, 6.0]
    assert world.online(*users, features=[VALUE])["value"] == [100.0, 200.0, 600.0]
    world.serve(NOON, *users)
    verdict = world.audit()
    assert skewed(verdict)["as_read"] == "retrieval"
    assert column(verdict, "value").comparison.mismatched == 3
    assert kinds(verdict, "value") == [("latest_not_as_of", "rewritten")]


def test_feast_divergence_27_a_function_loses_its_statistics_and_generated_code_carries_them(
    world: World, users: list[int]
) -> None:
    mean = 3.0

    def scaled(inputs: dict) -> dict:  # type: ignore[type-arg]
        return {"scaled_out": [value - mean for value in inputs["value"]]}

    store = world.beside(by_hand(world, "scaled", scaled, mode="python"))
    for ask in (world.ask_offline, world.ask_online):
        with pytest.raises(NameError):
            ask(store, VALUE, "scaled:scaled_out", users=users[:1])
    # What is registered here is the whole module, with every constant; and what changes is noticed.
    before = world.store().get_on_demand_feature_view("reads_features")
    directory = generated_directory(world.root, "reads")
    assert before.feature_transformation.udf_string == (directory / "row.py").read_text()
    again = register(world.repository, world.repository.service("reads"))
    assert again == read_manifest(directory / "manifest.json")
