"""Registering: what the registry gives back has the same source, the same hashes, and the same golden values."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import RegistryError, StateError
from skewcheck.generate.manifest import read_manifest
from skewcheck.store.register import check_registered, register
from skewcheck.store.repository import Repository, generated_directory
from tests.shop import INSTANT, at, fit_and_generate


@pytest.fixture
def generated(shop: Repository) -> Path:
    return generated_directory(shop.root, "shop")


def test_the_view_is_registered_with_both_hashes_and_the_generated_source(shop: Repository, generated: Path) -> None:
    from feast import FeatureStore

    manifest = register(shop, shop.service("shop"))
    with contextlib.chdir(shop.root):
        view = FeatureStore(repo_path=str(shop.root)).get_on_demand_feature_view("shop_features")
    assert view.tags == {"skewcheck_definition": manifest.definition, "skewcheck_state": manifest.state}
    assert view.feature_transformation.udf_string == (generated / "row.py").read_text()
    assert (view.mode, view.singleton) == ("python", False)


def test_registering_again_changes_nothing(shop: Repository) -> None:
    register(shop, shop.service("shop"))
    register(shop, shop.service("shop"))
    check_registered(shop.root, "shop")


def test_a_process_without_the_generated_code_serves_from_the_registry_alone(shop: Repository) -> None:
    register(shop, shop.service("shop"))
    shutil.rmtree(shop.root / "codegen")
    shutil.rmtree(shop.root / "features")
    program = """
from datetime import datetime, timezone
from feast import FeatureStore
store = FeatureStore(repo_path=".")
row = {"customer_id": 3, "amount": 12.0, "country": " FR", "paid_at": datetime(2024, 3, 4, 12, tzinfo=timezone.utc)}
answer = store.get_online_features(features=store.get_feature_service("shop"), entity_rows=[row]).to_dict()
print(answer["local_hour"], answer["country_code"], answer["country_one_hot"], answer["orders_filled"])
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=shop.root, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[13] ['fr'] [[0.0, 0.0]] [-1]\n"


def test_feast_s_own_historical_retrieval_runs_the_registered_view(shop: Repository, generated: Path) -> None:
    import pandas as pd
    from feast import FeatureStore

    register(shop, shop.service("shop"))
    entities = pd.DataFrame(
        {
            "customer_id": [1, 5],
            "event_timestamp": [at(10), at(10)],
            "amount": [20.0, None],
            "country": ["FR", "IT"],
            "paid_at": [at(10), at(10)],
        }
    )
    with contextlib.chdir(shop.root):
        store = FeatureStore(repo_path=str(shop.root))
        job = store.get_historical_features(entity_df=entities, features=store.get_feature_service("shop"))
        rows = {row["customer_id"]: row for row in job.to_arrow().to_pylist()}
    assert rows[1]["spending"] == 20.0 / 202.0
    assert (rows[5]["amount_z"], rows[5]["orders_filled"], rows[5]["many_orders"]) == (None, -1, None)


def test_feast_apply_on_the_command_line_registers_the_same(shop: Repository) -> None:
    (shop.root / ".feastignore").write_text("codegen/*/row.py\n")
    feast = Path(sys.executable).with_name("feast")
    subprocess.run([str(feast), "apply"], cwd=shop.root, check=True, capture_output=True)
    check_registered(shop.root, "shop")


def edit_registered_tags(shop: Repository, **tags: str) -> None:
    from feast import FeatureStore

    with contextlib.chdir(shop.root):
        store = FeatureStore(repo_path=str(shop.root))
        view = store.get_on_demand_feature_view("shop_features")
        view.tags = {**view.tags, **tags}
        store.registry.apply_feature_view(view, store.project)


def test_other_hashes_in_the_registry_are_found(shop: Repository) -> None:
    register(shop, shop.service("shop"))
    edit_registered_tags(shop, skewcheck_state="0" * 64)
    with pytest.raises(RegistryError, match="state 000000000000"):
        check_registered(shop.root, "shop")


def test_another_source_in_the_registry_is_found(shop: Repository, generated: Path) -> None:
    register(shop, shop.service("shop"))
    with (generated / "row.py").open("a") as file:
        file.write("# edited\n")
    with pytest.raises(RegistryError, match="another source"):
        check_registered(shop.root, "shop")


def test_another_value_on_a_golden_row_is_found(shop: Repository, generated: Path) -> None:
    register(shop, shop.service("shop"))
    golden: dict[str, Any] = json.loads((generated / "golden.json").read_text())
    golden["rows"][3]["features"]["orders_filled"] = 41
    (generated / "golden.json").write_text(json.dumps(golden))
    with pytest.raises(RegistryError, match="orders_filled on golden row 3, expected 41"):
        check_registered(shop.root, "shop")


def test_a_service_that_was_never_registered_is_said_so(shop: Repository) -> None:
    with pytest.raises(RegistryError, match="does not hold service shop"):
        check_registered(shop.root, "shop")


def test_without_generated_code_nothing_is_registered(shop: Repository, generated: Path) -> None:
    manifest = read_manifest(generated / "manifest.json")
    shutil.rmtree(generated)
    with pytest.raises(StateError, match="skewcheck generate"):
        register(shop, shop.service(manifest.service))


def test_a_view_without_entities_is_registered(shop: Repository) -> None:
    path = shop.root / "features" / "shop.py"
    rate = (
        'rate = FeatureView(name="rate", entities=[], schema=[Field(name="percent", dtype=Float64)],\n'
        '                   source=FileSource(path="data/rate.parquet", timestamp_field="event_timestamp"))\n\n'
    )
    text = path.read_text().replace("payment = RequestSource(", f"{rate}payment = RequestSource(")
    text = text.replace("sources=[account, payment]", "sources=[account, rate, payment]")
    path.write_text(f"{text}\n\n@shop.feature\ndef fee(amount, percent):\n    return amount * percent\n")
    rates = {"event_timestamp": pa.array([at(0)], INSTANT), "percent": pa.array([0.5])}
    pq.write_table(pa.table(rates), shop.root / "data" / "rate.parquet")
    repository = fit_and_generate(shop.root)
    manifest = register(repository, repository.service("shop"))
    assert {view.name: view.keys for view in manifest.views} == {"account": {"customer_id": "Int64"}, "rate": {}}
    check_registered(shop.root, "shop")
