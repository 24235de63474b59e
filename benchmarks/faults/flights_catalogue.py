"""Wrong services for the flights' features, one fault each: what is served of a flight, by hand.

A service is given what was read, the numbers handed over from training, and the right value, which it may spoil.
"""

from __future__ import annotations

import math
import zlib
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from hashlib import md5, sha256
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from skewcheck.demo.legacy import AIRPORTS, Handover, log1p

KILOMETRES = 1.609344
NEW_YORK, CHICAGO = ZoneInfo("America/New_York"), ZoneInfo("America/Chicago")


@dataclass(frozen=True, slots=True)
class Flight:
    """What a service has at hand.

    Attributes:
        row: What was read: inputs and columns of the store.
        n: The numbers handed over from training.
        right: What should be served.
    """

    row: Mapping[str, Any]
    n: Handover
    right: Any

    def __getitem__(self, name: str) -> Any:
        """A value that was read."""
        return self.row[name]


Serve = Callable[[Flight], Any]


@dataclass(frozen=True)
class FlightFault:
    """One fault of one feature of the flights.

    Attributes:
        feature: The feature.
        name: What is wrong, in words.
        kind: The kind of cause that it is.
        serve: What is served.
        truth: For a path through the cause's parameters the number that has to be found.
        also: Other kinds that are as true.
    """

    feature: str
    name: str
    kind: str
    serve: Serve
    truth: Mapping[str, float] | None = None
    also: tuple[str, ...] = ()


def _spoil(function: Callable[[Any], Any]) -> Serve:
    """A service that spoils a value that is there."""
    return lambda f: None if f.right is None else function(f.right)


def _fill(value: Any) -> Serve:
    """A service that has a value where there is none."""
    return lambda f: value if f.right is None else f.right


def _in_zone(read: Callable[[Any], Any], zone: Any) -> Serve:
    return lambda f: read(f["scheduled_departure"].astimezone(zone))


def _hash(f: Flight, number: Callable[[bytes], int], buckets: int = 512) -> int:
    return number(f"{f['carrier']}\x1f{f['dest']}".encode()) % buckets


def _md5(raw: bytes) -> int:
    return int.from_bytes(md5(raw, usedforsecurity=False).digest()[:4], "big")


def _temperature(f: Flight, fill: float, to: Callable[[float], float] = float) -> float:
    temp = fill if f["temp"] is None else to(f["temp"])
    return (temp - f.n.temperature_mean) / f.n.temperature_deviation


def _code(f: Flight, entries: Sequence[str], unseen: int = 0) -> int:
    return entries.index(f["dest"]) + 1 if f["dest"] in entries else unseen


