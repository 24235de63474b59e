"""Transforms that give a number another distribution: by its training quantiles, or by a fitted power."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from skewcheck.language import kernels
from skewcheck.language.expressions import operator
from skewcheck.language.operator import Example, Fitted, FittedOperator, Statistic
from skewcheck.language.operators.numbers import FLOAT, check_count
from skewcheck.language.terms import Term, assume_finite, call, choose, equal, literal
from skewcheck.language.types import FLOAT64

LEAST_SHARE = 1e-7 - 2.0**-52
"""scikit-learn's bound: no share nearer to 0 or 1 is mapped to the normal distribution."""

Landmark = tuple[float, float, float]


@operator
@dataclass(frozen=True)
class QuantileTransform(FittedOperator):
    """The share of training values below x, from 0 to 1, or the normal quantile of that share.

    The landmarks are the training quantiles at `quantiles` equally spaced shares from 0 to 1 (at most one for each
    training value), frozen; between two of them the share is interpolated linearly. A value that several landmarks have
    gets the middle of their shares. The training minimum and what is below it give 0, the maximum and what is above it
    1; a column that is constant in training gives 0 up to its value and 1 above. With output "normal" shares are
    clipped to 1e-7 and 1 − 1e-7, which gives −5.2 to 5.2. Missing stays missing. As scikit-learn's QuantileTransformer
    without subsampling.
    """

    output: str = "uniform"
    quantiles: int = 1000
    name, group, takes, gives = "quantile_transform", "fitted", (FLOAT,), FLOAT64
    examples = (
        Example(
            lambda x: x.quantile_transform(),
            (
                ((-9.0,), 0.0),
                ((1.0,), 0.0),
                ((2.0,), 0.1875),
                ((3.0,), 0.375),
                ((8.0,), 0.9375),
                ((99.0,), 1.0),
                ((None,), None),
            ),
            training=(9.0, 1.0, None, 3.0, 5.0, 7.0, 1.0, 3.0, 3.0, 5.0),
        ),
        Example(
            lambda x: x.quantile_transform("normal", quantiles=3),
            (((2.0,), 0.0), ((None,), None)),
            training=(3.0, 1.0, 2.0),
        ),
        Example(lambda x: x.quantile_transform(), (((0.0,), 0.0), ((4.0,), 0.0), ((4.5,), 1.0)), training=(4.0, 4.0)),
    )

    def check(self) -> None:
        """One of the two outputs, and at least two landmarks."""
        if self.output not in ("uniform", "normal"):
            raise ValueError(f'output must be "uniform" or "normal", and is {self.output!r}')
        check_count("quantiles", self.quantiles, least=2)

    def statistics(self) -> tuple[Statistic, ...]:
        """The landmarks and the two ends."""
        landmarks = Statistic("landmarks", "landmarks", type=None, parameters=(("quantiles", self.quantiles),))
        return landmarks, Statistic("minimum", "minimum"), Statistic("maximum", "maximum")

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """A search among the landmarks, and a straight line from one to the next."""
        place = call("locate", x, parameter=fitted.table("landmarks", lambda rows: (row[0] for row in rows)))

        def read(column: int) -> Term:
            """What the interval in which x lies has in a column of `_draw_lines`."""
            table = fitted.table("landmarks", lambda rows: (line[column] for line in _draw_lines(rows)), gives=FLOAT64)
            return call("element", place, parameter=table)

        landmark, width, start, rise, middle = map(read, range(5))
        between = start + call("quotient", x - landmark, width) * rise
        inside = choose(equal(x, landmark), middle, between)
        share = choose(
            x <= fitted.term("minimum"), literal(0.0), choose(x >= fitted.term("maximum"), literal(1.0), inside)
        )
        if self.output == "uniform":
            return share
        raised = choose(share < LEAST_SHARE, literal(LEAST_SHARE), share)
        return kernels.inverse_normal(choose(raised > 1.0 - LEAST_SHARE, literal(1.0 - LEAST_SHARE), raised))


def _draw_lines(landmarks: tuple[Landmark, ...]) -> list[tuple[float, float, float, float, float]]:
    """For each interval its lower landmark, its width, the share where it begins, the gain, the share at the landmark.

    The intervals beyond the ends only hold their places: there the share is 0 or 1.
    """
    lines = [
        (low[0], high[0] - low[0], low[2], high[1] - low[2], (low[1] + low[2]) / 2) for low, high in pairwise(landmarks)
    ]
    return [(landmarks[0][0], 1.0, 0.0, 0.0, 0.0), *lines, (landmarks[-1][0], 1.0, 1.0, 0.0, 1.0)]


@operator
@dataclass(frozen=True)
class YeoJohnson(FittedOperator):
    """The Yeo-Johnson power transform, its exponent λ fitted by maximum likelihood, as scikit-learn's PowerTransformer.

    ((x + 1)^λ − 1) ÷ λ for x >= 0, log1p(x) where λ is 0; −((1 − x)^(2 − λ) − 1) ÷ (2 − λ) for x < 0, −log1p(−x) where
    λ is 2. Each is computed as expm1(λ log1p(x)) ÷ λ, which keeps the digits of small values. Nothing is standardised:
    write `x.yeo_johnson().standardize()`. A column that is constant in training has λ = 1, which changes nothing.
    Missing where x is missing or the result overflows.
    """

    name, group, takes, gives = "yeo_johnson", "fitted", (FLOAT,), FLOAT64
    examples = (
        Example(lambda x: x.yeo_johnson(), (((0.0,), 0.0), ((None,), None)), training=(1.0, 2.0, 9.0, None, -1.0)),
        Example(lambda x: x.yeo_johnson(), (((0.0,), 0.0), ((1.0,), 1.0), ((-1.0,), -1.0)), training=(4.0, 4.0)),
    )

    def statistics(self) -> tuple[Statistic, ...]:
        """The exponent."""
        return (Statistic("lambda", "lambda"),)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """One curve, and its mirror image with the exponent 2 − λ."""
        exponent = fitted.term("lambda")
        known = exponent.kind == "literal"
        mirrored = literal(2.0 - exponent.parameter) if known else literal(2.0) - exponent
        return choose(x < 0.0, _bend(x * -1.0, assume_finite(mirrored)) * -1.0, _bend(x, exponent))


def _bend(x: Term, exponent: Term) -> Term:
    """((x + 1)^exponent − 1) ÷ exponent, and its limit where that is 0."""
    logarithm = kernels.log1p(x)
    if exponent.kind == "literal" and exponent.parameter == 0.0:
        return logarithm
    power = kernels.expm1(exponent * logarithm) / exponent
    return power if exponent.kind == "literal" else choose(equal(exponent, 0.0), logarithm, power)
