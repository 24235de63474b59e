"""The one walk over expressions and over terms: graphs in which nodes share what they read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Node = TypeVar("Node")


def walk_graph(roots: Sequence[Node], reads: Callable[[Node], Sequence[Node]]) -> list[Node]:
    """Every node that the roots reach, each once, after the nodes that it reads. However deep, nothing recurses."""
    order: dict[int, Node] = {}
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        node, expanded = stack.pop()
        if id(node) in order:
            continue
        if expanded:
            order[id(node)] = node
        else:
            stack.append((node, True))
            stack.extend((read, False) for read in reversed(reads(node)))
    return list(order.values())
