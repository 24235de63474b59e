"""Windows in DuckDB: exact values for any requests, and parts that are stored and merged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import duckdb
import pyarrow as pa

from skewcheck.engines.execution import ARROW_TYPES
from skewcheck.engines.sql import literal_text, quote_name
from skewcheck.engines.windows.exact import Span, read_spans, times_power, write_measures
from skewcheck.engines.windows.layout import Kept, Layout, finish_table, lay_out, summed_columns
from skewcheck.engines.windows.query import AT, CREATED, EVENT, PLACE, Dialect, key_name, write_parts
from skewcheck.language.types import FLOAT64, INT64_MAX, INT64_MIN
from skewcheck.language.windows.declaration import WindowFeature, Windows

DIALECT = Dialect(
    quote_name=quote_name,
    literal_text=literal_text,
    one_digit=True,
    total="sum({0}){where}",
    cut="trunc({0})",
    to_digit="CAST({0} AS BIGINT)",
    to_wide_digit="CAST({0} AS HUGEINT)",
    entry=f"struct_pack(event := {quote_name(EVENT)}, created := {quote_name(CREATED)}, value := {{value}})",
    several={"least": "min({0}, {1}){where}", "greatest": "max({0}, {1}){where}"},
    distinct="list(DISTINCT {0}){where}",
    values="list({0}){where}",
    sketch="list_slice(list_sort(list(DISTINCT {0}){where}), 1, {1})",
    hash="CAST('0x' || substr(md5(CAST({0} AS VARCHAR)), 1, 15) AS BIGINT)",
    stretches="unnest(range({0}, {1} + 1))",
    quotient="({0} // {1})",
)

Finish = Callable[[WindowFeature, Sequence[Kept]], str | None]


def compute_windows(
    connection: duckdb.DuckDBPyConnection,
    windows: Windows,
    names: Sequence[str],
    *,
    events: str,
    requests: str,
) -> pa.Table:
    """The values of windowed features for requests, in the order of their places.

    Args:
        connection: The engine.
        windows: The declaration.
        names: The features to compute.
        events: SQL text of a relation as `write_parts` takes it, values as they are in the source.
        requests: SQL text of a relation as `write_parts` takes it; an instant or a key may be missing.
    """
    features = [feature for feature in windows.features if feature.name in names]
    cleaned = clean_events(windows, features, events)
    layout = lay_out(features, measure_spans(connection, features, cleaned), one_digit=True)
    keys = list(windows.events.keys)
    delay = features[0].window.delay if features else 0
    parts = write_parts(DIALECT, layout, keys, delay, events=cleaned, requests=requests)
    return finish(connection, features, layout, parts).select(list(names))


def clean_events(windows: Windows, features: Sequence[WindowFeature], events: str) -> str:
    """A relation of the events with the columns that features read, values that are not finite as missing."""
    columns = {f.column: f.aggregated.column.type for f in features if f.column and f.aggregated.column}
    selected = [quote_name(key_name(key)) for key in windows.events.keys] + [quote_name(EVENT), quote_name(CREATED)]
    for column, type_ in columns.items():
        name = quote_name(column)
        # −0.0 equals 0.0, and either may be the least of both.
        clean = f"CASE WHEN {name} = 0 THEN 0e0 WHEN isfinite({name}) THEN {name} END AS {name}"
        selected.append(clean if type_ == FLOAT64 else name)
    return f"(SELECT {', '.join(selected)} FROM {events})"


def measure_spans(
    connection: duckdb.DuckDBPyConnection, features: Sequence[WindowFeature], events: str
) -> dict[str, Span]:
    """For each Float64 column that is summed the span of its numbers."""
    columns = summed_columns(features)
    if not columns:
        return {}
    row = connection.execute(f"SELECT {write_measures(columns, quote_name)} FROM {events}").fetchone() or ()
    return read_spans(columns, row)


def finish(
    connection: duckdb.DuckDBPyConnection, features: Sequence[WindowFeature], layout: Layout, parts: str
) -> pa.Table:
    """The values of features, given a relation of parts for each request: in SQL where that can be, else in Python."""
    texts = {feature.name: _finish_in_sql(feature, layout.of[feature.name]) for feature in features}
    others = [feature for feature in features if texts[feature.name] is None]
    held = dict.fromkeys(name for feature in others for kept in layout.of[feature.name] for name in kept.names)
    at = quote_name(AT)
    selected = [at, *(quote_name(name) for name in held)]
    selected += [
        f"CASE WHEN {at} IS NOT NULL THEN {text} END AS {quote_name(name)}" for name, text in texts.items() if text
    ]
    found = connection.execute(
        f"SELECT {', '.join(selected)} FROM ({parts}) ORDER BY {quote_name(PLACE)}"
    ).to_arrow_table()
    values = finish_table(others, layout, found)
    return pa.table(
        {
            feature.name: values[feature.name]
            if feature.name in values
            else found.column(feature.name).cast(ARROW_TYPES[feature.type.name])
            for feature in features
        }
    )


def _finish_in_sql(feature: WindowFeature, kept: Sequence[Kept]) -> str | None:
    """SQL text of a feature's value, None where only Python can finish it."""
    write = FINISHES.get(feature.aggregate.name)
    return write(feature, kept) if write else None


