"""The rows themselves: repeated requests, versions that served them, and rows that training would not have kept."""

from __future__ import annotations

import duckdb

from skewcheck.engines.sql import quote_name
from skewcheck.generate.manifest import Manifest, ManifestFilter
from skewcheck.replay.columns import NO_TEXT, LogColumns
from skewcheck.verdict import Filter, Version


def count_duplicates(connection: duckdb.DuckDBPyConnection, log: str, columns: LogColumns) -> int | None:
    """Rows beyond the first of each request id; None where the log has no request ids."""
    if columns.request_id is None:
        return None
    # Hashes first, which need little memory; only where two are alike do the ids themselves decide.
    repeated = 0
    for distinct in (f"hash({columns.request_id})", columns.request_id):
        row = connection.execute(f"SELECT count({distinct}) - count(DISTINCT {distinct}) FROM {log}").fetchone()
        repeated = int(row[0]) if row else 0
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


def _count_dropped(kept: str) -> str:
    return f"count(*) FILTER (WHERE NOT coalesce({kept}, FALSE))"


def _with_rules(log: str, rules: list[ManifestFilter], readable: dict[str, str]) -> str:
    """The columns that the rules read, and a column "kept.<rule>" for each."""
    names = dict.fromkeys(name for rule in rules for name in rule.reads)
    columns = ", ".join(f"{readable[name]} AS {quote_name(name)}" for name in names)
    relation = f"SELECT {columns or 'TRUE AS any'} FROM {log}"
    for rule in rules:
        kept = quote_name(f"kept.{rule.name}")
        relation = (
            f'WITH inputs AS NOT MATERIALIZED ({relation}) SELECT * RENAME ("$kept" AS {kept}) FROM ({rule.query})'
        )
    return relation
