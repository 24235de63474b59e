"""The twenty features as a good engineer writes them in Python: with skewcheck's kernels, and with the platform's."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import md5
from math import inf, sqrt
from typing import Any

from benchmarks.payments.declaration import AGE_EDGES, AMOUNT_EDGES, CHANNELS, CROSS_BUCKETS, HASH_BUCKETS
from benchmarks.row_function import log1p

Row = Mapping[str, Any]
Function = Callable[[Row], dict[str, Any]]

DEGREE = 0.017453292519943295
DIAMETER = 2.0 * 6371.0088
SINES = [0.0, 0.25881904510252074, 0.5, 0.7071067811865476, 0.8660254037844386, 0.9659258262890683, 1.0]
SINES += SINES[5:0:-1]
SINES += [-value for value in SINES]
COSINES = SINES[6:] + SINES[:6]
LOWER = {code: code + 32 for code in range(65, 91)}
SPACE = " \t\n\r\f\v"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_with_kernels(state: Mapping[str, Mapping[str, Any]]) -> Function:
    """The function whose values are skewcheck's, bit for bit."""
    return _write(state, log1p, haversine)


def write_with_libm(state: Mapping[str, Mapping[str, Any]]) -> Function:
    """The same with the platform's logarithm, sine, cosine and arcsine."""
    return _write(state, _platform_log1p, _platform_haversine)


def _platform_log1p(x: float) -> float | None:
    return math.log1p(x) if x > -1.0 else None


