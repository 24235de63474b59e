"""The list of operators: complete, in the order of its chapters, and the same in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skewcheck.cli import app
from skewcheck.errors import UsageError
from skewcheck.language.operator import REGISTRY
from skewcheck.reference import list_operators, print_json

ENTRIES = {entry.name: entry for entry in list_operators()}


def test_every_operator_and_the_escape_hatch_are_listed() -> None:
    assert set(ENTRIES) == {*REGISTRY, "opaque"}


def test_json_gives_every_operator_its_class_tolerance_and_engines() -> None:
    rows = json.loads(print_json(list_operators()))
    assert [row["name"] for row in rows] == list(ENTRIES)
    for row in rows:
        assert {"name", "group", "class", "tolerance", "engines"} <= set(row)
        assert row["class"] == ("exact" if row["tolerance"] == 0 else "libm")


def test_an_operator_of_primitives_runs_on_every_engine_and_an_opaque_function_not_in_spark() -> None:
    engines = {name: entry.engines for name, entry in ENTRIES.items()}
    assert engines.pop("opaque") == ("python", "duckdb")
    assert set(engines.values()) == {("python", "duckdb", "spark")}


def test_an_entry_shows_parameters_and_fitted_examples() -> None:
    impute = ENTRIES["impute"]
    assert impute.parameters[0] == "strategy"
    assert impute.examples[0].expression == "x.impute(strategy='mean')"
    assert impute.examples[0].training == ((1.0,), (2.0,), (None,), (9.0,))


@pytest.mark.parametrize("output", ["table", "json", "markdown"])
def test_the_command_prints_every_operator(output: str) -> None:
    outcome = CliRunner().invoke(app, ["operators", "--format", output], catch_exceptions=False)
    assert outcome.exit_code == 0
    assert all(name in outcome.stdout for name in ENTRIES)


def test_another_format_is_refused() -> None:
    with pytest.raises(UsageError, match="no such format"):
        CliRunner().invoke(app, ["operators", "--format", "xml"], catch_exceptions=False)


def test_the_page_is_committed() -> None:
    assert (Path(__file__).parent.parent / "docs" / "operators.md").is_file()
