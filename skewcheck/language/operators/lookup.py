"""Look-up in a table that stands in the declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skewcheck.language.expressions import constant, operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.choice import find_repeated, plain_constants
from skewcheck.language.terms import Term, call, literal, restrict
from skewcheck.language.types import INT64, STRING, Type

Entry = tuple[str | int, Any]


@operator
@dataclass(frozen=True)
class Lookup(Operator):
    """The value that `table` (a dict, or a list of pairs) has for x, and `default` for an x that is not a key of it.

    Keys are strings or whole numbers, values of one type: float, int, str or bool; whole numbers beside floats become
    floats, also as the default. Without a default a value that is not in the table gives missing. A missing x gives
    missing, whatever the default; `fill` says otherwise.
    """

    table: tuple[Entry, ...]
    default: Any = None
    name, group, takes = "lookup", "choice", ((STRING, INT64),)
    examples = (
        Example(
            lambda x: x.lookup({"DE": 0.19, "FR": 0.2}),
            ((("DE",), 0.19), (("FR",), 0.2), (("fr",), None), (("",), None), ((None,), None)),
        ),
        Example(
            lambda x: x.lookup({1: 10, 2: 20.5}, default=0),
            (((1,), 10.0), ((2,), 20.5), ((3,), 0.0), ((None,), None)),
        ),
        Example(lambda x: x.lookup({"b": "B", "c": "C"}, "?"), ((("b",), "B"), (("z",), "?"), ((None,), None))),
        Example(lambda x: x.lookup({"x": True, "y": False}), ((("x",), True), (("y",), False), ((None,), None))),
    )

    def check(self) -> None:
        """At least one entry, distinct keys of one type, values and default of one type; kept in the order of keys."""
        entries = _read_entries(self.table)
        keys = _of_one_type("the keys of the table", [key for key, _ in entries])
        if type(keys[0]) not in {str, int}:
            raise ValueError(f"the keys of the table must be strings or whole numbers, and one is {keys[0]!r}")
        if repeated := find_repeated(keys):
            raise ValueError(f"the table has {repeated} more than once")
        values = [value for _, value in entries]
        if any(value is None for value in values):
            raise ValueError(
                "None is no value of the table: leave its key out, and what is not in the table is missing"
            )
        defaults = [] if self.default is None else [self.default]
        plain = _of_one_type("the values of the table, with the default,", [*values, *defaults])
        if type(plain[0]) not in {bool, int, float, str}:
            raise ValueError(f"the values of the table must be float, int, str or bool, and one is {plain[0]!r}")
        object.__setattr__(self, "table", tuple(sorted(zip(keys, plain, strict=False), key=lambda entry: entry[0])))
        object.__setattr__(self, "default", plain[-1] if defaults else None)

    def result_type(self, *types: Type) -> Type:
        """The type of the values, for keys of the operand's type."""
        kind = constant(self.table[0][0]).type
        if kind != types[0]:
            raise ValueError(f"the keys of the table are {kind}, and the value is {types[0]}")
        return constant(self.table[0][1]).type

    def expand(self, x: Term) -> Term:
        """A look-up; the default where it finds nothing, but only for an x that is there."""
        found = call("lookup", x, parameter=self.table)
        if self.default is None:
            return found
        return restrict(call("coalesce", found, literal(self.default)), ~call("is_missing", x))


def _read_entries(table: object) -> list[Entry]:
    """The entries of a dict or a list of pairs.

    Raises:
        TypeError: It is neither.
        ValueError: It has no entry, or one that is no pair.
    """
    pairs = table.items() if isinstance(table, Mapping) else table
    if isinstance(pairs, (str, bytes)) or not isinstance(pairs, Iterable):
        raise TypeError(f"the table must be a dict or a list of (key, value) pairs, and is {table!r}")
    entries = list(pairs)
    if not entries:
        raise ValueError("the table must have at least one entry, and has none")
    if broken := [entry for entry in entries if not isinstance(entry, (tuple, list)) or len(entry) != 2]:
        raise ValueError(f"the table must be a dict or a list of (key, value) pairs, and one entry is {broken[0]!r}")
    return [(key, value) for key, value in entries]


def _of_one_type(name: str, values: Iterable[Any]) -> tuple[Any, ...]:
    constants = plain_constants(values)
    kinds = sorted({type(value).__name__ for value in constants})
    if len(kinds) > 1:
        raise ValueError(f"{name} must be of one type, and has {' and '.join(kinds)}")
    return constants
