"""A service with opaque functions, all the way: fitted, generated, registered, served and audited."""

from __future__ import annotations

import json
import re
import shutil
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from skewcheck.audit import audit
from skewcheck.cli import app
from skewcheck.errors import OpaqueError, StateError
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import read_state
from skewcheck.generate.generation import Generated, generate
from skewcheck.generate.golden import compute_rows
from skewcheck.generate.manifest import read_manifest
from skewcheck.language.types import FLOAT64
from skewcheck.report.page import render_page
from skewcheck.report.wording import name_feature
from skewcheck.store.register import check_registered, register
from skewcheck.store.repository import Repository, generated_directory
from skewcheck.verdict import Verdict
from tests.declaring import PLACES, empty_state, make_service, write_rows
from tests.shop import change, fit_and_generate, serve, write_shop
from tests.writing_modules import write_module

FUNCTIONS = '''

import re
from datetime import datetime

WORD = re.compile("[a-z]+", re.IGNORECASE)
RATES = {"FR": 0.2, "DE": 0.19}


def find_code(country):
    """The letters alone."""
    found = WORD.search(country)
    return found[0].upper() if found else ""


@sk.opaque
def tax(amount: float, country: str) -> float | None:
    """The tax in the amount."""
    rate = RATES.get(find_code(country))
    return None if rate is None else amount * rate


@sk.opaque
def is_payday(at: datetime) -> bool:
    """Whether wages were paid on that day."""
    return at.day in {1, 22}


@sk.opaque
def is_plausible(amount: float | None) -> bool:
    return amount is None or amount < 450


@shop.feature
def tax_paid(amount, country):
    return tax(amount, country)


@shop.feature
def tax_z(tax_paid):
    return tax_paid.standardize()


@shop.feature
def payday(paid_at):
    return is_payday(paid_at)


@shop.trained_on
def plausible(amount):
    return is_plausible(amount)
'''


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    root = tmp_path_factory.mktemp("opaque_shop")
    write_shop(root)
    with (root / "features" / "shop.py").open("a") as file:
        file.write(FUNCTIONS)
    return fit_and_generate(root)


@pytest.fixture(scope="module")
def log(shop: Repository) -> pa.Table:
    return serve(shop)


def run_audit(shop: Repository, log: pa.Table, folder: Path) -> Verdict:
    pq.write_table(log, folder / "log.parquet")
    return audit(folder / "log.parquet", generated_directory(shop.root, "shop"), lambda: shop)


def test_faultless_serving_passes_in_every_cut(shop: Repository, log: pa.Table, tmp_path: Path) -> None:
    verdict = run_audit(shop, log, tmp_path)
    assert verdict.verdict == "pass"
    assert set(verdict.stages.values()) == {"compared"}
    values = log.column("feature.tax_paid").to_pylist()
    assert len({value is None for value in values}) == 2
    assert len(set(log.column("feature.payday").to_pylist())) == 2
    assert [(rule.name, rule.outside) for rule in verdict.rows.filters][-1] == (
        "plausible",
        sum(amount is not None and amount >= 450 for amount in log.column("request.amount").to_pylist()),
    )


def test_skew_in_what_an_opaque_function_gives_is_found_and_marked(
    shop: Repository, log: pa.Table, tmp_path: Path
) -> None:
    served = [None if v is None else v * 1.01 for v in log.column("feature.tax_paid").to_pylist()]
    verdict = run_audit(shop, change(log, "feature.tax_paid", served), tmp_path)
    (feature,) = verdict.skewed
    assert (feature.name, feature.stage, feature.opaque) == ("tax_paid", "transform", ("tax",))
    assert feature.shown.mismatched == sum(bool(value) for value in served)
    assert name_feature(feature) == "tax_paid (opaque)"
    page = render_page(verdict)
    for name in ("tax_paid", "tax_z", "payday"):
        assert re.search(rf"<code>{name}</code>(</a>)? <small>\(opaque\)</small>", page)
    assert "<code>amount_z</code> <small>(opaque)</small>" not in page
    again = Verdict.from_json(verdict.to_json())
    assert {f.name: f.opaque for f in again.features if f.opaque} == {
        "tax_paid": ("tax",), "tax_z": ("tax",), "payday": ("is_payday",),
    }  # fmt: skip


