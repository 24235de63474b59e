"""The quantile transform and Yeo-Johnson do what scikit-learn's do."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer, QuantileTransformer

from skewcheck.errors import DeclarationError, StateError
from skewcheck.language.expressions import expand
from skewcheck.language.types import FLOAT64
from tests.both_engines import column, evaluate
from tests.fitted import fit_and_apply, statistics_of

# With 257 values the shares are exact in binary; otherwise NumPy's quantiles of tied values are off by a rounding.
CHANCE = random.Random(11)
SMOOTH = [CHANCE.gauss(0.0, 1.0) for _ in range(257)]
TIED = [float(CHANCE.choice([0, 0, 0, 1, 1, 2, 5, 5, 5, 9])) for _ in range(257)]
SKEWED = [math.exp(CHANCE.gauss(0.0, 1.5)) for _ in range(257)]


@pytest.mark.parametrize("output", ["uniform", "normal"])
@pytest.mark.parametrize("quantiles", [2, 7, 1000])
@pytest.mark.parametrize("training", [SMOOTH, TIED, SKEWED, [4.0, 4.0], [1.0, 2.0]])
def test_the_quantile_transform_is_scikit_learns(training: list[float], quantiles: int, output: str) -> None:
    reference = QuantileTransformer(
        n_quantiles=min(quantiles, len(training)), output_distribution=output, subsample=None
    ).fit(np.array(training)[:, None])
    middles = [(low + high) / 2 for low, high in zip(sorted(training), sorted(training)[1:], strict=False)]
    rows = [*sorted(set(training)), *middles[::7], min(training) - 1, max(training) + 1, -1e300, 1e300]
    found = fit_and_apply(lambda x: x.quantile_transform(output, quantiles=quantiles), training, rows)
    expected = reference.transform(np.array(rows)[:, None])[:, 0]
    assert found == pytest.approx(expected.tolist(), rel=1e-9, abs=1e-12)


def test_shares_never_leave_0_to_1_and_never_fall() -> None:
    rows = sorted([*SKEWED, *(math.nextafter(x, 0) for x in SKEWED), 5e-324, 1e308])
    found = fit_and_apply(lambda x: x.quantile_transform(quantiles=50), SKEWED, rows)
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0.0, 1.0)


def test_landmarks_hold_the_first_and_the_last_share_of_a_value() -> None:
    found = statistics_of(lambda x: x.quantile_transform(), [0.0, 3.0, 3.0, 3.0, 8.0])
    assert found == {"landmarks": [[0.0, 0.0, 0.0], [3.0, 0.25, 0.75], [8.0, 1.0, 1.0]], "minimum": 0.0, "maximum": 8.0}


def test_values_too_far_apart_for_a_range_are_an_error() -> None:
    with pytest.raises(StateError, match="too far apart"):
        statistics_of(lambda x: x.quantile_transform(), [-1.7e308, 1.7e308])


@pytest.mark.parametrize("arguments", [("gauss",), (None,), ("uniform", 1), ("normal", 2.5), ("uniform", True)])
def test_other_outputs_and_counts_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(DeclarationError, match=r"quantile_transform: (output|quantiles) must be"):
        column("x", FLOAT64).quantile_transform(*arguments)


@pytest.mark.parametrize(
    "training",
    [SMOOTH, TIED, SKEWED, [-x for x in SKEWED], [x * 1e6 for x in SKEWED], [0.0, 0.0, 1.0], [-3.0, -2.0, -7.0, -2.5]],
    ids=["smooth", "tied", "skewed", "negative", "large", "zeros", "below"],
)
def test_yeo_johnson_is_scikit_learns(training: list[float]) -> None:
    reference = PowerTransformer(standardize=False).fit(np.array(training)[:, None])
    rows = [*training[:50], 0.0, -0.0, 1e-9, -1e-9]
    found = fit_and_apply(lambda x: x.yeo_johnson(), [*training, None], rows)
    expected = reference.transform(np.array(rows)[:, None])[:, 0]
    assert found == pytest.approx(expected.tolist(), rel=1e-4, abs=1e-12)
    standard = PowerTransformer().fit(np.array(training)[:, None]).transform(np.array(rows)[:, None])[:, 0]
    found = fit_and_apply(lambda x: x.yeo_johnson().standardize(), training, rows)
    assert found == pytest.approx(standard.tolist(), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, -1.5, 0.3, 1e-12])
def test_yeo_johnson_has_its_formula_for_any_exponent(exponent: float) -> None:
    x = column("x", FLOAT64)
    rows = [-1e10, -3.0, -1e-10, -0.0, 0.0, 5e-324, 1e-10, 0.5, 7.0, 1e10]
    found = evaluate(
        {"y": x.yeo_johnson()}, [{"x": value} for value in rows], {"x.yeo_johnson()": {"lambda": exponent}}
    )

    def bend(value: float, power: float) -> float:
        return math.log1p(value) if power == 0 else math.expm1(power * math.log1p(value)) / power

    expected = [bend(v, exponent) if v >= 0 else -bend(-v, 2 - exponent) for v in rows]
    assert [row["y"] for row in found] == pytest.approx(expected, rel=1e-14, abs=0)


def test_what_overflows_is_missing() -> None:
    x = column("x", FLOAT64)
    rows = [{"x": 1e300}, {"x": -1e300}, {"x": None}]
    found = evaluate({"y": x.yeo_johnson()}, rows, {"x.yeo_johnson()": {"lambda": 3.0}})
    assert [row["y"] for row in found] == [None, pytest.approx(-1.0), None]


def test_the_shape_of_an_unfitted_transform_is_known() -> None:
    x = column("x", FLOAT64)
    for expression in (x.yeo_johnson(), x.quantile_transform(), x.quantile_transform("normal")):
        assert expand(expression, None).type == FLOAT64
