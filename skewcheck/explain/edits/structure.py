"""Edits of which operators there are and in which order (room: explain)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from skewcheck.explain.edits.base import KINDS, Edit, Setting, about, place_bits, say_value
from skewcheck.explain.edits.missing import literal_of
from skewcheck.explain.inverting import Node, is_constant
from skewcheck.explain.trees import Build, Frozen, InapplicableError, make, number, rebuild
from skewcheck.explain.values.bits import bits_of_choice, bits_of_constant
from skewcheck.language.expressions import Constant, Expression
from skewcheck.language.types import BOOL, FLOAT64, INT64, Type

ADDED = ("log1p", "log", "log10", "log2", "exp", "expm1", "sqrt", "abs", "negate", "sigmoid", "tanh")
"""Functions of one number that serving may apply once more."""

FEWEST_ALIKE = 3
"""Rows that must have one value for it to be looked at."""

COMMON = 0.2
"""And the share of them."""

UNLIKELY = 8.0
"""Bits by which it is less likely that serving computes nothing than that it computes otherwise."""

GIVES = "instead"
"""The parameter that says that a constant stands for the whole feature."""

_DROPPED = {
    "fill": "default",
    "impute": "default",
    "impute_mode": "default",
    "clip": "clip",
    "winsorize": "clip",
    "to": "unit",
    "round": "rounding",
    "floor": "rounding",
    "ceil": "rounding",
    "to_integer": "cast",
    "lower": "normalization_text",
    "upper": "normalization_text",
    "strip": "normalization_text",
}
"""What it is called when an operator is left out, where that has a name of its own."""


def propose_dropped(setting: Setting) -> Iterator[Edit]:
    """Every operator left out, so that one of its operands stands in its place."""
    for node, text in setting.declared():
        for place, operand in enumerate(node.expression.operands):
            below = setting.by_id.get(id(operand))
            if below is None or is_constant(operand) or node.name == "to_float" or (place and node.name == "choose"):
                continue
            frozen = isinstance(node.expression.operator, Frozen)
            kind = _DROPPED.get(node.name) or ("statistics_missing" if frozen else "operator_dropped")
            kept = below.text or "its operand"
            why = "as if its statistics were missing" if kind == "statistics_missing" else f"without {node.name}"
            yield Edit(
                kind=kind,
                target=text,
                build=_keep(place),
                says=f"Serving has {kept} where training has {text}: {why}.",
                fix=f"Load {setting.state} in serving."
                if frozen
                else f"Apply {node.name} in serving as training does.",
                root=f"statistics of {text}" if kind == "statistics_missing" else text,
                parameters={"dropped": node.name, "serving": kept, "declared": text},
                bits=place_bits(setting),
                shown=kept,
            )


def propose_added(setting: Setting) -> Iterator[Edit]:
    """A function of one number applied where training applies none."""
    for node, text in setting.declared():
        if node.expression.type == BOOL and not is_constant(node.expression):
            yield _added(setting, node, text, "negation")
        if node.expression.type not in (FLOAT64, INT64) or is_constant(node.expression) or node.name == "to_float":
            continue
        for name in ADDED:
            yield _added(setting, node, text, name)


def _added(setting: Setting, node: Node, text: str, name: str) -> Edit:
    return Edit(
        kind="operator_added",
        target=text,
        build=lambda found: make(name, found),
        says=f"Serving applies {name} to {text}; training does not.",
        fix=f"Leave {name} out in serving.",
        root=about(node.expression, text),
        parameters={"added": name},
        bits=place_bits(setting) + bits_of_choice(len(ADDED)),
        shown=f"{name} of {text}",
    )


def propose_order(setting: Setting) -> Iterator[Edit]:
    """Two operators that follow each other, the other way round."""
    for node, text in setting.declared():
        if node.name == "choose":
            yield from _propose_conditions(setting, node, text)
        below = setting.operand(node)
        if below is None or below.text is None or not _is_chain(node) or not _is_chain(below):
            continue
        if "to_float" in (node.name, below.name):
            continue
        yield Edit(
            kind="operator_order",
            target=text,
            build=_swap,
            says=f"Serving applies {node.name} before {below.name} in {text}; training after it.",
            fix=f"Apply {below.name} first in serving.",
            root=text,
            parameters={"serving": [node.name, below.name], "declared": [below.name, node.name]},
            bits=place_bits(setting) + 1.0,
            shown=f"{below.name} of {node.name}",
        )


def _propose_conditions(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    """Conditions of one choice that are asked in another order: one of them earlier or later than training asks it."""
    parent = node.parent
    if parent is not None and parent.operator.name == "choose" and parent.operands[2] is node.expression:
        return  # they belong to the choice above
    count = len(_list_conditions(node.expression)) - 1
    for taken in range(count):
        for put in range(count):
            if put in (taken, taken - 1):
                continue  # next to each other, the later one moved up is the earlier one moved down
            yield Edit(
                kind="operator_order",
                target=text,
                build=_move_condition(taken, put),
                says=f"Serving asks condition {taken + 1} of {text} in place {put + 1}.",
                fix="Ask the conditions in training's order in serving.",
                root=text,
                parameters={"condition": taken + 1, "serving": put + 1, "declared": taken + 1},
                bits=place_bits(setting) + bits_of_choice(count * count),
                shown=f"{text}, condition {taken + 1} in place {put + 1}",
            )


def _list_conditions(node: Expression) -> list[tuple[Expression, ...]]:
    """The conditions of a choice with their values, and what is left where none holds."""
    found: list[tuple[Expression, ...]] = []
    while node.operator.name == "choose":
        found.append(node.operands[:2])
        node = node.operands[2]
    return [*found, (node,)]


def _move_condition(taken: int, put: int) -> Build:
    def build(node: Expression) -> Expression:
        *conditions, (made,) = _list_conditions(node)
        conditions.insert(put, conditions.pop(taken))
        for condition, value in reversed(conditions):
            made = make("choose", condition, value, made)
        return made

    return build


def propose_constant_result(setting: Setting) -> Iterator[Edit]:
    """None at all for every request, or one value: that which most of the rows that are asked about have."""
    root = setting.nodes[-1]
    if root.text is None:
        return
    asked = setting.served.take(setting.asked)
    if asked.missing.all():
        yield Edit(
            kind="not_served",
            target=root.text,
            build=_lose_all,
            says="Serving has no value for the feature.",
            fix="Serve the feature.",
            root=root.text,
            parameters={"serving": None},
            bits=place_bits(setting),
            shown="missing",
        )
        return
    value, count = Counter(asked.listed()).most_common(1)[0]
    if value is None or count < max(FEWEST_ALIKE, COMMON * len(asked)):
        return
    kinds = len(set(setting.served.listed()))
    yield Edit(
        kind="constant",
        target=root.text,
        build=lambda node: _write_constant(value, node.type),
        says=f"Serving gives {say_value(value)} whatever it is given.",
        fix="Serve what training computes.",
        root=root.text,
        parameters={"serving": list(value) if isinstance(value, tuple) else value, GIVES: True},
        bits=bits_of_choice(KINDS) + min(bits_of_constant(value), bits_of_choice(kinds)) + UNLIKELY,
        shown=say_value(value),
        discreet="Serving gives one value whatever it is given." if isinstance(value, str) else "",
    )


def _write_constant(value: Any, type_: Type) -> Expression:
    if isinstance(value, tuple):
        return make("pack", *map(number, value))
    return literal_of(value, type_)


def _is_chain(node: Node) -> bool:
    """Whether a node changes one value, all else in it being constant."""
    operands = node.expression.operands
    return bool(operands) and not is_constant(operands[0]) and all(is_constant(other) for other in operands[1:])


def _keep(place: int) -> Build:
    def build(node: Expression) -> Expression:
        kept = node.operands[place]
        if kept.type == node.type:
            return kept
        if kept.type == BOOL and node.type == FLOAT64:
            return make("to_number", kept)
        if {kept.type, node.type} <= {FLOAT64, INT64}:
            return make("to_float" if kept.type == INT64 else "to_integer", kept)
        raise InapplicableError(f"{kept.type} is not {node.type}")

    return build


def _swap(node: Expression) -> Expression:
    below = node.operands[0]
    first = rebuild(node.operator, (below.operands[0], *node.operands[1:]))
    return rebuild(below.operator, (first, *below.operands[1:]))


def _lose_all(node: Expression) -> Expression:
    return Expression(Constant(None, node.type), (), node.type)
