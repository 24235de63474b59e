"""Two columns of one name as one pair: how their values are read, and when they differ, as SQL (room: compare).

Two values are equal when they are the same value: zero has one value, and missing (null or NaN) equals missing. Numbers
of different types are compared as numbers, exactly; nothing else is turned into something else, save the cells of a
format that has only text, which are read as the other table's type. What cannot be read so is *unreadable*, and never
missing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from skewcheck.compare.kinds import (
    BOOL_TEXT,
    DATE_TEXT,
    INSTANT_TEXT,
    INTEGER_TEXT,
    NUMBER_TEXT,
    NUMBERS,
    SPECIAL_TEXT,
    TIMES,
    TIMESTAMP_TEXT,
    Column,
    Kind,
    decimal_digits,
    element_type,
    find_kind,
)
from skewcheck.engines.sql import quote_name, quote_text

Side = Literal["a", "b"]
SIDES: tuple[Side, ...] = ("a", "b")

STATES = ("value", "empty", "null", "nan", "unreadable")
"""What a cell can be. Empty is a text, list or map of length 0; unreadable is text that is not of the type."""

LARGEST_EXACT = 9007199254740992
"""Up to here every integer is a float of its own."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far apart two numbers may be and still be equal: as far as the widest of the three allows.

    Attributes:
        relative: Of the larger of the two magnitudes.
        absolute: In the column's own unit.
        ulp: Last places of the larger magnitude, as a 64-bit float.
    """

    relative: float = 0.0
    absolute: float = 0.0
    ulp: float = 0.0

    def __bool__(self) -> bool:
        return bool(self.relative or self.absolute or self.ulp)


EXACT = Tolerance()


@dataclass(frozen=True, slots=True)
class PairedColumn:
    """Two columns that should be equal, in a relation that has them as "a.<name>" and "b.<name>".

    Attributes:
        name: Their name in A.
        a: The column of A.
        b: The column of B.
        kind: What both are read as; None where they cannot be compared as one kind.
        type: The SQL type that both are read as; empty where each stays as it is.
        tolerance: How far apart two numbers may be.
        nan_differs: Whether NaN differs from null.
    """

    name: str
    a: Column
    b: Column
    kind: Kind | None
    type: str = ""
    tolerance: Tolerance = EXACT
    nan_differs: bool = False

    @property
    def foreign(self) -> bool:
        """Whether the two types have no value in common, which is a finding by itself."""
        return self.kind is None

    @property
    def note(self) -> str | None:
        """What the reader should know about the types; None where they are the same."""
        if self.foreign:
            return f"types differ: {self.a.said} in A, {self.b.said} in B"
        narrow = [side for side, column in (("A", self.a), ("B", self.b)) if column.type in {"FLOAT", "FLOAT[]"}]
        if len(narrow) == 1:
            return f"{narrow[0]} holds 32-bit floats, which carry about 7 digits"
        if self.a.kind == self.b.kind or self.a.loose or self.b.loose or "null" in {self.a.kind, self.b.kind}:
            return None
        how = "times without a zone read as UTC" if "instant" in {self.a.kind, self.b.kind} else f"as {self.kind}s"
        return f"{self.a.said} in A, {self.b.said} in B; compared {how}"

    def raw(self, side: Side) -> str:
        """SQL text of the cell as it stands in the table."""
        return quote_name(f"{side}.{self.name}")

    def value(self, side: Side) -> str:
        """SQL text of the cell as the common type; null where it is missing or unreadable."""
        column = self.a if side == "a" else self.b
        raw = self.raw(side)
        if self.kind is None:
            return raw
        if column.loose and self.kind != "text":
            return read_text(raw, self.kind)
        if self.kind == "map":
            return f"list_sort(map_entries({raw}))"
        if self.type == "nanoseconds":
            exact = f"epoch_ns({raw})" if column.type == "TIMESTAMP_NS" else f"CAST(epoch_us({raw}) AS HUGEINT) * 1000"
            return f"CASE WHEN isfinite({raw}) THEN CAST({exact} AS HUGEINT) END"
        return f"CAST({raw} AS {self.type})" if self.type and self.type != column.type else raw

    def number(self, side: Side) -> str | None:
        """SQL text of the cell as a Float64, in seconds for times; None where differences have no meaning."""
        if self.kind in NUMBERS:
            return f"CAST({self.value(side)} AS DOUBLE)"
        if self.type == "nanoseconds":
            return f"CAST({self.value(side)} AS DOUBLE) / 1e9"
        if self.kind in TIMES:
            return f"CASE WHEN isfinite({self.value(side)}) THEN epoch_us({self.value(side)}) / 1e6 END"
        return None

    def missing(self, side: Side) -> str:
        """SQL text that is True where the cell is null or NaN."""
        raw = f"{self.raw(side)} IS NULL"
        return f"({raw} OR coalesce(isnan({self.value(side)}), FALSE))" if self._floats(side) else f"({raw})"

    def unreadable(self, side: Side) -> str | None:
        """SQL text that is True where there is text that is not of the type; None where that cannot be."""
        column = self.a if side == "a" else self.b
        if not column.loose or self.kind in {None, "text"}:
            return None
        return f"({self.raw(side)} IS NOT NULL AND {self.value(side)} IS NULL)"

    def state(self, side: Side) -> str:
        """SQL text of the cell's state, one of `STATES`."""
        raw, column = self.raw(side), self.a if side == "a" else self.b
        cases = [f"WHEN {raw} IS NULL THEN 'null'"]
        if unreadable := self.unreadable(side):
            cases.append(f"WHEN {unreadable} THEN 'unreadable'")
        if self._floats(side):
            cases.append(f"WHEN isnan({self.value(side)}) THEN 'nan'")
        length = {"list": f"len({raw})", "map": f"cardinality({raw})", "bytes": f"octet_length({raw})"}
        kind = "text" if column.loose else column.kind
        if kind == "text":
            cases.append(f"WHEN CAST({raw} AS VARCHAR) = '' THEN 'empty'")
        elif kind in length:
            cases.append(f"WHEN {length[kind]} = 0 THEN 'empty'")
        return f"CASE {' '.join(cases)} ELSE 'value' END"

    def distinct(self) -> str:
        """SQL text that is True at least wherever the pair differs, and quick to compute."""
        if self.foreign:
            return f"NOT ({self.raw('a')} IS NULL AND {self.raw('b')} IS NULL)"
        distinct = f"{self.value('a')} IS DISTINCT FROM {self.value('b')}"
        if {self.a.kind, self.b.kind} == {"integer", "float"} and not self.a.loose and not self.b.loose:
            distinct = f"({distinct} OR {self._beyond_floats()})"
        extra = [text for text in (self.unreadable("a"), self.unreadable("b")) if text]
        return f"({' OR '.join([distinct, *extra])})"

    def differs(self) -> str:
        """SQL text that is True where the two values are not equal, and never null."""
        different = self.distinct()
        if not self.nan_differs and (self._floats("a") or self._floats("b")):
            different = f"{different} AND NOT ({self.missing('a')} AND {self.missing('b')})"
        if near := self._near():
            different = f"{different} AND NOT coalesce({near}, FALSE)"
        return f"({different})"

    def _floats(self, side: Side) -> bool:
        """Whether a cell of that side can be NaN."""
        column = self.a if side == "a" else self.b
        if self.kind is None:
            return column.kind == "float" and not column.loose
        return self.kind == "float" and (column.loose or column.kind == "float")

    def _beyond_floats(self) -> str:
        """Where an integer is too large for a float to tell it from its neighbours: they are compared as integers."""
        whole, real = (self.raw("a"), self.raw("b")) if self.a.kind == "integer" else (self.raw("b"), self.raw("a"))
        return (
            f"CASE WHEN abs(CAST({real} AS DOUBLE)) >= {LARGEST_EXACT} AND abs({real}) < 1e37 "
            f"THEN CAST(CAST({real} AS DOUBLE) AS HUGEINT) <> {whole} ELSE FALSE END"
        )

    def _near(self) -> str | None:
        """Within the tolerance; None where there is none or it does not apply."""
        if not self.tolerance:
            return None
        if self.kind in NUMBERS:
            return self._near_numbers(f"CAST({self.value('a')} AS DOUBLE)", f"CAST({self.value('b')} AS DOUBLE)")
        if self.kind == "list" and find_kind(element_type(self.type or self.a.type)) in NUMBERS:
            a, b = self.value("a"), self.value("b")
            # An element that is missing on one side only is not near, and a list function would skip its null.
            near = self._near_numbers("CAST(p[1] AS DOUBLE)", "CAST(p[2] AS DOUBLE)")
            alike = f"p[1] IS NOT DISTINCT FROM p[2] OR coalesce({near}, FALSE)"
            return f"(len({a}) = len({b}) AND list_bool_and(list_transform(list_zip({a}, {b}), lambda p: {alike})))"
        return None

    def _near_numbers(self, a: str, b: str) -> str:
        larger = f"greatest(abs({a}), abs({b}))"
        allowed = []
        if self.tolerance.relative:
            allowed.append(f"{self.tolerance.relative!r}::DOUBLE * {larger}")
        if self.tolerance.absolute:
            allowed.append(f"{self.tolerance.absolute!r}::DOUBLE")
        if self.tolerance.ulp:
            allowed.append(f"{self.tolerance.ulp!r}::DOUBLE * {last_place(larger)}")
        widest = allowed[0] if len(allowed) == 1 else f"greatest({', '.join(allowed)})"
        # An infinity is as far from every number as a tolerance reaches.
        return f"(isfinite({a}) AND isfinite({b}) AND abs({a} - {b}) <= {widest})"


