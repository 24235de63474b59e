"""Windows in Spark 4.0: the parts as SQL on the cluster, and the aggregates that finish them in its Python workers.

A session needs the settings of `skewcheck.engines.spark`, and workers need skewcheck.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from skewcheck.engines.spark import LARGEST, SQL_TYPES, WHOLE_FROM
from skewcheck.engines.sql import literal_spark_text, quote_spark_name
from skewcheck.engines.windows.exact import Span, read_spans, write_measures
from skewcheck.engines.windows.layout import AT, finish_table, lay_out, summed_columns
from skewcheck.engines.windows.query import CREATED, EVENT, PLACE, Dialect, key_name, write_parts
from skewcheck.language.types import FLOAT64, INT64, TIMESTAMP
from skewcheck.language.windows.declaration import WindowFeature, Windows

DIALECT = Dialect(
    quote_name=quote_spark_name,
    literal_text=literal_spark_text,
    one_digit=False,
    total="sum(CAST({0} AS DECIMAL(20, 0))){where}",
    cut=f"CASE WHEN abs({{0}}) < {WHOLE_FROM} THEN CAST(try_cast({{0}} AS BIGINT) AS DOUBLE) ELSE {{0}} END",
    to_digit="try_cast({0} AS BIGINT)",
    to_wide_digit="",
    entry=(
        f"named_struct('event', {quote_spark_name(EVENT)}, 'created', {quote_spark_name(CREATED)}, 'value', {{value}})"
    ),
    several={
        "least": "slice(sort_array(collect_list({0}){where}), 1, {1})",
        "greatest": "slice(sort_array(collect_list({0}){where}, FALSE), 1, {1})",
    },
    distinct="collect_set({0}){where}",
    values="collect_list({0}){where}",
    sketch="slice(sort_array(collect_set({0}){where}), 1, {1})",
    hash="CAST(conv(substring(md5(CAST({0} AS STRING)), 1, 15), 16, 10) AS BIGINT)",
    stretches="explode(sequence({0}, {1}))",
    quotient="({0} div {1})",
)


def compute_windows(
    session: Any, windows: Windows, names: Sequence[str], *, events: str, requests: str, row: str, timestamp: str
) -> Any:
    """A Spark DataFrame of the values of windowed features for requests: `row` and the features.

    Args:
        session: The Spark session.
        windows: The declaration.
        names: The features to compute.
        events: A table or view with the events as they are in their source, after its field mapping.
        requests: A table or view with the join keys, `row` and `timestamp`.
        row: A column that tells requests apart, a whole number.
        timestamp: The column with the instant of a request.
    """
    features = [feature for feature in windows.features if feature.name in names]
    cleaned = _read_events(windows, features, quote_spark_name(events))
    layout = lay_out(features, _measure_spans(session, features, cleaned), one_digit=False)
    keys = list(windows.events.keys)
    asked = [f"{_typed_key(windows, key)} AS {quote_spark_name(key_name(key))}" for key in keys]
    asked.append(f"CAST({quote_spark_name(row)} AS BIGINT) AS {quote_spark_name(PLACE)}")
    asked.append(f"{_microseconds(timestamp)} AS {quote_spark_name(AT)}")
    relation = f"(SELECT {', '.join(asked)} FROM {quote_spark_name(requests)})"
    delay = features[0].window.delay if features else 0
    parts = session.sql(write_parts(DIALECT, layout, keys, delay, events=cleaned, requests=relation))

    def finish(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            table = pa.table(batch)
            columns = {row: table.column(PLACE), **finish_table(features, layout, table)}
            yield from pa.table(columns).combine_chunks().to_batches()

    fields = [f"{quote_spark_name(row)} BIGINT"]
    fields += [f"{quote_spark_name(feature.name)} {SQL_TYPES[feature.type.name]}" for feature in features]
    return parts.mapInArrow(finish, ", ".join(fields))


def _read_events(windows: Windows, features: Sequence[WindowFeature], table: str) -> str:
    """The events with the columns that features read, as `write_parts` takes them."""
    source = windows.events.source
    selected = [f"{_typed_key(windows, key)} AS {quote_spark_name(key_name(key))}" for key in windows.events.keys]
    selected.append(f"{_microseconds(source.timestamp_field)} AS {quote_spark_name(EVENT)}")
    selected.append(
        f"{_microseconds(source.created_timestamp_column or source.timestamp_field)} AS {quote_spark_name(CREATED)}"
    )
    for column in {f.column: f.aggregated.column for f in features}.values():
        if column is not None:
            name = quote_spark_name(column.name)
            text = name
            if column.type == FLOAT64:
                value = f"CAST({name} AS DOUBLE)"
                text = f"CASE WHEN {value} = 0e0 THEN 0e0 WHEN abs({value}) <= {LARGEST} THEN {value} END"
            elif column.type == INT64:
                text = f"CAST({name} AS BIGINT)"
            elif column.type == TIMESTAMP:
                text = _microseconds(column.name)
            selected.append(f"{text} AS {name}")
    names = (*map(key_name, windows.events.keys), EVENT, CREATED)
    present = " AND ".join(f"{quote_spark_name(name)} IS NOT NULL" for name in names)
    return f"(SELECT * FROM (SELECT {', '.join(selected)} FROM {table}) WHERE {present})"


def _measure_spans(session: Any, features: Sequence[WindowFeature], events: str) -> dict[str, Span]:
    """For each Float64 column that is summed the span of its numbers."""
    columns = summed_columns(features)
    if not columns:
        return {}
    row = session.sql(f"SELECT {write_measures(columns, quote_spark_name)} FROM {events}").collect()[0]
    return read_spans(columns, row)


def _typed_key(windows: Windows, key: str) -> str:
    type_ = "BIGINT" if windows.events.keys[key] == INT64 else "STRING"
    return f"CAST({quote_spark_name(key)} AS {type_})"


def _microseconds(column: str) -> str:
    return f"unix_micros(CAST({quote_spark_name(column)} AS TIMESTAMP))"
