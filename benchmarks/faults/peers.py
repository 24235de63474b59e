"""What others see of the same fault: a comparison of rows, and two tests of distributions."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.faults.world import numbers

BINS = 10
PSI_ALARM = 0.2
KS_ALARM = 0.01

HAS_DATACOMPY = importlib.util.find_spec("datacompy") is not None
"""Whether the package is installed (`pip install skewcheck[bench]`)."""


def compare_rows(served: pa.Array, trained: pa.Array) -> float:
    """The share of rows that differ: what TFDV's feature skew and SkewSentry count."""
    pairs = zip(served.to_pylist(), trained.to_pylist(), strict=True)
    return sum(one != other for one, other in pairs) / max(1, len(served))


def compare_with_datacompy(served: pa.Array, trained: pa.Array) -> float:
    """The share of rows that datacompy finds unequal."""
    import datacompy
    import pandas as pd

    keys = range(len(served))
    left = pd.DataFrame({"id": keys, "value": [str(one) for one in served.to_pylist()]})
    right = pd.DataFrame({"id": keys, "value": [str(one) for one in trained.to_pylist()]})
    compared = datacompy.PandasCompare(left, right, join_columns="id")
    return float(compared.count_matching_rows() * -1 + len(left)) / max(1, len(left))


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
    return float(ks_2samp(left, right).pvalue)


def _read_numbers(values: pa.Array) -> np.ndarray[Any, Any] | None:
    if not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type) or pa.types.is_boolean(values.type)):
        return None
    found = numbers(values)
    return found[np.isfinite(found)]


def say_peers(served: pa.Array, trained: pa.Array) -> str:
    """One line: what each of them reports."""
    psi, ks = measure_psi(served, trained), measure_ks(served, trained)
    words = [f"rows {compare_rows(served, trained):.1%}"]
    if HAS_DATACOMPY:
        words.append(f"datacompy {compare_with_datacompy(served, trained):.1%}")
    words.append("PSI —" if psi is None else f"PSI {psi:.3f}{' alarm' if psi > PSI_ALARM else ''}")
    words.append("KS —" if ks is None else f"KS p={ks:.2g}{' alarm' if ks < KS_ALARM else ''}")
    return ", ".join(words)
