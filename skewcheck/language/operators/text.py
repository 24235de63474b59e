"""Text: strings as sequences of Unicode code points.

Only ASCII letters have case and only ASCII white space is stripped, so that no version of Unicode decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.terms import Term, call
from skewcheck.language.types import INT64, STRING

TEXT = (STRING,)


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
