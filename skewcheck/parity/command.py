"""The parity command: run the suite and print a line for every operator and service."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from skewcheck.errors import UsageError
from skewcheck.language.operator import REGISTRY
from skewcheck.parity.running import Difference
from skewcheck.parity.spark import SparkRunner, find_obstacle
from skewcheck.parity.suite import Finding, Settings, run_suite

ENGINES = ("duckdb", "spark")
"""What can be compared with Python."""

WIDTH = 24
"""Characters for a name."""


def compare_engines(
    names: Sequence[str],
    services: Mapping[str, Path],
    *,
    rows: int,
    spark_rows: int,
    seed: int,
    engines: Sequence[str] | None = None,
) -> int:
    """Print how every operator and service compares, and give the number of those that differ beyond their class.

    Args:
        names: Operators and services; all of them where there is none.
        services: The folders of generated services, by name.
        rows: Rows for Python against DuckDB.
        spark_rows: Rows for Python against Spark.
        seed: Another seed gives other rows.
        engines: What to compare with Python; DuckDB, and Spark where it is installed, if it is None.

    Raises:
        UsageError: There is no operator, service or engine of a name.
        SkewcheckError: Spark is asked for and cannot be started.
    """
    if unknown := [name for name in names if name not in REGISTRY and name not in services]:
        known = ", ".join([*services, *sorted(REGISTRY)])
        raise UsageError(f"there is no operator or service {', '.join(unknown)}", remedy=f"There are: {known}.")
    if unknown := [engine for engine in engines or () if engine not in ENGINES]:
        raise UsageError(f"there is no engine {', '.join(unknown)}", remedy=f"There are: {', '.join(ENGINES)}.")
    settings = Settings(
        rows=rows,
        spark_rows=spark_rows,
        seed=seed,
        operators=tuple(name for name in names if name in REGISTRY) if names else None,
        services=tuple(folder for name, folder in services.items() if not names or name in names),
    )
    console = Console(highlight=False)
    failed = 0
    with _open_spark(engines, console) as spark:
        for finding in run_suite(settings, spark):
            failed += not finding.agrees
            _print_finding(finding, console)
    console.print(f"{failed} differ" if failed else "every engine agrees with Python", markup=False)
    return failed


@contextmanager
def _open_spark(engines: Sequence[str] | None, console: Console) -> Iterator[SparkRunner | None]:
    """A Spark session where Spark is asked for, or is installed and nothing is asked for."""
    obstacle = find_obstacle() if engines is None else None
    if obstacle:
        console.print(f"Spark is not compared: {obstacle}", markup=False, soft_wrap=True)
    if obstacle or "spark" not in (engines or ENGINES):
        yield None
        return
    runner = SparkRunner()
    try:
        yield runner
    finally:
        runner.close()


def _print_finding(finding: Finding, console: Console) -> None:
    parts = [f"{engine} {_say(difference)}" for engine, difference in finding.differences.items()]
    style = "" if finding.agrees else "bold red"
    console.print(Text(f"{finding.name:<{WIDTH}} {'   '.join(parts)}", style=style), soft_wrap=True)
    for engine, difference in finding.differences.items():
        if difference.first is not None:
            given, here, there = (str(part)[:300] for part in difference.first)
            console.print(f"  for example {given}: Python {here}, {engine} {there}", markup=False, soft_wrap=True)


def _say(difference: Difference) -> str:
    return f"{difference.rows:>9,} rows {difference.differing:>7,} differing {difference.largest_ulp:>6,} ulp"
