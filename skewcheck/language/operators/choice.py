"""Comparison, logic and choice.

A comparison with a missing value is missing. `&` and `|` follow Kleene: False decides an `&`, True decides an `|`,
whatever is missing beside it. A choice takes its otherwise branch where the condition is False or missing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import ClassVar, cast

from skewcheck.language.expressions import Expression, apply, constant, operator, plain_constant
from skewcheck.language.operator import Example, Operator
from skewcheck.language.terms import Term, call, choose, equal, literal, restrict
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type

COMPARABLE = (FLOAT64, INT64, STRING, TIMESTAMP, BOOL)
ORDERED = (FLOAT64, INT64, STRING, TIMESTAMP)
TRUTH = (BOOL,)


@dataclass(frozen=True)
class _Comparison(Operator):
    """Both sides of one type and in one unit; numbers by value, strings by code point, instants by time."""

    group, gives, same_unit = "choice", BOOL, True
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = (ORDERED, ORDERED)

    def result_type(self, *types: Type) -> Type:
        """Bool, for two values of one type."""
        if types[0] != types[1]:
            raise ValueError(f"compares values of one type, and these are {types[0]} and {types[1]}")
        return BOOL


@operator
@dataclass(frozen=True)
class Equals(_Comparison):
    """Whether two values are equal; missing where either is missing."""

    name, symbol = "equals", "=="
    takes = (COMPARABLE, COMPARABLE)
    examples = (Example(lambda x, y: x == y, (((1.0, 1.0), True), ((0.0, -0.0), True), ((None, 1.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Equality of values."""
        return equal(x, y)


@operator
@dataclass(frozen=True)
class Differs(_Comparison):
    """Whether two values differ; missing where either is missing."""

    name, symbol = "differs", "!="
    takes = (COMPARABLE, COMPARABLE)
    examples = (Example(lambda x, y: x != y, (((1.0, 2.0), True), ((None, None), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Not equal."""
        return ~equal(x, y)


@operator
@dataclass(frozen=True)
class Less(_Comparison):
    """Whether x comes before y; missing where either is missing."""

    name, symbol = "less", "<"
    examples = (Example(lambda x, y: x < y, (((1.0, 2.0), True), ((2.0, 2.0), False), ((None, 2.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return x < y


@operator
@dataclass(frozen=True)
class AtMost(_Comparison):
    """Whether x is y or comes before it; missing where either is missing."""

    name, symbol = "at_most", "<="
    examples = (Example(lambda x, y: x <= y, (((2.0, 2.0), True), ((3.0, 2.0), False), ((3.0, None), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return x <= y


@operator
@dataclass(frozen=True)
class Greater(_Comparison):
    """Whether x comes after y; missing where either is missing."""

    name, symbol = "greater", ">"
    examples = (Example(lambda x, y: x > y, (((2.0, 1.0), True), ((2.0, 2.0), False), ((None, 2.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return y < x


@operator
@dataclass(frozen=True)
class AtLeast(_Comparison):
    """Whether x is y or comes after it; missing where either is missing."""

    name, symbol = "at_least", ">="
    examples = (Example(lambda x, y: x >= y, (((2.0, 2.0), True), ((1.0, 2.0), False), ((None, 2.0), None))),)

    def expand(self, x: Term, y: Term) -> Term:
        """Order of values."""
        return y <= x


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
    """The second value where the condition is True, otherwise the third. Written `sk.when(c).then(a).otherwise(b)`."""

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
    """Whether x is one of the given constants; missing where x is missing."""

    values: tuple[str | int, ...]
    name, group, takes, gives = "is_in", "choice", ((STRING, INT64),), BOOL
    examples = (Example(lambda x: x.is_in(("a", "b")), ((("a",), True), (("c",), False), ((None,), None))),)

    def check(self) -> None:
        """At least one constant, all strings or all whole numbers, none twice."""
        object.__setattr__(self, "values", check_constants("values", self.values))

    def result_type(self, *types: Type) -> Type:
        """Bool, for constants of the operand's type."""
        if constant(self.values[0]).type != types[0]:
            raise ValueError(f"compares with {constant(self.values[0]).type} constants, and the value is {types[0]}")
        return BOOL

    def expand(self, x: Term) -> Term:
        """A look-up whose result does not matter."""
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


@dataclass(frozen=True, slots=True)
class When:
    """The first part of a choice: `sk.when(condition)`."""

    condition: Expression

    def then(self, value: Expression | float | str) -> Then:
        """The value where the condition is True."""
        return Then(self.condition, value)


@dataclass(frozen=True, slots=True)
class Then:
    """A choice that lacks its other branch."""

    condition: Expression
    value: Expression | float | str

    def otherwise(self, value: Expression | float | str) -> Expression:
        """The value where the condition is False or missing."""
        return apply(Choose, self.condition, self.value, value)


def when(condition: Expression) -> When:
    """Begin a choice: `sk.when(condition).then(a).otherwise(b)`."""
    return When(condition)


def check_constants(name: str, values: object) -> tuple[str | int, ...]:
    """A list of distinct strings, or of distinct whole numbers, as a tuple.

    Raises:
        ValueError: It is empty, no list, mixed, of another type, or has a value twice.
        DeclarationError: A value cannot be a constant.
    """
    if not isinstance(values, (tuple, list)) or not values:
        raise ValueError(f"{name} must be a list of at least one constant, and is {values!r}")
    constants = tuple(plain_constant(value) for value in values)
    if {type(value) for value in constants} not in ({str}, {int}):
        raise ValueError(f"{name} must be all strings or all whole numbers, and is {values!r}")
    if twice := [value for value, count in Counter(constants).items() if count > 1]:
        raise ValueError(f"{name} has {', '.join(map(repr, twice))} more than once")
    return cast(tuple[str | int, ...], constants)


def _common_type(left: Type, right: Type) -> Type:
    if left != right:
        raise ValueError(f"needs two values of one type, and these are {left} and {right}")
    return left
