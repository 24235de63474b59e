"""The exponent of the Yeo-Johnson transform, by maximum likelihood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import duckdb

from skewcheck.errors import StateError

_LOWEST = (math.log(2.0**-1022) - math.log(2.0**-52)) / 2
_HIGHEST = (math.log(1.7976931348623157e308) + math.log(2.0**-52)) / 2
_TOLERANCE = 1.48e-08


def find_lambda(connection: duckdb.DuckDBPyConnection, values: str, _: Mapping[str, Any]) -> float:
    """The exponent under which the transformed values are most likely normal; 1 for a constant column.

    The search is that of SciPy's `yeojohnson_normmax`, which scikit-learn uses. It reads the distinct values in
    ascending order with their counts, so the order of the rows cannot show.

    Raises:
        StateError: There is no finite one.
    """
    import numpy as np
    from scipy.optimize import fminbound
    from scipy.special import log1p

    found = connection.execute(
        f"SELECT value, CAST(count(*) AS DOUBLE) AS count FROM ({values}) GROUP BY value ORDER BY value"
    ).fetchnumpy()
    x, counts = np.asarray(found["value"]), np.asarray(found["count"])
    if len(x) == 1:
        return 1.0
    positive, logarithms, total = x >= 0, log1p(np.abs(x)), counts.sum()
    slope = float((counts * np.sign(x) * logarithms).sum())

    def negative_log_likelihood(exponent: float) -> float:
        """Of the values under an exponent, up to a constant; every value is weighted by its count."""
        powers = np.where(positive, exponent, 2.0 - exponent)
        scaled = np.where(powers == 0.0, logarithms, np.expm1(powers * logarithms) / powers)
        transformed = np.where(positive, scaled, -scaled)
        mean = (counts * transformed).sum() / total
        variance = (counts * (transformed - mean) ** 2).sum() / total
        return float(total / 2 * np.log(variance) - (exponent - 1) * slope) if 0 < variance < np.inf else math.inf

    with np.errstate(all="ignore"):
        chosen = float(fminbound(negative_log_likelihood, *_bounds(float(x[0]), float(x[-1])), xtol=_TOLERANCE))
        found_any = math.isfinite(negative_log_likelihood(chosen))
    if not found_any:
        raise StateError("has no exponent that makes it look normal: its values are too far apart, or too close")
    return chosen


def _bounds(low: float, high: float) -> tuple[float, float]:
    """Between which exponents nothing overflows, for values from `low` to `high` and up to 20 times as far."""
    reach = max(math.log1p(min(20 * max(-low, high), 1.7976931348623157e308)), 1e-300)
    least, most = _LOWEST / reach, _HIGHEST / reach
    if high < 0:
        return 2 - most, 2 - least
    return (max(2 - most, least), min(2 - least, most)) if low < 0 else (least, most)
