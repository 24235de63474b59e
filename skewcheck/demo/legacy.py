"""The legacy service: the same features, written a second time by another team. Part of the demo.

It stands for the code that most companies have: plain Python, its own cache of the weather, the planes and the
arrivals, constants handed over by the people who trained the model. It knows nothing of declarations, generated code or
hashes. Six faults are in it (`skewcheck.demo.faults`), and each can be switched off: without any, every feature has the
bits that the generated code gives it.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections import Counter, defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from skewcheck.demo.faults import Fault

NEW_YORK = ZoneInfo("America/New_York")
AIRPORTS = ("EWR", "JFK", "LGA")
KILOMETRES_PER_MILE = 1.609344
DESTINATIONS = 60
RECENT_REQUESTS = 500
STALENESS = timedelta(hours=3)
DAY = timedelta(hours=24)

WEATHER_FIELDS = ("temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib")
PLANE_FIELDS = ("year", "seats")
ARRIVAL_FIELDS = ("airline_delay_24h", "plane_flights_24h")
REQUEST_FIELDS = ("carrier", "departure_airport", "dest", "distance", "scheduled_departure", "scheduled_duration")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Handover:
    """The numbers that the team was given when the model was trained."""

    log_distance_mean: float
    log_distance_deviation: float
    distance_minimum: float
    distance_range: float
    distance_edges: tuple[float, ...]
    temperature_median: float
    temperature_mean: float
    temperature_deviation: float
    pressure_fill: float
    pressure_mean: float
    pressure_deviation: float
    seats_median: float
    seats_minimum: float
    seats_range: float
    destinations: tuple[str, ...]
    carriers: tuple[str, ...]


def read_handover(state: Path) -> Handover:
    """The numbers in the file that training froze them in."""
    frozen = json.loads(state.read_text(encoding="utf-8"))["statistics"]
    distance = frozen["distance.log1p().standardize()"]
    span = frozen["distance.min_max()"]
    temperature = frozen["temp.impute(strategy='median').standardize()"]
    pressure = frozen["pressure.impute(strategy='mean').standardize()"]
    seats = frozen["seats.to_float().impute(strategy='median').min_max()"]
    return Handover(
        log_distance_mean=distance["mean"],
        log_distance_deviation=distance["std"],
        distance_minimum=span["minimum"],
        distance_range=span["range"],
        distance_edges=tuple(frozen["distance.quantile_bucket(buckets=10)"]["edges"]),
        temperature_median=frozen["temp.impute(strategy='median')"]["median"],
        temperature_mean=temperature["mean"],
        temperature_deviation=temperature["std"],
        pressure_fill=frozen["pressure.impute(strategy='mean')"]["mean"],
        pressure_mean=pressure["mean"],
        pressure_deviation=pressure["std"],
        seats_median=frozen["seats.to_float().impute(strategy='median')"]["median"],
        seats_minimum=seats["minimum"],
        seats_range=seats["range"],
        destinations=tuple(frozen["dest.vocabulary(size=60)"]["entries"]),
        carriers=tuple(frozen["carrier.vocabulary()"]["entries"]),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service did for one request: the values it read, of what time they were, and the features."""

    store: dict[str, Any]
    event_times: dict[str, datetime | None]
    features: dict[str, Any]


