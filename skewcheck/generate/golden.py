"""Golden rows: inputs made from a declaration's own constants, with the values that must come out.

They are built from the constants that the features compare with (edges, categories, table keys) and from the ends of
each type, never from anybody's data, so they can be committed. What is registered counts only once it gives these
values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from skewcheck.errors import OpaqueError
from skewcheck.language.constants import EPOCH
from skewcheck.language.terms import Term, walk
from skewcheck.language.types import Type

ROWS = 24

_TYPICAL: dict[str, tuple[Any, ...]] = {
    "Float64": (None, 0.0, 1.0, -1.0, 0.5, 100.0, 1e-300, 1e300, -273.15),
    "Int64": (None, 0, 1, -1, 7, 1000, 2**53 + 1, -(2**63), 2**63 - 1),
    "Bool": (None, True, False),
    "String": (None, "", "a", " A b\t", "é😀"),
    "Timestamp": (
        None,
        EPOCH,
        datetime(2000, 2, 29, 23, 59, 59, tzinfo=UTC),
        datetime(2013, 3, 10, 6, 59, 59, tzinfo=UTC),
        datetime(2013, 3, 10, 7, tzinfo=UTC),
        datetime(2013, 11, 3, 5, 30, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    ),
}


def make_rows(outputs: Mapping[str, Term]) -> list[dict[str, Any]]:
    """Input rows for the features: the same ones for the same declaration and state."""
    terms = walk(*outputs.values())
    columns = [term for term in terms if term.kind == "column"]
    constants = _constants(terms)
    choices = {column.name: _choices(column.type, constants) for column in columns}
    count = max([ROWS, *(min(len(values), 2 * ROWS) for values in choices.values())], default=ROWS)
    # A different stride for each column, so that values meet in many combinations.
    return [
        {
            name: values[(row * (place + 1) + row // len(values)) % len(values)]
            for place, (name, values) in enumerate(choices.items())
        }
        for row in range(count)
    ]


def compute_rows(
    transform_row: Callable[[Mapping[str, Any]], dict[str, Any]],
    inputs: Sequence[Mapping[str, Any]],
    opaque: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """What a row function gives for input rows.

    Args:
        transform_row: The row function.
        inputs: The rows.
        opaque: For each feature the opaque functions that it calls; these are called once more and compared.

    Raises:
        OpaqueError: One of them raises an error, gives a value of another type, or gives another value the second time.
    """
    try:
        expected = [transform_row(row) for row in inputs]
        again = [transform_row(row) for row in inputs] if any(opaque.values()) else expected
    except Exception as error:
        if not str(error).startswith("opaque function "):
            raise
        raise OpaqueError(
            str(error), remedy="Let it answer for every value of its types, None (-> ... | None) where it cannot."
        ) from error
    for number, name in differing_rows(expected, again):
        raise OpaqueError(
            f"feature {name}: the opaque function {' or '.join(opaque[name])} gives two results for "
            f"{inputs[number]!r}: {expected[number][name]!r} and {again[number][name]!r}",
            remedy="Compute the result from the arguments alone.",
        )
    return expected


def to_json_value(value: Any) -> Any:
    """A golden value as JSON: an instant as ISO 8601 text."""
    return value.isoformat() if isinstance(value, datetime) else value


def from_json_value(value: Any, type_name: str) -> Any:
    """The inverse of `to_json_value`, given the type."""
    return datetime.fromisoformat(value) if type_name == "Timestamp" and value is not None else value


def differing_rows(expected: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]]) -> list[tuple[int, str]]:
    """Row number and feature of every value that is not the expected one, bit for bit (a zero has one value)."""
    return [
        (number, name)
        for number, (left, right) in enumerate(zip(expected, found, strict=True))
        for name in left
        if not same_value(left[name], right[name])
    ]


def same_value(left: Any, right: Any) -> bool:
    """Whether two values are the same one, missing counting as one value and NaN as missing."""
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(same_value(a, b) for a, b in zip(left, right, strict=True))
    left, right = (None if isinstance(v, float) and math.isnan(v) else v for v in (left, right))
    return bool(left == right) and (left is None) == (right is None)


def _constants(terms: Iterable[Term]) -> dict[str, list[Any]]:
    """Literals and table keys by type name."""
    found: dict[str, list[Any]] = {}
    for term in terms:
        if term.kind == "literal" and term.present:
            instant = term.type.name == "Timestamp"
            value = EPOCH + timedelta(microseconds=term.parameter) if instant else term.parameter
            found.setdefault(term.type.name, []).append(value)
        elif term.name == "locate":
            found.setdefault("Float64", []).extend(term.parameter)
        elif term.name == "lookup":
            for key, _ in term.parameter[:8]:
                found.setdefault("String" if isinstance(key, str) else "Int64", []).append(key)
    return found


def _choices(type_: Type, constants: Mapping[str, Sequence[Any]]) -> list[Any]:
    if type_.name == "Vector":
        return _make_vectors(type_.size or 0)
    values = list(_TYPICAL[type_.name])
    for constant in constants.get(type_.name, ())[:16]:
        values.append(constant)
        if type_.name == "Float64":
            values += [math.nextafter(constant, -math.inf), math.nextafter(constant, math.inf)]
    if type_.name == "Timestamp":
        values += [EPOCH + timedelta(days=91 * step, hours=5 * step) for step in range(170, 178)]
    return list({(type(value), repr(value)): value for value in values}.values())


def _make_vectors(size: int) -> list[Any]:
    """A missing vector, one with a missing element, and others along and across each other."""
    rising = [float(place) for place in range(size)]
    return [
        None,
        [*rising[1:], None],
        rising,
        [0.0] * size,
        [1.0] * size,
        [(-1.0) ** place for place in range(size)],
        [1.0 / (place + 1) - 0.5 for place in range(size)],
        [1e200] * size,
    ]
