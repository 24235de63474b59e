"""Vectors: lists of a fixed number of Float64, such as embeddings.

A vector is present as a whole or missing as a whole: all its elements are finite.
"""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language import terms
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.terms import Term, call, literal
from skewcheck.language.types import FLOAT64, Type, vector

VECTOR = (Type("Vector"),)
"""A vector of any length."""

FLOAT = (FLOAT64,)

LONGEST = 4096
"""The most elements of a vector."""


@operator
@dataclass(frozen=True)
class Pack(Operator):
    """A vector of the numbers in order; missing where any is missing."""

    name, group, takes, variadic = "pack", "vectors", (FLOAT,), True
    examples = (
        Example(lambda x, y: x.pack(y, 0.5), (((1.0, 2.0), [1.0, 2.0, 0.5]), ((None, 2.0), None), ((1.0, None), None))),
    )

    def result_type(self, *types: Type) -> Type:
        """A vector as long as the numbers are many."""
        if len(types) > LONGEST:
            raise ValueError(f"a vector has at most {LONGEST} elements, and these are {len(types)}")
        return vector(len(types))

    def expand(self, *elements: Term) -> Term:
        """The primitive."""
        return terms.pack(*elements)


@operator
@dataclass(frozen=True)
class Element(Operator):
    """The element at a place (0 is the first), a Float64; missing where the vector is."""

    index: int
    name, group, takes, gives = "element", "vectors", (VECTOR,), FLOAT64
    examples = (
        Example(lambda v: v.element(1), ((([1.0, 2.0, 3.0],), 2.0), ((None,), None), (([1.0, 2.0, None],), None))),
    )

    def check(self) -> None:
        """A whole number of at least 0."""
        if isinstance(self.index, bool) or not isinstance(self.index, int) or self.index < 0:
            raise ValueError(f"index must be a whole number of at least 0, and is {self.index!r}")

    def result_type(self, *types: Type) -> Type:
        """A Float64, if the vector is so long."""
        if self.index >= (types[0].size or 0):
            raise ValueError(f"index {self.index} is outside of a {types[0]}, whose last is {(types[0].size or 0) - 1}")
        return FLOAT64

    def expand(self, v: Term) -> Term:
        """The primitive."""
        return call("component", v, literal(self.index))


@operator
@dataclass(frozen=True)
class Dot(Operator):
    """The sum of the products of two vectors of one length, added in order from 0.0; missing where it overflows."""

    name, group, takes, gives = "dot", "vectors", (VECTOR, VECTOR), FLOAT64
    examples = (
        Example(
            lambda v, w: v.dot(w),
            (
                (([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]), 32.0),
                (([1e16, 1.0, -1e16], [1.0, 1.0, 1.0]), 0.0),
                (([1e300, 0.0, 0.0], [1e300, 0.0, 0.0]), None),
                ((None, [1.0, 1.0, 1.0]), None),
            ),
        ),
    )

    def result_type(self, *types: Type) -> Type:
        """A Float64, if both are of one length."""
        check_lengths(*types)
        return FLOAT64

    def expand(self, v: Term, w: Term) -> Term:
        """The primitive."""
        return call("dot", v, w)


@operator
@dataclass(frozen=True)
class Norm(Operator):
    """The Euclidean length: the square root of the vector's `dot` with itself; missing where that overflows."""

    name, group, takes, gives = "norm", "vectors", (VECTOR,), FLOAT64
    examples = (
        Example(
            lambda v: v.norm(),
            ((([3.0, 4.0, 0.0],), 5.0), (([0.0, 0.0, 0.0],), 0.0), (([1e200, 0.0, 0.0],), None), ((None,), None)),
        ),
    )

    def expand(self, v: Term) -> Term:
        """The root of a dot product."""
        return measure(v)


@operator
@dataclass(frozen=True)
class Cosine(Operator):
    """The cosine of the angle between two vectors: `dot` ÷ (`norm` × `norm`); missing where a norm is zero.

    Missing too where a product overflows, or that of the norms is too small for a Float64. Rounding may lead beyond 1
    by a few units in the last place.
    """

    name, group, takes, gives = "cosine", "vectors", (VECTOR, VECTOR), FLOAT64
    examples = (
        Example(
            lambda v, w: v.cosine(w),
            (
                (([3.0, 4.0, 0.0], [3.0, 4.0, 0.0]), 1.0),
                (([1.0, 0.0, 0.0], [0.0, 2.0, 0.0]), 0.0),
                (([0.0, 0.0, 0.0], [1.0, 1.0, 1.0]), None),
                (([1.0, 1.0, 1.0], None), None),
            ),
        ),
    )

    def result_type(self, *types: Type) -> Type:
        """A Float64, if both are of one length."""
        check_lengths(*types)
        return FLOAT64

    def expand(self, v: Term, w: Term) -> Term:
        """A quotient, whose divisor may be zero."""
        return call("dot", v, w) / (measure(v) * measure(w))


@operator
@dataclass(frozen=True)
class Scale(Operator):
    """Every element multiplied by a number; missing where either is missing or a product overflows."""

    name, group, takes = "scale", "vectors", (VECTOR, FLOAT)
    examples = (
        Example(lambda v: v.scale(0.5), ((([1.0, 2.0, -3.0],), [0.5, 1.0, -1.5]), ((None,), None))),
        Example(
            lambda v, x: v.scale(x),
            (
                (([1.0, 2.0, 0.0], 2.0), [2.0, 4.0, 0.0]),
                (([1e300, 0.0, 0.0], 1e300), None),
                (([1.0, 1.0, 1.0], None), None),
            ),
        ),
    )

    def expand(self, v: Term, x: Term) -> Term:
        """The primitive."""
        return call("scale_vector", v, x)


def measure(v: Term) -> Term:
    """The Euclidean length of a vector."""
    return call("square_root", call("dot", v, v))


def check_lengths(left: Type, right: Type) -> None:
    """Refuse two vectors that are not of one length."""
    if left != right:
        raise ValueError(f"needs two vectors of one length, and these are {left} and {right}")
