"""Buckets: in which range of numbers a value lies, as a code from 0 (Int64).

A bucket holds its lower edge and not its upper one. Missing stays missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Fitted, FittedOperator, Operator, Statistic
from skewcheck.language.operators.numbers import FLOAT, check_count, check_number
from skewcheck.language.terms import Term, call
from skewcheck.language.types import INT64


@operator
@dataclass(frozen=True)
class QuantileBucket(FittedOperator):
    """In which of `buckets` ranges of equal training share x lies: 0 for the lowest (Int64).

    The edges are the training quantiles i ÷ buckets with linear interpolation; equal edges count once. A bucket holds
    its lower edge and not its upper one. Missing stays missing.
    """

    buckets: int
    name, group, takes, gives = "quantile_bucket", "fitted", (FLOAT,), INT64
    examples = (
        Example(
            lambda x: x.quantile_bucket(4),
            (((-9.0,), 0), ((1.9,), 0), ((2.0,), 1), ((3.5,), 2), ((99.0,), 3), ((None,), None)),
            training=(5.0, 1.0, 4.0, 3.0, 2.0, None),
        ),
        Example(lambda x: x.quantile_bucket(3), (((0.0,), 0), ((1.0,), 1), ((2.0,), 1)), training=(1.0, 1.0, 1.0)),
    )

    def check(self) -> None:
        """At least two buckets."""
        check_count("buckets", self.buckets, least=2)

    def statistics(self) -> tuple[Statistic, ...]:
        """The inner edges."""
        return (Statistic("edges", "quantile_edges", type=None, parameters=(("buckets", self.buckets),)),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """How many edges are not above x."""
        return call("locate", x, parameter=fitted.table("edges"))


@operator
@dataclass(frozen=True)
class EqualWidthBucket(FittedOperator):
    """In which of `buckets` ranges of equal width from the training minimum to the maximum x lies: 0 for the lowest.

    The edges are minimum + (maximum − minimum) × i ÷ buckets, each computed exactly, rounded once and frozen. Equal
    edges count once, so a constant column has a bucket below its value and one from it on. Values beyond the training
    range lie in the first or the last bucket. Missing stays missing.
    """

    buckets: int
    name, group, takes, gives = "equal_width_bucket", "fitted", (FLOAT,), INT64
    examples = (
        Example(
            lambda x: x.equal_width_bucket(4),
            (((-9.0,), 0), ((1.0,), 0), ((2.0,), 1), ((3.5,), 2), ((4.0,), 3), ((99.0,), 3), ((None,), None)),
            training=(5.0, 1.0, 1.5, None),
        ),
        Example(lambda x: x.equal_width_bucket(3), (((0.0,), 0), ((1.0,), 1), ((2.0,), 1)), training=(1.0, 1.0)),
    )

    def check(self) -> None:
        """At least two buckets."""
        check_count("buckets", self.buckets, least=2)

    def statistics(self) -> tuple[Statistic, ...]:
        """The inner edges."""
        return (Statistic("edges", "equal_edges", type=None, parameters=(("buckets", self.buckets),)),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """How many edges are not above x."""
        return call("locate", x, parameter=fitted.table("edges"))


@operator
@dataclass(frozen=True)
class Bucket(Operator):
    """How many of the given ascending edges are not above x: 0 below the first, their number from the last one on.

    A bucket holds its lower edge and not its upper one. Missing stays missing.
    """

    edges: tuple[float, ...]
    name, group, takes, gives = "bucket", "categories", (FLOAT,), INT64
    examples = (
        Example(
            lambda x: x.bucket((0.0, 18.0, 65.0)),
            (((-1.0,), 0), ((0.0,), 1), ((-0.0,), 1), ((17.9,), 1), ((18.0,), 2), ((65.0,), 3), ((None,), None)),
        ),
    )

    def check(self) -> None:
        """At least one finite number, in strictly ascending order."""
        given: object = self.edges
        if not isinstance(given, (tuple, list)) or not given:
            raise ValueError(f"edges must be a list of at least one number, and is {given!r}")
        for edge in given:
            check_number("every edge", edge)
        object.__setattr__(self, "edges", tuple(float(edge) for edge in given))
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError(f"edges must be in ascending order, none of them twice, and is {given!r}")

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("locate", x, parameter=self.edges)
