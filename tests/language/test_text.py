"""Text and categories: code points, ASCII case and space only, one digest everywhere."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skewcheck as sk
from tests.adversarial import STRINGS, texts
from tests.both_engines import apply

SPACE = " \t\n\r\f\v"
ASCII = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

many = st.lists(texts | st.sampled_from(STRINGS[1:]), min_size=1, max_size=20)


@given(many)
def test_text_operators_do_what_python_does_to_ascii_and_leave_the_rest(values: list[str]) -> None:
    rows = [(value,) for value in values]
    assert apply(lambda x: x.lower(), rows) == [value.translate(ASCII) for value in values]
    assert apply(lambda x: x.strip(), rows) == [value.strip(SPACE) for value in values]
    assert apply(lambda x: x.length(), rows) == [len(value) for value in values]
    assert apply(lambda x: x.concat("|", x), rows) == [f"{value}|{value}" for value in values]


@given(many)
def test_a_hash_bucket_is_the_first_four_bytes_of_the_md5(values: list[str]) -> None:
    digests = [int.from_bytes(md5(value.encode(), usedforsecurity=False).digest()[:4], "big") for value in values]
    rows = [(value,) for value in values]
    assert apply(lambda x: x.hash_bucket(2), rows) == [digest % 2 for digest in digests]
    assert apply(lambda x: x.hash_bucket(1000), rows) == [digest % 1000 for digest in digests]
    assert apply(lambda x: x.hash_bucket(2**31), rows) == [digest % 2**31 for digest in digests]


@pytest.mark.parametrize(
    ("build", "rows", "expected"),
    [
        # lower() of an engine knows more than ASCII, and each one something else.
        (lambda x: x.lower(), [("İ",), ("ΑΣ",), ("\u212a",), ("ẞX",)], ["İ", "ΑΣ", "\u212a", "ẞx"]),
        # trim() of an engine takes other spaces away.
        (lambda x: x.strip(), [("\u2003x\u00a0",), ("\x1cx\x1f",), ("\v\fx",)], ["\u2003x\u00a0", "\x1cx\x1f", "x"]),
        (lambda x: x.length(), [("e\u0301",), ("👩\u200d👩",), ("\x00",), (None,)], [2, 3, 1, None]),
        # concat() of an engine skips what is missing.
        (lambda x, y: sk.concat(x, y), [("a", None), (None, "b"), ("a", "")], [None, None, "a"]),
        (lambda x, y: sk.cross(x, y), [("a", "b"), ("a\x1f", "b"), ("a", None)], ["a\x1fb", "a\x1f\x1fb", None]),
        (lambda x: x.one_hot(["a", "", "\x00"]), [("",), ("\x00",), ("b",), (None,)],
         [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
        (lambda x: x.one_hot([-1, 2**63 - 1]), [(-1,), (2**63 - 1,), (None,)], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),
    ],
)  # fmt: skip
def test_means_this_on_both_engines(build: Any, rows: list[tuple[Any, ...]], expected: list[Any]) -> None:
    assert apply(build, rows) == expected
