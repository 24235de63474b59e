"""Scalers: a number shifted and divided by statistics of the rows that training keeps.

Statistics leave missing values out. A column without any value has no statistics, and fitting it is an error.
"""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Fitted, FittedOperator, Statistic
from skewcheck.language.operators.numbers import FLOAT, check_number
from skewcheck.language.terms import Term, choose
from skewcheck.language.types import FLOAT64


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
class MaxAbs(FittedOperator):
    """x ÷ the largest absolute value, as scikit-learn's MaxAbsScaler.

    Values beyond the training range fall outside −1 to 1. A column that is 0 throughout training is divided by 1.
    Missing stays missing.
    """

    name, group, takes, gives = "max_abs", "fitted", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.max_abs(),
            (((2.0,), 0.5), ((-4.0,), -1.0), ((6.0,), 1.5), ((None,), None)),
            training=(1.0, None, -4.0, 2.0),
        ),
        Example(lambda x: x.max_abs(), (((0.0,), 0.0), ((3.0,), 3.0)), training=(0.0, 0.0)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """The largest absolute value."""
        return (Statistic("largest", "largest_absolute"),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """One division."""
        return x / fitted.term("largest")


@operator
@dataclass(frozen=True)
class RobustScale(FittedOperator):
    """(x − median) ÷ (third quartile − first quartile), as scikit-learn's RobustScaler.

    Quartiles are interpolated linearly. Where they are equal, as for a constant column, x is divided by 1. Missing
    stays missing.
    """

    name, group, takes, gives = "robust_scale", "fitted", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.robust_scale(),
            (((3.0,), 0.0), ((5.0,), 1.0), ((2.0,), -0.5), ((None,), None)),
            training=(5.0, 1.0, None, 3.0, 2.0, 4.0),
        ),
        Example(lambda x: x.robust_scale(), (((4.0,), 0.0), ((6.0,), 2.0)), training=(4.0, 4.0, 4.0, 4.0, 9.0)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """Median and interquartile range."""
        return Statistic("median", "median"), Statistic("range", "quartile_range")

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """One subtraction and one division."""
        return (x - fitted.term("median")) / fitted.term("range")


@operator
@dataclass(frozen=True)
class Winsorize(FittedOperator):
    """x, not below the training quantile of share `lower` and not above that of share `upper`.

    Quantiles are interpolated linearly; a share is the decimal number that is written. Missing stays missing.
    """

    lower: float = 0.01
    upper: float = 0.99
    name, group, takes, gives = "winsorize", "fitted", (FLOAT,), FLOAT64
    keeps_unit = True
    examples = (
        Example(
            lambda x: x.winsorize(0.25, 0.75),
            (((1.0,), 2.0), ((3.5,), 3.5), ((99.0,), 4.0), ((None,), None)),
            training=(5.0, 1.0, None, 3.0, 2.0, 4.0),
        ),
        Example(lambda x: x.winsorize(), (((1.0,), 4.0), ((4.0,), 4.0), ((6.0,), 4.0)), training=(4.0, 4.0)),
    )

    def check(self) -> None:
        """Two shares in order."""
        for name in ("lower", "upper"):
            check_number(name, getattr(self, name))
            object.__setattr__(self, name, float(getattr(self, name)))
        if not 0.0 <= self.lower < self.upper <= 1.0:
            raise ValueError(
                f"lower and upper must be shares from 0 to 1 in order, and are {self.lower!r} and {self.upper!r}"
            )

    def statistics(self) -> tuple[Statistic, ...]:
        """The two quantiles."""
        return (
            Statistic("low", "quantile", parameters=(("share", self.lower),)),
            Statistic("high", "quantile", parameters=(("share", self.upper),)),
        )

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """Two comparisons."""
        low, high = fitted.term("low"), fitted.term("high")
        raised = choose(x < low, low, x)
        return choose(raised > high, high, raised)
