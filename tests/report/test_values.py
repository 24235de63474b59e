"""Values, counts, rates and times as people read them."""

from __future__ import annotations

import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.report.values import (
    escape_hidden,
    flow_text,
    format_count,
    format_difference,
    format_hash,
    format_input,
    format_pair,
    format_rate,
    format_span,
    format_time,
    format_value,
)
from skewcheck.verdict import plain_value

any_text = st.text(st.characters(exclude_categories=()), max_size=60)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | any_text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 29_425, "0%"),
        (29_425, 29_425, "100%"),
        (29_424, 29_425, "99.997%"),
        (1, 29_425, "0.0034%"),
        (4_818, 29_425, "16.4%"),
        (1, 2, "50.0%"),
        (0, 0, "—"),
    ],
)
def test_a_rate_has_as_many_digits_as_it_takes(part: int, whole: int, text: str) -> None:
    assert format_rate(part, whole) == text


@given(st.integers(1, 10**15).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_rate_is_nothing_or_everything_only_when_it_is(counts: tuple[int, int]) -> None:
    part, whole = counts
    percent = Decimal(format_rate(part, whole).removesuffix("%"))
    assert (percent == 0) == (part == 0)
    assert (percent == 100) == (part == whole)
    assert abs(percent - Decimal(100 * part) / whole) <= Decimal("0.05")


def test_counts_have_thousands_separators_and_none_is_unknown() -> None:
    assert (format_count(29_425), format_count(0), format_count(None)) == ("29,425", "0", "unknown")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "—"),
        (1204.25, "1,204"),
        (3.2e-05, "3.2e-05"),
        (0.81634, "0.8163"),
        (float("inf"), "Infinity"),
        (0.0, "0"),
    ],
)
def test_differences_are_short(number: float | None, text: str) -> None:
    assert format_difference(number) == text


@pytest.mark.parametrize(
    ("served", "replayed", "texts"),
    [
        (1.2141, 0.0341, ("1.2141", "0.0341")),
        (0.1 + 0.2, 0.3, ("0.30000000000000004", "0.3")),
        (1, 1.0, ("1", "1.0")),
        (0.0, -0.0, ("0", "-0")),
        (9007199254740993, 9007199254740992.0, ("9007199254740993", "9007199254740992")),
        (None, 0.0, ("missing", "0")),
        (True, 1, ("true", "1")),
        ("1", 1, ('"1"', "1")),
        ("", None, ('""', "missing")),
        ("EGE", "EGE\u00a0", ('"EGE"', '"EGE\\xa0"')),
        ("\u00e9", "e\u0301", ('"\\xe9"', '"e\\u0301"')),
        ([0.0, 1.0], [1.0, 0.0], ("[0, 1]", "[1, 0]")),
        ([1.0], [1.0, 2.0], ("[1]", "[1, 2]")),
        (float("nan"), 1.0, ("NaN", "1")),
    ],
)
def test_a_pair_visibly_differs(served: Any, replayed: Any, texts: tuple[str, str]) -> None:
    assert format_pair(served, replayed) == texts


def test_of_long_vectors_the_places_that_differ_are_shown() -> None:
    served, replayed = [0.0] * 64, [0.0] * 64
    served[12], replayed[40] = 1.0, 1.0
    assert format_pair(served, replayed) == ("[12]: 1, [40]: 0", "[12]: 0, [40]: 1 (2 of 64 values differ)")


def test_of_long_strings_the_first_difference_is_shown() -> None:
    assert format_pair("a" * 50 + "b", "a" * 50 + "c") == (
        '…"aaaaaaaaaab" (51 characters)',
        '…"aaaaaaaaaac" (51 characters)',
    )


@given(scalars, scalars)
def test_values_that_differ_never_print_the_same(served: Any, replayed: Any) -> None:
    served, replayed = plain_value(served), plain_value(replayed)
    if json.dumps(served) != json.dumps(replayed):
        left, right = format_pair(served, replayed)
        assert left != right


@given(st.floats(), st.floats())
def test_a_pair_prints_the_same_before_and_after_it_was_written(served: float, replayed: float) -> None:
    assert format_pair(served, replayed) == format_pair(plain_value(served), plain_value(replayed))


@given(any_text | st.lists(any_text) | st.dictionaries(any_text, any_text))
def test_no_value_prints_a_character_that_a_terminal_or_browser_obeys(value: Any) -> None:
    for character in format_value(value):
        assert character == " " or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp", "Zs"}


@given(any_text)
def test_escaping_twice_is_escaping_once(text: str) -> None:
    assert escape_hidden(escape_hidden(text)) == escape_hidden(text)


def test_hidden_characters_become_visible() -> None:
    assert escape_hidden("\x1b[31mred\x00\u202e\ufffe\U000e0001") == "\\x1b[31mred\\0\\u202e\\ufffe\\U000e0001"
    assert escape_hidden("Zürich → 東京") == "Zürich → 東京"


def test_messages_become_one_line() -> None:
    assert flow_text("no footer\n  in\tpart-01\x07") == "no footer in part-01\\x07"


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2013-07-01T04:00:05+00:00", "2013-07-01 04:00:05"),
        ("2013-07-01T00:00:05-04:00", "2013-07-01 04:00:05"),
        ("2013-07-01T04:00:05Z", "2013-07-01 04:00:05"),
        ("2013-07-01 04:00:05", "2013-07-01 04:00:05"),
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00"),
        ("soon\x1b", "soon\\x1b"),
        (None, "unknown"),
    ],
)
def test_times_are_utc_and_what_is_no_time_stays_as_it_is(time: str | None, text: str) -> None:
    assert format_time(time) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2013-07-01T04:00:00Z", "2013-07-31T23:59:00Z", "2013-07-01 … 2013-07-31"),
        ("2013-07-01T04:00:00Z", "2013-07-01T09:30:00Z", "2013-07-01 04:00 … 09:30 UTC"),
        ("2013-07-01T04:00:01Z", "2013-07-01T04:00:02Z", "2013-07-01 04:00:01 … 04:00:02 UTC"),
        ("2013-07-01T04:00:00Z", "2013-07-01T04:00:00Z", "2013-07-01 04:00:00 UTC"),
        ("2013-07-01T04:00:00Z", None, "2013-07-01 04:00:00 … unknown"),
        ("soon", "soon", "soon"),
        (None, None, ""),
    ],
)
def test_spans_are_as_long_as_they_need_to_be(first: str | None, last: str | None, text: str) -> None:
    assert format_span(first, last) == text


def test_hashes_are_short_and_named_when_they_were_not_logged() -> None:
    assert format_hash("sha256:4c1f0e9ad7b25c3380a1") == "4c1f0e9ad7b2"
    assert format_hash("4c1f0e9ad7b25c3380a1") == "4c1f0e9ad7b2"
    assert format_hash(None) == "not logged"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2013-07-01T05:00:00+00:00", "2013-07-01 05:00:00"),
        ("2013-07-01T05:00:00Z", "2013-07-01 05:00:00"),
        ("2013-07-01T05:00:00.000250+02:00", "2013-07-01 03:00:00.000250"),
        ("2013-07-01", '"2013-07-01"'),
        ("2013-07-01T05:00:00", '"2013-07-01T05:00:00"'),
        ("2013-13-01T05:00:00Z", '"2013-13-01T05:00:00Z"'),
        ("JFK", '"JFK"'),
        (None, "missing"),
        (71.06, "71.06"),
    ],
)
def test_an_input_is_a_value_and_an_instant_reads_as_a_time(value: Any, text: str) -> None:
    assert format_input(value) == text
