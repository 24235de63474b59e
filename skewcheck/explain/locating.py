"""Where and since when: the slice of the log in which a cause holds (room: explain)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skewcheck.engines.sql import literal_text, quote_name
from skewcheck.explain.describing import iso
from skewcheck.explain.evaluating import PLACE, make_column
from skewcheck.explain.sampling import Sample
from skewcheck.explain.values.series import Bools, Series
from skewcheck.explain.values.slices import MISSING, Condition, Slice, find_slice
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type
from skewcheck.replay.columns import LogColumns
from skewcheck.replay.stages import FILE, ROW

TIME = "requested_at"
HOUR = "hour of requested_at (UTC)"

_LEFT_OUT = ("feature.", "log.")
_ASKED = ("request.", "store.", "key.")
_RECORDED = ("status.", "event_time.")
"""What retrieval recorded of itself, which follows from what was asked."""

_TYPES: Mapping[str, Type] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), INT64),
    **dict.fromkeys(("FLOAT", "DOUBLE"), FLOAT64),
    "VARCHAR": STRING,
    "BOOLEAN": BOOL,
    "TIMESTAMP WITH TIME ZONE": TIMESTAMP,
}


@dataclass
class Locator:
    """Finds slices of one feature's sample.

    Attributes:
        sample: The sample.
        log: SQL text of the log's files, with the place of every row.
        logged: What the columns of the log hold.
        reads: The inputs that the feature reads.
    """

    sample: Sample
    log: str
    logged: LogColumns
    reads: tuple[str, ...] = ()
    _columns: dict[str, Series] | None = None
    _known: dict[tuple[bytes, bytes], Slice | None] = field(default_factory=dict)

    def find(self, chosen: Bools, others: Bools) -> Slice | None:
        """The slice that holds the chosen rows and not the others; None where there is none or none is needed."""
        if not chosen.any() or not others.any():
            return None
        key = (chosen.tobytes(), others.tobytes())
        if key not in self._known:
            secondary = {name for name in self.columns if name.startswith(_RECORDED)}
            self._known[key] = find_slice(
                self.columns, chosen, others, self.sample.weights, self._read_by_feature(), secondary
            )
        return self._known[key]

    def _read_by_feature(self) -> set[str]:
        """The columns of the log that the feature reads: bounds on them would say what the feature itself says."""
        read = {self.logged.names[name] for name in self.reads if name in self.logged.names}
        return {name for name in self.columns if name in read or name.rpartition(".")[2] in self.reads}

    def holds_what_was_asked(self, name: str) -> bool:
        """Whether a column of the log is an input or a key."""
        asked = {self.logged.names[one] for one in (*self.logged.inputs, *self.logged.keys) if one in self.logged.names}
        return name in asked or name.startswith(_ASKED)

    @property
    def columns(self) -> dict[str, Series]:
        """The columns of the log over the sample, but for served features."""
        if self._columns is None:
            self._columns = self._read()
        return self._columns

    def _read(self) -> dict[str, Series]:
        connection = self.sample.evaluator.connection
        described = connection.execute(f"DESCRIBE SELECT * FROM {self.log}").fetchall()
        beside = {
            "prediction",
            "request_id",
            TIME,
            *map(self.logged.names.get, (*self.logged.served, "request_id", TIME)),
        }
        kinds = {
            name: _TYPES[kind]
            for name, kind, *_ in described
            if kind in _TYPES and not name.startswith(_LEFT_OUT) and name not in beside
        }
        selected = ", ".join(f"{_read_column(name, kind)} AS {quote_name(name)}" for name, kind in kinds.items())
        rows = f"SELECT {PLACE}, {FILE}, {ROW} FROM {self.sample.relation}"
        table = connection.execute(
            f"SELECT rows.{PLACE} AS {PLACE}{', ' if selected else ''}{selected} FROM ({rows}) AS rows "
            f"JOIN {self.log} AS logged USING ({FILE}, {ROW})"
        ).to_arrow_table()
        order = np.argsort(table.column(PLACE.strip('"')).to_numpy(), kind="stable")
        columns: dict[str, Series] = {}
        times = self.sample.times
        timed = bool(np.isfinite(times).any())
        if timed:  # before other times that tell as much
            columns[TIME] = Series("Timestamp", np.nan_to_num(times).astype(np.int64), ~np.isfinite(times))
        columns |= {name: make_column(kind, table.column(name), order) for name, kind in kinds.items()}
        if timed:
            hours = np.where(np.isfinite(times), times // 3_600_000_000 % 24, 0).astype(np.int64)
            columns[HOUR] = Series("Int64", hours, ~np.isfinite(times))
        return columns

    def write(self, found: Slice) -> str:
        """A slice as SQL text over the log's own columns, never null."""
        return " AND ".join(f"coalesce({self._write_condition(one)}, FALSE)" for one in found.conditions)

    def _write_condition(self, condition: Condition) -> str:
        kind = self.columns[condition.column].kind
        column = quote_name(condition.column)
        if condition.column == HOUR:
            column = f"epoch_us({self.logged.requested_at}) // 3600000000 % 24"
        elif kind == "Timestamp":
            column = f"epoch_us({self.logged.requested_at if condition.column == TIME else column})"
        elif kind == "Float64":
            column = f"CASE WHEN NOT isnan({column}) THEN {column} END"
        if condition.missing is not None:
            return f"(({column}) IS NULL) = {literal_text(condition.missing)}"
        if condition.values is not None:
            return f"({column}) IN ({', '.join(literal_text(value) for value in condition.values)})"
        bounds = []
        for sign, bound in ((">=", condition.low), ("<", condition.high)):
            if bound is not None:
                bounds.append(f"({column}) {sign} {literal_text(bound if kind == 'Float64' else int(bound))}")
        return " AND ".join(bounds)


def say_slice(found: Slice | None, locator: Locator, *, redact: bool = False) -> dict[str, Any]:
    """The conditions of a slice as data, but for a beginning in time, which `since` says."""
    said: dict[str, Any] = {}
    for one in found.conditions if found else ():
        if is_beginning(one):
            continue
        data = one.to_data()
        if locator.columns[one.column].kind == "Timestamp" and one.missing is None:
            data = {how: iso(bound) for how, bound in data.items()}
        if redact and one.missing is None and locator.holds_what_was_asked(one.column):
            data = "redacted"
        said[one.column] = data
    return said


def is_beginning(condition: Condition) -> bool:
    """Whether a condition says no more than from when on."""
    return condition.column == TIME and condition.low is not None and condition.high is None


def _read_column(name: str, kind: Type) -> str:
    text = quote_name(name)
    if kind == TIMESTAMP:
        return f"CASE WHEN isfinite({text}) THEN epoch_us({text}) END"
    return f"CAST({text} AS {'BIGINT' if kind == INT64 else 'DOUBLE'})" if kind in (INT64, FLOAT64) else text


__all__ = ["HOUR", "MISSING", "TIME", "Locator", "is_beginning", "say_slice"]
