"""One fault may show in several features: of explanations that are as good, the one that they share (room: explain)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from skewcheck.explain.edits.base import Edit
from skewcheck.explain.searching import Search, Trial, is_as_good
from skewcheck.explain.values.series import Bools

LEFT = 0.05
"""Share of the mismatches that must be left for the edits of other features to be tried on them."""


@dataclass(frozen=True, eq=False)
class Found:
    """What the search found for a feature.

    Attributes:
        search: The search.
        steps: One after another: trials that explain the same rows, the chosen one first, and the rows asked about.
    """

    search: Search
    steps: tuple[tuple[tuple[Trial, ...], Bools], ...]

    @property
    def chosen(self) -> list[Trial]:
        """The trial of every step."""
        return [trials[0] for trials, _ in self.steps]


def share_edits(found: Sequence[Found]) -> list[Found]:
    """Try on every feature what explains another, and choose what most of them share."""
    pool: dict[tuple[str, str, str], Edit] = {}
    for one in found:
        for trials, _ in one.steps:
            for trial in trials:
                if len(trial.edits) == 1:
                    pool.setdefault(trial.edits[0].key, trial.edits[0])
    widened = [_widen(one, pool) for one in found]
    votes: Counter[tuple[str, str, str]] = Counter()
    for one in widened:
        votes.update({edit.key for trials, _ in one.steps for trial in trials for edit in trial.edits})
    return [_choose(one, votes) for one in widened]


def _widen(found: Found, pool: Mapping[tuple[str, str, str], Edit]) -> Found:
    """The edits of other features that explain a step as well."""
    steps = []
    for trials, asked in found.steps:
        known = {trial.edits[0].key for trial in trials if len(trial.edits) == 1}
        tree = found.search.subject.tree
        foreign = [edit for key, edit in pool.items() if key not in known and tree.find(edit.target) is not None]
        start = replace(trials[0], edits=(), tree=tree)
        more = [trial for trial in found.search.try_edits(start, foreign, asked) if is_as_good(trial, trials[0])]
        steps.append(((*trials, *more), asked))
    return replace(found, steps=(*steps, *_explain_rest(found, pool)))


def _explain_rest(found: Found, pool: Mapping[tuple[str, str, str], Edit]) -> list[tuple[tuple[Trial, ...], Bools]]:
    """What an edit of another feature explains where none was found for this one."""
    search, sample = found.search, found.search.subject.sample
    left = sample.differing.copy()
    for trial in found.chosen:
        left &= ~trial.reproduced
    if left.sum() <= LEFT * sample.differing.sum():
        return []
    trials = search.explain_with(list(pool.values()), left)
    return [(tuple(trials), left)] if trials else []


def _choose(found: Found, votes: Mapping[tuple[str, str, str], int]) -> Found:
    """For each step the trial that costs least, where features that share an edit share its cost."""

    def cost(trial: Trial) -> float:
        return sum(edit.bits / votes[edit.key] for edit in trial.edits) - trial.saved

    steps = [(tuple(sorted(trials, key=cost)), asked) for trials, asked in found.steps]
    return replace(found, steps=tuple(steps))
