"""Edits of statistics for each key: those of all rows in their place, or others for some keys (room: explain)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, place_bits, say_number
from skewcheck.explain.inverting import SCALES, Node
from skewcheck.explain.trees import Frozen, with_values
from skewcheck.explain.values.bits import bits_of_choice, bits_of_number
from skewcheck.explain.values.lines import find_line, round_shortest

MOST_KEYS = 20
"""Keys whose statistics are solved for."""

SUFFIX = "_by_key"


def propose_keyed_statistics(setting: Setting) -> Iterator[Edit]:
    """What serving may have in the place of statistics for each key."""
    for node, text in setting.declared():
        operator = node.expression.operator
        if not isinstance(operator, Frozen) or not any(name.endswith(SUFFIX) for name in operator.values):
            continue
        yield _take_all(setting, node, text, operator)
        scaler = node.name.removesuffix("_by")
        if scaler in SCALES and setting.wanted(node) is not None:
            yield from _propose_solved(setting, node, text, operator, *SCALES[scaler])


def _take_all(setting: Setting, node: Node, text: str, operator: Frozen) -> Edit:
    """The statistics of all rows for every key."""
    plain = {
        name: [[key, operator.values[name.removesuffix(SUFFIX)]] for key, _ in table]
        for name, table in operator.values.items()
        if name.endswith(SUFFIX)
    }
    return Edit(
        kind="statistics",
        target=text,
        build=lambda found: with_values(found, plain),
        says=f"Serving computes {text} with the statistics of all rows; training with those of each key.",
        fix=f"Load {setting.state} in serving, with the statistics of each key.",
        root=f"statistics of {text}",
        parameters={"serving": "of all rows", "declared": "of each key"},
        bits=place_bits(setting) - 1.0,
        shown=f"{node.name.removesuffix('_by')} without its keys",
    )


def _propose_solved(
    setting: Setting, node: Node, text: str, operator: Frozen, shift: str | None, scale: str
) -> Iterator[Edit]:
    """For each key the shift and the scale that its rows ask for."""
    wanted, value, key = setting.wanted(node), setting.operand(node), setting.operand(node, 1)
    if wanted is None or value is None or key is None:
        return
    names = [name for name in (shift, scale) if name]
    frozen: dict[str, dict[Any, float]] = {name: dict(operator.values[name + SUFFIX]) for name in names}
    keys, numbers = np.array(key.values.listed(), dtype=object), value.values.numbers()
    solved: dict[Any, dict[str, float]] = {}
    for one in frozen[scale]:
        rows = (keys == one) & np.isfinite(wanted)
        line = find_line(numbers[rows], wanted[rows], near=1e-8) if rows.any() else None
        if line is None or line.slope == 0 or line.on.sum() < 0.5 * rows.sum() or (not shift and line.offset):
            continue
        solved[one] = {scale: round_shortest(1.0 / line.slope)}
        if shift:
            solved[one][shift] = round_shortest(-line.offset / line.slope)
    if not solved or len(solved) > MOST_KEYS:
        return
    moved = {
        name + SUFFIX: [[one, solved[one][name] if one in solved else old] for one, old in frozen[name].items()]
        for name in names
    }
    yield _solved(setting, node, text, moved, solved, frozen)


def _solved(
    setting: Setting,
    node: Node,
    text: str,
    moved: Mapping[str, Any],
    solved: Mapping[Any, Mapping[str, float]],
    frozen: Mapping[str, Mapping[Any, float]],
) -> Edit:
    def say(found: Mapping[str, float]) -> str:
        return ", ".join(f"{name} {say_number(number)}" for name, number in sorted(found.items()))

    first = next(iter(solved))
    declared = {name: table[first] for name, table in frozen.items()}
    among = len(next(iter(frozen.values())))
    which = f" for one key of {among}" if len(solved) == 1 else f" for {len(solved)} keys of {among}, the first"
    bits = sum(bits_of_number(number) for found in solved.values() for number in found.values())
    return Edit(
        kind="statistics",
        target=text,
        build=lambda found: with_values(found, moved),
        says=f"Serving computes {text} with {say(solved[first])}{which}; the frozen state has {say(declared)}.",
        fix=f"Load {setting.state} in serving instead of other statistics.",
        root=f"statistics of {text}",
        parameters={
            "serving": dict(solved[first]),
            "declared": declared,
            "codes": {str(one): dict(found) for one, found in solved.items()},
        },
        bits=place_bits(setting) + len(solved) * bits_of_choice(among) + bits,
        shown=f"{node.name} with {say(solved[first])}",
        detail="By key: " + "; ".join(f"{one}: {say(found)}" for one, found in solved.items()) + ".",
    )
