"""Text and vector primitives mean on both engines what `skewcheck.language.primitives` says, for every hard string."""

from __future__ import annotations

import math
import re
from hashlib import md5
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.language.terms import Term, call, column, literal
from skewcheck.language.types import FLOAT64, INT64, STRING, vector
from tests.adversarial import INTEGERS, STRINGS, texts
from tests.both_engines import evaluate_terms

TEXT = column("text", STRING)
OTHER = column("other", STRING)
LOWER = "abcdefghijklmnopqrstuvwxyz"
SHORT = [text for text in STRINGS if text is None or len(text) < 5000]
NEEDLES = ["", "a", "aa", "\x00", "\u0301", "e", "é", "\u200d", "\U0001f469", " ", ",", "\\", "'", "A" * 200, "%", "_"]
PLACES = [0, 1, 2, 5, 999, 99_999, 100_000, 10**9]

many = st.lists(texts | st.sampled_from(SHORT[1:]), min_size=1, max_size=12)


def run(rows: list[tuple[str | None, ...]], **terms: Term) -> list[tuple[Any, ...]]:
    """What the terms give for texts, and for a second one beside each, the same on both engines."""
    given_rows = [dict(zip(("text", "other"), (*row, None), strict=False)) for row in rows]
    return [tuple(row.values()) for row in evaluate_terms(terms, given_rows)]


def one_by_one(values: list[str | None], term: Term) -> list[Any]:
    return [value for (value,) in run([(value,) for value in values], result=term)]


def test_upper_knows_ascii_alone() -> None:
    table = str.maketrans(LOWER, LOWER.upper())
    assert one_by_one(STRINGS, call("upper", TEXT)) == [text and text.translate(table) for text in STRINGS]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contains", lambda text, part: part in text),
        ("starts_with", lambda text, part: text.startswith(part)),
        ("ends_with", lambda text, part: text.endswith(part)),
    ],
)
def test_searches_compare_code_points_and_find_the_empty_string(name: str, expected: Any) -> None:
    pairs = [*product(SHORT, [*SHORT[::3], *NEEDLES]), *product(STRINGS, NEEDLES)]
    found = run(pairs, result=call(name, TEXT, OTHER))
    assert found == [(None if None in pair else expected(*pair),) for pair in pairs]


@pytest.mark.parametrize("old", NEEDLES[1:])
@pytest.mark.parametrize("new", ["", "aa", "\x00é"])
def test_replace_goes_from_the_left_without_overlap(old: str, new: str) -> None:
    values = [*STRINGS, "aaaaa", "aXaaXa", "e\u0301e"]
    expected = [text and text.replace(old, new) for text in values]
    assert one_by_one(values, call("replace", TEXT, literal(old), literal(new))) == expected


@pytest.mark.parametrize("start", PLACES)
def test_substrings_are_cut_between_code_points(start: int) -> None:
    counts = [0, *PLACES[1:]]
    terms = {f"take_{count}": call("substring", TEXT, literal(start), literal(count)) for count in counts}
    expected = [tuple(None if t is None else t[start : start + count] for count in counts) for t in STRINGS]
    assert run([(text,) for text in STRINGS], **terms) == expected


@pytest.mark.parametrize("separator", NEEDLES[1:])
def test_parts_may_be_empty_and_too_few(separator: str) -> None:
    values = [*STRINGS, "a,b,,c", ",", "aaa", "e\u0301e", "a\x00\x00b", "👩\u200d👩"]
    terms = {f"part_{k}": call("part", TEXT, literal(separator), literal(k)) for k in (0, 1, 2, 1000)}
    terms["count"] = call("count_item", TEXT, literal(separator), literal("a"))
    expected = []
    for text in values:
        pieces = [] if text is None else text.split(separator)
        parts = [pieces[k] if k < len(pieces) else None for k in (0, 1, 2, 1000)]
        expected.append((*parts, None if text is None else pieces.count("a")))
    assert run([(text,) for text in values], **terms) == expected


@given(many, st.text("ab,é\x00", min_size=1, max_size=3))
@settings(max_examples=30)
def test_cuts_agree_with_python_on_any_text(values: list[str], needle: str) -> None:
    values = [*values, *(needle.join(values[:3]) + needle for _ in range(1))]
    expected = [
        (t.replace(needle, "-"), t.split(needle)[0], t.split(needle).count(""), t[1:4], needle in t) for t in values
    ]
    found = run(
        [(text,) for text in values],
        replaced=call("replace", TEXT, literal(needle), literal("-")),
        first=call("part", TEXT, literal(needle), literal(0)),
        empty=call("count_item", TEXT, literal(needle), literal("")),
        middle=call("substring", TEXT, literal(1), literal(3)),
        within=call("contains", TEXT, literal(needle)),
    )
    assert found == expected


