"""The values of one feature in two versions: the same, proved or tested, or not, with a witness (room: changes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import pyarrow as pa

from skewcheck.changes.caching import Cache, make_key
from skewcheck.changes.candidates import Candidates, find_candidates
from skewcheck.changes.canonical_form import digest, digest_fits
from skewcheck.changes.judgement import OUT_OF_TIME, Judgement
from skewcheck.changes.made_up import fit_made_up
from skewcheck.changes.programs import expand_with, plain_row, run_both, run_versions, work_through
from skewcheck.changes.searching import Sought, find_smallest
from skewcheck.changes.snapshot import DeclaredColumn, DeclaredFeature, DeclaredService
from skewcheck.contracts import plain_value
from skewcheck.diff_verdict import Witness
from skewcheck.errors import OpaqueError, SkewcheckError, StateError
from skewcheck.generate.golden import same_value
from skewcheck.language.expressions import expand, fitted_nodes, key_of
from skewcheck.language.terms import Term
from skewcheck.language.types import Type
from skewcheck.parity.values import make_columns

Statistics = Mapping[str, Mapping[str, Any]]

MADE_UP = "the statistics are not fitted yet: these are of made-up rows, the same for both versions"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to run where nothing is proved: hard rows, whether there is time left, and what was found before."""

    rows: int = 10_000
    may_test: Callable[[], bool] = lambda: True
    cache: Cache = field(default_factory=Cache)


@dataclass(frozen=True, slots=True)
class Pair:
    """One feature in two versions, each with its service."""

    old: DeclaredFeature
    new: DeclaredFeature
    before: DeclaredService
    after: DeclaredService

    @property
    def columns(self) -> dict[str, DeclaredColumn]:
        """Every column that either version reads."""
        names = dict.fromkeys((*self.old.columns, *self.new.columns))
        return {name: (self.after.columns.get(name) or self.before.columns[name]) for name in names}

    @property
    def types(self) -> dict[str, Type]:
        """The types of those columns."""
        return {name: column.type for name, column in self.columns.items()}


def judge_values(pair: Pair, effort: Effort) -> Judgement:
    """Whether two versions of a feature give the same values.

    Args:
        pair: The versions.
        effort: How much to run where nothing is proved.
    """
    same_text = expand(pair.old.expression, None) is expand(pair.new.expression, None)
    fitted = bool(fitted_nodes(pair.old.expression) or fitted_nodes(pair.new.expression))
    old, new = _own_statistics(pair.old, pair.before), _own_statistics(pair.new, pair.after)
    if not fitted or (old is not None and new is not None and not _is_stale(pair)):
        if same_text and old == new:
            return Judgement("same")
        if digest(pair.old.expression, old or {}) == digest(pair.new.expression, new or {}):
            return Judgement("proved")
        cause = "statistics" if same_text else "declaration"
        return _run(pair, old or {}, new or {}, effort, cause=cause)
    if digest(pair.old.expression) == digest(pair.new.expression):
        if _rules_digest(pair.before) != _rules_digest(pair.after):
            return Judgement(
                "unknown", "its statistics are to be fitted again: the training filter changed", unfitted=True
            )
        missing = new is None and pair.after.state is not None
        reason = "its statistics stand under another name and are to be fitted again" if missing else None
        return Judgement("same" if same_text else "proved", reason, unfitted=missing)
    try:
        columns = {**pair.before.columns, **pair.after.columns}
        made_up = fit_made_up((pair.old, pair.new), columns, _candidates(pair, {}, {}))
    except (SkewcheckError, KeyError) as error:
        said = error.message if isinstance(error, SkewcheckError) else str(error)
        return Judgement("unknown", f"its statistics are to be fitted again: {said}", unfitted=True)
    return _run(pair, made_up, made_up, effort, note=MADE_UP, unfitted=True)


def choose_statistics(pair: Pair) -> tuple[Statistics | None, bool]:
    """Statistics for the new version, frozen or else made up; None where there can be none. And whether made up."""
    found = _own_statistics(pair.new, pair.after)
    if found is not None:
        return found, False
    try:
        return fit_made_up((pair.new,), pair.after.columns, _candidates(pair, {}, {})), True
    except (SkewcheckError, KeyError):
        return None, True


def frozen_terms(pair: Pair) -> tuple[Term, Term] | None:
    """Both versions in primitives, each with its own frozen statistics; None where one has none that belong to it."""
    old, new = _own_statistics(pair.old, pair.before), _own_statistics(pair.new, pair.after)
    if old is None or new is None or (new and _is_stale(pair)):
        return None
    return expand_with(pair.old.expression, old), expand_with(pair.new.expression, new)


