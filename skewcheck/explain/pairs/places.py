"""In which pairs a cause holds: the values of other columns, and since when (room: explain, pairs)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skewcheck.contracts import plain_value
from skewcheck.explain.pairs.base import Pairs
from skewcheck.explain.pairs.categories import literal

MOST_VALUES = 1000
"""A column of more values than this describes no place."""

NAMED = 3
"""Values of one column that a place may have."""

EXPECTED = 12.0
"""Pairs that would be expected to differ outside a place, or before a time, if it were none: the chance that none of
so many does is below one in a hundred thousand."""

LIFT = 0.8
"""A place is worth naming that has at most this share of all pairs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and since when: conditions on columns, and an instant as ISO 8601; empty and None for everywhere."""

    where: dict[str, Any]
    since: str | None
    evidence: tuple[str, ...] = ()


def find_place(pairs: Pairs, holds: str) -> Place:
    """The place of the pairs for which a condition holds.

    Args:
        pairs: The pairs.
        holds: SQL text that is True for the pairs that differ by one cause.
    """
    total, found = pairs.fetch(f"count(*), count(CASE WHEN {holds} THEN 1 END)")
    best: tuple[float, str, list[Any], str] | None = None
    for name, column in pairs.slices.items():
        rows = pairs.rows(
            f"{column} AS value, count(*) AS pairs, count(CASE WHEN {holds} THEN 1 END) AS found",
            "TRUE",
            f"GROUP BY 1 ORDER BY 3 DESC, 2, 1 LIMIT {MOST_VALUES + 1}",
        )
        inside = [row for row in rows if row[2]]
        if len(rows) > MOST_VALUES or not inside or len(inside) > NAMED or len(inside) == len(rows):
            continue
        covered = sum(row[1] for row in inside)
        if covered > LIFT * total or (total - covered) * found / covered < EXPECTED:
            continue
        if best is None or covered < best[0]:
            best = (covered, name, [row[0] for row in inside], column)
    where: dict[str, Any] = {}
    evidence = []
    within = "TRUE"
    if best is not None:
        covered, name, values, column = best
        where[name] = plain_value(values[0]) if len(values) == 1 else [plain_value(value) for value in values]
        within = " OR ".join(
            f"{column} IS NULL" if value is None else f"{column} = {literal(value)}" for value in values
        )
        evidence.append(f"All {found:,} are among the {int(covered):,} of {total:,} pairs of that place.")
    since = _find_start(pairs, holds, f"({within})", found)
    return Place(where, since, tuple(evidence))


def _find_start(pairs: Pairs, holds: str, within: str, found: int) -> str | None:
    """The first pair that differs so, where those before it would have, too, if it had been so all along."""
    if not pairs.at:
        return None
    start = pairs.fetch(f"min({pairs.at})", holds)
    if not start or start[0] is None:
        return None
    first = f"(SELECT min({pairs.at}) FROM {pairs.relation} WHERE {holds})"
    before, after, text = pairs.fetch(
        f"count(CASE WHEN {pairs.at} < {first} THEN 1 END), count(CASE WHEN {pairs.at} >= {first} THEN 1 END), "
        f"strftime(make_timestamp(epoch_us({first})), '%Y-%m-%dT%H:%M:%SZ')",
        within,
    )
    return text if after and before * found / after >= EXPECTED else None
