"""The numbers that a fault has, where an audit has to solve for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from benchmarks.faults.serving import KILOMETRES, Fault
from benchmarks.faults.world import fit_rides


def find_truth(fault: Fault) -> dict[str, float]:
    """For parameters of the cause (a dot for each level) the value that the fault has."""
    size = fault.size
    if fault.name == "statistics":
        return {f"statistics.{name}": value for name, value in _statistics(fault).items()}
    if fault.name == "ddof":
        std = fit_rides().statistics["distance.log1p().standardize()"]["std"]
        return {"statistics.std": std * math.sqrt(size / (size - 1)), "rows": size}
    plain = {
        "kilometres": {"factor": KILOMETRES},
        "metres": {"factor": 1609.344},
        "seconds": {"factor": 60.0},
        "cents": {"factor": 100.0},
        "rolling": {"requests": size},
        "rolling_on_each_pod": {"requests": size},
        "share": {"serving": size},
        "plus": {"serving": size},
        "divisor": {"serving": size},
        "limit": {"serving": size},
        "round": {"decimals": size},
        "floor": {"decimals": size},
    }
    if fault.name == "missing_as" and fault.feature not in {"city_text", "is_long"}:
        return {"serving": size}
    if fault.name == "buckets":
        return {"buckets": size}
    return plain.get(fault.name, {})


def _statistics(fault: Fault) -> dict[str, float]:
    size = fault.size
    state = fit_rides().statistics
    if fault.feature == "distance_z":
        frozen = state["distance.log1p().standardize()"]
        return {"mean": frozen["mean"] + 0.05 * size, "std": frozen["std"] * (1 + 0.04 * size)}
    if fault.feature == "distance_scaled":
        frozen = state["distance.min_max()"]
        return {"minimum": frozen["minimum"] + 0.1 * size, "range": frozen["range"] * (1 + 0.05 * size)}
    if fault.feature == "fare_robust":
        frozen = state["fare.robust_scale()"]
        return {"median": frozen["median"] + 0.3 * size, "range": frozen["range"] + 0.7 * size}
    frozen = state["temperature.impute(strategy='median').standardize()"]
    return {"mean": frozen["mean"] + size, "std": frozen["std"] * (1 + 0.03 * size)}


def measure_error(fault: Fault, parameters: Mapping[str, Any]) -> float | None:
    """The largest relative error of the numbers that were solved; None where there is none to solve."""
    return measure_paths(find_truth(fault), parameters)


def measure_paths(truth: Mapping[str, float], parameters: Mapping[str, Any]) -> float | None:
    """The same for numbers by their paths through a cause's parameters."""
    errors = []
    for path, true in truth.items():
        found: Any = parameters
        for part in path.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        if not isinstance(found, (int, float)):
            return math.inf
        errors.append(abs(found - true) / max(abs(true), 1e-9))
    return max(errors, default=None)
