"""A training set: the features of the row function, labels apart, every row accounted for, never half-written."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import LeakageError, SkewcheckError, StateError, UsageError
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import read_state
from skewcheck.generate.generation import load_row_module
from skewcheck.language.fingerprint import fingerprint
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set
from skewcheck.store.training_set import TrainingSetRecord, write_training_set
from tests.scaffold.foreign_log import write_foreign_repository
from tests.shop import INSTANT, at, fit_and_generate


def write(shop: Repository, **options: Any) -> TrainingSetRecord:
    return write_training_set(shop, shop.service("shop"), shop.root / "set", **options)


def read(shop: Repository, name: str) -> pa.Table:
    return pq.read_table(shop.root / "set" / f"{name}.parquet")


def beside(shop: Repository) -> list[str]:
    """What stands in the repo beside its own files."""
    own = {"data", "features", "codegen", "feature_store.yaml"}
    return sorted(path.name for path in shop.root.iterdir() if path.name not in own)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_features_are_those_of_the_row_function_over_the_rows(shop: Repository) -> None:
    write(shop)
    text = (generated_directory(shop.root, "shop") / "row.py").read_text(encoding="utf-8")
    transform_row = load_row_module(text)["transform_row"]
    features = read(shop, "features").to_pylist()
    rows = read(shop, "rows").to_pylist()
    assert len(features) == len(rows) == 395
    for feature, row in zip(features, rows, strict=True):
        assert feature == {"row_number": row["row_number"], **transform_row(row)}


def test_rows_keep_their_order_and_their_id_and_labels_stand_apart(shop: Repository) -> None:
    record = write(shop, row_id="request_id")
    payments = pq.read_table(shop.root / "data" / "payments.parquet").to_pylist()
    kept = [
        row for row in payments if row["event_timestamp"] < at(19) and not row["refunded"] and (row["amount"] or 0) > 0
    ]
    assert record.files == ("features.parquet", "labels.parquet", "rows.parquet", "trainset.json")
    for name in ("features", "labels", "rows"):
        table = read(shop, name)
        assert table.column_names[0] == "request_id"
        assert table.column("request_id").to_pylist() == [row["request_id"] for row in kept]
    assert read(shop, "labels").column_names == ["request_id", "refunded"]
    assert "refunded" not in {*read(shop, "features").column_names, *read(shop, "rows").column_names}
    assert read(shop, "rows").column_names == [
        "request_id", "customer_id", "event_timestamp", "amount", "country", "paid_at", "balance", "tier", "orders"
    ]  # fmt: skip


def test_rows_without_an_id_are_numbered_by_their_place_in_the_file(shop: Repository) -> None:
    write(shop, start="2024-03-02")
    payments = pq.read_table(shop.root / "data" / "payments.parquet").column("request_id").to_pylist()
    rows = read(shop, "rows")
    numbers = rows.column("row_number").to_pylist()
    assert numbers[0] >= 24
    assert [payments[number] for number in numbers] == rows.column("request_id").to_pylist()


def test_types_are_the_declared_ones(shop: Repository) -> None:
    record = write(shop)
    types = {field.name: field.type for field in read(shop, "features").schema}
    assert types["orders_filled"] == types["tier_code"] == pa.int64()
    assert types["many_orders"] == pa.bool_()
    assert types["country_one_hot"] == pa.list_(pa.float64())
    rows = read(shop, "rows")
    assert (rows.schema.field("orders").type, rows.column("orders").null_count > 0) == (pa.int64(), True)
    assert rows.schema.field("paid_at").type == INSTANT
    assert record.features["country_one_hot"] == "Vector(2)"
    assert record.labels == {"refunded": "Bool"}


def test_a_feature_of_type_int64_or_timestamp_with_missing_values_stays_what_it_is(shop: Repository) -> None:
    text = "\n\n@shop.feature\ndef orders_twice(orders):\n    return orders * 2\n"
    text += "\n\n@shop.feature\ndef paid(paid_at, orders):\n"
    text += "    return sk.when(orders > 3).then(paid_at).otherwise(sk.missing('Timestamp'))\n"
    path = shop.root / "features" / "shop.py"
    path.write_text(path.read_text() + text)
    more = fit_and_generate(shop.root)
    write(more)
    found, rows = read(more, "features"), read(more, "rows")
    assert found.schema.field("orders_twice").type == pa.int64()
    assert found.column("orders_twice").to_pylist() == [
        None if value is None else 2 * value for value in rows.column("orders").to_pylist()
    ]
    assert found.schema.field("paid").type == INSTANT
    assert found.column("paid").null_count > 0


def test_every_row_is_accounted_for(shop: Repository) -> None:
    record = write(shop)
    rows = retrieve_training_set(shop, shop.service("shop"), shop.root / "rows.parquet").table.to_pylist()
    assert record.read == record.immature + record.dropped + record.kept == len(rows)
    assert record.dropped_by == {
        "settled": sum(row["refunded"] for row in rows),
        "positive": sum(not (row["amount"] or 0) > 0 for row in rows),
    }
    assert record.kept == read(shop, "features").num_rows
    assert (record.first, record.last) == ("2024-03-01T01:00:00Z", "2024-03-19T23:00:00Z")


def test_the_record_says_how_the_set_came_about(shop: Repository) -> None:
    record = write(shop, delays={"account": timedelta(hours=2)}, end="2024-03-10")
    found = json.loads((shop.root / "set" / "trainset.json").read_text(encoding="utf-8"))
    assert found["format"] == "skewcheck/trainset/1"
    assert {**found, "files": tuple(found["files"])} == {"format": found["format"], **asdict(record)}
    state = read_state(generated_directory(shop.root, "shop") / "state.json")
    assert (record.definition, record.state) == (fingerprint(shop.service("shop")), state.hash)
    assert record.delay_seconds == {"account": 7200.0}
    assert (record.entities, record.end, record.as_of) == ("data/payments.parquet", "2024-03-10T00:00:00Z", "known")
    assert record.guard == {"compared": 0, "cut": 8, "instants": 8, "unchecked": [], "blind": {}}
    assert not record.fitted_to_these_rows
    assert write(shop).fitted_to_these_rows


def test_a_delay_trains_on_what_serving_has(shop: Repository) -> None:
    write(shop, delays={"account": timedelta(hours=5)})
    delayed = read(shop, "rows").to_pylist()
    payments = pq.read_table(shop.root / "data" / "payments.parquet")
    earlier = pa.array([time - timedelta(hours=5) for time in payments.column("event_timestamp").to_pylist()], INSTANT)
    place = payments.column_names.index("event_timestamp")
    pq.write_table(payments.set_column(place, "event_timestamp", earlier), shop.root / "earlier.parquet")
    write(shop, entities="earlier.parquet", end="2024-03-19T19:00:00")
    stored = ("request_id", "balance", "tier", "orders")
    assert [[row[name] for name in stored] for row in delayed] == [
        [row[name] for name in stored] for row in read(shop, "rows").to_pylist()
    ]


def test_features_that_learn_from_labels_do_not_learn_from_their_own(shop: Repository) -> None:
    path = shop.root / "features" / "shop.py"
    text = path.read_text().replace("@shop.trained_on\ndef settled(refunded):\n    return ~refunded\n", "")
    text += '\n\n@shop.feature\ndef risk(country):\n    return country.target_encode("refunded", smoothing=0.0)\n'
    path.write_text(text)
    payments = pq.read_table(shop.root / "data" / "payments.parquet")
    alone = pa.array([f"only {place}" for place in range(payments.num_rows)])
    place = payments.column_names.index("country")
    pq.write_table(payments.set_column(place, "country", alone), shop.root / "data" / "payments.parquet")
    encoded = fit_and_generate(shop.root)
    write(encoded, row_id="request_id")
    risks = set(read(encoded, "features").column("risk").to_pylist())
    assert len(risks) <= 5  # the mean of the other folds, and never the row's own label
    assert risks.isdisjoint({0.0, 1.0})


def test_what_leaks_is_refused_and_the_earlier_set_stays(shop: Repository) -> None:
    write(shop)
    before = contents(shop.root / "set")
    with pytest.raises(LeakageError, match="such as request_id payment"):
        write(shop, as_of="event", row_id="request_id")
    assert contents(shop.root / "set") == before
    assert beside(shop) == ["set"]


def test_an_earlier_set_is_replaced_as_a_whole(shop: Repository) -> None:
    write(shop)
    path = shop.root / "features" / "shop.py"
    text = path.read_text().replace('labels=[Field(name="refunded", dtype=Bool)], ', "")
    path.write_text(text.replace("@shop.trained_on\ndef settled(refunded):\n    return ~refunded\n", ""))
    record = write(fit_and_generate(shop.root))
    assert sorted(contents(shop.root / "set")) == sorted(record.files)
    assert "labels.parquet" not in record.files
    assert beside(shop) == ["set"]


@pytest.mark.parametrize(
    ("name", "what"), [("model.pkl", "model.pkl"), ("features.parquet", r"no trainset\.json of ours")]
)
def test_a_folder_with_something_else_is_left_alone(shop: Repository, name: str, what: str) -> None:
    (shop.root / "set").mkdir()
    (shop.root / "set" / name).write_text("mine")
    with pytest.raises(UsageError, match=f"set is no earlier training set: it has {what}"):
        write(shop)
    assert (shop.root / "set" / name).read_text() == "mine"


def test_an_earlier_set_with_something_beside_it_is_left_alone(shop: Repository) -> None:
    write(shop)
    (shop.root / "set" / "model.pkl").write_text("mine")
    with pytest.raises(UsageError, match=r"it has model\.pkl"):
        write(shop)


def test_a_folder_whose_record_is_of_another_kind_is_left_alone(shop: Repository) -> None:
    (shop.root / "set").mkdir()
    for text in ('{"format": "skewcheck/state/1"}', "[]", "{"):
        (shop.root / "set" / "trainset.json").write_text(text)
        with pytest.raises(UsageError, match="no earlier training set"):
            write(shop)


def test_an_empty_folder_may_be_written_to_and_a_file_may_not(shop: Repository) -> None:
    (shop.root / "set").mkdir()
    write(shop)
    with pytest.raises(UsageError, match=r"trainset\.json is a file"):
        write_training_set(shop, shop.service("shop"), shop.root / "set" / "trainset.json")


@pytest.mark.parametrize(
    ("row_id", "message"),
    [
        ("nowhere", r"have no column 'nowhere'[^→]*→ Name one of request_id, customer_id"),
        ("customer_id", "'customer_id' of the training rows .* does not tell them apart: 3[56] have "),
        ("some", "'some' of the training rows .* is missing in a row"),
    ],
)
def test_an_id_that_does_not_tell_rows_apart_is_refused(shop: Repository, row_id: str, message: str) -> None:
    path = shop.root / "data" / "payments.parquet"
    some = pa.array([None, *range(479)], pa.int64())
    pq.write_table(pq.read_table(path).append_column("some", some), path)
    with pytest.raises(UsageError, match=message):
        write(shop, row_id=row_id)
    assert beside(shop) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Amount_Z", "have the columns Amount_Z, named as features or filters are"),
        ("row_number", r"the name row_number is taken[^→]*→ Name the column that tells rows apart"),
    ],
)
def test_a_column_in_the_way_is_named(shop: Repository, name: str, message: str) -> None:
    path = shop.root / "data" / "payments.parquet"
    pq.write_table(pq.read_table(path).append_column(name, pa.array([1] * 480)), path)
    with pytest.raises(UsageError, match=message):
        write(shop)


def test_without_a_state_it_says_what_to_run(shop: Repository) -> None:
    (generated_directory(shop.root, "shop") / "state.json").unlink()
    with pytest.raises(StateError, match=r"there is no state[^→]*→ Run `skewcheck fit`"):
        write(shop)


def test_a_filter_that_keeps_nothing_is_an_error(shop: Repository) -> None:
    path = shop.root / "data" / "payments.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("amount")
    pq.write_table(table.set_column(place, "amount", pa.array([0.0] * 480)), path)
    with pytest.raises(SkewcheckError, match="training keeps none of 456 rows"):
        write(shop)
    assert beside(shop) == []


def test_a_service_without_a_store_a_time_or_labels_has_a_training_set(tmp_path: Path) -> None:
    repository = load_repository(write_foreign_repository(tmp_path))
    record = write_training_set(repository, repository.service("payments"), tmp_path / "set")
    assert record.files == ("features.parquet", "rows.parquet", "trainset.json")
    assert (record.kept, record.first, record.guard["cut"]) == (3, None, 0)
    assert pq.read_table(tmp_path / "set" / "features.parquet").column("doubled").to_pylist() == [2.0, 4.0, 8.0]


def test_another_state_may_be_given(shop: Repository) -> None:
    training = shop.root / "rows.parquet"
    fewer = retrieve_training_set(shop, shop.service("shop"), training, end="2024-03-05")
    state = fit(shop.service("shop"), training, fewer.sources)
    (generated_directory(shop.root, "shop") / "state.json").unlink()
    assert write(shop, state=state).state == state.hash


def test_opaque_functions_run_in_features_filters_and_the_guard(shop: Repository) -> None:
    path = shop.root / "features" / "shop.py"
    text = path.read_text().replace("import skewcheck as sk\n", "import skewcheck as sk\n\n\n" + OPAQUE)
    text += "\n\n@shop.feature\ndef wealth(orders):\n    return halved(orders.to_float())\n"
    text += "\n\n@shop.trained_on\ndef spent(amount):\n    return halved(amount) > 100\n"
    path.write_text(text)
    opaque = fit_and_generate(shop.root)
    record = write(opaque)
    rows, features = read(opaque, "rows").to_pylist(), read(opaque, "features").to_pylist()
    assert min(row["amount"] for row in rows) > 200
    assert record.dropped_by["spent"] > 0
    assert [row["wealth"] for row in features] == [None if r["orders"] is None else r["orders"] / 2 for r in rows]
    with pytest.raises(LeakageError, match="wealth: "):
        write(opaque, as_of="event")


OPAQUE = "@sk.opaque\ndef halved(value: float) -> float:\n    return value / 2\n\n\n"
