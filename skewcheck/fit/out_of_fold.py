"""Training features that do not leak: a label's mean is never computed from the row that gets it.

With `target_encode` a training row's own label is part of its category's mean, and a model that learns from such values
trusts them more than serving deserves. So the rows are dealt into folds, and a row's means come from the other folds.
Serving and audits use the means over all training rows, which the state holds.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.opaque import load_functions, register_functions
from skewcheck.engines.sql import quote_name, quote_text, scan_parquet
from skewcheck.errors import StateError, UsageError
from skewcheck.fit.fitting import every_term, filter_term, fit_operator
from skewcheck.fit.state import State, Statistics, check_state
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import expand, fitted_nodes, key_of
from skewcheck.language.opaque import find_functions
from skewcheck.language.terms import finite


def write_training_features(service: Service, state: State, training_set: Path, out: Path, *, folds: int = 5) -> None:
    """Write the training rows that the filter keeps, in their order, with the features beside their columns.

    A row's fold is the MD5 of its values, those of labels left out, modulo `folds`: the order of the rows does not
    matter, and rows that differ in nothing but labels are in one fold. Statistics that read a label are fitted anew for
    each fold to the rows of the others; every other statistic is the state's.

    Args:
        service: The declaration.
        state: Its frozen statistics.
        training_set: The Parquet file that the state was fitted to.
        out: The Parquet file to write.
        folds: How many folds, at least two.

    Raises:
        UsageError: There are fewer than two folds.
        StateError: The state is not the declaration's, the file cannot be read, or all rows of a label are in one fold.
    """
    if folds < 2:
        raise UsageError(f"folds is {folds}, expected at least 2", remedy="Five are usual.")
    check_state(service, state)
    try:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            register_functions(connection, load_functions(find_functions(every_term(service))))
            _deal_rows(connection, service, training_set, folds if _find_labels(service) else 1)
            numbers = [number for (number,) in connection.execute('SELECT DISTINCT "$fold" FROM dealt').fetchall()]
            queries = [_write_fold(connection, service, state, number) for number in sorted(numbers)]
            out.parent.mkdir(parents=True, exist_ok=True)
            everything = " UNION ALL ".join(f"SELECT * FROM ({query})" for query in queries)
            columns = 'SELECT * EXCLUDE ("$place", "$fold", "$kept")'
            connection.execute(
                f'COPY ({columns} FROM ({everything}) WHERE "$kept" ORDER BY "$place") '
                f"TO {quote_text(str(out))} (FORMAT parquet)"
            )
    except duckdb.Error as error:
        raise StateError(
            f"the training set {training_set} cannot be read: {str(error).partition(chr(10))[0]}",
            remedy="Make it again, with the columns and types of the sources.",
        ) from error


def _find_labels(service: Service) -> set[str]:
    """The columns that statistics read as a label, and those that are declared as one."""
    fitted = (chosen for feature in service.features for _, chosen in fitted_nodes(feature.expression))
    read = {label for chosen in fitted if (label := chosen.label_column()) is not None}
    return read | {name for name, column in service.sources.columns.items() if read and column.role == "label"}


def _deal_rows(connection: duckdb.DuckDBPyConnection, service: Service, training_set: Path, folds: int) -> None:
    """Make the table `dealt`: the training rows with their place and their fold."""
    rows = scan_parquet(str(training_set))
    labels = _find_labels(service)
    names = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()]
    values = ", ".join(quote_name(name) for name in sorted(names) if name not in labels)
    fold = f"md5_number(CAST(row({values}) AS VARCHAR)) % {folds}" if values else "0"
    connection.execute(
        f'CREATE TEMP TABLE dealt AS SELECT *, row_number() OVER () AS "$place", CAST({fold} AS BIGINT) AS "$fold" '
        f"FROM {rows}"
    )


def _write_fold(connection: duckdb.DuckDBPyConnection, service: Service, state: State, number: int) -> str:
    """The query for the rows of one fold, its label statistics fitted to the others."""
    statistics: Statistics = dict(state.statistics)
    refitted = set()
    for feature in service.features:
        for node, chosen in fitted_nodes(feature.expression):
            key = key_of(node)
            if chosen.label_column() is not None and key not in refitted:
                others = f'(SELECT * FROM dealt WHERE "$fold" <> {number})'
                statistics[key] = fit_operator(connection, service, others, feature, (node, chosen), statistics)
                refitted.add(key)
    outputs = {feature.name: finite(expand(feature.expression, statistics)) for feature in service.features}
    source = f'(SELECT * FROM dealt WHERE "$fold" = {number})'
    return write_query({**outputs, "$kept": filter_term(service)}, source=source)
