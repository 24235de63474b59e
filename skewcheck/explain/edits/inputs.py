"""Edits of what is read: another column in the place of one, text in another form (room: explain)."""

from __future__ import annotations

from collections.abc import Iterator

from skewcheck.explain.edits.base import Edit, Setting, about, place_bits
from skewcheck.explain.inverting import is_constant
from skewcheck.explain.trees import Build, make, rebuild
from skewcheck.explain.values.bits import bits_of_choice
from skewcheck.language.expressions import Column, Expression
from skewcheck.language.types import FLOAT64, INT64, STRING, Type

COMMUTE = frozenset({"add", "multiply", "minimum", "maximum", "both", "either", "equals", "differs"})
"""Operators for which the order of two operands does not matter."""


def propose_columns(setting: Setting) -> Iterator[Edit]:
    """Another column of the service in the place of each that is read."""
    for node, text in setting.declared():
        if not isinstance(node.expression.operator, Column):
            continue
        type_ = node.expression.type
        others = [name for name, (kind, _) in setting.types.items() if name != text and _fits(kind, type_)]
        for name in others:
            yield Edit(
                kind="swapped_column",
                target=text,
                build=_read(name, setting.types[name][0]),
                says=f"Serving reads {name} where training reads {text}.",
                fix=f"Read {text} in serving.",
                root=f"column {text}",
                parameters={"serving": name, "declared": text},
                bits=place_bits(setting) + bits_of_choice(len(others)),
                shown=name,
            )


def propose_exchanges(setting: Setting) -> Iterator[Edit]:
    """Two operands of one operator, each in the other's place."""
    for node, text in setting.declared():
        operands = node.expression.operands
        if node.name == "haversine":
            yield from _propose_turned_places(setting, text, operands)
        if len(operands) != 2 or operands[0].type != operands[1].type or node.name in COMMUTE:
            continue
        if any(is_constant(operand) for operand in operands):
            continue
        first, second = (setting.by_id[id(operand)].text or "an operand" for operand in operands)
        yield Edit(
            kind="swapped_column",
            target=text,
            build=lambda found: rebuild(found.operator, found.operands[::-1]),
            says=f"Serving has {first} and {second} in each other's place in {text}.",
            fix=f"Read {first} and {second} in their places in serving.",
            root=text,
            parameters={"exchanged": [first, second]},
            bits=place_bits(setting),
            shown=f"{text} with {first} and {second} exchanged",
        )


_TURNED = {
    (1, 0, 3, 2): "latitude and longitude of both places",
    (1, 0, 2, 3): "latitude and longitude of the first place",
    (0, 1, 3, 2): "latitude and longitude of the second place",
}
"""For an order of the coordinates of two places what is exchanged in it."""


def _propose_turned_places(setting: Setting, text: str, operands: tuple[Expression, ...]) -> Iterator[Edit]:
    """Latitudes for longitudes."""
    for order, what in _TURNED.items():
        moved = [setting.by_id[id(operands[place])].text or "an operand" for place in order]
        yield Edit(
            kind="swapped_column",
            target=text,
            build=_reorder(order),
            says=f"Serving has the {what} in each other's place in {text}.",
            fix="Give latitude before longitude in serving.",
            root=text,
            parameters={"exchanged": moved},
            bits=place_bits(setting) + bits_of_choice(len(_TURNED)),
            shown=f"{text} of {', '.join(moved)}",
        )


def _reorder(order: tuple[int, ...]) -> Build:
    return lambda found: rebuild(found.operator, tuple(found.operands[place] for place in order))


def propose_text_forms(setting: Setting) -> Iterator[Edit]:
    """Text in lower or upper case, or stripped, where training takes it as it is."""
    for node, text in setting.declared():
        if node.expression.type != STRING or node.name == "constant":
            continue
        for name, what in (
            ("lower", "in lower case"),
            ("upper", "in upper case"),
            ("strip", "without white space around it"),
        ):
            yield Edit(
                kind="normalization_text",
                target=text,
                build=_apply(name),
                says=f"Serving takes {text} {what}; training takes it as it is.",
                fix=f"Take {text} as it is in serving.",
                root=about(node.expression, text),
                parameters={"added": name},
                bits=place_bits(setting) + 1.6,
                shown=f"{text} {what}",
            )


def _fits(kind: Type, wanted: Type) -> bool:
    return kind == wanted or {kind, wanted} == {FLOAT64, INT64}


def _read(name: str, type_: Type) -> Build:
    def build(node: Expression) -> Expression:
        column = Expression(Column(name, type_), (), type_)
        if type_ == node.type:
            return column
        return make("to_float" if node.type == FLOAT64 else "to_integer", column)

    return build


def _apply(name: str) -> Build:
    return lambda node: make(name, node)
