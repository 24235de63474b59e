"""Fit a service: every statistic that its features need, over a training set in Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.opaque import find_failure, load_functions, register_functions
from skewcheck.engines.sql import quote_name, scan_parquet
from skewcheck.errors import StateError
from skewcheck.fit.state import State, Statistics
from skewcheck.fit.statistics import compute_statistic, one_row
from skewcheck.language.declaration import Feature, Service
from skewcheck.language.expressions import Column, Expression, apply, expand, fitted_nodes, key_of, widen
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.language.opaque import find_functions
from skewcheck.language.operator import REGISTRY, FittedOperator
from skewcheck.language.terms import Term, finite, literal
from skewcheck.language.types import BOOL, FLOAT64, INT64


def fit(
    service: Service,
    training_set: Path,
    sources: dict[str, str] | None = None,
    delays: Mapping[str, timedelta] | None = None,
) -> State:
    """The state of a service, fitted to the rows of a training set that its filter keeps.

    Args:
        service: The declaration.
        training_set: A Parquet file with a column for every column that the features and filters read.
        sources: Fingerprints of where the rows came from, kept in the state.
        delays: For views by name the delay with which their rows were read, kept in the state.

    Raises:
        StateError: No row is kept, a fitted operator has no values, a column is not in the file, or the file cannot be
            read.
        OpaqueError: An opaque function raises an error or gives a value of another type.
    """
    try:
        with duckdb.connect() as connection:
            register_functions(connection, load_functions(find_functions(every_term(service))))
            rows = scan_parquet(str(training_set))
            counts = _count(connection, service, rows)
            statistics = _fit_operators(connection, service, rows)
    except duckdb.Error as error:
        raise find_failure(error) or StateError(
            f"the training set {training_set} cannot be read: {str(error).partition(chr(10))[0]}",
            remedy="Make it again, with the columns and types of the sources.",
        ) from error
    training: dict[str, Any] = {**counts, "sources": dict(sorted((sources or {}).items()))}
    if delays:
        training["delay_seconds"] = {view: delay.total_seconds() for view, delay in sorted(delays.items())}
    return State(service.name, fingerprint_fit(service), statistics, training)


def _fit_operators(connection: duckdb.DuckDBPyConnection, service: Service, rows: str) -> Statistics:
    """The statistics of every fitted operator, those of an operator before those of the ones that read it."""
    statistics: Statistics = {}
    for feature in service.features:
        for fitted in fitted_nodes(feature.expression):
            if (key := key_of(fitted[0])) not in statistics:
                statistics[key] = fit_operator(connection, service, rows, feature, fitted, statistics)
    return statistics


def fit_operator(
    connection: duckdb.DuckDBPyConnection,
    service: Service,
    rows: str,
    feature: Feature,
    fitted: tuple[Expression, FittedOperator],
    statistics: Statistics,
) -> dict[str, Any]:
    """The statistics of one fitted operator, given those of the operators below it.

    Args:
        connection: Where the rows are.
        service: The declaration.
        rows: The training rows, as SQL text.
        feature: The feature that the operator is part of.
        fitted: The expression whose operator it is, and the operator.
        statistics: The statistics of the operators below.

    Raises:
        StateError: There are no values to compute them from.
    """
    node, chosen = fitted
    try:
        _tabulate_operands(connection, service, rows, node, chosen, statistics)
        return {
            statistic.name: compute_statistic(connection, "SELECT * FROM fitted", statistic)
            for statistic in chosen.statistics()
        }
    except StateError as error:
        raise StateError(
            f"feature {feature.name} ({feature.place}): `{node.operands[0]}` {error.message}",
            remedy="Fill its missing values, widen the training span, or leave the operator out.",
        ) from error


def _tabulate_operands(
    connection: duckdb.DuckDBPyConnection,
    service: Service,
    rows: str,
    node: Expression,
    chosen: FittedOperator,
    statistics: Statistics,
) -> None:
    """Make the table `fitted`: the operands in the kept rows that have a value, one column for each role."""
    outputs = {
        f"${role}": finite(expand(operand, statistics))
        for role, operand in zip(chosen.roles, node.operands, strict=True)
    }
    if (label := chosen.label_column()) is not None:
        outputs["$label"] = finite(expand(_read_label(service, label), None))
    query = write_query({**outputs, "$kept": filter_term(service)}, source=rows)
    columns = ", ".join(f"{quote_name(name)} AS {name.removeprefix('$')}" for name in outputs)
    values = f'SELECT {columns} FROM ({query}) WHERE "$kept" AND "$value" IS NOT NULL'
    connection.execute(f"CREATE OR REPLACE TEMP TABLE fitted AS {values}")


def _read_label(service: Service, label: str) -> Expression:
    """A column of the training set as a number, whoever else may read it."""
    column = service.sources.columns.get(label)
    if column is None or column.type not in {FLOAT64, INT64, BOOL}:
        found = "no column of its sources or labels" if column is None else f"a {column.type}"
        raise StateError(f"is encoded by the label {label!r}, which is {found}; expected a Float64, Int64 or Bool")
    plain = Expression(Column(column.name, column.type), (), column.type)
    return apply(REGISTRY["to_number"], plain) if column.type == BOOL else widen(plain)


def filter_term(service: Service) -> Term:
    """True for the rows that training keeps."""
    rules = [expand(rule.expression, None) for rule in service.filters]
    return reduce(lambda left, right: left & right, rules, literal(True))


def every_term(service: Service) -> list[Term]:
    """Everything that the service computes, statistics not known."""
    return [expand(item.expression, None) for item in (*service.features, *service.filters)]


def _count(connection: duckdb.DuckDBPyConnection, service: Service, rows: str) -> dict[str, Any]:
    """Rows read and kept, and the time span of those kept."""
    present = {name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}
    needed = {name for item in (*service.features, *service.filters) for name in item.reads}
    fitted = (chosen for feature in service.features for _, chosen in fitted_nodes(feature.expression))
    needed |= {label for chosen in fitted if (label := chosen.label_column()) in service.sources.columns}
    if absent := sorted(needed - present):
        raise StateError(
            f"the training set lacks the columns {', '.join(absent)}",
            remedy="Give every column that features read.",
        )
    timestamp = service.training.timestamp if service.training else "event_timestamp"
    span = f"epoch_us({quote_name(timestamp)})" if timestamp in present else "NULL"
    query = write_query({"$kept": filter_term(service)}, source=rows)
    read, kept, first, last = one_row(
        connection,
        f'SELECT count(*), count(*) FILTER (WHERE "$kept"), '
        f"strftime(make_timestamp(min({span}) FILTER (WHERE \"$kept\")), '%Y-%m-%dT%H:%M:%SZ'), "
        f"strftime(make_timestamp(max({span}) FILTER (WHERE \"$kept\")), '%Y-%m-%dT%H:%M:%SZ') FROM ({query})",
    )
    if not kept:
        raise StateError(
            f"service {service.name}: training keeps none of {read:,} rows",
            remedy="Check the filter and the span.",
        )
    return {"rows": read, "kept": kept, "first": first, "last": last}