PATTERNS = [
    r"\Aa",
    r"a\z",
    r"[^\x0a]{3}",
    r"[\x00-\x1f]",
    r"[^0-9A-Z_a-z]",
    r"\A\z",
    r"(?:a|aB)\z",
    r"\x5c",
    "[é-\U0010ffff]",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_searched_in_every_string(pattern: str) -> None:
    values = [*STRINGS, "a\n", "\na", "aB\n", "a\r\n", "a\u2028", "\x85"]
    search = re.compile(pattern.replace(r"\z", r"\Z"), re.ASCII).search
    expected = [None if text is None else search(text) is not None for text in values]
    assert one_by_one(values, call("matches", TEXT, parameter=pattern)) == expected


def test_extract_tells_a_group_that_took_no_part_from_a_pattern_that_is_not_found() -> None:
    values = ["ab", "a", "xaby", "b", "", None, "a\x00b", "ba"]
    assert one_by_one(values, call("extract", TEXT, parameter="a(b)?")) == ["b", "", "b", None, None, None, "", ""]


def test_the_leftmost_alternative_wins_not_the_longest() -> None:
    assert one_by_one(["abc", "cab"], call("extract", TEXT, parameter="(a|ab|abc)")) == ["a", "a"]
    assert one_by_one(["aaab"], call("extract", TEXT, parameter="(a{1,2})")) == ["aa"]


@pytest.mark.parametrize(("size", "buckets"), [(1, 1), (2, 3), (3, 16), (16, 4096)])
def test_ngrams_are_counted_in_every_string_also_across_blocks(size: int, buckets: int) -> None:
    values = [*STRINGS, "é" * 255, "ab" * 128, "abc" * 171, "x" * 271, "👩" * 300]
    expected = []
    for text in values:
        counts = [0.0] * buckets
        for place in range(len(text or "") - size + 1):
            ngram = (text or "")[place : place + size].encode()
            counts[int.from_bytes(md5(ngram, usedforsecurity=False).digest()[:4], "big") % buckets] += 1.0
        expected.append(None if text is None else counts)
    assert one_by_one(values, call("ngram_counts", TEXT, literal(size), literal(buckets))) == expected


def test_whole_numbers_are_printed_in_decimal() -> None:
    found = evaluate_terms({"text": call("to_text", column("n", INT64))}, [{"n": n} for n in INTEGERS])
    assert [row["text"] for row in found] == [None if n is None else str(n) for n in INTEGERS]


def sum_in_order(left: list[float], right: list[float]) -> float:
    total = 0.0
    for one, other in zip(left, right, strict=True):
        total += one * other
    return total


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 16, 100, 1000])
def test_dot_products_are_added_one_by_one_in_order(size: int) -> None:
    random = Random(size)

    def draw() -> list[float]:
        return [random.choice([random.gauss(0, 1), random.gauss(0, 1e16), 1e16, -1e16, 0.1]) for _ in range(size)]

    rows = [{"left": draw(), "right": draw()} for _ in range(60)]
    cancelling = [1e16, 1.0, -1e16, 1.0] * 250
    rows += [{"left": cancelling[:size], "right": [0.1] * size}, {"left": None, "right": [1.0] * size}]
    term = call("dot", column("left", vector(size)), column("right", vector(size)))
    found = [row["dot"] for row in evaluate_terms({"dot": term}, rows)]
    assert found[-1] is None
    assert found[:-1] == [sum_in_order(row["left"], row["right"]) for row in rows[:-1]]


def test_vector_primitives_give_what_is_missing_or_too_large_as_missing() -> None:
    v, x = column("v", vector(2)), column("x", FLOAT64)
    terms = {
        "first": call("component", v, literal(0)),
        "dot": call("dot", v, v),
        "scaled": call("scale_vector", v, x),
        "packed": call("pack", x, call("component", v, literal(1))),
    }
    rows = [
        {"v": [1.0, -2.0], "x": 0.5},
        {"v": [1e300, 1.0], "x": 1e300},
        {"v": [1.0, math.nan], "x": 1.0},
        {"v": None, "x": 1.0},
        {"v": [1.0, 2.0], "x": None},
    ]
    assert [tuple(row.values()) for row in evaluate_terms(terms, rows)] == [
        (1.0, 5.0, [0.5, -1.0], [0.5, -2.0]),
        (1e300, None, None, [1e300, 1.0]),
        (None, None, None, None),
        (None, None, None, None),
        (1.0, 5.0, None, None),
    ]
