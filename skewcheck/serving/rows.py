"""From logged requests to Arrow: each value as it was, or no row at all (room: serving)."""

from __future__ import annotations

import numbers
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from skewcheck.serving.schema import LogSchema, arrow_type

if TYPE_CHECKING:
    import pyarrow as pa


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class LoggedRequest(NamedTuple):
    """One row of the log as serving hands it over, not yet checked. None, or an absent name, is missing."""

    request_id: Any
    requested_at: Any
    definition_hash: Any = None
    state_hash: Any = None
    model_version: Any = None
    prediction: Any = None
    keys: Mapping[str, Any] = _NOTHING
    request: Mapping[str, Any] = _NOTHING
    store: Mapping[str, Any] = _NOTHING
    event_times: Mapping[str, Any] = _NOTHING
    statuses: Mapping[str, Any] = _NOTHING
    features: Mapping[str, Any] = _NOTHING


_HOUR = 3_600_000_000
_PREFIXES = {
    "key": "keys",
    "request": "request",
    "store": "store",
    "event_time": "event_times",
    "status": "statuses",
    "feature": "features",
}


@dataclass
class Conversion:
    """Outcome of converting a batch.

    Attributes:
        table: The rows that fit the schema, in their order.
        misfits: How many rows were left out, by the column whose value did not fit.
        example: Why the last one was left out, or None.
        unknown: Values given under a name that the schema lacks, by column; their rows are kept.
    """

    table: pa.Table
    misfits: Counter[str] = field(default_factory=Counter)
    example: str | None = None
    unknown: Counter[str] = field(default_factory=Counter)


class RowConverter:
    """Turns logged requests into Arrow tables of one schema.

    No value is bent to fit: a number that its column cannot hold exactly, text that is not Unicode, a
    timestamp without a time zone, and anything of another kind takes its own row out, and no other. NaN
    stays NaN in Float64 columns and is null in all others, which have no NaN.
    """

    def __init__(self, schema: LogSchema) -> None:
        self._arrow = schema.arrow()
        self._columns = schema.columns()
        self._known = {
            prefix: frozenset(
                column.partition(".")[2] for column in self._columns if column.partition(".")[0] == prefix
            )
            for prefix in _PREFIXES
        }

    def convert(self, rows: list[LoggedRequest], *, host: str, process: int) -> Conversion:
        """Convert a batch; rows that do not fit are left out, counted, and do not disturb the others.

        Args:
            rows: The requests.
            host: Name of the machine that served them all.
            process: Id of the process that served them all.
        """
        import pyarrow as pa

        misfits: dict[int, tuple[str, str]] = {}
        arrays = []
        origin: dict[str, Any] = {"host": host, "process": process}
        for column, kind in self._columns.items():
            values = [origin[column]] * len(rows) if column in origin else _read_values(rows, column)
            array, unfit = _to_array(values, kind)
            arrays.append(array)
            for index, reason in unfit.items():
                misfits.setdefault(index, (column, reason))
            if column == "requested_at" and array.null_count:
                for index, valid in enumerate(array.is_valid().to_pylist()):
                    if not valid:
                        misfits.setdefault(index, (column, "a request without a time cannot be replayed"))
        table = pa.Table.from_arrays(arrays, schema=self._arrow)
        if misfits:
            table = table.filter(pa.array([index not in misfits for index in range(len(rows))]))
        conversion = Conversion(table, Counter(column for column, _ in misfits.values()))
        if misfits:
            column, reason = misfits[max(misfits)]
            conversion.example = f"column {column!r}: {reason}"
        conversion.unknown = self._count_unknown(rows)
        return conversion

    def _count_unknown(self, rows: list[LoggedRequest]) -> Counter[str]:
        unknown: Counter[str] = Counter()
        for prefix, group in _PREFIXES.items():
            known = self._known[prefix]
            for values in map(attrgetter(group), rows):
                if not values.keys() <= known:
                    unknown.update(f"{prefix}.{name}" for name in values.keys() - known)
        return unknown


def _read_values(rows: list[LoggedRequest], column: str) -> list[Any]:
    prefix, dot, name = column.partition(".")
    if not dot:
        return list(map(attrgetter(column), rows))
    return [group.get(name) for group in map(attrgetter(_PREFIXES[prefix]), rows)]


