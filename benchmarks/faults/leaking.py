"""Training rows that know the future, and what the leakage guard says to them.

An audit replays training as known at the time, so it never sees a leak. The guard does, before there is a model.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.faults.retrieval_store import answer_right
from benchmarks.faults.retrieval_world import (
    HOUR,
    SECOND,
    Answer,
    Reading,
    Requests,
    make_readings,
    make_requests,
    write_repository,
    write_training_rows,
)
from skewcheck.fit.state import read_state
from skewcheck.store.leakage import find_leaks
from skewcheck.store.repository import generated_directory
from skewcheck.store.training import retrieve_training_set

LEAKY, HONEST = "feed_0", "feed_1"


@dataclass(frozen=True)
class Leak:
    """How training comes to know the future.

    Attributes:
        how: Rows count from their event time on, though they were known later; or the training rows have a column of
            the store that somebody joined on a later instant.
        size: Seconds after which a row is known; or the share of rows with a later value.
    """

    how: Literal["by event time", "joined later"]
    size: float


LEAKS = (
    *(Leak("by event time", size) for size in (1800.0, 7200.0, 86_400.0)),
    *(Leak("joined later", size) for size in (0.01, 0.1, 1.0)),
)
"""One leak each."""


@dataclass(frozen=True)
class LeakOutcome:
    """What the guard says.

    Attributes:
        leak: What was planted.
        touched: Training rows with a value that was not known.
        found: For each feature that it refuses, the rows.
    """

    leak: Leak
    touched: int
    found: dict[str, int]

    @property
    def detected(self) -> bool:
        """Whether just that feature is refused, for just as many rows."""
        return self.touched > 0 and self.found == {f"{LEAKY}_read": self.touched}


def run_leaks(rows: int, seed: int) -> list[LeakOutcome]:
    """Ask the guard about each leak."""
    asked = make_requests(rows, seed)
    return [_run(leak, asked, seed) for leak in LEAKS]


def _run(leak: Leak, asked: Requests, seed: int) -> LeakOutcome:
    readings, honest = make_readings(seed), make_readings(seed + 1)
    late = round(leak.size) * SECOND if leak.how == "by event time" else 0
    readings = [replace(row, created=row.event + late) if late else row for row in readings]
    # A feed of which every row is known at once has nothing to leak.
    honest = [replace(row, created=row.event) for row in honest]
    right = answer_right(readings, asked)
    given: dict[str, list[float | None]] = {}
    if leak.how == "by event time":
        trained = answer_right([replace(row, created=row.event) for row in readings], asked)
    else:
        trained = _join_later(readings, asked, right, leak.size)
        given[f"{LEAKY}_value"] = [answer.value for answer in trained]
    touched = sum(one.value != other.value for one, other in zip(trained, right, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        repository = write_repository(Path(folder, "repo"), {LEAKY: readings, HONEST: honest})
        write_training_rows(repository.root, asked, given)
        service = repository.service("readings")
        state = read_state(generated_directory(repository.root, "readings") / "state.json")
        training = retrieve_training_set(
            repository,
            service,
            Path(folder, "rows.parquet"),
            as_of="event" if leak.how == "by event time" else "known",
        )
        guard = find_leaks(repository, service, state, training)
    return LeakOutcome(leak, touched, {one.feature: one.rows for one in guard.leaks})


def _join_later(readings: Sequence[Reading], asked: Requests, right: Sequence[Answer], share: float) -> list[Answer]:
    """What was known, and for a share of the rows what is known three hours later."""
    later = answer_right(readings, replace(asked, times=[when + 3 * HOUR for when in asked.times]))
    chosen = np.random.default_rng(9).random(len(asked)) < share
    return [other if one else known for known, other, one in zip(right, later, chosen.tolist(), strict=True)]
