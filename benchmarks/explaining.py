"""Explaining five skewed features of twenty: what it adds to a clean audit of five million requests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.payments.data import fit_payments, generate_payments, write_payments
from skewcheck.audit import Options, audit
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name, quote_text, scan_parquet

ROWS = 5_000_000
MEMORY = 2.0
"""GiB that the process of an audit may take at its peak."""

WRONG = {
    "amount_log_z": "amount_log_z * 0.97 + 0.01",
    "balance_scaled": "balance_scaled * 100",
    "age_filled": "coalesce(age, 0)",
    "weekday": "(weekday + 1) % 7",
    "income_clipped": "income",
}
"""Five features as a service with faults gives them, as SQL."""

KINDS = {
    "amount_log_z": "statistics",
    "balance_scaled": "unit",
    "age_filled": "default",
    "weekday": "recode",
    "income_clipped": "clip",
}

Figure = tuple[str, float, float]


def measure() -> list[Figure]:
    """The time that explaining adds over that of a clean audit, and the peak of memory over its limit.

    Raises:
        RuntimeError: A cause is not the one that was planted.
    """
    with tempfile.TemporaryDirectory(prefix="skewcheck-benchmarks-") as name:
        folder = Path(name)
        generated = folder / "codegen" / "payments"
        generated.mkdir(parents=True)
        generate_payments().write(generated)
        fit_payments().write(generated / "state.json")
        _write_logs(folder, generated)
        clean = _time(folder, "clean", explain=True)[0]
        plain = _time(folder, "faulty", explain=False)[0]
        explained, peak = _time(folder, "faulty", explain=True)
    return [
        ("explaining_five_of_twenty_over_clean_audit", (explained - plain) / clean, 3.0),
        ("explaining_peak_memory_over_2_gib", peak / MEMORY, 1.0),
    ]


def _write_logs(folder: Path, generated: Path) -> None:
    inputs = folder / "inputs.parquet"
    write_payments(inputs, ROWS, seed=2)
    query = (generated / "features.sql").read_text(encoding="utf-8")
    with open_session(memory_limit="1GB", spill_to=folder) as connection:
        source = f"SELECT *, row_number() OVER () AS number FROM {scan_parquet(str(inputs))}"
        computed = f"WITH inputs AS NOT MATERIALIZED ({source}) SELECT * FROM ({query})"
        read = [row[0] for row in connection.execute(f"DESCRIBE {source}").fetchall() if row[0] != "number"]
        names = [row[0] for row in connection.execute(f"DESCRIBE {computed}").fetchall()]
        features = [name for name in names if name not in {*read, "number"}]
        meta = (
            "CAST(number AS VARCHAR) AS request_id, make_timestamptz(1700000000000000 + number * 1000000) AS "
            "requested_at, 'host-' || number % 20 AS host"
        )
        logged = ", ".join(f"{quote_name(name)} AS {quote_name(f'request.{name}')}" for name in read)
        for log, wrong in (("clean", {}), ("faulty", WRONG)):
            served = ", ".join(
                f"{wrong.get(name, quote_name(name))} AS {quote_name(f'feature.{name}')}" for name in features
            )
            target = quote_text(str(folder / f"{log}.parquet"))
            connection.execute(f"COPY (SELECT {meta}, {logged}, {served} FROM ({computed})) TO {target}")


def _time(folder: Path, log: str, *, explain: bool) -> tuple[float, float]:
    """Seconds and GiB of an audit in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.explaining", str(folder), log, str(int(explain))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def _run(folder: Path, log: str, explain: bool) -> None:
    import resource

    start = time.perf_counter()
    options = Options(stages=("transform",), explain=explain)
    verdict = audit(folder / f"{log}.parquet", folder / "codegen" / "payments", None, options)
    took = time.perf_counter() - start
    if explain and log == "faulty":
        found = {feature.name: feature.causes[0]["kind"] for feature in verdict.skewed}
        if found != KINDS:
            raise RuntimeError(f"the causes are {found}, expected {KINDS}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    sys.stdout.write(f"{took} {peak}\n")


if __name__ == "__main__":
    _run(Path(sys.argv[1]), sys.argv[2], bool(int(sys.argv[3])))
