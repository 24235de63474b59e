"""Values from tiles against the rule: the same as without, whatever the tiles' length, and however they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.engines.session import open_session
from skewcheck.engines.windows.duckdb import clean_events, measure_spans
from skewcheck.engines.windows.tiles import Tiling, compute_from_tiles, write_tiles
from skewcheck.language.windows.declaration import Windows
from skewcheck.language.windows.durations import SECOND
from skewcheck.language.windows.meaning import Event
from skewcheck.language.windows.window import CLOSED
from tests.engines.windows.test_duckdb import EVENTS, SOME
from tests.windowed import (
    ARROW,
    GRID,
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


def compute(
    windows: Windows, length: int, rows: Sequence[Row], asked: Sequence[tuple[Any, Any]]
) -> list[dict[str, Any]]:
    with open_session() as connection:
        connection.register("events", tabulate(rows))
        table = {
            "#place": pa.array(range(len(asked))),
            "#key.customer_id": pa.array([customer for customer, _ in asked], pa.int64()),
            "#at": pa.array([at for _, at in asked], pa.int64()),
        }
        connection.register("requests", pa.table(table))
        spans = measure_spans(connection, windows.features, clean_events(windows, windows.features, EVENTS))
        tiling = Tiling(windows, length, spans)
        connection.execute(f"CREATE TEMP TABLE tiles AS {write_tiles(tiling, EVENTS)}")
        names = [feature.name for feature in windows.features]
        return compute_from_tiles(
            connection, tiling, names, tiles="tiles", events=EVENTS, requests="requests"
        ).to_pylist()


def check(windows: Windows, length: int, rows: Sequence[Row], asked: Sequence[tuple[int, int]]) -> None:
    found = compute(windows, length, rows, asked)
    for (customer, at), row in zip(asked, found, strict=True):
        for feature in windows.features:
            expected = answer(feature, rows, customer, at)
            expected = to_instant(expected) if feature.type.name == "Timestamp" else expected
            assert same(row[feature.name], expected), (feature.name, customer, at - START, row[feature.name], expected)


LENGTHS = [SECOND // 2, SECOND - 1, SECOND, 2 * SECOND, 100 * SECOND]


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(CLOSED), st.sampled_from(LENGTHS), SOME, events(WILD_AMOUNTS, most=40), requests(most=20))
def test_values_from_tiles_are_what_the_rule_says(
    closed: str, length: int, names: list[str], rows: list[Row], asked: list[tuple[int, int]]
) -> None:
    check(declare(closed, names), length, rows, asked)


@pytest.mark.parametrize("closed", CLOSED)
@pytest.mark.parametrize("length", LENGTHS)
def test_no_edge_of_a_tile_is_mistaken_for_one_of_the_window(closed: str, length: int) -> None:
    values = dict.fromkeys(ARROW) | {"amount": 1.0}
    rows = [Row(1, Event(at, at, values)) for at in GRID]
    names = ["events_1s", "amounts_3s", "events_ever", "quiet_3s"]
    check(declare(closed, names), length, rows, [(1, at) for at in GRID])


def test_whole_tiles_are_read_instead_of_their_events() -> None:
    windows = declare(names=["sum_3s"])
    values = dict.fromkeys(ARROW) | {"amount": 1.0}
    rows = [Row(1, Event(at, at, values)) for at in GRID]
    with open_session() as connection:
        connection.register("events", tabulate(rows))
        connection.register("none", tabulate([]))
        connection.register(
            "requests", pa.table({"#place": [0], "#key.customer_id": [1], "#at": [START + 6 * SECOND + 1]})
        )
        tiling = Tiling(
            windows,
            SECOND,
            measure_spans(connection, windows.features, clean_events(windows, windows.features, EVENTS)),
        )
        connection.execute(f"CREATE TEMP TABLE tiles AS {write_tiles(tiling, EVENTS)}")
        without = EVENTS.replace("FROM events", "FROM none")
        found = compute_from_tiles(connection, tiling, ["sum_3s"], tiles="tiles", events=without, requests="requests")
    # Of the nine events in the window one is in the tile that its old edge cuts, and that one alone is not found.
    assert found.to_pylist() == [{"sum_3s": 8.0}]


def test_a_tile_with_an_event_that_is_not_yet_known_does_not_stand_for_its_events() -> None:
    values = dict.fromkeys(ARROW) | {"amount": 1.0}
    rows = [Row(1, Event(START, START, values)), Row(1, Event(START + 1, START + SECOND, values))]
    check(declare(names=["sum_3s", "sum_ever"]), SECOND, rows, [(1, START + at) for at in (0, 1, SECOND - 1, SECOND)])
