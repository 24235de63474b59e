"""The delays of training beside those of serving: of every view's rows, and of the labels."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

import duckdb

from skewcheck.engines.sql import quote_name, scan_parquet
from skewcheck.replay.columns import LogColumns
from skewcheck.replay.lag import Lag
from skewcheck.replay.sampling import SAMPLE, SERVED_EVENT
from skewcheck.replay.tracing import SECOND, TracedView, fetch_all, trained_age
from skewcheck.store.as_of import INSTANT

if TYPE_CHECKING:
    from skewcheck.language.declaration import Service
    from skewcheck.store.repository import Repository


def align_view(traced: TracedView, lags: Sequence[Lag], *, matches: bool) -> dict[str, Any]:
    """One view: the delay with which training reads it, and the one with which serving did.

    Args:
        traced: The view.
        lags: Of its columns that differ.
        matches: Whether none differs, so that serving has the delay of training.
    """
    (ages,) = fetch_all(
        traced.connection,
        f"SELECT median({trained_age(traced)}) / {SECOND} AS trained, "
        f'median({INSTANT} - {SERVED_EVENT}) / {SECOND} AS served FROM "#traced" WHERE {SAMPLE}',
    )
    served: dict[str, Any] = {"delay_seconds": None, "share": None, "age_seconds": ages["served"]}
    if matches:
        served |= {
            "delay_seconds": traced.delay / SECOND,
            "share": 1.0,
            "age_seconds": ages["trained"],
        }
    elif lags:
        # Columns of one view travel together; one that changes rarely fits many delays.
        delay = median(lag.seconds for lag in lags)
        nearest = min(lags, key=lambda lag: abs(lag.seconds - delay))
        served |= {"delay_seconds": nearest.seconds, "share": nearest.share}
    return {
        "source": traced.view.name,
        "what": "features",
        "training": {"delay_seconds": traced.delay / SECOND, "age_seconds": ages["trained"]},
        "serving": served,
    }


def align_labels(
    connection: duckdb.DuckDBPyConnection, log: str, columns: LogColumns, repository: Repository, service: Service
) -> list[dict[str, Any]]:
    """The labels: how long after a request they become known, in the training rows and in the log.

    Nothing where no training rows are declared with the time at which their labels became known, or their file is not
    there.
    """
    training = service.training
    if training is None or training.labels_known_at is None:
        return []
    rows = scan_parquet(str(repository.root / training.entities))
    try:
        trained = _median_delay(connection, rows, training.labels_known_at, quote_name(training.timestamp))
    except duckdb.Error:
        return []
    names = {row["column_name"] for row in fetch_all(connection, f"DESCRIBE SELECT * FROM {log}")}
    logged = [name for name in (f"label.{training.labels_known_at}", training.labels_known_at) if name in names]
    served = _median_delay(connection, log, logged[0], str(columns.requested_at)) if logged else None
    return [
        {
            "source": training.entities,
            "what": "labels",
            "training": {"delay_seconds": trained},
            "serving": {"delay_seconds": served},
        }
    ]


def _median_delay(connection: duckdb.DuckDBPyConnection, rows: str, known_at: str, instant: str) -> float | None:
    """Seconds from a request until its label is known."""
    known = f"epoch_us(CAST({quote_name(known_at)} AS TIMESTAMPTZ))"
    (row,) = fetch_all(
        connection,
        f"SELECT median({known} - epoch_us(CAST({instant} AS TIMESTAMPTZ))) / {SECOND} AS delay FROM {rows}",
    )
    delay: float | None = row["delay"]
    return delay
