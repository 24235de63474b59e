"""Run subjects in a local Spark session."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.engines.spark import SETTINGS
from skewcheck.errors import SkewcheckError
from skewcheck.parity.subjects import Subject


class SparkRunner:
    """A local Spark session, from when it is made until it is closed."""

    def __init__(self) -> None:
        self.session = _start_session()

    def __call__(self, subject: Subject, path: Path) -> pa.Table:
        """The outputs of a subject over the rows of a folder of Parquet files, in the order of the column "$row"."""
        self.session.read.parquet(str(path)).createOrReplaceTempView("inputs")
        names = ["$row", *subject.outputs]
        found = self.session.sql(subject.queries["spark"]).select(*(f"`{name}`" for name in names))
        with tempfile.TemporaryDirectory(prefix="skewcheck-") as folder:
            target = Path(folder, "outputs")
            found.write.parquet(str(target))
            return pq.read_table(target).sort_by("$row").select(list(subject.outputs))

    def close(self) -> None:
        """End the session."""
        self.session.stop()


def find_obstacle() -> str | None:
    """Why Spark cannot run here, None where it can."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "pyspark is not installed; run pip install 'skewcheck[spark]'"
    return None if shutil.which("java") else "there is no Java on the PATH; Spark 4 needs Java 17"


def _start_session() -> Any:
    if obstacle := find_obstacle():
        raise SkewcheckError(f"Spark cannot be started: {obstacle}", remedy="Install it, or leave Spark out.")
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.memory": "2g",
        "spark.driver.host": "127.0.0.1",
        **SETTINGS,
        "spark.sql.shuffle.partitions": "4",
        "spark.log.level": "ERROR",
        # The default is a 96-bit form that Arrow reads as nanoseconds, which end in 2262.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[*]").appName("skewcheck")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
