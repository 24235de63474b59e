"""The exponent of Yeo-Johnson is SciPy's, whatever the order of the rows."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import yeojohnson_normmax

from skewcheck.errors import StateError
from tests.fit.test_statistics import compute

CHANCE = random.Random(5)
COLUMNS = {
    "normal": [CHANCE.gauss(2.0, 1.0) for _ in range(500)],
    "skewed": [CHANCE.lognormvariate(0.0, 1.0) for _ in range(500)],
    "mirrored": [-CHANCE.lognormvariate(0.0, 1.0) for _ in range(500)],
    "counts": [float(CHANCE.choice([0, 0, 0, 1, 1, 2, 7])) for _ in range(500)],
    "large": [CHANCE.lognormvariate(30.0, 2.0) for _ in range(500)],
    "two": [1.0, 2.0],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_exponent_is_that_of_the_greatest_likelihood(name: str) -> None:
    assert compute("lambda", COLUMNS[name]) == pytest.approx(
        yeojohnson_normmax(np.array(COLUMNS[name])), rel=1e-5, abs=1e-6
    )


def test_the_order_of_the_rows_does_not_show() -> None:
    values = COLUMNS["skewed"]
    assert len({compute("lambda", random.Random(seed).sample(values, len(values))) for seed in range(5)}) == 1


@pytest.mark.parametrize("value", [0.0, 3.0, -7.5])
def test_a_constant_column_is_left_as_it_is(value: float) -> None:
    assert compute("lambda", [value] * 3) == 1.0


def test_values_that_no_exponent_brings_together_are_an_error() -> None:
    with pytest.raises(StateError, match="no exponent"):
        compute("lambda", [1e-320, 2e-320])
