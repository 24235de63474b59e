"""One row through the generated function, against a dictionary function that a good engineer writes by hand."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import md5
from math import frexp, inf, ldexp, nan
from pathlib import Path
from typing import Any

from benchmarks.flights_log import departures
from skewcheck.demo.world import make_world
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name, scan_parquet
from skewcheck.generate.generation import load_row_module
from skewcheck.generate.golden import differing_rows
from skewcheck.language.clock import zone_table

GENERATED = Path(__file__).parent.parent / "codegen" / "departure_delay"
SAMPLE = 20_000
TIMED = 2_000
ROUNDS = 15
LIMIT = 1.2
IMPORT_LIMIT_SECONDS = 0.03

Row = Mapping[str, Any]
Function = Callable[[Row], dict[str, Any]]


def measure() -> list[tuple[str, float, float]]:
    """Two figures: a row's time over the hand-written function's, and the module's import over its limit.

    Raises:
        RuntimeError: The two do not give the same values, so that their times would not compare.
    """
    generated = load_row_module((GENERATED / "row.py").read_text(encoding="utf-8"))["transform_row"]
    by_hand = write_by_hand(json.loads((GENERATED / "state.json").read_text(encoding="utf-8"))["statistics"])
    rows = read_rows(list(load_row_module((GENERATED / "row.py").read_text(encoding="utf-8"))["COLUMNS"]))
    if differing := differing_rows([by_hand(row) for row in rows], [generated(row) for row in rows]):
        number, name = differing[0]
        raise RuntimeError(f"{name} differs on {rows[number]}: {by_hand(rows[number])[name]!r} by hand")
    ratios = [_time(generated, rows[:TIMED]) / _time(by_hand, rows[:TIMED]) for _ in range(ROUNDS)]
    return [
        ("row_function_over_hand_written", statistics.median(ratios), LIMIT),
        ("row_module_import_over_30_ms", _time_import() / IMPORT_LIMIT_SECONDS, 1.0),
    ]


def _time_import() -> float:
    """The best of several imports, each in a process of its own that has only the standard library."""
    script = (
        "import time; start = time.perf_counter(); import runpy; "
        f"runpy.run_path({str(GENERATED / 'row.py')!r}); print(time.perf_counter() - start)"
    )
    command = [sys.executable, "-I", "-S", "-c", script]
    runs = [subprocess.run(command, check=True, capture_output=True, text=True) for _ in range(5)]
    return min(float(run.stdout) for run in runs)


def read_rows(columns: list[str]) -> list[dict[str, Any]]:
    """Real flights with the weather of their hour, and a few rows with every kind of missing value."""
    world = make_world(GENERATED.parent.parent / "data")
    with open_session() as connection:
        table = connection.execute(
            f"SELECT {', '.join(quote_name(name) for name in columns)} "
            f"FROM {departures(world)} AS departures "
            f"LEFT JOIN {scan_parquet(str(world.weather))} AS weather ON weather.origin = departures.origin "
            "AND weather.event_timestamp = date_trunc('hour', departures.event_timestamp) "
            f"LEFT JOIN {scan_parquet(str(world.planes))} AS planes ON planes.tailnum = departures.tailnum "
            f"ORDER BY request_id LIMIT {SAMPLE}"
        ).to_arrow_table()
    rows = [{**row, "scheduled_departure": _in_utc(row["scheduled_departure"])} for row in table.to_pylist()]
    odd = [dict.fromkeys(columns), {**rows[0], **{name: nan for name in columns if isinstance(rows[0][name], float)}}]
    odd += [{**rows[0], name: None} for name in columns]
    return rows + odd + [{**rows[0], "temp": inf, "distance": -5.0}]


def _in_utc(value: datetime | None) -> datetime | None:
    """The instant with the standard library's own UTC, as a server would have it."""
    return None if value is None else value.astimezone(UTC)


def _time(function: Function, rows: list[dict[str, Any]]) -> float:
    start = time.perf_counter()
    for row in rows:
        function(row)
    return time.perf_counter() - start


def log1p(x: float) -> float | None:
    """The kernel of skewcheck's log1p, after fdlibm's s_log1p.c, as a function."""
    if not x > -1.0:
        return None
    total = x + 1.0
    exponent = frexp(total)[1] - 1
    mantissa = total * ldexp(1.0, -exponent)
    if mantissa > 1.4142135623730951:
        mantissa *= 0.5
        exponent += 1
    if exponent == 0:
        f, correction = x, 0.0
    else:
        lost = 1.0 - (total - x) if exponent > 1 else x - (total - 1.0)
        f, correction = mantissa - 1.0, lost / total
    half = 0.5 * f * f
    s = f / (f + 2.0)
    z = s * s
    w = z * z
    even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373))
    odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)))
    k = float(exponent)
    return k * 0.6931471803691238 - (
        (half - (s * (half + (even + odd)) + (k * 1.9082149292705877e-10 + correction))) - f
    )


