"""Edits of edges: of buckets, and of comparisons with a constant (room: explain)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, place_bits, say_number
from skewcheck.explain.edits.missing import literal_of
from skewcheck.explain.inverting import Node
from skewcheck.explain.trees import Build, Frozen, InapplicableError, make, rebuild, with_parameters, with_values
from skewcheck.explain.values.bits import bits_of_choice, bits_of_number
from skewcheck.explain.values.series import Floats
from skewcheck.explain.values.thresholds import find_threshold, separate
from skewcheck.language.expressions import Constant, Expression
from skewcheck.language.types import FLOAT64, INT64

OTHER_SIDE = {"less": "at_most", "at_most": "less", "greater": "at_least", "at_least": "greater"}
"""For each comparison the one that differs where both sides are equal."""

_FITTED = ("quantile_bucket", "equal_width_bucket")


def propose_edges(setting: Setting) -> Iterator[Edit]:
    """Edges that belong to the other side, lie elsewhere, or are not there."""
    for node, text in setting.declared():
        if node.name in OTHER_SIDE:
            yield from _propose_comparison(setting, node, text)
        elif node.name == "between":
            yield from _propose_range(setting, node, text)
        elif node.name == "bucket" or node.name in _FITTED:
            yield from _propose_buckets(setting, node, text)


def _propose_comparison(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    other = OTHER_SIDE[node.name]
    yield Edit(
        kind="bucket_edge",
        target=text,
        build=lambda found: make(other, *found.operands),
        says=f"Serving counts equality to the other side in {text}: it asks {other}, training {node.name}.",
        fix=f"Ask {node.name} in serving.",
        root=text,
        parameters={"serving": other, "declared": node.name},
        bits=place_bits(setting),
        shown=f"{text}, {other}",
    )
    wanted, operand = setting.wanted(node), setting.operand(node)
    limit = node.expression.operands[1].operator
    if wanted is None or operand is None or not isinstance(limit, Constant) or limit.value is None:
        return
    if operand.expression.type not in (FLOAT64, INT64):
        return
    rises = node.name in {"greater", "at_least"}
    values = operand.values.numbers()
    included = node.name in {"at_least", "less"}
    near = find_threshold(values, wanted if rises else 1.0 - wanted, included=included)
    decided = setting.decided(node)
    wide = separate(values, decided if rises else 1.0 - decided, included=included)
    for found in dict.fromkeys((near, wide)):
        if found is None or found == limit.value:
            continue
        yield Edit(
            kind="constant",
            target=text,
            build=_set_limit(found),
            says=f"Serving compares with {say_number(found)} in {text}; training with {say_number(limit.value)}.",
            fix=f"Use {say_number(limit.value)} in serving.",
            root=text,
            parameters={"serving": found, "declared": limit.value},
            bits=place_bits(setting) + bits_of_number(found),
            shown=f"{text} with {say_number(found)}",
        )


def _propose_range(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    """A range that leaves out an end, or that begins or ends elsewhere."""
    for low, high, what in (
        ("at_least", "less", "without its upper end"),
        ("greater", "at_most", "without its lower end"),
        ("greater", "less", "without its ends"),
    ):
        yield Edit(
            kind="bucket_edge",
            target=text,
            build=_compare_ends(low, high),
            says=f"Serving asks {text} {what}; training with both.",
            fix="Count both ends in serving.",
            root=text,
            parameters={"serving": [low, high], "declared": ["at_least", "at_most"]},
            bits=place_bits(setting) + 1.0,
            shown=f"{text} {what}",
        )
    wanted, operand = setting.wanted(node), setting.operand(node)
    if wanted is None or operand is None or operand.expression.type not in (FLOAT64, INT64):
        return
    values = operand.values.numbers()
    for place in (1, 2):
        limit, other = (node.expression.operands[one].operator for one in (place, 3 - place))
        if not isinstance(limit, Constant) or not isinstance(other, Constant) or None in (limit.value, other.value):
            continue
        with np.errstate(invalid="ignore"):
            inside = values <= other.value if place == 1 else values >= other.value
        reached = np.where(inside, wanted if place == 1 else 1.0 - wanted, np.nan)
        found = find_threshold(values, reached, included=place == 1)
        if found is None or found == limit.value:
            continue
        yield Edit(
            kind="constant",
            target=text,
            build=_set_limit(found, place),
            says=f"Serving {'begins' if place == 1 else 'ends'} {text} at {say_number(found)}; "
            f"training at {say_number(limit.value)}.",
            fix=f"Use {say_number(limit.value)} in serving.",
            root=text,
            parameters={"serving": found, "declared": limit.value},
            bits=place_bits(setting) + 1.0 + bits_of_number(found),
            shown=f"{text} with {say_number(found)}",
        )


def _compare_ends(low: str, high: str) -> Build:
    def build(node: Expression) -> Expression:
        value, first, last = node.operands
        return make("both", make(low, value, first), make(high, value, last))

    return build


def _propose_buckets(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    operator = node.expression.operator
    frozen = isinstance(operator, Frozen)
    edges: tuple[float, ...] = tuple(operator.values["edges"]) if isinstance(operator, Frozen) else operator.edges  # type: ignore[attr-defined]
    if not edges:
        return
    yield Edit(
        kind="bucket_edge",
        target=text,
        build=_set_edges([math.nextafter(edge, math.inf) for edge in edges]),
        says=f"Serving closes the buckets of {text} on the right; in training a bucket holds its lower edge.",
        fix="Count a value on an edge to the upper bucket in serving.",
        root=text,
        parameters={"closed": "right", "declared": "left"},
        bits=place_bits(setting) + 1.0,
        shown=f"{text}, closed on the right",
    )
    for place, edge in enumerate(edges):
        if len(edges) > 1:
            yield _edges(
                setting, text, edges, [*edges[:place], *edges[place + 1 :]], f"without the edge {say_number(edge)}", 0.0
            )
    wanted, operand = setting.wanted(node), setting.operand(node)
    if wanted is None or operand is None:
        return
    moved = _solve_edges(operand.values.numbers(), wanted, edges)
    changed = [(old, new) for old, new in zip(edges, moved, strict=True) if old != new]
    if changed and all(low < high for low, high in pairwise(moved)):
        said = ", ".join(f"{say_number(new)} for {say_number(old)}" for old, new in changed[:4])
        bits = sum(bits_of_number(new) + bits_of_choice(len(edges)) for _, new in changed)
        edit = _edges(setting, text, edges, moved, f"with the edges {said}", bits)
        if frozen and len(changed) > 1:
            edit = replace(
                edit,
                kind="statistics",
                fix=f"Load {setting.state} in serving.",
                root=f"statistics of {text}",
                parameters={"edges": list(moved), "frozen": list(edges)},
            )
        yield edit


def _edges(setting: Setting, text: str, edges: Sequence[float], moved: Sequence[float], what: str, bits: float) -> Edit:
    return Edit(
        kind="bucket_edge",
        target=text,
        build=_set_edges(list(moved)),
        says=f"Serving computes {text} {what}.",
        fix="Use training's edges in serving.",
        root=text,
        parameters={"edges": list(moved), "declared": list(edges)},
        bits=place_bits(setting) + bits_of_choice(len(edges)) + bits,
        shown=f"{text} {what}",
    )


def _solve_edges(values: Floats, wanted: Floats, edges: Sequence[float]) -> list[float]:
    """Every edge on its own: a code of at least its place means that the value has reached it."""
    moved = []
    for place, edge in enumerate(edges, start=1):
        with np.errstate(invalid="ignore"):
            reached = np.where(np.isfinite(wanted), (wanted >= place).astype(float), np.nan)
            differs = reached != (values >= edge)
        found = find_threshold(values, np.where(differs, reached, np.nan), included=True)
        moved.append(edge if found is None else found)
    return moved


def _set_edges(edges: list[float]) -> Build:
    def build(node: Expression) -> Expression:
        if isinstance(node.operator, Frozen):
            return with_values(node, {"edges": edges})
        return with_parameters(node, edges=tuple(edges))

    return build


def _set_limit(limit: float, place: int = 1) -> Build:
    def build(node: Expression) -> Expression:
        type_ = node.operands[place].type
        if type_ == INT64 and limit != int(limit):
            raise InapplicableError("the limit is no whole number")
        value: Any = int(limit) if type_ == INT64 else float(limit)
        operands = [*node.operands]
        operands[place] = literal_of(value, type_)
        return rebuild(node.operator, tuple(operands))

    return build
