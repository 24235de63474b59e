"""A difference between engines is found, counted and measured."""

from __future__ import annotations

import math
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.language.terms import call, column, finite
from skewcheck.language.types import FLOAT64, STRING
from skewcheck.parity.running import Difference, compare, count_ulps, run_duckdb, run_python
from skewcheck.parity.subjects import Subject, make_subject
from skewcheck.parity.values import make_columns

X = column("x", FLOAT64)
INPUTS = make_columns({"x": FLOAT64}, 300, 1)


def subject_of(tolerance: float = 0.0) -> Subject:
    return replace(make_subject("half", {"x": FLOAT64}, {"result": finite(X * 0.5)}), tolerance=tolerance)


def differ(expected: list[object], found: list[object], tolerance: float = 0.0) -> Difference:
    inputs = pa.table({"x": pa.array([0.0] * len(expected))})
    tables = (pa.table({"result": pa.array(values)}) for values in (expected, found))
    return compare(subject_of(tolerance), inputs, *tables)


def test_engines_that_agree_do_not_differ() -> None:
    subject = subject_of()
    assert compare(subject, INPUTS, run_python(subject, INPUTS), run_duckdb(subject, INPUTS)) == Difference(300)


def test_an_engine_that_spells_something_else_is_found() -> None:
    subject = subject_of()
    query = subject.queries["duckdb"].replace("0.5e0", "0.5000000000000001e0")
    wrong = replace(subject, queries={"duckdb": query})
    found = compare(subject, INPUTS, run_python(subject, INPUTS), run_duckdb(wrong, INPUTS))
    assert found.differing > 100
    assert found.beyond == found.differing
    assert 0 < found.largest_ulp <= 2
    assert found.first is not None


@pytest.mark.parametrize(
    ("expected", "found", "differing", "ulps"),
    [
        ([1.0], [math.nextafter(1.0, 2.0)], 1, 1),
        ([0.0], [-0.0], 0, 0),
        ([None, 2.0], [1.0, 2.0], 1, 0),
        ([1.0, 2.0], [None, 2.0], 1, 0),
        ([None, 2.0], [None, 2.0], 0, 0),
        (["a"], ["b"], 1, 0),
        ([[1.0, 2.0]], [[1.0, math.nextafter(2.0, 3.0)]], 1, 1),
        ([[1.0, 2.0]], [[1.0]], 1, 0),
        ([5e-324], [-5e-324], 1, 2),
    ],
)
def test_what_differs_is_counted(expected: list[object], found: list[object], differing: int, ulps: int) -> None:
    difference = differ(expected, found)
    assert (difference.differing, difference.beyond, difference.largest_ulp) == (differing, differing, ulps)


def test_within_its_tolerance_a_number_differs_but_not_beyond_its_class() -> None:
    difference = differ([1.0, 1.0], [1.0 + 1e-12, 1.1], tolerance=1e-9)
    assert (difference.differing, difference.beyond) == (2, 1)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 1000))
def test_ulps_are_the_steps_from_one_number_to_the_other(start: float, steps: int) -> None:
    end = start
    for _ in range(steps):
        end = math.nextafter(end, math.inf)
    if math.isfinite(end):
        assert count_ulps(start, end) == count_ulps(end, start) == steps


def test_findings_add_up() -> None:
    total = Difference(10, 1, 1, 3) + Difference(20, 2, 0, 5, ({}, 1, 2))
    assert total == Difference(30, 3, 1, 5, ({}, 1, 2))


def test_text_is_compared_by_code_points() -> None:
    subject = make_subject("upper", {"s": STRING}, {"result": call("upper", column("s", STRING))})
    inputs = make_columns({"s": STRING}, 300, 1)
    assert compare(subject, inputs, run_python(subject, inputs), run_duckdb(subject, inputs)).differing == 0
