"""Explanations counted over the whole log, all in one query (room: explain)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import duckdb

from skewcheck.engines.duckdb import write_query
from skewcheck.engines.sql import literal_text, quote_name
from skewcheck.language.terms import Term
from skewcheck.language.types import Type
from skewcheck.replay.comparison import REQUESTED_AT, Sides, differs, say_instant


@dataclass(frozen=True, eq=False)
class Claim:
    """What is claimed of a feature: that some of its mismatches have served exactly what a term gives.

    Attributes:
        side: The feature.
        term: What serving computes.
        near: Relative difference up to which floats are the same.
        scale: Magnitude of the feature.
        lacking: For a claim of several edits, the term of all but one, for each.
        where: A column of the relation that is True in the slice that it is said to hold in; None for all rows.
    """

    side: Sides
    term: Term
    near: float
    scale: float
    lacking: tuple[Term | None, ...] = ()
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the log says to a claim.

    Attributes:
        mismatched: Mismatches of the feature.
        reproduced: Those that have what the claim gives, and that no claim before it had.
        against: Matching rows for which the claim gives something else.
        first: Time of the first reproduced mismatch (ISO 8601), None where times are not known.
        last: Time of the last one.
        inside: Rows of the slice.
        differing_inside: Mismatches in the slice.
        reproduced_inside: Reproduced mismatches in the slice.
        against_inside: Rows against it in the slice.
        taking_part: For each edit the reproduced mismatches that need it.
    """

    mismatched: int
    reproduced: int
    against: int
    first: str | None
    last: str | None
    inside: int = 0
    differing_inside: int = 0
    reproduced_inside: int = 0
    against_inside: int = 0
    taking_part: tuple[int, ...] = ()


_COUNTED = tuple(item.name for item in fields(Confirmed) if item.name != "taking_part")


def confirm(
    connection: duckdb.DuckDBPyConnection, relation: str, claims: Sequence[Sequence[Claim]]
) -> list[list[Confirmed]]:
    """Count every claim over the log; claims of one feature stand together, the first one first."""
    terms: dict[str, Term] = {}
    for place, group in enumerate(claims):
        for number, claim in enumerate(group):
            terms[f"claim.{place}.{number}"] = claim.term
            for part, term in enumerate(claim.lacking):
                if term is not None:
                    terms[f"claim.{place}.{number}.{part}"] = term
    if not terms:
        return []
    query = write_query(terms, source=f"({relation})")
    columns: list[str] = []
    for place, group in enumerate(claims):
        taken: list[str] = []
        for number, claim in enumerate(group):
            columns += _count_claim(claim, f"claim.{place}.{number}", taken, terms)
            taken.append(agrees(claim.side.type, claim.side.served, f"claim.{place}.{number}", claim.near, claim.scale))
    row = list(connection.execute(f"SELECT {', '.join(columns)} FROM ({query})").fetchone() or ())
    found: list[list[Confirmed]] = []
    for group in claims:
        of_group = []
        for claim in group:
            width = len(_COUNTED) + len(claim.lacking)
            counts: dict[str, Any] = dict(zip(_COUNTED, row, strict=False))
            of_group.append(Confirmed(**counts, taking_part=tuple(row[len(_COUNTED) : width])))
            row = row[width:]
        found.append(of_group)
    return found


def _count_claim(claim: Claim, name: str, taken: Sequence[str], terms: Mapping[str, Term]) -> list[str]:
    side = claim.side
    differing = differs(side)
    same = agrees(side.type, side.served, name, claim.near, claim.scale)
    before = "".join(f" AND NOT {other}" for other in taken)
    reproduced = f"{differing} AND {same}{before}"
    applies = f"{side.applies} AND " if side.applies else ""
    against = f"{applies}NOT {differing} AND NOT {agrees(side.type, side.replayed, name, claim.near, claim.scale)}"
    inside = quote_name(claim.where) if claim.where else "FALSE"
    parts = []
    for part in range(len(claim.lacking)):
        other = f"{name}.{part}"
        needs = (
            f"{reproduced} AND NOT {agrees(side.type, side.served, other, claim.near, claim.scale)}"
            if other in terms
            else reproduced
        )
        parts.append(_count(needs))
    return [
        _count(differing),
        _count(reproduced),
        _count(against),
        *(say_instant(f"{edge}(CASE WHEN {reproduced} THEN {REQUESTED_AT} END)") for edge in ("min", "max")),
        *(_count(f"{inside} AND {rows}") for rows in ("TRUE", differing, reproduced, against)),
        *parts,
    ]


def agrees(type_: Type, left: str, right: str, near: float, scale: float) -> str:
    """SQL text that is True where two columns agree, as `values.series.agree` says, and never null."""
    one, other = quote_name(left), quote_name(right)
    if type_.name == "Float64":
        one, other = (f"(CASE WHEN NOT isnan({name}) THEN {name} END)" for name in (one, other))
        return (
            f"({one} IS NOT DISTINCT FROM {other} OR coalesce(isfinite({one}) AND isfinite({other}) AND "
            f"abs({one} - {other}) <= {literal_text(near)} * greatest(abs({one}), abs({other}), "
            f"{literal_text(scale)}), FALSE))"
        )
    if type_.name == "Vector":
        return (
            f"coalesce(len({one}) = len({other}) AND list_bool_and(list_transform(list_zip({one}, {other}), "
            f"p -> abs(p[1] - p[2]) <= {literal_text(near)} * greatest(abs(p[1]), abs(p[2])))), "
            f"{one} IS NULL AND {other} IS NULL)"
        )
    return f"({one} IS NOT DISTINCT FROM {other})"


def _count(condition: str) -> str:
    return f"count(CASE WHEN {condition} THEN 1 END)"
