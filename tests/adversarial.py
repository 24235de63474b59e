"""Values that have broken an engine before, or could: by type, and as Hypothesis strategies."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

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

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Text of any plane, without the lone surrogates that are no Unicode text."""

STRATEGIES: dict[Type, st.SearchStrategy[Any]] = {
    FLOAT64: st.sampled_from(FLOATS) | st.floats() | st.floats(-1e4, 1e4),
    INT64: st.sampled_from(INTEGERS) | st.integers(-(2**63), 2**63 - 1) | st.integers(-100, 100),
    BOOL: st.sampled_from([None, True, False]),
    STRING: st.sampled_from(STRINGS) | texts,
    TIMESTAMP: st.sampled_from(INSTANTS) | st.datetimes(timezones=st.sampled_from([UTC, ZoneInfo("Asia/Tokyo")])),
}
"""For each type values of which many are hard."""