def last_place(magnitude: str) -> str:
    """SQL text of the distance from a magnitude to the next Float64."""
    return f"(nextafter({magnitude}, 'infinity'::DOUBLE) - {magnitude})"


def pair_columns(a: Column, b: Column) -> PairedColumn:
    """The pair of two columns: what both are read as."""
    # A format without types says nothing about a column, so the other table's type holds.
    if a.loose and not b.loose:
        a = replace(a, kind=b.kind)
    elif b.loose and not a.loose:
        b = replace(b, kind=a.kind)
    elif a.loose and b.loose:
        kind = _common_reading(a.kind, b.kind)
        a, b = replace(a, kind=kind), replace(b, kind=kind)
    common, type_ = _common_type(a, b)
    return PairedColumn(a.name, a, b, common, type_)


def _common_reading(a: Kind, b: Kind) -> Kind:
    """What two columns of text are read as, where all cells of each read as some kind by themselves."""
    if "null" in {a, b} or a == b:
        return b if a == "null" else a
    if a in NUMBERS and b in NUMBERS:
        return "float"
    if a in TIMES and b in TIMES:
        return "instant" if "instant" in {a, b} else "timestamp"
    others = {a, b} - {"text"}
    # Where one side has only numbers, the other side's "abc" is the finding, and not a reason to compare as text.
    return others.pop() if len(others) == 1 else "text"