def write_by_hand(state: Mapping[str, Mapping[str, Any]]) -> Function:
    """The flights features by hand, with skewcheck's rules for missing values and its kernels."""
    offset_edges, offsets = zone_table("America/New_York")
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    distance_log = state["distance.log1p().standardize()"]
    distance_range = state["distance.min_max()"]
    distance_edges = state["distance.quantile_bucket(buckets=10)"]["edges"]
    temp_median = state["temp.impute(strategy='median')"]["median"]
    temp_scale = state["temp.impute(strategy='median').standardize()"]
    pressure_mean = state["pressure.impute(strategy='mean')"]["mean"]
    pressure_scale = state["pressure.impute(strategy='mean').standardize()"]
    seats_median = state["seats.to_float().impute(strategy='median')"]["median"]
    seats_range = state["seats.to_float().impute(strategy='median').min_max()"]
    destinations = {name: code for code, name in enumerate(state["dest.vocabulary(size=60)"]["entries"], 1)}
    carriers = {name: code for code, name in enumerate(state["carrier.vocabulary()"]["entries"], 1)}
    sines = [0.0, 0.25881904510252074, 0.5, 0.7071067811865476, 0.8660254037844386, 0.9659258262890683, 1.0]
    sines = [*sines, *sines[5:0:-1]]
    sines += [-value for value in sines]
    cosines = sines[6:] + sines[:6]

    def number(value: float | None) -> float | None:
        return value if value is not None and -inf < value < inf else None

    def features(row: Row) -> dict[str, Any]:
        distance, duration = number(row["distance"]), number(row["scheduled_duration"])
        temp, dewp, humid = number(row["temp"]), number(row["dewp"]), number(row["humid"])
        wind, gust, pressure = number(row["wind_speed"]), number(row["wind_gust"]), number(row["pressure"])
        visibility, rain = number(row["visib"]), number(row["precip"])
        airport, dest, carrier = row["departure_airport"], row["dest"], row["carrier"]
        year, seats, departure = row["year"], row["seats"], row["scheduled_departure"]

        distance_z = distance_scaled = distance_bucket = speed = None
        if distance is not None:
            logarithm = log1p(distance)
            if logarithm is not None:
                distance_z = number((logarithm - distance_log["mean"]) / distance_log["std"])
            distance_scaled = number((distance - distance_range["minimum"]) / distance_range["range"])
            distance_bucket = bisect_right(distance_edges, distance)
            if duration is not None and duration != 0.0:
                speed = number(distance / duration)
        temp_or_median = temp_median if temp is None else temp
        celsius = None if temp is None else number(temp * 0.5555555555555556 + -17.77777777777778)
        pressure_or_mean = pressure_mean if pressure is None else pressure
        hour = day = age = sine = cosine = weekend = None
        if departure is not None:
            since = departure - epoch
            instant = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
            local = instant + offsets[bisect_right(offset_edges, instant)]
            hour = local // 3_600_000_000 % 24
            sine, cosine = sines[hour], cosines[hour]
            days = local // 86_400_000_000
            day = (days + 3) % 7
            weekend = day >= 5
            if year is not None:
                age = local_year(days) - year
        combined = None
        if carrier is not None and dest is not None:
            digest = md5(f"{carrier}\x1f{dest}".encode(), usedforsecurity=False).digest()
            combined = int.from_bytes(digest[:4], "big") % 512
        return {
            "distance_z": distance_z,
            "distance_scaled": distance_scaled,
            "distance_bucket": distance_bucket,
            "scheduled_speed": speed,
            "temperature_z": number((temp_or_median - temp_scale["mean"]) / temp_scale["std"]),
            "temperature_missing": temp is None,
            "freezing": None if celsius is None else celsius <= 0.0,
            "dew_point_spread": None if temp is None or dewp is None else number(temp - dewp),
            "wind_kilometres_per_hour": None if wind is None else number(wind * 1.609344),
            "gust_ratio": None if gust is None or wind is None or wind == 0.0 else number(gust / wind),
            "humidity": None if humid is None else (0.0 if humid < 0.0 else min(humid, 100.0)) / 100.0,
            "pressure_z": number((pressure_or_mean - pressure_scale["mean"]) / pressure_scale["std"]),
            "low_visibility": None if visibility is None else visibility < 3.0,
            "rain_log": None if rain is None else log1p(rain),
            "destination_code": None if dest is None else destinations.get(dest, 0),
            "carrier_code": None if carrier is None else carriers.get(carrier, 0),
            "carrier_destination": combined,
            "origin_one_hot": [float(airport == "EWR"), float(airport == "JFK"), float(airport == "LGA")],
            "departure_hour": hour,
            "departure_hour_sine": sine,
            "departure_hour_cosine": cosine,
            "departure_day": day,
            "departs_on_weekend": weekend,
            "plane_age": age,
            "plane_age_missing": age is None,
            "airline_delay": number(row["airline_delay_24h"]),
            "plane_flights": row["plane_flights_24h"],
            "seats_scaled": ((seats_median if seats is None else seats) - seats_range["minimum"])
            / seats_range["range"],
        }

    return features


def local_year(days: int) -> int:
    """The year of a day since 1970, by the calendar of the standard library."""
    return datetime.fromordinal(days + 719_163).year
