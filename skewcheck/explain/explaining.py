"""Explain the skewed features of an audit: sample, search, choose, count over the whole log (room: explain)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skewcheck.causes import UNEXPLAINED, Cause
from skewcheck.engines.sql import quote_name
from skewcheck.explain.choosing import Found, share_edits
from skewcheck.explain.confirming import Claim, Confirmed, confirm
from skewcheck.explain.describing import describe_edit, describe_rest, iso
from skewcheck.explain.edits.clock import find_zones
from skewcheck.explain.edits.digits import find_last_digits
from skewcheck.explain.edits.hashing import register_hashes
from skewcheck.explain.locating import Locator, is_beginning, say_slice
from skewcheck.explain.neighbours import find_neighbour
from skewcheck.explain.ordering import SERVERS, Log
from skewcheck.explain.parsing import parse_expression
from skewcheck.explain.provenance import trace_statistics
from skewcheck.explain.rolling import find_rolling
from skewcheck.explain.sampling import draw_rows, read_sample
from skewcheck.explain.searching import Search, Subject, Trial, without
from skewcheck.explain.trees import Tree, freeze
from skewcheck.explain.values.series import NEAR
from skewcheck.fit.history import Earlier
from skewcheck.fit.state import State
from skewcheck.language.expressions import Expression
from skewcheck.replay.comparison import Sides
from skewcheck.replay.replaying import Replay
from skewcheck.replay.stages import transform_relation, transform_sides
from skewcheck.verdict import Comparison

STAGE = "transform"

MOST_CAUSES = 4
"""Causes of one feature that are peeled off one after another."""

LEAST = 0.002
"""Share of the mismatches below which a step is passed over."""

VERSIONS = ("definition_hash", "state_hash", "model_version", "version", "release")
"""Columns of a log that say which version served a request."""

STATED = 0.05
"""Share of the mismatches below which a cause is not named, and above which what is left is called unexplained."""

ReadExpression = Callable[[str], Expression | None]
"""Gives a feature's expression where its text alone does not."""


@dataclass(frozen=True)
class Request:
    """What is to be explained.

    Attributes:
        task: The replay whose mismatches are asked about.
        state: The frozen statistics.
        state_file: Their file, as the report names it.
        read_expression: Gives a feature's expression where its text alone does not.
        examples: Rows to work by hand for each cause.
        redact: Leave out what single requests hold.
        earlier: States that were committed before, the latest first.
    """

    task: Replay
    state: State
    state_file: str
    read_expression: ReadExpression | None = None
    examples: int = 2
    redact: bool = False
    earlier: Iterable[Earlier] = ()


def explain_transform(request: Request, comparisons: Mapping[str, Comparison]) -> dict[str, tuple[Cause, ...]]:
    """The causes of every feature that differs in the transform cut, those that explain most first.

    Args:
        request: What is to be explained.
        comparisons: What was counted of each feature in that cut.
    """
    task = request.task
    sides = {side.name: side for side in transform_sides(task.manifest, task.columns, task.tolerance)}
    skewed = {name: found for name, found in comparisons.items() if found.mismatched and name in sides}
    if not skewed:
        return {}
    relation = transform_relation(task.log, task.columns, task.manifest, task.query)
    inputs = list(task.columns.inputs)
    draw_rows(task.connection, relation, [(sides[name], found) for name, found in skewed.items()], inputs)
    trees = _read_trees(request)
    types = {column.name: (column.type, column.unit) for column in task.manifest.columns}
    log = _open_log(task)
    zones = find_zones(trees.values())
    if any("hash_bucket" in feature.expression for feature in task.manifest.features if feature.name in skewed):
        register_hashes(task.connection)
    causes: dict[str, tuple[Cause, ...]] = {}
    searched: list[Found] = []
    locators: dict[str, Locator] = {}
    for name, comparison in skewed.items():
        if name not in trees:
            causes[name] = (describe_rest(comparison.mismatched, comparison.mismatched, STAGE),)
            continue
        sample = read_sample(task.connection, sides[name], {key: type_ for key, (type_, _) in types.items()}, inputs)
        subject = Subject(sample, trees[name], types, zones, _say_state(request), max(NEAR, sides[name].tolerance))
        locator = Locator(sample, task.log, task.columns, trees[name].columns)
        locators[name] = locator
        found = _peel(subject, locator)
        if not _covers(found):
            special = find_special(subject, sides[name], log, comparison.first_mismatch)
            if special is not None:
                causes[name] = (_locate(special, locator, request),)
                continue
        sample.evaluator.forget()
        searched.append(found)
    causes |= _conclude(request, [_Placed(one, locators) for one in share_edits(searched)], sides)
    return trace_statistics(task.connection, f"({relation})", causes, trees, request.earlier)


