r"""Spark 4.0: the primitives as SQL, and a program as one query.

Nothing here raises an error on data, whether Spark's ANSI mode is on or off: Spark may compute a part of a CASE before
its condition, so whatever could raise is a function that gives NULL instead.

A session needs `SETTINGS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from skewcheck.engines import query
from skewcheck.engines.sql import literal_spark_text, quote_spark_name, quote_spark_text
from skewcheck.language.primitives import ASCII_SPACE, SQUARE_ROOT_OF_TWO
from skewcheck.language.terms import Term
from skewcheck.language.types import TIMESTAMP_MAX, TIMESTAMP_MIN

SETTINGS = {
    # A DATE or a TIMESTAMP without a zone is read in the session's zone.
    "spark.sql.session.timeZone": "UTC",
}
"""What a session has to be set to before it runs a query."""

LARGEST = "1.7976931348623157e308"
"""The largest finite DOUBLE. NaN and infinity are greater, for Spark."""

WHOLE_FROM = "4503599627370496e0"
"""2^52: from here on a DOUBLE has no fraction."""

_GUESS = "floor(log2({0}))"
# A CAST, and TRY_CAST too, takes 2^63 for the largest Int64.
_INTEGER_RANGE = "{0} >= (-9223372036854775808e0) AND {0} < 9223372036854775808e0"
_NEGATIVE_REMAINDER = "{0} % nullif({1}, 0L) <> 0L AND ({0} % nullif({1}, 0L) < 0L) <> ({1} < 0L)"
# A position is an INT, and no string gets as long as the largest.
_INT = "CAST(least({0}, 2147483000L) AS INT)"
# split() takes a regular expression; between \Q and \E every character stands for itself.
_QUOTED = r"concat('\\Q', replace({1}, '\\E', '\\E\\\\E\\Q'), '\\E')"
_PIECES = f"split({{0}}, {_QUOTED}, -1)"
_DIGEST = "CAST(conv(substring(md5({0}), 1, 8), 16, 10) AS BIGINT)"
_NGRAM = _DIGEST.format(f"substring(block, place + 1, {_INT.format('{1}')})")
# A substring costs its distance from the beginning, so long texts are cut into blocks first.
_NGRAM_BUCKETS = (
    "flatten(transform(transform("
    f"sequence(0, char_length({{0}}), 256), start -> substring({{0}}, start + 1, 255 + {_INT.format('{1}')})),"
    " block -> transform(slice(sequence(0, 255), 1, CAST(greatest(char_length(block) - {1} + 1L, 0L) AS INT)),"
    f" place -> {_NGRAM} % {{2}})))"
)
# Where each run of one bucket ends among the sorted ones: from there its count is the distance to the run before, with
# zeros for the buckets between, and zeros behind the last. The array of one array gives a value its name.
_NGRAM_COUNTS = (
    f"get(transform(array(sort_array({_NGRAM_BUCKETS})), found -> get(transform(array(array_compact(transform(found,"
    " (bucket, place) -> CASE WHEN bucket = get(found, place + 1) THEN NULL ELSE place END))),"
    " ends -> concat(flatten(transform(ends, (last, place) -> concat("
    "array_repeat(0e0, CAST(get(found, last) - coalesce(get(found, get(ends, place - 1)), -1L) - 1L AS INT)),"
    " array(CAST(last - coalesce(get(ends, place - 1), -1) AS DOUBLE))))),"
    " array_repeat(0e0, CAST({2} - 1L - coalesce(get(found, array_size(found) - 1), -1L) AS INT)))), 0)), 0)"
)
_LETTERS = "'ABCDEFGHIJKLMNOPQRSTUVWXYZ'", "'abcdefghijklmnopqrstuvwxyz'"

SPELLINGS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "try_divide({0}, {1})",
    "quotient": "try_divide({0}, {1})",
    "square_root": "CASE WHEN {0} >= 0e0 THEN sqrt({0}) END",
    # floor() gives a BIGINT.
    "floor": f"CASE WHEN abs({{0}}) < {WHOLE_FROM} THEN CAST(floor({{0}}) AS DOUBLE) ELSE {{0}} END",
    "absolute": "abs({0})",
    # The logarithm may be off by one at a power of two; there either guess leads to the same exponent.
    "exponent": f"{_GUESS} + CAST({{0}} / pow(2e0, {_GUESS}) > {SQUARE_ROOT_OF_TWO}D AS BIGINT)",
    "power_of_two": "pow(2e0, {0})",
    "finite": f"CASE WHEN abs({{0}}) <= {LARGEST} THEN {{0}} END",
    # Spark adds up the constants of nested sums first, and so loses an overflow, or makes one; it does not see through
    # the bitwise or.
    "integer_add": "try_add({0}, {1}) | 0L",
    "integer_subtract": "try_subtract({0}, {1})",
    "integer_multiply": "try_multiply({0}, {1}) | 0L",
    "checked_add": "try_add({0}, {1}) | 0L",
    "checked_subtract": "try_subtract({0}, {1})",
    "checked_multiply": "try_multiply({0}, {1}) | 0L",
    # `div` cuts towards zero; neither side below can overflow.
    "floor_divide": "CASE WHEN {0} >= 0L THEN {0} div {1} ELSE -1L - ((-1L - {0}) div {1}) END",
    "floor_modulo": "pmod({0}, {1})",
    "integer_quotient": (
        "CASE WHEN {1} = -1L THEN try_subtract(0L, {0})"
        f" WHEN {_NEGATIVE_REMAINDER} THEN ({{0}} div nullif({{1}}, 0L)) - 1L ELSE {{0}} div nullif({{1}}, 0L) END"
    ),
    "to_float": "CAST({0} AS DOUBLE)",
    "to_integer": f"CASE WHEN {_INTEGER_RANGE} THEN try_cast({{0}} AS BIGINT) END",
    "to_text": "CAST({0} AS STRING)",
    "equal": "{0} = {1}",
    "less": "{0} < {1}",
    "less_or_equal": "{0} <= {1}",
    "and": "{0} AND {1}",
    "or": "{0} OR {1}",
    "not": "NOT {0}",
    "is_missing": "{0} IS NULL",
    "coalesce": "coalesce({0}, {1})",
    "restrict": "CASE WHEN {1} THEN {0} END",
    "choose": "CASE WHEN {0} THEN {1} ELSE {2} END",
    # lower() knows more than ASCII; where every character is one byte it does not matter, and it is faster.
    "lower": (
        "CASE WHEN octet_length({0}) = char_length({0}) THEN lower({0})"
        f" ELSE translate({{0}}, {_LETTERS[0]}, {_LETTERS[1]}) END"
    ),
    "upper": (
        "CASE WHEN octet_length({0}) = char_length({0}) THEN upper({0})"
        f" ELSE translate({{0}}, {_LETTERS[1]}, {_LETTERS[0]}) END"
    ),
    "strip": f"btrim({{0}}, {quote_spark_text(ASCII_SPACE)})",
    "length": "CAST(char_length({0}) AS BIGINT)",
    "concatenate": "{0} || {1}",
    "contains": "contains({0}, {1})",
    "starts_with": "startswith({0}, {1})",
    "ends_with": "endswith({0}, {1})",
    "replace": "replace({0}, {1}, {2})",
    "substring": f"substring({{0}}, {_INT.format('{1}')} + 1, {_INT.format('{2}')})",
    "part": f"get({_PIECES}, {_INT.format('{2}')})",
    "count_item": f"CAST(array_size(filter({_PIECES}, item -> item = {{2}})) AS BIGINT)",
    "matches": "regexp_like({0}, {table})",
    "extract": "CASE WHEN regexp_like({0}, {table}) THEN regexp_extract({0}, {table}, 1) END",
    "ngram_counts": f"CASE WHEN {{0}} IS NOT NULL THEN {_NGRAM_COUNTS} END",
    "digest": _DIGEST,
    "microseconds": "{0}",
    "instant": f"CASE WHEN {{0}} BETWEEN {TIMESTAMP_MIN} AND {TIMESTAMP_MAX} THEN {{0}} END",
    "component": "get({0}, {1})",
    "dot": "aggregate(zip_with({0}, {1}, (one, other) -> one * other), 0e0, (total, item) -> total + item)",
    "scale_vector": (
        f"CASE WHEN forall({{0}}, item -> abs(item * {{1}}) <= {LARGEST}) THEN transform({{0}}, item -> item * {{1}})"
        " END"
    ),
}
"""The SQL of every primitive but those whose tables the dialect writes."""

POSITIVE_SPELLINGS = {"floor_divide": "{0} div {1}", "floor_modulo": "{0} % {1}"}
"""Shorter forms for a first argument that is never below zero."""

SQL_TYPES = {
    "Float64": "DOUBLE",
    "Int64": "BIGINT",
    "Bool": "BOOLEAN",
    "String": "STRING",
    "Timestamp": "TIMESTAMP",
    "Vector": "ARRAY<DOUBLE>",
}

_MICROS = "unix_micros(CAST({0} AS TIMESTAMP))"
_VECTOR = "CAST({0} AS ARRAY<DOUBLE>)"

INGRESS = {
    "Float64": f"CASE WHEN abs(CAST({{0}} AS DOUBLE)) <= {LARGEST} THEN CAST({{0}} AS DOUBLE) END",
    "Int64": "CAST({0} AS BIGINT)",
    "Bool": "CAST({0} AS BOOLEAN)",
    "String": "CAST({0} AS STRING)",
    "Timestamp": f"CASE WHEN {_MICROS} BETWEEN {TIMESTAMP_MIN} AND {TIMESTAMP_MAX} THEN {_MICROS} END",
    "Vector": (
        f"CASE WHEN array_size({_VECTOR}) <> {{size}} THEN raise_error('column ' || {{column}} || ': expected {{size}}"
        f" numbers, got ' || array_size({_VECTOR})) WHEN forall({_VECTOR}, item -> coalesce(abs(item) <= {LARGEST},"
        f" FALSE)) THEN {_VECTOR} END"
    ),
}
"""How a column of each type is read: null, NaN and infinities are missing."""

INLINE_ENTRIES = 32
"""How many entries a look-up table in an expression has at most: Spark goes through them one by one."""

NESTED_EDGES = 64
"""How many edges of a table are compared in nested choices at most: Java leaves longer methods uncompiled."""


def write_query(
    outputs: Mapping[str, Term], *, source: str = "inputs", columns: Mapping[str, str] | None = None
) -> str:
    """A SELECT that gives every column of `source` and the outputs beside them.

    Args:
        outputs: Finite terms without unknown statistics, by name.
        source: A relation, as SQL text: a name, or a query in parentheses.
        columns: For a column the SQL text that reads it, where it is not its own quoted name.
    """
    return query.write_query(DIALECT, outputs, source=source, columns=columns)


def _write_lookup(argument: str, table: Sequence[tuple[Any, Any]]) -> str:
    entries = (literal_spark_text(item) for entry in table for item in entry)
    return f"map({', '.join(entries)})[{argument}]"


def _write_table(table: Sequence[tuple[Any, Any]]) -> str:
    """The keys and the values each as one text that is cut: Spark reads it 70 times faster than VALUES."""
    keys, values = zip(*table, strict=True)
    lists = f"arrays_zip({_write_list_text(keys)}, {_write_list_text(values)})"
    return (
        f"(SELECT CAST(key AS {_type_name(keys[0])}), CAST(value AS {_type_name(values[0])})"
        f" FROM (SELECT inline({lists}) AS (key, value)))"
    )


def _write_list_text(items: Iterable[Any]) -> str:
    texts = [item if isinstance(item, str) else str(item) for item in items]
    used = set().union(*texts)
    separator = next(character for character in _separators() if character not in used)
    return f"split({quote_spark_text(separator.join(texts))}, {quote_spark_text(separator)}, -1)"


def _separators() -> Iterable[str]:
    """A comma, the characters that ASCII has for this, and then those that no text should have."""
    return chain(",", map(chr, range(0x1F, 0x1B, -1)), map(chr, range(0xE000, 0x11_0000)))


def _type_name(value: Any) -> str:
    return {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "STRING"}[type(value)]


def _write_element(position: str, values: Sequence[Any]) -> str:
    return f"get(array({', '.join(map(literal_spark_text, values))}), {position})"


def _write_search(name: str, edges: Sequence[Any], values: Sequence[int]) -> str | None:
    """Bisection over a constant list, for a table of which the nested choices would be too long a method.

    Behind the list's end stands NULL, and no comparison with it is true.
    """
    if len(edges) <= NESTED_EDGES:
        return None
    steps = ", ".join(str(2**power) for power in reversed(range(len(edges).bit_length())))
    reached = f"{name} >= get({_write_constants(edges)}, place + step - 1)"
    place = f"aggregate(array({steps}), 0, (place, step) -> CASE WHEN {reached} THEN place + step ELSE place END)"
    found = place if values == range(len(values)) else f"get({_write_constants(values)}, {place})"
    return f"CASE WHEN {name} IS NOT NULL THEN CAST({found} AS BIGINT) END"


def _write_constants(values: Sequence[Any]) -> str:
    """A list as one text that is cut, which Spark does once and in no time, where it takes long over many constants."""
    type_ = "DOUBLE" if any(isinstance(value, float) for value in values) else "BIGINT"
    return f"CAST({_write_list_text(values)} AS ARRAY<{type_}>)"


def _arrange(parts: query.Parts) -> str:
    """Each level as a lateral subquery, which Spark resolves at once and computes as a projection.

    Of tables nested in tables it gives up after some fifty, and resolves all names anew for each.
    """
    relations = [f"FROM {parts.source} AS `#inputs`"]
    for place, level in enumerate(parts.levels):
        for number, join in enumerate(level.joins):
            table = f"`#table_{place}_{number}`"
            relations.append(
                f"LEFT JOIN {join.relation} AS {table}(`#key`, {join.name}) ON {table}.`#key` = {join.key}"
            )
        if level.columns:
            select = ",\n  ".join(f"{text} AS {name}" for text, name in level.columns)
            relations.append(f"JOIN LATERAL (SELECT\n  {select}\n)")
    select = ",\n  ".join(["`#inputs`.*", *parts.outputs])
    return f"SELECT\n  {select}\n" + "\n".join(relations) + "\n"


DIALECT = query.Dialect(
    name="Spark",
    spellings=SPELLINGS,
    positive_spellings=POSITIVE_SPELLINGS,
    types=SQL_TYPES,
    ingress=INGRESS,
    instant="timestamp_micros({0})",
    quote_name=quote_spark_name,
    literal_text=literal_spark_text,
    write_lookup=_write_lookup,
    write_element=_write_element,
    write_list=lambda elements: f"array({', '.join(elements)})",
    arrange=_arrange,
    joins=lambda table: len(table) > INLINE_ENTRIES,
    write_table=_write_table,
    write_search=_write_search,
)