class LegacyService:
    """Answers requests in the order in which they come.

    Args:
        handover: The numbers from training.
        readings: Rows of the weather, each with `origin`, `created` and `event_timestamp`.
        planes: Rows of the planes, each with `tailnum` and `event_timestamp`.
        arrivals: Rows of the arrivals, each with `airline`, `origin`, `tailnum`, `arrival_delay`, `event_timestamp` and
            `created`.
        last_month: The destination of every flight of the month before; the team's vocabulary is built on it.
        faults: Which faults are in the code.
    """

    def __init__(
        self,
        handover: Handover,
        readings: Iterable[Row],
        planes: Iterable[Row],
        arrivals: Iterable[Row],
        last_month: Sequence[str],
        faults: Collection[Fault] = frozenset(Fault),
    ) -> None:
        self.numbers = handover
        self.faults = frozenset(faults)
        self._weather = {(row["origin"], row["created"]): row for row in readings}
        self._planes = {row["tailnum"]: row for row in planes}
        self._carriers = {carrier: place for place, carrier in enumerate(handover.carriers, start=1)}
        names: Iterable[str] = handover.destinations
        if Fault.OTHER_VOCABULARY in self.faults:
            names = [name for name, _ in Counter(last_month).most_common(DESTINATIONS)]
        self._destinations = {name: place for place, name in enumerate(names, start=1)}
        self._recent: deque[float] = deque(maxlen=RECENT_REQUESTS)
        self._arrivals: dict[Any, list[tuple[datetime, datetime, float]]] = defaultdict(list)
        for row in sorted(arrivals, key=lambda row: row["event_timestamp"]):
            for key in ((row["airline"], row["origin"]), row["tailnum"]):
                self._arrivals[key].append((row["event_timestamp"], row["created"], row["arrival_delay"]))

    def answer(self, request: Row, now: datetime) -> Answer:
        """The features of a request, which has the keys `origin` and `tailnum` and REQUEST_FIELDS."""
        reading = self._weather.get((request["origin"], self._published(now)), {})
        plane = self._planes.get(request["tailnum"], {})
        delays = self._landed((request["airline"], request["origin"]), now)
        arrivals = {
            "airline_delay_24h": sum(delays) / len(delays) if delays else None,
            "plane_flights_24h": len(self._landed(request["tailnum"], now)),
        }
        store = {name: reading.get(name) for name in WEATHER_FIELDS} | {name: plane.get(name) for name in PLANE_FIELDS}
        hour = now.replace(minute=0, second=0, microsecond=0)
        return Answer(
            store=store | arrivals,
            event_times={
                "weather": reading.get("event_timestamp"),
                "plane": plane.get("event_timestamp"),
                "airline_arrivals": hour,
                "plane_arrivals": hour,
            },
            features={
                **self._describe_distance(request),
                **self._describe_weather(reading),
                **self._describe_route(request),
                **self._describe_time(request["scheduled_departure"]),
                **self._describe_plane(request["scheduled_departure"], plane),
                "airline_delay": arrivals["airline_delay_24h"],
                "plane_flights": arrivals["plane_flights_24h"],
            },
        )

    def _landed(self, key: Any, now: datetime) -> list[float]:
        """The delays of the flights of the last 24 hours by the schedule that have landed."""
        flights = self._arrivals.get(key, [])
        first = bisect_right(flights, now - DAY, key=_scheduled)
        last = bisect_right(flights, now, key=_scheduled)
        return [delay for _, published, delay in flights[first:last] if published <= now]

    def _published(self, now: datetime) -> datetime:
        """When the reading that the cache holds was published: readings come on the hour."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        return hour - STALENESS if Fault.STALE_WEATHER in self.faults else hour

    def _describe_distance(self, request: Row) -> dict[str, Any]:
        numbers = self.numbers
        duration = request["scheduled_duration"]
        profile = request["distance"]
        if Fault.KILOMETRES in self.faults:
            profile = profile * KILOMETRES_PER_MILE
        return {
            "distance_z": self._standardise(log1p(request["distance"])),
            "distance_scaled": (profile - numbers.distance_minimum) / numbers.distance_range,
            "distance_bucket": bisect_right(numbers.distance_edges, profile),
            "scheduled_speed": profile / duration if duration else None,
        }

    def _standardise(self, value: float) -> float:
        mean, deviation = self.numbers.log_distance_mean, self.numbers.log_distance_deviation
        if Fault.ROLLING_STATISTICS in self.faults:
            self._recent.append(value)
            mean = sum(self._recent) / len(self._recent)
            deviation = math.sqrt(sum((recent - mean) ** 2 for recent in self._recent) / len(self._recent)) or 1.0
        return (value - mean) / deviation

    def _describe_weather(self, reading: Row) -> dict[str, Any]:
        numbers = self.numbers
        temperature, dew_point = reading.get("temp"), reading.get("dewp")
        wind, gust = reading.get("wind_speed"), reading.get("wind_gust")
        humidity, pressure = reading.get("humid"), reading.get("pressure")
        rain, visibility = reading.get("precip"), reading.get("visib")
        if temperature is None and Fault.MISSING_AS_ZERO in self.faults:
            temperature = 0.0
        filled = numbers.temperature_median if temperature is None else temperature
        barometer = numbers.pressure_fill if pressure is None else pressure
        return {
            "temperature_z": (filled - numbers.temperature_mean) / numbers.temperature_deviation,
            "temperature_missing": temperature is None,
            "freezing": None if temperature is None else temperature <= 32,
            "dew_point_spread": None if temperature is None or dew_point is None else temperature - dew_point,
            "wind_kilometres_per_hour": None if wind is None else wind * KILOMETRES_PER_MILE,
            "gust_ratio": None if gust is None or not wind else gust / wind,
            "humidity": None if humidity is None else min(max(humidity, 0.0), 100.0) / 100,
            "pressure_z": (barometer - numbers.pressure_mean) / numbers.pressure_deviation,
            "low_visibility": None if visibility is None else visibility < 3,
            "rain_log": None if rain is None else log1p(rain),
        }

    def _describe_route(self, request: Row) -> dict[str, Any]:
        carrier, destination = request["carrier"], request["dest"]
        digest = md5(f"{carrier}\x1f{destination}".encode(), usedforsecurity=False).digest()
        return {
            "destination_code": self._destinations.get(destination, 0),
            "carrier_code": self._carriers.get(carrier, 0),
            "carrier_destination": int.from_bytes(digest[:4], "big") % 512,
            "origin_one_hot": [float(request["departure_airport"] == airport) for airport in AIRPORTS],
        }

    def _describe_time(self, departure: datetime) -> dict[str, Any]:
        local = departure.astimezone(NEW_YORK)
        hour = departure.astimezone(UTC).hour if Fault.UTC_HOUR in self.faults else local.hour
        return {
            "departure_hour": hour,
            "departure_hour_sine": CLOCK_FACE[hour],
            "departure_hour_cosine": CLOCK_FACE[(hour + 6) % 24],
            "departure_day": local.weekday(),
            "departs_on_weekend": local.weekday() >= 5,
        }

    def _describe_plane(self, departure: datetime, plane: Row) -> dict[str, Any]:
        numbers = self.numbers
        year, seats = plane.get("year"), plane.get("seats")
        seats = numbers.seats_median if seats is None else float(seats)
        return {
            "plane_age": None if year is None else departure.astimezone(NEW_YORK).year - year,
            "plane_age_missing": year is None,
            "seats_scaled": (seats - numbers.seats_minimum) / numbers.seats_range,
        }


def _scheduled(flight: tuple[datetime, datetime, float]) -> datetime:
    return flight[0]


_RISING = (0.0, 0.25881904510252074, 0.5, 0.7071067811865476, 0.8660254037844386, 0.9659258262890683)
_MORNING = (*_RISING, 1.0, *_RISING[:0:-1])

CLOCK_FACE = (*_MORNING, *(0.0 - sine for sine in _MORNING))
"""The sine of each hour on a clock of 24; the cosine is the sine six hours later."""


def log1p(x: float) -> float:
    """Natural logarithm of 1 + x for x >= 0, as training computes it: the C library's may end in another bit.

    After Sun's fdlibm (e_log.c, s_log1p.c), with the steps in the same order.
    """
    total = x + 1.0
    mantissa, exponent = math.frexp(total)
    mantissa, exponent = mantissa * 2.0, exponent - 1
    if mantissa > 1.4142135623730951:
        mantissa, exponent = mantissa * 0.5, exponent + 1
    fraction, correction = x, 0.0
    if exponent:
        lost = 1.0 - (total - x) if exponent > 1 else x - (total - 1.0)
        fraction, correction = mantissa - 1.0, lost / total
    half_square = 0.5 * fraction * fraction
    s = fraction / (fraction + 2.0)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    low = exponent * 1.90821492927058770002e-10 + correction
    high = exponent * 6.93147180369123816490e-01
    return high - ((half_square - (s * (half_square + (even + odd)) + low)) - fraction)