def _open_log(task: Replay) -> Log:
    """The log with the columns that say which process served a request."""
    described = task.connection.execute(f"DESCRIBE SELECT * FROM {task.log}").fetchall()
    groups = {name: f"explain.by.{name}" for name in SERVERS if name in {row[0] for row in described}}
    beside = {column: f"CAST({quote_name(name)} AS VARCHAR)" for name, column in groups.items()}
    columns = replace(task.columns, inputs={**task.columns.inputs, **beside})
    return Log(task.connection, transform_relation(task.log, columns, task.manifest, task.query), groups)


def _locate(cause: Cause, locator: Locator, request: Request) -> Cause:
    """The cause with the slice that the mismatches lie in."""
    differing = locator.sample.differing
    found = locator.find(differing, locator.sample.matching)
    if found is None:
        return cause
    where = say_slice(found, locator, redact=request.redact)
    begins = any(is_beginning(one) for one in found.conditions)
    first = float(np.nanmin(locator.sample.times[differing])) if begins else None
    return replace(cause, where=where, since=None if first is None else iso(first))


def find_special(subject: Subject, side: Sides, log: Log, first: str | None) -> Cause | None:
    """A cause that is no edit of the expression: statistics that roll, values of other rows."""
    return find_rolling(subject, side, log, first) or find_neighbour(subject, side, log, first)


def _say_state(request: Request) -> str:
    return f"`{request.state_file}` (hash {request.state.hash[:12]})"


def _read_trees(request: Request) -> dict[str, Tree]:
    """What training computes, for every feature whose expression can be had."""
    manifest = request.task.manifest
    columns: dict[str, tuple[Any, str | None]] = {
        column.name: (column.type, column.unit) for column in manifest.columns
    }
    trees = {}
    for feature in manifest.features:
        expression = parse_expression(feature.expression, columns)
        if expression is None and request.read_expression is not None:
            expression = request.read_expression(feature.name)
        if expression is not None:
            try:
                trees[feature.name] = freeze(expression, request.state.statistics)
            except KeyError:
                continue
    return trees


def _peel(subject: Subject, locator: Locator) -> Found:
    """Explanations one after another, each of what those before it leave."""
    search = Search(subject, locator.find)
    asked = subject.sample.differing.copy()
    total = asked.sum()
    steps: list[tuple[tuple[Trial, ...], Any]] = []
    last = search.weigh((find_last_digits(subject),), subject.tree, subject.sample.replayed, asked)
    if last.rows >= max(2, LEAST * total):
        steps.append(((last,), asked))
        asked = asked & ~last.reproduced
    if not asked.any():
        return Found(search, tuple(steps))
    for _ in range(MOST_CAUSES):
        trials = search.explain(asked, [trials[0] for trials, _ in steps])
        if not trials or trials[0].rows < max(2, LEAST * total):
            break
        steps.append((tuple(trials), asked))
        asked = asked & ~trials[0].reproduced
        if asked.sum() < max(1, LEAST * total):
            break
    return Found(search, tuple(steps))


def _covers(found: Found) -> bool:
    """Whether little is left to explain."""
    asked = found.search.subject.sample.differing
    reproduced = np.zeros(len(asked), dtype=bool)
    for trial in found.chosen:
        reproduced |= trial.reproduced
    return bool(reproduced.sum() >= (1 - STATED) * asked.sum())


class _Placed:
    """What was found for a feature, with the slice of the log that each step holds in."""

    def __init__(self, found: Found, locators: Mapping[str, Locator]) -> None:
        self.found = found
        self.subject = found.search.subject
        self.name = self.subject.sample.name
        self.locator = locators[self.name]
        self.slices = [self.locator.find(trial.reproduced, trial.against) for trial in found.chosen]

    def column(self, place: int) -> str:
        """The name of the column that says whether a row is in the slice of a step."""
        return f"explain.slice.{self.name}.{place}"


