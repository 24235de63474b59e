"""Will a flight arrive more than a quarter of an hour late? Asked two hours before it is due to leave."""

from __future__ import annotations

from feast import Field
from feast.types import Bool, Float64

import skewcheck as sk
from features.flights import airline_arrivals, flight, plane, plane_arrivals, weather

NEW_YORK = "America/New_York"

departures = sk.TrainingSet(
    entities="data/departures.parquet",
    labels=[
        Field(name="cancelled", dtype=Bool),
        Field(name="arrival_delay", dtype=Float64, tags={"unit": "minute"}),
        Field(name="arrived_late", dtype=Bool),
    ],
    start="2013-01-01",
    end="2013-07-01",
)

departure_delay = sk.features(
    "departure_delay",
    sources=[weather, plane, airline_arrivals, plane_arrivals, flight],
    training=departures,
)


@departure_delay.trained_on
def took_off(cancelled):
    """A cancelled flight has no arrival to be late."""
    return ~cancelled


@departure_delay.trained_on
def with_passengers(distance):
    """A hop between the New York airports moves a plane, not passengers."""
    return distance >= 50


@departure_delay.feature
def distance_z(distance):
    """Great-circle distance, log-scaled, standardised on the training set."""
    return distance.log1p().standardize()


@departure_delay.feature
def distance_scaled(distance):
    """Great-circle distance from 0 for the shortest to 1 for the longest flight in training."""
    return distance.min_max()


@departure_delay.feature
def distance_bucket(distance):
    """Tenth of the training set by distance."""
    return distance.quantile_bucket(10)


@departure_delay.feature
def scheduled_speed(distance, scheduled_duration):
    """Miles per scheduled minute, gate to gate."""
    return distance / scheduled_duration


@departure_delay.feature
def temperature_z(temp):
    """Temperature, the training median where the station was silent, standardised."""
    return temp.impute("median").standardize()


@departure_delay.feature
def temperature_missing(temp):
    """Whether the station was silent."""
    return temp.is_missing()


@departure_delay.feature
def freezing(temp):
    """Whether water freezes."""
    return temp.to("degC") <= 0


@departure_delay.feature
def dew_point_spread(temp, dewp):
    """Degrees Fahrenheit between temperature and dew point; small means fog."""
    return temp - dewp


@departure_delay.feature
def wind_kilometres_per_hour(wind_speed):
    """Sustained wind."""
    return wind_speed.to("kilometer / hour")


@departure_delay.feature
def gust_ratio(wind_gust, wind_speed):
    """Gusts over sustained wind; missing without gusts and in a calm."""
    return wind_gust / wind_speed


@departure_delay.feature
def humidity(humid):
    """Relative humidity, 0 to 1."""
    return humid.clip(0, 100) / 100


@departure_delay.feature
def pressure_z(pressure):
    """Pressure at sea level, the training mean where it was not reported, standardised."""
    return pressure.impute("mean").standardize()


@departure_delay.feature
def low_visibility(visib):
    """Whether one can see less than three miles."""
    return visib < 3


@departure_delay.feature
def rain_log(precip):
    """Rain in the hour, log-scaled."""
    return precip.log1p()


@departure_delay.feature
def destination_code(dest):
    """Place among the sixty most frequent destinations of the training set, 0 for the others."""
    return dest.vocabulary(size=60)


@departure_delay.feature
def carrier_code(carrier):
    """Place of the airline by its number of flights in the training set."""
    return carrier.vocabulary()


@departure_delay.feature
def carrier_destination(carrier, dest):
    """Airline and destination together, in one of 512 buckets."""
    return sk.cross(carrier, dest).hash_bucket(512)


@departure_delay.feature
def origin_one_hot(departure_airport):
    """The airport of departure."""
    return departure_airport.one_hot(["EWR", "JFK", "LGA"])


@departure_delay.feature
def departure_hour(scheduled_departure):
    """Hour of the day in New York."""
    return scheduled_departure.hour(NEW_YORK)


@departure_delay.feature
def departure_hour_sine(departure_hour):
    """The hour on a circle, so that 23 lies beside 0."""
    return departure_hour.cyclic_sine(24)


@departure_delay.feature
def departure_hour_cosine(departure_hour):
    """The hour on a circle, so that 23 lies beside 0."""
    return departure_hour.cyclic_cosine(24)


@departure_delay.feature
def departure_day(scheduled_departure):
    """Day of the week in New York, Monday is 0."""
    return scheduled_departure.day_of_week(NEW_YORK)


@departure_delay.feature
def departs_on_weekend(scheduled_departure):
    """Saturday or Sunday in New York."""
    return scheduled_departure.is_weekend(NEW_YORK)


@departure_delay.feature
def plane_age(scheduled_departure, year):
    """Years since the plane was built."""
    return scheduled_departure.year(NEW_YORK) - year


@departure_delay.feature
def plane_age_missing(plane_age):
    """Whether the registry does not say when the plane was built."""
    return plane_age.is_missing()


@departure_delay.feature
def seats_scaled(seats):
    """Seats of the plane, the training median where unknown, from 0 for the smallest to 1 for the largest."""
    return seats.impute("median").min_max()


@departure_delay.feature
def airline_delay(airline_delay_24h):
    """How late the airline's flights from this airport were in the last 24 hours, as far as they have landed."""
    return airline_delay_24h


@departure_delay.feature
def plane_flights(plane_flights_24h):
    """How often the plane left New York in the last 24 hours and has landed since."""
    return plane_flights_24h
