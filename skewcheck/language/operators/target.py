"""Target encoding: a category as the mean of a label."""

from __future__ import annotations

from dataclasses import dataclass

from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Fitted, FittedOperator, Statistic
from skewcheck.language.operators.encoding import CATEGORY
from skewcheck.language.operators.numbers import check_number
from skewcheck.language.terms import Term, call
from skewcheck.language.types import FLOAT64


@operator
@dataclass(frozen=True)
class TargetEncode(FittedOperator):
    """The mean of a label over the training rows with the category x, drawn towards the mean over all of them.

    `label` names a column of the training set, a number or a truth value, that serving need not have. With n rows of
    the category it is (sum of the label + smoothing × overall mean) ÷ (n + smoothing), computed exactly and rounded
    once, as scikit-learn's TargetEncoder with a number for `smooth`. Rows without a category or without a label do not
    count. A category that is missing or was not in training gives the overall mean.

    A training row's own label is part of its category's mean. Where a model learns from the values, take those that
    `skewcheck.fit.out_of_fold` writes: each row's come from other rows. Serving and audits use the whole of training.
    """

    label: str
    smoothing: float = 20.0
    name, group, takes, gives = "target_encode", "fitted", (CATEGORY,), FLOAT64
    examples = (
        Example(
            lambda x, late: x.target_encode("late", smoothing=2.0),  # noqa: ARG005 (a column of training)
            ((("a", 1), 0.6), (("b", 0), 0.25), (("z", 0), 0.5), ((None, None), 0.5)),
            training=(("a", 1), ("a", 1), ("a", 0), ("b", 0), ("b", None), (None, 1), ("b", 0), ("c", 1)),
        ),
    )

    def check(self) -> None:
        """The name of a column, and a number that is not below zero."""
        if not isinstance(self.label, str) or not self.label:
            raise ValueError(f"label must be the name of a column of the training set, and is {self.label!r}")
        check_number("smoothing", self.smoothing)
        object.__setattr__(self, "smoothing", float(self.smoothing))
        if self.smoothing < 0:
            raise ValueError(f"smoothing must be at least 0, and is {self.smoothing!r}")

    def label_column(self) -> str:
        """The label."""
        return self.label

    def statistics(self) -> tuple[Statistic, ...]:
        """The overall mean, and the smoothed mean of every category."""
        means = Statistic("means", "label_means", type=None, parameters=(("smoothing", self.smoothing),))
        return Statistic("overall", "label_mean"), means

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """A look-up, the overall mean where it finds nothing."""
        mean = call("lookup", x, parameter=fitted.table("means", gives=FLOAT64))
        return call("coalesce", mean, fitted.term("overall"))
