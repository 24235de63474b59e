"""Expressions: what a feature's function builds.

Every operator is a method of an expression; applying one checks types, units and parameters at once, so that a wrong
declaration fails where it is written.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NoReturn, TypeVar

from skewcheck.errors import DeclarationError
from skewcheck.language import terms
from skewcheck.language.constants import microseconds_since_1970, plain_constant
from skewcheck.language.graph import walk_graph
from skewcheck.language.operator import REGISTRY, Fitted, FittedOperator, Operator
from skewcheck.language.terms import Term
from skewcheck.language.types import (
    BOOL,
    FLOAT64,
    INT64,
    STRING,
    TIMESTAMP,
    Type,
)
from skewcheck.language.units import same_dimension

OperatorClass = TypeVar("OperatorClass", bound=type[Operator])

LONGEST_SHOWN = 80
"""Characters of an expression in a message."""


def operator(cls: OperatorClass) -> OperatorClass:
    """Register an operator and make it a method of every expression."""
    if cls.name in REGISTRY:
        raise ValueError(f"two operators are called {cls.name}")
    REGISTRY[cls.name] = cls

    def method(self: Expression, *arguments: Any, **parameters: Any) -> Expression:
        return apply(cls, self, *arguments, **parameters)

    method.__name__ = cls.name
    method.__doc__ = cls.__doc__
    if not hasattr(Expression, cls.name):
        setattr(Expression, cls.name, method)
    return cls


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A typed, immutable value that a feature's function builds from columns.

    It stands for the value of every row, so it has no truth value in Python: use `sk.when(...)`, `&`, `|` and `~`.
    """

    operator: Operator
    operands: tuple[Expression, ...]
    type: Type
    unit: str | None = None

    def __str__(self) -> str:
        return render(self)

    def __repr__(self) -> str:
        return f"<{render(self)}: {self.type}{f' in {self.unit}' if self.unit else ''}>"

    def __getattr__(self, name: str) -> Callable[..., Expression]:
        if name.startswith("__"):
            raise AttributeError(name)
        near = difflib.get_close_matches(name, REGISTRY, n=1)
        raise DeclarationError(
            f"there is no operator {name!r}",
            remedy=f"Did you mean {near[0]!r}?" if near else f"The operators are: {', '.join(sorted(REGISTRY))}.",
        )

    def _refuse_truth(self) -> NoReturn:
        raise DeclarationError(
            f"`{self}` has no truth value while a feature is declared: it stands for every row at once",
            remedy="Use sk.when(condition).then(a).otherwise(b) for `if`, and & | ~ for `and`, `or`, `not`; "
            "write a < b < c as (a < b) & (b < c).",
        )

    def __bool__(self) -> bool:
        self._refuse_truth()

    def __iter__(self) -> NoReturn:
        raise DeclarationError(f"`{self}` is one value, not a sequence", remedy="Use its operators instead of a loop.")

    def __float__(self) -> float:
        raise DeclarationError(
            f"`{self}` is not a number yet: it stands for every row",
            remedy="Use its operators, such as x.log1p().",
        )

    def __hash__(self) -> int:
        return id(self)

    def __add__(self, other: Any) -> Expression:
        return apply(REGISTRY["add"], self, other)

    def __radd__(self, other: Any) -> Expression:
        return apply(REGISTRY["add"], other, self)

    def __sub__(self, other: Any) -> Expression:
        return apply(_subtraction(self), self, other)

    def __rsub__(self, other: Any) -> Expression:
        return apply(_subtraction(self), other, self)

    def __mul__(self, other: Any) -> Expression:
        return apply(REGISTRY["multiply"], self, other)

    def __rmul__(self, other: Any) -> Expression:
        return apply(REGISTRY["multiply"], other, self)

    def __truediv__(self, other: Any) -> Expression:
        return apply(REGISTRY["divide"], self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return apply(REGISTRY["divide"], other, self)

    def __floordiv__(self, other: Any) -> Expression:
        return apply(REGISTRY["floor_divide"], self, other)

    def __rfloordiv__(self, other: Any) -> Expression:
        return apply(REGISTRY["floor_divide"], other, self)

    def __mod__(self, other: Any) -> Expression:
        return apply(REGISTRY["modulo"], self, other)

    def __rmod__(self, other: Any) -> Expression:
        return apply(REGISTRY["modulo"], other, self)

    def __pow__(self, other: Any) -> Expression:
        return apply(REGISTRY["power"], self, other)

    def __rpow__(self, other: Any) -> Expression:
        return apply(REGISTRY["power"], other, self)

    def __neg__(self) -> Expression:
        return apply(REGISTRY["negate"], self)

    def __abs__(self) -> Expression:
        return apply(REGISTRY["abs"], self)

    def __eq__(self, other: object) -> Expression:  # type: ignore[override]
        return apply(REGISTRY["equals"], self, other)

    def __ne__(self, other: object) -> Expression:  # type: ignore[override]
        return apply(REGISTRY["differs"], self, other)

    def __lt__(self, other: Any) -> Expression:
        return apply(REGISTRY["less"], self, other)

    def __le__(self, other: Any) -> Expression:
        return apply(REGISTRY["at_most"], self, other)

    def __gt__(self, other: Any) -> Expression:
        return apply(REGISTRY["greater"], self, other)

    def __ge__(self, other: Any) -> Expression:
        return apply(REGISTRY["at_least"], self, other)

    def __and__(self, other: Any) -> Expression:
        return apply(REGISTRY["both"], self, other)

    def __rand__(self, other: Any) -> Expression:
        return apply(REGISTRY["both"], other, self)

    def __or__(self, other: Any) -> Expression:
        return apply(REGISTRY["either"], self, other)

    def __ror__(self, other: Any) -> Expression:
        return apply(REGISTRY["either"], other, self)

    def __invert__(self) -> Expression:
        return apply(REGISTRY["negation"], self)


@dataclass(frozen=True)
class Column(Operator):
    """A column of a source."""

    column: str
    type: Type
    name: ClassVar[str] = "column"
    group: ClassVar[str] = "source"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ()

    def expand(self) -> Term:
        """The column's value."""
        return terms.column(self.column, self.type)


@dataclass(frozen=True)
class Constant(Operator):
    """A constant; None with a type is the missing value of that type."""

    value: Any
    type: Type
    name: ClassVar[str] = "constant"
    group: ClassVar[str] = "source"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ()

    def expand(self) -> Term:
        """The constant."""
        if self.value is None:
            return terms.missing(self.type)
        if self.type == TIMESTAMP:
            return terms.call("instant", terms.literal(microseconds_since_1970(self.value)))
        return terms.literal(self.value)


def constant(value: Any, like: Type | None = None) -> Expression:
    """A Python value as an expression; an int beside a Float64 operand is meant as a Float64.

    Raises:
        DeclarationError: The value is of no type of the language, or outside its range.
    """
    plain = plain_constant(value)
    if like == FLOAT64 and type(plain) is int:
        plain = float(plain)
    type_ = {bool: BOOL, int: INT64, float: FLOAT64, str: STRING, datetime: TIMESTAMP}[type(plain)]
    return Expression(Constant(plain, type_), (), type_)


def apply(cls: type[Operator], *arguments: Any, **parameters: Any) -> Expression:
    """An operator applied to operands (expressions or constants), followed by its parameters.

    Raises:
        DeclarationError: An operand's type or unit, the number of operands, or a parameter is not what it takes.
    """
    operands, rest = _split_arguments(cls, arguments)
    try:
        chosen = cls(*rest, **parameters)
        chosen.check()
    except (TypeError, ValueError) as error:
        reason = str(error).replace("__init__()", "").replace(f"{cls.__name__}.", "").strip()
        raise DeclarationError(f"{cls.name}: {reason}", remedy=_summarize(cls)) from error
    like = next((operand.type for operand in operands if isinstance(operand, Expression)), None)
    if any(isinstance(operand, float) and not isinstance(operand, bool) for operand in operands) and like == INT64:
        like = FLOAT64
    expressions = [operand if isinstance(operand, Expression) else constant(operand, like) for operand in operands]
    if len({expression.type for expression in expressions} & {FLOAT64, INT64}) == 2 and _mixes(cls):
        expressions = [widen(expression) for expression in expressions]
    typed = [
        _accept(cls, expression, cls.takes[min(position, len(cls.takes) - 1)])
        for position, expression in enumerate(expressions)
    ]
    try:
        if cls.same_unit:
            _check_same_unit(typed)
        units = [expression.unit for expression in typed]
        chosen = chosen.bind(*units)
        unit = chosen.result_unit(*units)
        type_ = chosen.result_type(*(expression.type for expression in typed))
    except ValueError as error:
        raise DeclarationError(f"{cls.name}: {error}", remedy=_unit_remedy(typed) or _summarize(cls)) from error
    return Expression(chosen, tuple(typed), type_, unit)


def _subtraction(operand: Expression) -> type[Operator]:
    """What `-` means: the difference of instants is a duration."""
    return REGISTRY["seconds_since" if operand.type == TIMESTAMP else "subtract"]


def _split_arguments(cls: type[Operator], arguments: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Operands come first; a variadic operator takes every positional argument as an operand."""
    count = len(arguments) if cls.variadic else len(cls.takes)
    if len(arguments) < len(cls.takes):
        raise DeclarationError(
            f"{cls.name} takes {len(cls.takes)} values and got {len(arguments)}",
            remedy=_summarize(cls),
        )
    return arguments[:count], arguments[count:]


def _mixes(cls: type[Operator]) -> bool:
    """Whether the operands are numbers that must be of one type."""
    return any(FLOAT64 in accepted and INT64 in accepted for accepted in cls.takes)


def widen(expression: Expression) -> Expression:
    """An Int64 expression as Float64; any other expression as it is."""
    if expression.type != INT64:
        return expression
    if isinstance(expression.operator, Constant):
        return Expression(Constant(float(expression.operator.value), FLOAT64), (), FLOAT64)
    return Expression(REGISTRY["to_float"](), (expression,), FLOAT64, expression.unit)


def _accept(cls: type[Operator], expression: Expression, accepted: tuple[Type, ...]) -> Expression:
    if not accepted or expression.type in accepted or any(kind.name == expression.type.name for kind in accepted):
        return expression
    if expression.type == INT64 and FLOAT64 in accepted:
        return widen(expression)
    wanted = " or ".join(str(kind) for kind in accepted)
    raise DeclarationError(
        f"{cls.name} takes {wanted}, and `{_shorten(str(expression))}` is {expression.type}",
        remedy=_type_remedy(expression.type, accepted),
    )


def _shorten(text: str) -> str:
    """What a message can hold of an expression, whose look-up tables may be long."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _type_remedy(found: Type, accepted: tuple[Type, ...]) -> str:
    if found == BOOL and FLOAT64 in accepted:
        return "Turn it into a number with .to_number()."
    if found == TIMESTAMP and FLOAT64 in accepted:
        return "Take a part of it first, such as .hour(), or the seconds between two instants: x - y."
    return "Convert it first, or read another column."


def _check_same_unit(operands: Sequence[Expression]) -> None:
    stated = [operand for operand in operands if operand.unit is not None]
    for operand in stated[1:]:
        if operand.unit != stated[0].unit:
            raise ValueError(
                f"`{_shorten(str(stated[0]))}` is in {stated[0].unit} and `{_shorten(str(operand))}` in {operand.unit}"
            )


def _unit_remedy(operands: Sequence[Expression]) -> str | None:
    units = [operand.unit for operand in operands if operand.unit is not None]
    if len(units) == 2 and same_dimension(*units):
        return f'Convert one of them first: .to("{units[0]}").'
    return "These do not measure the same thing; combine values of one dimension." if len(units) == 2 else None


def _summarize(cls: type[Operator]) -> str:
    """What an operator is, for somebody who used it wrongly."""
    return f"{cls.name}: {(cls.__doc__ or '').partition(chr(10))[0]}"


def render(expression: Expression) -> str:
    """The expression as its author could have written it; equal text means an equal expression."""
    texts: dict[int, str] = {}
    for node in walk(expression):
        texts[id(node)] = _render_node(node.operator, [texts[id(operand)] for operand in node.operands])
    return texts[id(expression)]


def _render_node(chosen: Operator, operands: Sequence[str]) -> str:
    if isinstance(chosen, Column):
        return chosen.column
    if isinstance(chosen, Constant):
        return f"missing({str(chosen.type)!r})" if chosen.value is None else repr(chosen.value)
    if chosen.called is not None:
        return f"{chosen.called}({', '.join(operands)})"
    if chosen.symbol is not None:
        return f"({chosen.symbol}{operands[0]})" if len(operands) == 1 else f"({f' {chosen.symbol} '.join(operands)})"
    parameters = [
        f"{field.name}={getattr(chosen, field.name)!r}"
        for field in dataclasses.fields(chosen)
        if field.default is dataclasses.MISSING or getattr(chosen, field.name) != field.default
    ]
    return f"{operands[0]}.{chosen.name}({', '.join([*operands[1:], *parameters])})"


def key_of(expression: Expression) -> str:
    """The name under which the state keeps an operator's statistics: the expression itself."""
    return render(expression)


def expand(expression: Expression, state: dict[str, dict[str, Any]] | None) -> Term:
    """The expression in primitives, with the statistics of a state, or with placeholders where that is None.

    Raises:
        KeyError: The state lacks an operator's statistics.
    """
    memo: dict[int, Term] = {}
    for node in walk(expression):
        operands = [memo[id(operand)] for operand in node.operands]
        if isinstance(node.operator, FittedOperator):
            key = key_of(node)
            fitted = Fitted(key, node.operator.statistics(), None if state is None else state[key])
            memo[id(node)] = node.operator.expand_fitted(fitted, *operands)
        else:
            memo[id(node)] = node.operator.expand(*operands)
    return memo[id(expression)]


def fitted_nodes(expression: Expression) -> list[tuple[Expression, FittedOperator]]:
    """The nodes of the expression that are fitted, with their operators, operands before the nodes that read them."""
    return [(node, node.operator) for node in walk(expression) if isinstance(node.operator, FittedOperator)]


def walk(expression: Expression) -> list[Expression]:
    """Every node of the expression once, operands before the nodes that read them."""
    return walk_graph([expression], lambda node: node.operands)
