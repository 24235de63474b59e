"""The search: the fewest and simplest edits that give what was served (room: explain).

Every round proposes edits from the values, evaluates all of them in one query over a sample, and weighs what each saves
against what it takes to say it. What no edit explains is asked about again, on top of the best of the round before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting
from skewcheck.explain.edits.structure import GIVES
from skewcheck.explain.inverting import examine
from skewcheck.explain.proposing import PROPOSERS
from skewcheck.explain.sampling import Sample
from skewcheck.explain.trees import InapplicableError, Tree
from skewcheck.explain.values.bits import bits_of_residual, bits_of_subset
from skewcheck.explain.values.series import NEAR, Bools, Floats, Series, agree, count_differences, count_pairs
from skewcheck.explain.values.slices import Slice

DEPTH = 3
"""Edits on top of each other."""

BEAM = 4
"""Partial explanations that a round goes on from."""

WHOLE = 0.995
"""Share of the rows from which on nothing is left to explain."""

PLACED = 8
"""Trials of a round for which a slice of the log is sought."""

FEWEST_ROWS = 3
"""Rows that a slice must explain."""

KEPT = 100
"""Trials of all rounds that are kept."""

JUDGED = 25
"""Trials that are looked at, the most promising first, until one is sound."""

COHERENT = 0.85
"""Share of the mismatches that an edit touches, and that must have exactly what it gives."""

STRAY = 0.05
"""Matching rows that an edit may change without a rule that says which, as a share of the rows that it reproduces."""

TOLD = 0.45
"""Share of what it takes to say which rows differ, that an edit saves where it says so well enough without a slice."""

MANY = 20
"""Different differences of floats from which on an edit that gives all of them is no coincidence."""

MOST_CHANCE = 4
"""Different values up to which an edit that gives them may be a coincidence, where it gives others wrongly."""

MOST_POSITION = 10.0
"""Bits of which row differs, at most."""

LONG = 60.0
"""Bits from which on an explanation is long enough for a shorter one to be sought."""

LEAST_BITS = 12.0
"""What an explanation must save beyond what it takes to say it."""

REFUSALS = (InapplicableError, ValueError, TypeError, OverflowError, AttributeError, IndexError)
"""What building an edit raises where it does not fit: two nodes of one text need not be alike once one was changed."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A feature to be explained.

    Attributes:
        sample: Its rows.
        tree: What training computes.
        types: For every input of the service its type and its unit.
        zones: Time zones that the service's declaration names.
        state: The file of the frozen statistics, as text.
        near: Relative difference up to which two floats are the same.
        stage: The cut whose mismatches are explained.
    """

    sample: Sample
    tree: Tree
    types: Mapping[str, tuple[Any, str | None]]
    zones: tuple[str, ...] = ()
    state: str = "state.json"
    near: float = NEAR
    stage: str = "transform"

    @property
    def scale(self) -> float:
        """The magnitude of the feature's values."""
        return self.sample.replayed.scale or self.sample.served.scale


@dataclass(frozen=True, eq=False)
class Trial:
    """Edits that were tried.

    Attributes:
        edits: The edits, the first one first.
        tree: What serving would compute with them.
        values: What that gives.
        reproduced: The rows that were asked about and that it gives exactly.
        against: The matching rows that it would have changed.
        saved: Bits that it saves.
        bits: Bits that it takes to say.
        doubt: Bits that it takes to say for which rows it holds, one by one.
        where: The slice of the log in which it holds, None where it is all of it or not known.
        exactly: Bits that it saves in the rows that it reproduces.
    """

    edits: tuple[Edit, ...]
    tree: Tree
    values: Series
    reproduced: Bools
    against: Bools
    saved: float
    bits: float
    doubt: float = 0.0
    where: Slice | None = None
    exactly: float = 0.0

    @property
    def score(self) -> float:
        """What is gained by saying it."""
        return self.saved - self.bits - min(self.doubt, 0.9 * self.saved)

    @property
    def rows(self) -> int:
        """How many rows it reproduces."""
        return int(self.reproduced.sum())


