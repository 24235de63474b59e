"""The search: the fewest and simplest edits that give what was served (room: explain).

Every round proposes edits from the values, evaluates all of them in one query over a sample, and weighs what each saves
against what it takes to say it. What no edit explains is asked about again, on top of the best of the round before.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting
from skewcheck.explain.edits.categories import propose_tables
from skewcheck.explain.edits.clock import propose_zones
from skewcheck.explain.edits.edges import propose_edges
from skewcheck.explain.edits.hashing import propose_hashes
from skewcheck.explain.edits.inputs import propose_columns, propose_exchanges, propose_text_forms
from skewcheck.explain.edits.instants import propose_cut_instants
from skewcheck.explain.edits.keyed import propose_keyed_statistics
from skewcheck.explain.edits.missing import propose_defaults
from skewcheck.explain.edits.rounding import propose_bounds, propose_narrow, propose_other_rounding, propose_rounding
from skewcheck.explain.edits.scaling import propose_lines
from skewcheck.explain.edits.steps import propose_stepped_constants
from skewcheck.explain.edits.structure import (
    GIVES,
    propose_added,
    propose_constant_result,
    propose_dropped,
    propose_order,
)
from skewcheck.explain.edits.vectors import propose_orders
from skewcheck.explain.inverting import examine
from skewcheck.explain.sampling import Sample
from skewcheck.explain.trees import InapplicableError, Tree
from skewcheck.explain.values.bits import bits_of_residual, bits_of_subset
from skewcheck.explain.values.series import NEAR, Bools, Floats, Series, agree, count_differences, count_pairs
from skewcheck.explain.values.slices import Slice

PROPOSERS: tuple[Callable[[Setting], Iterator[Edit]], ...] = (
    propose_lines,
    propose_stepped_constants,
    propose_defaults,
    propose_dropped,
    propose_added,
    propose_order,
    propose_constant_result,
    propose_keyed_statistics,
    propose_zones,
    propose_cut_instants,
    propose_columns,
    propose_exchanges,
    propose_text_forms,
    propose_tables,
    propose_narrow,
    propose_rounding,
    propose_other_rounding,
    propose_bounds,
    propose_edges,
    propose_hashes,
    propose_orders,
)

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
            if best is None or (best.rows >= WHOLE * asked.sum() and best.bits < LONG):
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

        Of rows that all have one value any change is a reason that gives that value in them. It is one where it tells
        which rows they are, and where it does not, the value is all that can be said.
        """
        if len(set(self.subject.sample.served.take(best.reproduced).listed())) != 1:
            return None
        plain = (trial for trial in tried if len(trial.edits) == 1 and GIVES in trial.edits[0].parameters)
        told = self._bits_of_place(best)
        alike = [one for one in plain if is_as_good(one, best) or self._is_in_same_place(one, best, told)]
        return min(alike, key=lambda trial: trial.bits, default=None)

    def _is_in_same_place(self, plain: Trial, best: Trial, told: float) -> bool:
        missed = (best.reproduced & ~plain.reproduced).sum()
        return bool(told > 0 and missed <= 0.005 * best.rows and self._bits_of_place(plain) <= told)

    def _bits_of_place(self, trial: Trial) -> float:
        """What it takes to say for which rows a trial holds."""
        if not trial.against.any():
            return 0.0
        where = trial.where or self.locate(trial.reproduced, trial.against)
        return trial.doubt if where is None else where.bits

    def _tells_rows(self, trial: Trial) -> bool:
        """Whether a trial says for which rows it holds, or has values that nothing else would give.

        One that would change many rows that match says of a value that takes few forms only that it may have changed.
        """
        sample = self.subject.sample
        against = float(sample.weights[trial.against].sum())
        if against <= STRAY * float(sample.weights[trial.reproduced].sum()):
            return True
        if trial.where is not None or self.locate(trial.reproduced, trial.against) is not None:
            return True
        return count_differences(sample.replayed, sample.served, trial.reproduced) >= MANY

    def _extend(self, start: Trial, asked: Bools) -> list[Trial]:
        """Every trial with one edit more."""
        left = asked & ~start.reproduced
        if not left.any():
            return []
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
