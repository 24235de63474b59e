"""The features written once more by hand, each with faults that can be switched on: nothing here knows the language."""

from __future__ import annotations

import math
import zlib
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from benchmarks.faults.declaration import FARE_EDGES, PAYMENTS, ZONE
from benchmarks.faults.world import CITIES, Rides, fit_rides

KILOMETRES = 1.609344
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fault:
    """One fault of one feature.

    Attributes:
        feature: The feature.
        name: What is wrong, for the code below.
        kind: The kind of cause that it is.
        size: How strong it is, where that can be chosen.
        solved: Numbers that the audit must find, by a path through the cause's parameters.
        also: Other kinds that are as true.
    """

    feature: str
    name: str
    kind: str
    size: float = 0.0
    solved: dict[str, float] = field(default_factory=dict)
    also: tuple[str, ...] = ()


def _state(key: str) -> dict[str, Any]:
    return fit_rides().statistics[key]


def serve(feature: str, rows: Rides, faults: Collection[Fault]) -> list[Any]:
    """What a service with these faults serves; None is missing."""
    on = {fault.name: fault for fault in faults}
    found = SERVERS[feature]({**rows.inputs, "pod": rows.pods}, on)
    if isinstance(found, list):
        return found
    return [None if value != value else value for value in found.tolist()]


def _finish(values: Array, on: dict[str, Fault]) -> Array:
    """What may go wrong at the very end."""
    if "float32" in on:
        values = values.astype(np.float32).astype(np.float64)
    for name, function in (("round", np.round), ("floor", np.floor), ("ceil", np.ceil), ("cut", np.trunc)):
        if name in on:
            power = 10.0 ** on[name].size
            values = function(values * power) / power
    if "log_added" in on:
        values = np.log1p(values)
    if "negated" in on:
        values = -values
    if "scaled" in on:
        values = values * on["scaled"].size
    if "shuffled" in on:
        values = np.concatenate([[np.nan], values[:-1]])
    if "last_digits" in on:
        # Another library: one number in two ends in another bit.
        values = np.where(np.arange(len(values)) % 2 == 0, values * (1.0 + 4e-16), values)
    if "another_model" in on:
        values = np.modf(np.sin(values * 12.9898) * 43758.5453)[0]
    return values