def _finish_sum(feature: WindowFeature, kept: Sequence[Kept]) -> str | None:
    total = quote_name(kept[1].names[0])
    if feature.aggregate.whole:
        return f"CASE WHEN {total} BETWEEN {INT64_MIN} AND {INT64_MAX} THEN CAST({total} AS BIGINT) END"
    return _rounded(kept[1])


def _finish_mean(_feature: WindowFeature, kept: Sequence[Kept]) -> str | None:
    total = _rounded(kept[1])
    return None if total is None else f"{total} / nullif({quote_name(kept[0].names[0])}, 0)"


def _rounded(kept: Kept) -> str | None:
    """The Float64 nearest to a total that is one whole number; None where it is several."""
    if len(kept.names) > 1:
        return None
    total, low = quote_name(kept.names[0]), kept.span.low if kept.span else 0
    # A number of more than 53 bits keeps its first 60 to 62; the last of them says whether any below was set.
    shift = f"greatest(CAST(floor(log2(CAST(abs({total}) AS DOUBLE))) AS INTEGER) - 60, 0)"
    cut = f"(abs({total}) >> {shift})"
    bits = f"CAST(CAST({cut} | CAST(({cut} << {shift}) <> abs({total}) AS HUGEINT) AS BIGINT) AS DOUBLE)"
    rounded = f"sign({total}) * {bits} * pow(2e0, {shift})"
    value = f"CASE WHEN abs({total}) <= {2**53} THEN CAST({total} AS DOUBLE) ELSE {rounded} END"
    value = times_power(f"({value})", low)
    return f"CASE WHEN isfinite({value}) THEN {value} END" if low else value


FINISHES: Mapping[str, Finish] = {
    "count": lambda _, kept: f"coalesce({quote_name(kept[0].names[0])}, 0)",
    "sum": _finish_sum,
    "mean": _finish_mean,
    "min": lambda _, kept: quote_name(kept[0].names[0]),
    "max": lambda _, kept: quote_name(kept[0].names[0]),
    "share": lambda _, kept: f"coalesce({quote_name(kept[0].names[0])}, 0) / nullif({quote_name(kept[1].names[0])}, 0)",
    "distinct_count": lambda _, kept: f"coalesce(len({quote_name(kept[0].names[0])}), 0)",
    "time_since_last": lambda _, kept: f"({quote_name(AT)} - {quote_name(kept[0].names[0])}) / 1e6",
}
"""How DuckDB makes values of parts, for the aggregates that it can."""