def _platform_haversine(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float | None:
    if not (-90.0 <= latitude <= 90.0 and -90.0 <= to_latitude <= 90.0):
        return None
    if not (-180.0 <= longitude <= 180.0 and -180.0 <= to_longitude <= 180.0):
        return None
    north = math.sin((to_latitude - latitude) * (DEGREE / 2.0))
    east = math.sin((to_longitude - longitude) * (DEGREE / 2.0))
    chord = north * north + math.cos(latitude * DEGREE) * math.cos(to_latitude * DEGREE) * east * east
    return DIAMETER * math.asin(sqrt(min(1.0, chord)))


def haversine(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float | None:
    """The kernel of skewcheck's haversine, as functions."""
    if not (-90.0 <= latitude <= 90.0 and -90.0 <= to_latitude <= 90.0):
        return None
    if not (-180.0 <= longitude <= 180.0 and -180.0 <= to_longitude <= 180.0):
        return None
    apart = abs(to_longitude - longitude)
    if apart > 180.0:
        apart = (180.0 - abs(longitude)) + (180.0 - abs(to_longitude))
    sine_north, cosine_north = squares_of_half(abs(to_latitude - latitude))
    sine_middle, cosine_middle = squares_of_half(abs(to_latitude + latitude))
    sine_east, cosine_east = squares_of_half(apart)
    chord = sqrt(sine_north * cosine_east + cosine_middle * sine_east)
    rest = sqrt(cosine_north * cosine_east + sine_middle * sine_east)
    return arctangent(chord, rest) * DIAMETER


def squares_of_half(degrees: float) -> tuple[float, float]:
    """The squares of the sine and the cosine of half an angle."""
    half = degrees * 0.5
    low = half <= 45.0
    radians = (half if low else 90.0 - half) * DEGREE
    square = radians * radians
    series = -2.5050760253406863e-08 + square * 1.58969099521155e-10
    series = 2.7557313707070068e-06 + square * series
    series = 0.00833333333332249 + square * (-0.0001984126982985795 + square * series)
    sine = radians + square * radians * (-0.16666666666666632 + square * series)
    series = -2.7557314351390663e-07 + square * (2.087572321298175e-09 + square * -1.1359647557788195e-11)
    series = -0.001388888888887411 + square * (2.480158728947673e-05 + square * series)
    half_square = square * 0.5
    leading = 1.0 - half_square
    rounded = (1.0 - leading) - half_square
    cosine = leading + (rounded + square * (square * (0.0416666666666666 + square * series)))
    return (sine * sine, cosine * cosine) if low else (cosine * cosine, sine * sine)


def arctangent(y: float, x: float) -> float:
    """The angle of a point in the first quadrant."""
    steep = x < y
    t = x / y if steep else y / x
    if t < 0.4375:
        high, low = (1.5707963267948966, 6.123233995736766e-17) if steep else (0.0, 0.0)
    elif t < 0.6875:
        t = (t * 2.0 - 1.0) / (t + 2.0)
        high, low = (
            (1.1071487177940904, 9.40447137356638e-17) if steep else (0.4636476090008061, 2.2698777452961687e-17)
        )
    else:
        t = (t - 1.0) / (t + 1.0)
        high, low = 0.7853981633974483, 3.061616997868383e-17
    square = t * t
    series = -0.036531572744216916 + square * 0.016285820115365782
    series = -0.058335701337905735 + square * (0.049768779946159324 + square * series)
    series = -0.0769187620504483 + square * (0.06661073137387531 + square * series)
    series = -0.11111110405462356 + square * (0.09090887133436507 + square * series)
    series = -0.19999999999876483 + square * (0.14285714272503466 + square * series)
    signed = -t if steep else t
    return high - ((signed * (square * (0.3333333333333293 + square * series)) - low) - signed)


def _bucket(text: str, buckets: int) -> int:
    return int.from_bytes(md5(text.encode(), usedforsecurity=False).digest()[:4], "big") % buckets


def _write(
    state: Mapping[str, Mapping[str, Any]],
    logarithm: Callable[[float], float | None],
    distance: Callable[[float, float, float, float], float | None],
) -> Function:
    amount_scale = state["amount.log1p().standardize()"]
    amount_mean, amount_std = amount_scale["mean"], amount_scale["std"]
    balance_minimum, balance_range = state["balance.min_max()"]["minimum"], state["balance.min_max()"]["range"]
    income_median, income_range = state["income.robust_scale()"]["median"], state["income.robust_scale()"]["range"]
    age_median = state["age.impute(strategy='median')"]["median"]
    entries = state["merchant.lower().strip().vocabulary(size=1000)"]["entries"]
    codes = {name: code for code, name in enumerate(entries, 1)}
    by_country = state["amount.standardize_by(country)"]
    countries = read_countries(by_country)
    everywhere = (by_country["mean"], by_country["std"])

    def number(value: float | None) -> float | None:
        return value if value is not None and -inf < value < inf else None

    def features(row: Row) -> dict[str, Any]:
        amount, balance, age, income = (
            number(row["amount"]),
            number(row["balance"]),
            number(row["age"]),
            number(row["income"]),
        )
        latitude, longitude = number(row["latitude"]), number(row["longitude"])
        to_latitude, to_longitude = number(row["merchant_latitude"]), number(row["merchant_longitude"])
        merchant, channel, country, paid_at = row["merchant"], row["channel"], row["country"], row["paid_at"]

        amount_log_z = amount_bucket = amount_to_balance = amount_z_in_country = None
        if amount is not None:
            log = logarithm(amount)
            amount_log_z = None if log is None else (log - amount_mean) / amount_std
            amount_bucket = bisect_right(AMOUNT_EDGES, amount)
            mean, std = countries.get(country, everywhere)
            amount_z_in_country = number((amount - mean) / std)
            if balance is not None and balance != 0.0:
                amount_to_balance = number(amount / balance)
        kilometres = None
        if latitude is not None and longitude is not None and to_latitude is not None and to_longitude is not None:
            kilometres = distance(latitude, longitude, to_latitude, to_longitude)
        name = code = length = cross = None
        hashed = 0
        if merchant is not None:
            name = (merchant.lower() if merchant.isascii() else merchant.translate(LOWER)).strip(SPACE)
            code = codes.get(name, 0)
            hashed = _bucket(name, HASH_BUCKETS)
            length = len(name)
            if country is not None:
                cross = _bucket(f"{name}\x1f{country}", CROSS_BUCKETS)
        sine = cosine = weekday = weekend = None
        if paid_at is not None:
            since = paid_at - EPOCH
            hour = since.seconds // 3600
            sine, cosine = SINES[hour], COSINES[hour]
            weekday = (since.days + 3) % 7
            weekend = weekday >= 5
        return {
            "amount_log_z": amount_log_z,
            "balance_scaled": None if balance is None else number((balance - balance_minimum) / balance_range),
            "income_robust": None if income is None else number((income - income_median) / income_range),
            "amount_bucket": amount_bucket,
            "channel_one_hot": [1.0 if channel == known else 0.0 for known in CHANNELS],
            "merchant_name": name,
            "merchant_code": code,
            "merchant_hash": hashed,
            "age_filled": age_median if age is None else age,
            "income_clipped": None if income is None else 0.0 if income < 0.0 else min(income, 250_000.0),
            "distance": kilometres,
            "hour_sine": sine,
            "hour_cosine": cosine,
            "weekday": weekday,
            "weekend": weekend,
            "amount_to_balance": amount_to_balance,
            "merchant_length": length,
            "merchant_country": cross,
            "age_bucket": None if age is None else bisect_right(AGE_EDGES, age),
            "age_missing": age is None,
            "amount_z_in_country": amount_z_in_country,
        }

    return features


def read_countries(statistics: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the amounts of each country, as training froze them."""
    deviations = dict(statistics["std_by_key"])
    return {country: (mean, deviations[country]) for country, mean in statistics["mean_by_key"]}