FLIGHT_FAULTS: tuple[FlightFault, ...] = (
    FlightFault(
        "distance_z",
        "statistics of another month",
        "statistics",
        lambda f: (log1p(f["distance"]) - f.n.log_distance_mean - 0.1) / (f.n.log_distance_deviation * 0.9),
    ),
    FlightFault("distance_z", "32 bits", "precision", _spoil(lambda x: float(np.float32(x)))),
    FlightFault(
        "distance_z",
        "no logarithm",
        "operator_dropped",
        lambda f: (f["distance"] - f.n.log_distance_mean) / f.n.log_distance_deviation,
    ),
    FlightFault(
        "distance_scaled",
        "kilometres",
        "unit",
        lambda f: (f["distance"] * KILOMETRES - f.n.distance_minimum) / f.n.distance_range,
        {"factor": KILOMETRES},
    ),
    FlightFault("distance_scaled", "held between 0 and 0.5", "clip", _spoil(lambda x: min(x, 0.5))),
    FlightFault(
        "distance_bucket",
        "closed on the right",
        "bucket_edge",
        lambda f: bisect_left(f.n.distance_edges, f["distance"]),
    ),
    FlightFault("scheduled_speed", "a second for a minute", "unit", _spoil(lambda x: x / 60), {"factor": 60.0}),
    FlightFault(
        "scheduled_speed",
        "upside down",
        "swapped_column",
        lambda f: None if f.right is None else f["scheduled_duration"] / f["distance"],
    ),
    FlightFault("temperature_z", "missing as 0", "default", lambda f: _temperature(f, 0.0)),
    FlightFault(
        "temperature_z",
        "in degrees Celsius",
        "unit",
        lambda f: _temperature(f, f.n.temperature_median, lambda x: (x - 32) / 1.8),
    ),
    FlightFault("temperature_missing", "never", "default", lambda _: False, also=("constant",)),
    FlightFault(
        "freezing",
        "threshold of 0 in Fahrenheit for 70",
        "constant",
        lambda f: None if f["temp"] is None else f["temp"] <= 70,
        also=("unit", "operator_dropped", "bucket_edge"),
    ),
    FlightFault("dew_point_spread", "rounded", "rounding", _spoil(lambda x: float(np.round(x)))),
    FlightFault(
        "dew_point_spread",
        "the other way round",
        "swapped_column",
        lambda f: None if f.right is None else f["dewp"] - f["temp"],
        also=("operator_added", "unit"),
    ),
    FlightFault(
        "wind_kilometres_per_hour",
        "left in miles",
        "unit",
        lambda f: f["wind_speed"],
        also=("operator_dropped",),
    ),
    FlightFault("gust_ratio", "0 without gusts", "default", _fill(0.0), {"serving": 0.0}),
    FlightFault("gust_ratio", "never served", "not_served", lambda _: None),
    FlightFault("humidity", "in percent", "unit", lambda f: f["humid"], also=("operator_dropped", "constant")),
    FlightFault(
        "pressure_z",
        "missing as 1013.25",
        "default",
        lambda f: ((1013.25 if f["pressure"] is None else f["pressure"]) - f.n.pressure_mean) / f.n.pressure_deviation,
        {"serving": 1013.25},
    ),
    FlightFault(
        "pressure_z",
        "times one over the deviation",
        "environment",
        lambda f: (
            ((f.n.pressure_fill if f["pressure"] is None else f["pressure"]) - f.n.pressure_mean)
            * (1 / f.n.pressure_deviation)
        ),
    ),
    FlightFault(
        "low_visibility",
        "at three miles too",
        "bucket_edge",
        lambda f: None if f["visib"] is None else f["visib"] <= 3,
    ),
    FlightFault(
        "low_visibility",
        "below five miles",
        "constant",
        lambda f: None if f["visib"] is None else f["visib"] < 5,
        also=("bucket_edge",),
    ),
    FlightFault("rain_log", "no logarithm", "operator_dropped", lambda f: f["precip"]),
    FlightFault(
        "rain_log", "rounded to 2 decimals", "rounding", _spoil(lambda x: float(np.round(x, 2))), {"decimals": 2}
    ),
    FlightFault(
        "destination_code",
        "in the order of the alphabet",
        "recode",
        lambda f: _code(f, sorted(f.n.destinations)),
    ),
    FlightFault(
        "destination_code",
        "unknown as -1",
        "out_of_vocabulary",
        lambda f: _code(f, f.n.destinations, -1),
    ),
    FlightFault("carrier_code", "counted from 0", "recode", lambda f: f.n.carriers.index(f["carrier"])),
    FlightFault("carrier_destination", "256 buckets", "hash", lambda f: _hash(f, _md5, 256), {"buckets": 256}),
    FlightFault("carrier_destination", "CRC-32", "hash", lambda f: _hash(f, zlib.crc32)),
    FlightFault(
        "carrier_destination",
        "SHA-256",
        "hash",
        lambda f: _hash(f, lambda raw: int(sha256(raw).hexdigest(), 16)),
    ),
    FlightFault(
        "origin_one_hot",
        "in another order",
        "recode",
        lambda f: [float(f["departure_airport"] == one) for one in reversed(AIRPORTS)],
    ),
    FlightFault("departure_hour", "in UTC", "timezone", _in_zone(lambda at: at.hour, UTC)),
    FlightFault("departure_hour", "in Chicago", "timezone", _in_zone(lambda at: at.hour, CHICAGO)),
    FlightFault(
        "departure_hour_sine",
        "in UTC",
        "timezone",
        _in_zone(lambda at: math.sin(2 * math.pi * at.hour / 24), UTC),
    ),
    FlightFault("departure_day", "Monday is 1", "recode", _in_zone(lambda at: at.isoweekday(), NEW_YORK)),
    FlightFault("departure_day", "in UTC", "timezone", _in_zone(lambda at: at.weekday(), UTC)),
    FlightFault("departs_on_weekend", "in UTC", "timezone", _in_zone(lambda at: at.weekday() >= 5, UTC)),
    FlightFault("plane_age", "missing as 0", "default", _fill(0), {"serving": 0.0}),
    FlightFault("plane_age_missing", "never", "default", lambda _: False, also=("constant",)),
    FlightFault(
        "seats_scaled",
        "statistics of a fleet of small planes",
        "statistics",
        lambda f: (
            ((f.n.seats_median if f["seats"] is None else f["seats"]) - f.n.seats_minimum) / (f.n.seats_range * 0.5)
        ),
    ),
    FlightFault("airline_delay", "cut to whole minutes", "cast", _spoil(lambda x: float(int(x))), also=("rounding",)),
    FlightFault("airline_delay", "in hours", "unit", _spoil(lambda x: x / 60), also=("operator_added",)),
    FlightFault("plane_flights", "at most 1", "clip", _spoil(lambda x: min(x, 1)), {"high": 1.0}),
)
"""One fault each; every feature but two has at least one."""