def _common_type(a: Column, b: Column) -> tuple[Kind | None, str]:
    """The kind and the SQL type that both are read as; no kind where they have no value in common."""
    if "null" in {a.kind, b.kind}:
        other = b if a.kind == "null" else a
        return other.kind, "" if other.kind == "map" else other.type
    if a.loose or b.loose:
        typed = b if a.loose else a
        if a.kind in {"list", "map", "struct", "bytes", "time"}:
            return None, ""
        return ("float", "DOUBLE") if a.kind == "decimal" else (a.kind, _reading_type(a.kind, typed))
    if a.kind in NUMBERS and b.kind in NUMBERS:
        return _common_number(a, b)
    if a.kind in TIMES and b.kind in TIMES:
        return _common_time(a, b)
    if a.kind != b.kind:
        return None, ""
    if a.kind == "text":
        return "text", "VARCHAR"
    if a.type == b.type or a.kind == "map":
        return a.kind, ""
    if a.kind == "list" and {find_kind(element_type(side.type)) for side in (a, b)} <= set(NUMBERS):
        return "list", "DOUBLE[]"
    return None, ""


def _common_number(a: Column, b: Column) -> tuple[Kind, str]:
    kinds = {a.kind, b.kind}
    if "float" in kinds:
        return "float", "DOUBLE"
    if a.type == b.type:
        return a.kind, ""
    if kinds == {"integer"}:
        return "integer", "HUGEINT"
    digits = [decimal_digits(side.type) for side in (a, b)]
    before, after = (max(part) for part in zip(*digits, strict=True))
    return ("decimal", f"DECIMAL({before + after},{after})") if before + after <= 38 else ("float", "DOUBLE")


