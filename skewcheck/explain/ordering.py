"""The log, for what needs its rows in the order in which they were served (room: explain)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import duckdb

from skewcheck.engines.sql import literal_text, quote_name
from skewcheck.explain.evaluating import PLACE
from skewcheck.replay.comparison import REQUESTED_AT
from skewcheck.replay.stages import FILE, ROW

ORDER = f"{REQUESTED_AT}, {FILE}, {ROW}"
"""SQL text of the order in which requests were served."""

SERVERS = ("host", "process")
"""Columns of a log that say which process served a request."""


@dataclass(frozen=True, eq=False)
class Log:
    """The log.

    Attributes:
        connection: The engine.
        relation: The log with the inputs, what was served and what training's transform gives.
        groups: For each column of the log that says which process served a request, the relation's column of it.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str
    groups: Mapping[str, str] = field(default_factory=dict)

    def keep_block(self, table: str, columns: Iterable[str], first: str, size: int) -> None:
        """Keep requests that follow each other in a temporary table, numbered by `PLACE`.

        Args:
            table: Its name.
            columns: Columns of the relation, beside the instant and the place in the log.
            first: The time of the first of them (ISO 8601).
            size: How many there are at most.
        """
        names = ", ".join([REQUESTED_AT, FILE, ROW, *map(quote_name, columns)])
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT row_number() OVER (ORDER BY {ORDER}) AS {PLACE}, * FROM "
            f"(SELECT {names} FROM ({self.relation}) WHERE {REQUESTED_AT} >= {literal_text(first)}::TIMESTAMPTZ "
            f"ORDER BY {ORDER} LIMIT {size})"
        )
