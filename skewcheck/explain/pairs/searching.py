"""The search for causes by values alone: guess, count, take the best, and go on with what is left (room: explain)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from skewcheck.causes import UNEXPLAINED, Cause
from skewcheck.explain.pairs.base import Guess, Pairs
from skewcheck.explain.pairs.categories import guess_constant, guess_missing, guess_one_value, guess_table
from skewcheck.explain.pairs.numbers import guess_numbers
from skewcheck.explain.pairs.places import find_place
from skewcheck.explain.pairs.shifts import guess_column, guess_stale, shift_pairs
from skewcheck.explain.pairs.texts import guess_texts
from skewcheck.explain.pairs.times import guess_times
from skewcheck.explain.pairs.windows import explain_windows

MOST_CAUSES = 4
"""Causes of one column that are peeled off one after another."""

STATED = 0.05
"""Share of the mismatches below which no cause is named, and above which what is left is called unexplained."""

ALIKE = 0.995
"""Of two guesses that explain about the same, the one with fewer bits is taken."""

FEWEST = 3
"""Pairs that a cause has to explain."""

SAMPLED = 20_000
"""Pairs that differ, and as many that match, among which the best guess is chosen; it is then counted on all."""

PRIVATE = frozenset({"default", "declared", "constant", "table", "unknown", "given"})
"""Parameters that are values of single pairs."""

WITHOUT_VALUES = {
    "default": "One side gives one value where the other has none.",
    "constant": "One side gives one value throughout.",
    "recode": "Serving gives other values for the same ones.",
    "out_of_vocabulary": "Serving gives one value for all that it does not know.",
}
"""What is said of a cause whose sentence names values."""

_SAMPLE, _ROW = "sampled_pairs", "sampled_row"


def explain_pairs(
    pairs: Pairs, *, stage: str = "", redact: bool = False, shown: Collection[str] = ()
) -> tuple[Cause, ...]:
    """Why the values of one column differ, the cause that explains most first.

    A cause is counted on every pair. Several are peeled off one after another, each from what those before it leave;
    what is left, if it is more than a little, is unexplained.

    Args:
        pairs: The pairs.
        stage: The cut whose mismatches they are; empty for two tables.
        redact: Leave out what single pairs hold.
        shown: Columns whose values are said all the same where a cause has its place there.
    """
    if windows := explain_windows(pairs, stage, redact=redact):
        return windows
    pairs = shift_pairs(pairs)
    total = pairs.count(pairs.differs)
    sample = _draw(pairs, total)
    causes: list[Cause] = []
    left, rest = pairs.differs, total
    for _ in range(MOST_CAUSES):
        guess = _choose(sample, left, list(_guess(sample, left)))
        count = pairs.count(f"({left}) AND {guess.holds}") if guess is not None else 0
        if guess is None or count < max(FEWEST, STATED * total):
            break
        causes.append(_describe(pairs, guess, f"({left}) AND {guess.holds}", count, total, stage))
        left, rest = f"({left}) AND NOT {guess.holds}", rest - count
        if not rest:
            break
    if total and (rest > STATED * total or not causes):
        causes.append(_describe_rest(pairs, left, rest, total, stage))
    ordered = sorted(causes, key=lambda cause: (cause.kind == UNEXPLAINED, -cause.explains))
    return tuple(_redact(cause, shown) if redact else cause for cause in ordered)


def _redact(cause: Cause, shown: Collection[str]) -> Cause:
    """The cause without values of single pairs."""
    parameters = {name: value for name, value in cause.parameters.items() if name not in PRIVATE}
    where = {name: value if name in shown else "redacted" for name, value in cause.where.items()}
    return replace(cause, parameters=parameters, where=where, says=WITHOUT_VALUES.get(cause.kind, cause.says))


def _draw(pairs: Pairs, total: int) -> Pairs:
    """About so many pairs that differ, and as many that match, the same on every run."""
    matching = pairs.count("TRUE") - total
    drawn = f"hash({pairs.trained}, {pairs.served}{f', {pairs.at}' if pairs.at else ''}, {_ROW})"
    wanted = [f"{drawn} % {count // SAMPLED + 1} = 0" for count in (total, matching)]
    pairs.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_SAMPLE} AS SELECT * FROM {pairs.relation} AS {_ROW} "
        f"WHERE CASE WHEN {pairs.differs} THEN {wanted[0]} ELSE {wanted[1]} END"
    )
    return replace(pairs, relation=_SAMPLE)


def _guess(pairs: Pairs, left: str) -> Iterator[Guess]:
    if pairs.unreadable:
        yield Guess(
            "cast",
            pairs.unreadable,
            "There is text that is no value of the column's type.",
            "Write the column with its type, or say which text stands for null with --null.",
            bits=4.0,
        )
        left = f"{left} AND NOT {pairs.unreadable}"
    yield from guess_missing(pairs, left)
    if pairs.text is not None:
        yield from _guess_cast(*pairs.text)
        return
    yield from guess_constant(pairs, left)
    yield from guess_one_value(pairs, left)
    if pairs.form == "number":
        yield from guess_numbers(pairs, left)
    if pairs.form == "text":
        yield from guess_texts(pairs)
    if pairs.form == "time":
        yield from guess_times(pairs, left)
    if pairs.form in {"number", "text", "bool"}:
        yield from guess_table(pairs, left)
    yield from guess_column(pairs)
    yield from guess_stale(pairs, left)


def _guess_cast(trained: str, served: str) -> Iterator[Guess]:
    """The two sides are of different types: whether they say the same."""
    number = "TRY_CAST({x} AS DOUBLE)"
    same = [f"lower({trained}) = lower({served})", f"{number.format(x=trained)} = {number.format(x=served)}"]
    truth = "CASE lower({x}) WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {x} END"
    same.append(f"{number.format(x=truth.format(x=trained))} = {number.format(x=truth.format(x=served))}")
    yield Guess(
        "cast",
        f"coalesce({' OR '.join(same)}, FALSE)",
        "The two say the same in different types.",
        "Give the column one type in both.",
        bits=5.0,
    )


def _choose(pairs: Pairs, left: str, guesses: Sequence[Guess]) -> Guess | None:
    """The guess that explains most; of those that explain about the same, the simplest."""
    if not guesses:
        return None
    counts = pairs.fetch(", ".join(f"count(CASE WHEN {guess.holds} THEN 1 END)" for guess in guesses), left)
    most = max(counts)
    if not most:
        return None
    alike = [(guess.bits, -count, place) for place, (guess, count) in enumerate(zip(guesses, counts, strict=True))]
    return guesses[min(one for one in alike if -one[1] >= ALIKE * most)[2]]


def _describe(pairs: Pairs, guess: Guess, holds: str, count: int, total: int, stage: str) -> Cause:
    place = find_place(pairs, f"({holds})")
    return Cause(
        kind=guess.kind,
        stage=stage,
        explains=count / total,
        parameters=dict(guess.parameters),
        where=place.where,
        since=place.since,
        evidence=(f"{count:,} of {total:,} mismatches are so.", *place.evidence),
        fix=guess.fix,
        says=guess.says,
        root=f"column {pairs.name}",
        bits=round(guess.bits, 1),
    )


def _describe_rest(pairs: Pairs, left: str, rest: int, total: int, stage: str) -> Cause:
    place = find_place(pairs, f"({left})")
    cause = Cause(
        kind=UNEXPLAINED,
        stage=stage,
        explains=rest / total,
        evidence=(f"{rest:,} of {total:,} mismatches are nothing that was tried.", *place.evidence),
        fix="Compare the rows shown with the code that serves them.",
        says="No change of the value that was tried gives what was served.",
    )
    return replace(cause, where=place.where, since=place.since)
