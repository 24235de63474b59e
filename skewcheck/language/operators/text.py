"""Text: strings as sequences of Unicode code points.

Only ASCII letters have case and only ASCII white space is stripped, so that no version of Unicode decides. Every
operator is missing where a string that it reads is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.constants import plain_constant
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.patterns import parse_pattern
from skewcheck.language.terms import Term, call, literal
from skewcheck.language.types import BOOL, INT64, STRING, Type, vector

TEXT = (STRING,)

FARTHEST = 1_000_000_000
"""The largest position in a text: engines count in 32 bits."""

MOST_PARTS = 1000
"""The largest place that `part` takes."""

MOST_BUCKETS = 4096
"""The most buckets of `ngram_hash`, whose vector holds one number for each."""

LONGEST_NGRAM = 16


@operator
@dataclass(frozen=True)
class Lower(Operator):
    """A to Z as a to z; every other character stays as it is."""

    name, group, takes, gives = "lower", "text", (TEXT,), STRING
    examples = (Example(lambda x: x.lower(), ((("AbC",), "abc"), (("İΣ",), "İΣ"), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("lower", x)


@operator
@dataclass(frozen=True)
class Upper(Operator):
    """A to z as A to Z; every other character stays as it is."""

    name, group, takes, gives = "upper", "text", (TEXT,), STRING
    examples = (Example(lambda x: x.upper(), ((("aBc",), "ABC"), (("ßı",), "ßı"), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("upper", x)


@operator
@dataclass(frozen=True)
class Strip(Operator):
    """Without ASCII white space (space, tab, newline, return, form feed, vertical tab) at either end."""

    name, group, takes, gives = "strip", "text", (TEXT,), STRING
    examples = (Example(lambda x: x.strip(), (((" \t a b\n",), "a b"), (("\u00a0a",), "\u00a0a"), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("strip", x)


@operator
@dataclass(frozen=True)
class Length(Operator):
    """The number of code points (Int64)."""

    name, group, takes, gives = "length", "text", (TEXT,), INT64
    examples = (Example(lambda x: x.length(), ((("",), 0), (("a😀",), 2), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("length", x)


@operator
@dataclass(frozen=True)
class Concat(Operator):
    """The strings one after the other; missing where any is missing."""

    name, group, takes, gives, variadic = "concat", "text", (TEXT, TEXT), STRING, True
    examples = (Example(lambda x, y: x.concat("-", y), ((("a", "b"), "a-b"), ((None, "b"), None))),)

    def expand(self, first: Term, *others: Term) -> Term:
        """The primitive, pair by pair."""
        joined = first
        for other in others:
            joined = call("concatenate", joined, other)
        return joined


@operator
@dataclass(frozen=True)
class Contains(Operator):
    """Whether the second string stands somewhere in the first; the empty string always does."""

    name, group, takes, gives = "contains", "text", (TEXT, TEXT), BOOL
    examples = (
        Example(lambda x: x.contains("b"), ((("abc",), True), (("",), False), ((None,), None))),
        Example(
            lambda x, y: x.contains(y),
            ((("abc", "bc"), True), (("a", ""), True), (("e\u0301", "é"), False), (("a", None), None)),
        ),
    )

    def expand(self, x: Term, y: Term) -> Term:
        """The primitive."""
        return call("contains", x, y)


@operator
@dataclass(frozen=True)
class StartsWith(Operator):
    """Whether the first string begins with the second; with the empty string every one does."""

    name, group, takes, gives = "starts_with", "text", (TEXT, TEXT), BOOL
    examples = (
        Example(lambda x: x.starts_with("ab"), ((("abc",), True), (("cab",), False), ((None,), None))),
        Example(lambda x, y: x.starts_with(y), ((("abc", "a"), True), (("", ""), True), (("a", None), None))),
    )

    def expand(self, x: Term, y: Term) -> Term:
        """The primitive."""
        return call("starts_with", x, y)


@operator
@dataclass(frozen=True)
class EndsWith(Operator):
    """Whether the first string ends with the second; with the empty string every one does."""

    name, group, takes, gives = "ends_with", "text", (TEXT, TEXT), BOOL
    examples = (
        Example(lambda x: x.ends_with("bc"), ((("abc",), True), (("bca",), False), ((None,), None))),
        Example(lambda x, y: x.ends_with(y), ((("abc", "c"), True), (("", ""), True), (("a", None), None))),
    )

    def expand(self, x: Term, y: Term) -> Term:
        """The primitive."""
        return call("ends_with", x, y)


@operator
@dataclass(frozen=True)
class Replace(Operator):
    """Each occurrence of `old`, found from the left without overlap, replaced by `new`."""

    old: str
    new: str
    name, group, takes, gives = "replace", "text", (TEXT,), STRING
    examples = (
        Example(lambda x: x.replace("aa", "b"), ((("aaa",), "ba"), (("",), ""), ((None,), None))),
        Example(lambda x: x.replace(",", ""), ((("1,000,000",), "1000000"), (("10",), "10"))),
    )

    def check(self) -> None:
        """`old` is not empty."""
        check_text("old", self.old)
        check_text("new", self.new, least=0)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("replace", x, literal(self.old), literal(self.new))


@operator
@dataclass(frozen=True)
class Substring(Operator):
    """At most `length` code points from position `start` (0 is the first); fewer, or none, where the text ends."""

    start: int
    length: int
    name, group, takes, gives = "substring", "text", (TEXT,), STRING
    examples = (
        Example(
            lambda x: x.substring(1, 2),
            ((("abcd",), "bc"), (("a😀",), "😀"), (("a",), ""), (("",), ""), ((None,), None)),
        ),
    )

    def check(self) -> None:
        """Both whole numbers, from the front."""
        check_range("start", self.start, 0, FARTHEST)
        check_range("length", self.length, 1, FARTHEST)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("substring", x, literal(self.start), literal(self.length))


@operator
@dataclass(frozen=True)
class Part(Operator):
    """Piece `index` (0 is the first) of the text cut at every `separator`; missing where there are fewer pieces.

    A text without the separator is one piece. Pieces can be empty.
    """

    separator: str
    index: int
    name, group, takes, gives = "part", "text", (TEXT,), STRING
    examples = (
        Example(
            lambda x: x.part("@", 1),
            ((("a@b.c@d",), "b.c"), (("a@",), ""), (("a",), None), (("",), None), ((None,), None)),
        ),
        Example(lambda x: x.part("::", 0), ((("a::b",), "a"), ((":::",), ""), (("",), ""), ((None,), None))),
    )

    def check(self) -> None:
        """The separator is not empty."""
        check_text("separator", self.separator)
        check_range("index", self.index, 0, MOST_PARTS)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("part", x, literal(self.separator), literal(self.index))


@operator
@dataclass(frozen=True)
class Matches(Operator):
    """Whether a pattern is found somewhere in the text.

    A pattern is a regular expression without what engines read differently: see `skewcheck.language.patterns`. With ^
    in front and $ behind it has to match the whole text.
    """

    pattern: str
    name, group, takes, gives = "matches", "text", (TEXT,), BOOL
    examples = (
        Example(
            lambda x: x.matches(r"\d{2}"), ((("a12",), True), (("1a2",), False), (("١٢",), False), ((None,), None))
        ),
        Example(lambda x: x.matches("^[a-z]+$"), ((("ab",), True), (("ab\n",), False), (("é",), False))),
    )

    def check(self) -> None:
        """A pattern that every engine reads alike."""
        check_text("pattern", self.pattern)
        parse_pattern(self.pattern)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("matches", x, parameter=parse_pattern(self.pattern).text)


@operator
@dataclass(frozen=True)
class Extract(Operator):
    """What the group of a pattern caught at the leftmost match; missing where the pattern is not found.

    The empty string where the group took no part in the match. See `matches` for patterns.
    """

    pattern: str
    name, group, takes, gives = "extract", "text", (TEXT,), STRING
    examples = (
        Example(
            lambda x: x.extract(r"([a-z]+)\.com$"),
            ((("a@b.com",), "b"), (("b.com.",), None), (("",), None), ((None,), None)),
        ),
        Example(lambda x: x.extract("a(b)?"), ((("ab",), "b"), (("a",), ""), (("b",), None))),
    )

    def check(self) -> None:
        """A pattern that every engine reads alike, with one group."""
        check_text("pattern", self.pattern)
        if not parse_pattern(self.pattern).captures:
            raise ValueError(f"the pattern {self.pattern!r} has no group; put (...) around what to extract")

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("extract", x, parameter=parse_pattern(self.pattern).text)


@operator
@dataclass(frozen=True)
class NgramHash(Operator):
    """How many of the text's substrings of `n` code points fall into each of `buckets` (a vector of counts).

    A substring falls into the bucket that `hash_bucket` gives it. Nothing is put around the text and nothing wraps
    around, so a text of fewer than `n` code points gives zeros. Missing stays missing.
    """

    n: int
    buckets: int
    name, group, takes = "ngram_hash", "text", (TEXT,)
    examples = (
        Example(
            lambda x: x.ngram_hash(2, 4),
            ((("abc",), [0.0, 1.0, 0.0, 1.0]), (("abab",), [0.0, 0.0, 0.0, 3.0]), (("a",), [0.0] * 4), ((None,), None)),
        ),
    )

    def check(self) -> None:
        """From 1 to 16 code points, and from 1 to 4096 buckets."""
        check_range("n", self.n, 1, LONGEST_NGRAM)
        check_range("buckets", self.buckets, 1, MOST_BUCKETS)

    def result_type(self, *_types: Type) -> Type:
        """A vector as long as the buckets."""
        return vector(self.buckets)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("ngram_counts", x, literal(self.n), literal(self.buckets))


@operator
@dataclass(frozen=True)
class ToText(Operator):
    """The decimal digits of an Int64, with - in front below zero: so that it can be crossed or hashed.

    A Float64 is refused, since engines print it differently.
    """

    name, group, takes, gives = "to_text", "text", ((),), STRING
    examples = (
        Example(lambda n: n.to_text(), (((0,), "0"), ((-(2**63),), "-9223372036854775808"), ((None,), None))),
        Example(lambda n, x: n.to_text().cross(x), (((7, "a"), "7\x1fa"), ((None, "a"), None))),
    )

    def result_type(self, *types: Type) -> Type:
        """Text of whole numbers only."""
        if types[0].name == "Float64":
            raise ValueError("takes Int64, and this is Float64, which engines print differently; make it whole first")
        if types[0] != INT64:
            raise ValueError(f"takes Int64, and this is {types[0]}")
        return STRING

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("to_text", x)


def check_text(name: str, value: object, *, least: int = 1) -> None:
    """Refuse a parameter that is not Unicode text of at least so many characters.

    Raises:
        ValueError: It is not a string, or too short.
        DeclarationError: It has a lone surrogate.
    """
    if not isinstance(value, str) or len(value) < least:
        raise ValueError(f"{name} must be a string{' of at least one character' * bool(least)}, and is {value!r}")
    plain_constant(value)


def check_range(name: str, value: object, least: int, most: int) -> None:
    """Refuse a parameter that is not a whole number between two bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} must be a whole number from {least} to {most}, and is {value!r}")
