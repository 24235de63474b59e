"""Faults of retrieval: planted in what an online store answers, audited against the sources, and what is named."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.faults.retrieval_store import RetrievalFault, Served, serve_feed
from benchmarks.faults.retrieval_world import (
    SECOND,
    STEP,
    TTL,
    Requests,
    make_readings,
    make_requests,
    write_log,
    write_repository,
)
from skewcheck.audit import Options, audit
from skewcheck.store.repository import generated_directory
from skewcheck.verdict import ColumnVerdict

HOUR, DAY = 3600.0, 86_400.0

RETRIEVAL: tuple[RetrievalFault, ...] = (
    *(RetrievalFault("delay", "stale", size) for size in (HOUR / 2, HOUR, 3 * HOUR, 5.5 * HOUR, 20 * HOUR)),
    *(RetrievalFault("daily", "stale", size) for size in (3, 18)),
    RetrievalFault("stopped", "stale", DAY, also=("residual",)),
    *(RetrievalFault("silent", "residual", size) for size in (0.025, 0.1, 0.4)),
    *(RetrievalFault("dated_ahead", "latest_not_as_of", size) for size in (0.025, 0.25, 1.0)),
    RetrievalFault("filled_later", "latest_not_as_of"),
    *(RetrievalFault("corrected", "latest_not_as_of", size, timed=True) for size in (0.05, 0.5)),
    *(RetrievalFault("tie", "late_or_tie", size) for size in (0.05, 0.5, 1.0)),
    *(RetrievalFault("stamped_late", "late_or_tie", size) for size in (0.5 * HOUR, 2 * HOUR, 6 * HOUR)),
    *(RetrievalFault("backfill", "late_or_tie", size) for size in (6 * HOUR, DAY)),
    *(RetrievalFault("lost", "absent_row", size) for size in (0.025, 0.1, 0.5)),
    *(RetrievalFault("filled", "default", size) for size in (-1.0, 0.0)),
    # On some hosts it is no column that is never served.
    RetrievalFault("nothing", "not_served", also=("absent_row",)),
    *(RetrievalFault("one_for_all", "default", size) for size in (0.0, 7.25)),
    RetrievalFault("friend", "wrong_key"),
    RetrievalFault("next_user", "wrong_key"),
    RetrievalFault("cut_key", "wrong_key"),
    RetrievalFault("float32", "precision"),
)
"""One fault each."""

PAIRS: tuple[tuple[RetrievalFault, RetrievalFault], ...] = (
    (RetrievalFault("delay", "stale", 3 * HOUR), RetrievalFault("silent", "residual", 0.1)),
    (RetrievalFault("delay", "stale", 3 * HOUR), RetrievalFault("lost", "absent_row", 0.1)),
    (RetrievalFault("lost", "absent_row", 0.1), RetrievalFault("silent", "residual", 0.4)),
    (RetrievalFault("dated_ahead", "latest_not_as_of", 0.25), RetrievalFault("delay", "stale", 3 * HOUR)),
    (RetrievalFault("tie", "late_or_tie", 0.5), RetrievalFault("silent", "residual", 0.1)),
    (RetrievalFault("tie", "late_or_tie", 0.5), RetrievalFault("lost", "absent_row", 0.1)),
    (RetrievalFault("next_user", "wrong_key"), RetrievalFault("lost", "absent_row", 0.1)),
)
"""Two faults of one view."""


@dataclass(frozen=True)
class PlantedRetrieval:
    """Faults of one feed in one log.

    Attributes:
        faults: The faults.
        pods: How many of the hundred hosts have them; 100 is all.
        noise: Share of the requests whose value is off by chance beside.
        timed: Whether serving logs the event time of what it read.
    """

    faults: tuple[RetrievalFault, ...]
    pods: int = 100
    noise: float = 0.0
    timed: bool = True


@dataclass(frozen=True)
class RetrievalOutcome:
    """What the audit says to one planting.

    Attributes:
        planted: What was planted.
        touched: Requests whose value it changed.
        column: What was found about the feed.
        error: By how much the delay (in steps of the source) or the share of residuals (in points) is off; None where
            there is no such number.
    """

    planted: PlantedRetrieval
    touched: int
    column: ColumnVerdict
    error: float | None

    @property
    def named(self) -> tuple[str, ...]:
        """The kinds of its causes, those that explain most first."""
        return tuple(dict.fromkeys(cause["kind"] for cause in self.column.causes))

    @property
    def detected(self) -> bool:
        """Whether every request that was touched is counted, and no other."""
        return self.column.comparison.mismatched == self.touched > 0

    @property
    def right(self) -> bool:
        """Whether the first cause is the planted kind; of a pair, whether both are named."""
        wanted = [{fault.kind, *fault.also} for fault in self.planted.faults]
        named = self.named[:1] if len(wanted) == 1 else self.named
        return all(any(kind in kinds for kind in named) for kinds in wanted)


def run_retrieval(plantings: Sequence[PlantedRetrieval], requests: int, seed: int) -> list[RetrievalOutcome]:
    """Audit one log in which each planting has its own view, and one more view has none.

    Raises:
        AssertionError: The view without a fault has a mismatch or a cause.
    """
    asked = make_requests(requests, seed)
    served = {
        f"feed_{place}": serve_feed(make_readings(seed + place), asked, one.faults, pods=one.pods, noise=one.noise)
        for place, one in enumerate(plantings)
    }
    clean = f"feed_{len(plantings)}"
    served[clean] = serve_feed(make_readings(seed - 1), asked, ())
    columns = _audit(served, asked, timed=plantings[0].timed)
    assert not columns[clean].comparison.mismatched, "a view without a fault has a mismatch"
    assert not columns[clean].causes, "a view without a fault has a cause"
    outcomes = []
    for place, planted in enumerate(plantings):
        feed, column = served[f"feed_{place}"], columns[f"feed_{place}"]
        outcomes.append(RetrievalOutcome(planted, feed.touched, column, _measure_error(planted, feed, asked, column)))
    return outcomes


def _audit(served: Mapping[str, Served], asked: Requests, *, timed: bool) -> dict[str, ColumnVerdict]:
    with tempfile.TemporaryDirectory() as folder:
        repository = write_repository(Path(folder, "repo"), {name: feed.source for name, feed in served.items()})
        answers = {name: feed.served for name, feed in served.items()}
        log = write_log(Path(folder, "log.parquet"), asked, answers, timed=timed)
        generated = generated_directory(repository.root, "readings")
        verdict = audit(log, generated, lambda: repository, Options(stages=("retrieval",)))
    return {column.view: column for column in verdict.columns}


def _measure_error(planted: PlantedRetrieval, feed: Served, asked: Requests, column: ColumnVerdict) -> float | None:
    names = {fault.name: fault for fault in planted.faults}
    if len(names) > 1 or planted.noise:
        return None
    if "delay" in names:
        found = [cause["parameters"].get("delay_seconds") for cause in column.causes if cause["kind"] == "stale"]
        return abs(found[0] - names["delay"].size) * SECOND / STEP if found and found[0] is not None else math.inf
    if "silent" in names:
        answers = [(one.event, when) for one, when in zip(feed.served, asked.times, strict=True) if one.event]
        true = sum(when - event > TTL for event, when in answers) / len(answers)
        return abs((column.residual or {"share": math.inf})["share"] - true)
    return None
