"""Counting in one query agrees with counting row by row in Python."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.engines.session import open_session
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, Type, vector
from skewcheck.replay.comparison import Counted, Sides, compare
from skewcheck.verdict import plain_value

START = datetime(2024, 1, 1, tzinfo=UTC)

FLOATS = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 2**-52, -1.5, 1e308, -1e308, 5e-324, math.inf, math.nan]) | st.floats()
KINDS: dict[Type, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    FLOAT64: (pa.float64(), FLOATS),
    INT64: (pa.int64(), st.integers(-3, 3) | st.sampled_from([2**53, 2**53 + 1, -(2**63), 2**63 - 1])),
    BOOL: (pa.bool_(), st.booleans()),
    STRING: (pa.string(), st.sampled_from(["", "a", "A", "a ", "\x00", "é", "e\u0301", "😀"])),
    vector(2): (pa.list_(pa.float64()), st.lists(st.sampled_from([0.0, 1.0, 0.1]), min_size=2, max_size=2)),
}


def compare_values(type_: Type, pairs: list[tuple[Any, Any]], *, tolerance: float = 0.0, samples: int = 3) -> Counted:
    kind = KINDS[type_][0]
    table = pa.table(
        {
            "log.request_id": [str(place) for place in range(len(pairs))],
            "log.requested_at": pa.array(
                [START + timedelta(seconds=place) for place in range(len(pairs))], pa.timestamp("us", tz="UTC")
            ),
            "served": pa.array([served for served, _ in pairs], kind),
            "replayed": pa.array([replayed for _, replayed in pairs], kind),
        }
    )
    with open_session() as connection:
        connection.register("pairs", table)
        sides = Sides("x", "transform", "served", "replayed", type_, tolerance)
        return compare(connection, "SELECT * FROM pairs", [sides], samples=samples)


def known(value: Any) -> Any:
    """The value, None where it is missing: null or NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


@given(st.data(), st.sampled_from(list(KINDS)))
def test_counts_agree_with_a_row_by_row_definition(data: st.DataObject, type_: Type) -> None:
    values = st.none() | KINDS[type_][1]
    pairs = data.draw(st.lists(st.tuples(values, values), max_size=30))
    different = [(a, b) for a, b in pairs if known(a) != known(b)]
    (found,) = compare_values(type_, pairs).comparisons
    assert (found.compared, found.mismatched) == (len(pairs), len(different))
    assert found.served_missing == sum(known(a) is None for a, _ in different)
    assert found.replayed_missing == sum(known(b) is None for _, b in different)
    assert [(s.served, s.replayed) for s in found.samples] == [
        (plain_value(a), plain_value(b)) for a, b in different[:3]
    ]
    numbers = (
        [abs(float(a) - float(b)) for a, b in different if None not in {known(a), known(b)}]
        if type_ in {FLOAT64, INT64}
        else []
    )
    assert found.max_absolute_difference == (max(numbers) if numbers else None)


def test_zero_has_one_value() -> None:
    assert compare_values(FLOAT64, [(0.0, -0.0)]).comparisons[0].mismatched == 0


def test_one_unit_in_the_last_place_is_a_mismatch_without_a_tolerance() -> None:
    assert compare_values(FLOAT64, [(1.0, math.nextafter(1.0, 2.0))]).comparisons[0].mismatched == 1


@pytest.mark.parametrize(
    ("served", "replayed", "mismatched"),
    [
        (1.0, 1.0 + 1e-10, 0),
        (1.0, 1.0 + 1e-8, 1),
        (0.0, 1e-300, 1),
        (None, 1.0, 1),
        (math.inf, 1.0, 1),
        (math.inf, math.inf, 0),
        (-1.0, 1.0, 1),
    ],
)
def test_a_tolerance_is_relative_to_the_larger_number(served: Any, replayed: Any, mismatched: int) -> None:
    assert compare_values(FLOAT64, [(served, replayed)], tolerance=1e-9).comparisons[0].mismatched == mismatched


