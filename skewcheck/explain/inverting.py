"""What a node would have had to give for serving to give what it gave, all else being as declared (room: explain)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from skewcheck.explain.evaluating import Evaluator
from skewcheck.explain.trees import Frozen, Tree
from skewcheck.explain.values.series import Floats, Series, agree, agree_numbers
from skewcheck.language.expressions import Constant, Expression, expand, walk
from skewcheck.language.terms import finite
from skewcheck.language.units import conversion

Inverse = Callable[[Floats], Floats]

_INVERSES: Mapping[str, Inverse] = {
    "log": np.exp,
    "log2": np.exp2,
    "log10": lambda y: 10.0**y,
    "log1p": np.expm1,
    "exp": np.log,
    "expm1": np.log1p,
    "sqrt": np.square,
    "sigmoid": lambda y: np.log(y / (1.0 - y)),
    "tanh": np.arctanh,
    "negate": np.negative,
    "to_float": lambda y: y,
    "to_number": lambda y: y,
    "negation": lambda y: 1.0 - y,
}

_WHOLE = frozenset({"floor", "ceil", "round"})
"""Operators whose results `to_integer` leaves as they are."""

_BINARY: Mapping[str, tuple[Callable[[Floats, Floats], Floats], Callable[[Floats, Floats], Floats]]] = {
    # For each operator: the first operand from the result and the second, and the second from the result and the first.
    "add": (np.subtract, np.subtract),
    "subtract": (np.add, lambda y, x: x - y),
    "multiply": (np.divide, np.divide),
    "divide": (np.multiply, lambda y, x: x / y),
    "seconds_since": (lambda y, x: x + y * 1e6, lambda y, x: x - y * 1e6),
}

SCALES: Mapping[str, tuple[str | None, str]] = {
    "standardize": ("mean", "std"),
    "min_max": ("minimum", "range"),
    "max_abs": (None, "largest"),
    "robust_scale": ("median", "range"),
}
"""Fitted operators that shift by one statistic and divide by another."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a tree with its values over a sample.

    Attributes:
        text: Its declared text; None for one that a change put in.
        expression: The node.
        values: What it gives.
        required: What it would have had to give, NaN where nothing can be said; None where its value cannot be told
            from what is above it.
        parent: The only node that reads it, None for the root and for one that several read.
    """

    text: str | None
    expression: Expression
    values: Series
    required: Floats | None
    parent: Expression | None

    @property
    def name(self) -> str:
        """The operator's name."""
        operator = self.expression.operator
        return operator.inner.name if isinstance(operator, Frozen) else operator.name


def examine(tree: Tree, served: Series, evaluator: Evaluator) -> list[Node]:
    """Every node of a tree with what it gives and what it would have had to give, operands before what reads them."""
    nodes = walk(tree.root)
    terms = [finite(expand(node, {})) for node in nodes]
    evaluator.keep_parts(terms)
    series = evaluator.evaluate_terms(terms)
    values = {id(node): found for node, found in zip(nodes, series, strict=True) if found is not None}
    uses = Counter(id(operand) for node in nodes for operand in node.operands)
    required: dict[int, Floats] = {}
    if served.kind not in {"String", "Vector"}:
        required[id(tree.root)] = served.numbers()
    required |= _require_conditions(tree.root, served, values)
    parents: dict[int, Expression] = {}
    for node in reversed(nodes):
        for place, operand in enumerate(node.operands):
            if uses[id(operand)] > 1:
                continue
            parents[id(operand)] = node
            if id(node) in required and all(id(below) in values for below in node.operands):
                found = _invert(node, place, required[id(node)], values)
                if found is not None:
                    required[id(operand)] = found
    return [
        Node(tree.texts.get(id(node)), node, values[id(node)], required.get(id(node)), parents.get(id(node)))
        for node in nodes
        if id(node) in values
    ]


def _require_conditions(root: Expression, served: Series, values: Mapping[int, Series]) -> dict[int, Floats]:
    """What the conditions of a choice, or of choices in its branches, would have had to be for what was served."""
    required: dict[int, Floats] = {}
    open_nodes = [(root, np.ones(len(served), dtype=bool))]
    while open_nodes:
        node, asked = open_nodes.pop()
        if node.operator.name != "choose" or any(id(operand) not in values for operand in node.operands):
            continue
        condition, first, second = node.operands
        is_first, is_second = (agree(served, values[id(branch)]) for branch in (first, second))
        required[id(condition)] = np.where(asked & (is_first != is_second), is_first.astype(float), np.nan)
        taken = values[id(condition)].numbers() == 1.0
        open_nodes += [(first, asked & taken), (second, asked & ~taken)]
    return required


def _invert(node: Expression, place: int, wanted: Floats, values: Mapping[int, Series]) -> Floats | None:
    """What the operand at a place would have had to be for the node to give what is wanted."""
    operator = node.operator
    name = operator.inner.name if isinstance(operator, Frozen) else operator.name
    operands = [values[id(operand)] for operand in node.operands]
    with np.errstate(all="ignore"):
        if isinstance(operator, Frozen) and name in SCALES:
            shift, scale = SCALES[name]
            return wanted * operator.values[scale] + (operator.values[shift] if shift else 0.0)
        if name == "to":
            factor, offset = conversion(operator.source, operator.unit)  # type: ignore[attr-defined]
            return (wanted - offset) / factor
        if name == "to_integer":
            return wanted if node.operands[0].operator.name in _WHOLE else None
        if name in _INVERSES:
            return np.asarray(_INVERSES[name](wanted))
        if name in _BINARY:
            return np.asarray(_BINARY[name][place](wanted, operands[1 - place].numbers()))
        if name == "abs":
            return wanted * np.where(operands[0].numbers() < 0, -1.0, 1.0)
        if name in {"fill", "impute"} and place == 0:
            default = values[id(node)].numbers() if name == "impute" else operands[1].numbers()
            return np.where(operands[0].missing & agree_numbers(wanted, default), np.nan, wanted)
        if name == "clip":
            low, high = operator.low, operator.high  # type: ignore[attr-defined]
            return np.where((wanted > low) & (wanted < high), wanted, np.nan)
        if name in {"both", "either"}:
            idle = 1.0 if name == "both" else 0.0
            return np.where(operands[1 - place].numbers() == idle, wanted, np.nan)
        if name == "choose" and place > 0:
            taken = operands[0].numbers() == 1.0
            return np.where(taken if place == 1 else ~taken, wanted, np.nan)
    return None


def is_constant(expression: Expression) -> bool:
    """Whether a node is a constant."""
    return isinstance(expression.operator, Constant)