@dataclass
class Search:
    """The search for one feature."""

    subject: Subject
    locate: Callable[[Bools, Bools], Slice | None] = lambda _chosen, _others: None
    before: Floats = field(init=False)
    position: float = field(init=False)

    def __post_init__(self) -> None:
        sample = self.subject.sample
        self.before = bits_of_residual(sample.served, sample.replayed, near=self.subject.near, scale=self.subject.scale)
        # Which rows differ has to be said too, unless an explanation says it: the fewer there are, the more that takes.
        differing = float(sample.weights[sample.differing].sum())
        self.position = min(MOST_POSITION, math.log2(max(1.0, sample.weights.sum() / max(1.0, differing))))

    def explain(self, asked: Bools, bases: Sequence[Trial] = ()) -> list[Trial]:
        """Trials that explain the rows that are asked about, the best first; none where nothing does.

        Those that explain as much as the first, and cost more, follow it.
        """
        if asked.sum() < FEWEST_ROWS:
            return []
        starts = [Trial((), self.subject.tree, self.subject.sample.replayed, ~asked & asked, ~asked & asked, 0.0, 0.0)]
        starts += [self.weigh(base.edits, base.tree, base.values, asked) for base in bases]
        tried: list[Trial] = []
        for _ in range(DEPTH):
            fresh = self._place([trial for start in starts for trial in self._extend(start, asked)], asked)
            tried += fresh
            best = max(tried, key=lambda trial: trial.score, default=None)
            if best is None or (best.rows >= WHOLE * asked.sum() and best.bits + 1.5 * best.doubt < LONG):
                break
            starts = self._choose(fresh)
            tried = sorted(tried, key=lambda trial: -trial.score)[:KEPT]
        ranked = sorted(tried, key=lambda trial: -trial.score)
        best = next((trial for trial in ranked[:JUDGED] if self._is_sound(trial, asked)), None)
        if best is None:
            return []
        if (plainer := self._find_plainer(best, tried)) is not None:
            return [plainer]
        alike = [trial for trial in tried if trial is not best and is_as_good(trial, best)]
        return [best, *sorted(alike, key=lambda trial: trial.bits)]

    def explain_with(self, edits: Sequence[Edit], asked: Bools) -> list[Trial]:
        """The best of some edits, where it explains the rows that are asked about; those that do as well follow it."""
        tree = self.subject.tree
        nothing = ~asked & asked
        start = Trial((), tree, self.subject.sample.replayed, nothing, nothing, 0.0, 0.0)
        fitting = [edit for edit in edits if tree.find(edit.target) is not None]
        tried = sorted(self.try_edits(start, fitting, asked), key=lambda trial: -trial.score)
        best = next((trial for trial in tried if self._is_sound(trial, asked)), None)
        return [] if best is None else [best, *(one for one in tried if one is not best and is_as_good(one, best))]

    def _is_sound(self, trial: Trial, asked: Bools) -> bool:
        """Whether a trial explains what it touches, and needs all of its edits.

        An edit that gives what was served only here and there is a coincidence, unless a slice of the log tells where.
        """
        if trial.score < LEAST_BITS or trial.rows < FEWEST_ROWS or not self._tells_rows(trial):
            return False
        sample, near, scale = self.subject.sample, self.subject.near, self.subject.scale
        touched = asked & ~agree(trial.values, sample.replayed, near=near, scale=scale)
        share = trial.rows / max(1, int(touched.sum()))
        if share < COHERENT:
            # What a part of the rows have may be the values that happen to be the same with it, and with much else.
            if count_pairs(sample.replayed, sample.served, trial.reproduced) < MOST_CHANCE:
                return False
            where = self.locate(trial.reproduced, touched & ~trial.reproduced)
            if where is None or where.is_about(self.subject.tree.columns_below(trial.edits[-1].target)):
                return False
        if len(trial.edits) == 1:
            return True
        for place in range(len(trial.edits)):
            tree = without(trial, place, self.subject)
            (values,) = sample.evaluator.evaluate([tree]) if tree is not None else (None,)
            if values is not None:
                lost = trial.reproduced & ~agree(sample.served, values, near=near, scale=scale)
                stray = ~sample.differing & ~trial.against & ~agree(values, sample.replayed, near=near, scale=scale)
                if max(lost.sum(), stray.sum()) < max(2, 0.005 * trial.rows):
                    return False
        return True

    def _find_plainer(self, best: Trial, tried: Sequence[Trial]) -> Trial | None:
        """The trial that gives one value, where that is all that is known; None where the best one says more.

        Of rows that have one value, and are told by an input of the feature itself, any change that gives the value
        there is a reason, such as upper case for a category that has none: then the value is all that can be said.
        """
        if len(set(self.subject.sample.served.take(best.reproduced).listed())) != 1:
            return None
        told = self._find_place(best)
        if told is None or not told.is_about(self.subject.tree.columns):
            return None
        plain = (trial for trial in tried if len(trial.edits) == 1 and GIVES in trial.edits[0].parameters)
        alike = (one for one in plain if (best.reproduced & ~one.reproduced).sum() <= 0.005 * best.rows)
        return next((one for one in alike if self._find_place(one) == told), None)

    def _find_place(self, trial: Trial) -> Slice | None:
        """The slice of the log in which a trial holds, None where it is all of it or not known."""
        return trial.where or (self.locate(trial.reproduced, trial.against) if trial.against.any() else None)

    def _tells_rows(self, trial: Trial) -> bool:
        """Whether a trial says for which rows it holds, or has values that nothing else would give.

        One that would change many rows that match says of a value that takes few forms only that it may have changed,
        unless the rows that it would change are few and have most of the mismatches among them.
        """
        sample = self.subject.sample
        reproduced, against = (float(sample.weights[rows].sum()) for rows in (trial.reproduced, trial.against))
        if against <= STRAY * reproduced:
            return True
        among_all = bits_of_subset(reproduced, float(sample.weights.sum()))
        if bits_of_subset(reproduced, reproduced + against) <= (1 - TOLD) * among_all:
            return True
        if self._find_place(trial) is not None:
            return True
        return count_differences(sample.replayed, sample.served, trial.reproduced) >= MANY

    def _extend(self, start: Trial, asked: Bools) -> list[Trial]:
        """Every trial with one edit more."""
        left = asked & ~start.reproduced
        if not left.any():
            # It may still need another edit for the rows that match.
            if not start.against.any():
                return []
            left = asked
        edits = self._propose(start.tree, left)
        return self.try_edits(start, edits, asked)

    def try_edits(self, start: Trial, edits: Iterable[Edit], asked: Bools) -> list[Trial]:
        """Edits on top of a trial, evaluated together."""
        pairs = []
        for edit in edits:
            try:
                pairs.append((edit, start.tree.replace(edit.target, edit.build)))
            except REFUSALS:
                continue
        found = self.subject.sample.evaluator.evaluate([tree for _, tree in pairs])
        return [
            self.weigh((*start.edits, edit), tree, values, asked)
            for (edit, tree), values in zip(pairs, found, strict=True)
            if values is not None and values.kind == self.subject.sample.served.kind
        ]

    def weigh(self, edits: tuple[Edit, ...], tree: Tree, values: Series, asked: Bools) -> Trial:
        """What some edits explain, and at what price."""
        sample, near, scale = self.subject.sample, self.subject.near, self.subject.scale
        after = bits_of_residual(sample.served, values, near=near, scale=scale)
        reproduced = asked & (after == 0)
        changed = ~agree(values, sample.replayed, near=near, scale=scale)
        against = changed & ~sample.differing
        gained = np.maximum(0.0, self.before - after)
        exactly = float(gained[reproduced].sum()) + self.position * float(reproduced.sum())
        saved = exactly + float(gained[asked & ~reproduced].sum())
        chosen, others = float((changed & asked & (after < self.before)).sum()), float(against.sum())
        doubt = bits_of_subset(chosen, chosen + others)
        bits = sum(edit.bits for edit in edits)
        return Trial(edits, tree, values, reproduced, against, saved, bits, doubt, exactly=exactly)

    def _place(self, trials: list[Trial], asked: Bools) -> list[Trial]:
        """The trials that promise most, with a rule for the rows in which they hold, where there is one."""
        if any(not trial.doubt and trial.rows >= WHOLE * asked.sum() for trial in trials):
            return trials
        promising = sorted(trials, key=lambda trial: trial.bits - trial.saved)[:PLACED]
        chosen = {id(trial) for trial in promising if trial.doubt and trial.rows >= FEWEST_ROWS}
        return [self._locate(trial) if id(trial) in chosen else trial for trial in trials]

    def _locate(self, trial: Trial) -> Trial:
        where = self.locate(trial.reproduced, trial.against)
        if where is None or where.bits >= trial.doubt:
            return trial
        # The slice is that of the rows that it reproduces: what it comes near to in others does not count.
        return replace(trial, where=where, doubt=where.bits, saved=trial.exactly)

    def _propose(self, tree: Tree, left: Bools) -> list[Edit]:
        sample = self.subject.sample
        setting = Setting(
            tree=tree,
            nodes=tuple(examine(tree, sample.served, sample.evaluator)),
            served=sample.served,
            asked=left,
            inputs=sample.inputs,
            types=self.subject.types,
            zones=self.subject.zones,
            state=self.subject.state,
        )
        with np.errstate(all="ignore"):
            return [edit for propose in PROPOSERS for edit in propose(setting)]

    def _choose(self, trials: list[Trial]) -> list[Trial]:
        """A few trials to go on from: the best of each value that they give."""
        chosen: list[Trial] = []
        for trial in sorted(trials, key=lambda trial: -trial.score):
            if trial.score < LEAST_BITS or len(chosen) == BEAM:
                break
            if not any(agree(trial.values, other.values).all() for other in chosen):
                chosen.append(trial)
        return chosen


def is_as_good(trial: Trial, best: Trial) -> bool:
    """Whether a trial explains the rows that the best one does, and changes no more rows that match."""
    missed = (best.reproduced & ~trial.reproduced).sum()
    more = trial.against.sum() - best.against.sum()
    return bool(missed <= 0.005 * best.rows and more <= 0.005 * best.rows and len(trial.edits) <= len(best.edits))


def without(trial: Trial, left_out: int, subject: Subject) -> Tree | None:
    """The tree of all edits of a trial but one; None where the others cannot stand without it."""
    tree = subject.tree
    try:
        for place, edit in enumerate(trial.edits):
            if place != left_out:
                tree = tree.replace(edit.target, edit.build)
    except REFUSALS:
        return None
    return tree
