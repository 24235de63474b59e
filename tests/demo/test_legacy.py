"""The legacy service: without faults it has the bits of the generated code, and each fault touches what it should."""

from __future__ import annotations

import contextlib
import struct
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.demo import legacy
from skewcheck.demo.faults import FAULTS, Fault, planted_in
from skewcheck.demo.legacy import LegacyService, read_handover
from skewcheck.demo.serving import make_legacy_service
from skewcheck.generate.generation import load_row_module
from skewcheck.generate.manifest import read_manifest

if TYPE_CHECKING:
    from skewcheck.demo.world import World

CODEGEN = Path(__file__).parents[2] / "codegen" / "departure_delay"

# On the second of July a station was silent and the view poor, on the third there were gusts.
DAYS = "event_timestamp BETWEEN '2013-07-02' AND '2013-07-04'"

# What training reads: the values known at the time of the request.
POINT_IN_TIME = f"""
WITH landed AS (
    SELECT request_id, departures.airline = arrivals.airline AND departures.origin = arrivals.origin AS of_airline,
        departures.tailnum = arrivals.tailnum AS of_plane, arrivals.arrival_delay AS delay
    FROM departures JOIN arrivals
        ON (departures.airline = arrivals.airline OR departures.tailnum = arrivals.tailnum)
        AND arrivals.event_timestamp > departures.event_timestamp - INTERVAL 24 HOUR
        AND arrivals.event_timestamp <= departures.event_timestamp AND arrivals.created <= departures.event_timestamp
    WHERE departures.{DAYS} AND arrivals.event_timestamp BETWEEN '2013-07-01' AND '2013-07-04'
),
windows AS (
    SELECT request_id, avg(delay) FILTER (of_airline) AS airline_delay_24h,
        count(*) FILTER (of_plane) AS plane_flights_24h
    FROM landed GROUP BY request_id
)
SELECT departures.*, airline_delay_24h, coalesce(plane_flights_24h, 0) AS plane_flights_24h,
    weather.* EXCLUDE (origin, event_timestamp, created), planes.year, planes.seats,
    weather.event_timestamp AS weather_time
FROM departures
ASOF JOIN weather ON departures.origin = weather.origin AND departures.event_timestamp >= weather.created
LEFT JOIN planes USING (tailnum)
LEFT JOIN windows USING (request_id)
WHERE departures.{DAYS}
ORDER BY departures.event_timestamp, request_id
"""


@cache
def transform() -> Any:
    return load_row_module((CODEGEN / "row.py").read_text(encoding="utf-8"))["transform_row"]


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict[str, Any]]:
    with contextlib.closing(duckdb.connect()) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in ("departures", "weather", "planes", "arrivals"):
            connection.register(name, pq.read_table(getattr(world, name)))
        found = connection.sql(POINT_IN_TIME).to_arrow_table().to_pylist()
    assert len(found) > 1_900
    return found


@pytest.fixture(scope="module")
def expected(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [transform()(row) for row in rows]


STORE_FIELDS = (*legacy.WEATHER_FIELDS, *legacy.PLANE_FIELDS, *legacy.ARRIVAL_FIELDS)


def serve(world: World, rows: list[dict[str, Any]], faults: set[Fault]) -> list[legacy.Answer]:
    service = make_legacy_service(world, CODEGEN, faults)
    return [service.answer(row, row["event_timestamp"]) for row in rows]


def bits(value: Any) -> Any:
    """Equal for equal bits and types: -0.0 is not 0.0, and 1 is neither 1.0 nor True."""
    if isinstance(value, list):
        return [bits(item) for item in value]
    return struct.pack("<d", value) if isinstance(value, float) else (type(value).__name__, value)


def differing(served: list[legacy.Answer], expected: list[dict[str, Any]]) -> set[str]:
    assert len(served) == len(expected)
    return {
        name
        for answer, row in zip(served, expected, strict=True)
        for name in row.keys() | answer.features.keys()
        if bits(answer.features[name]) != bits(row[name])
    }


def test_without_faults_every_feature_has_the_bits_of_the_generated_code(world, rows, expected) -> None:
    assert differing(serve(world, rows, set()), expected) == set()


def test_without_faults_it_reads_what_is_known_at_the_time(world, rows) -> None:
    for answer, row in zip(serve(world, rows, set()), rows, strict=True):
        assert answer.store == {name: row[name] for name in STORE_FIELDS}
        assert answer.event_times["weather"] == row["weather_time"]
        assert (answer.event_times["plane"] is None) == (row["seats"] is None)


@pytest.mark.parametrize("planted", FAULTS, ids=lambda planted: planted.fault.name.lower())
def test_a_fault_alone_touches_exactly_its_features(planted, world, rows, expected) -> None:
    assert differing(serve(world, rows, {planted.fault}), expected) == set(planted.features)


@pytest.mark.parametrize("planted", FAULTS, ids=lambda planted: planted.fault.name.lower())
def test_a_fault_is_one_of_retrieval_exactly_if_the_values_read_explain_it(planted, world, rows) -> None:
    served = serve(world, rows, {planted.fault})
    over_what_was_read = [transform()({**row, **answer.store}) for answer, row in zip(served, rows, strict=True)]
    unexplained = differing(served, over_what_was_read)
    assert unexplained == (set() if planted.stage == "retrieval" else set(planted.features))


def test_all_faults_together_touch_what_each_of_them_touches(world, rows, expected) -> None:
    touched = {name for name in expected[0] if planted_in(name)}
    assert differing(serve(world, rows, set(Fault)), expected) == touched


def test_the_faults_are_on_unless_switched_off(world) -> None:
    assert LegacyService(read_handover(CODEGEN / "state.json"), [], [], [], []).faults == set(Fault)


def test_stale_weather_is_three_hours_behind_and_says_so(world, rows) -> None:
    fresh = serve(world, rows, set())
    stale = serve(world, rows, {Fault.STALE_WEATHER})
    assert {
        (new.event_times["weather"] - old.event_times["weather"]).total_seconds()
        for new, old in zip(fresh, stale, strict=True)
    } == {3 * 3600.0}


def test_it_logs_the_columns_that_the_features_read() -> None:
    columns = read_manifest(CODEGEN / "manifest.json").columns
    assert {column.name for column in columns if column.role == "store"} == {*STORE_FIELDS}
    assert {column.name for column in columns if column.role == "request"} == set(legacy.REQUEST_FIELDS)


@given(st.floats(0, 1e6))
def test_the_logarithm_it_was_handed_has_the_bits_of_the_generated_one(x: float) -> None:
    row = dict.fromkeys(load_row_module((CODEGEN / "row.py").read_text(encoding="utf-8"))["COLUMNS"])
    assert bits(legacy.log1p(x)) == bits(transform()({**row, "precip": x})["rain_log"])


def test_it_imports_nothing_that_computes_features_for_it() -> None:
    source = Path(legacy.__file__).read_text(encoding="utf-8")
    imported = {line.split()[1] for line in source.splitlines() if line.startswith(("from skewcheck", "import skew"))}
    assert imported == {"skewcheck.demo.faults"}
