"""Text and categories: code points, ASCII case and space only, one digest everywhere."""

from __future__ import annotations

from hashlib import md5
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.adversarial import STRINGS, texts
from tests.both_engines import apply, column

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


@given(many, st.text("aé,", min_size=1, max_size=2))
@settings(max_examples=20, deadline=None)
def test_searching_and_cutting_is_what_python_does(values: list[str], needle: str) -> None:
    rows = [(value,) for value in [*values, needle.join(["", *values])]]
    texts_given = [value for (value,) in rows]
    assert apply(lambda x: x.contains(needle), rows) == [needle in value for value in texts_given]
    assert apply(lambda x: x.replace(needle, "é"), rows) == [value.replace(needle, "é") for value in texts_given]
    expected = [value.split(needle)[1] if needle in value else None for value in texts_given]
    assert apply(lambda x: x.part(needle, 1), rows) == expected


def test_ngrams_fall_into_the_buckets_that_their_hash_gives() -> None:
    (counts,) = apply(lambda x: x.ngram_hash(2, 50), [("abab",)])
    (ab, ba) = apply(lambda x: x.hash_bucket(50), [("ab",), ("ba",)])
    assert (counts[ab], counts[ba], sum(counts)) == (2.0, 1.0, 3.0)


def test_whole_numbers_can_be_crossed_as_text() -> None:
    rows = [("a", -1), ("a", None), (None, 2)]
    assert apply(lambda x, n: x.cross(n.to_text()), rows) == ["a\x1f-1", None, None]


def test_what_was_extracted_is_text_like_any_other() -> None:
    rows = [("Mail ANNA@Example.COM now",), ("nobody",), (None,)]
    domain = r"@([\w.]+)\s"
    assert apply(lambda x: x.extract(domain).lower().part(".", 0), rows) == ["example", None, None]
    assert apply(lambda x: x.lower().matches("^mail [a-z]+@"), rows) == [True, False, None]


X, N, F = column("x", STRING), column("n", INT64), column("f", FLOAT64)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: X.replace("", "a"), "old must be a string of at least one character, and is ''"),
        (lambda: X.replace("a", None), "new must be a string, and is None"),
        (lambda: X.replace("\ud800", "a"), "lone surrogate"),
        (lambda: X.substring(-1, 2), "start must be a whole number from 0 to 1000000000, and is -1"),
        (lambda: X.substring(0, 0), "length must be a whole number from 1"),
        (lambda: X.substring(0, True), "length must be a whole number"),
        (lambda: X.substring(0, 2.0), "length must be a whole number"),
        (lambda: X.part("", 0), "separator must be a string of at least one character"),
        (lambda: X.part(",", -1), "index must be a whole number from 0 to 1000, and is -1"),
        (lambda: X.part(",", 1001), "index must be a whole number from 0 to 1000"),
        (lambda: X.matches("a("), "a group that is not closed at position 1"),
        (lambda: X.matches(3), "pattern must be a string"),
        (lambda: X.extract("a"), r"has no group; put \(\.\.\.\) around what to extract"),
        (lambda: X.extract("(a"), "not closed at position 0"),
        (lambda: X.ngram_hash(0, 10), "n must be a whole number from 1 to 16"),
        (lambda: X.ngram_hash(17, 10), "n must be a whole number from 1 to 16"),
        (lambda: X.ngram_hash(3, 4097), "buckets must be a whole number from 1 to 4096"),
        (lambda: F.to_text(), "Float64, which engines print differently"),
        (lambda: column("b", BOOL).to_text(), "takes Int64, and this is Bool"),
        (lambda: column("t", TIMESTAMP).to_text(), "takes Int64, and this is Timestamp"),
        (lambda: X.contains(N), "contains takes String, and `n` is Int64"),
        (lambda: N.upper(), "upper takes String, and `n` is Int64"),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_declared(build: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        build()
