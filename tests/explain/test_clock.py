"""Clocks that serving reads otherwise."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from benchmarks.faults.world import compute_features, make_log, make_rides, write_generated, write_log
from skewcheck.audit import Options, audit


def test_one_hour_is_one_hour(tmp_path: Path) -> None:
    rides = make_rides(1500, seed=31)
    clean = compute_features(rides)
    earlier = [None if hour is None else (hour - 1) % 24 for hour in clean["pickup_hour"].to_pylist()]
    log = write_log(tmp_path / "log.parquet", make_log(rides, clean | {"pickup_hour": pa.array(earlier)}))
    said = audit(log, write_generated(), None, Options(stages=("transform",))).to_json()
    assert "1 hour earlier than training" in said
    assert "1 hours" not in said
