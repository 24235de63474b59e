"""Hard values: those that have broken an engine before, or could, and tables of any length full of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from skewcheck.engines.execution import tabulate_rows
from skewcheck.engines.sql import quote_name
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type

_MICROSECOND = timedelta(microseconds=1)

# The two nights on which New York changes its clocks, in UTC, and others on which somebody does.
CLOCK_CHANGES = [
    datetime(2013, 3, 10, 7, tzinfo=UTC),
    datetime(2013, 11, 3, 6, tzinfo=UTC),
    datetime(2024, 3, 31, 1, tzinfo=UTC),
    datetime(2024, 10, 27, 1, tzinfo=UTC),
    datetime(2024, 4, 6, 15, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(1945, 8, 14, 23, tzinfo=UTC),
]

ZONES = ["UTC", "America/New_York", "Europe/Dublin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]

INSTANTS = [
    None,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1600, 2, 29, tzinfo=UTC),
    datetime(1899, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(1900, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1900, 3, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC) - timedelta(days=1),
    datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC),
    datetime(2000, 3, 1, tzinfo=UTC) - _MICROSECOND,
    datetime(2023, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2100, 1, 1, tzinfo=UTC),
    datetime(2100, 3, 1, tzinfo=UTC) - _MICROSECOND,
    *(change + offset for change in CLOCK_CHANGES for offset in (-_MICROSECOND, timedelta(0), _MICROSECOND)),
]

FLOATS = [
    None,
    math.nan,
    math.inf,
    -math.inf,
    *(
        sign * value
        for sign in (1.0, -1.0)
        for value in (
            0.0,
            5e-324,
            2.225073858507201e-308,
            2.2250738585072014e-308,
            1e-300,
            1e-20,
            2.0**-53,
            0.1,
            0.2928932188134525,
            0.5,
            math.sqrt(0.5),
            1.0 - 2.0**-53,
            1.0,
            1.0 + 2.0**-52,
            math.sqrt(2),
            1.5,
            2.0,
            math.nextafter(2, 0),
            math.e,
            7.0,
            100.0,
            2.0**31,
            2.0**52 + 0.5,
            2.0**53,
            2.0**53 + 2,
            2.0**63,
            1e16,
            1e154,
            1.4e154,
            1e300,
            2.0**1023,
            1.7976931348623157e308,
        )
    ),
]

INTEGERS = [
    None,
    *(0, 1, -1, 2, -2, 3, 5, 7, -7, 10, 23, 24, -24, 1000, 2**31, -(2**31), 2**32 - 1, 2**53, 2**53 + 1, -(2**53) - 1),
    *(3_037_000_499, 3_037_000_500, -3_037_000_500, 2**62, -(2**62), 2**63 - 1, -(2**63), -(2**63) + 1, 2**63 - 2),
]

STRINGS = [
    None,
    *("", " ", "a", "A", "Z", "z", "aB", " A b\t", "\n\r\f\v x \v", "\x00", "a\x00b", "\x00 ", "\x1f", "\x1c a \x1c"),
    *("\u00a0x\u00a0", "\u2003x", "\u200bx", "\ufeffx", "é", "e\u0301", "\u0301", "İ", "i\u0307", "ß", "ẞ", "ΑΣ", "ﬁ"),
    *(
        "\u212a",
        "\u1c89",
        "\U00010400",
        "\U0001f469\u200d\U0001f469",
        "\U0002f800",
        "\U000e0041",
        "\U0010ffff",
        "\ud7ff",
    ),
    *("\ue000", "\uffff", "中文", "ع", "\u202eabc", "'", "''", '"', "\\", "%", "_", "$1", "{0}", "{{", "--", "*/", ";"),
    *("a" * 1000, "A" * 100_000, "é" * 5000, "abc", "ABC", "abd", "null", "NULL", "NaN", "1", "1.0", "true"),
]

VALUES: dict[Type, list[Any]] = {
    FLOAT64: FLOATS,
    INT64: INTEGERS,
    BOOL: [None, True, False],
    STRING: STRINGS,
    TIMESTAMP: INSTANTS,
}

_DRAWS = {
    "Float64": (
        "CASE WHEN {u} < 0.2 THEN (1e0 - 2e0 * CAST({h} % 2 AS DOUBLE)) * pow(10e0, {v} * 600 - 300) "
        "WHEN {u} < 0.4 THEN {v} * 2 - 1 WHEN {u} < 0.6 THEN {v} * 720 - 360 "
        "WHEN {u} < 0.7 THEN CAST({h} % 201 AS DOUBLE) - 100 "
        "WHEN {u} < 0.8 THEN {v} * 1500 - 750 ELSE {v} * 2e4 - 1e4 END"
    ),
    "Int64": (
        "CASE WHEN {u} < 0.5 THEN CAST({h} % 2001 AS BIGINT) - 1000"
        " WHEN {u} < 0.8 THEN CAST({h} % 4294967296 AS BIGINT)"
        " ELSE CAST(CAST({h} AS HUGEINT) - 9223372036854775808 AS BIGINT) END"
    ),
    "Bool": "{h} % 2 = 0",
    "String": (
        "CASE WHEN {u} < 0.3 THEN chr(97 + CAST({h} % 26 AS INTEGER))"
        " WHEN {u} < 0.6 THEN 'k' || CAST({h} % 500 AS VARCHAR)"
        " WHEN {u} < 0.8 THEN ' A,b ' || CAST({h} % 100 AS VARCHAR) || ',' || chr(200 + CAST({h} % 5000 AS INTEGER))"
        " ELSE chr(128512 + CAST({h} % 60 AS INTEGER)) || 'X' || CAST({h} AS VARCHAR) END"
    ),
    "Timestamp": (
        "make_timestamptz(CASE WHEN {u} < 0.7 THEN -2208988800000000 + CAST({v} * 6311433600 AS BIGINT) * 1000000"
        " + CAST({h} % 1000000 AS BIGINT)"
        " ELSE -62135596800000000 + CAST({v} * 315537897599 AS BIGINT) * 1000000 END)"
    ),
}
"""How a value of each type is drawn: {u} and {v} are uniform in [0, 1), {h} is a whole number of 64 bits."""


def make_columns(columns: Mapping[str, Type], rows: int, seed: int, *, first: int = 0) -> pa.Table:
    """A table of `rows` rows with the given columns, the same for the same seed.

    Every hard value of a column's type stands in it once at the head; after that one value in twenty is a hard one and
    one in thirty is missing.

    Args:
        columns: The type of each column, by name.
        rows: How many rows.
        seed: Another seed gives other rows.
        first: The number of the first row: a long table can be made piece by piece.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        drawn = []
        for place, (name, type_) in enumerate(columns.items()):
            hard = VALUES[type_] if type_ in VALUES else _hard_vectors(type_)
            connection.register(f"hard_{place}", _number(type_, hard))
            drawn.append(_draw(place, name, type_, len(hard), seed))
        joins = " ".join(
            f"LEFT JOIN hard_{place} ON hard_{place}.place = drawn.hard_{place}" for place in range(len(columns))
        )
        picked = ", ".join(
            f"CASE WHEN drawn.hard_{place} IS NULL THEN drawn.{quote_name(name)} ELSE hard_{place}.value END"
            f" AS {quote_name(name)}"
            for place, name in enumerate(columns)
        )
        query = (
            f'WITH drawn AS (SELECT row AS "$row", {", ".join(drawn)}'
            f" FROM range({first}, {first + rows}) AS numbers(row)) "
            f'SELECT drawn."$row", {picked} FROM drawn {joins} ORDER BY drawn."$row"'
        )
        return connection.execute(query).to_arrow_table()


