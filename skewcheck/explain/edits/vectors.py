"""Edits of vectors: their elements in another order (room: explain)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, place_bits
from skewcheck.explain.trees import rebuild
from skewcheck.explain.values.bits import bits_of_choice
from skewcheck.language.operator import Operator
from skewcheck.language.terms import Term, call, literal, pack
from skewcheck.language.types import Type

FITS = 0.98
"""Share of the rows in which an element must be the one that it is taken for."""


@dataclass(frozen=True)
class Permute(Operator):
    """A vector with its elements in another order."""

    order: tuple[int, ...]
    name: ClassVar[str] = "permute"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((),)

    def result_type(self, *types: Type) -> Type:
        """The vector's own."""
        return types[0]

    def expand(self, x: Term) -> Term:
        """One element after another."""
        return pack(*(call("component", x, literal(place)) for place in self.order))


def propose_orders(setting: Setting) -> Iterator[Edit]:
    """The order of the elements that makes of training's vector what was served."""
    node = setting.nodes[-1]
    if node.expression.type.name != "Vector" or node.text is None or setting.served.kind != "Vector":
        return
    rows = setting.asked & setting.served.present & node.values.present
    served, trained = setting.served.data[rows], node.values.data[rows]
    if not len(served) or served.shape != trained.shape:
        return
    order = find_order(served, trained)
    if order is None or order == tuple(range(len(order))):
        return
    categories = getattr(node.expression.operator, "categories", None)
    named = f" ({', '.join(str(categories[place]) for place in order)})" if categories else ""
    yield Edit(
        kind="recode",
        target=node.text,
        build=lambda found: rebuild(Permute(order), (found,)),
        says=f"Serving has the elements of {node.text} in another order: {', '.join(map(str, order))}{named}.",
        fix="Use training's order in serving.",
        root=f"order of {node.text}",
        parameters={
            "order": list(order),
            **({"categories": [categories[place] for place in order]} if categories else {}),
        },
        bits=place_bits(setting) + len(order) * bits_of_choice(len(order)),
        shown=f"{node.text} in another order",
    )


def find_order(served: np.ndarray, trained: np.ndarray) -> tuple[int, ...] | None:
    """For each element that was served the place of training's element that it is; None where that cannot be told."""
    left = set(range(trained.shape[1]))
    order = []
    for place in range(served.shape[1]):
        shares = {other: float((served[:, place] == trained[:, other]).mean()) for other in left}
        best = max(shares, key=lambda other: (shares[other], other == place), default=None)
        if best is None or shares[best] < FITS:
            return None
        left.remove(best)
        order.append(best)
    return tuple(order)
