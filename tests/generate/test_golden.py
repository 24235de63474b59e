"""Golden rows: made from a declaration's own constants, and compared bit for bit."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from skewcheck.generate.golden import ROWS, differing_rows, from_json_value, make_rows, same_value, to_json_value
from skewcheck.language.expressions import expand
from skewcheck.language.types import BOOL, FLOAT64, STRING, TIMESTAMP
from tests.declaring import make_service

NAN = math.nan


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1.0, 1.0, True),
        (1.0, math.nextafter(1.0, 2), False),
        (0.0, -0.0, True),
        (None, None, True),
        (None, 0.0, False),
        (None, False, False),
        (NAN, None, True),
        (NAN, NAN, True),
        (NAN, 0.0, False),
        ("a", "a", True),
        ("a", "A", False),
        ("", None, False),
        ([1.0, 2.0], [1.0, 2.0], True),
        ([1.0, 2.0], (1.0, 2.0), True),
        ([1.0, 2.0], [1.0], False),
        ([1.0, None], [1.0, NAN], True),
        ([1.0], None, False),
        (datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), True),
    ],
)
def test_two_values_are_the_same_one_bit_for_bit_and_missing_is_one_value(left: Any, right: Any, same: bool) -> None:
    assert same_value(left, right) is same
    assert same_value(right, left) is same


def test_what_differs_is_named_by_row_and_feature() -> None:
    expected = [{"a": 1.0, "b": "x"}, {"a": None, "b": "y"}]
    assert differing_rows(expected, expected) == []
    assert differing_rows(expected, [{"a": 1.0, "b": "z"}, {"a": 0.0, "b": "y"}]) == [(0, "b"), (1, "a")]


def test_a_different_number_of_rows_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        differing_rows([{"a": 1}], [])


@pytest.mark.parametrize(
    ("value", "type_name"),
    [(datetime(1, 1, 1, tzinfo=UTC), "Timestamp"), (None, "Timestamp"), (1.5, "Float64"), ([1.0], "Vector(1)")],
)
def test_a_value_is_read_back_from_json(value: Any, type_name: str) -> None:
    assert from_json_value(to_json_value(value), type_name) == value


def rows_of(**features: Any) -> list[dict[str, Any]]:
    service = make_service({"x": FLOAT64, "s": STRING, "b": BOOL, "t": TIMESTAMP}, **features)
    return make_rows({feature.name: expand(feature.expression, {}) for feature in service.features})


def test_both_sides_of_every_constant_are_among_the_rows() -> None:
    values = {row["x"] for row in rows_of(far=lambda x: x > 72.5, near=lambda x: x < 3.25)}
    for constant in (72.5, 3.25):
        assert {constant, math.nextafter(constant, -math.inf), math.nextafter(constant, math.inf)} <= values


def test_every_category_a_strange_one_and_a_missing_one_are_among_the_rows() -> None:
    values = {row["s"] for row in rows_of(hot=lambda s: s.one_hot(["EWR", "JFK"]), listed=lambda s: s.is_in(["LGA"]))}
    assert {"EWR", "JFK", "LGA", "", None} <= values


def test_values_of_different_columns_meet_in_different_combinations() -> None:
    rows = rows_of(both=lambda b, x: b & (x > 1.0), hour=lambda t: t.hour())
    assert len(rows) >= ROWS
    assert len({(row["b"], row["x"]) for row in rows}) > ROWS // 2
    assert {row["b"] for row in rows} == {True, False, None}


def test_the_rows_are_the_same_for_the_same_features() -> None:
    assert repr(rows_of(far=lambda x: x > 72.5)) == repr(rows_of(far=lambda x: x > 72.5))
