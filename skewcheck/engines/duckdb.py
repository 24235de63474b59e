"""DuckDB: the primitives as SQL, and a program as one streaming query.

A look-up table is an ENUM type: a cast to it finds a string's place by its hash, so that a row's cost does not grow
with the table and nothing has to be joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skewcheck.engines import query
from skewcheck.engines.sql import is_visible, literal_text, quote_name, quote_text
from skewcheck.engines.texts import RepeatingText, separate_texts
from skewcheck.language.primitives import ASCII_SPACE, SQUARE_ROOT_OF_TWO
from skewcheck.language.terms import Term, call, rewrite
from skewcheck.language.types import FLOAT64, INT64_MAX, INT64_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN

_GUESS = "floor(log2({0}))"
# TRY_CAST would be shorter; but DuckDB moves a TRY_CAST in a comparison to the other side, and nothing is missing then.
_FITS = f"BETWEEN {INT64_MIN} AND {INT64_MAX}"
_CHECKED = f"CASE WHEN CAST({{0}} AS HUGEINT) ~ CAST({{1}} AS HUGEINT) {_FITS} THEN {{0}} ~ {{1}} END"
_FLOAT_MIN = "(-9223372036854775808e0)"
_MD5 = "CAST(md5_number({0}) & 4294967295 AS BIGINT)"
# The number's lowest byte is the digest's first. Twice as fast as reading the hexadecimal digits.
DIGEST = f"(({_MD5} & 255) << 24) + (({_MD5} & 65280) << 8) + (({_MD5} >> 8) & 65280) + ({_MD5} >> 24)"

SPELLINGS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "CASE WHEN {1} <> 0e0 THEN {0} / {1} END",
    "quotient": "{0} / {1}",
    "square_root": "CASE WHEN {0} >= 0e0 THEN sqrt({0}) END",
    "floor": "floor({0})",
    "absolute": "abs({0})",
    # The logarithm may be off by one at a power of two; there either guess leads to the same exponent.
    "exponent": f"CAST({_GUESS} AS BIGINT) + CAST({{0}} / pow(2e0, {_GUESS}) > {SQUARE_ROOT_OF_TWO}e0 AS BIGINT)",
    "power_of_two": "pow(2e0, {0})",
    "finite": "CASE WHEN isfinite({0}) THEN {0} END",
    "integer_add": "{0} + {1}",
    "integer_subtract": "{0} - {1}",
    "integer_multiply": "{0} * {1}",
    "checked_add": _CHECKED.replace("~", "+"),
    "checked_subtract": _CHECKED.replace("~", "-"),
    "checked_multiply": _CHECKED.replace("~", "*"),
    # // and % cut towards zero; neither form below can overflow.
    "floor_divide": "CASE WHEN {0} >= 0 THEN {0} // {1} ELSE -1 - ((-1 - {0}) // {1}) END",
    "floor_modulo": "CASE WHEN {0} % {1} < 0 THEN {0} % {1} + {1} ELSE {0} % {1} END",
    "integer_quotient": (
        "CASE WHEN {1} = 0 OR ({1} = -1 AND {0} = " + literal_text(INT64_MIN) + ") THEN NULL"
        " WHEN ({0} % {1} < 0) <> ({1} < 0) AND {0} % {1} <> 0 THEN {0} // {1} - 1 ELSE {0} // {1} END"
    ),
    "to_float": "CAST({0} AS DOUBLE)",
    "to_integer": f"CASE WHEN {{0}} >= {_FLOAT_MIN} AND {{0}} < -{_FLOAT_MIN} THEN CAST({{0}} AS BIGINT) END",
    "to_text": "CAST({0} AS VARCHAR)",
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
    # lower() knows more than ASCII; where every character is one byte it does not matter, and it is 40 times faster.
    "lower": (
        "CASE WHEN strlen({0}) = length({0}) THEN lower({0})"
        " ELSE translate({0}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') END"
    ),
    "upper": (
        "CASE WHEN strlen({0}) = length({0}) THEN upper({0})"
        " ELSE translate({0}, 'abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') END"
    ),
    "strip": f"trim({{0}}, {quote_text(ASCII_SPACE)})",
    "length": "length({0})",
    "concatenate": "{0} || {1}",
    "contains": "contains({0}, {1})",
    "starts_with": "starts_with({0}, {1})",
    "ends_with": "suffix({0}, {1})",
    "replace": "replace({0}, {1}, {2})",
    "substring": "substring({0}, {1} + 1, {2})",
    "part": "string_split({0}, {1})[{2} + 1]",
    "count_item": "len(list_filter(string_split({0}, {1}), lambda item: item = {2}))",
    "matches": "regexp_matches({0}, {table})",
    "extract": "CASE WHEN regexp_matches({0}, {table}) THEN regexp_extract({0}, {table}, 1) END",
    # A substring costs its distance from the beginning, so long texts are cut into blocks first. The list of one map
    # gives the counts a name, so that they are made once and not for each bucket.
    "ngram_counts": (
        "CASE WHEN {0} IS NOT NULL THEN list_transform([list_aggregate(flatten(list_transform(list_transform("
        "range(0, length({0}), 256), lambda start: substring({0}, start + 1, 255 + {1})), lambda block: "
        "list_transform(range(length(block) - {1} + 1), lambda place: ("
        + DIGEST.format("substring(block, place + 1, {1})")
        + ") % {2}))), 'histogram')], lambda counts: list_transform(range({2}), lambda code:"
        " CAST(coalesce(counts[code], 0) AS DOUBLE)))[1] END"
    ),
    "digest": DIGEST,
    "microseconds": "{0}",
    "instant": f"CASE WHEN {{0}} BETWEEN {TIMESTAMP_MIN} AND {TIMESTAMP_MAX} THEN {{0}} END",
    "opaque": "{table}({all})",
    "component": "{0}[{1} + 1]",
    # list_inner_product may fuse a product and a sum into one rounding, depending on the processor.
    "dot": "list_sum(list_transform(list_zip({0}, {1}), lambda pair: pair[1] * pair[2]))",
    "scale_vector": (
        "CASE WHEN list_bool_and(list_transform({0}, lambda item: isfinite(item * {1})))"
        " THEN list_transform({0}, lambda item: item * {1}) END"
    ),
}
"""The SQL of every primitive but `locate`, `interval`, `element`, `lookup` and `pack`."""

POSITIVE_SPELLINGS = {"floor_divide": "{0} // {1}", "floor_modulo": "{0} % {1}"}
"""Shorter forms for a first argument that is never below zero."""

SQL_TYPES = {
    "Float64": "DOUBLE",
    "Int64": "BIGINT",
    "Bool": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMP WITH TIME ZONE",
    "Vector": "DOUBLE[]",
}

INGRESS = {
    "Float64": "CASE WHEN isfinite(CAST({0} AS DOUBLE)) THEN CAST({0} AS DOUBLE) END",
    "Int64": "CAST({0} AS BIGINT)",
    "Bool": "CAST({0} AS BOOLEAN)",
    "String": "CAST({0} AS VARCHAR)",
    "Timestamp": (
        f"CASE WHEN isfinite({{0}}) AND epoch_us({{0}}) BETWEEN {TIMESTAMP_MIN} AND {TIMESTAMP_MAX}"
        " THEN epoch_us({0}) END"
    ),
    "Vector": (
        "CASE WHEN len(CAST({0} AS DOUBLE[])) <> {size} THEN error('column ' || {column} || ': expected {size} numbers,"
        " got ' || len(CAST({0} AS DOUBLE[]))) WHEN list_bool_and(list_transform(CAST({0} AS DOUBLE[]), lambda item:"
        " coalesce(isfinite(item), FALSE))) THEN CAST({0} AS DOUBLE[]) END"
    ),
}
"""How a column of each type is read: null, NaN and infinities are missing."""


def write_query(
    outputs: Mapping[str, Term], *, source: str = "inputs", columns: Mapping[str, str] | None = None
) -> str:
    """A SELECT that gives every column of `source` and the outputs beside them.

    Args:
        outputs: Finite terms without unknown statistics, by name.
        source: A relation, as SQL text: a name, or a query in parentheses.
        columns: For a column the SQL text that reads it, where it is not its own quoted name.
    """
    read = columns or {}
    remaining, texts = separate_texts(rewrite(outputs, _place_first))
    if not texts:
        return query.write_query(DIALECT, remaining, source=source, columns=read)
    keys = [f"#key.{place}" for place in range(1, len(texts) + 1)]
    joins = [_join_text(text, key, source, read) for text, key in zip(texts, keys, strict=True)]
    joined = f"(SELECT * FROM {source}\n{''.join(joins)})"
    hidden = ", ".join(map(quote_name, [*keys, *(name for text in texts for name in text.names)]))
    return (
        f"SELECT * EXCLUDE ({hidden}) FROM (\n{query.write_query(DIALECT, remaining, source=joined, columns=read)})\n"
    )


def _place_first(term: Term, arguments: tuple[Term, ...]) -> Term | None:
    """A look-up of numbers as the key's place and the number there: tables with the same keys share the place."""
    if term.name != "lookup" or term.type != FLOAT64:
        return None
    keys, values = zip(*term.parameter, strict=True)
    place = call("lookup", *arguments, parameter=tuple(zip(keys, range(len(keys)), strict=True)))
    return call("element", place, parameter=values)


