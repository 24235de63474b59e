"""Edits between sequences, against a search over all of them."""

from __future__ import annotations

from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from skewcheck.compare.sequences import count_edits

sequences = st.lists(st.integers(0, 2), max_size=7)


@given(sequences, sequences)
def test_no_fewer_edits_would_do(left: list[int], right: list[int]) -> None:
    @cache
    def fewest(one: int, other: int) -> int:
        if one == len(left) or other == len(right):
            return len(left) - one + len(right) - other
        if left[one] == right[other]:
            return fewest(one + 1, other + 1)
        return 1 + min(fewest(one + 1, other), fewest(one, other + 1))

    edits = count_edits(left, right)
    assert edits.total == fewest(0, 0)
    assert edits.insert - edits.delete == len(left) - len(right)


def test_long_sequences_with_one_difference_are_quick() -> None:
    left = list(range(200_000))
    edits = count_edits(left, [*left[:100_000], -1, *left[100_001:]])
    assert (edits.insert, edits.delete) == (1, 1)
