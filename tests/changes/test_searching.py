"""The search for a witness: it finds what a random search misses, and what it finds is small."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import skewcheck as sk
from skewcheck.changes.candidates import find_candidates
from skewcheck.changes.programs import expand_with, run_versions, work_through
from skewcheck.changes.searching import Sought, find_smallest
from skewcheck.generate.golden import same_value
from skewcheck.language.expressions import Expression
from skewcheck.language.terms import walk
from skewcheck.language.types import FLOAT64, INT64, STRING, TIMESTAMP, vector
from tests.both_engines import column

A, B = column("a", FLOAT64), column("b", FLOAT64)
N, S, T, V = column("n", INT64), column("s", STRING), column("t", TIMESTAMP), column("v", vector(2))


def find(old: Expression, new: Expression) -> dict[str, Any] | None:
    before, after = expand_with(old, {}), expand_with(new, {})
    types = {term.name: term.type for term in walk(before, after) if term.kind == "column"}
    run = run_versions(before, after)
    candidates = find_candidates(types, [before, after], [old, new])
    return find_smallest(Sought(lambda row: not same_value(*run(row)), candidates, (before, after)))


@pytest.mark.parametrize(
    ("old", "new", "witness"),
    [
        (A + 1, A + 2, {"a": 0.0}),
        (A >= 500, A > 500, {"a": 500.0}),
        (A < 500, math.nextafter(500, 501) > A, {"a": 500.0}),
        (A.fill(0.0), A.fill(-1.0), {"a": None}),
        (A.bucket([1.0, 7.3, 9.0]), A.bucket([1.0, 7.4, 9.0]), {"a": 7.3}),
        (A / B, A / (B + 0), None),
        (N.clip(0, 1000), N.clip(0, 1001), {"n": 1001}),
        (S == "gold", S.lower() == "gold", {"s": "GOLD"}),
        (S.one_hot(["FR", "DE"]), S.one_hot(["FR", "GB"]), {"s": "DE"}),
        (S.matches("^ab+c$"), S.matches("^ab*c$"), {"s": "ac"}),
        (S.lookup({"FR": 1.0}), S.lookup({"FR": 1.0}, default=0.0), {"s": "a"}),
        (S.multi_hot(["x", "y"], delimiter=";"), S.multi_hot(["x", "y"], delimiter=","), {"s": ";x"}),
        (V.element(0), V.element(1), {"v": [0.0, 1.0]}),
    ],
    ids=str,
)
def test_the_smallest_row_is_found(old: Expression, new: Expression, witness: dict[str, Any] | None) -> None:
    assert find(old, new) == witness


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (A.log1p() >= 3, A.log1p() > 3),
        (A * 100 >= 33333, A * 100 > 33333),
        (A * 3 + B > 7, A * 3 + B >= 7),
        ((A.log1p() * 1000).floor(), (A.log1p() * 1000 + 1e-12).floor()),
        ((A + B) + 1.0, A + (B + 1.0)),
        (A.round(2), A.round(3)),
        (T.hour("Europe/Paris"), T.hour("Europe/Amsterdam")),
        (T.hour("Asia/Kolkata"), T.hour("Asia/Colombo")),
        (T.is_weekend("Europe/Paris"), T.is_weekend("Europe/London")),
        (datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC) < T, datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC) <= T),
        (T.shift(3600) > datetime(2021, 1, 1, tzinfo=UTC), T.shift(3600) >= datetime(2021, 1, 1, tzinfo=UTC)),
        (T.is_holiday(["2024-12-25"], "Europe/Paris"), T.is_holiday(["2024-12-25"], "UTC")),
    ],
    ids=str,
)
def test_a_difference_at_one_edge_is_found(old: Expression, new: Expression) -> None:
    found = find(old, new)
    assert found is not None
    run = run_versions(expand_with(old, {}), expand_with(new, {}))
    assert not same_value(*run(found))


def test_the_same_search_finds_the_same_row() -> None:
    assert find(A.round(2), A.round(3)) == find(A.round(2), A.round(3))


def test_a_row_has_no_value_that_json_lacks() -> None:
    candidates = find_candidates({"a": FLOAT64, "t": TIMESTAMP}, [], [])
    assert all(value is None or math.isfinite(value) for value in candidates.columns["a"])
    assert candidates.columns["a"][0] == 0.0
    assert candidates.columns["a"][-1] is None


def test_candidates_hold_both_versions_constants_and_their_neighbours() -> None:
    edge = datetime(2024, 5, 6, tzinfo=UTC)
    expressions = [A > 7.25, S == "gold", edge < T, N + 41]
    terms = [expand_with(expression, {}) for expression in expressions]
    types = {"a": FLOAT64, "s": STRING, "t": TIMESTAMP, "n": INT64}
    values = find_candidates(types, terms, expressions).columns
    assert {7.25, math.nextafter(7.25, 0), math.nextafter(7.25, 8)} <= set(values["a"])
    assert {"gold", "GOLD", " gold "} <= set(values["s"])
    assert {edge, edge - timedelta(microseconds=1), edge + timedelta(microseconds=1)} <= set(values["t"])
    assert {40, 41, 42} <= set(values["n"])


RATE = 2.0


@sk.opaque
def picky(x: float) -> float:
    if x == 1234.5:
        raise ValueError("not this one")
    return x * RATE


def test_a_function_that_raises_is_a_difference() -> None:
    assert find(picky(A), A * 2) == {"a": 1234.5}


def test_every_step_is_worked_through() -> None:
    steps = work_through((A + 1) * B, {}, {"a": 1.0, "b": None})
    assert [(step.expression, step.value) for step in steps] == [("(a + 1.0)", 2.0), ("((a + 1.0) * b)", None)]
    assert work_through(A, {}, {"a": 1.0}) == ()
