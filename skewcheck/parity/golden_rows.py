"""A service's generated code on rows that are committed with it: golden rows, and saved cases of past changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from skewcheck.engines.execution import tabulate_rows
from skewcheck.errors import StateError
from skewcheck.generate.golden import from_json_value, same_value
from skewcheck.generate.manifest import Manifest, read_generated, read_manifest
from skewcheck.generate.row_module import load_row_module
from skewcheck.language.types import INT64
from skewcheck.parity.running import near, run_duckdb
from skewcheck.parity.subjects import read_service

CASE_FORMAT = "skewcheck/case/1"
"""What `skewcheck diff --save` writes."""

_RESTORE = "Remove it, or restore it from version control."


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row on which a feature has not the value that it must have.

    Attributes:
        where: Which row, in words.
        inputs: The columns that the feature reads.
        expected: What must come out.
        found: What the engine gave.
        engine: Which engine.
    """

    where: str
    inputs: dict[str, Any]
    expected: Any
    found: Any
    engine: str

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.inputs.items())
        return (
            f"{self.where}: {self.engine} gives {self.found!r}, expected {self.expected!r}, for {given or 'no input'}"
        )


class GeneratedService:
    """The generated code of one service, run once for all its features.

    Args:
        folder: Its folder under `codegen/`.

    Raises:
        StateError: There is no generated code, or a file of it was changed since. Its own methods raise it too.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest: Manifest = read_manifest(folder / "manifest.json")

    @property
    def features(self) -> tuple[str, ...]:
        """The names of its features, in the order of the declaration."""
        return tuple(feature.name for feature in self.manifest.features)

    @property
    def cases(self) -> list[Path]:
        """The files of its saved cases, sorted."""
        return sorted(self.folder.glob("cases/*.json"))

    def check_golden(self, feature: str) -> list[Wrong]:
        """The golden rows on which the row function does not give what they say, bit for bit."""
        return self._compare(feature, self._expected, self._from_python, "the row function", tolerance=None)

    def check_parity(self, feature: str) -> list[Wrong]:
        """The golden rows on which DuckDB does not give what the row function gives, within the feature's tolerance."""
        (known,) = (each for each in self.manifest.features if each.name == feature)
        return self._compare(feature, self._from_python, self._from_duckdb, "DuckDB", tolerance=known.tolerance)

    def check_case(self, path: Path) -> list[Wrong] | None:
        """Whether a saved case still holds; None where its feature has another declaration now.

        A case that was found on made-up statistics says nothing about frozen ones, and gives None too.

        Raises:
            StateError: The file is not a case.
        """
        case = _read_case(path)
        name, inputs, expected = case["feature"], case.get("new_inputs") or case["inputs"], case["new"]
        known = {feature.name: feature for feature in self.manifest.features}.get(name)
        if known is None or known.expression != case["new_expression"] or case.get("note"):
            return None
        types = {column.name: column.type.name for column in self.manifest.columns}
        row = {column: from_json_value(inputs.get(column), type_) for column, type_ in types.items()}
        found = self._transform_row(row)[name]
        expected = from_json_value(expected, known.type.name)
        read = {column: row[column] for column in known.reads}
        return [] if same_value(expected, found) else [Wrong(path.name, read, expected, found, "the row function")]

    def _compare(
        self,
        feature: str,
        expected: Sequence[dict[str, Any]],
        found: Sequence[dict[str, Any]],
        engine: str,
        *,
        tolerance: float | None,
    ) -> list[Wrong]:
        (known,) = (each for each in self.manifest.features if each.name == feature)
        wrong = []
        for number, (inputs, left, right) in enumerate(zip(self._inputs, expected, found, strict=True)):
            one, other = left[feature], right[feature]
            if same_value(one, other) or (tolerance and near(one, other, tolerance)):
                continue
            read = {column: inputs[column] for column in known.reads}
            wrong.append(Wrong(f"golden row {number}", read, one, other, engine))
        return wrong

    @cached_property
    def _transform_row(self) -> Any:
        return load_row_module(read_generated(self.folder, self.manifest, "row.py"))["transform_row"]

    @cached_property
    def _golden(self) -> list[dict[str, dict[str, Any]]]:
        rows: list[dict[str, dict[str, Any]]] = json.loads(read_generated(self.folder, self.manifest, "golden.json"))[
            "rows"
        ]
        if not rows:
            raise StateError(f"{self.folder / 'golden.json'} has no rows", remedy="Run `skewcheck generate`.")
        return rows

    @cached_property
    def _inputs(self) -> list[dict[str, Any]]:
        types = {column.name: column.type.name for column in self.manifest.columns}
        return [
            {name: from_json_value(row["inputs"].get(name), type_) for name, type_ in types.items()}
            for row in self._golden
        ]

    @cached_property
    def _expected(self) -> list[dict[str, Any]]:
        types = {feature.name: feature.type.name for feature in self.manifest.features}
        return [
            {name: from_json_value(row["features"][name], type_) for name, type_ in types.items()}
            for row in self._golden
        ]

    @cached_property
    def _from_python(self) -> list[dict[str, Any]]:
        return [self._transform_row(row) for row in self._inputs]

    @cached_property
    def _from_duckdb(self) -> list[dict[str, Any]]:
        subject = read_service(self.folder)
        numbered = [{**row, "$row": number} for number, row in enumerate(self._inputs)]
        found: list[dict[str, Any]] = run_duckdb(
            subject, tabulate_rows({**subject.columns, "$row": INT64}, numbered)
        ).to_pylist()
        return found


def _read_case(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        lacking = {"feature", "inputs", "new", "new_expression"} - set(data)
        whole = isinstance(data, dict) and data.get("format") == CASE_FORMAT and not lacking
    except (OSError, ValueError, TypeError) as error:
        raise StateError(f"{path} cannot be read as a saved case: {error}", remedy=_RESTORE) from error
    if not whole:
        raise StateError(f"{path} is not a whole saved case of format {CASE_FORMAT}", remedy=_RESTORE)
    return dict(data)
