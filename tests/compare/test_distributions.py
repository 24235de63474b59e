"""Distances between the distributions of two tables' columns."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.compare.comparing import column, compare, table


def test_a_column_of_categories_has_the_distances_of_its_counts() -> None:
    trained = table(x=["a"] + ["b"] * 2 + ["c"] * 7)
    served = table(x=["a"] * 3 + ["b"] + ["c"] * 6)
    distances = column(compare(trained, served, distributions=True)).distances
    assert distances["linf"] == pytest.approx(0.2)
    assert distances["nad"] == pytest.approx(0.1)
    assert 0 < distances["jsd"] < 1
    assert distances["psi"] > 0


def test_a_column_of_numbers_has_a_bin_for_what_is_missing() -> None:
    values = [float(row % 1000) for row in range(20_000)]
    lacking = [None if row // 1000 == 7 else value for row, value in enumerate(values)]
    found = column(compare(table(x=values), table(x=lacking), distributions=True)).distances
    assert found["psi"] == pytest.approx(0.312673608831)
    assert found["ks"] == 0.0


def test_distributions_need_no_shared_row_and_do_not_decide_the_verdict() -> None:
    a, b = table(id=[1, 2], x=[1.0, 2.0]), table(id=[3, 4], x=[1.0, 2.0])
    findings = compare(a, b, distributions=True)
    assert (findings.exit_code, column(findings).distances) == (3, {"psi": 0.0, "ks": 0.0})
    other = compare(table(x=[1.0, 2.0]), table(x=[2.0, 1.0]), distributions=True)
    assert (other.exit_code, column(other).distances) == (1, {"psi": 0.0, "ks": 0.0})


def test_types_without_a_common_value_have_no_distance() -> None:
    assert column(compare(table(x=[1.0]), table(x=["1"]), distributions=True)).distances == {}
    empty = pa.table({"id": pa.array([], pa.int64()), "x": pa.array([], pa.float64())})
    assert column(compare(empty, table(x=[1.0]), distributions=True)).distances == {}
