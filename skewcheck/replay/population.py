"""The rows themselves: repeated requests, versions that served them, and rows that training would not have kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from skewcheck.engines.sql import quote_name
from skewcheck.generate.manifest import Manifest, ManifestFilter
from skewcheck.replay.columns import NO_TEXT, LogColumns
from skewcheck.replay.comparison import Sides, differs
from skewcheck.replay.stages import name_extra
from skewcheck.verdict import Filter, Version

CONCENTRATED = 1.5
"""How many times more frequent mismatches must be where training drops rows."""

IDS_AT_ONCE = 2_000_000
"""Request ids that are held in memory at one time."""


def count_duplicates(connection: duckdb.DuckDBPyConnection, log: str, columns: LogColumns, rows: int) -> int | None:
    """Rows beyond the first of each request id; None where the log has no request ids."""
    if columns.request_id is None:
        return None
    # Hashes first, which need little memory; only where two are alike do the ids themselves decide.
    hashed = f"hash({columns.request_id})"
    parts = rows // IDS_AT_ONCE + 1
    repeated = 0
    for distinct in (hashed, columns.request_id):
        repeated = 0
        for part in range(parts):
            where = f" WHERE {hashed} % {parts} = {part}" if parts > 1 else ""
            found = connection.execute(f"SELECT count({distinct}) - count(DISTINCT {distinct}) FROM {log}{where}")
            repeated += int((found.fetchone() or (0,))[0])
        if not repeated:
            break
    return repeated


def read_versions(
    connection: duckdb.DuckDBPyConnection, log: str, columns: LogColumns, manifest: Manifest
) -> tuple[Version, ...]:
    """The hashes that the log's rows carry, most rows first; none where the log has no such columns."""
    if columns.versions is None:
        return ()
    definition, state = columns.versions
    rows = connection.execute(
        f"SELECT {definition} AS definition, {state} AS state, count(*) AS rows FROM {log} "
        "GROUP BY ALL ORDER BY rows DESC, definition, state"
    ).fetchall()
    # A log that has one of the two hashes can only be asked about that one.
    current = (None if definition == NO_TEXT else manifest.definition, None if state == NO_TEXT else manifest.state)
    return tuple(Version(one, other, count, (one, other) == current) for one, other, count in rows)


def count_outside(
    connection: duckdb.DuckDBPyConnection, log: str, columns: LogColumns, manifest: Manifest
) -> tuple[tuple[Filter, ...], int | None]:
    """For each rule of the training filter the rows that it would have dropped, and those dropped by any.

    Unknown (None) where the log lacks a column that a rule reads.
    """
    readable = {**columns.inputs, **columns.extra}
    absent = {rule.name: [name for name in rule.reads if name not in readable] for rule in manifest.filters}
    known = [rule for rule in manifest.filters if not absent[rule.name]]
    counts: dict[str, int] = {}
    dropped = 0
    if known:
        kept = " AND ".join(quote_name(f"kept.{rule.name}") for rule in known)
        each = [_count_dropped(quote_name(f"kept.{rule.name}")) for rule in known]
        row = connection.execute(
            f"SELECT {', '.join([_count_dropped(kept), *each])} FROM ({_with_rules(log, known, readable)})"
        ).fetchone()
        if row is not None:
            dropped = int(row[0])
            counts = {rule.name: int(count) for rule, count in zip(known, row[1:], strict=True)}
    filters = tuple(
        Filter(
            rule.name,
            counts.get(rule.name),
            f"the log has no column {', '.join(absent[rule.name])}" if absent[rule.name] else None,
        )
        for rule in manifest.filters
    )
    return filters, dropped if len(known) == len(manifest.filters) else None


def find_concentration(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    sides: Sequence[Sides],
    columns: LogColumns,
    manifest: Manifest,
) -> tuple[dict[str, Any], ...]:
    """Where mismatches are more frequent among the rows that training would have dropped than among the others.

    Args:
        connection: The engine.
        relation: A relation with the log's inputs and the sides' columns.
        sides: Comparisons that found mismatches.
        columns: What the log's columns hold.
        manifest: The service.

    Returns:
        For each rule of the filter and each comparison that concentrates there: `rule`, `feature`, `stage`, the
        `mismatched` of the `compared` rows that the rule drops, the `share` of all mismatches that these are, and the
        `rate` within and `rate_elsewhere`.
    """
    readable = {**columns.inputs, **columns.extra}
    rules = [rule for rule in manifest.filters if all(name in readable for name in rule.reads)]
    if not rules or not sides:
        return ()
    names = dict.fromkeys(name for rule in rules for name in rule.reads)
    read = [
        f"{name_extra(name)} AS {quote_name(name)}" if name in columns.extra else quote_name(name) for name in names
    ]
    flags = [f"{differs(side)} AS differs_{place}" for place, side in enumerate(sides)]
    flags += [f"{side.applies or 'TRUE'} AS known_{place}" for place, side in enumerate(sides)]
    rows = _apply_rules(f"SELECT {', '.join([*read, *flags])} FROM ({relation})", rules)
    counts = []
    for rule in rules:
        dropped = f"NOT coalesce({quote_name(f'kept.{rule.name}')}, FALSE)"
        for place in range(len(sides)):
            for what in ("known", "differs"):
                counts += [
                    f"count(*) FILTER (WHERE {what}_{place} AND {dropped})",
                    f"count(*) FILTER (WHERE {what}_{place})",
                ]
    found = connection.execute(f"SELECT {', '.join(counts)} FROM ({rows})").fetchone() or ()
    concentrated = []
    numbers = iter(found)
    for rule in rules:
        for side in sides:
            compared, all_compared, mismatched, all_mismatched = (int(next(numbers)) for _ in range(4))
            rate = mismatched / compared if compared else 0.0
            elsewhere = all_compared - compared
            rate_elsewhere = (all_mismatched - mismatched) / elsewhere if elsewhere else 0.0
            if mismatched and rate >= CONCENTRATED * rate_elsewhere:
                concentrated.append(
                    {
                        "rule": rule.name,
                        "feature": side.name,
                        "stage": side.stage,
                        "compared": compared,
                        "mismatched": mismatched,
                        "share": mismatched / all_mismatched,
                        "rate": rate,
                        "rate_elsewhere": rate_elsewhere,
                    }
                )
    return tuple(concentrated)


def _count_dropped(kept: str) -> str:
    return f"count(*) FILTER (WHERE NOT coalesce({kept}, FALSE))"


def _with_rules(log: str, rules: list[ManifestFilter], readable: dict[str, str]) -> str:
    """The columns that the rules read, and a column "kept.<rule>" for each."""
    names = dict.fromkeys(name for rule in rules for name in rule.reads)
    columns = ", ".join(f"{readable[name]} AS {quote_name(name)}" for name in names)
    return _apply_rules(f"SELECT {columns or 'TRUE AS any'} FROM {log}", rules)


def _apply_rules(relation: str, rules: list[ManifestFilter]) -> str:
    """A relation with a column "kept.<rule>" for each rule."""
    for rule in rules:
        kept = quote_name(f"kept.{rule.name}")
        relation = (
            f'WITH inputs AS NOT MATERIALIZED ({relation}) SELECT * RENAME ("$kept" AS {kept}) FROM ({rule.query})'
        )
    return relation