def _conclude(request: Request, placed: list[_Placed], sides: Mapping[str, Sides]) -> dict[str, tuple[Cause, ...]]:
    """Count every explanation over the log and put it into words."""
    task = request.task
    slices = {
        one.column(place): one.locator.write(found)
        for one in placed
        for place, found in enumerate(one.slices)
        if found is not None
    }
    columns = replace(task.columns, inputs={**task.columns.inputs, **slices})
    relation = transform_relation(task.log, columns, task.manifest, task.query)
    explained = [one for one in placed if one.found.steps]
    claims = [
        [_claim(one, place, trial, sides[one.name], slices) for place, trial in enumerate(one.found.chosen)]
        for one in explained
    ]
    counted = confirm(task.connection, relation, claims)
    causes = {one.name: _describe(request, one, counts) for one, counts in zip(explained, counted, strict=True)}
    for one in placed:
        if not one.found.steps:
            total = round(float(one.subject.sample.weights[one.subject.sample.differing].sum()))
            causes[one.name] = (_describe_unknown(request, one, total, total),)
    return causes


def _claim(placed: _Placed, place: int, trial: Trial, side: Sides, slices: Mapping[str, str]) -> Claim:
    subject = placed.subject
    lacking: tuple[Any, ...] = ()
    if len(trial.edits) > 1:
        trees = [without(trial, number, subject) for number in range(len(trial.edits))]
        lacking = tuple(None if tree is None else tree.term() for tree in trees)
    where = placed.column(place) if placed.column(place) in slices else None
    return Claim(side, trial.tree.term(), subject.near, subject.scale, lacking, where)


def _describe(request: Request, placed: _Placed, confirmed: list[Confirmed]) -> tuple[Cause, ...]:
    causes: list[Cause] = []
    reproduced = 0
    for step, counts in enumerate(confirmed):
        if counts.reproduced < LEAST * counts.mismatched:
            continue
        reproduced += counts.reproduced
        trials, _ = placed.found.steps[step]
        alike = [trial.edits[0] for trial in trials[1:] if len(trial.edits) == 1 == len(trials[0].edits)]
        where, since = _say_place(request, placed, step, counts)
        causes += [
            describe_edit(
                placed.subject,
                trials[0],
                place,
                counts,
                alike,
                where=where,
                since=since,
                examples=request.examples,
                redact=request.redact,
            )
            for place in range(len(trials[0].edits))
        ]
    mismatched = confirmed[0].mismatched
    left = mismatched - reproduced
    if left > STATED * mismatched or not causes:
        causes.append(_describe_unknown(request, placed, mismatched, left))
    return tuple(sorted(causes, key=lambda cause: (cause.kind == UNEXPLAINED, -cause.explains)))


def _say_place(request: Request, placed: _Placed, step: int, counts: Confirmed) -> tuple[dict[str, Any], str | None]:
    """Where a step holds, and since when."""
    found = placed.slices[step]
    if found is None:
        return {}, None
    where = say_slice(found, placed.locator, redact=request.redact)
    since = counts.first if any(is_beginning(one) for one in found.conditions) else None
    return where, since


def _describe_unknown(request: Request, placed: _Placed, mismatched: int, left: int) -> Cause:
    """What nothing explains, with the slice that it lies in where there is one."""
    sample = placed.subject.sample
    reproduced = np.zeros(len(sample.served), dtype=bool)
    for trial in placed.found.chosen:
        reproduced |= trial.reproduced
    found = placed.locator.find(sample.differing & ~reproduced, sample.matching)
    cause = describe_rest(mismatched, left, placed.subject.stage)
    if found is None:
        return cause
    where = say_slice(found, placed.locator, redact=request.redact)
    begins = any(is_beginning(one) for one in found.conditions)
    first = sample.times[sample.differing & ~reproduced]
    since = iso(float(np.nanmin(first))) if begins else None
    if all(one.column in VERSIONS for one in found.conditions):
        cause = replace(
            cause,
            kind="mixed_versions",
            says="The mismatches are those of another version; what it does otherwise was not found.",
            fix="Deploy one version, or audit each log with the code that served it.",
            root="version",
        )
    return replace(cause, where=where, since=since)