def _own_statistics(feature: DeclaredFeature, service: DeclaredService) -> dict[str, dict[str, Any]] | None:
    """The frozen statistics that a feature reads; None where one is missing."""
    known = service.state.statistics if service.state else {}
    found = {}
    for node, chosen in fitted_nodes(feature.expression):
        held = known.get(key_of(node))
        if held is None or any(kind.name not in held for kind in chosen.statistics()):
            return None
        found[key_of(node)] = held
    return found


def _is_stale(pair: Pair) -> bool:
    """Whether the new version's statistics were fitted to another declaration of this feature."""
    after, before = pair.after, pair.before
    if after.state is None or after.state.fit == after.fit:
        return False
    if before.state is None or before.state.fit != before.fit or before.state.hash != after.state.hash:
        return True
    # Nobody fitted since; what this feature reads may be what it was all the same.
    if _rules_digest(before) != _rules_digest(after):
        return True
    old, new = digest_fits(pair.old.expression), digest_fits(pair.new.expression)
    return any(old.get(key) != fit for key, fit in new.items())


def _rules_digest(service: DeclaredService) -> tuple[str, ...]:
    """What the training filter keeps."""
    return tuple(sorted({digest(rule.expression) for rule in service.filters}))


def _candidates(pair: Pair, old: Statistics, new: Statistics) -> Candidates:
    terms = [
        expand(feature.expression, None) if not statistics else expand_with(feature.expression, statistics)
        for feature, statistics in ((pair.old, old), (pair.new, new))
    ]
    return find_candidates(pair.types, terms, (pair.old.expression, pair.new.expression))


def _run(
    pair: Pair,
    old: Statistics,
    new: Statistics,
    effort: Effort,
    *,
    cause: str = "declaration",
    note: str | None = None,
    unfitted: bool = False,
) -> Judgement:
    """What running both versions gives, or gave when they were run before."""
    before, after = expand_with(pair.old.expression, old), expand_with(pair.new.expression, new)
    key = make_key((pair.old.expression, pair.new.expression), (before, after), effort.rows, note)
    found = effort.cache.find(key)
    if found is None:
        if not effort.may_test():
            return Judgement("unknown", OUT_OF_TIME, unfitted=unfitted)
        found = _search(pair, (old, new), (before, after), effort.rows, note)
        effort.cache.keep(key, found)
    return replace(found, cause=cause, unfitted=unfitted)


def _search(
    pair: Pair, statistics: tuple[Statistics, Statistics], terms: tuple[Term, Term], rows: int, note: str | None
) -> Judgement:
    """Run both versions and say where they differ."""
    (old, new), (before, after) = statistics, terms
    run = run_versions(before, after)
    candidates = _candidates(pair, old, new)

    def differs(row: Mapping[str, Any]) -> bool:
        return not same_value(*run(row))

    found = find_smallest(Sought(differs, candidates, (before, after)))
    if found is None:
        outcome = _test_hard_rows(pair.types, before, after, rows)
        if isinstance(outcome, str):
            return Judgement("unknown", outcome)
        if outcome is None:
            return Judgement("tested", note, rows=rows)
        found = find_smallest(Sought(differs, candidates), outcome)
        if found is None or not differs(found):
            return Judgement("unknown", "two engines disagree on it: run `skewcheck parity`")
    was, now = run(found)
    witness = Witness(
        plain_row(found),
        plain_value(was),
        plain_value(now),
        work_through(pair.old.expression, old, found),
        work_through(pair.new.expression, new, found),
        note=note,
    )
    return Judgement("differs", witness=witness)


def _test_hard_rows(types: Mapping[str, Type], old: Term, new: Term, rows: int) -> dict[str, Any] | str | None:
    """A row on which the versions differ in Python or in DuckDB, None where there is none, or why it is not known."""
    inputs = _hard_rows(tuple(types.items()), rows)
    try:
        for difference in run_both(old, new, types, inputs):
            if difference.first is not None:
                return {name: _finite(value) for name, value in difference.first[0].items()}
    except (OpaqueError, RuntimeError, TypeError, ValueError, OverflowError, StateError) as error:
        return f"its function has no answer for every value: {str(error).partition(chr(10))[0]}"
    return None


@lru_cache(maxsize=8)
def _hard_rows(columns: tuple[tuple[str, Type], ...], rows: int) -> pa.Table:
    return make_columns(dict(columns), rows, seed=1)


def _finite(value: Any) -> Any:
    """A value as it is read: what is infinite or no number is missing."""
    return None if isinstance(value, float) and not abs(value) < float("inf") else value
