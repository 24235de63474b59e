"""Rides that nobody took: inputs, features as training computes them, and a log; the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.faults.declaration import PAYMENTS, PLACES, rides
from skewcheck.engines.session import open_session
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import State
from skewcheck.generate.generation import Generated, generate
from skewcheck.language.types import Type

TRAINING_ROWS = 20_000
BEGIN = 1_717_200_000_000_000
"""2024-06-01 in microseconds since 1970."""

PODS = 100
CITIES = tuple(
    f"{name} {number}" for name in ("Springfield", "Riverside", "Salem", "Dover", "Ashland") for number in range(6)
)
INSTANT = pa.timestamp("us", tz="UTC")
NONE = np.array(None, dtype=object)


@dataclass(frozen=True, eq=False)
class Rides:
    """Inputs by name, as NumPy arrays (None or NaN is missing), and what stands beside them in a log."""

    inputs: dict[str, np.ndarray]
    requested_at: np.ndarray
    pods: np.ndarray

    def __len__(self) -> int:
        return len(self.requested_at)


def make_rides(rows: int, seed: int) -> Rides:
    """Rides in the order in which they were asked for; 3 % of most inputs are missing."""
    random = np.random.default_rng(seed)

    def gaps(values: np.ndarray, share: float = 0.03) -> np.ndarray:
        return np.where(random.random(rows) < share, np.nan, values)

    requested = BEGIN + np.sort(random.integers(0, 30 * 86_400, rows)) * 1_000_000
    names = np.array(CITIES, dtype=object)
    popular = np.minimum((random.random(rows) ** 2 * len(names)).astype(int), len(names) - 1)
    spelled = random.integers(0, 4, rows)
    loud = np.array([name.upper() for name in CITIES], dtype=object)
    city = np.where(spelled == 1, loud[popular], np.where(spelled == 2, (" " + names)[popular], names[popular]))
    distance = np.round(np.exp(random.normal(1.2, 0.8, rows)), 1)
    inputs: dict[str, np.ndarray] = {
        "distance": gaps(distance),
        "duration": gaps(np.round(distance * random.uniform(2, 5, rows) + 3, 0)),
        "fare": gaps(np.round(random.gamma(2.0, 9.0, rows) * 2) / 2),
        "temperature": gaps(np.round(random.normal(62, 15, rows), 1), 0.05),
        "rating": gaps(np.round(random.uniform(1, 5, rows), 2), 0.1),
        "demand": gaps(random.gamma(2.0, 3.0, rows)),
        "clicks": np.where(random.random(rows) < 0.02, NONE, (random.pareto(1.0, rows) * 400).clip(0, 3e6).astype(int)),
        "city": np.where(random.random(rows) < 0.02, NONE, city),
        "driver": np.array([f"d{number:03d}" for number in range(150)], dtype=object)[random.integers(0, 150, rows)],
        "payment": np.array(PAYMENTS, dtype=object)[random.integers(0, len(PAYMENTS), rows)],
        "pickup": requested + random.integers(60, 7200, rows) * 1_000_000,
        "signed_up": requested - random.integers(1, 900 * 86_400, rows) * 1_000_000,
    }
    pods = np.array([f"pod-{number:02d}" for number in range(PODS)], dtype=object)[random.integers(0, PODS, rows)]
    return Rides(inputs, requested, pods)


def tabulate_inputs(rows: Rides, prefix: str = "") -> dict[str, pa.Array]:
    """The inputs as Arrow columns."""
    kinds = {"clicks": pa.int64(), "pickup": INSTANT, "signed_up": INSTANT}
    texts = ("city", "driver", "payment")
    columns = {}
    for name, values in rows.inputs.items():
        if name in texts:
            columns[prefix + name] = pa.array(values, pa.string())
        elif name in kinds:
            columns[prefix + name] = pa.array(values, pa.int64()).cast(kinds[name])
        else:
            columns[prefix + name] = pa.array(values, pa.float64(), from_pandas=True)
    return columns


@cache
def fit_rides() -> State:
    """The frozen statistics."""
    path = Path(mkdtemp(prefix="skewcheck-faults-"), "training.parquet")
    pq.write_table(pa.table(tabulate_inputs(make_rides(TRAINING_ROWS, seed=1))), path)
    return fit(rides, path)


@cache
def generate_rides() -> Generated:
    """The generated code."""
    return generate(rides, fit_rides(), PLACES, {})


@cache
def write_generated() -> Path:
    """The folder of the generated code, with the state."""
    folder = Path(mkdtemp(prefix="skewcheck-faults-"), "codegen", "rides")
    folder.mkdir(parents=True)
    generate_rides().write(folder)
    fit_rides().write(folder / "state.json")
    return folder


def compute_features(rows: Rides) -> dict[str, pa.Array]:
    """The features as training computes them."""
    table = pa.table({"$row": pa.array(range(len(rows)), pa.int64()), **tabulate_inputs(rows)})
    with open_session() as connection:
        connection.register("inputs", table)
        query = generate_rides().files["features.sql"]
        found = connection.execute(f'SELECT * FROM ({query}) ORDER BY "$row"').to_arrow_table()
    return {feature.name: found.column(feature.name).combine_chunks() for feature in rides.features}


def feature_types() -> dict[str, Type]:
    """The type of every feature."""
    return {feature.name: feature.type for feature in rides.features}


def make_log(rows: Rides, features: dict[str, pa.Array], beside: dict[str, pa.Array] | None = None) -> pa.Table:
    """A serving log: requests, inputs, and features as served."""
    return pa.table(
        {
            "request_id": pa.array([f"r{number:07d}" for number in range(len(rows))]),
            "requested_at": pa.array(rows.requested_at, pa.int64()).cast(INSTANT),
            "host": pa.array(rows.pods, pa.string()),
            **tabulate_inputs(rows, "request."),
            **{f"feature.{name}": values for name, values in features.items()},
            **(beside or {}),
        }
    )


def write_log(path: Path, table: pa.Table) -> Path:
    """Write a log as one file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path)
    return path


def numbers(values: pa.Array) -> np.ndarray[Any, Any]:
    """An Arrow column of numbers with NaN for missing."""
    return values.cast(pa.float64()).to_numpy(zero_copy_only=False)
