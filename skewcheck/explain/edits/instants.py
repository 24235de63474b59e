"""Edits of how fine a time is: serving keeps it in seconds or milliseconds (room: explain)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, about, place_bits
from skewcheck.explain.trees import Build, rebuild
from skewcheck.explain.values.bits import bits_of_choice
from skewcheck.language.expressions import Column
from skewcheck.language.operator import Operator
from skewcheck.language.terms import Term, call
from skewcheck.language.types import TIMESTAMP, Type

UNITS = {"milliseconds": 1_000, "whole seconds": 1_000_000, "whole minutes": 60_000_000}
"""Microseconds of what a time may be kept in."""


@dataclass(frozen=True)
class CutInstant(Operator):
    """An instant without what is finer than a unit, given in microseconds."""

    unit: int
    name: ClassVar[str] = "cut_instant"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((TIMESTAMP,),)
    gives: ClassVar[Type | None] = TIMESTAMP

    def expand(self, instant: Term) -> Term:
        """The whole units since 1970."""
        return call("instant", call("microseconds", instant) // self.unit * self.unit)


def propose_cut_instants(setting: Setting) -> Iterator[Edit]:
    """Every time that is read, in each unit that is coarser than it is."""
    for node, text in setting.declared():
        if node.expression.type != TIMESTAMP or not isinstance(node.expression.operator, Column):
            continue
        instants = node.values.data[node.values.present]
        for unit, microseconds in UNITS.items():
            if not np.any(instants % microseconds):
                continue
            yield Edit(
                kind="rounding",
                target=text,
                build=_cut(microseconds),
                says=f"Serving keeps {text} in {unit}; training in microseconds.",
                fix=f"Keep {text} with all its digits in serving.",
                root=about(node.expression, text),
                parameters={"serving": unit, "declared": "microseconds"},
                bits=place_bits(setting) + bits_of_choice(len(UNITS)),
                shown=f"{text} in {unit}",
            )


def _cut(microseconds: int) -> Build:
    return lambda node: rebuild(CutInstant(microseconds), (node,))
