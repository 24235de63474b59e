"""What the columns of a table can hold, whatever its format calls it (room: compare, two tables side by side)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "null",
    "bool",
    "integer",
    "decimal",
    "float",
    "text",
    "bytes",
    "date",
    "time",
    "timestamp",
    "instant",
    "list",
    "map",
    "struct",
]
"""A timestamp is a clock's reading without a zone; an instant has one."""

NUMBERS: tuple[Kind, ...] = ("integer", "decimal", "float")
TIMES: tuple[Kind, ...] = ("date", "timestamp", "instant")

NUMBER_TEXT = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
"""A number as text. With leading zeros it is a code, such as a postal one: nothing may be lost by reading it."""

INTEGER_TEXT = r"-?(?:0|[1-9][0-9]{0,37})"
SPECIAL_TEXT = r"(?i)nan|[+-]?inf(?:inity)?"
BOOL_TEXT = r"(?i)true|false"
DATE_TEXT = r"\d{4}-\d\d-\d\d"
TIMESTAMP_TEXT = rf"{DATE_TEXT}[ T]\d\d:\d\d(?::\d\d(?:\.\d{{1,9}})?)?"
INSTANT_TEXT = rf"{TIMESTAMP_TEXT} ?(?:Z|[+-]\d\d(?::?\d\d)?)"

_SCALARS: dict[str, Kind] = {
    '"NULL"': "null",
    "BOOLEAN": "bool",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "HUGEINT": "integer",
    "UTINYINT": "integer",
    "USMALLINT": "integer",
    "UINTEGER": "integer",
    "UBIGINT": "integer",
    "UHUGEINT": "integer",
    "FLOAT": "float",
    "DOUBLE": "float",
    "BLOB": "bytes",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "instant",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: Its name.
        type: What the engine calls its type.
        kind: What it holds.
        loose: Whether the table's format keeps text only, as CSV does, so that `kind` is what all its cells read as.
    """

    name: str
    type: str
    kind: Kind
    loose: bool = False

    @property
    def said(self) -> str:
        """The type as a reader is told it."""
        return f"{self.kind} (as text)" if self.loose and self.kind != "text" else self.type.lower()


def find_kind(type_: str) -> Kind:
    """The kind of a type of the engine; what it has no kind for is compared by its text."""
    if type_.endswith("]"):
        return "list"
    if type_.startswith("DECIMAL"):
        return "decimal"
    if type_.startswith("MAP("):
        return "map"
    if type_.startswith("STRUCT("):
        return "struct"
    return _SCALARS.get(type_, "text")


def element_type(type_: str) -> str:
    """The type of a list's elements."""
    return type_[: type_.rindex("[")]


def decimal_digits(type_: str) -> tuple[int, int]:
    """Digits before and after the point of a DECIMAL or an integer type."""
    if type_.startswith("DECIMAL"):
        width, scale = (int(part) for part in type_.removeprefix("DECIMAL(").removesuffix(")").split(","))
        return width - scale, scale
    wide = {"TINYINT": 3, "UTINYINT": 3, "SMALLINT": 5, "USMALLINT": 5, "INTEGER": 10, "UINTEGER": 10}
    return wide.get(type_, 20 if type_ in {"BIGINT", "UBIGINT"} else 39), 0
