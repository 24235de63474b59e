"""DuckDB against the rule: every value of every aggregate is the same to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.engines.session import open_session
from skewcheck.engines.windows.duckdb import compute_windows
from skewcheck.language.windows.declaration import Windows
from skewcheck.language.windows.meaning import Event
from skewcheck.language.windows.window import CLOSED
from tests.windowed import (
    ARROW,
    BUILDERS,
    GRID,
    LATENESS,
    START,
    WILD_AMOUNTS,
    Row,
    answer,
    declare,
    events,
    requests,
    same,
    tabulate,
    to_instant,
)

EVENTS = """(SELECT customer_id AS "#key.customer_id", epoch_us(paid_at) AS "#event", epoch_us(created) AS "#created",
    amount, items, country, refunded, epoch_us(due) AS due FROM events)"""


def compute(windows: Windows, rows: Sequence[Row], asked: Sequence[tuple[Any, Any]]) -> list[dict[str, Any]]:
    with open_session() as connection:
        connection.register("events", tabulate(rows))
        table = {
            "#place": pa.array(range(len(asked))),
            "#key.customer_id": pa.array([customer for customer, _ in asked], pa.int64()),
            "#at": pa.array([at for _, at in asked], pa.int64()),
        }
        connection.register("requests", pa.table(table))
        names = [feature.name for feature in windows.features]
        return compute_windows(connection, windows, names, events=EVENTS, requests="requests").to_pylist()


def check(windows: Windows, rows: Sequence[Row], asked: Sequence[tuple[int, int]]) -> None:
    found = compute(windows, rows, asked)
    for (customer, at), row in zip(asked, found, strict=True):
        for feature in windows.features:
            expected = answer(feature, rows, customer, at)
            if feature.type.name == "Timestamp":
                expected = to_instant(expected)
            assert same(row[feature.name], expected), (feature.name, customer, at - START, row[feature.name], expected)


SOME = st.lists(st.sampled_from(list(BUILDERS)), min_size=1, max_size=12, unique=True)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(CLOSED), SOME, events(most=40), requests(most=20))
def test_every_aggregate_is_what_the_rule_says_at_every_edge(
    closed: str, names: list[str], rows: list[Row], asked: list[tuple[int, int]]
) -> None:
    check(declare(closed, names), rows, asked)


@settings(max_examples=25, deadline=None)
@given(events(WILD_AMOUNTS, most=40), requests(most=20))
def test_numbers_of_all_magnitudes_are_summed_exactly(rows: list[Row], asked: list[tuple[int, int]]) -> None:
    check(declare(names=["sum_3s", "mean_3s", "variance_ever", "deviation_1s", "items_variance_3s"]), rows, asked)


def test_all_features_at_once_share_what_they_have_in_common() -> None:
    rows = [
        Row(1, Event(at, at + late, {"amount": 0.1 * n, "items": n, "country": "FR", "refunded": True, "due": at}))
        for n, (at, late) in enumerate(zip(GRID, LATENESS * 3, strict=False))
    ]
    check(declare(), rows, [(customer, at) for customer in (1, 2) for at in GRID])


def test_a_request_without_a_key_or_an_instant_gets_nothing_not_even_a_count() -> None:
    row = Row(1, Event(START, START, dict.fromkeys(ARROW)))
    found = compute(declare(names=["events_1s", "events_ever", "countries_3s"]), [row], [(None, START), (1, None)])
    assert found == [{"events_1s": None, "events_ever": None, "countries_3s": None}] * 2


def paid(*amounts: float) -> list[Row]:
    return [Row(1, Event(START, START, {**dict.fromkeys(ARROW), "amount": amount})) for amount in amounts]


def test_minus_zero_is_zero() -> None:
    names = ["sum_3s", "min_3s", "max_ever", "first_3s", "last_two_3s", "median_3s", "different_amounts_3s"]
    check(declare(names=names), paid(-0.0, -0.0), [(1, START)])
    check(declare(names=names), paid(0.0, -0.0), [(1, START)])


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("rest", [0.0, 2.0**-63, -(2.0**-63)])
def test_a_sum_is_rounded_to_the_nearest_and_a_tie_to_even(sign: float, rest: float) -> None:
    windows = declare(names=["sum_3s", "mean_3s"])
    for amounts in ([1.0, 2.0**-53, rest], [1.0 + 2.0**-52, 2.0**-53, rest]):
        check(windows, paid(*(sign * amount for amount in amounts)), [(1, START)])
