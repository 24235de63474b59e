"""Patterns: what is written is read alike by Python and RE2, and what they would read differently is refused."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skewcheck.language.patterns import LARGEST, parse_pattern
from skewcheck.language.terms import call, column
from skewcheck.language.types import STRING
from tests.adversarial import STRINGS
from tests.both_engines import evaluate_terms

WRITTEN = {
    "abc": "abc",
    "a.b": r"a[^\x0a]b",
    r"\d+": "[0-9]+",
    r"\D": "[^0-9]",
    r"\w\W": "[0-9A-Z_a-z][^0-9A-Z_a-z]",
    r"\s\S": r"[\x09-\x0d ][^\x09-\x0d ]",
    r"[\s\S]": "[\\x00-\U0010ffff]",
    r"[\w.-]": r"[\-\.0-9A-Z_a-z]",
    r"[-a]": r"[\-a]",
    "[z-za-cb-e]": "[a-ez]",
    "[a]": "a",
    r"[^\W_]": "[0-9A-Za-z]",
    "[\ud7ff\ue000]": "[\ud7ff-\ue000]",
    r"\\z": r"\x5cz",
    r"\.\/\"": r"\./" + '"',
    r"\t\x41\v": r"\x09A\x0b",
    "^a$": r"\Aa\z",
    "^$": r"\A\z",
    "(a)|b": "(a)|b",
    "(?:a|b)?c{2,}": "(?:a|b)?c{2,}",
    "a{0,1}b{1,}c{0,}d{1}e{3,3}": "a?b+c*de{3}",
    "(?:ab|c){2,5}": "(?:ab|c){2,5}",
    "é😀": "é😀",
}


@pytest.mark.parametrize("text", WRITTEN)
def test_the_canonical_form_leaves_nothing_to_an_engine(text: str) -> None:
    assert parse_pattern(text).text == WRITTEN[text]


def test_a_pattern_says_whether_it_captures() -> None:
    assert parse_pattern("a(b)").captures
    assert not parse_pattern(r"a(?:b)\(c\)").captures


REFUSED = {
    "": "empty",
    "a|": "an empty alternative at position 2",
    "|a": "an empty alternative at position 0",
    "(?:a||b)": "an empty alternative at position 5",
    "a()": "an empty group at position 1",
    "(a": r"a group that is not closed at position 0.*write \\\(",
    "a)": r"an unopened \) at position 1",
    "(a)(b)": r"a second group that captures at position 3.*\(\?:\.\.\.\)",
    "a(?=b)": "look-around at position 1",
    "(?<!a)b": "look-around at position 0",
    "(?i)a": "a flag at position 0",
    "(?P<x>a)": "a named group",
    "(?>a)": "another kind",
    r"(a)\1": "a back-reference at position 3",
    r"\bword": "a word boundary at position 0",
    r"\p{L}": "Unicode class",
    r"\Aa": "write \\^ for the beginning",
    r"\q": "the escape",
    "a\\": "the escape",
    "a+?": "lazy or possessive.*at position 2",
    "a*+": "lazy or possessive",
    "a{2}{3}": "a second quantifier",
    "*a": "nothing before it to repeat at position 0",
    "^*": "nothing before it",
    "a^b": r"\^ after the beginning at position 1",
    "a$b": r"\$ before the end at position 1",
    "(a$)": r"\$ before the end",
    "^a|b": r"beside \|.*\^\(\?:a\|b\)\$",
    "a|b$": r"beside \|",
    "a{": r"begins no \{m,n\} at position 1",
    "a{,3}": "begins no",
    "a{3,2}": "the bounds",
    "a{0}": "the bounds",
    "a{1001}": "the bounds",
    "a{1000}b": "1,001 characters",
    "(?:ab{20}){50}": "1,050 characters",
    "a}": r"a bare \}",
    "[": "a class that is not closed at position 0",
    "[a-": "not closed",
    "[]": "a class of no character",
    "[^\\x00-\U0010ffff]": "a class of no character",
    "[b-a]": "ends before it begins",
    r"[\d-z]": "a range from or to a class",
    "[[:alpha:]]": r"a \[ inside a class at position 1",
    "[" + "".join(chr(256 + 2 * place) for place in range(65)) + "]": "more than 64 ranges",
    "(?:a+)+": "repeats without a bound.*at position 6",
    "(?:ab)*": "repeats without a bound",
    "(?:a+){2}": "a choice of length",
    "(?:a?b){2,3}": "a choice of length",
    "(?:a|ab){2}": "begin alike",
    r"(?:\d|1){9}": "begin alike",
    "(ab){2}": "a group that captures at position 4",
    "(?:a?)?": "can match nothing",
    "\ud800": "lone surrogate",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_engines_read_differently_or_cannot_bear_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){REFUSED[text]}"):
        parse_pattern(text)


ATOMS = ["a", "b", "1", " ", "é", "😀", "-", ".", r"\.", r"\n", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"]
ATOMS += ["[ab]", "[^a]", r"[^\n]", "[a-z1]", r"[\s\S]", "[é-😀]", r"[\W1]", "[^é]", r"\x00", r"\\", "z"]
QUANTIFIERS = [""] * 6 + ["?", "*", "+", "{2}", "{0,2}", "{2,}", "{1,3}"]
LETTERS = "ab1 \n.é😀-\t\r\x00\u2028\x85\\z"


def write_pattern(chance: random.Random, depth: int) -> str:
    """Something like a pattern; many are refused."""
    parts = []
    for _ in range(chance.randint(1, 4)):
        if depth and chance.random() < 0.4:
            inner = "|".join(write_pattern(chance, depth - 1) for _ in range(chance.choice([1, 1, 2, 3])))
            parts.append(chance.choice(["(?:", "(?:", "("]) + inner + ")")
        else:
            parts.append(chance.choice(ATOMS))
        parts[-1] += chance.choice(QUANTIFIERS)
    return "".join(parts)


def accepted(text: str) -> bool:
    try:
        parse_pattern(text)
    except ValueError:
        return False
    return True


@st.composite
def patterns(draw: Any) -> str:
    chance = random.Random(draw(st.integers(0, 2**32)))
    while True:
        text = chance.choice(["", "", "^"]) + write_pattern(chance, 2) + chance.choice(["", "", "$"])
        if accepted(text):
            return text


@given(st.lists(patterns(), min_size=8, max_size=8), st.lists(st.text(LETTERS, max_size=9), min_size=20, max_size=20))
@settings(max_examples=25, deadline=None)
def test_python_and_duckdb_find_and_catch_the_same(written: list[str], values: list[str]) -> None:
    terms = {}
    for place, text in enumerate(written):
        pattern = parse_pattern(text)
        terms[f"found_{place}"] = call("matches", column("x", STRING), parameter=pattern.text)
        if pattern.captures:
            terms[f"caught_{place}"] = call("extract", column("x", STRING), parameter=pattern.text)
    evaluate_terms(terms, [{"x": value} for value in [*values, "", "a\n", "\n", None]])


@given(st.lists(patterns(), min_size=5, max_size=5), st.lists(st.text(LETTERS, max_size=9), min_size=20, max_size=20))
@example([r"\\$", r"\$", "a$", "$"], ["\\", "\\1", "$", "a", "a$", "a\n", ""])
@settings(max_examples=25, deadline=None)
def test_the_canonical_form_means_what_python_reads_in_ascii(written: list[str], values: list[str]) -> None:
    for text in written:
        ours = re.compile(parse_pattern(text).text.replace(r"\z", r"\Z"))
        # The one thing that Python reads differently: $ also matches before a newline at the end.
        plain = re.compile(re.sub(r"^((?:[^\\]|\\.)*)\$$", r"\1\\Z", text, flags=re.DOTALL), re.ASCII)
        for value in values:
            here, there = ours.search(value), plain.search(value)
            assert (here and (here.span(), here.groups())) == (there and (there.span(), there.groups())), (text, value)


def test_the_largest_patterns_run_on_the_longest_texts() -> None:
    rare = "[" + "".join(chr(0x10000 + 0x3F00 * place) for place in range(64)) + "]"
    written = [f"{rare}{{{LARGEST}}}", r"(?:a[b]){0,499}x$", "^[^é]{0,1000}", r"(?:\d{5}|a{3}[^a]){50}", "(A{1000})"]
    terms = {
        f"found_{place}": call("matches", column("x", STRING), parameter=parse_pattern(text).text)
        for place, text in enumerate(written)
    }
    found = evaluate_terms(terms, [{"x": value} for value in STRINGS])
    place = STRINGS.index("A" * 100_000)
    assert [found[place][name] for name in terms] == [False, False, True, False, True]


@pytest.mark.parametrize("text", ["(?:a|b[c]){0,30}d", "(?:ab{3}c|x){1,100}$", "a{0,30}a{30}"])
def test_what_is_accepted_is_decided_quickly_where_others_take_forever(text: str) -> None:
    search = re.compile(parse_pattern(text).text.replace(r"\z", r"\Z")).search
    assert search("a" * 29 + "bbb" * 50) is None
