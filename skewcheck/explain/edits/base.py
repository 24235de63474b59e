"""What an edit is, and what it is proposed from (room: explain)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from skewcheck.causes import serving_side
from skewcheck.explain.inverting import Node
from skewcheck.explain.trees import Build, Tree
from skewcheck.explain.values.bits import bits_of_choice
from skewcheck.explain.values.series import Bools, Floats, Series, agree
from skewcheck.language.expressions import Column, Expression

KINDS = 32
"""About as many kinds of change there are."""


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of one node.

    Attributes:
        kind: The kind of cause that it would be.
        target: The text of the node.
        build: Makes of the node what serving has in its place.
        says: What serving does, in one sentence.
        fix: What to change.
        root: What it is about; features that share it have one fault.
        parameters: Serving's numbers and training's.
        bits: How much it takes to say.
        shown: What serving has in the node's place, as text.
        detail: What values of the log say more, for those who may see them.
        discreet: What serving does, without a value that a request may have held; empty where `says` names none.
    """

    kind: str
    target: str
    build: Build
    says: str
    fix: str
    root: str
    parameters: Mapping[str, Any]
    bits: float
    shown: str = ""
    detail: str = ""
    discreet: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """Two edits of one key are the same edit, perhaps of two features."""
        return self.kind, self.root, repr(serving_side(self.parameters))


@dataclass(frozen=True, eq=False)
class Setting:
    """What edits of one tree are proposed from.

    Attributes:
        tree: The tree.
        nodes: Its nodes with their values.
        served: What serving gave.
        asked: The rows that are to be explained.
        inputs: Every input of the service over the sample.
        types: For every input its type and its unit.
        zones: Time zones that the service's declaration uses.
        state: The file of the frozen statistics and its hash, as text.
    """

    tree: Tree
    nodes: tuple[Node, ...]
    served: Series
    asked: Bools
    inputs: Mapping[str, Series] = field(default_factory=dict)
    types: Mapping[str, tuple[Any, str | None]] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    state: str = "state.json"

    @cached_property
    def by_id(self) -> dict[int, Node]:
        """Every node by its expression's id."""
        return {id(node.expression): node for node in self.nodes}

    def declared(self) -> Iterator[tuple[Node, str]]:
        """The nodes that were declared, with their texts; each text once."""
        seen: set[str] = set()
        for node in self.nodes:
            if node.text is not None and node.text not in seen:
                seen.add(node.text)
                yield node, node.text

    def operand(self, node: Node, place: int = 0) -> Node | None:
        """An operand of a node."""
        return self.by_id.get(id(node.expression.operands[place])) if node.expression.operands else None

    def wanted(self, node: Node) -> Floats | None:
        """What a node would have had to give in the rows to be explained, NaN in the others."""
        if node.required is None:
            return None
        found = np.where(self.asked, node.required, np.nan)
        return found if np.isfinite(found).any() else None

    def decided(self, node: Node) -> Floats:
        """The same with what the node gives in the rows that match, where another value would not have matched."""
        if node.required is None:
            return np.full(len(self.asked), np.nan)
        matching = agree(self.served, self.nodes[-1].values)
        return np.where(self.asked | matching, node.required, np.nan)


def about(expression: Expression, text: str) -> str:
    """What an edit of a node is about, for `Edit.root`."""
    return f"column {text}" if isinstance(expression.operator, Column) else text


def say_number(number: Any) -> str:
    """A number in a sentence, to six digits, and to as many as tell it from a whole number that it is not."""
    if isinstance(number, bool):
        return "true" if number else "false"
    if isinstance(number, float):
        shown = f"{number:.6g}"
        return f"{number:.10g}" if float(shown).is_integer() and not number.is_integer() else shown
    return str(number)


def say_value(value: Any) -> str:
    """A value of any type in a sentence: a text in quotes, a vector in brackets."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(say_number, value))}]"
    return repr(value) if isinstance(value, str) else say_number(value)


def place_bits(setting: Setting) -> float:
    """Bits that say which node, and which kind of change."""
    return bits_of_choice(len(setting.nodes)) + bits_of_choice(KINDS)
