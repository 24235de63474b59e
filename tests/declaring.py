"""Small services over a real Feast request source."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from feast import Field, RequestSource
from feast import types as feast_types

import skewcheck as sk
from skewcheck.engines.execution import tabulate_rows
from skewcheck.fit.state import State
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.language.types import Type

FEAST_TYPES = {
    "Float64": feast_types.Float64,
    "Int64": feast_types.Int64,
    "Bool": feast_types.Bool,
    "String": feast_types.String,
    "Timestamp": feast_types.UnixTimestamp,
    "Vector": feast_types.Array(feast_types.Float64),
}

PLACES = {"request": ("features.sources", "request")}


def request_source(columns: Mapping[str, Type], units: Mapping[str, str | None] | None = None) -> RequestSource:
    """A request source with the given columns."""
    tags = {name: {"unit": unit} for name, unit in (units or {}).items() if unit is not None}
    tags |= {name: {"size": str(type_.size)} for name, type_ in columns.items() if type_.size}
    fields = [
        Field(name=name, dtype=FEAST_TYPES[type_.name], tags=tags.get(name, {})) for name, type_ in columns.items()
    ]
    return RequestSource(name="request", schema=fields)


def make_service(
    columns: Mapping[str, Type],
    units: Mapping[str, str | None] | None = None,
    /,
    **features: Callable[..., Any],
) -> sk.Service:
    """A service called `trial`, whose features are functions (also lambdas) named by keyword."""
    service = sk.features("trial", sources=[request_source(columns, units)])
    for name, function in features.items():
        function.__name__ = name
        service.feature(function)
    return service


def empty_state(service: sk.Service) -> State:
    """The state of a service that needs no statistics."""
    return State(service.name, fingerprint_fit(service), {}, {})


def write_rows(path: Path, service: sk.Service, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Rows of a service's columns as a Parquet file."""
    columns = {name: column.type for name, column in service.sources.columns.items()}
    pq.write_table(tabulate_rows(columns, rows), path)
    return path
