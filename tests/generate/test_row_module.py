"""What the generated row functions accept, what they refuse, and how they say so."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from skewcheck.generate.generation import generate, load_row_module
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.declaring import PLACES, empty_state, make_service

COLUMNS = {"x": FLOAT64, "n": INT64, "b": BOOL, "s": STRING, "t": TIMESTAMP}
ROW = {"x": 1.5, "n": 3, "b": True, "s": "a", "t": datetime(2024, 1, 1, tzinfo=UTC)}


@pytest.fixture(scope="module")
def module() -> dict[str, Any]:
    service = make_service(
        COLUMNS,
        x_out=lambda x: x,
        n_out=lambda n: n,
        b_out=lambda b: b,
        s_out=lambda s: s,
        t_out=lambda t: t,
    )
    return load_row_module(generate(service, empty_state(service), PLACES, {}).files["row.py"])


INSTANT = datetime(2024, 1, 1, 5, tzinfo=timezone(timedelta(hours=5)))


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("x", None, None),
        ("x", math.nan, None),
        ("x", math.inf, None),
        ("x", -math.inf, None),
        ("x", 3, 3.0),
        ("n", None, None),
        ("n", math.nan, None),
        ("n", 3.0, 3),
        ("n", 2**63 - 1, 2**63 - 1),
        ("n", -(2**63), -(2**63)),
        ("b", None, None),
        ("b", False, False),
        ("s", None, None),
        ("s", "é😀\x00", "é😀\x00"),
        ("t", None, None),
        ("t", INSTANT, datetime(2024, 1, 1, tzinfo=UTC)),
        ("t", pd.Timestamp("2024-01-01", tz="UTC"), datetime(2024, 1, 1, tzinfo=UTC)),
        ("t", pd.NaT, None),
        ("t", datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_is_accepted_and_as_what(module: dict[str, Any], column: str, value: Any, expected: Any) -> None:
    found = module["transform_row"]({**ROW, column: value})[f"{column}_out"]
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("column", "value", "error", "expected"),
    [
        ("x", "1.5", TypeError, "a float"),
        ("x", True, TypeError, "a float"),
        ("x", Decimal("1.5"), TypeError, "a float"),
        ("x", 10**400, TypeError, "a float"),
        pytest.param("x", 10**5000, TypeError, "a float", id="x-too-long-to-print"),
        ("n", 1.5, TypeError, "a 64-bit int"),
        ("n", 2.0**53 + 2, TypeError, "a 64-bit int"),
        ("n", math.inf, TypeError, "a 64-bit int"),
        ("n", 2**63, TypeError, "a 64-bit int"),
        pytest.param("n", 10**5000, TypeError, "a 64-bit int", id="n-too-long-to-print"),
        ("n", True, TypeError, "a 64-bit int"),
        ("n", "3", TypeError, "a 64-bit int"),
        ("b", 1, TypeError, "a bool"),
        ("b", "true", TypeError, "a bool"),
        ("s", b"a", TypeError, "a str"),
        ("s", 1, TypeError, "a str"),
        ("s", "\ud800", ValueError, "lone surrogate"),
        ("t", 0, TypeError, "a datetime with a time zone"),
        ("t", "2024-01-01", TypeError, "a datetime with a time zone"),
        ("t", date(2024, 1, 1), TypeError, "a datetime with a time zone"),
        ("t", datetime(2024, 1, 1), ValueError, "no time zone"),  # noqa: DTZ001
    ],
)
def test_what_is_refused_names_the_column_and_what_was_expected(
    module: dict[str, Any], column: str, value: Any, error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=f"column {column}: .*") as caught:
        module["transform_row"]({**ROW, column: value})
    assert expected in str(caught.value)
    assert len(str(caught.value)) < 250


def test_an_absent_column_is_named(module: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="no column 's'; expected x, n, b, s, t"):
        module["transform_row"]({name: value for name, value in ROW.items() if name != "s"})


def test_further_columns_do_not_matter(module: dict[str, Any]) -> None:
    assert module["transform_row"]({**ROW, "other": object()}) == module["transform_row"](ROW)


def test_a_row_is_not_changed(module: dict[str, Any]) -> None:
    row = dict(ROW)
    module["transform_row"](row)
    assert row == ROW


def test_lists_are_computed_row_by_row(module: dict[str, Any]) -> None:
    rows = [ROW, dict.fromkeys(ROW), {**ROW, "x": 2.5}]
    inputs = {name: [row[name] for row in rows] for name in ROW}
    expected = [module["transform_row"](row) for row in rows]
    found = module["transform"](inputs)
    assert list(found) == list(module["FEATURES"])
    assert [{name: found[name][place] for name in found} for place in range(3)] == expected


def test_in_lists_a_time_without_a_zone_is_utc_as_everywhere_in_feast(module: dict[str, Any]) -> None:
    naive = datetime(2024, 1, 1)  # noqa: DTZ001
    inputs = {name: [value, value] for name, value in ROW.items()}
    found = module["transform"]({**inputs, "t": [naive, INSTANT]})
    assert found["t_out"] == [datetime(2024, 1, 1, tzinfo=UTC)] * 2


def test_no_rows_give_no_values(module: dict[str, Any]) -> None:
    assert module["transform"]({name: [] for name in ROW}) == {name: [] for name in module["FEATURES"]}


def test_lists_of_different_lengths_are_refused(module: dict[str, Any]) -> None:
    inputs = {name: [value] for name, value in ROW.items()}
    with pytest.raises(ValueError, match="shorter"):
        module["transform"]({**inputs, "s": []})


def test_the_module_says_what_it_reads_and_gives(module: dict[str, Any]) -> None:
    assert module["COLUMNS"] == tuple(ROW)
    assert module["FEATURES"] == ("x_out", "n_out", "b_out", "s_out", "t_out")
