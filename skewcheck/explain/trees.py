"""A feature's expression with its statistics in it, and how to change it (room: explain).

A node is named by the text that its author could have written for it. The names stay when something below or above the
node changes, so that several changes can be made one after another.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from skewcheck.errors import DeclarationError
from skewcheck.language.expressions import Column, Constant, Expression, expand, render, walk, widen
from skewcheck.language.opaque import OpaqueCall
from skewcheck.language.operator import REGISTRY, Fitted, FittedOperator, Operator
from skewcheck.language.terms import Term, finite
from skewcheck.language.types import FLOAT64, INT64, Type

Build = Callable[[Expression], Expression]
"""Makes of a node what is to stand in its place."""


class InapplicableError(ValueError):
    """A change that does not fit the types around it."""


@dataclass(frozen=True, eq=False)
class Frozen(Operator):
    """A fitted operator with its statistics."""

    inner: FittedOperator
    key: str
    values: Mapping[str, Any]
    name: ClassVar[str] = "frozen"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ()

    def result_type(self, *types: Type) -> Type:
        """The fitted operator's."""
        return self.inner.result_type(*types)

    def expand(self, *operands: Term, **_: Any) -> Term:
        """The fitted operator's expansion, with the statistics as constants."""
        return self.inner.expand_fitted(Fitted(self.key, self.inner.statistics(), dict(self.values)), *operands)


@dataclass(frozen=True, eq=False)
class Tree:
    """An expression whose fitted operators are frozen.

    Attributes:
        root: The expression.
        texts: The text of every node that was declared, by the node's id.
    """

    root: Expression
    texts: Mapping[int, str]

    def nodes(self) -> list[tuple[str, Expression]]:
        """The declared nodes with their texts, operands before what reads them."""
        return [(self.texts[id(node)], node) for node in walk(self.root) if id(node) in self.texts]

    def find(self, text: str) -> Expression | None:
        """The first node of a text."""
        return next((node for found, node in self.nodes() if found == text), None)

    def count(self, text: str) -> int:
        """How many nodes have a text."""
        return sum(found == text for found, _ in self.nodes())

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads."""
        found = (node.operator.column for node in walk(self.root) if isinstance(node.operator, Column))
        return tuple(dict.fromkeys(found))

    def columns_below(self, text: str) -> frozenset[str]:
        """The columns that a node of a text is computed from."""
        node = self.find(text)
        below = walk(node) if node is not None else []
        return frozenset(one.operator.column for one in below if isinstance(one.operator, Column))

    def term(self) -> Term:
        """The expression in primitives."""
        return finite(expand(self.root, {}))

    def replace(self, text: str, build: Build) -> Tree:
        """The tree with something else in the place of every node of a text.

        Raises:
            InapplicableError: There is no such node, or what is built does not fit.
        """
        memo: dict[int, Expression] = {}
        texts: dict[int, str] = {}
        found = False
        for node in walk(self.root):
            operands = tuple(memo[id(operand)] for operand in node.operands)
            same = all(new is old for new, old in zip(operands, node.operands, strict=True))
            new = node if same else rebuild(node.operator, operands)
            name = self.texts.get(id(node))
            if name is not None:
                texts[id(new)] = name
            if name == text:
                found = True
                built = build(new)
                if all(below is not new for below in walk(built)):
                    texts.setdefault(id(built), text)
                new = built
            memo[id(node)] = new
        if not found:
            raise InapplicableError(f"there is no {text}")
        return Tree(memo[id(self.root)], texts)


def freeze(expression: Expression, state: Mapping[str, Mapping[str, Any]]) -> Tree:
    """An expression with the statistics of a state in it.

    Raises:
        KeyError: The state lacks an operator's statistics.
    """
    memo: dict[int, Expression] = {}
    texts: dict[int, str] = {}
    for node in walk(expression):
        operands = tuple(memo[id(operand)] for operand in node.operands)
        text = render(node)
        operator = (
            Frozen(node.operator, text, state[text]) if isinstance(node.operator, FittedOperator) else node.operator
        )
        memo[id(node)] = Expression(operator, operands, node.type, node.unit)
        texts[id(memo[id(node)])] = text
    return Tree(memo[id(expression)], texts)


def rebuild(operator: Operator, operands: tuple[Expression, ...]) -> Expression:
    """An operator over other operands; an Int64 is widened where only a Float64 fits.

    Raises:
        InapplicableError: The operands are of other types than it takes.
    """
    chosen = operator.inner if isinstance(operator, Frozen) else operator
    if isinstance(operator, OpaqueCall):
        if any(
            str(operand.type) != taken.rstrip("?")
            for operand, taken in zip(operands, operator.definition.takes, strict=True)
        ):
            raise InapplicableError(f"{operator.definition.name} takes other types")
        return Expression(operator, operands, operator.definition.type)
    takes = chosen.takes
    accepted = [takes[min(place, len(takes) - 1)] for place in range(len(operands))] if takes else []
    if {operand.type for operand in operands} >= {FLOAT64, INT64} and any(
        FLOAT64 in kinds and INT64 in kinds for kinds in accepted
    ):
        operands = tuple(widen(operand) for operand in operands)
    fitting = []
    for operand, kinds in zip(operands, accepted, strict=False):
        fits = not kinds or any(operand.type.name == kind.name for kind in kinds)
        if not fits and operand.type == INT64 and FLOAT64 in kinds:
            operand, fits = widen(operand), True
        if not fits:
            raise InapplicableError(f"{chosen.name} does not take {operand.type}")
        fitting.append(operand)
    try:
        type_ = operator.result_type(*(operand.type for operand in fitting))
    except (ValueError, IndexError) as error:
        raise InapplicableError(str(error)) from error
    return Expression(operator, tuple(fitting), type_)


def make(name: str, *operands: Expression, **parameters: Any) -> Expression:
    """An operator by its name, applied to nodes.

    Raises:
        InapplicableError: It does not take them.
    """
    try:
        chosen = REGISTRY[name](**parameters)
        chosen.check()
    except (TypeError, ValueError, DeclarationError) as error:
        raise InapplicableError(str(error)) from error
    return rebuild(chosen, operands)


def number(value: float) -> Expression:
    """A Float64 constant."""
    return Expression(Constant(float(value), FLOAT64), (), FLOAT64)


def with_values(node: Expression, values: Mapping[str, Any]) -> Expression:
    """A frozen node with other statistics in the place of some."""
    if not isinstance(node.operator, Frozen):
        raise InapplicableError("no statistics are frozen here")
    return dataclasses.replace(
        node, operator=dataclasses.replace(node.operator, values={**node.operator.values, **values})
    )


def with_parameters(node: Expression, **parameters: Any) -> Expression:
    """A node with other constant parameters of its operator.

    Raises:
        InapplicableError: The operator refuses them.
    """
    try:
        chosen = dataclasses.replace(node.operator, **parameters)
        chosen.check()
    except (TypeError, ValueError, DeclarationError) as error:
        raise InapplicableError(str(error)) from error
    return rebuild(chosen, node.operands)
