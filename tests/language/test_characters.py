"""Sets of characters as ranges: what is in them, what is not, and how a pattern writes them."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language.characters import LAST, complement, normalise, overlap, single, write_set

EDGES = [0, 1, 31, 32, 45, 46, 92, 93, 94, 97, 127, 160, 0xD7FE, 0xD7FF, 0xE000, 0xE001, 0xFFFF, LAST - 1, LAST]
codes = st.sampled_from(EDGES)
ranges = st.lists(st.tuples(codes, codes).map(lambda pair: (min(pair), max(pair))), max_size=5).map(normalise)


def within(code: int, of: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in of)


@given(ranges)
def test_a_character_is_in_a_set_or_in_its_complement(of: tuple[tuple[int, int], ...]) -> None:
    others = complement(of)
    assert complement(others) == of
    assert all(within(code, of) != within(code, others) for code in EDGES)
    assert not overlap(of, others)
    assert not of or overlap(of, ((0, LAST),))


@given(ranges.filter(bool))
def test_what_is_written_holds_the_same_characters(of: tuple[tuple[int, int], ...]) -> None:
    written = re.compile(write_set(of))
    assert [bool(written.fullmatch(chr(code))) for code in EDGES] == [within(code, of) for code in EDGES]
    assert write_set(of).encode()


def test_neighbours_are_one_range_also_around_the_surrogates() -> None:
    assert normalise([(98, 99), (97, 97), (0xE000, 0xE000), (0xD7FF, 0xD7FF)]) == ((97, 99), (0xD7FF, 0xE000))
    assert write_set(normalise([*single("a"), *single("b"), *single("d")])) == "[abd]"