def _distance_z(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    state = _state("distance.log1p().standardize()")
    x = inputs["distance"]
    if "missing_as" in on:
        x = np.where(np.isnan(x), on["missing_as"].size, x)
    if "kilometres" in on:
        x = x * KILOMETRES
    if "float32_input" in on:
        x = x.astype(np.float32).astype(np.float64)
    if "log_dropped" not in on:
        x = np.log(1.0 + x) if "plain_log" in on else np.log1p(x)
    mean, std = state["mean"], state["std"]
    if "statistics" in on:
        mean, std = mean + 0.05 * on["statistics"].size, std * (1 + 0.04 * on["statistics"].size)
    if "ddof" in on:
        std = std * math.sqrt(on["ddof"].size / (on["ddof"].size - 1))
    if "rolling" in on:
        return _finish(_roll(x, int(on["rolling"].size), np.zeros(len(x))), on)
    if "rolling_on_each_pod" in on:
        return _finish(_roll(x, int(on["rolling_on_each_pod"].size), inputs["pod"]), on)
    if "identity" in on:
        return _finish(x, on)
    x = (x - mean) * (1.0 / std) if "reciprocal" in on else (x - mean) / std
    if "clip_added" in on:
        x = np.clip(x, -on["clip_added"].size, on["clip_added"].size)
    return _finish(x, on)


def _roll(x: Array, length: int, groups: Array) -> Array:
    latest: dict[Any, deque[float]] = {}
    found = np.full(len(x), np.nan)
    for place, (value, group) in enumerate(zip(x.tolist(), groups.tolist(), strict=True)):
        if value != value:
            continue
        recent = latest.setdefault(group, deque(maxlen=length))
        recent.append(value)
        part = np.fromiter(recent, float)
        found[place] = (value - part.mean()) / (part.std() or 1.0)
    return found


def _distance_scaled(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    state = _state("distance.min_max()")
    x = inputs["duration" if "other_column" in on else "distance"]
    if "metres" in on:
        x = x * 1609.344
    if "kilometres" in on:
        x = x * KILOMETRES
    low, width = state["minimum"], state["range"]
    if "statistics" in on:
        low, width = low + 0.1 * on["statistics"].size, width * (1 + 0.05 * on["statistics"].size)
    return _finish((x - low) / width, on)


def _speed(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    distance, duration = inputs["distance"], inputs["duration"]
    if "exchanged" in on:
        distance, duration = duration, distance
    if "kilometres" in on:
        distance = distance * KILOMETRES
    if "seconds" in on:
        duration = duration * 60.0
    if "missing_as" in on:
        distance = np.where(np.isnan(distance), on["missing_as"].size, distance)
    with np.errstate(divide="ignore"):
        found = distance / duration
    return _finish(np.where(np.isfinite(found), found, np.nan), on)


def _fare_log(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    x = inputs["fare"]
    low, high = 3.0, 60.0
    if "bounds" in on:
        high = on["bounds"].size
    if "missing_as" in on:
        x = np.where(np.isnan(x), on["missing_as"].size, x)
    if "order" in on:
        return _finish(np.clip(np.log1p(x), low, high), on)
    if "clip_dropped" not in on:
        x = np.clip(x, low, high)
    return _finish(x if "log_dropped" in on else np.log1p(x), on)


def _fare_robust(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    state = _state("fare.robust_scale()")
    x = inputs["fare"]
    if "log_first" in on:
        x = np.log1p(x)
    if "identity" in on:
        return _finish(x, on)
    middle, width = state["median"], state["range"]
    if "statistics" in on:
        middle, width = middle + 0.3 * on["statistics"].size, width + 0.7 * on["statistics"].size
    return _finish((x - middle) / width, on)


def _temperature_z(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    median = _state("temperature.impute(strategy='median')")["median"]
    state = _state("temperature.impute(strategy='median').standardize()")
    x = inputs["temperature"]
    if "celsius" in on:
        x = (x - 32.0) / 1.8
    if "float32_input" in on:
        x = x.astype(np.float32).astype(np.float64)
    x = np.where(np.isnan(x), on["missing_as"].size if "missing_as" in on else median, x)
    mean, std = state["mean"], state["std"]
    if "statistics" in on:
        mean, std = mean + on["statistics"].size, std * (1 + 0.03 * on["statistics"].size)
    return _finish((x - mean) / std, on)


def _rating_filled(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    x = inputs["rating"]
    if "fill_dropped" in on:
        return _finish(x, on)
    return _finish(np.where(np.isnan(x), on["missing_as"].size if "missing_as" in on else 3.0, x), on)


def _demand_root(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    x = inputs["demand"]
    if "absent" in on:
        return np.full(len(x), np.nan)
    return _finish(x if "root_dropped" in on else np.sqrt(x), on)


def _fare_bucket(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    x = inputs["fare"]
    edges = list(FARE_EDGES)
    if "edge_moved" in on:
        edges[2] = on["edge_moved"].size
    if "edge_lost" in on:
        edges = edges[:-1]
    codes = np.searchsorted(edges, x, side="left" if "right_closed" in on else "right")
    return [None if value != value else int(code) for value, code in zip(x.tolist(), codes.tolist(), strict=True)]


def _city_code(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    entries = list(_state("city.strip().lower().vocabulary(size=20)")["entries"])
    if "alphabetical" in on:
        entries = sorted(entries)
    if "other_month" in on:
        entries = [city.lower() for city in CITIES][:20][::-1]
    codes = {entry: place for place, entry in enumerate(entries, 0 if "from_zero" in on else 1)}
    unseen = int(on["unseen"].size) if "unseen" in on else 0
    found: list[Any] = []
    for text in inputs["city"]:
        if text is None:
            found.append(None)
            continue
        key = text if "not_stripped" in on else text.strip()
        found.append(codes.get(key if "not_lowered" in on else key.lower(), unseen))
    return found


def _city_hash(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    from hashlib import md5, sha256

    buckets = int(on["buckets"].size) if "buckets" in on else 500
    found: list[Any] = []
    for text in inputs["city"]:
        if text is None:
            found.append(None)
            continue
        raw = (text if "not_lowered" in on else text.lower()).encode()
        if "crc32" in on:
            number = zlib.crc32(raw)
        elif "sha256" in on:
            number = int(sha256(raw).hexdigest(), 16)
        elif "whole_md5" in on:
            number = int(md5(raw, usedforsecurity=False).hexdigest(), 16)
        else:
            number = int.from_bytes(md5(raw, usedforsecurity=False).digest()[:4], "big")
        found.append(number % buckets)
    return found


def _city_text(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    found: list[Any] = []
    for text in inputs["city"]:
        if text is None:
            found.append("unknown" if "missing_as" in on else None)
            continue
        key = text if "not_stripped" in on else text.strip()
        found.append(key if "not_lowered" in on else key.upper() if "uppered" in on else key.lower())
    return found


def _payment_one_hot(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    order = sorted(PAYMENTS) if "alphabetical" in on else list(PAYMENTS)
    if "rotated" in on:
        order = order[1:] + order[:1]
    return [[1.0 if value == one else 0.0 for one in order] for value in inputs["payment"]]


def _driver_code(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    entries = list(_state("driver.ordinal()")["entries"])
    if "reversed" in on:
        entries.reverse()
    if "lost" in on:
        entries = entries[int(on["lost"].size) :]
    codes = {entry: place for place, entry in enumerate(entries, 1 if "from_one" in on else 0)}
    return [codes.get(value, -1) for value in inputs["driver"]]


def _clock(zone: str, values: Array) -> list[datetime]:
    place = ZoneInfo(zone)
    return [datetime.fromtimestamp(value // 1_000_000, UTC).astimezone(place) for value in values.tolist()]


def _zone(on: dict[str, Fault]) -> str:
    return "UTC" if "utc" in on else "Europe/Paris" if "paris" in on else ZONE


def _pickup_hour(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    shift = int(on["shifted"].size) if "shifted" in on else 0
    return [(moment.hour + shift) % 24 for moment in _clock(_zone(on), inputs["pickup"])]


def _pickup_weekday(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    days = [moment.weekday() for moment in _clock(_zone(on), inputs["pickup"])]
    if "sunday_first" in on:
        return [(day + 1) % 7 for day in days]
    return [day + 1 for day in days] if "from_one" in on else days


def _account_days(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    signed = inputs["signed_up"].astype(float)
    if "local_time" in on:
        signed = signed + on["local_time"].size * 3_600_000_000
    seconds = (inputs["pickup"] - signed) / 1e6
    if "milliseconds" in on:
        seconds = seconds * 1000.0
    return _finish(seconds / (on["divisor"].size if "divisor" in on else 86400.0), on)


def _click_rate(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    bits = int(on["overflow"].size) if "overflow" in on else 0
    found = []
    for value in inputs["clicks"]:
        if value is None:
            found.append(on["missing_as"].size if "missing_as" in on else math.nan)
        elif bits:
            found.append(float((value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)))
        else:
            found.append(float(value))
    return _finish(np.array(found) / (on["divisor"].size if "divisor" in on else 1000.0), on)


def _tip(inputs: dict[str, Array], on: dict[str, Fault]) -> Array:
    share = on["share"].size if "share" in on else 0.15
    plus = on["plus"].size if "plus" in on else 1.0
    if "cents" in on:
        return _finish(inputs["fare"] * 100.0 * share + plus, on)
    return _finish(inputs["fare"] * share + plus, on)


def _is_long(inputs: dict[str, Array], on: dict[str, Fault]) -> list[Any]:
    limit = on["limit"].size if "limit" in on else 8.0
    found: list[Any] = []
    for value in inputs["distance"].tolist():
        if value != value:
            found.append(False if "missing_as" in on else None)
        else:
            found.append(value >= limit if "inclusive" in on else value > limit)
    return found


SERVERS: dict[str, Callable[[dict[str, Array], dict[str, Fault]], Any]] = {
    "distance_z": _distance_z,
    "distance_scaled": _distance_scaled,
    "speed": _speed,
    "fare_log": _fare_log,
    "fare_robust": _fare_robust,
    "temperature_z": _temperature_z,
    "rating_filled": _rating_filled,
    "demand_root": _demand_root,
    "fare_bucket": _fare_bucket,
    "city_code": _city_code,
    "city_hash": _city_hash,
    "city_text": _city_text,
    "payment_one_hot": _payment_one_hot,
    "driver_code": _driver_code,
    "pickup_hour": _pickup_hour,
    "pickup_weekday": _pickup_weekday,
    "account_days": _account_days,
    "click_rate": _click_rate,
    "tip": _tip,
    "is_long": _is_long,
}
"""Every feature's server."""
