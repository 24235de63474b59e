"""The page on windows: it quotes the one rule, and lists the aggregates that there are."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path

from skewcheck.language import windows
from skewcheck.language.windows.aggregate import REGISTRY, Aggregate, VectorOf

PAGE = Path(__file__).parent.parent.parent.parent / "docs" / "windows.md"


def list_aggregates() -> list[str]:
    """A row of the page's table for every aggregate."""
    rows = []
    for name, kind in REGISTRY.items():
        constants = [item for item in dataclasses.fields(kind) if item.name != "whole"]
        needed = [item.name for item in constants if item.default is dataclasses.MISSING]
        optional = [f"{item.name}={item.default}" for item in constants if item.default is not dataclasses.MISSING]
        call = f"`{name}({', '.join([*needed, 'window', *optional])})`"
        rows.append(f"| {call} | {_types(kind)} | {_result(kind)} | {' '.join((kind.__doc__ or '').split())} |")
    return rows


def _types(kind: type[Aggregate]) -> str:
    names = "any" if len(kind.takes) == 5 else ", ".join(map(str, kind.takes))
    return f"{names}, events" if kind.of_events else names


def _result(kind: type[Aggregate]) -> str:
    if issubclass(kind, VectorOf):
        return "Vector(k)"
    return str(kind.gives) if kind.gives else "the same"


def test_the_rule_is_quoted_as_it_stands() -> None:
    rule = (inspect.getdoc(windows) or "").partition("THE RULE\n\n")[2]
    assert len(rule.splitlines()) > 20
    assert rule in PAGE.read_text(encoding="utf-8")


def test_every_aggregate_is_listed() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `") and "window" in line
    ]
    assert rows == list_aggregates()
