"""A comparison is Python's, and missing where a side is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from skewcheck.errors import DeclarationError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.both_engines import apply, column

B, N, S, T, X = (
    column(name, type_) for name, type_ in {"b": BOOL, "n": INT64, "s": STRING, "t": TIMESTAMP, "x": FLOAT64}.items()
)
NOON = datetime(2024, 2, 29, 12, tzinfo=UTC)

COMPARED = {
    "floats": [-math.inf, -1.0, -0.0, 0.0, 5e-324, 1.0, math.nan, None],
    "integers": [-(2**63), -1, 0, 2**53, 2**53 + 1, 2**63 - 1, None],
    "strings": ["", "\x00", "A", "Z", "a", "ab", "é", "\uffff", "😀", None],
    "truths": [False, True, None],
    "instants": [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 1, 1, tzinfo=UTC),
        None,
    ],
}


@pytest.mark.parametrize("kind", COMPARED)
def test_a_comparison_is_pythons_and_missing_where_either_side_is(kind: str) -> None:
    pairs = list(itertools.product(COMPARED[kind], repeat=2))

    def expected(compare: Any) -> list[Any]:
        return [None if _is_missing(x) or _is_missing(y) else compare(x, y) for x, y in pairs]

    assert apply(lambda x, y: x == y, pairs) == expected(lambda x, y: x == y)
    assert apply(lambda x, y: x != y, pairs) == expected(lambda x, y: x != y)
    if kind != "truths":
        assert apply(lambda x, y: x < y, pairs) == expected(lambda x, y: x < y)
        assert apply(lambda x, y: x <= y, pairs) == expected(lambda x, y: x <= y)
        assert apply(lambda x, y: x > y, pairs) == expected(lambda x, y: x > y)
        assert apply(lambda x, y: x >= y, pairs) == expected(lambda x, y: x >= y)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and not math.isfinite(value))


def test_an_int64_beside_a_float64_is_compared_as_one() -> None:
    assert apply(lambda x, y: x == y, [(2**53 + 1, 2.0**53), (2, 2.0), (2, 2.5)]) == [True, True, False]


@pytest.mark.parametrize("kind", ["floats", "integers", "strings", "instants"])
def test_between_is_two_comparisons(kind: str) -> None:
    triples = list(itertools.product([*COMPARED[kind][:6], None], repeat=3))
    found = apply(lambda x, low, high: x.between(low, high), triples)
    assert found == apply(lambda x, low, high: (x >= low) & (x <= high), triples)
    assert [truth for truth, triple in zip(found, triples, strict=True) if not any(map(_is_missing, triple))] == [
        low <= x <= high for x, low, high in triples if not any(map(_is_missing, (x, low, high)))
    ]


def test_between_takes_whole_numbers_beside_floats() -> None:
    assert apply(lambda n: n.between(1, 2.5), [(1,), (2,), (3,), (None,)]) == [True, True, False, None]
    assert apply(lambda x: x.between(1, 2), [(1.0,), (2.0,), (2.1,), (math.nan,)]) == [True, True, False, None]


def test_an_instant_is_compared_with_a_constant_of_any_zone() -> None:
    in_tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    rows = [(NOON - timedelta(microseconds=1),), (NOON,), (None,)]
    assert apply(lambda t: t < in_tokyo, rows) == [True, False, None]
    assert apply(lambda t: t == in_tokyo, rows) == [False, True, None]
    assert apply(lambda t: in_tokyo <= t, rows) == [False, True, None]
    assert str(T.at_least(in_tokyo)) == str(T.at_least(NOON))


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: S == 5, "String and Int64"),
        (lambda: S > NOON, "String and Timestamp"),
        (lambda: T == "2024-02-29", "Timestamp and String"),
        (lambda: T > 5, "Timestamp and Int64"),
        (lambda: B == 1, "Bool and Int64"),
        (lambda: B < True, "less takes .*, and `b` is Bool"),
        (lambda: X == S, "Float64 and String"),
        (lambda: X.between("a", "b"), "Float64 and String and String"),
        (lambda: S.between("a", 5), "String and String and Int64"),
        (lambda: X.between(1), "between takes 3 values"),
        (lambda: T.between(NOON, NOON.replace(tzinfo=None)), "no time zone"),
        (lambda: T.equals(date(2024, 2, 29)), "a date .* cannot be part"),
        (lambda: X == None, "None is no constant"),  # noqa: E711
        (lambda: X.equals(math.inf), "finite"),
        (lambda: column("m", FLOAT64, "meter") < column("s", FLOAT64, "second"), "meter and .* in second"),
        (lambda: column("m", FLOAT64, "meter").between(column("k", FLOAT64, "kilometer"), 5), "kilometer"),
    ],
)
def test_what_cannot_be_meant_is_refused(build: Callable[[], Any], match: str) -> None:
    with pytest.raises(DeclarationError, match=match):
        build()
