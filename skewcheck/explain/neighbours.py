"""Values that belong to another row: each request is served what the one before it should have had (room: explain)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skewcheck.causes import Cause
from skewcheck.engines.sql import quote_name
from skewcheck.explain.confirming import agrees
from skewcheck.explain.evaluating import read_columns
from skewcheck.explain.ordering import ORDER, Log
from skewcheck.explain.searching import Subject
from skewcheck.explain.values.bits import bits_of_residual, bits_of_subset
from skewcheck.explain.values.series import Series, agree
from skewcheck.replay.comparison import REQUESTED_AT, Sides, differs

BLOCK = 20_000
"""Requests in a row that are looked at."""

STEPS = tuple(step for size in (1, 2, 3, 5, 10) for step in (size, -size))
"""How many rows off a value may be; above zero it belongs to an earlier request."""

FEWEST = 0.5
"""Share of the mismatches that must be another row's value."""

_TABLE = "explain_neighbours"


@dataclass(frozen=True)
class Shift:
    """How many rows off values are.

    Attributes:
        step: Rows; above zero for an earlier one.
        by: The column whose equal rows are counted, None where all are.
    """

    step: int
    by: str | None = None


def find_neighbour(subject: Subject, side: Sides, log: Log, first: str | None) -> Cause | None:
    """The row whose value each request is served; None where it is its own, or cannot be told.

    Args:
        subject: The feature.
        side: What was compared.
        log: The log.
        first: Time of the first mismatch (ISO 8601).
    """
    if first is None:
        return None
    log.keep_block(_TABLE, (side.served, side.replayed), first, BLOCK)
    read = read_columns(log.connection, _TABLE, {side.served: side.type, side.replayed: side.type})
    shift = _find_shift(read[side.served], read[side.replayed], subject)
    if shift is None:
        return None
    return _confirm(subject, side, log, shift)


def _find_shift(served: Series, replayed: Series, subject: Subject) -> Shift | None:
    """The step that saves most bits, if it explains enough."""
    asked = ~agree(served, replayed, near=subject.near, scale=subject.scale)
    if asked.sum() < 20:
        return None
    before = bits_of_residual(served, replayed, near=subject.near, scale=subject.scale)
    best: tuple[float, int] | None = None
    for step in STEPS:
        places = np.arange(len(served)) - step
        inside = (places >= 0) & (places < len(served))
        moved = replayed.take(np.clip(places, 0, len(served) - 1))
        after = np.where(inside, bits_of_residual(served, moved, near=subject.near, scale=subject.scale), before)
        same = asked & (after == 0) & inside
        if same.sum() < FEWEST * asked.sum():
            continue
        against = ~asked & ~agree(moved, replayed, near=subject.near, scale=subject.scale) & inside
        saved = float(np.maximum(0, before - after)[asked].sum())
        saved -= bits_of_subset(float(same.sum()), float(same.sum() + against.sum())) + 8.0
        if saved > 20 and (best is None or saved > best[0]):
            best = (saved, step)
    return None if best is None else Shift(best[1])


def _confirm(subject: Subject, side: Sides, log: Log, shift: Shift) -> Cause | None:
    names = ", ".join([REQUESTED_AT, quote_name(side.served), quote_name(side.replayed)])
    function = "lag" if shift.step > 0 else "lead"
    other = f"{function}({quote_name(side.replayed)}, {abs(shift.step)}) OVER (ORDER BY {ORDER})"
    differing, same = differs(side), agrees(side.type, side.served, "explain.other", subject.near, subject.scale)
    row = log.connection.execute(
        f"SELECT count(CASE WHEN {differing} THEN 1 END), count(CASE WHEN {differing} AND {same} THEN 1 END) FROM "
        f'(SELECT {names}, {other} AS "explain.other" FROM ({log.relation}))'
    ).fetchone()
    mismatched, reproduced = row or (0, 0)
    if not mismatched or reproduced < FEWEST * mismatched:
        return None
    which = f"{abs(shift.step)} row{'s' if abs(shift.step) > 1 else ''} {'before' if shift.step > 0 else 'after'} it"
    return Cause(
        kind="wrong_key",
        stage=subject.stage,
        explains=reproduced / mismatched,
        parameters={"rows": -shift.step},
        evidence=(f"{reproduced:,} of {mismatched:,} mismatches have the value of the request {which}.",),
        fix="Join inputs and features by the request, not by their place in a batch.",
        says=f"Serving gives each request the value of the request {which} in the log.",
        root=f"rows shifted by {-shift.step}",
        bits=15.0,
    )
