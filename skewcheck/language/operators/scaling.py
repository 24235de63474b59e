"""Operators that are fitted: their statistics come from the rows that training keeps, and are frozen in the state.

Statistics leave missing values out. A column without any value has no statistics, and fitting it is an error.
"""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Fitted, FittedOperator, Statistic
from skewcheck.language.operators.numbers import FLOAT, check_count
from skewcheck.language.terms import Term, call
from skewcheck.language.types import FLOAT64, INT64


@operator
@dataclass(frozen=True)
class Standardize(FittedOperator):
    """(x − mean) ÷ std, with the population's standard deviation (ddof 0), as scikit-learn's StandardScaler.

    A column that is constant in training is divided by 1. Missing stays missing.
    """

    name, group, takes, gives = "standardize", "fitted", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.standardize(),
            (((1.0,), -1.0), ((5.0,), 1.0), ((3.0,), 0.0), ((None,), None)),
            training=(1.0, 5.0, None),
        ),
        Example(lambda x: x.standardize(), (((4.0,), 0.0), ((6.0,), 2.0)), training=(4.0, 4.0, 4.0)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """Mean and scale."""
        return Statistic("mean", "mean"), Statistic("std", "standard_deviation")

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """One subtraction and one division."""
        return (x - fitted.term("mean")) / fitted.term("std")


@operator
@dataclass(frozen=True)
class MinMax(FittedOperator):
    """(x − minimum) ÷ (maximum − minimum), as scikit-learn's MinMaxScaler without clipping.

    Values beyond the training range fall outside 0 to 1. A column that is constant in training is divided by 1.
    """

    name, group, takes, gives = "min_max", "fitted", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.min_max(),
            (((1.0,), 0.0), ((4.0,), 0.75), ((7.0,), 1.5), ((None,), None)),
            training=(5.0, None, 1.0, 2.0),
        ),
        Example(lambda x: x.min_max(), (((4.0,), 0.0), ((6.0,), 2.0)), training=(4.0, 4.0)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """Minimum and range."""
        return Statistic("minimum", "minimum"), Statistic("range", "range")

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """One subtraction and one division."""
        return (x - fitted.term("minimum")) / fitted.term("range")


@operator
@dataclass(frozen=True)
class Impute(FittedOperator):
    """x, or the training "mean" or "median" where x is missing.

    For a constant use `fill`. The median of an even number of values is the mean of the two in the middle.
    """

    strategy: str
    name, group, takes, gives = "impute", "fitted", (FLOAT,), FLOAT64
    keeps_unit = True
    examples = (
        Example(lambda x: x.impute("mean"), (((None,), 4.0), ((1.0,), 1.0)), training=(1.0, 2.0, None, 9.0)),
        Example(lambda x: x.impute("median"), (((None,), 3.0), ((1.0,), 1.0)), training=(1.0, 9.0, 4.0, 2.0)),
    )

    def check(self) -> None:
        """The strategy must be one of the two."""
        if self.strategy not in {"mean", "median"}:
            raise ValueError(f'strategy must be "mean" or "median", and is {self.strategy!r}; for a constant use fill')

    def statistics(self) -> tuple[Statistic, ...]:
        """The statistic that the strategy names."""
        return (Statistic(self.strategy, self.strategy),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """The first that is there."""
        return call("coalesce", x, fitted.term(self.strategy))


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