def _number(type_: Type, values: list[Any]) -> pa.Table:
    rows = [{"place": place, "value": value} for place, value in enumerate(values)]
    return tabulate_rows({"place": INT64, "value": type_}, rows)


def _hard_vectors(type_: Type) -> list[Any]:
    """Vectors of hard numbers, a missing one, and one with a missing element."""
    size = type_.size or 0
    whole = [[FLOATS[(start + step) % len(FLOATS)] for step in range(size)] for start in range(len(FLOATS))]
    return [None, [0.0] * size, [1.0] * size, *whole]


def _draw(place: int, name: str, type_: Type, hard: int, seed: int) -> str:
    """The SQL of a drawn value, and beside it which hard one stands in its place, if any."""

    def bits(salt: int) -> str:
        return f"hash(row * 1000003 + {seed * 7919 + place * 101 + salt})"

    def fraction(salt: int) -> str:
        return f"(CAST({bits(salt)} >> 11 AS DOUBLE) / 9007199254740992e0)"

    if type_.name == "Vector":
        elements = [
            _DRAWS["Float64"].format(u=fraction(10 + k), v=fraction(500 + k), h=bits(900 + k))
            for k in range(type_.size or 0)
        ]
        value = f"[{', '.join(elements)}]"
    else:
        value = _DRAWS[type_.name].format(u=fraction(1), v=fraction(2), h=bits(3))
    missing = f"CASE WHEN {fraction(4)} >= 0.03 THEN {value} END"
    chosen = f"CASE WHEN row < {hard} THEN row WHEN {fraction(5)} < 0.05 THEN CAST({bits(6)} % {hard} AS BIGINT) END"
    return f"{missing} AS {quote_name(name)}, {chosen} AS hard_{place}"
