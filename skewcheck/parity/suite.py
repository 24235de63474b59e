"""The suite: every operator's examples, and generated services, on every engine, over tables of hard values."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.language.types import Type
from skewcheck.parity.running import Difference, compare, run_duckdb, run_python
from skewcheck.parity.subjects import Subject, find_examples, read_example, read_service
from skewcheck.parity.values import make_columns

RunInSpark = Callable[[Subject, Path], pa.Table]
"""Runs a subject over the rows of a folder of Parquet files; gives its outputs in the order of the column "$row"."""

CHUNK = 100_000
"""Rows that are made, computed and compared at a time, so that memory does not grow with their number."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How much to compare.

    Attributes:
        rows: Rows for Python against DuckDB.
        spark_rows: The first of them for Python against Spark.
        seed: Another seed gives other rows.
        operators: The operators; all of them if it is None.
        services: Folders of generated services.
        processes: How many to run at once.
    """

    rows: int = 10_000
    spark_rows: int = 10_000
    seed: int = 1
    operators: tuple[str, ...] | None = None
    services: tuple[Path, ...] = ()
    processes: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Finding:
    """How one operator or service compares: for each engine how far it is from Python."""

    name: str
    differences: dict[str, Difference]

    @property
    def agrees(self) -> bool:
        """Whether no engine is further from Python than allowed."""
        return not any(difference.beyond for difference in self.differences.values())


def run_suite(settings: Settings, run_in_spark: RunInSpark | None = None) -> Iterator[Finding]:
    """The finding of every operator and service, one at a time.

    Args:
        settings: How much to compare.
        run_in_spark: Runs a subject in Spark; Python and DuckDB alone are compared without it.
    """
    examples = find_examples()
    wanted = [
        place for place, (cls, _) in enumerate(examples) if settings.operators is None or cls.name in settings.operators
    ]
    tasks: dict[str, list[int | Path]] = {}
    for place in wanted:
        tasks.setdefault(examples[place][0].name, []).append(place)
    for folder in settings.services:
        tasks[folder.name] = [folder]
    if run_in_spark is None:
        settings = replace(settings, spark_rows=0)
    with tempfile.TemporaryDirectory(prefix="skewcheck-") as name, ProcessPoolExecutor(settings.processes) as pool:
        folder = Path(name)
        pending = {
            key: [
                pool.submit(_compare_in_duckdb, settings, part, folder / f"{key}-{number}")
                for number, part in enumerate(parts)
            ]
            for key, parts in tasks.items()
        }
        for key, futures in pending.items():
            differences: dict[str, Difference] = {}
            for future in futures:
                subject, kept, difference = future.result()
                _add(differences, "duckdb", difference)
                if run_in_spark is not None and "spark" in subject.queries:
                    _add(differences, "spark", _compare_in_spark(subject, kept, run_in_spark))
                shutil.rmtree(kept)
            yield Finding(key, differences)


def _add(differences: dict[str, Difference], engine: str, difference: Difference) -> None:
    known = differences.get(engine)
    differences[engine] = difference if known is None else known + difference


def _compare_in_duckdb(settings: Settings, part: int | Path, folder: Path) -> tuple[Subject, Path, Difference]:
    """One subject in Python and in DuckDB; the inputs and Python's outputs are kept for Spark."""
    folder.mkdir()
    subject = read_service(part) if isinstance(part, Path) else read_example(*find_examples()[part], folder)
    for name in ("inputs", "expected"):
        (folder / name).mkdir()
    difference = Difference(0)
    for first in range(0, settings.rows, CHUNK):
        rows = min(CHUNK, settings.rows - first)
        inputs = _make_columns(tuple(subject.columns.items()), rows, settings.seed, first)
        expected = run_python(subject, inputs)
        difference += compare(subject, inputs, expected, run_duckdb(subject, inputs))
        if first < settings.spark_rows:
            for name, table in (("inputs", inputs), ("expected", expected)):
                pq.write_table(table.slice(0, settings.spark_rows - first), folder / name / f"{first:015}.parquet")
    return subject, folder, difference


@lru_cache(maxsize=10)
def _make_columns(columns: Sequence[tuple[str, Type]], rows: int, seed: int, first: int) -> pa.Table:
    return make_columns(dict(columns), rows, seed, first=first)


def _compare_in_spark(subject: Subject, folder: Path, run_in_spark: RunInSpark) -> Difference:
    found = run_in_spark(subject, folder / "inputs")
    difference = Difference(0)
    for path in sorted((folder / "inputs").iterdir()):
        inputs, expected = pq.read_table(path), pq.read_table(folder / "expected" / path.name)
        difference += compare(subject, inputs, expected, found.slice(difference.rows, inputs.num_rows))
    return difference
