"""Imputation: what stands in for a missing value. `x.impute(...)` is the method of every strategy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skewcheck.errors import DeclarationError
from skewcheck.language.expressions import Expression, apply, operator
from skewcheck.language.operator import REGISTRY, Example, Fitted, FittedOperator, Statistic
from skewcheck.language.operators.numbers import FLOAT
from skewcheck.language.terms import Term, call
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING


@operator
@dataclass(frozen=True)
class Impute(FittedOperator):
    """x, or the training "mean" or "median" where x is missing.

    The method takes two more strategies: "mode", for values of other types too, and "constant" with a value, which is
    `fill`. The median of an even number of values is the mean of the two in the middle.
    """

    strategy: str
    name, group, takes, gives = "impute", "fitted", (FLOAT,), FLOAT64
    keeps_unit = True
    examples = (
        Example(lambda x: x.impute("mean"), (((None,), 4.0), ((1.0,), 1.0)), training=(1.0, 2.0, None, 9.0)),
        Example(lambda x: x.impute("median"), (((None,), 3.0), ((1.0,), 1.0)), training=(1.0, 9.0, 4.0, 2.0)),
    )

    def check(self) -> None:
        """The strategy must be one of the two; the method knows the others."""
        if self.strategy not in ("mean", "median"):
            raise ValueError(f'strategy must be "mean", "median", "mode" or "constant", and is {self.strategy!r}')

    def statistics(self) -> tuple[Statistic, ...]:
        """The statistic that the strategy names."""
        return (Statistic(self.strategy, self.strategy),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """The first that is there."""
        return call("coalesce", x, fitted.term(self.strategy))


@operator
@dataclass(frozen=True)
class ImputeMode(FittedOperator):
    """x, or the most frequent training value where x is missing; written `x.impute("mode")`.

    Of values that are equally frequent it is the smallest: strings by code point, False before True.
    """

    name, group, takes = "impute_mode", "fitted", ((FLOAT64, INT64, STRING, BOOL),)
    keeps_unit = True
    examples = (
        Example(
            lambda x: x.impute("mode"),
            (((None,), "a"), (("z",), "z")),
            training=("c", "a", "b", None, None, None, "b", "a"),
        ),
        Example(lambda x: x.impute("mode"), (((None,), 2), ((7,), 7)), training=(5, 2, 2, None)),
        Example(lambda x: x.impute("mode"), (((None,), False), ((True,), True)), training=(True, False)),
        Example(lambda x: x.impute("mode"), (((None,), 0.5), ((2.0,), 2.0)), training=(0.5, 9.0, 0.5)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """The most frequent value."""
        return (Statistic("mode", "mode"),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """The first that is there."""
        return call("coalesce", x, fitted.term("mode", gives=x.type))


def _impute(self: Expression, strategy: str, value: Any = None) -> Expression:
    if (strategy == "constant") != (value is not None):
        raise DeclarationError(
            f"impute: the strategy is {strategy!r} and the value {value!r}",
            remedy='Give a value with the strategy "constant" and with no other: x.impute("constant", 0.0).',
        )
    if strategy == "constant":
        return apply(REGISTRY["fill"], self, value)
    return apply(ImputeMode, self) if strategy == "mode" else apply(Impute, self, strategy)


_impute.__doc__ = Impute.__doc__
setattr(Expression, "impute", _impute)  # noqa: B010 (the class has no such attribute for a type checker)
