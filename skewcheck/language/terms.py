"""Terms: expressions over primitives, the form that engines read.

A term is immutable and *interned*: two terms that are built alike are one object, so a shared subexpression is shared
in memory, is computed once by every engine, and can be compared by identity.

While a term is built two facts are kept that spare engines work and never change a value: whether it can be missing,
and between which bounds an Int64 lies. Where a result that may be infinite or NaN reaches something that could absorb
it (1 / ∞ is 0), a `finite` term is put in between, which turns it into missing. That rule is written here only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from skewcheck.language.graph import walk_graph
from skewcheck.language.primitives import PRIMITIVES, Primitive
from skewcheck.language.types import (
    BOOL,
    FLOAT64,
    INT64,
    INT64_MAX,
    INT64_MIN,
    STRING,
    TIMESTAMP,
    TIMESTAMP_MAX,
    TIMESTAMP_MIN,
    Type,
    vector,
)

Bounds = tuple[int, int]
WHOLE: Bounds = (INT64_MIN, INT64_MAX)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Term:
    """One node.

    Attributes:
        kind: "column", "literal", "statistic" or "call".
        type: The type of its values.
        name: The column's, statistic's or primitive's name; empty for a literal.
        arguments: The terms that a call reads.
        parameter: A literal's value, a statistic's key, a primitive's constant table, otherwise None.
        present: It is never missing.
        finite: A Float64 that is never infinite or NaN.
        bounds: The range of an Int64.
    """

    kind: str
    type: Type
    name: str = ""
    arguments: tuple[Term, ...] = ()
    parameter: Any = None
    present: bool = False
    finite: bool = True
    bounds: Bounds = WHOLE

    @property
    def primitive(self) -> Primitive:
        """The primitive of a call."""
        return PRIMITIVES[self.name]

    def __add__(self, other: Term | float) -> Term:
        return _arithmetic("add", self, other)

    def __sub__(self, other: Term | float) -> Term:
        return _arithmetic("subtract", self, other)

    def __mul__(self, other: Term | float) -> Term:
        return _arithmetic("multiply", self, other)

    def __truediv__(self, other: Term | float) -> Term:
        divisor = _like(self, other)
        return call("quotient" if _is_never_zero(divisor) else "divide", self, divisor)

    def __floordiv__(self, divisor: int) -> Term:
        return call("floor_divide", self, literal(divisor))

    def __mod__(self, divisor: int) -> Term:
        if self.bounds[0] >= 0 and self.bounds[1] < divisor:
            return self
        return call("floor_modulo", self, literal(divisor))

    def __lt__(self, other: Term | float) -> Term:
        return call("less", self, _like(self, other))

    def __le__(self, other: Term | float) -> Term:
        return call("less_or_equal", self, _like(self, other))

    def __gt__(self, other: Term | float) -> Term:
        return call("less", _like(self, other), self)

    def __ge__(self, other: Term | float) -> Term:
        return call("less_or_equal", _like(self, other), self)

    def __and__(self, other: Term) -> Term:
        return call("and", self, other)

    def __or__(self, other: Term) -> Term:
        return call("or", self, other)

    def __invert__(self) -> Term:
        return call("not", self)


_interned: WeakValueDictionary[tuple[Hashable, ...], Term] = WeakValueDictionary()


def _intern(term: Term) -> Term:
    key = (
        term.kind,
        term.type,
        term.name,
        tuple(id(argument) for argument in term.arguments),
        _parameter_key(term.parameter),
        term.finite,
        term.bounds,
    )
    return _interned.setdefault(key, term)


def _parameter_key(parameter: Any) -> Hashable:
    """A key under which 1, 1.0 and True, and 0.0 and -0.0, are different constants."""
    if isinstance(parameter, tuple):
        return tuple(_parameter_key(item) for item in parameter)
    return (type(parameter).__name__, repr(parameter)) if isinstance(parameter, float) else (type(parameter), parameter)


def column(name: str, type_: Type) -> Term:
    """The value of a column, after null, NaN and infinities were read as missing."""
    return _intern(Term("column", type_, name))


def literal(value: bool | int | float | str) -> Term:
    """A constant; a Float64 must be finite."""
    if isinstance(value, bool):
        return _intern(Term("literal", BOOL, parameter=value, present=True))
    if isinstance(value, int):
        return _intern(Term("literal", INT64, parameter=value, present=True, bounds=(value, value)))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a Float64 constant: a Float64 is finite or missing")
        return _intern(Term("literal", FLOAT64, parameter=value, present=True))
    return _intern(Term("literal", STRING, parameter=value, present=True))


def missing(type_: Type) -> Term:
    """The missing value of a type."""
    return _intern(Term("literal", type_))


def statistic(key: str, name: str, type_: Type) -> Term:
    """A statistic that is not known yet: the statistic `name` of the fitted operator `key`."""
    return _intern(Term("statistic", type_, name, parameter=key, present=True))


def call(name: str, *arguments: Term, parameter: Any = None) -> Term:
    """A primitive applied to terms, with `finite` put before every argument that could absorb an infinity.

    Where constants alone decide logic or a choice, the result is what they decide.

    `parameter` is the constant table of `locate` (ascending edges), `interval` (edges, and one value more than
    edges), `element` (values) and `lookup` (key-value pairs), or a hashable placeholder for one that is fitted later.
    """
    primitive = PRIMITIVES[name]
    if primitive.strict and any(argument.kind == "literal" and not argument.present for argument in arguments):
        return missing(_RESULT_TYPES.get(name) or _result_type(name, arguments, parameter))
    checked = tuple(
        argument if argument.finite or position in primitive.keeps_infinity or name == "finite" else finite(argument)
        for position, argument in enumerate(arguments)
    )
    type_ = _RESULT_TYPES.get(name) or _result_type(name, checked, parameter)
    return _decide(name, checked) or _intern(
        Term(
            "call",
            type_,
            name,
            checked,
            parameter,
            present=_is_present(primitive, checked),
            finite=primitive.finite,
            bounds=_bounds(name, checked, parameter) if type_ == INT64 else WHOLE,
        )
    )


def _decide(name: str, arguments: tuple[Term, ...]) -> Term | None:
    """The result where constants alone decide it, otherwise None."""
    first, rest = arguments[0], arguments[1:]
    if name == "is_missing" and (first.present or first.kind == "literal"):
        return literal(not first.present)
    if name == "not" and first.kind == "literal":
        return literal(not first.parameter)
    if name == "instant" and first.kind == "literal" and TIMESTAMP_MIN <= first.parameter <= TIMESTAMP_MAX:
        return _intern(Term("literal", TIMESTAMP, parameter=first.parameter, present=True))
    if name == "coalesce" and (first.present or first.kind == "literal"):
        return first if first.present else rest[0]
    if name == "choose" and first.kind == "literal":
        return rest[0] if first.parameter else rest[1]
    if name == "restrict" and rest[0].kind == "literal":
        return first if rest[0].parameter else missing(first.type)
    if name in {"and", "or"}:
        for constant, other in ((first, rest[0]), (rest[0], first)):
            if constant.kind == "literal" and constant.present:
                return other if constant.parameter == (name == "and") else constant
    return None


def finite(term: Term) -> Term:
    """The term, missing where it is infinite or NaN."""
    return term if term.finite else call("finite", term)


def assume_finite(term: Term) -> Term:
    """The term, for which the caller has proved that it is finite wherever it is present."""
    if term.finite:
        return term
    return _intern(
        Term("call", term.type, term.name, term.arguments, term.parameter, present=term.present, finite=True)
    )


def equal(left: Term, right: Term | float | str) -> Term:
    """Whether two terms have the same value (`==` on terms compares the terms themselves)."""
    return call("equal", left, _like(left, right))


def choose(condition: Term, then: Term, otherwise: Term | float) -> Term:
    """`then` where the condition is True, `otherwise` where it is False or missing."""
    return call("choose", condition, then, _like(then, otherwise))


def restrict(value: Term, condition: Term) -> Term:
    """The value where the condition is True, otherwise missing."""
    return call("restrict", value, condition)


def pack(*elements: Term) -> Term:
    """A vector of Float64 terms."""
    return call("pack", *elements)


def walk(*roots: Term) -> list[Term]:
    """Every term that the roots reach, each once, arguments before the terms that read them."""
    return walk_graph(roots, lambda term: term.arguments)


def rewrite(outputs: Mapping[str, Term], change: Callable[[Term, tuple[Term, ...]], Term | None]) -> dict[str, Term]:
    """The outputs with terms replaced by others of their type, wherever they stand.

    Args:
        outputs: Terms by name.
        change: What replaces a term, of which the rewritten arguments are given too; None where it stays.
    """
    rewritten: dict[int, Term] = {}
    for term in walk(*outputs.values()):
        arguments = tuple(rewritten[id(argument)] for argument in term.arguments)
        changed = change(term, arguments)
        if changed is None and any(one is not other for one, other in zip(arguments, term.arguments, strict=True)):
            changed = replace(term, arguments=arguments)
        rewritten[id(term)] = term if changed is None else _intern(changed)
    return {name: rewritten[id(term)] for name, term in outputs.items()}


def _is_never_zero(term: Term) -> bool:
    """Whether constants alone say that a number is not zero where it is present."""
    if term.name == "coalesce":
        return all(map(_is_never_zero, term.arguments))
    if term.name in {"element", "lookup"} and isinstance(term.parameter, tuple):
        values = term.parameter if term.name == "element" else [value for _, value in term.parameter]
        return all(value != 0 for value in values)
    return term.kind == "literal" and term.present and term.parameter != 0


def _like(term: Term, value: Term | float | str) -> Term:
    """A Python constant as a literal of the type of `term`."""
    if isinstance(value, Term):
        return value
    return literal(float(value) if term.type == FLOAT64 and not isinstance(value, str) else value)


def _arithmetic(name: str, left: Term, other: Term | float) -> Term:
    right = _like(left, other)
    if left.type != INT64:
        return call(name, left, right)
    low, high = _combine(name, left.bounds, right.bounds)
    fits = low >= INT64_MIN and high <= INT64_MAX
    return call(f"integer_{name}" if fits else f"checked_{name}", left, right)


def _combine(name: str, left: Bounds, right: Bounds) -> Bounds:
    function: Callable[[int, int], int] = {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
    }[name]
    corners = [function(a, b) for a in left for b in right]
    return min(corners), max(corners)


def _clamp(value: int) -> int:
    return max(INT64_MIN, min(INT64_MAX, value))


_RESULT_TYPES = {
    **dict.fromkeys(("add", "subtract", "multiply", "divide", "quotient", "square_root", "floor", "absolute"), FLOAT64),
    **dict.fromkeys(("power_of_two", "finite", "to_float"), FLOAT64),
    **dict.fromkeys(("component", "dot"), FLOAT64),
    **dict.fromkeys(("exponent", "locate", "interval", "length", "digest", "microseconds"), INT64),
    **dict.fromkeys(("integer_quotient", "to_integer", "count_item"), INT64),
    **dict.fromkeys(("integer_add", "integer_subtract", "integer_multiply", "floor_divide", "floor_modulo"), INT64),
    **dict.fromkeys(("checked_add", "checked_subtract", "checked_multiply"), INT64),
    **dict.fromkeys(("equal", "less", "less_or_equal", "and", "or", "not", "is_missing"), BOOL),
    **dict.fromkeys(("contains", "starts_with", "ends_with", "matches"), BOOL),
    **dict.fromkeys(("lower", "upper", "strip", "concatenate", "replace", "substring", "part", "extract"), STRING),
    "to_text": STRING,
    "instant": TIMESTAMP,
}


def _result_type(name: str, arguments: tuple[Term, ...], parameter: Any) -> Type:
    if name in {"coalesce", "restrict"}:
        return arguments[0].type
    if name == "choose":
        return arguments[1].type
    if name == "pack":
        return vector(len(arguments))
    if name == "scale_vector":
        return arguments[0].type
    if name == "ngram_counts":
        return vector(arguments[2].parameter)
    if name == "opaque":
        type_: Type = parameter.type
        return type_
    # The table of `element` or `lookup`; one that is fitted later says itself what it holds.
    if not isinstance(parameter, tuple):
        return parameter.type
    return literal(parameter[0] if name == "element" else parameter[0][1]).type


def _is_present(primitive: Primitive, arguments: tuple[Term, ...]) -> bool:
    if primitive.name == "is_missing":
        return True
    if primitive.name == "coalesce":
        return any(argument.present for argument in arguments)
    if primitive.name == "choose":
        return all(argument.present for argument in arguments[1:])
    return not primitive.partial and all(argument.present for argument in arguments)


def _bounds(name: str, arguments: tuple[Term, ...], parameter: Any) -> Bounds:
    """Between which values the Int64 result of a primitive lies."""
    ranges = [argument.bounds for argument in arguments]
    if name == "integer_quotient":
        return WHOLE
    if name.startswith(("integer_", "checked_")):
        low, high = _combine(name.partition("_")[2], *ranges)
        # A sum that can never fit is always missing; any bounds hold for it, as long as they are in order.
        return _clamp(low), _clamp(high)
    if name == "floor_divide":
        divisor = ranges[1][0]
        return ranges[0][0] // divisor, ranges[0][1] // divisor
    if name == "floor_modulo":
        return 0, ranges[1][0] - 1
    if name in {"choose", "coalesce"}:
        branches = ranges[-2:]
        return min(low for low, _ in branches), max(high for _, high in branches)
    if name == "locate" and isinstance(parameter, tuple):
        return 0, len(parameter)
    if name == "interval":
        return min(parameter[1]), max(parameter[1])
    if name == "restrict":
        return ranges[0]
    if name == "lookup" and isinstance(parameter, tuple):
        return min(value for _, value in parameter), max(value for _, value in parameter)
    if name == "element" and isinstance(parameter, tuple):
        return min(parameter), max(parameter)
    fixed = {
        "microseconds": (TIMESTAMP_MIN, TIMESTAMP_MAX),
        "exponent": (-1074, 1024),
        "digest": (0, 2**32 - 1),
        "length": (0, 2**40),
        "count_item": (0, 2**40),
    }
    return fixed.get(name, WHOLE)
