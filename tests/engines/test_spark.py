"""Spark gives the bits that Python gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import cycle, product
from typing import Any

import pytest

from skewcheck.engines.query import TABLES
from skewcheck.engines.spark import INLINE_ENTRIES, SPELLINGS
from skewcheck.language.primitives import PRIMITIVES
from skewcheck.language.terms import (
    Term,
    call,
    choose,
    column,
    equal,
    finite,
    literal,
    missing,
    pack,
    restrict,
)
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.adversarial import FLOATS, INSTANTS, INTEGERS, STRINGS
from tests.both_engines import Row
from tests.spark_engine import evaluate_in_spark

X, Y = column("x", FLOAT64), column("y", FLOAT64)
N, M = column("n", INT64), column("m", INT64)
A, B = column("a", BOOL), column("b", BOOL)
S, T = column("s", STRING), column("t", STRING)
AT = column("at", TIMESTAMP)
SMALL_N, SMALL_M = N % 1000, M % 1000
VECTOR, OTHER_VECTOR = pack(X, Y, X, literal(0.1)), pack(Y, Y, literal(1e300), X)

SEPARATORS = [",", "a", "aa", ".", "\\", "\\E", "\\Q\\E", "\x00", "é", "\U0001f469", "$", "${x}", "'", "[^a]", " "]
CUT = [
    "a,b,,c,",
    "aaaaa",
    ",",
    "a.b.c",
    "\\E\\Q\\E",
    "a\\",
    "${x}${y}",
    "x$y",
    "[^a][^a]",
    "it's",
    "aéa\U0001f469é",
    "  ",
]
PATTERNS = ["a+b", "^[A-Z]{2,}$", "(b|c)", "x?(,+)c", "(a)?b", "[0-9]+(\\.[0-9]+)?", "\\\\E", "é(.)?"]

KEYS = [key for key in STRINGS + CUT if key is not None]
NUMBERS = [key for key in INTEGERS if key is not None]


def tables(keys: Sequence[Any]) -> Iterable[tuple[tuple[Any, Any], ...]]:
    """Tables with values of every type, as expressions and, with more entries, as joins."""
    values: list[list[Any]] = [
        list(range(len(keys))),
        [2**63 - 1 - place for place in range(len(keys))],
        [(0.1 + place) * 10.0 ** (place - 10) for place in range(len(keys))],
        [place % 3 == 0 for place in range(len(keys))],
        [str(key)[:50] + "," for key in keys],
    ]
    for row in values:
        yield tuple(zip(keys, row, strict=True))
        yield tuple(zip(keys, row, strict=True))[: INLINE_ENTRIES - 2]


TERMS: dict[str, list[Term]] = {
    "add": [X + Y, X + 1.0, X + -0.0],
    "subtract": [X - Y, literal(1e-300) - X],
    "multiply": [X * Y, X * 0.1],
    "divide": [X / Y, literal(1.0) / X],
    "quotient": [X / 3.0, X / 5e-324, X / -1e308],
    "square_root": [call("square_root", X)],
    "floor": [call("floor", X), call("floor", finite(X * 0.37))],
    "absolute": [call("absolute", X)],
    "exponent": [call("exponent", restrict(X, X > 0.0))],
    "power_of_two": [call("power_of_two", N % 2098 - 1074)],
    "finite": [finite(X * Y), finite(X / Y) + 1.0],
    "integer_add": [SMALL_N + SMALL_M, N // 2 + 2**62, (N // 2 + 2**62) + -5, ((N // 2 - 2**62) + 2**62) + 2**62],
    "integer_subtract": [SMALL_N - SMALL_M, literal(0) - N // 2],
    "integer_multiply": [SMALL_N * SMALL_M, N // 4 * 4, N // 4 * -4],
    "checked_add": [N + M, N + 1, (N + 2**62) + 2**62, (N + (2**63 - 1)) + -1],
    "checked_subtract": [N - M, literal(-1) - N, (N - 1) - -1],
    "checked_multiply": [N * M, N * -1, N * 2**62 * 0],
    "floor_divide": [N // d for d in (1, 2, 7, 86_400_000_000, 2**63 - 1)] + [SMALL_N // 7],
    "floor_modulo": [N % d for d in (1, 2, 7, 86_400_000_000, 2**63 - 1)] + [SMALL_N % 7],
    "integer_quotient": [call("integer_quotient", N, d) for d in (M, literal(-1), literal(3), literal(0))],
    "to_float": [call("to_float", N), call("to_float", SMALL_N)],
    "to_integer": [call("to_integer", call("floor", X))],
    "to_text": [call("to_text", N), call("to_text", SMALL_N)],
    "equal": [equal(X, Y), equal(N, M), equal(A, B), equal(S, T), equal(X, -0.0), equal(S, "\x00"), equal(S, "${x}")],
    "less": [X < Y, N < M, A < B, S < T, X < 0.0, call("less", S, literal("a"))],
    "less_or_equal": [X <= Y, N <= M, A <= B, S <= T, call("to_float", N) <= 2.0**53],
    "and": [A & B, A & (X < Y), A & missing(BOOL)],
    "or": [A | B, A | (X < Y), A | missing(BOOL)],
    "not": [~A, ~(A | ~B)],
    "is_missing": [call("is_missing", term) for term in (X, N, A, S, AT, X / Y)],
    "coalesce": [call("coalesce", X, Y), call("coalesce", N, M), call("coalesce", S, T), call("coalesce", A, B)],
    "choose": [choose(A, X, Y), choose(X < Y, N, M), choose(A, S, literal("")), choose(A, missing(FLOAT64), X)],
    "restrict": [restrict(X, A), restrict(S, ~A), restrict(N, X < Y), restrict(pack(X, Y), A)],
    "locate": [call("locate", X, parameter=edges) for edges in ((), (0.0,), (-1e300, -1.0, -5e-324, 0.1, 1.5, 1e308))],
    "interval": [
        call("interval", N, parameter=((-(2**63) + 1, -1, 0, 24, 2**53), (5, -(2**63), 2**63 - 1, 0, -1, 7))),
        call("interval", X, parameter=((0.0, 1.0), (1, 2, 3))),
    ],
    "element": [call("element", N % 3, parameter=values) for values in ((0.1, -0.0, 5e-324), (1, -(2**63), 3))]
    + [call("element", N % 3, parameter=values) for values in ((True, False, True), ("", "\x00'", "\\"))],
    "lookup": [call("lookup", S, parameter=table) for table in tables(KEYS)]
    + [call("lookup", N, parameter=table) for table in tables(NUMBERS)],
    "lower": [call("lower", S)],
    "upper": [call("upper", S)],
    "strip": [call("strip", S)],
    "length": [call("length", S), call("length", S) * 2**40],
    "concatenate": [call("concatenate", S, T), call("concatenate", S, literal("\\'\x00${x}"))],
    "contains": [call("contains", S, T), *(call("contains", S, literal(text)) for text in SEPARATORS)],
    "starts_with": [call("starts_with", S, T), call("starts_with", S, literal("a"))],
    "ends_with": [call("ends_with", S, T), call("ends_with", S, literal("\U0001f469"))],
    "replace": [call("replace", S, literal(old), literal(new)) for old in SEPARATORS for new in ("", "$1\\", old * 2)],
    "substring": [
        call("substring", S, literal(start), literal(count))
        for start in (0, 1, 3, 2**31 - 1, 2**31, 2**32, 2**63 - 1)
        for count in (0, 1, 2, 2**31 - 1, 2**31, 2**63 - 1)
    ],
    "part": [call("part", S, literal(cut), literal(place)) for cut in SEPARATORS for place in (0, 1, 3)],
    "count_item": [call("count_item", S, literal(cut), literal(item)) for cut in SEPARATORS for item in ("", "a", "c")],
    "matches": [call("matches", S, parameter=pattern) for pattern in PATTERNS],
    "extract": [call("extract", S, parameter=pattern) for pattern in PATTERNS if "(" in pattern],
    "digest": [call("digest", S), call("digest", T) % 1000],
    "ngram_counts": [
        call("ngram_counts", call("substring", S, literal(0), literal(9)), literal(n), literal(b))
        for n, b in ((1, 1), (2, 7), (3, 16), (20, 2))
    ]
    + [
        # Longer than a block, so that what crosses its end is counted once.
        call("ngram_counts", call("substring", S, literal(0), literal(600)), literal(n), literal(b))
        for n, b in ((2, 1000), (257, 3))
    ],
    "microseconds": [call("microseconds", AT), call("microseconds", AT) // 86_400_000_000],
    "instant": [call("instant", N), call("instant", call("microseconds", AT) + 1), AT],
    "pack": [pack(X, Y), pack(literal(1.0)), pack(call("to_float", SMALL_N), X)],
    "component": [call("component", VECTOR, literal(place)) for place in (0, 3)],
    "dot": [call("dot", VECTOR, OTHER_VECTOR), call("dot", pack(X, Y), pack(Y, X)) * 2.0],
    "scale_vector": [call("scale_vector", VECTOR, Y), call("scale_vector", pack(X), literal(0.1))],
}
"""Terms in which each primitive stands, with constants where it takes constants."""


def hard_rows() -> list[Row]:
    """Every hard number meets every other; and every hard text every other, but for the long ones."""
    brief = [text for text in STRINGS + CUT if text is None or len(text) < 100]
    pairs: dict[tuple[str, str], list[Any]] = {
        ("x", "y"): list(product(FLOATS, FLOATS)),
        ("n", "m"): list(product(INTEGERS, INTEGERS)),
        ("a", "b"): list(product([None, True, False], repeat=2)),
        ("s", "t"): [*product(brief, brief), *((text, "A") for text in STRINGS)],
        ("at",): [(value,) for value in INSTANTS],
    }
    count = max(map(len, pairs.values()))
    lanes = [[dict(zip(names, pair, strict=True)) for pair in values] for names, values in pairs.items()]
    return [
        {name: value for part in parts for name, value in part.items()}
        for parts, _ in zip(zip(*map(cycle, lanes), strict=False), range(count), strict=False)
    ]


@pytest.mark.parametrize("group", range(4))
def test_every_primitive_gives_what_it_gives_in_python(group: int) -> None:
    terms = {f"{name}_{place}": term for name, row in TERMS.items() for place, term in enumerate(row)}
    evaluate_in_spark(dict(list(terms.items())[group::4]), hard_rows())


def test_every_primitive_is_spelled_and_tested() -> None:
    assert set(SPELLINGS) | TABLES == set(PRIMITIVES) - {"opaque"}
    assert set(TERMS) == set(SPELLINGS) | TABLES
    for name, terms in TERMS.items():
        assert any(name in {part.name for part in [term, *term.arguments]} for term in terms), name
