"""The reference: every operator with its meaning, where it runs, and what its examples give."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from skewcheck.engines.support import ENGINES, find_engines
from skewcheck.language import operators  # noqa: F401 (registers the operators)
from skewcheck.language.examples import build_example
from skewcheck.language.expressions import expand, render
from skewcheck.language.opaque import opaque
from skewcheck.language.operator import REGISTRY, Operator

CHAPTERS = {
    "numbers": "Numbers",
    "choice": "Choice",
    "fitted": "Fitted",
    "categories": "Categories",
    "text": "Text",
    "time": "Time",
    "vectors": "Vectors",
    "opaque": "Opaque functions",
}
"""The title of every group, in the order of the page."""


@dataclass(frozen=True, slots=True)
class ExampleEntry:
    """An example: the expression, its operands' training rows, and rows of operands with what comes out."""

    expression: str
    training: tuple[tuple[Any, ...], ...]
    rows: tuple[tuple[tuple[Any, ...], Any], ...]


@dataclass(frozen=True, slots=True)
class OperatorEntry:
    """One operator.

    Attributes:
        name: Its name, which is also that of the method.
        group: Its chapter.
        meaning: Its docstring.
        tolerance: How far engines may differ, relative; 0 where they give the same bits.
        engines: Where it runs.
        parameters: Its constant parameters with their defaults, as they are written.
        takes: For each operand the types that it accepts; none for any type.
        examples: Uses with their values.
    """

    name: str
    group: str
    meaning: str
    tolerance: float
    engines: tuple[str, ...]
    parameters: tuple[str, ...]
    takes: tuple[tuple[str, ...], ...]
    examples: tuple[ExampleEntry, ...]

    @property
    def kind(self) -> str:
        """Whether every engine gives the same bits ("exact") or a platform's libm decides the last ones ("libm")."""
        return "libm" if self.tolerance else "exact"


def list_operators() -> tuple[OperatorEntry, ...]:
    """Every operator, chapter by chapter."""
    order = list(CHAPTERS)
    ordered = sorted(REGISTRY.values(), key=lambda operator: (order.index(operator.group), operator.name))
    return (*(_describe(operator) for operator in ordered), _describe_opaque())


def _describe(operator: type[Operator]) -> OperatorEntry:
    built = [build_example(example) for example in operator.examples]
    return OperatorEntry(
        name=operator.name,
        group=operator.group,
        meaning="\n".join(line.strip() for line in (operator.__doc__ or "").strip().splitlines()),
        tolerance=operator.tolerance,
        engines=find_engines(expand(expression, None) for expression in built),
        parameters=tuple(_write_parameter(field) for field in dataclasses.fields(operator) if field.init),
        takes=tuple(tuple(map(str, types)) for types in operator.takes),
        examples=tuple(
            ExampleEntry(render(expression), example.training_rows(), example.rows)
            for expression, example in zip(built, operator.examples, strict=True)
        ),
    )


def _describe_opaque() -> OperatorEntry:
    """The escape hatch, which is no operator of its own: any function that `sk.opaque` accepts."""
    return OperatorEntry(
        name="opaque",
        group="opaque",
        meaning=inspect.cleandoc(opaque.__doc__ or "").partition("\n\nRaises:")[0],
        tolerance=0.0,
        engines=tuple(engine for engine, spelled in ENGINES.items() if "opaque" in spelled),
        parameters=(),
        takes=((),),
        examples=(),
    )


def _write_parameter(field: dataclasses.Field[Any]) -> str:
    return field.name if field.default is dataclasses.MISSING else f"{field.name}={field.default!r}"


def print_json(entries: Iterable[OperatorEntry]) -> str:
    """The operators as a JSON list."""
    rows = [
        {
            "name": entry.name,
            "group": entry.group,
            "class": entry.kind,
            "tolerance": entry.tolerance,
            "engines": list(entry.engines),
            "parameters": list(entry.parameters),
            "meaning": entry.meaning,
        }
        for entry in entries
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def print_table(entries: Iterable[OperatorEntry], console: Console) -> None:
    """The operators as a table with the first sentence of each meaning."""
    table = Table(box=None, pad_edge=False)
    for column in ("operator", "chapter", "class", "engines", "meaning"):
        table.add_column(column, overflow="fold", no_wrap=column != "meaning")
    for entry in entries:
        first = entry.meaning.partition("\n")[0]
        table.add_row(entry.name, entry.group, entry.kind, ", ".join(entry.engines), Text(first))
    console.print(table)


def print_markdown(entries: Iterable[OperatorEntry]) -> str:
    """The operators as a page."""
    lines = [
        "# Operators",
        "",
        "Every operator has one meaning, and gives the same bits on every engine that it names. `None` is the missing",
        "value. This page is made of the operators themselves: `skewcheck operators --format markdown`.",
    ]
    chapter = ""
    for entry in entries:
        if entry.group != chapter:
            chapter = entry.group
            lines += ["", f"## {CHAPTERS[chapter]}"]
        lines += ["", f"### {entry.name}", "", entry.meaning, "", *_print_facts(entry)]
        for example in entry.examples:
            lines += ["", *_print_example(example)]
    return "\n".join(lines) + "\n"


def _print_facts(entry: OperatorEntry) -> list[str]:
    takes = ", ".join(" or ".join(types) or "any type" for types in entry.takes)
    facts = [f"* takes {takes}"]
    if entry.parameters:
        facts.append(f"* parameters `{', '.join(entry.parameters)}`")
    exact = "exact" if entry.kind == "exact" else f"within {entry.tolerance:g}, relative"
    return [*facts, f"* {exact} on {', '.join(entry.engines)}"]


def _print_example(example: ExampleEntry) -> list[str]:
    head = f"`{_escape(example.expression)}`"
    if example.training:
        values = "; ".join(_print_operands(row) for row in example.training)
        head += f", trained on `{_escape(values)}`"
    rows = [
        f"| `{_escape(_print_operands(operands))}` | `{_escape(repr(result))}` |" for operands, result in example.rows
    ]
    return [head, "", "| given | gives |", "| --- | --- |", *rows]


def _print_operands(operands: tuple[Any, ...]) -> str:
    return ", ".join(_print_value(operand) for operand in operands)


def _print_value(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else repr(value)


def _escape(text: str) -> str:
    """Code inside a table cell: a bar would end the cell, and a backtick the code."""
    return text.replace("`", "'").replace("|", "\\|")