def _join_text(text: RepeatingText, key: str, source: str, read: Mapping[str, str]) -> str:
    """The join that gives every row what belongs to its text."""
    name, quoted = text.column.name, quote_name(key)
    column = read.get(name, quote_name(name))
    distinct = f"(SELECT DISTINCT {column} AS {quoted} FROM {source} WHERE {column} IS NOT NULL)"
    outputs = dict(zip(text.names, text.terms, strict=True))
    body = query.write_query(DIALECT, outputs, source=distinct, columns={name: quoted})
    return f"LEFT JOIN (\n{body}) ON {quoted} = {column}\n"


def _write_lookup(argument: str, table: Sequence[tuple[Any, Any]]) -> str:
    """The place of the argument among the keys, and the value of that place."""
    keys = [str(key) for key, _ in table]
    if not all(is_visible(key) for key in keys):
        # The type of an ENUM holds no call, and no NUL; bytes are printed with neither.
        argument, keys = f"CAST(encode({argument}) AS VARCHAR)", [_print_bytes(key) for key in keys]
    elif isinstance(table[0][0], int):
        argument = f"CAST({argument} AS VARCHAR)"
    place = f"CAST(enum_code(TRY_CAST({argument} AS ENUM({', '.join(map(quote_text, keys))}))) AS BIGINT)"
    values = [value for _, value in table]
    if all(type(value) is int for value in values) and values == list(range(values[0], values[0] + len(values))):
        return f"{place} + {literal_text(values[0])}" if values[0] else place
    return _write_element(place, values)