@pytest.mark.parametrize(
    ("served", "replayed", "mismatched"),
    [([1.0, 2.0], [1.0, 2.0 + 1e-10], 0), ([1.0, 2.0], [1.0, 2.1], 1), ([1.0], [1.0, 2.0], 1), (None, [1.0], 1)],
)
def test_a_tolerance_holds_for_every_element_of_a_vector(served: Any, replayed: Any, mismatched: int) -> None:
    assert compare_values(vector(2), [(served, replayed)], tolerance=1e-9).comparisons[0].mismatched == mismatched


@pytest.mark.parametrize(
    ("served", "replayed", "mismatched"),
    [([None, 2.0], [1.0, 2.0], 1), ([1.0, 2.0], [1.0, None], 1), ([None, 2.0], [None, 2.0 + 1e-10], 0)],
)
def test_a_tolerance_does_not_forgive_a_missing_element(served: Any, replayed: Any, mismatched: int) -> None:
    assert compare_values(vector(2), [(served, replayed)], tolerance=1e-9).comparisons[0].mismatched == mismatched


@pytest.mark.parametrize(
    ("microseconds", "said"),
    [
        (-62_135_596_800_000_001, "0000-12-31T23:59:59.999999Z"),
        (253_402_300_800_000_000, "10000-01-01T00:00:00Z"),
        (2**63 - 1, None),
    ],
)
def test_a_mismatch_at_a_time_that_python_cannot_hold_is_shown(microseconds: int, said: str | None) -> None:
    table = pa.table(
        {
            "log.request_id": ["a"],
            "log.requested_at": pa.array([microseconds]).cast(pa.timestamp("us", tz="UTC")),
            "served": [1],
            "replayed": [2],
        }
    )
    with open_session() as connection:
        connection.register("pairs", table)
        counted = compare(connection, "SELECT * FROM pairs", [Sides("x", "transform", "served", "replayed", INT64)])
    assert counted.comparisons[0].samples[0].requested_at == said
    assert counted.first == said


def test_samples_of_one_instant_are_the_same_whatever_the_threads_and_the_order_of_rows() -> None:
    count = 200_000
    instant = pa.array([START] * count, pa.timestamp("us", tz="UTC"))
    places = list(range(count))
    shown = []
    for threads, order in ((1, places), (4, places[::-1])):
        table = pa.table({"log.request_id": pa.nulls(count, pa.string()), "log.requested_at": instant})
        table = table.append_column("served", pa.array(order)).append_column("replayed", pa.array([-1] * count))
        with open_session() as connection:
            connection.execute(f"SET threads = {threads}")
            connection.register("pairs", table)
            sides = [Sides("x", "transform", "served", "replayed", INT64)]
            shown.append(compare(connection, "SELECT * FROM pairs", sides).comparisons[0].samples)
    assert shown[0] == shown[1]


def test_the_span_and_the_mismatches_are_dated() -> None:
    counted = compare_values(INT64, [(1, 1), (1, 2), (1, 3), (1, 1)])
    assert (counted.rows, counted.first, counted.last) == (4, "2024-01-01T00:00:00Z", "2024-01-01T00:00:03Z")
    assert counted.comparisons[0].first_mismatch == "2024-01-01T00:00:01Z"
    assert counted.comparisons[0].last_mismatch == "2024-01-01T00:00:02Z"


def test_nothing_to_compare_counts_nothing() -> None:
    counted = compare_values(INT64, [])
    assert (counted.rows, counted.first) == (0, None)
    assert counted.comparisons[0].mismatch_rate == 0.0


def test_a_very_long_text_is_shown_cut_with_its_length() -> None:
    (sample,) = compare_values(STRING, [("é" * 50_000, "short")]).comparisons[0].samples
    assert (sample.served, sample.replayed) == ("é" * 1000 + "… (50,000 characters)", "short")