def test_every_listing_marks_what_is_opaque(shop: Repository) -> None:
    directory = generated_directory(shop.root, "shop")
    entries = json.loads((directory / "manifest.json").read_text())
    marked = {entry["name"]: entry["opaque"] for entry in entries["features"] if "opaque" in entry}
    assert marked == {"tax_paid": ["tax"], "tax_z": ["tax"], "payday": ["is_payday"]}
    assert [rule.get("opaque") for rule in entries["filters"]] == [None, None, ["is_plausible"]]
    manifest = read_manifest(directory / "manifest.json")
    assert manifest.to_json() == (directory / "manifest.json").read_text()
    assert manifest.calls_functions
    assert "features.spark.sql" not in manifest.files
    printed = CliRunner().invoke(app, ["generate", "--check", "--repo", str(shop.root)])
    assert printed.exit_code == 0, printed.output
    assert "tax_z (opaque) calls tax\n" in printed.output


def test_the_statistics_are_of_what_the_function_gave(shop: Repository) -> None:
    state = read_state(generated_directory(shop.root, "shop") / "state.json")
    rows = pq.read_table(shop.root / "data" / "training.parquet").to_pylist()
    kept = [r for r in rows if not r["refunded"] and r["amount"] is not None and 0 < r["amount"] < 450]
    rates = {"FR": 0.2, " de ": 0.19, "DE": 0.19}
    taxes = [r["amount"] * rates[r["country"]] for r in kept if r["country"] in rates]
    mean = next(values["mean"] for key, values in state.statistics.items() if key.startswith("tax("))
    assert mean == pytest.approx(sum(taxes) / len(taxes), rel=1e-12)


def test_functions_of_a_row_module_that_was_changed_by_hand_do_not_run(
    shop: Repository, log: pa.Table, tmp_path: Path
) -> None:
    directory = tmp_path / "codegen"
    shutil.copytree(generated_directory(shop.root, "shop"), directory)
    text = (directory / "row.py").read_text()
    (directory / "row.py").write_text(text.replace("amount * rate", "amount * rate * 2"))
    pq.write_table(log, tmp_path / "log.parquet")
    with pytest.raises(StateError, match=r"row\.py was changed"):
        audit(tmp_path / "log.parquet", directory)


def test_the_feature_store_gives_back_functions_that_run(shop: Repository) -> None:
    register(shop, shop.service("shop"))
    check_registered(shop.root, "shop")


def declare(folder: Path, body: str) -> Generated:
    """Generate a service with one feature that calls a function with the given body, over a Float64 x."""
    module = write_module(folder, f"@sk.opaque\ndef f(x: float) -> float:\n    {body}\n")
    service = make_service({"x": FLOAT64}, result=lambda x: module.f(x))
    return generate(service, empty_state(service), PLACES, {})


def test_a_function_that_raises_on_a_golden_row_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(OpaqueError, match=r"opaque function f raised ZeroDivisionError: .* \(for 0\.0\)") as caught:
        declare(tmp_path, "return 1 / x")
    assert "None" in str(caught.value.remedy)


def test_a_function_that_gives_another_type_on_a_golden_row_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(OpaqueError, match=r"opaque function f gave str 'low', expected a float"):
        declare(tmp_path, "return x if x > 0 else 'low'")


def test_a_function_whose_results_differ_from_call_to_call_is_refused_by_name() -> None:
    calls = count()

    def transform_row(row: Any) -> dict[str, Any]:
        return {"steady": row["x"], "result": row["x"] + next(calls) // 3}

    inputs = [{"x": 1.0}, {"x": 2.0}, {"x": 3.0}]
    opaque: dict[str, tuple[str, ...]] = {"steady": (), "result": ("f", "g")}
    with pytest.raises(OpaqueError, match=r"feature result: the opaque function f or g gives two results for .*1\.0"):
        compute_rows(transform_row, inputs, opaque)


def test_a_training_set_on_which_a_function_raises_is_refused_by_name(tmp_path: Path) -> None:
    module = write_module(tmp_path, "@sk.opaque\ndef f(x: float) -> float:\n    return 1 / (x - 12345)\n")
    service = make_service({"x": FLOAT64}, result=lambda x: module.f(x).standardize())
    rows = write_rows(tmp_path / "rows.parquet", service, [{"x": 1.0}, {"x": 12345.0}])
    with pytest.raises(OpaqueError, match=r"opaque function f raised ZeroDivisionError.*12345"):
        fit(service, rows)