def _print_bytes(text: str) -> str:
    """What DuckDB prints the UTF-8 bytes of a text as."""
    plain = set(range(32, 127)) - set(b"\"'\\")
    return "".join(chr(byte) if byte in plain else f"\\x{byte:02X}" for byte in text.encode())


def _write_element(position: str, values: Sequence[Any]) -> str:
    # A list's first place is 1.
    return f"([{', '.join(map(literal_text, values))}])[{position} + 1]"


def _arrange(parts: query.Parts) -> str:
    """Each level as a common table expression that reads the one below."""
    tables = []
    for place, level in enumerate(parts.levels):
        below, star = (f"level_{place - 1}", f"level_{place - 1}.*") if place else (parts.source, "*")
        select = ",\n    ".join([star, *(f"{text} AS {name}" for text, name in level.columns)])
        tables.append(f"level_{place} AS NOT MATERIALIZED (\n  SELECT\n    {select}\n  FROM {below}\n)")
    star = f"* EXCLUDE ({', '.join(parts.internal)})" if parts.internal else "*"
    select = ",\n  ".join([star, *parts.outputs])
    return "WITH " + ",\n".join(tables) + f"\nSELECT\n  {select}\nFROM level_{len(parts.levels) - 1}\n"


DIALECT = query.Dialect(
    name="DuckDB",
    spellings=SPELLINGS,
    positive_spellings=POSITIVE_SPELLINGS,
    types=SQL_TYPES,
    ingress=INGRESS,
    instant="make_timestamptz({0})",
    quote_name=quote_name,
    literal_text=literal_text,
    write_lookup=_write_lookup,
    write_element=_write_element,
    write_list=lambda elements: f"[{', '.join(elements)}]",
    arrange=_arrange,
)
