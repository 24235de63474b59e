"""A faultless service over whole columns, written by hand with NumPy and Arrow: nothing here knows the language.

Its values have the bits that training's have, so a log of it is a clean log.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.faults.declaration import FARE_EDGES, PAYMENTS, ZONE
from benchmarks.faults.world import Rides, fit_rides, tabulate_inputs

Array = np.ndarray[Any, Any]

MICROSECONDS = 1_000_000
HOUR = 3600 * MICROSECONDS


def serve_clean(rides: Rides) -> dict[str, pa.Array]:
    """Every feature of every ride."""
    inputs, arrow = rides.inputs, tabulate_inputs(rides)
    frozen = fit_rides().statistics
    distance, fare, temperature = inputs["distance"], inputs["fare"], inputs["temperature"]
    pickup, signed_up = inputs["pickup"].astype(np.int64), inputs["signed_up"].astype(np.int64)
    z, span = frozen["distance.log1p().standardize()"], frozen["distance.min_max()"]
    robust, warm = frozen["fare.robust_scale()"], frozen["temperature.impute(strategy='median').standardize()"]
    median = frozen["temperature.impute(strategy='median')"]["median"]
    places = {name: place for place, name in enumerate(frozen["driver.ordinal()"]["entries"])}
    cities = frozen["city.strip().lower().vocabulary(size=20)"]["entries"]
    codes = {name: place for place, name in enumerate(cities, start=1)}
    hours, days = _read_clock(pickup)
    with np.errstate(invalid="ignore"):
        return {
            "distance_z": _floats((log1p(distance) - z["mean"]) / z["std"]),
            "distance_scaled": _floats((distance - span["minimum"]) / span["range"]),
            "speed": _floats(distance / inputs["duration"]),
            "fare_log": _floats(log1p(np.clip(fare, 3.0, 60.0))),
            "fare_robust": _floats((fare - robust["median"]) / robust["range"]),
            "temperature_z": _floats(
                (np.where(np.isnan(temperature), median, temperature) - warm["mean"]) / warm["std"]
            ),
            "rating_filled": _floats(np.where(np.isnan(inputs["rating"]), 3.0, inputs["rating"])),
            "demand_root": _floats(np.sqrt(inputs["demand"])),
            "fare_bucket": pa.array(np.searchsorted(FARE_EDGES, fare, side="right"), pa.int64(), mask=np.isnan(fare)),
            "city_code": _recode(arrow["city"], lambda name: codes.get(name.strip().lower(), 0), pa.int64()),
            "city_hash": _recode(arrow["city"], _hash_city, pa.int64()),
            "city_text": _recode(arrow["city"], lambda name: name.strip().lower(), pa.string()),
            "payment_one_hot": _one_hot(arrow["payment"]),
            "driver_code": _recode(arrow["driver"], lambda name: places.get(name, -1), pa.int64()),
            "pickup_hour": pa.array(hours),
            "pickup_weekday": pa.array(days),
            "account_days": _floats((pickup - signed_up) / 1e6 / 86400.0),
            "click_rate": pc.divide(arrow["clicks"].cast(pa.float64()), 1000.0),
            "tip": _floats(fare * 0.15 + 1.0),
            "is_long": pa.array(distance > 8.0, mask=np.isnan(distance)),
        }


def log1p(x: Array) -> Array:
    """Natural logarithm of 1 + x for x >= 0, in the steps of Sun's fdlibm, as training computes it."""
    total = x + 1.0
    mantissa, exponent = np.frexp(np.where(np.isnan(total), 1.0, total))
    mantissa, exponent = mantissa * 2.0, exponent - 1
    large = mantissa > 1.4142135623730951
    mantissa, exponent = np.where(large, mantissa * 0.5, mantissa), np.where(large, exponent + 1, exponent)
    lost = np.where(exponent > 1, 1.0 - (total - x), x - (total - 1.0)) / total
    fraction = np.where(exponent != 0, mantissa - 1.0, x)
    half_square = 0.5 * fraction * fraction
    s = fraction / (fraction + 2.0)
    z = s * s
    w = z * z
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    low = exponent * 1.90821492927058770002e-10 + np.where(exponent != 0, lost, 0.0)
    high = exponent * 6.93147180369123816490e-01
    return np.asarray(high - ((half_square - (s * (half_square + (even + odd)) + low)) - fraction))


def _floats(values: Array) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _recode(values: pa.Array, function: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """What a function gives for each text, called once for each that there is; missing stays missing."""
    encoded = values.dictionary_encode()
    return pa.array([function(name) for name in encoded.dictionary.to_pylist()], kind).take(encoded.indices)


def _hash_city(name: str) -> int:
    digest = md5(name.lower().encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:4], "big") % 500


def _one_hot(values: pa.Array) -> pa.Array:
    encoded = values.dictionary_encode()
    rows = np.array([[float(name == one) for one in PAYMENTS] for name in encoded.dictionary.to_pylist()])
    flat = pa.array(rows[encoded.indices.to_numpy()].ravel())
    offsets = pa.array(np.arange(len(values) + 1) * len(PAYMENTS), pa.int32())
    return pa.ListArray.from_arrays(offsets, flat)


def _read_clock(instants: Array) -> tuple[Array, Array]:
    """Hour and day of the week in New York; zones there change on full hours, so one look for each hour is enough."""
    distinct, places = np.unique(instants // HOUR, return_inverse=True)
    zone = ZoneInfo(ZONE)
    local = [datetime.fromtimestamp(hour * 3600, UTC).astimezone(zone) for hour in distinct.tolist()]
    hours = np.array([moment.hour for moment in local], dtype=np.int64)
    days = np.array([moment.weekday() for moment in local], dtype=np.int64)
    return hours[places], days[places]
