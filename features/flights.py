"""What the flights example knows: an airport's weather, the plane, and the departure that is asked about.

These are Feast's own objects; ``skewcheck.demo.world`` writes the files. A field's ``unit`` tag says what
its numbers measure.

Feast's online store never applies a time to live, its point-in-time join does: a view whose values can grow
older than that is served differently from what training sees. Weather has a row for every hour (a silent
station is a row of missing values), so what is current is never older than two hours and the six hours
below never decide a value. They are there for speed: without a bound, the join pairs every request with the
whole history of its airport.

Arrivals are events: what an airline's flights from an airport were late lately, and how much a plane flew. A flight
counts in the hour for which its departure was scheduled, but not before the hour at which its landing was published.
"""

from __future__ import annotations

from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.types import Float64, Int64, String, UnixTimestamp

import skewcheck as sk

airport = Entity(
    name="airport",
    join_keys=["origin"],
    value_type=ValueType.STRING,
    description="An airport of New York: EWR, JFK or LGA",
)

plane_by_tail_number = Entity(
    name="plane",
    join_keys=["tailnum"],
    value_type=ValueType.STRING,
    description="A plane, by the number on its tail",
)

airline = Entity(
    name="airline",
    join_keys=["airline"],
    value_type=ValueType.STRING,
    description="An airline, two letters",
)

weather = FeatureView(
    name="weather",
    entities=[airport],
    schema=[
        Field(name="temp", dtype=Float64, description="Temperature", tags={"unit": "degF"}),
        Field(name="dewp", dtype=Float64, description="Dew point", tags={"unit": "degF"}),
        Field(name="humid", dtype=Float64, description="Relative humidity", tags={"unit": "percent"}),
        Field(name="wind_dir", dtype=Float64, description="Where the wind comes from", tags={"unit": "degree"}),
        Field(name="wind_speed", dtype=Float64, description="Sustained wind", tags={"unit": "mph"}),
        Field(name="wind_gust", dtype=Float64, description="Gusts, if any", tags={"unit": "mph"}),
        Field(name="precip", dtype=Float64, description="Rain or snow in the hour", tags={"unit": "inch"}),
        Field(name="pressure", dtype=Float64, description="At sea level", tags={"unit": "mbar"}),
        Field(name="visib", dtype=Float64, description="Visibility", tags={"unit": "mile"}),
    ],
    source=FileSource(
        name="weather_readings",
        path="data/weather.parquet",
        timestamp_field="event_timestamp",
        created_timestamp_column="created",
    ),
    ttl=timedelta(hours=6),
    description="The airport's latest published hourly weather reading",
)

plane = FeatureView(
    name="plane",
    entities=[plane_by_tail_number],
    schema=[
        Field(name="year", dtype=Int64, description="Year of manufacture", tags={"unit": "year"}),
        Field(name="seats", dtype=Int64, description="Seats"),
        Field(name="engines", dtype=Int64, description="Number of engines"),
        Field(name="engine", dtype=String, description="Kind of engine"),
        Field(name="type", dtype=String, description="Kind of aircraft"),
        Field(name="manufacturer", dtype=String, description="Manufacturer"),
    ],
    source=FileSource(
        name="plane_registrations",
        path="data/planes.parquet",
        timestamp_field="event_timestamp",
        created_timestamp_column="created",
    ),
    ttl=None,
    description="The plane's registration",
)

landings = FileSource(
    name="landings",
    path="data/arrivals.parquet",
    timestamp_field="event_timestamp",
    created_timestamp_column="created",
)

arrivals = sk.events(
    "arrivals",
    source=landings,
    by=[airline, airport],
    schema=[Field(name="arrival_delay", dtype=Float64, tags={"unit": "minute"})],
)

airline_arrivals = sk.windows("airline_arrivals", arrivals)


@airline_arrivals.feature
def airline_delay_24h(arrival_delay):
    """Mean arrival delay of the airline's flights from the airport, scheduled in the last 24 hours and landed."""
    return arrival_delay.mean("24h")


@airline_arrivals.feature
def airline_flights_24h():
    """How many flights that is; never missing, so that the online store never keeps an outdated mean."""
    return arrivals.count("24h")


plane_landings = sk.events("plane_landings", source=landings, by=plane_by_tail_number, schema=[])

plane_arrivals = sk.windows("plane_arrivals", plane_landings)


@plane_arrivals.feature
def plane_flights_24h():
    """Flights of the plane from New York, scheduled in the last 24 hours and landed."""
    return plane_landings.count("24h")


flight = RequestSource(
    name="flight",
    schema=[
        Field(name="carrier", dtype=String, description="Airline, two letters"),
        Field(
            name="departure_airport",
            dtype=String,
            description="Where it leaves from, as the key of the weather",
        ),
        Field(name="dest", dtype=String, description="Airport of destination, three letters"),
        Field(name="distance", dtype=Float64, description="Great-circle distance", tags={"unit": "mile"}),
        Field(name="scheduled_departure", dtype=UnixTimestamp, description="When it is due to leave"),
        Field(
            name="scheduled_duration",
            dtype=Float64,
            description="Gate to gate, by the schedule",
            tags={"unit": "minute"},
        ),
    ],
    description="A departure, asked about two hours ahead",
)