def _common_time(a: Column, b: Column) -> tuple[Kind, str]:
    kinds = {a.kind, b.kind}
    if kinds == {"date"}:
        return "date", ""
    kind: Kind = "instant" if "instant" in kinds else "timestamp"
    if a.type != b.type and "TIMESTAMP_NS" in {a.type, b.type}:
        return kind, "nanoseconds"
    return kind, "TIMESTAMP WITH TIME ZONE" if kind == "instant" else "TIMESTAMP" if a.type != b.type else ""


def _reading_type(kind: Kind, typed: Column) -> str:
    """The SQL type that text is read as: one that holds every value of the other table's column."""
    wide = {
        "bool": "BOOLEAN",
        "integer": "HUGEINT",
        "float": "DOUBLE",
        "text": "VARCHAR",
        "date": "DATE",
        "timestamp": "TIMESTAMP",
        "instant": "TIMESTAMP WITH TIME ZONE",
    }
    return wide.get(kind, typed.type)


def read_text(raw: str, kind: Kind) -> str:
    """SQL text that reads text as a kind; null where it is not of it."""
    number, whole = (quote_text(pattern) for pattern in (NUMBER_TEXT, INTEGER_TEXT))
    if kind == "integer":
        real = f"TRY_CAST({raw} AS DOUBLE)"
        return (
            f"CASE WHEN regexp_full_match({raw}, {whole}) THEN TRY_CAST({raw} AS HUGEINT) "
            f"WHEN regexp_full_match({raw}, {number}) AND {real} = trunc({real}) AND abs({real}) <= {LARGEST_EXACT} "
            f"THEN CAST({real} AS HUGEINT) END"
        )
    if kind == "float":
        readable = f"regexp_full_match({raw}, {number}) OR regexp_full_match({raw}, {quote_text(SPECIAL_TEXT)})"
        return f"CASE WHEN {readable} THEN TRY_CAST({raw} AS DOUBLE) END"
    if kind == "bool":
        return f"CASE WHEN regexp_full_match({raw}, {quote_text(BOOL_TEXT)}) THEN TRY_CAST({raw} AS BOOLEAN) END"
    if kind == "date":
        return f"CASE WHEN regexp_full_match({raw}, {quote_text(DATE_TEXT)}) THEN TRY_CAST({raw} AS DATE) END"
    clock, zoned = quote_text(f"{DATE_TEXT}|{TIMESTAMP_TEXT}"), quote_text(INSTANT_TEXT)
    # Cast to a timestamp, text would lose its zone without a word.
    instant = f"TRY_CAST({raw} AS TIMESTAMP WITH TIME ZONE)"
    read = instant if kind == "instant" else f"CAST({instant} AS TIMESTAMP)"
    return f"CASE WHEN regexp_full_match({raw}, {clock}) OR regexp_full_match({raw}, {zoned}) THEN {read} END"
