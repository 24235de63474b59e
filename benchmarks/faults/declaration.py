"""Twenty features of a taxi ride, of every sort of operator that faults come in."""

from __future__ import annotations

from feast import Field, RequestSource
from feast.types import Float64, Int64, String, UnixTimestamp

import skewcheck as sk
from skewcheck.language.expressions import Expression

ZONE = "America/New_York"
PAYMENTS = ("card", "cash", "app", "voucher", "points")
FARE_EDGES = (5.0, 10.0, 20.0, 40.0)

ride = RequestSource(
    name="ride",
    schema=[
        Field(name="distance", dtype=Float64, tags={"unit": "mile"}),
        Field(name="duration", dtype=Float64, tags={"unit": "minute"}),
        Field(name="fare", dtype=Float64),
        Field(name="temperature", dtype=Float64, tags={"unit": "degF"}),
        Field(name="rating", dtype=Float64),
        Field(name="demand", dtype=Float64),
        Field(name="clicks", dtype=Int64),
        Field(name="city", dtype=String),
        Field(name="driver", dtype=String),
        Field(name="payment", dtype=String),
        Field(name="pickup", dtype=UnixTimestamp),
        Field(name="signed_up", dtype=UnixTimestamp),
    ],
)

PLACES = {"ride": ("benchmarks.faults.declaration", "ride")}

rides = sk.features("rides", sources=[ride])


@rides.feature
def distance_z(distance: Expression) -> Expression:
    """The distance, log-scaled, standardised."""
    return distance.log1p().standardize()


@rides.feature
def distance_scaled(distance: Expression) -> Expression:
    """The distance from 0 to 1."""
    return distance.min_max()


@rides.feature
def speed(distance: Expression, duration: Expression) -> Expression:
    """Miles a minute."""
    return distance / duration


@rides.feature
def fare_log(fare: Expression) -> Expression:
    """The fare within bounds, log-scaled."""
    return fare.clip(3.0, 60.0).log1p()


@rides.feature
def fare_robust(fare: Expression) -> Expression:
    """The fare against median and quartiles."""
    return fare.robust_scale()


@rides.feature
def temperature_z(temperature: Expression) -> Expression:
    """The temperature, the median where it is missing, standardised."""
    return temperature.impute("median").standardize()


@rides.feature
def rating_filled(rating: Expression) -> Expression:
    """The rating, 3 where there is none."""
    return rating.fill(3.0)


@rides.feature
def demand_root(demand: Expression) -> Expression:
    """The square root of the demand."""
    return demand.sqrt()


@rides.feature
def fare_bucket(fare: Expression) -> Expression:
    """The fare among four edges."""
    return fare.bucket(FARE_EDGES)


@rides.feature
def city_code(city: Expression) -> Expression:
    """The city's place among the most frequent."""
    return city.strip().lower().vocabulary(size=20)


@rides.feature
def city_hash(city: Expression) -> Expression:
    """The city in one of 500 buckets."""
    return city.lower().hash_bucket(500)


@rides.feature
def city_text(city: Expression) -> Expression:
    """The city's name as it is compared."""
    return city.strip().lower()


@rides.feature
def payment_one_hot(payment: Expression) -> Expression:
    """How the ride is paid."""
    return payment.one_hot(PAYMENTS)


@rides.feature
def driver_code(driver: Expression) -> Expression:
    """The driver's place in the alphabet."""
    return driver.ordinal()


@rides.feature
def pickup_hour(pickup: Expression) -> Expression:
    """The hour in New York."""
    return pickup.hour(ZONE)


@rides.feature
def pickup_weekday(pickup: Expression) -> Expression:
    """The day of the week in New York, Monday is 0."""
    return pickup.day_of_week(ZONE)


@rides.feature
def account_days(pickup: Expression, signed_up: Expression) -> Expression:
    """Days since the customer signed up."""
    return (pickup - signed_up) / 86400.0


@rides.feature
def click_rate(clicks: Expression) -> Expression:
    """Thousands of clicks."""
    return clicks / 1000.0


@rides.feature
def tip(fare: Expression) -> Expression:
    """What is usually given."""
    return fare * 0.15 + 1.0


@rides.feature
def is_long(distance: Expression) -> Expression:
    """Whether it is a long ride."""
    return distance > 8.0
