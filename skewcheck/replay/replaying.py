"""Replay a log in its cuts and compare each with what was served."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from skewcheck.generate.manifest import Manifest
from skewcheck.language.fingerprint import fingerprint
from skewcheck.replay.columns import LogColumns
from skewcheck.replay.comparison import Sides, compare
from skewcheck.replay.population import find_concentration
from skewcheck.replay.stages import (
    column_sides,
    point_in_time_relation,
    point_in_time_sides,
    transform_relation,
    transform_sides,
)
from skewcheck.verdict import STAGES, ColumnVerdict, Comparison

if TYPE_CHECKING:
    from skewcheck.store.repository import Repository

OpenRepository = Callable[[], "Repository"]
"""Loads the feature repo; called only when a cut needs the store, since that loads Feast."""

COMPARED = "compared"
NOT_ASKED = "not asked for"
AT_THE_TIME = ("retrieval", "end_to_end")
"""The cuts that need the store's values at the time of each request."""


@dataclass(frozen=True, slots=True)
class Replay:
    """A log, and the training path that it is to be replayed through.

    Attributes:
        connection: The engine.
        log: SQL text of the log's files.
        columns: What the log's columns hold.
        manifest: The service.
        query: The generated query.
        folder: Where files may be put meanwhile.
        samples: Differing rows to keep of each feature and cut.
        tolerance: Relative tolerance for numbers, beside what a feature declares itself.
        delays: For views by name, the delay with which training reads them.
    """

    connection: duckdb.DuckDBPyConnection
    log: str
    columns: LogColumns
    manifest: Manifest
    query: str
    folder: Path
    samples: int
    tolerance: float
    delays: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass
class Replayed:
    """What a replay found.

    Attributes:
        rows: Logged rows that the training path computed.
        first: Time of the earliest request (ISO 8601, UTC), None where the log has no times.
        last: Time of the latest one.
        features: For each feature the comparison of every cut that was made.
        columns: For each column of the store, what retrieval did to it.
        unmatched: Requests that the point-in-time join did not return, None where it was not asked.
        stages: For each cut "compared", or why it was not made.
        declared: The fingerprint of the declaration in the feature repo, None where it was not opened.
        alignment: For each source the delays of training beside those of serving.
        concentrated: Where mismatches are more frequent among the rows that a rule of the training filter drops.
    """

    rows: int = 0
    first: str | None = None
    last: str | None = None
    features: dict[str, dict[str, Comparison]] = field(default_factory=dict)
    columns: tuple[ColumnVerdict, ...] = ()
    unmatched: int | None = None
    stages: dict[str, str] = field(default_factory=lambda: dict.fromkeys(STAGES, NOT_ASKED))
    declared: str | None = None
    alignment: tuple[dict[str, Any], ...] = ()
    concentrated: tuple[dict[str, Any], ...] = ()

    def keep(self, sides: list[Sides], comparisons: tuple[Comparison, ...]) -> None:
        """Add comparisons under their features and cuts."""
        for side, comparison in zip(sides, comparisons, strict=True):
            self.features.setdefault(side.name, {})[side.stage] = comparison


def replay(task: Replay, stages: Collection[str], open_repository: OpenRepository | None) -> Replayed:
    """Make the cuts that are asked for and that the log and the repository allow.

    The rows are counted, with the span of their times, even where no cut can be made.
    """
    found = Replayed()
    relation = transform_relation(task.log, task.columns, task.manifest, task.query)
    sides = transform_sides(task.manifest, task.columns, task.tolerance) if "transform" in stages else []
    counted = compare(task.connection, relation, sides, samples=task.samples)
    found.rows, found.first, found.last = counted.rows, counted.first, counted.last
    found.keep(sides, counted.comparisons)
    found.concentrated = _find_concentration(task, relation, sides, counted.comparisons)
    if "transform" in stages:
        found.stages["transform"] = COMPARED
    if asked := [stage for stage in AT_THE_TIME if stage in stages]:
        reason = _why_not(task, open_repository)
        if reason is None and open_repository is not None:
            _compare_at_the_time(task, asked, open_repository(), found)
        found.stages |= dict.fromkeys(asked, reason or COMPARED)
    return found


def _find_concentration(
    task: Replay, relation: str, sides: list[Sides], comparisons: tuple[Comparison, ...]
) -> tuple[dict[str, Any], ...]:
    """Rules of the training filter whose rows differ more often than the others."""
    differing = [side for side, comparison in zip(sides, comparisons, strict=True) if comparison.mismatched]
    return find_concentration(task.connection, relation, differing, task.columns, task.manifest)


def _why_not(task: Replay, open_repository: OpenRepository | None) -> str | None:
    """Why the store's values at the time cannot be had, None where they can."""
    manifest, columns = task.manifest, task.columns
    if not manifest.views:
        return "no feature reads a column of the store"
    if open_repository is None:
        return "no feature repo was given to retrieve the store's values from"
    if columns.requested_at is None:
        return "the log does not say when each request was made (requested_at)"
    if columns.mistyped_keys:
        return f"the join keys {', '.join(columns.mistyped_keys)} were logged with another type than their views have"
    if columns.absent_keys:
        return f"the log lacks the join keys {', '.join(columns.absent_keys)}"
    return None


def _compare_at_the_time(task: Replay, asked: list[str], repository: Repository, found: Replayed) -> None:
    """The cuts against the store's values at the time, and the store's columns themselves."""
    from skewcheck.replay.column_findings import examine_columns
    from skewcheck.replay.retrieval import retrieve_for_log  # loads Feast

    manifest = task.manifest
    found.declared = fingerprint(repository.service(manifest.service))
    retrieved = retrieve_for_log(
        task.connection, task.log, task.columns, manifest, repository, task.folder, task.delays
    )
    store = [column.name for column in manifest.columns if column.role == "store"]
    relation = point_in_time_relation(manifest, task.query, retrieved, store)
    every = point_in_time_sides(manifest, task.columns, task.tolerance)
    sides = [side for side in every if side.stage in asked]
    of_columns = column_sides(manifest, task.columns)
    counted = compare(task.connection, relation, [*sides, *of_columns], samples=task.samples)
    found.keep(sides, counted.comparisons[: len(sides)])
    sources = {column.name: column.source for column in manifest.columns}
    columns = tuple(
        ColumnVerdict(side.name, sources[side.name], comparison)
        for side, comparison in zip(of_columns, counted.comparisons[len(sides) :], strict=True)
    )
    found.unmatched = found.rows - counted.rows
    found.concentrated += _find_concentration(task, relation, sides, counted.comparisons[: len(sides)])
    findings = examine_columns(task, repository, retrieved, of_columns, columns, found.rows)
    found.columns, found.alignment = findings.columns, findings.alignment
