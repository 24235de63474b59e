"""Statistics for a declaration that has none yet, fitted to made-up rows (room: changes).

They decide nothing about real values. They are the same for both versions, and so make them comparable before anybody
has run `skewcheck fit`: what differs on these statistics differs because the declarations do.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import duckdb

from skewcheck.changes.candidates import Candidates
from skewcheck.changes.snapshot import DeclaredColumn, DeclaredFeature
from skewcheck.engines.execution import tabulate_rows
from skewcheck.engines.opaque import load_functions, register_functions
from skewcheck.fit.fitting import fit_operator
from skewcheck.language.declaration import Feature, Service
from skewcheck.language.expressions import expand, fitted_nodes, key_of
from skewcheck.language.opaque import find_functions
from skewcheck.language.sources import SourceColumn, Sources
from skewcheck.language.types import Type

ROWS = 240

Statistics = dict[str, dict[str, Any]]

_LETTERS = string.ascii_lowercase[:6]
_START = datetime(2024, 1, 1, tzinfo=UTC)


def fit_made_up(
    features: Iterable[DeclaredFeature], columns: Mapping[str, DeclaredColumn], candidates: Candidates
) -> Statistics:
    """The statistics of every fitted operator of some features, fitted to the same made-up rows.

    Raises:
        StateError: The rows have no values that the statistics can be computed from.
        OpaqueError: An opaque function raises an error on one of them.
    """
    chosen = list(features)
    sources = {c.name: SourceColumn(c.name, c.type, c.unit, c.source, _role(c.role)) for c in columns.values()}
    service = Service("made_up", Sources(sources, ()))
    rows = tabulate_rows({name: c.type for name, c in columns.items()}, _make_rows(columns, candidates))
    statistics: Statistics = {}
    registered: set[str] = set()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("made_up", rows)
        for feature in chosen:
            # One at a time: two versions of one function have one name.
            functions = load_functions(find_functions([expand(feature.expression, None)]))
            register_functions(connection, {k: v for k, v in functions.items() if k not in registered})
            registered.update(functions)
        for item in chosen:
            plain = Feature(item.name, item.expression, item.columns, "", f"{item.path}:{item.line}")
            for fitted in fitted_nodes(item.expression):
                if (key := key_of(fitted[0])) not in statistics:
                    statistics[key] = fit_operator(connection, service, "made_up", plain, fitted, statistics)
    return statistics


def _role(role: str) -> Any:
    return role


def _make_rows(columns: Mapping[str, DeclaredColumn], candidates: Candidates) -> list[dict[str, Any]]:
    source = Random(7)  # noqa: S311 (the same rows each time)
    known = {name: _plain_texts(candidates.columns.get(name, ())) for name in columns}
    return [{name: _draw(source, column.type, known[name]) for name, column in columns.items()} for _ in range(ROWS)]


def _plain_texts(values: Iterable[Any]) -> list[str]:
    """Texts that the declarations name, without the variations that are for finding differences."""
    texts = [value for value in values if isinstance(value, str) and value.isascii() and value.isprintable()]
    return [text for text in texts if 0 < len(text) <= 24 and text == text.lower().strip()][:12]


def _draw(source: Random, type_: Type, texts: list[str]) -> Any:
    if source.random() < 0.04:
        return None
    if type_.name == "Float64":
        return round(source.lognormvariate(2, 1.5) * (-1 if source.random() < 0.1 else 1), 3)
    if type_.name == "Int64":
        return source.randrange(200)
    if type_.name == "Bool":
        return source.random() < 0.5
    if type_.name == "String":
        return source.choice(texts) if texts and source.random() < 0.7 else source.choice(_LETTERS)
    if type_.name == "Timestamp":
        return _START + timedelta(minutes=source.randrange(525_600))
    return [round(source.gauss(0, 1), 3) for _ in range(type_.size or 0)]
