"""Run a version of a feature on rows, and work one row through (room: changes)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from skewcheck.contracts import plain_value
from skewcheck.diff_verdict import Step
from skewcheck.engines.python import write_source
from skewcheck.generate.row_module import load_row_module, render_row_module
from skewcheck.language.expressions import Column, Constant, Expression, expand, key_of, render, walk
from skewcheck.language.operator import FittedOperator
from skewcheck.language.terms import Term, finite
from skewcheck.language.types import Type
from skewcheck.parity.running import Difference, compare, run_duckdb, run_python
from skewcheck.parity.subjects import make_subject

Row = Mapping[str, Any]
Statistics = Mapping[str, Mapping[str, Any]]

LONGEST_TABLE = 8
"""Entries of a table statistic that are shown; of a longer one the number is."""

MOST_STEPS = 60


@dataclass(frozen=True, slots=True)
class Raised:
    """What stands for a value where an opaque function raised an error."""

    error: str

    def __str__(self) -> str:
        return f"raises {self.error}"


class RowProgram:
    """Terms as a function of one row."""

    def __init__(self, outputs: Mapping[str, Term]) -> None:
        source = write_source({name: finite(term) for name, term in outputs.items()})
        text = render_row_module(source, service="", definition="", state="", expressions=dict.fromkeys(outputs, ""))
        self._transform = load_row_module(text)["transform_row"]
        self._names = tuple(outputs)

    def __call__(self, row: Row) -> dict[str, Any]:
        """The outputs for one row; `Raised` where an opaque function has no answer."""
        try:
            found: dict[str, Any] = self._transform(row)
        except Exception as error:  # whatever a team's own function raises
            return dict.fromkeys(self._names, Raised(str(error).partition("\n")[0]))
        return found


def run_versions(old: Term, new: Term) -> Callable[[Row], tuple[Any, Any]]:
    """Two versions as one function of a row, which gives what either computes."""
    programs = [RowProgram({"value": term}) for term in (old, new)]

    def run(row: Row) -> tuple[Any, Any]:
        before, after = (program(row)["value"] for program in programs)
        return before, after

    return run


def expand_with(expression: Expression, statistics: Statistics) -> Term:
    """An expression in primitives, its statistics known."""
    return expand(expression, {key: dict(values) for key, values in statistics.items()})


def run_both(old: Term, new: Term, columns: Mapping[str, Type], inputs: pa.Table) -> tuple[Difference, ...]:
    """Where two versions differ on a table of rows: in Python, and in DuckDB."""
    # Each is a subject of its own: two versions of one opaque function have one name.
    before, after = (make_subject("change", columns, {"value": finite(term)}) for term in (old, new))
    return tuple(compare(after, inputs, run(before, inputs), run(after, inputs)) for run in (run_python, run_duckdb))


def work_through(expression: Expression, statistics: Statistics, row: Row) -> tuple[Step, ...]:
    """Every step of an expression for one row, operands before what reads them; plain columns are left out."""
    nodes = [node for node in walk(expression) if not isinstance(node.operator, (Column, Constant))][-MOST_STEPS:]
    if not nodes:
        return ()
    found = RowProgram({str(place): expand_with(node, statistics) for place, node in enumerate(nodes)})(row)
    return tuple(
        Step(render(node), plain_value(found[str(place)]), _statistics_of(node, statistics))
        for place, node in enumerate(nodes)
    )


def _statistics_of(node: Expression, statistics: Statistics) -> dict[str, Any]:
    if not isinstance(node.operator, FittedOperator):
        return {}
    held = statistics.get(key_of(node), {})
    return {
        name: f"{len(value)} entries" if isinstance(value, Sequence) and len(value) > LONGEST_TABLE else value
        for name, value in held.items()
        if not isinstance(value, str) or len(value) <= 200
    }


def plain_row(row: Row) -> dict[str, Any]:
    """A row as JSON holds it: an instant as ISO 8601 text, what was raised as its text."""
    return {name: plain_value(value) for name, value in row.items()}
