"""Categories: strings and whole numbers as codes, indicators and buckets."""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Fitted, FittedOperator, Operator, Statistic
from skewcheck.language.operators.choice import check_constants
from skewcheck.language.operators.numbers import check_count
from skewcheck.language.operators.text import TEXT
from skewcheck.language.terms import Term, call, choose, equal, literal, pack, restrict
from skewcheck.language.types import INT64, STRING, Type, vector


@operator
@dataclass(frozen=True)
class Vocabulary(FittedOperator):
    """The code of a string in the training vocabulary (Int64): 1 for the most frequent, 0 for one that is not in it.

    At most `size` strings with at least `minimum_count` occurrences are in it, by falling count and, at equal counts,
    in code-point order. Missing stays missing.
    """

    size: int = 2**31 - 1
    minimum_count: int = 1
    name, group, takes, gives = "vocabulary", "fitted", (TEXT,), INT64
    examples = (
        Example(
            lambda x: x.vocabulary(),
            ((("b",), 1), (("a",), 2), (("c",), 3), (("z",), 0), ((None,), None)),
            training=("c", "b", None, "a", "b"),
        ),
        Example(lambda x: x.vocabulary(size=1), ((("b",), 1), (("a",), 0)), training=("a", "b", "b")),
        Example(lambda x: x.vocabulary(minimum_count=2), ((("b",), 1), (("a",), 0)), training=("a", "b", "b")),
    )

    def check(self) -> None:
        """Both at least one."""
        check_count("size", self.size)
        check_count("minimum_count", self.minimum_count)

    def statistics(self) -> tuple[Statistic, ...]:
        """The strings in the order of their codes."""
        limits = (("size", self.size), ("minimum_count", self.minimum_count))
        return (Statistic("entries", "vocabulary", type=None, parameters=limits),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """A look-up, 0 where it finds nothing."""
        entries = fitted.table("entries")
        table = tuple((entry, code) for code, entry in enumerate(entries, 1)) if isinstance(entries, tuple) else entries
        code = call("coalesce", call("lookup", x, parameter=table), literal(0))
        return restrict(code, ~call("is_missing", x))


@operator
@dataclass(frozen=True)
class OneHot(Operator):
    """A vector with 1.0 at the position of x among `categories` and 0.0 elsewhere.

    All zero for a value that is not among them, and for a missing one.
    """

    categories: tuple[str | int, ...]
    name, group, takes = "one_hot", "categories", ((STRING, INT64),)
    examples = (
        Example(
            lambda x: x.one_hot(("a", "b")),
            ((("a",), [1.0, 0.0]), (("b",), [0.0, 1.0]), (("z",), [0.0, 0.0]), ((None,), [0.0, 0.0])),
        ),
    )

    def check(self) -> None:
        """Distinct strings or distinct whole numbers."""
        object.__setattr__(self, "categories", check_constants("categories", self.categories))

    def result_type(self, *types: Type) -> Type:
        """A vector as long as the categories."""
        wanted = STRING if isinstance(self.categories[0], str) else INT64
        if types[0] != wanted:
            raise ValueError(f"the categories are {wanted}, and the value is {types[0]}")
        return vector(len(self.categories))

    def expand(self, x: Term) -> Term:
        """One choice for each category."""
        return pack(*(choose(equal(x, category), literal(1.0), literal(0.0)) for category in self.categories))


@operator
@dataclass(frozen=True)
class HashBucket(Operator):
    """The MD5 of the UTF-8 bytes, its first 32 bits as a big-endian number, modulo `buckets` (Int64).

    The same on every platform and in every language. Missing stays missing.
    """

    buckets: int
    name, group, takes, gives = "hash_bucket", "categories", (TEXT,), INT64
    examples = (
        Example(
            lambda x: x.hash_bucket(1000),
            ((("abc",), 0x90015098 % 1000), (("",), 0xD41D8CD9 % 1000), ((None,), None)),
        ),
    )

    def check(self) -> None:
        """From 2 to 2^31 buckets."""
        check_count("buckets", self.buckets, least=2)
        if self.buckets > 2**31:
            raise ValueError(f"buckets must be at most 2147483648, and is {self.buckets}")

    def expand(self, x: Term) -> Term:
        """A digest and a remainder."""
        return call("digest", x) % self.buckets


@operator
@dataclass(frozen=True)
class Cross(Operator):
    """The strings joined by the unit separator U+001F: one category for each combination. Missing where any is."""

    name, group, takes, gives, variadic = "cross", "categories", (TEXT, TEXT), STRING, True
    examples = (Example(lambda x, y: x.cross(y), ((("a", "b"), "a\x1fb"), (("a", None), None))),)

    def expand(self, first: Term, *others: Term) -> Term:
        """Concatenation with the separator between."""
        joined = first
        for other in others:
            joined = call("concatenate", call("concatenate", joined, literal("\x1f")), other)
        return joined
