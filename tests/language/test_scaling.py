"""Scalers do what scikit-learn's do, and say what a constant column gives."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skewcheck.errors import DeclarationError
from skewcheck.language.types import FLOAT64, INT64
from tests.both_engines import column
from tests.fitted import fit_and_apply, statistics_of

CHANCE = random.Random(7)
VALUES = [CHANCE.gauss(3.0, 2.0) for _ in range(150)] + [CHANCE.expovariate(0.01) for _ in range(51)]
OTHERS = [-1e6, -1.0, 0.0, 0.5, 3.0, 1e3, *VALUES[:20]]

SCALERS = {
    "standardize": (lambda x: x.standardize(), StandardScaler),
    "min_max": (lambda x: x.min_max(), MinMaxScaler),
    "max_abs": (lambda x: x.max_abs(), MaxAbsScaler),
    "robust_scale": (lambda x: x.robust_scale(), RobustScaler),
}


@pytest.mark.parametrize("name", SCALERS)
@pytest.mark.parametrize("training", [VALUES, [3.0], [0.0, 0.0], [4.0, 4.0, 4.0], [-2.0, -5.0]])
def test_scales_as_scikit_learn_does(name: str, training: list[float]) -> None:
    build, reference = SCALERS[name]
    found = fit_and_apply(build, [*training, None], OTHERS)
    expected = reference().fit(np.array(training)[:, None]).transform(np.array(OTHERS)[:, None])[:, 0]
    assert found == pytest.approx(expected.tolist(), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("lower", "upper"), [(0.01, 0.99), (0.25, 0.75), (0.0, 1.0), (0.1, 0.3)])
def test_winsorize_clips_to_numpys_quantiles(lower: float, upper: float) -> None:
    found = fit_and_apply(lambda x: x.winsorize(lower, upper), VALUES, OTHERS)
    expected = np.clip(OTHERS, *np.quantile(VALUES, [lower, upper]))
    assert found == pytest.approx(expected.tolist(), rel=1e-12)


def test_a_share_is_the_decimal_number_that_is_written() -> None:
    # The float nearest to 0.1 is above 0.1, and would lie between two rows.
    assert statistics_of(lambda x: x.winsorize(0.1, 0.7), [float(n) for n in range(11)]) == {"low": 1.0, "high": 7.0}


def test_winsorize_keeps_the_unit() -> None:
    assert column("x", FLOAT64, "meter").winsorize().unit == "meter"
    assert column("x", FLOAT64, "meter").robust_scale().unit is None


def test_whole_numbers_are_scaled_as_floats() -> None:
    assert fit_and_apply(lambda n: n.max_abs(), [1, -4], [2]) == [0.5]
    assert column("n", INT64).robust_scale().type == FLOAT64


@pytest.mark.parametrize(
    "shares", [(0.5, 0.5), (0.9, 0.1), (-0.1, 0.9), (0.1, 1.1), ("a", 1.0), (True, 1.0), (None, 1.0)]
)
def test_winsorize_refuses_what_are_no_two_shares(shares: tuple[Any, Any]) -> None:
    with pytest.raises(DeclarationError, match=r"winsorize: .*(shares|number)"):
        column("x", FLOAT64).winsorize(*shares)
