"""Values worth trying: drawn from what two versions compare with, count with and know by name (room: changes).

The list of a column begins with the plainest values, so that a search that prefers what stands first ends at a row that
a person can read.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from skewcheck.language import clock
from skewcheck.language.constants import EPOCH
from skewcheck.language.expressions import Expression
from skewcheck.language.expressions import walk as walk_expression
from skewcheck.language.terms import Term, walk
from skewcheck.language.types import INT64_MAX, INT64_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN, Type
from skewcheck.parity.values import VALUES

MOST = 48
"""Constants of one kind that are tried."""

LONGEST_TEXT = 200
"""Code points of the longest text that is tried."""

_MICROSECOND = timedelta(microseconds=1)
_PLAIN: dict[str, tuple[Any, ...]] = {
    "Float64": (0.0, 1.0, 2.0, 10.0, 100.0, -1.0, 0.5, 1.2345, 1000.0, -10.0, 1e6),
    "Int64": (0, 1, 2, 10, 100, -1, 1000, -10),
    "Bool": (False, True),
    "String": ("a", "b", "", "A", "1"),
    "Timestamp": tuple(
        datetime.fromisoformat(f"{text}+00:00")
        for text in (
            *("2024-01-01T00:00", "2024-01-01T12:00", "2024-07-01T12:00", "2024-01-01T23:30", "2024-01-06T12:00"),
            *("2024-02-29T12:00", "2024-12-31T23:59:59", "2023-01-01T00:00", "2024-04-01T00:00", "2024-01-01T06:00"),
        )
    ),
}


@dataclass
class Candidates:
    """Values to try for each column, the plainest first, and the patterns that text is matched with."""

    columns: dict[str, list[Any]]
    types: dict[str, Type]
    patterns: list[str] = field(default_factory=list)

    def add(self, column: str, values: Iterable[Any]) -> None:
        """More values of a column, before its hard ones."""
        known = {_key(value) for value in self.columns[column]}
        place = min(len(_PLAIN.get(self.types[column].name, ())), len(self.columns[column]))
        new = {_key(value): value for value in values if _key(value) not in known}
        self.columns[column][place:place] = new.values()


def find_candidates(types: Mapping[str, Type], terms: Iterable[Term], expressions: Iterable[Expression]) -> Candidates:
    """The values to try for columns, from the constants of every version of what reads them."""
    constants = _Constants()
    for term in walk(*terms):
        constants.read_term(term)
    for expression in expressions:
        for node in walk_expression(expression):
            constants.read_operator(node.operator)
    columns = {name: _list_values(type_, constants) for name, type_ in types.items()}
    return Candidates(columns, dict(types), list(dict.fromkeys(constants.patterns)))


class _Constants:
    """Constants by kind, each once, in the order in which they are met."""

    def __init__(self) -> None:
        self.numbers: dict[float, None] = {}
        self.integers: dict[int, None] = {}
        self.texts: dict[str, None] = {}
        self.instants: dict[datetime, None] = {}
        self.patterns: list[str] = []

    def add(self, value: Any) -> None:
        if isinstance(value, bool):
            return
        if isinstance(value, int):
            self.integers[value] = None
            self.numbers[float(value)] = None
        elif isinstance(value, float) and math.isfinite(value):
            self.numbers[value] = None
            if value.is_integer() and abs(value) < 2**63:
                self.integers[int(value)] = None
        elif isinstance(value, str):
            self.texts[value] = None

    def read_term(self, term: Term) -> None:
        if term.kind == "literal" and term.present:
            if term.type.name == "Timestamp":
                self.instants[EPOCH + timedelta(microseconds=term.parameter)] = None
            self.add(term.parameter)
        elif term.name == "locate" and isinstance(term.parameter, tuple):
            for edge in term.parameter:
                self.add(edge)
        elif term.name == "lookup" and isinstance(term.parameter, tuple):
            for key, value in term.parameter:
                self.add(key)
                self.add(value)
        elif term.name == "opaque" and term.kind == "call":
            for node in ast.walk(ast.parse(term.parameter.source)):
                if isinstance(node, ast.Constant):
                    self.add(node.value)

    def read_operator(self, operator: Any) -> None:
        if isinstance(pattern := getattr(operator, "pattern", None), str):
            self.patterns.append(pattern)
        if isinstance(zone := getattr(operator, "zone", None), str):
            self.read_zone(zone)
        for day in getattr(operator, "dates", ()):
            self.read_date(day, getattr(operator, "zone", "UTC"))
        if isinstance(delimiter := getattr(operator, "delimiter", None), str):
            items = [*getattr(operator, "categories", ()), *getattr(operator, "items", ())][:MOST]
            for left, right in zip(items, [*items[1:], *items[:1]], strict=True):
                self.texts[f"{left}{delimiter}{right}"] = None
            for item in items:
                self.texts[str(item)] = None

    def read_zone(self, zone: str) -> None:
        """Its latest changes of the clock, and the hours around its midnight."""
        edges, offsets = clock.zone_table(zone) if zone != "UTC" else ((), (0,))
        start = datetime(2024, 1, 1, tzinfo=UTC)
        recent = [EPOCH + timedelta(microseconds=edge) for edge in edges[-160:]]
        for moment in [moment for moment in recent if moment >= start][:4] or recent[-2:]:
            self.instants[moment] = None
        for day in (date(2024, 1, 15), date(2024, 7, 15)):
            self.read_date(day.isoformat(), zone)
        for offset in dict.fromkeys(offsets[-4:]):
            self.instants[start - timedelta(microseconds=offset)] = None

    def read_date(self, text: str, zone: str) -> None:
        """The moment at which a day begins in a zone, the middle of it, and its end."""
        day = date.fromisoformat(text)
        for moment in (day, day + timedelta(days=1)):
            local = datetime(moment.year, moment.month, moment.day, tzinfo=clock.read_zone(zone))
            self.instants[local.astimezone(UTC)] = None
        self.instants[datetime(day.year, day.month, day.day, 12, tzinfo=UTC)] = None


def _list_values(type_: Type, constants: _Constants) -> list[Any]:
    if type_.name == "Vector":
        return _list_vectors(type_.size or 0, constants)
    near = {
        "Float64": lambda: [v for c in _some(constants.numbers) for v in _near_number(c)],
        "Int64": lambda: [v for c in _some(constants.integers) for v in (c, c - 1, c + 1, -c)],
        "Bool": list,
        "String": lambda: [v for c in _some(constants.texts) for v in _near_text(c)],
        "Timestamp": lambda: [
            v for c in _some(constants.instants) for v in _shift(c, (0, -1, 1, -3_600_000_000, 3_600_000_000))
        ],
    }[type_.name]()
    hard = [value for value in VALUES[type_] if value is not None and _is_readable(value)]
    allowed = [value for value in (*_PLAIN[type_.name], *near, *hard) if _fits(value)]
    return [*{_key(value): value for value in allowed}.values(), None]


def _some(values: Mapping[Any, None]) -> list[Any]:
    """At most `MOST` of them, spread over all."""
    listed = list(values)
    step = max(1, math.ceil(len(listed) / MOST))
    return listed[::step]


def _near_number(value: float) -> tuple[float, ...]:
    below, above = math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
    return tuple(v for v in (value, below, above, value - 1, value + 1, -value) if math.isfinite(v))


def _near_text(text: str) -> tuple[str, ...]:
    changed = (text, text.upper(), text.lower(), f" {text} ", f"{text}x", f"x{text}")
    return tuple(item for item in changed if len(item) <= LONGEST_TEXT)


def _shift(instant: datetime, offsets: Iterable[int]) -> list[datetime]:
    moments = [(instant - EPOCH) // _MICROSECOND + offset for offset in offsets]
    return [EPOCH + timedelta(microseconds=m) for m in moments if TIMESTAMP_MIN <= m <= TIMESTAMP_MAX]


def _list_vectors(size: int, constants: _Constants) -> list[Any]:
    rising = [float(place) for place in range(size)]
    same = [[value] * size for value in (1.0, 2.0, -1.0, *_some(constants.numbers)[:8])]
    return [[0.0] * size, *same, rising, [1.0 / (place + 1) - 0.5 for place in range(size)], [1e200] * size, None]


def _is_readable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, str) or len(value) <= LONGEST_TEXT


def _fits(value: Any) -> bool:
    return type(value) is not int or INT64_MIN <= value <= INT64_MAX


def _key(value: Any) -> tuple[str, str]:
    return type(value).__name__, repr(value)