def split_by_hour(table: pa.Table) -> list[tuple[str, pa.Table]]:
    """Split rows by the UTC hour of `requested_at`.

    Returns:
        For each hour its folder, `date=YYYY-MM-DD/hour=HH`, and its rows in their order.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if table.num_rows == 0:
        return []
    times = table.column("requested_at").cast(pa.int64()).to_pylist()
    hours = [time // _HOUR for time in times]
    if len(set(hours)) > 1:
        order = sorted(range(len(hours)), key=hours.__getitem__)
        table = table.take(pa.array(order))
        hours = [hours[index] for index in order]
    starts = [index for index in range(len(hours)) if index == 0 or hours[index] != hours[index - 1]]
    firsts = pc.strftime(
        pa.array([hours[start] * _HOUR for start in starts], pa.timestamp("us")), "date=%Y-%m-%d/hour=%H"
    ).to_pylist()
    ends = [*starts[1:], len(hours)]
    return [(folder, table.slice(start, end - start)) for folder, start, end in zip(firsts, starts, ends, strict=True)]


def _to_array(values: list[Any], kind: str) -> tuple[pa.Array, dict[int, str]]:
    """The values as one Arrow array, null where a value does not fit, and why each of those does not."""
    import pyarrow as pa

    arrow = arrow_type(kind)
    scalar = kind.partition("(")[0]
    try:
        if not set(map(type, values)) <= _EXACT[scalar]:
            values = [None if value is None else _FIT[scalar](value) for value in values]
        return pa.array(values, arrow), {}
    except Exception:  # whatever a foreign object may raise: look at each value by itself
        return _isolate(values, arrow, _FIT[scalar])


def _isolate(values: list[Any], arrow: pa.DataType, fit: Callable[[Any], Any]) -> tuple[pa.Array, dict[int, str]]:
    import pyarrow as pa

    fitted: list[Any] = []
    unfit: dict[int, str] = {}
    for index, value in enumerate(values):
        try:
            candidate = None if value is None else fit(value)
            pa.array([candidate], arrow)
        except Exception as error:
            unfit[index] = f"{_show(value)} does not fit {arrow}: {error}"
            candidate = None
        fitted.append(candidate)
    return pa.array(fitted, arrow), unfit


def _show(value: Any) -> str:
    try:
        text = ascii(value)
    except Exception:
        text = "a value that cannot be shown"
    return f"{text if len(text) <= 60 else text[:60] + '…'} ({type(value).__name__})"


def _fit_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError("a number was expected")
    number = float(value)
    if number != value and value == value:  # an integer between two doubles
        raise ValueError("no double has exactly this value")
    return number


def _fit_integer(value: Any) -> int | None:
    if value != value:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError("a whole number was expected")
    if isinstance(value, numbers.Integral):
        return int(value)
    number = float(value)
    if number != value or not number.is_integer():
        raise ValueError("a whole number was expected")
    return int(number)


def _fit_bool(value: Any) -> bool | None:
    if value != value:
        return None
    if not isinstance(value, bool) and getattr(getattr(value, "dtype", None), "kind", None) != "b":
        raise TypeError("true or false was expected")
    return bool(value)


def _fit_text(value: Any) -> str | None:
    if value != value:
        return None
    if not isinstance(value, str):
        raise TypeError("text was expected")
    return value


def _fit_time(value: Any) -> datetime | None:
    if value != value:
        return None
    if not isinstance(value, datetime) or value.utcoffset() is None:
        raise TypeError("a datetime with a time zone was expected")
    return value


def _fit_vector(value: Any) -> Any:
    if getattr(getattr(value, "dtype", None), "kind", None) in ("f", "i", "u"):
        return value
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise TypeError("a list of numbers was expected")
    items = list(value)
    if set(map(type, items)) <= _EXACT["Float64"]:
        return items
    return [None if item is None else _fit_float(item) for item in items]


_MISSING = type(None)
_EXACT: dict[str, set[type]] = {
    "Float64": {float, int, _MISSING},
    "Int64": {int, _MISSING},
    "Bool": {bool, _MISSING},
    "String": {str, _MISSING},
    "Timestamp": {_MISSING},
    "Vector": {_MISSING},
}
_FIT: dict[str, Callable[[Any], Any]] = {
    "Float64": _fit_float,
    "Int64": _fit_integer,
    "Bool": _fit_bool,
    "String": _fit_text,
    "Timestamp": _fit_time,
    "Vector": _fit_vector,
}
