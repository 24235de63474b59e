"""Edits of codes for categories: another vocabulary, another order, another code for what is unseen (room: explain)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, place_bits
from skewcheck.explain.inverting import Node, is_constant
from skewcheck.explain.trees import Build, Frozen, InapplicableError, make
from skewcheck.explain.values.bits import bits_of_choice, bits_of_number
from skewcheck.explain.values.tables import find_table
from skewcheck.language.expressions import Expression
from skewcheck.language.types import BOOL, INT64, STRING

CODED = {"vocabulary": "out_of_vocabulary", "ordinal": None}
"""Fitted operators that give a category the place of its entry, and the parameter that says where places begin."""


def code_bounds(frozen: Frozen) -> tuple[int, int]:
    """The code of the first entry of a vocabulary, and that of what is not in it."""
    if frozen.inner.name == "vocabulary":
        return getattr(frozen.inner, "out_of_vocabulary", 0), 0
    return 0, -1


def propose_tables(setting: Setting) -> Iterator[Edit]:
    """Another code for some categories: solved from what was served, then told in the shortest way."""
    for node, text in setting.declared():
        operand = setting.operand(node)
        if operand is None or is_constant(operand.expression) or operand.expression.type not in (STRING, INT64, BOOL):
            continue
        if len(node.expression.operands) != 1 or node.expression.type.name == "Vector":
            continue
        served = _served_at(setting, node)
        if served is None:
            continue
        keys = operand.values.listed()
        if isinstance(node.expression.operator, Frozen) and node.name in CODED:
            yield from _propose_unseen(setting, node, text, keys, served)
            yield from _propose_orders(setting, node, text)
        yield from _propose_recode(setting, node, text, keys, served)


def _served_at(setting: Setting, node: Node) -> list[Any] | None:
    """What serving must have had at a node in the rows to be explained, None in the others."""
    if node.parent is None and node.expression.type == STRING:
        keys = setting.served.listed()
        return [key if here else None for key, here in zip(keys, setting.asked.tolist(), strict=True)]
    wanted = setting.wanted(node)
    if wanted is None:
        return None
    if node.expression.type in (INT64, BOOL):
        near = np.round(wanted)
        wanted = np.where(np.abs(wanted - near) < 1e-6, near, np.nan)
    cast = {INT64: int, BOOL: bool}.get(node.expression.type, float)
    return [None if value != value else cast(value) for value in wanted.tolist()]


def _propose_recode(setting: Setting, node: Node, text: str, keys: list[Any], served: list[Any]) -> Iterator[Edit]:
    before = node.values.listed()
    if node.expression.type.name == "Float64":
        return
    table = find_table(keys, served, before)
    if table is None:
        return
    moved = {key: value for key, value in table.items() if key is not None and value is not None}
    if not moved or any(key is None for key in table):
        return
    codes = max(2, len(set(before)) + 1)
    kept = dict(zip(keys, before, strict=True))
    whole = {**{key: value for key, value in kept.items() if key is not None and value is not None}, **moved}
    first = list(moved.items())[:3]
    listed = ", ".join(f"{key} → {value} (training {kept.get(key)})" for key, value in first)
    yield Edit(
        kind="recode",
        target=text,
        build=_look_up(whole),
        says=f"Serving has another table behind {text}: {len(moved):,} of {len(kept):,} categories have another code.",
        detail=f"Such as {listed}.",
        fix=f"Load {setting.state} in serving."
        if isinstance(node.expression.operator, Frozen)
        else "Use training's table in serving.",
        root=f"table of {text}",
        parameters={
            "changed": len(moved),
            "seen": len(kept),
            "codes": {str(key): value for key, value in sorted(moved.items(), key=lambda item: str(item[0]))[:100]},
        },
        bits=place_bits(setting) + len(moved) * (bits_of_choice(codes) + bits_of_choice(len(kept))),
        shown=f"another table for {text}",
    )


def _propose_unseen(setting: Setting, node: Node, text: str, keys: list[Any], served: list[Any]) -> Iterator[Edit]:
    """Another code for what is not in the vocabulary."""
    frozen = node.expression.operator
    if not isinstance(frozen, Frozen):
        return
    entries = list(frozen.values["entries"])
    known = set(entries)
    found = Counter(
        code
        for key, code in zip(keys, served, strict=True)
        if key is not None and key not in known and code is not None
    )
    if not found:
        return
    code, _ = found.most_common(1)[0]
    first, unseen = code_bounds(frozen)
    table = {entry: place for place, entry in enumerate(entries, first)}
    yield Edit(
        kind="out_of_vocabulary",
        target=text,
        build=_look_up(table, code),
        says=f"Serving gives the code {code} to what is not in the vocabulary of {text}; training gives "
        f"{'−1' if unseen else '0' if first == 1 else 'one of its own'}.",
        fix="Give unseen values training's code in serving.",
        root=f"table of {text}",
        parameters={"serving": code, "declared": unseen},
        bits=place_bits(setting) + bits_of_number(float(code)),
        shown=f"{text}, {code} for what is unseen",
    )


def _propose_orders(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    """The same entries in another order, or counted from another start."""
    frozen = node.expression.operator
    if not isinstance(frozen, Frozen):
        return
    entries = list(frozen.values["entries"])
    first, unseen = code_bounds(frozen)
    orders = {
        "in alphabetical order": sorted(entries),
        "in reverse": entries[::-1],
        "in reverse alphabetical order": sorted(entries)[::-1],
    }
    for what, order in orders.items():
        if order != entries:
            yield _order(setting, text, what, {entry: place for place, entry in enumerate(order, first)}, unseen)
    for start in {0, 1, 2} - {first}:
        for code in dict.fromkeys((unseen, -1, 0, start + len(entries))):
            table = {entry: place for place, entry in enumerate(entries, start)}
            yield _order(setting, text, f"counted from {start}, {code} for what is unseen", table, code)


def _order(setting: Setting, text: str, what: str, table: dict[Any, int], unseen: int) -> Edit:
    return Edit(
        kind="recode",
        target=text,
        build=_look_up(table, unseen),
        says=f"Serving has the entries behind {text} {what}.",
        fix=f"Load {setting.state} in serving.",
        root=f"table of {text}",
        parameters={"order": what},
        bits=place_bits(setting) + 4.0,
        shown=f"{text} {what}",
    )


def _look_up(table: dict[Any, Any], default: Any = None) -> Build:
    def build(node: Expression) -> Expression:
        operand = node.operands[0]
        if operand.type == BOOL:
            raise InapplicableError("a truth value has no table")
        pairs = tuple(table.items())
        if default is not None:
            return make("lookup", operand, table=pairs, default=default)
        # What the table does not have stays as training has it.
        return make("fill", make("lookup", operand, table=pairs), node)

    return build
