"""Windows as a source of a service: what training reads of them, and what is generated and registered."""

from __future__ import annotations

import contextlib
import json
import warnings
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FeatureStore

from skewcheck.errors import SkewcheckError
from skewcheck.store import windows as store_windows
from skewcheck.store.point_in_time import open_retrieval, retrieve
from skewcheck.store.register import register
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set
from tests.windowed_shop import (
    build_windowed_shop,
    day_file,
    expected_values,
    requests,
    windows_of,
    write_windowed_shop,
)

NAMES = ["payments_1h", "spent_7d", "spread_7d", "last_country", "last_two"]
COLUMNS = {"customer_activity": NAMES}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return write_windowed_shop(tmp_path_factory.mktemp("windowed"))


def asked_of(table: pa.Table) -> list[tuple[Any, Any]]:
    return list(zip(table["customer_id"].to_pylist(), table["event_timestamp"].to_pylist(), strict=True))


def test_training_reads_the_values_at_the_instant_of_each_request(shop: Repository) -> None:
    table = requests()
    values, found = retrieve(shop, shop.service("shop"), COLUMNS, table, "event_timestamp")
    assert found.to_pylist() == [True] * table.num_rows
    assert values.to_pylist() == expected_values(shop.root, windows_of(shop), asked_of(table))
    assert values.schema.field("last_two").type == pa.list_(pa.float64())


def test_a_delay_answers_what_was_true_so_long_before(shop: Repository) -> None:
    table, delay = requests(), timedelta(hours=30)
    values, _ = retrieve(
        shop, shop.service("shop"), COLUMNS, table, "event_timestamp", delays={"customer_activity": delay}
    )
    before = [(customer, at - delay) for customer, at in asked_of(table)]
    assert values.to_pylist() == expected_values(shop.root, windows_of(shop), before)


def test_created_times_can_be_left_out_of_account(shop: Repository) -> None:
    table = requests()
    values, _ = retrieve(shop, shop.service("shop"), COLUMNS, table, "event_timestamp", as_of="event")
    expected = expected_values(shop.root, windows_of(shop), asked_of(table), as_of="event")
    assert values.to_pylist() == expected
    assert expected != expected_values(shop.root, windows_of(shop), asked_of(table))


def test_a_retrieval_is_asked_many_times(shop: Repository) -> None:
    table = requests()
    with open_retrieval(shop, shop.service("shop"), {"customer_activity": ["spent_7d"]}) as retrieval:
        parts = [retrieval.ask(table.slice(start, 7), "event_timestamp")[0] for start in range(0, table.num_rows, 7)]
    expected = [row["spent_7d"] for row in expected_values(shop.root, windows_of(shop), asked_of(table))]
    assert pa.concat_tables(parts)["spent_7d"].to_pylist() == expected


def test_batches_give_what_one_asking_gives(shop: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_windows, "BATCH", 7)
    values, _ = retrieve(shop, shop.service("shop"), COLUMNS, requests(), "event_timestamp")
    assert values.to_pylist() == expected_values(shop.root, windows_of(shop), asked_of(requests()))


def test_a_request_without_a_key_or_an_instant_gets_nothing(shop: Repository) -> None:
    table = requests(3)
    table = table.set_column(0, "customer_id", pa.array([None, 1, 2], pa.float64()))
    instants = pa.array([*table["event_timestamp"].to_pylist()[:2], None], table.schema.field(1).type)
    values, found = retrieve(
        shop, shop.service("shop"), COLUMNS, table.set_column(1, "event_timestamp", instants), "event_timestamp"
    )
    assert found.to_pylist() == [True, True, False]
    assert values["payments_1h"].is_valid().to_pylist() == [False, True, False]


@pytest.mark.parametrize(
    ("rename", "said"),
    [({"country": "land"}, "needs the column 'country'"), ({"paid": "amt"}, "needs the column 'amount'")],
)
def test_a_column_that_is_not_there_is_named(tmp_path: Path, rename: dict[str, str], said: str) -> None:
    repository = write_windowed_shop(tmp_path / "shop", days=1)
    table = pq.read_table(day_file(repository.root, 0))
    names = [rename.get(name, name) for name in table.column_names]
    pq.write_table(table.rename_columns(names), day_file(repository.root, 0))
    with pytest.raises(SkewcheckError, match=said):
        retrieve(repository, repository.service("shop"), COLUMNS, requests(), "event_timestamp")


def test_a_column_of_another_type_is_named(tmp_path: Path) -> None:
    repository = write_windowed_shop(tmp_path / "shop", days=1)
    table = pq.read_table(day_file(repository.root, 0))
    place = table.column_names.index("paid")
    pq.write_table(table.set_column(place, "paid", table["paid"].cast(pa.string())), day_file(repository.root, 0))
    with pytest.raises(
        SkewcheckError, match="'amount' of events payments is VARCHAR in its files, and declared Float64"
    ):
        retrieve(repository, repository.service("shop"), COLUMNS, requests(), "event_timestamp")


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    repository = build_windowed_shop(tmp_path_factory.mktemp("registered"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        register(repository, repository.service("shop"))
        yield repository


def test_generated_code_knows_the_windows(registered: Repository) -> None:
    directory = generated_directory(registered.root, "shop")
    manifest = json.loads((directory / "manifest.json").read_text())
    (view,) = manifest["views"]
    assert view == {"name": "customer_activity", "keys": {"customer_id": "Int64"}, "columns": NAMES}
    assert {c["name"]: c["type"] for c in manifest["columns"]}["last_two"] == "Vector(2)"
    assert "customer_activity_updater.py" in manifest["files"]
    assert "open_updater" in (directory / "customer_activity_updater.py").read_text()


def test_feast_knows_the_windows_as_a_view(registered: Repository) -> None:
    with contextlib.chdir(registered.root):
        store = FeatureStore(repo_path=".")
        view = store.get_feature_view("customer_activity")
        assert [field.name for field in view.features] == NAMES
        assert view.entities == ["customer"]
        assert {projection.name for projection in store.get_feature_service("shop").feature_view_projections} == {
            "customer_activity",
            "shop_features",
        }


def test_feast_apply_finds_the_view_in_the_generated_objects(registered: Repository) -> None:
    from feast.repo_operations import parse_repo

    from skewcheck.store.repository import importable

    with contextlib.chdir(registered.root), importable(registered.root):
        parsed = parse_repo(registered.root)
    assert [view.name for view in parsed.feature_views] == ["customer_activity"]


def test_the_training_rows_change_with_a_window(tmp_path: Path) -> None:
    repository = write_windowed_shop(tmp_path / "shop")
    before = retrieve_training_set(repository, repository.service("shop"), tmp_path / "a.parquet").sources
    declared = repository.root / "features" / "shop.py"
    declared.write_text(declared.read_text().replace('amount.sum("7d")', 'amount.sum("6d")'))
    changed = load_repository(repository.root)
    after = retrieve_training_set(changed, changed.service("shop"), tmp_path / "b.parquet").sources
    assert before["customer_activity"] != after["customer_activity"]
