"""The log, for what needs its rows in the order in which they were served (room: explain)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

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
