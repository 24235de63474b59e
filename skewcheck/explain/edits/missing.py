"""Edits of what stands in for a missing value (room: explain)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, about, place_bits, say_number, say_value
from skewcheck.explain.inverting import Node, is_constant
from skewcheck.explain.trees import Build, Frozen, InapplicableError, make
from skewcheck.explain.values.bits import bits_of_constant
from skewcheck.explain.values.lines import round_shortest
from skewcheck.language.expressions import Constant, Expression
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, Type

USUAL: dict[str, tuple[Any, ...]] = {
    "Float64": (0.0, -1.0, 1.0, -999.0, 999.0),
    "Int64": (0, -1, 1, -999, 999),
    "Bool": (False, True),
    "String": ("", "unknown", "UNKNOWN", "missing", "null", "None", "nan", "NA", "other"),
}
"""What programs put in the place of a missing value, without being asked."""

MOST_SOLVED = 3


def propose_defaults(setting: Setting) -> Iterator[Edit]:
    """Other defaults for a value that is missing, and values that serving takes for a missing one."""
    for node, text in setting.declared():
        if is_constant(node.expression) or node.expression.type.name not in USUAL:
            continue
        gone = setting.asked & node.values.missing
        if gone.any():
            for value in dict.fromkeys([*_solve(setting, node, gone), *USUAL[node.expression.type.name]]):
                yield _default(setting, node, text, value)
        yield from _propose_sentinels(setting, node, text)


def _solve(setting: Setting, node: Node, gone: np.ndarray) -> list[Any]:
    """The values that would have had to stand for the missing one, the most frequent first."""
    if (
        node.expression.operator is setting.tree.root.operator
        and node.parent is None
        and node.expression.type == STRING
    ):
        keys = [
            key for key, here in zip(setting.served.listed(), gone.tolist(), strict=True) if here and key is not None
        ]
        return [value for value, _ in Counter(keys).most_common(MOST_SOLVED)]
    wanted = None if node.required is None else node.required[gone]
    if wanted is None or node.expression.type == STRING:
        return []
    wanted = wanted[np.isfinite(wanted)]
    found = Counter(float(f"{value:.9g}") for value in wanted.tolist())
    values: list[Any] = []
    for near, _ in found.most_common(MOST_SOLVED):
        exact = float(np.median(wanted[np.abs(wanted - near) <= 1e-8 * max(1.0, abs(near))]))
        short = round_shortest(exact)
        if node.expression.type == FLOAT64:
            values.append(0.0 if abs(short) < 1e-12 * max(1.0, node.values.scale) else short)
        elif node.expression.type == INT64 and abs(short - round(short)) < 1e-6:
            values.append(round(short))
        elif node.expression.type == BOOL:
            values.append(bool(round(short)))
    return values


def _default(setting: Setting, node: Node, text: str, value: Any) -> Edit:
    replaced = _declared_default(node)
    instead = f"takes {say_number(replaced)}" if replaced is not None else "leaves it missing"
    shown = say_value(value)
    usual = value in USUAL[node.expression.type.name]
    rank = USUAL[node.expression.type.name].index(value) if usual else 0
    bits = 2.0 + 0.5 * rank if usual else bits_of_constant(value)
    then = f", so that it becomes {say_number(replaced)}" if replaced is not None else ""
    return Edit(
        kind="default",
        target=text,
        build=fill_node(value),
        says=f"Serving takes {shown} for a missing {text}; training {instead}.",
        fix=f"Leave a missing {text} missing in serving{then}.",
        root=about(node.expression, text),
        parameters={"serving": value, "declared": replaced},
        # Nearer to the input is nearer to where programs do it, and explains more features at once.
        bits=place_bits(setting) + bits + 0.1 * _height(setting, node),
        shown=f"{text}, {shown} where missing",
    )


def _declared_default(node: Node) -> Any:
    """What training puts in the place of the node's missing values; None where it leaves them missing."""
    parent = node.parent
    if parent is None or parent.operands[0] is not node.expression:
        return None
    if isinstance(parent.operator, Frozen) and parent.operator.inner.name in {"impute", "impute_mode"}:
        return next(iter(parent.operator.values.values()))
    if parent.operator.name == "fill" and isinstance(parent.operands[1].operator, Constant):
        return parent.operands[1].operator.value
    return None


def _height(setting: Setting, node: Node) -> int:
    return [one.expression is node.expression for one in setting.nodes].index(True)


def _propose_sentinels(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    """A value that serving takes for a missing one: where serving's value is missing, the node always has it."""
    lost = setting.asked & setting.served.missing & node.values.present
    if not lost.any() or node.expression.type.name not in {"Float64", "Int64", "String"}:
        return
    found = Counter(key for key, here in zip(node.values.listed(), lost.tolist(), strict=True) if here)
    value, count = found.most_common(1)[0]
    if count < 0.9 * lost.sum():
        return
    shown = say_value(value)
    yield Edit(
        kind="default",
        target=text,
        build=_lose(value),
        says=f"Serving takes {shown} as {text} for a missing value; training takes it as it is.",
        fix=f"Keep every value of {text} in serving.",
        root=about(node.expression, text),
        parameters={"serving": None, "declared": value},
        discreet=f"Serving takes one value of {text} for a missing value; training takes it as it is.",
        bits=place_bits(setting) + bits_of_constant(value),
        shown=f"{text}, missing where it is {shown}",
    )


def literal_of(value: Any, type_: Type) -> Expression:
    """A constant of a type."""
    return Expression(Constant(float(value) if type_ == FLOAT64 else value, type_), (), type_)


def fill_node(value: Any) -> Build:
    """A node with a constant where it is missing."""
    return lambda node: make("fill", node, literal_of(value, node.type))


def _lose(value: Any) -> Build:
    def build(node: Expression) -> Expression:
        if node.type.name not in USUAL:
            raise InapplicableError(f"{node.type} has no such value")
        missing = Expression(Constant(None, node.type), (), node.type)
        return make("choose", make("equals", node, literal_of(value, node.type)), missing, node)

    return build
