"""What is compared: every operator by its examples, and generated services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

import pyarrow.parquet as pq

from skewcheck.engines.execution import tabulate_rows
from skewcheck.engines.python import write_source
from skewcheck.engines.support import WRITERS, find_engines
from skewcheck.fit.fitting import fit
from skewcheck.generate.manifest import QUERY_FILES, read_generated, read_manifest
from skewcheck.generate.row_module import render_row_module
from skewcheck.language.declaration import Service
from skewcheck.language.examples import read_columns
from skewcheck.language.expressions import expand
from skewcheck.language.operator import REGISTRY, Example, Operator
from skewcheck.language.sources import SourceColumn, Sources
from skewcheck.language.terms import Term, finite
from skewcheck.language.types import Type


@dataclass(frozen=True, slots=True)
class Subject:
    """One computation, as every engine has it.

    Attributes:
        name: The operator's name, or the service's.
        columns: The columns that it reads.
        outputs: What it gives, with the types.
        row_module: Source of its row module.
        queries: The query over a relation `inputs`, for each engine that can run it.
        tolerance: How far engines may differ, relative; 0 is not at all.
    """

    name: str
    columns: Mapping[str, Type]
    outputs: Mapping[str, Type]
    row_module: str
    queries: Mapping[str, str]
    tolerance: float = 0.0


def find_examples() -> list[tuple[type[Operator], Example]]:
    """Every example of every operator, chapter by chapter."""
    ordered = sorted(REGISTRY.values(), key=lambda operator: (operator.group, operator.name))
    return [(operator, example) for operator in ordered for example in operator.examples]


def read_example(operator: type[Operator], example: Example, folder: Path) -> Subject:
    """An example as a subject, its statistics fitted to its own training rows.

    Args:
        operator: Whose example it is.
        example: The example.
        folder: Where the training rows may be put.
    """
    columns = read_columns(example)
    units = dict(zip(columns, example.units, strict=True)) if example.units else {}
    sources = {n: SourceColumn(n, type_, units.get(n), "request", "request") for n, type_ in columns.items()}
    service = Service("parity", Sources(sources, ()))
    service.feature(_name_function(example.build, "result"))
    (feature,) = service.features
    state: Mapping[str, dict[str, Any]] = {}
    if example.training:
        path = folder / "training.parquet"
        rows = [dict(zip(columns, values, strict=True)) for values in example.training_rows()]
        pq.write_table(tabulate_rows(columns, rows), path)
        state = fit(service, path).statistics
    return make_subject(operator.name, columns, {"result": finite(expand(feature.expression, dict(state)))})


def make_subject(name: str, columns: Mapping[str, Type], outputs: Mapping[str, Term]) -> Subject:
    """Terms as a subject."""
    row_module = render_row_module(
        write_source(outputs), service=name, definition="", state="", expressions=dict.fromkeys(outputs, name)
    )
    queries = {engine: WRITERS[engine](outputs) for engine in find_engines(outputs.values()) if engine in WRITERS}
    return Subject(name, columns, {key: term.type for key, term in outputs.items()}, row_module, queries)


def read_service(generated: Path) -> Subject:
    """A service from its folder under `codegen/`.

    Raises:
        StateError: A generated file is missing, or was changed since.
    """
    manifest = read_manifest(generated / "manifest.json")
    return Subject(
        manifest.service,
        {column.name: column.type for column in manifest.columns},
        {feature.name: feature.type for feature in manifest.features},
        read_generated(generated, manifest, "row.py"),
        {
            engine: read_generated(generated, manifest, file)
            for engine, file in QUERY_FILES.items()
            if file in manifest.files
        },
        max((feature.tolerance for feature in manifest.features), default=0.0),
    )


def _name_function(function: Callable[..., Any], name: str) -> FunctionType:
    """The same function under another name."""
    if not isinstance(function, FunctionType):
        raise TypeError(f"{function!r} is no plain function")
    return FunctionType(function.__code__, function.__globals__, name, function.__defaults__, function.__closure__)
