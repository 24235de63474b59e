"""Conversion to Arrow: values as they were, misfits isolated."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skewcheck.serving.rows import Conversion, LoggedRequest, RowConverter, split_by_hour
from skewcheck.serving.schema import LogSchema

# Hypothesis builds its table of Unicode once, in about a second; no deadline, and no complaint about that.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

TYPES = ("Float64", "Int64", "Bool", "String", "Timestamp", "Vector(2)")
SCHEMA = LogSchema("types", features={kind: kind for kind in TYPES})
NOON = datetime(2013, 7, 1, 12, tzinfo=UTC)


def log(features: dict[str, Any], requested_at: Any = NOON, request_id: Any = "r") -> LoggedRequest:
    return LoggedRequest(request_id, requested_at, features=features)


def convert(rows: list[LoggedRequest]) -> Conversion:
    return RowConverter(SCHEMA).convert(rows, host="web-1", process=7)


def read_bits(value: Any) -> Any:
    """A value that compares equal only to the same bits; every NaN is one."""
    if isinstance(value, float):
        return "nan" if value != value else struct.pack("<d", value)
    return [read_bits(item) for item in value] if isinstance(value, list) else value


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Float64": st.floats(),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "Bool": st.booleans(),
    "String": st.text(),
    "Timestamp": st.datetimes(timezones=st.just(UTC)),
    "Vector(2)": st.lists(st.floats() | st.none(), max_size=3),
}
MISFITS: dict[str, st.SearchStrategy[Any]] = {
    "Float64": st.text() | st.booleans() | st.just(2**53 + 1) | st.just(Decimal("0.1")) | st.just(pd.NA),
    "Int64": st.text() | st.booleans() | st.just(2**63) | st.just(-(2**80)) | st.just(1.5) | st.just(float("inf")),
    "Bool": st.integers() | st.text(),
    "String": st.integers() | st.binary() | st.just("\ud800"),
    "Timestamp": st.datetimes() | st.integers() | st.just("2013-07-01") | st.just(np.datetime64("2013-07-01")),
    "Vector(2)": st.text() | st.just([True]) | st.just(["1.0"]) | st.just(1.0) | st.just(np.ones((2, 2))),
}
ROWS = st.lists(st.fixed_dictionaries({}, optional={kind: VALUES[kind] | st.none() for kind in TYPES}), max_size=5)


@unhurried
@given(ROWS)
def test_every_value_arrives_as_it_was(rows: list[dict[str, Any]]) -> None:
    conversion = convert([log(row) for row in rows])
    assert not conversion.misfits
    for kind in TYPES:
        given_values = [read_bits(row.get(kind)) for row in rows]
        assert [read_bits(value) for value in conversion.table.column(f"feature.{kind}").to_pylist()] == given_values


@unhurried
@given(ROWS, ROWS, st.data())
def test_a_misfit_takes_out_its_own_row_and_no_other(
    before: list[dict[str, Any]], after: list[dict[str, Any]], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(TYPES))
    misfit = {kind: data.draw(MISFITS[kind])}
    alone = convert([log(row) for row in before + after])
    mixed = convert([log(row) for row in [*before, misfit, *after]])
    assert mixed.misfits == {f"feature.{kind}": 1}
    assert mixed.example is not None
    assert f"feature.{kind}" in mixed.example
    for column in alone.table.column_names:
        assert read_bits(mixed.table.column(column).to_pylist()) == read_bits(alone.table.column(column).to_pylist())


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("Float64", 3, 3.0),
        ("Float64", 2**60, float(2**60)),
        ("Float64", np.float32(0.1), float(np.float32(0.1))),
        ("Float64", np.int64(7), 7.0),
        ("Int64", 3.0, 3),
        ("Int64", np.uint8(3), 3),
        ("Int64", float("nan"), None),
        ("Bool", np.True_, True),
        ("Bool", float("nan"), None),
        ("String", np.str_("JFK"), "JFK"),
        ("String", float("nan"), None),
        ("Timestamp", pd.Timestamp("2013-07-01T12:00Z"), NOON),
        ("Timestamp", NOON.astimezone(timezone(timedelta(hours=-4))), NOON),
        ("Timestamp", pd.NaT, None),
        ("Vector(2)", (1, 2.5), [1.0, 2.5]),
        ("Vector(2)", np.array([1.5, 2.5], dtype="float32"), [1.5, 2.5]),
        ("Vector(2)", [np.float64(1.5), None], [1.5, None]),
    ],
)
def test_other_spellings_of_the_same_value_fit(kind: str, value: Any, expected: Any) -> None:
    conversion = convert([log({kind: value})])
    assert conversion.example is None
    assert conversion.table.column(f"feature.{kind}").to_pylist() == [expected]


@pytest.mark.parametrize("requested_at", [None, datetime(2013, 7, 1), "2013-07-01", pd.NaT])  # noqa: DTZ001
def test_a_row_needs_a_time_with_a_zone(requested_at: Any) -> None:
    conversion = convert([log({}, requested_at), log({}, NOON)])
    assert conversion.misfits == {"requested_at": 1}
    assert conversion.table.num_rows == 1


def test_an_object_that_cannot_even_be_shown_is_only_a_misfit() -> None:
    class Hostile:
        def __repr__(self) -> str:
            raise RuntimeError

        def __ne__(self, other: object) -> bool:
            raise RuntimeError

    conversion = convert([log({kind: Hostile()}) for kind in TYPES])
    assert conversion.misfits == {f"feature.{kind}": 1 for kind in TYPES}


def test_a_row_is_counted_once_however_many_values_do_not_fit() -> None:
    conversion = convert([log({"Float64": "x", "Int64": "y"})])
    assert conversion.misfits == {"feature.Float64": 1}


def test_unknown_names_are_counted_and_their_row_is_kept() -> None:
    conversion = convert([log({"Float64": 1.0, "windd": 2.0})])
    assert conversion.unknown == {"feature.windd": 1}
    assert conversion.table.column("feature.Float64").to_pylist() == [1.0]


def test_a_huge_string_fits() -> None:
    text = "é" * 5_000_000
    conversion = convert([log({"String": text})])
    assert conversion.table.column("feature.String").to_pylist() == [text]


@unhurried
@given(st.lists(st.datetimes(timezones=st.just(UTC)), max_size=8))
def test_rows_are_split_by_the_utc_hour_of_their_own_time(times: list[datetime]) -> None:
    table = convert([log({}, time) for time in times]).table
    parts = split_by_hour(table)
    assert sorted(time for _, part in parts for time in part.column("requested_at").to_pylist()) == sorted(times)
    assert len({folder for folder, _ in parts}) == len(parts)
    for folder, part in parts:
        for time in part.column("requested_at").to_pylist():
            assert folder == f"date={time.year:04d}-{time.month:02d}-{time.day:02d}/hour={time.hour:02d}"


def test_rows_of_an_hour_keep_their_order() -> None:
    hours = [1, 0, 1, 0]
    rows = [log({"Int64": place}, NOON + timedelta(hours=hour)) for place, hour in enumerate(hours)]
    parts = dict(split_by_hour(convert(rows).table))
    assert parts["date=2013-07-01/hour=12"].column("feature.Int64").to_pylist() == [1, 3]
    assert parts["date=2013-07-01/hour=13"].column("feature.Int64").to_pylist() == [0, 2]


def test_a_batch_without_rows_converts_to_a_table_without_rows() -> None:
    table = convert([]).table
    assert table.schema == SCHEMA.arrow()
    assert split_by_hour(table) == []
    assert isinstance(table, pa.Table)
