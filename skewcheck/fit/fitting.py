"""Fit a service: every statistic that its features need, over a training set in Parquet."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import duckdb

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.sql import quote_name, scan_parquet
from skewcheck.errors import StateError
from skewcheck.fit.state import State, Statistics
from skewcheck.fit.statistics import compute_statistic, one_row
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import Expression, expand, fitted_nodes, key_of
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.language.terms import Term, finite, literal


def fit(service: Service, training_set: Path, sources: dict[str, str] | None = None) -> State:
    """The state of a service, fitted to the rows of a training set that its filter keeps.

    Args:
        service: The declaration.
        training_set: A Parquet file with a column for every column that the features and filters read.
        sources: Fingerprints of where the rows came from, kept in the state.

    Raises:
        StateError: No row is kept, a fitted operator has no values, a column is not in the file, or the file cannot be
            read.
    """
    try:
        with duckdb.connect() as connection:
            rows = scan_parquet(str(training_set))
            counts = _count(connection, service, rows)
            statistics = _fit_operators(connection, service, rows)
    except duckdb.Error as error:
        raise StateError(
            f"the training set {training_set} cannot be read: {str(error).partition(chr(10))[0]}",
            remedy="Make it again, with the columns and types of the sources.",
        ) from error
    training: dict[str, Any] = {**counts, "sources": dict(sorted((sources or {}).items()))}
    return State(service.name, fingerprint_fit(service), statistics, training)


def _fit_operators(connection: duckdb.DuckDBPyConnection, service: Service, rows: str) -> Statistics:
    """The statistics of every fitted operator, those of an operator before those of the ones that read it."""
    statistics: Statistics = {}
    for feature in service.features:
        for node, chosen in fitted_nodes(feature.expression):
            if key_of(node) in statistics:
                continue
            try:
                _tabulate_values(connection, service, rows, node.operands[0], statistics)
                statistics[key_of(node)] = {
                    statistic.name: compute_statistic(connection, "SELECT value FROM fitted", statistic)
                    for statistic in chosen.statistics()
                }
            except StateError as error:
                raise StateError(
                    f"feature {feature.name} ({feature.place}): `{node.operands[0]}` {error.message}",
                    remedy="Fill its missing values, widen the training span, or leave the operator out.",
                ) from error
    return statistics


def _tabulate_values(
    connection: duckdb.DuckDBPyConnection,
    service: Service,
    rows: str,
    operand: Expression,
    statistics: Statistics,
) -> None:
    """Make the table `fitted`: an operand's values in the kept rows, given the statistics of the operators below it."""
    value = finite(expand(operand, statistics))
    query = write_query({"$value": value, "$kept": _filter_term(service)}, source=rows)
    values = f'SELECT "$value" AS value FROM ({query}) WHERE "$kept" AND "$value" IS NOT NULL'
    connection.execute(f"CREATE OR REPLACE TEMP TABLE fitted AS {values}")


def _filter_term(service: Service) -> Term:
    """True for the rows that training keeps."""
    rules = [expand(rule.expression, None) for rule in service.filters]
    return reduce(lambda left, right: left & right, rules, literal(True))


def _count(connection: duckdb.DuckDBPyConnection, service: Service, rows: str) -> dict[str, Any]:
    """Rows read and kept, and the time span of those kept."""
    present = {name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()}
    needed = {name for item in (*service.features, *service.filters) for name in item.reads}
    if absent := sorted(needed - present):
        raise StateError(
            f"the training set lacks the columns {', '.join(absent)}",
            remedy="Give every column that features read.",
        )
    timestamp = service.training.timestamp if service.training else "event_timestamp"
    span = f"epoch_us({quote_name(timestamp)})" if timestamp in present else "NULL"
    query = write_query({"$kept": _filter_term(service)}, source=rows)
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
