"""Scalers for each key: the statistics are those of the training rows with the row's own key.

`x.standardize(by=country)` is `x.standardize_by(country)`. A key that is missing, or that has no value in training,
takes the statistics of all training rows. Training rows without a key count in those only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from skewcheck.errors import DeclarationError
from skewcheck.language.expressions import Expression, apply, operator
from skewcheck.language.operator import REGISTRY, Example, Fitted, FittedOperator, Statistic
from skewcheck.language.operators.numbers import FLOAT
from skewcheck.language.operators.scaling import MaxAbs, MinMax, RobustScale, Standardize
from skewcheck.language.terms import Term
from skewcheck.language.types import FLOAT64, INT64, STRING

KEY = (STRING, INT64)
TRAINING = ((1.0, "a"), (5.0, "a"), (10.0, "b"), (10.0, "b"), (None, "c"), (4.0, None))


@dataclass(frozen=True)
class KeyedScaler(FittedOperator):
    """The base of a scaler for each key. A subclass says whose statistics and formula it has."""

    overall: ClassVar[FittedOperator]
    roles = ("value", "key")

    def statistics(self) -> tuple[Statistic, ...]:
        """The scaler's own statistics, and each of them as a table by key."""
        plain = self.overall.statistics()
        return (*plain, *(statistic.by_key() for statistic in plain))

    def expand_fitted(self, fitted: Fitted, x: Term, key: Term) -> Term:
        """The scaler's formula, with the statistics of the key."""
        return self.overall.expand_fitted(fitted.by(key), x)


@operator
@dataclass(frozen=True)
class StandardizeBy(KeyedScaler):
    """`standardize` with the mean and the standard deviation of the row's key; written `x.standardize(by=key)`.

    A key that is missing or was not in training takes those of all rows; a key whose values are constant divides by 1.
    """

    name, group, takes, gives = "standardize_by", "fitted", (FLOAT, KEY), FLOAT64
    overall = Standardize()
    examples = (
        Example(
            lambda x, key: x.standardize(by=key),
            (((5.0, "a"), 1.0), ((12.0, "b"), 2.0), ((None, "a"), None), ((6.0, None), 0.0), ((6.0, "c"), 0.0)),
            training=TRAINING,
        ),
        Example(
            lambda x, key: x.standardize(by=key),
            (((5.0, 7), 1.0), ((4.0, 8), 1.0)),
            training=((1.0, 7), (5.0, 7), (3.0, 8)),
        ),
    )


@operator
@dataclass(frozen=True)
class MinMaxBy(KeyedScaler):
    """`min_max` with the minimum and the range of the row's key; written `x.min_max(by=key)`.

    A key that is missing or was not in training takes those of all rows; a key whose values are constant divides by 1.
    """

    name, group, takes, gives = "min_max_by", "fitted", (FLOAT, KEY), FLOAT64
    overall = MinMax()
    examples = (
        Example(
            lambda x, key: x.min_max(by=key),
            (((5.0, "a"), 1.0), ((12.0, "b"), 2.0), ((None, "a"), None), ((10.0, None), 1.0), ((1.0, "c"), 0.0)),
            training=TRAINING,
        ),
    )


@operator
@dataclass(frozen=True)
class MaxAbsBy(KeyedScaler):
    """`max_abs` with the largest absolute value of the row's key; written `x.max_abs(by=key)`.

    A key that is missing or was not in training takes that of all rows; a key whose values are all 0 divides by 1.
    """

    name, group, takes, gives = "max_abs_by", "fitted", (FLOAT, KEY), FLOAT64
    overall = MaxAbs()
    examples = (
        Example(
            lambda x, key: x.max_abs(by=key),
            (((5.0, "a"), 1.0), ((20.0, "b"), 2.0), ((None, "a"), None), ((5.0, None), 0.5), ((-5.0, "c"), -0.5)),
            training=TRAINING,
        ),
    )


@operator
@dataclass(frozen=True)
class RobustScaleBy(KeyedScaler):
    """`robust_scale` with the median and the quartiles of the row's key; written `x.robust_scale(by=key)`.

    A key that is missing or was not in training takes those of all rows; a key whose quartiles are equal divides by 1.
    """

    name, group, takes, gives = "robust_scale_by", "fitted", (FLOAT, KEY), FLOAT64
    overall = RobustScale()
    examples = (
        Example(
            lambda x, key: x.robust_scale(by=key),
            (((5.0, "a"), 1.0), ((12.0, "b"), 2.0), ((None, "a"), None), ((11.0, None), 1.0), ((-1.0, "c"), -1.0)),
            training=TRAINING,
        ),
    )


def _take_key(name: str) -> None:
    """Let a scaler's method take a key."""

    def method(self: Expression, *, by: Expression | None = None) -> Expression:
        if by is None:
            return apply(REGISTRY[name], self)
        if not isinstance(by, Expression):
            raise DeclarationError(
                f"{name}: by is {by!r}, expected a String or Int64 value of the row",
                remedy="Make the column a parameter of the feature's function, and write its name without quotes.",
            )
        return apply(REGISTRY[f"{name}_by"], self, by)

    method.__name__ = name
    method.__doc__ = REGISTRY[name].__doc__
    setattr(Expression, name, method)


for _name in ("standardize", "min_max", "max_abs", "robust_scale"):
    _take_key(_name)
