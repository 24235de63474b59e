"""A clean audit against its floors: one scan of the same columns, and the generated query into an aggregate."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.flights_log import GENERATED, write_log
from skewcheck.audit import Options, audit
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.generate.manifest import read_manifest

ROWS = 1_000_000
ROUNDS = 9
LIMIT_MEBIBYTES = 1024

_PEAK = """
import sys
from pathlib import Path
from skewcheck.audit import Options, audit
verdict = audit(sys.argv[1], Path(sys.argv[2]), None, Options(stages=("transform",)))
assert verdict.verdict == "pass" and verdict.rows.replayed == int(sys.argv[3]), verdict
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)
"""
# getrusage would begin with the peak of the process that started this one.


def measure() -> list[tuple[str, float, float]]:
    """The time of a million rows over the sum of the floors, and peak memory at one and ten million rows in GiB."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "log"), Path(folder, "large")
        write_log(small, ROWS)
        figures = [("audit_1m_rows_over_floors", _time_audit(small), 1.3)]
        figures.append(("audit_1m_rows_peak_memory_gib", _peak(small, ROWS) / LIMIT_MEBIBYTES, 1.0))
        write_log(large, 10 * ROWS)
        figures.append(("audit_10m_rows_peak_memory_gib", _peak(large, 10 * ROWS) / LIMIT_MEBIBYTES, 1.0))
        return figures


def _time_audit(log: Path) -> float:
    """Best of several rounds, the three taken in turn."""
    manifest = read_manifest(GENERATED / "manifest.json")
    query = (GENERATED / "features.sql").read_text(encoding="utf-8")
    files = f"read_parquet({quote_text(str(log / '*.parquet'))})"
    logged = [f"{column.role}.{column.name}" for column in manifest.columns]
    features = [feature.name for feature in manifest.features]
    scanned = ["request_id", "requested_at", "definition_hash", "state_hash"]
    scanned += [*logged, *(f"feature.{name}" for name in features)]
    inputs = ", ".join(f"{quote_name(f'{c.role}.{c.name}')} AS {quote_name(c.name)}" for c in manifest.columns)
    scan = f"SELECT {', '.join(f'any_value({quote_name(name)})' for name in scanned)}, count(*) FROM {files}"
    values = ", ".join(f"any_value({quote_name(name)})" for name in features)
    compute = f"WITH inputs AS NOT MATERIALIZED (SELECT {inputs} FROM {files}) SELECT {values} FROM ({query})"
    with open_session() as connection:
        best = [float("inf")] * 3
        for _ in range(ROUNDS):
            for place, run in enumerate(
                (
                    lambda: audit(log, GENERATED, None, Options(stages=("transform",))),
                    lambda: connection.execute(scan).fetchall(),
                    lambda: connection.execute(compute).fetchall(),
                )
            ):
                best[place] = min(best[place], _time(run))
    whole, floor_of_scan, floor_of_query = best
    return whole / (floor_of_scan + floor_of_query)


def _time(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _peak(log: Path, rows: int) -> float:
    """Peak memory of a fresh process that audits, in MiB."""
    command = [sys.executable, "-c", _PEAK, str(log), str(GENERATED), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout)
