"""What others see of the same fault: a comparison of rows, and two tests of distributions."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.faults.world import numbers

BINS = 10
PSI_ALARM = 0.2
KS_ALARM = 0.01

HAS_DATACOMPY = importlib.util.find_spec("datacompy") is not None
"""Whether the package is installed (`pip install skewcheck[bench]`)."""


@dataclass(frozen=True)
class Seen:
    """What each of them sees of one fault.

    Attributes:
        rows: The share of rows that differ.
        datacompy: The share of rows that datacompy finds unequal; None where it is not installed.
        psi: The population stability index; None for what is no number.
        ks: The p-value of the test of Kolmogorov and Smirnov; None for what is no number.
    """

    rows: float
    datacompy: float | None
    psi: float | None
    ks: float | None


def ask_peers(served: pa.Array, trained: pa.Array) -> Seen:
    """What they see where training has other values than serving."""
    return Seen(
        compare_rows(served, trained),
        compare_with_datacompy(served, trained) if HAS_DATACOMPY else None,
        measure_psi(served, trained),
        measure_ks(served, trained),
    )


def compare_rows(served: pa.Array, trained: pa.Array) -> float:
    """The share of rows that differ: what TFDV's feature skew and SkewSentry count."""
    pairs = zip(served.to_pylist(), trained.to_pylist(), strict=True)
    return sum(one != other for one, other in pairs) / max(1, len(served))


def compare_with_datacompy(served: pa.Array, trained: pa.Array) -> float:
    """The share of rows that datacompy finds unequal, without a tolerance."""
    import datacompy
    import pandas as pd

    keys = range(len(served))
    left, right = (pd.DataFrame({"id": keys, "value": _read_plain(side)}) for side in (served, trained))
    compared = datacompy.PandasCompare(left, right, join_columns="id")
    return 1.0 - float(compared.count_matching_rows()) / max(1, len(left))


def _read_plain(values: pa.Array) -> Any:
    """A column of a frame: lists as text, which datacompy compares."""
    return [str(one) for one in values.to_pylist()] if pa.types.is_list(values.type) else values.to_pandas()


def measure_psi(served: pa.Array, trained: pa.Array) -> float | None:
    """The population stability index over tenths of the training side; None for what is no number."""
    left, right = _read_numbers(served), _read_numbers(trained)
    if left is None or right is None or len(left) < BINS or len(right) < BINS:
        return None
    edges = np.unique(np.quantile(right, np.linspace(0, 1, BINS + 1)[1:-1]))
    shares = [
        np.maximum(np.bincount(np.searchsorted(edges, side, side="right"), minlength=len(edges) + 1) / len(side), 1e-4)
        for side in (left, right)
    ]
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())


def measure_ks(served: pa.Array, trained: pa.Array) -> float | None:
    """The p-value of the two-sample test of Kolmogorov and Smirnov; None for what is no number."""
    from scipy.stats import ks_2samp

    left, right = _read_numbers(served), _read_numbers(trained)
    if left is None or right is None or not len(left) or not len(right):
        return None
    return float(ks_2samp(left, right, method="asymp").pvalue)


def _read_numbers(values: pa.Array) -> np.ndarray[Any, Any] | None:
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or pa.types.is_boolean(values.type)):
        return None
    found = numbers(values)
    return found[np.isfinite(found)]
