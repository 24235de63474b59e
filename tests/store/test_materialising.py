"""Windows in a real Feast with its SQLite online store: what serving reads is what the rule says."""

from __future__ import annotations

import contextlib
import importlib
import shutil
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from feast import FeatureStore

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.generate.updater import render_updater
from skewcheck.language.windows.declaration import Windows
from skewcheck.store import materialising
from skewcheck.store.materialising import materialise, publish, push
from skewcheck.store.repository import Repository, load_repository
from tests.windowed_shop import START, expected_values, payments_of, windows_of, write_windowed_shop

AT = START + timedelta(days=9, hours=3, microseconds=1)
CUSTOMERS = [0, 1, 2, 3, 4]


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = write_windowed_shop(tmp_path_factory.mktemp("applied") / "shop")
    with contextlib.chdir(repository.root):
        windows = windows_of(repository)
        FeatureStore(repo_path=".").apply([*windows.events.entities, windows.view])
    return repository.root


@pytest.fixture
def shop(applied: Path, tmp_path: Path) -> Iterator[Repository]:
    shutil.copytree(applied, tmp_path / "shop")
    with contextlib.chdir(tmp_path / "shop"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield load_repository(tmp_path / "shop")


def read_online(windows: Windows, customers: list[int]) -> list[dict[str, Any]]:
    names = [feature.name for feature in windows.features]
    response = FeatureStore(repo_path=".").get_online_features(
        features=[f"{windows.name}:{name}" for name in names],
        entity_rows=[{"customer_id": customer} for customer in customers],
    )
    found = response.to_dict()
    return [{name: found[name][row] for name in names} for row in range(len(customers))]


@pytest.mark.parametrize("tile", [None, "1d", "6h"])
def test_what_is_materialised_is_served(shop: Repository, tile: str | None) -> None:
    windows = windows_of(shop)
    assert materialise(shop, windows, AT, tile=tile) == len(CUSTOMERS)
    FeatureStore(repo_path=".").materialize(AT - timedelta(days=1), AT + timedelta(days=1))
    assert read_online(windows, CUSTOMERS) == expected_values(shop.root, windows, [(c, AT) for c in CUSTOMERS])


def test_what_is_published_is_served(shop: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(materialising, "BATCH", 2)
    windows = windows_of(shop)
    assert publish(shop, windows, AT) == len(CUSTOMERS)
    assert read_online(windows, CUSTOMERS) == expected_values(shop.root, windows, [(c, AT) for c in CUSTOMERS])


def test_a_value_whose_window_has_become_empty_is_overwritten(shop: Repository) -> None:
    windows, later = windows_of(shop), AT + timedelta(days=300)
    publish(shop, windows, AT)
    publish(shop, windows, later)
    found = read_online(windows, CUSTOMERS)
    assert found == expected_values(shop.root, windows, [(c, later) for c in CUSTOMERS])
    assert [row["spent_7d"] for row in found] == [None] * len(CUSTOMERS)
    assert [row["payments_1h"] for row in found] == [0] * len(CUSTOMERS)


def test_only_customers_that_were_known_are_written(shop: Repository) -> None:
    windows, early = windows_of(shop), START + timedelta(hours=1, minutes=2)
    assert materialise(shop, windows, early) == 2
    assert pq.read_table(shop.root / windows.path)["customer_id"].to_pylist() in ([0, 1], [1, 0])


def open_updater(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    (folder / "activity_updater.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module("activity_updater").open_updater()


def test_a_stream_keeps_the_online_store_fresh(
    shop: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows, store = windows_of(shop), FeatureStore(repo_path=".")
    updater = open_updater(render_updater(windows), tmp_path, monkeypatch)
    for day in range(12):
        for row in payments_of(day):
            updater.add({**row, "amount": row["paid"]})
    for hours in (40, 41, 300):
        at = START + timedelta(hours=hours)
        for customer in CUSTOMERS[:2]:
            values = updater.values_at({"customer_id": customer}, at)
            push(store, windows, {"customer_id": customer}, values, at)
        expected = expected_values(shop.root, windows, [(c, at) for c in CUSTOMERS[:2]])
        assert read_online(windows, CUSTOMERS[:2]) == expected


def test_values_that_feast_would_leave_out_are_refused(shop: Repository) -> None:
    windows = windows_of(shop)
    nothing = {feature.name: None for feature in windows.features}
    with pytest.raises(SkewcheckError, match="Declare a count"):
        push(FeatureStore(repo_path="."), windows, {"customer_id": 1}, nothing, AT)


def test_an_instant_without_a_zone_is_refused(shop: Repository) -> None:
    with pytest.raises(UsageError, match="no time zone"):
        materialise(shop, windows_of(shop), datetime(2024, 3, 2))  # noqa: DTZ001


def test_what_was_not_applied_cannot_be_published(tmp_path: Path) -> None:
    repository = write_windowed_shop(tmp_path / "new", days=1)
    with pytest.raises(SkewcheckError, match=r"not in Feast's registry\n.*skewcheck apply"):
        publish(repository, windows_of(repository), AT)
