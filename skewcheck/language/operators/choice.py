"""Logic, choice, and what stands in for a missing value.

`&` and `|` follow Kleene: False decides an `&`, True decides an `|`, whatever is missing beside it. A choice takes its
otherwise branch where the condition is False or missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from skewcheck.language.constants import plain_constant
from skewcheck.language.expressions import Expression, apply, constant, operator
from skewcheck.language.operator import Example, Operator
from skewcheck.language.operators.comparison import COMPARABLE
from skewcheck.language.terms import Term, call, choose, equal, literal, restrict
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, Type

TRUTH = (BOOL,)


@operator
@dataclass(frozen=True)
class Both(Operator):
    """x and y: False where either is False, else missing where either is missing."""

    name, group, takes, gives, symbol = "both", "choice", (TRUTH, TRUTH), BOOL, "&"
    examples = (Example(lambda x, y: x & y, (((True, True), True), ((False, None), False), ((None, True), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Kleene's and."""
        return x & y


@operator
@dataclass(frozen=True)
class Either(Operator):
    """x or y: True where either is True, else missing where either is missing."""

    name, group, takes, gives, symbol = "either", "choice", (TRUTH, TRUTH), BOOL, "|"
    examples = (Example(lambda x, y: x | y, (((False, False), False), ((True, None), True), ((None, False), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Kleene's or."""
        return x | y


@operator
@dataclass(frozen=True)
class Negation(Operator):
    """Not x; missing stays missing."""

    name, group, takes, gives, symbol = "negation", "choice", (TRUTH,), BOOL, "~"
    examples = (Example(lambda x: ~x, (((True,), False), ((False,), True), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """The other truth value."""
        return ~x


@operator
@dataclass(frozen=True)
class IsMissing(Operator):
    """Whether the value is missing: True or False, never missing itself."""

    name, group, takes, gives = "is_missing", "choice", ((),), BOOL
    examples = (Example(lambda x: x.is_missing(), (((None,), True), ((0.0,), False))),)

    def expand(self, x: Term) -> Term:
        """The primitive."""
        return call("is_missing", x)


@operator
@dataclass(frozen=True)
class Fill(Operator):
    """x, or the second value where x is missing. Both of one type and in one unit."""

    name, group, takes = "fill", "choice", (COMPARABLE, COMPARABLE)
    keeps_unit = same_unit = True
    examples = (Example(lambda x: x.fill(0.5), (((None,), 0.5), ((2.0,), 2.0))),)

    def result_type(self, *types: Type) -> Type:
        """The common type."""
        return _common_type(*types)

    def expand(self, x: Term, y: Term) -> Term:
        """The first that is there."""
        return call("coalesce", x, y)


@operator
@dataclass(frozen=True)
class Choose(Operator):
    """The second value where the condition is True, otherwise the third. Written `sk.when(c).then(a).otherwise(b)`.

    A missing condition takes the third. Further conditions follow as `.when(d).then(e)`. The values are of one type and
    in one unit.
    """

    name, group, takes = "choose", "choice", (TRUTH, COMPARABLE, COMPARABLE)
    examples = (
        Example(
            lambda c, x, y: when(c).then(x).otherwise(y),
            (
                ((True, 1.0, 2.0), 1.0),
                ((False, 1.0, 2.0), 2.0),
                ((None, 1.0, 2.0), 2.0),
                ((True, None, 2.0), None),
            ),
        ),
        Example(
            lambda c, d, x: when(c).then(x).when(d).then(2).otherwise(-1.0),
            (
                ((True, True, 1.0), 1.0),
                ((False, True, 1.0), 2.0),
                ((None, True, 1.0), 2.0),
                ((False, None, 1.0), -1.0),
                ((None, None, None), -1.0),
            ),
        ),
    )

    def result_type(self, *types: Type) -> Type:
        """The common type of the branches."""
        return _common_type(*types[1:])

    def result_unit(self, *units: str | None) -> str | None:
        """The branches' unit, which must be one."""
        stated = {unit for unit in units[1:] if unit is not None}
        if len(stated) > 1:
            raise ValueError(f"the branches are in {' and '.join(sorted(stated))}")
        return next(iter(stated), None)

    def expand(self, condition: Term, then: Term, otherwise: Term) -> Term:
        """The primitive."""
        return choose(condition, then, otherwise)


@operator
@dataclass(frozen=True)
class IsIn(Operator):
    """Whether x equals one of the given constants, as `==` compares them; missing where x is missing."""

    values: tuple[str | int | float, ...]
    name, group, takes, gives = "is_in", "choice", ((STRING, INT64, FLOAT64),), BOOL
    examples = (
        Example(lambda x: x.is_in(("a", "b")), ((("a",), True), (("c",), False), ((None,), None))),
        Example(lambda x: x.is_in((0, 2.5)), (((-0.0,), True), ((2.5,), True), ((2.0,), False), ((None,), None))),
    )

    def check(self) -> None:
        """At least one constant, all strings or all numbers, none twice."""
        kinds = {str: "strings", int: "numbers", float: "numbers"}
        object.__setattr__(self, "values", _check_distinct("values", self.values, kinds))

    def result_type(self, *types: Type) -> Type:
        """Bool, for constants of the operand's type; whole numbers serve a Float64 too."""
        kind = constant(self.values[0], types[0]).type
        if kind != types[0]:
            raise ValueError(f"compares with {kind} constants, and the value is {types[0]}")
        return BOOL

    def expand(self, x: Term) -> Term:
        """A look-up whose result does not matter; for a Float64 a search for the greatest constant not above it."""
        if x.type == FLOAT64:
            ordered = sorted(float(value) for value in self.values)
            return equal(
                x, call("element", call("locate", x, parameter=tuple(ordered)), parameter=(ordered[0], *ordered))
            )
        found = call("lookup", x, parameter=tuple((value, 1) for value in self.values))
        return restrict(~call("is_missing", found), ~call("is_missing", x))


@operator
@dataclass(frozen=True)
class ToNumber(Operator):
    """1.0 for True, 0.0 for False; missing stays missing."""

    name, group, takes, gives = "to_number", "choice", (TRUTH,), FLOAT64
    examples = (Example(lambda x: x.to_number(), (((True,), 1.0), ((False,), 0.0), ((None,), None))),)

    def expand(self, x: Term) -> Term:
        """A choice of constants."""
        return restrict(choose(x, literal(1.0), literal(0.0)), ~call("is_missing", x))


Value = Expression | bool | int | float | str | datetime
"""What a branch of a choice can be."""


@dataclass(frozen=True, slots=True)
class When:
    """A condition that waits for its value: `sk.when(condition)`."""

    condition: Expression
    earlier: tuple[tuple[Expression, Value], ...] = ()

    def then(self, value: Value) -> Then:
        """The value where the condition is True, and none before it."""
        return Then((*self.earlier, (self.condition, value)))


@dataclass(frozen=True, slots=True, repr=False)
class Then:
    """A choice that lacks its last branch."""

    branches: tuple[tuple[Expression, Value], ...]

    def __repr__(self) -> str:
        return "a choice without its .otherwise(...)"

    def when(self, condition: Expression) -> When:
        """Another condition, which decides where none before it is True."""
        return When(condition, self.branches)

    def otherwise(self, value: Value) -> Expression:
        """The value where no condition is True: each is False or missing."""
        chosen: Any = value
        for condition, branch in reversed(self.branches):
            chosen = apply(Choose, condition, branch, chosen)
        return cast(Expression, chosen)


def when(condition: Expression) -> When:
    """Begin a choice: `sk.when(a).then(x).when(b).then(y).otherwise(z)`. The first condition that is True decides."""
    return When(condition)


def check_constants(name: str, values: object) -> tuple[str | int, ...]:
    """A list of distinct strings, or of distinct whole numbers, as a tuple.

    Raises:
        ValueError: It is empty, no list, mixed, of another type, or has a value twice.
        DeclarationError: A value cannot be a constant.
    """
    return _check_distinct(name, values, {str: "strings", int: "whole numbers"})


def plain_constants(values: Iterable[Any]) -> tuple[Any, ...]:
    """Values as plain constants; whole numbers beside floats become floats.

    Raises:
        DeclarationError: A value cannot be a constant.
    """
    constants: tuple[Any, ...] = tuple(plain_constant(value) for value in values)
    return tuple(map(float, constants)) if {type(value) for value in constants} == {int, float} else constants


def find_repeated(values: Iterable[Any]) -> str:
    """The values that come more than once, for a message; empty where there is none."""
    return ", ".join(repr(value) for value, count in Counter(values).items() if count > 1)


def _check_distinct(name: str, values: object, kinds: dict[type, str]) -> tuple[Any, ...]:
    if not isinstance(values, (tuple, list)) or not values:
        raise ValueError(f"{name} must be a list of at least one constant, and is {values!r}")
    constants = plain_constants(values)
    found = {type(value) for value in constants}
    if len(found) > 1 or not found <= set(kinds):
        raise ValueError(f"{name} must be all {' or all '.join(dict.fromkeys(kinds.values()))}, and is {values!r}")
    if repeated := find_repeated(constants):
        raise ValueError(f"{name} has {repeated} more than once")
    return constants


def _common_type(left: Type, right: Type) -> Type:
    if left != right:
        raise ValueError(f"needs two values of one type, and these are {left} and {right}")
    return left
