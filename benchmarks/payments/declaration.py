"""Twenty features of a card payment: 25 numbers, texts and truths from one request."""

from __future__ import annotations

from feast import Field, RequestSource
from feast.types import Float64, String, UnixTimestamp

import skewcheck as sk
from skewcheck.language.expressions import Expression

CHANNELS = ("app", "atm", "online", "phone", "shop")
AMOUNT_EDGES = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0)
AGE_EDGES = (18.0, 25.0, 35.0, 45.0, 55.0, 65.0)
VOCABULARY_SIZE = 1000
HASH_BUCKETS = 10_000
CROSS_BUCKETS = 1000

payment = RequestSource(
    name="payment",
    schema=[
        Field(name="amount", dtype=Float64),
        Field(name="balance", dtype=Float64),
        Field(name="age", dtype=Float64),
        Field(name="income", dtype=Float64),
        Field(name="latitude", dtype=Float64),
        Field(name="longitude", dtype=Float64),
        Field(name="merchant_latitude", dtype=Float64),
        Field(name="merchant_longitude", dtype=Float64),
        Field(name="merchant", dtype=String),
        Field(name="channel", dtype=String),
        Field(name="country", dtype=String),
        Field(name="paid_at", dtype=UnixTimestamp),
    ],
)

PLACES = {"payment": ("benchmarks.payments.declaration", "payment")}

payments = sk.features("payments", sources=[payment])


@payments.feature
def amount_log_z(amount: Expression) -> Expression:
    """The amount, log-scaled, standardised."""
    return amount.log1p().standardize()


@payments.feature
def balance_scaled(balance: Expression) -> Expression:
    """The balance from 0 for the smallest to 1 for the largest in training."""
    return balance.min_max()


@payments.feature
def income_robust(income: Expression) -> Expression:
    """The income against median and quartiles."""
    return income.robust_scale()


@payments.feature
def amount_bucket(amount: Expression) -> Expression:
    """The amount among ten edges."""
    return amount.bucket(AMOUNT_EDGES)


@payments.feature
def channel_one_hot(channel: Expression) -> Expression:
    """The five channels."""
    return channel.one_hot(CHANNELS)


@payments.feature
def merchant_name(merchant: Expression) -> Expression:
    """The merchant's name without the accidents of its spelling."""
    return merchant.lower().strip()


@payments.feature
def merchant_code(merchant_name: Expression) -> Expression:
    """The merchant's place among the most frequent, 0 for the others."""
    return merchant_name.vocabulary(size=VOCABULARY_SIZE)


@payments.feature
def merchant_hash(merchant_name: Expression) -> Expression:
    """The merchant in a bucket, 0 where there is none."""
    return merchant_name.hash_bucket(HASH_BUCKETS).fill(0)


@payments.feature
def age_filled(age: Expression) -> Expression:
    """The age, the training median where it is missing."""
    return age.impute("median")


@payments.feature
def income_clipped(income: Expression) -> Expression:
    """The income within bounds."""
    return income.clip(0.0, 250_000.0)


@payments.feature
def distance(
    latitude: Expression, longitude: Expression, merchant_latitude: Expression, merchant_longitude: Expression
) -> Expression:
    """Kilometres from the customer's home to the merchant."""
    return latitude.haversine(longitude, merchant_latitude, merchant_longitude)


@payments.feature
def hour_sine(paid_at: Expression) -> Expression:
    """The hour on a circle."""
    return paid_at.hour().cyclic_sine(24)


@payments.feature
def hour_cosine(paid_at: Expression) -> Expression:
    """The hour on a circle."""
    return paid_at.hour().cyclic_cosine(24)


@payments.feature
def weekday(paid_at: Expression) -> Expression:
    """The day of the week, Monday is 0."""
    return paid_at.day_of_week()


@payments.feature
def weekend(paid_at: Expression) -> Expression:
    """Saturday or Sunday."""
    return paid_at.is_weekend()


@payments.feature
def amount_to_balance(amount: Expression, balance: Expression) -> Expression:
    """The amount over the balance, missing without a balance."""
    return amount / balance


@payments.feature
def merchant_length(merchant_name: Expression) -> Expression:
    """Characters in the merchant's name."""
    return merchant_name.length()


@payments.feature
def merchant_country(merchant_name: Expression, country: Expression) -> Expression:
    """Merchant and country together in a bucket."""
    return sk.cross(merchant_name, country).hash_bucket(CROSS_BUCKETS)


@payments.feature
def age_bucket(age: Expression) -> Expression:
    """The age group."""
    return age.bucket(AGE_EDGES)


@payments.feature
def age_missing(age: Expression) -> Expression:
    """Whether the age is not known."""
    return age.is_missing()


@payments.feature
def amount_z_in_country(amount: Expression, country: Expression) -> Expression:
    """The amount, standardised among the payments of its country."""
    return amount.standardize(by=country)
