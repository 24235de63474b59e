"""Edits of a constant under a rounding, which the values tell only within bounds (room: explain)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, place_bits, say_number
from skewcheck.explain.edits.scaling import set_constant
from skewcheck.explain.values.bits import bits_of_number
from skewcheck.explain.values.series import Floats
from skewcheck.explain.values.thresholds import shortest_between
from skewcheck.language.expressions import Constant

FEWEST = 10
"""Rows that must bound a constant."""

STEPS = {"floor": (0.0, 1.0), "to_integer": (0.0, 1.0), "ceil": (-1.0, 0.0), "round": (-0.5, 0.5)}
"""For each rounding how far below and above its result the number was that it rounded."""

_SOLVED: Mapping[str, Callable[[Floats, Floats, int], Floats]] = {
    "add": lambda y, x, _: y - x,
    "subtract": lambda y, x, place: x - y if place else y + x,
    "multiply": lambda y, x, _: y / x,
    "divide": lambda y, x, place: x / y if place else y * x,
}
"""The constant at a place from the result and the other operand."""


def propose_stepped_constants(setting: Setting) -> Iterator[Edit]:
    """Another constant in a sum or a product that is rounded at once."""
    for node, _ in setting.declared():
        below, wanted = setting.operand(node), setting.wanted(node)
        if node.name not in STEPS or wanted is None or below is None or below.text is None:
            continue
        if below.name not in _SOLVED:
            continue
        width = 10.0 ** -getattr(node.expression.operator, "decimals", 0)
        for place in (0, 1):
            operator = below.expression.operands[place].operator
            other = setting.operand(below, 1 - place)
            if not isinstance(operator, Constant) or operator.value is None or other is None:
                continue
            solve = _SOLVED[below.name]
            bounds = [wanted + part * width for part in STEPS[node.name]]
            value = _meet(*(solve(bound, other.values.numbers(), place) for bound in bounds))
            if value is None or value == operator.value:
                continue
            yield Edit(
                kind="constant",
                target=below.text,
                build=set_constant(place, value),
                says=f"Serving has {say_number(value)} in {below.text} where training has "
                f"{say_number(operator.value)}.",
                fix=f"Use {say_number(operator.value)} in serving.",
                root=below.text,
                parameters={"serving": value, "declared": operator.value},
                bits=place_bits(setting) + bits_of_number(value),
                shown=f"{below.text} with {say_number(value)} for {say_number(operator.value)}",
            )


def _meet(one: Floats, other: Floats) -> float | None:
    """The shortest number that lies between the bounds of all rows."""
    known = np.isfinite(one) & np.isfinite(other)
    if known.sum() < FEWEST:
        return None
    low = float(np.minimum(one, other)[known].max())
    high = float(np.maximum(one, other)[known].min())
    return shortest_between(low, high, included=True) if low < high else None
