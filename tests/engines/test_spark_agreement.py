"""Spark gives what Python gives, whatever operators are combined into, and for the service that is committed here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from skewcheck.engines.query import TABLES
from skewcheck.engines.spark import SPELLINGS
from skewcheck.engines.support import find_engines
from skewcheck.fit.state import read_state
from skewcheck.generate.golden import differing_rows, from_json_value, same_value
from skewcheck.language.expressions import expand
from skewcheck.language.operator import REGISTRY, Example
from skewcheck.language.primitives import PRIMITIVES
from skewcheck.language.terms import Term, finite, walk
from skewcheck.language.types import Type
from skewcheck.store.repository import generated_directory, load_repository
from tests.adversarial import VALUES
from tests.both_engines import Row
from tests.language.test_operator_examples import fit_example
from tests.spark_engine import evaluate_in_spark
from tests.trees import COLUMNS, any_trees, draw_state

ROOT = Path(__file__).parent.parent.parent
MOST = 100
"""Examples in one query."""
TREES = 60
DEPTH = 6


@dataclass
class Table:
    """Examples that call no two columns of different types alike, so that they can share their rows.

    Attributes:
        columns: The columns of all of them.
        terms: What each computes.
        rows: The rows of all of them, one example's after the other's.
        expected: For each example the place of its first row, and what it says comes out.
    """

    columns: dict[str, Type] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    expected: dict[str, tuple[int, list[Any]]] = field(default_factory=dict)

    def takes(self, columns: dict[str, Type]) -> bool:
        return all(self.columns.get(name, type_) == type_ for name, type_ in columns.items())

    def add(self, name: str, columns: dict[str, Type], term: Term, example: Example) -> None:
        self.columns |= columns
        self.terms[name] = term
        self.expected[name] = len(self.rows), [value for _, value in example.rows]
        self.rows += [dict(zip(columns, values, strict=True)) for values, _ in example.rows]


def tabulate_examples(folder: Path) -> Iterator[Table]:
    """Every example that Spark can run, in tables of at most so many."""
    tables: list[Table] = []
    for name, cls in sorted(REGISTRY.items()):
        for place, example in enumerate(cls.examples):
            service, columns, state = fit_example(example, folder)
            (feature,) = service.features
            term = finite(expand(feature.expression, state))
            if "spark" not in find_engines([term]):
                assert {part.name for part in walk(term)} & set(PRIMITIVES) - set(SPELLINGS) - TABLES
                continue
            table = next((table for table in tables if table.takes(columns) and len(table.terms) < MOST), None)
            if table is None:
                tables.append(table := Table())
            table.add(f"{name}_{place}", columns, term, example)
    return iter(tables)


def test_every_operator_does_what_its_examples_say(tmp_path: Path) -> None:
    for table in tabulate_examples(tmp_path):
        found = evaluate_in_spark(table.terms, [{name: row.get(name) for name in table.columns} for row in table.rows])
        for name, (first, values) in table.expected.items():
            given = [row[name] for row in found[first : first + len(values)]]
            assert all(map(same_value, values, given)), f"{name}: {given} is not {values}"


def grow_trees(count: int) -> dict[str, Term]:
    """Random expressions, the same ones every time, of which Spark can run every part."""
    terms: dict[str, Term] = {}

    @seed(20130101)
    @settings(max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def grow(data: st.DataObject) -> None:
        expression = data.draw(any_trees(DEPTH))
        term = expand(expression, draw_state(data.draw, expression))
        if "spark" in find_engines([finite(term)]):
            terms[f"output_{len(terms)}"] = term

    grow()
    return terms


def test_random_expressions_agree_on_hard_values() -> None:
    random = Random(6)
    # Texts that an expression may join to themselves again and again; long ones meet every primitive elsewhere.
    hard = {
        name: [value for value in VALUES[type_] if not isinstance(value, str) or len(value) <= 1000]
        for name, type_ in COLUMNS.items()
    }
    rows = [{name: random.choice(values) for name, values in hard.items()} for _ in range(300)]
    terms = grow_trees(TREES)
    assert len(terms) > TREES * 0.9
    # One query: Spark's first steps cost more than the many later ones.
    evaluate_in_spark(terms, rows)


def test_the_service_of_this_repository_gives_its_golden_rows() -> None:
    (service,) = load_repository(ROOT).services.values()
    folder = generated_directory(ROOT, service.name)
    golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))["rows"]
    state = read_state(folder / "state.json").statistics
    terms = {feature.name: finite(expand(feature.expression, state)) for feature in service.features}
    columns = {term.name: term.type for term in walk(*terms.values()) if term.kind == "column"}
    inputs = [{name: from_json_value(row["inputs"][name], t.name) for name, t in columns.items()} for row in golden]
    expected = [
        {name: from_json_value(row["features"][name], term.type.name) for name, term in terms.items()} for row in golden
    ]
    assert differing_rows(expected, evaluate_in_spark(terms, inputs)) == []
