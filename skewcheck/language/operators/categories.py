"""Categories: strings shared out to buckets, and crossed with each other."""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.numbers import check_count
from skewcheck.language.operators.text import TEXT
from skewcheck.language.terms import Term, call, literal
from skewcheck.language.types import INT64, STRING


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
