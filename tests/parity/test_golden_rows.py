"""Generated code on its golden rows, and on saved cases."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from skewcheck.changes.cases import FORMAT
from skewcheck.errors import StateError
from skewcheck.parity.golden_rows import CASE_FORMAT, GeneratedService
from tests.changes.small_repository import write_repository


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("golden") / "repo", units=False) / "codegen" / "shop"


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "shop"))


def rewrite(folder: Path, name: str, old: str, new: str) -> None:
    """Change a generated file and its hash, as if a faulty generator had written it."""
    path, manifest = folder / name, folder / "manifest.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    data = json.loads(manifest.read_text())
    data["files"][name] = hashlib.sha256(path.read_bytes()).hexdigest()
    manifest.write_text(json.dumps(data))


def save_case(folder: Path, **changed: Any) -> Path:
    """A case as `skewcheck diff --save` writes it: a payment of exactly the edge is large."""
    case = {
        "format": CASE_FORMAT,
        "service": "shop",
        "feature": "large",
        "old_expression": "amount > 500.0",
        "new_expression": next(f.expression for f in GeneratedService(folder).manifest.features if f.name == "large"),
        "inputs": {"amount": 500.0},
        "old": False,
        "new": True,
        **changed,
    }
    path = folder / "cases" / "large-01234567.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({name: value for name, value in case.items() if value is not ...}))
    return path


def test_every_feature_gives_its_golden_rows_on_both_engines(written: Path) -> None:
    service = GeneratedService(written)
    assert len(service.features) == 13
    for feature in service.features:
        assert service.check_golden(feature) == []
        assert service.check_parity(feature) == []


def test_a_row_function_that_computes_otherwise_is_found_by_both(folder: Path) -> None:
    rewrite(folder, "row.py", "500.0", "501.0")
    service = GeneratedService(folder)
    golden, parity = service.check_golden("large"), service.check_parity("large")
    assert (golden[0].inputs, golden[0].expected, golden[0].found) == ({"amount": 500.0}, True, False)
    assert (parity[0].inputs, parity[0].expected, parity[0].found) == ({"amount": 500.0}, False, True)
    said = f"{golden[0].where}: the row function gives False, expected True, for amount=500.0"
    assert str(golden[0]) == said
    assert service.check_golden("tax") == []


def test_a_query_that_computes_otherwise_is_found_by_parity_alone(folder: Path) -> None:
    rewrite(folder, "features.sql", "500", "501")
    service = GeneratedService(folder)
    assert service.check_golden("large") == []
    assert {wrong.engine for wrong in service.check_parity("large")} == {"DuckDB"}


def test_a_file_that_was_changed_by_hand_is_refused(folder: Path) -> None:
    with (folder / "row.py").open("a") as file:
        file.write("# mine\n")
    with pytest.raises(StateError, match=r"row.py was changed after it was generated"):
        GeneratedService(folder).check_golden("large")


def test_golden_rows_that_are_none_do_not_pass(folder: Path) -> None:
    rewrite(folder, "golden.json", (folder / "golden.json").read_text(), '{"rows": []}')
    with pytest.raises(StateError, match="has no rows"):
        GeneratedService(folder).check_golden("large")


def test_a_saved_case_holds_or_says_what_differs(folder: Path) -> None:
    path = save_case(folder)
    service = GeneratedService(folder)
    assert service.cases == [path]
    assert service.check_case(path) == []
    (wrong,) = service.check_case(save_case(folder, new=False)) or []
    assert str(wrong) == f"{path.name}: the row function gives True, expected False, for amount=500.0"
    assert service.check_case(save_case(folder, inputs={"amount": 1.0}, new_inputs={"amount": 500.0})) == []


@pytest.mark.parametrize(
    "changed", [{"new_expression": "amount > 1.0"}, {"feature": "gone"}, {"note": "statistics are made up"}]
)
def test_a_case_of_another_declaration_decides_nothing(folder: Path, changed: dict[str, str]) -> None:
    assert GeneratedService(folder).check_case(save_case(folder, **changed)) is None


@pytest.mark.parametrize("changed", [{"format": "skewcheck/case/9"}, {"new": ...}])
def test_what_is_no_case_is_refused(folder: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(StateError, match="not a whole saved case"):
        GeneratedService(folder).check_case(save_case(folder, **changed))
    (folder / "cases" / "large-01234567.json").write_text("{")
    with pytest.raises(StateError, match="cannot be read as a saved case"):
        GeneratedService(folder).check_case(folder / "cases" / "large-01234567.json")


def test_cases_are_of_the_format_that_a_diff_saves() -> None:
    assert CASE_FORMAT == FORMAT
