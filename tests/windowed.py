"""Windows for tests: declarations with every aggregate, events and instants at every edge, the rule's answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import FunctionType
from typing import Any, NamedTuple

import pyarrow as pa
from feast import Entity, Field, FileSource, ValueType
from feast.types import Bool, Float64, Int64, String, UnixTimestamp
from hypothesis import strategies as st

import skewcheck as sk
from skewcheck.language.windows.declaration import Events, WindowFeature, Windows
from skewcheck.language.windows.durations import SECOND
from skewcheck.language.windows.meaning import Event, evaluate

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START = 1_709_251_200_000_000
"""The first of March 2024, in microseconds."""

CUSTOMER = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
COLUMNS = {"amount": Float64, "items": Int64, "country": String, "refunded": Bool, "due": UnixTimestamp}
ARROW = {
    "amount": pa.float64(),
    "items": pa.int64(),
    "country": pa.string(),
    "refunded": pa.bool_(),
    "due": pa.timestamp("us", tz="UTC"),
}


class Row(NamedTuple):
    """An event of a customer."""

    customer: int | None
    event: Event


def payments(*, path: str = "payments.parquet", created: bool = True) -> Events:
    """Events with a column of every type."""
    source = FileSource(path=path, timestamp_field="paid_at", created_timestamp_column="created" if created else "")
    return sk.events(
        "payments",
        source=source,
        by=CUSTOMER,
        schema=[Field(name=name, dtype=dtype) for name, dtype in COLUMNS.items()],
    )


BUILDERS: dict[str, Any] = {
    "events_1s": lambda events: events.count("1s"),
    "events_ever": lambda events: events.count("unbounded"),
    "quiet_3s": lambda events: events.time_since_last("3s"),
    "quiet_ever": lambda events: events.time_since_last("unbounded"),
    "amounts_3s": lambda amount: amount.count("3s"),
    "sum_1s": lambda amount: amount.sum("1s"),
    "sum_3s": lambda amount: amount.sum("3s"),
    "sum_ever": lambda amount: amount.sum("unbounded"),
    "mean_3s": lambda amount: amount.mean("3s"),
    "variance_3s": lambda amount: amount.variance("3s"),
    "variance_ever": lambda amount: amount.variance("unbounded"),
    "deviation_1s": lambda amount: amount.standard_deviation("1s"),
    "min_3s": lambda amount: amount.min("3s"),
    "max_ever": lambda amount: amount.max("unbounded"),
    "first_3s": lambda amount: amount.first("3s"),
    "last_3s": lambda amount: amount.last("3s"),
    "second_last_ever": lambda amount: amount.last("unbounded", place=2),
    "last_two_3s": lambda amount: amount.last_k(2, "3s", fill=0.0),
    "top_two_ever": lambda amount: amount.top_k(2, "unbounded"),
    "median_3s": lambda amount: amount.quantile(0.5, "3s"),
    "high_ever": lambda amount: amount.quantile(0.9, "unbounded"),
    "different_amounts_3s": lambda amount: amount.distinct_count("3s"),
    "items_sum_3s": lambda items: items.sum("3s"),
    "items_mean_ever": lambda items: items.mean("unbounded"),
    "items_variance_3s": lambda items: items.variance("3s"),
    "items_deviation_ever": lambda items: items.standard_deviation("unbounded"),
    "items_median_3s": lambda items: items.quantile(0.25, "3s"),
    "items_min_1s": lambda items: items.min("1s"),
    "items_usual_3s": lambda items: items.most_frequent("3s"),
    "items_about_ever": lambda items: items.approximate_distinct_count("unbounded", size=16),
    "share_seven_3s": lambda items: items.share(7, "3s"),
    "country_first_3s": lambda country: country.first("3s", place=2),
    "country_last_ever": lambda country: country.last("unbounded"),
    "country_usual_3s": lambda country: country.most_frequent("3s"),
    "country_second_ever": lambda country: country.most_frequent("unbounded", place=2),
    "countries_3s": lambda country: country.distinct_count("3s"),
    "countries_about_3s": lambda country: country.approximate_distinct_count("3s", size=16),
    "share_fr_3s": lambda country: country.share("FR", "3s"),
    "share_fr_ever": lambda country: country.share("FR", "unbounded"),
    "refunded_last_3s": lambda refunded: refunded.last("3s"),
    "refunded_share_ever": lambda refunded: refunded.share(True, "unbounded"),
    "refunds_3s": lambda refunded: refunded.count("3s"),
    "quiet_refund_3s": lambda refunded: refunded.time_since_last("3s"),
    "due_max_3s": lambda due: due.max("3s"),
    "due_last_ever": lambda due: due.last("unbounded"),
    "dues_3s": lambda due: due.distinct_count("3s"),
}
"""Every aggregate, of every kind of column, over windows of several lengths."""


def declare(
    closed: str = "right", names: Sequence[str] = (), events: Events | None = None, name: str = "activity"
) -> Windows:
    """Windows with the named features, or all."""
    events = events or payments()
    windows = sk.windows(name, events, closed=closed)
    for feature in names or BUILDERS:
        windows.feature(_function(feature, BUILDERS[feature], events))
    return windows


def _function(name: str, build: Any, events: Events) -> Any:
    """A feature's function of its own name; one of the events themselves has no parameter."""
    if build.__code__.co_varnames[0] != "events":
        return FunctionType(build.__code__, build.__globals__, name)

    def function() -> Any:
        return build(events)

    function.__name__ = name
    return function


GRID = [START + second * SECOND + step for second in range(7) for step in (-1, 0, 1)]
"""Instants on, one microsecond before and one after every edge of windows of whole seconds."""

LATENESS = [0, 1, SECOND - 1, SECOND, SECOND + 1, 3 * SECOND - 1, 3 * SECOND, 3 * SECOND + 1, -SECOND]
"""How much later than it happened an event is known; also earlier."""

AMOUNTS = st.one_of(
    st.sampled_from([None, 0.0, -0.0, 0.1, 0.2, 0.3, 12.34, 1e16, -1e16, float("nan"), float("inf")]),
    st.floats(-1e6, 1e6),
)
WILD_AMOUNTS = st.one_of(AMOUNTS, st.sampled_from([1.7e308, -1.7e308, 5e-324, 1e-310, 1e300, -1e-300]), st.floats())
ITEMS = st.one_of(
    st.sampled_from([None, 0, 1, 7, 7, -3]), st.integers(-(2**63), 2**63 - 1), st.sampled_from([2**63 - 1, -(2**63)])
)
COUNTRIES = st.one_of(st.sampled_from([None, "FR", "DE", "", "é", "z", "\U0001f600", "￿"]), st.text(max_size=3))


def values(amounts: Any = AMOUNTS) -> Any:
    """The values of an event."""
    return st.fixed_dictionaries(
        {
            "amount": amounts,
            "items": ITEMS,
            "country": COUNTRIES,
            "refunded": st.sampled_from([None, True, False]),
            "due": st.sampled_from([None, *GRID]),
        }
    )


def events(amounts: Any = AMOUNTS, most: int = 14) -> Any:
    """Events of two customers, ties among them."""
    one = st.tuples(st.integers(1, 2), st.sampled_from(GRID), st.sampled_from(LATENESS), values(amounts))
    return st.lists(one.map(lambda r: Row(r[0], Event(r[1], r[1] + r[2], r[3]))), max_size=most)


def requests(most: int = 8) -> Any:
    """Customers, one of whom has no events, and instants."""
    return st.lists(st.tuples(st.integers(1, 3), st.sampled_from(GRID)), min_size=1, max_size=most)


def answer(feature: WindowFeature, rows: Sequence[Row], customer: int | None, at: int) -> Any:
    """What the rule says."""
    return evaluate(feature, [row.event for row in rows if row.customer == customer], at)


def to_instant(microseconds: int | None) -> datetime | None:
    """Microseconds since 1970 as an instant."""
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def tabulate(rows: Sequence[Row]) -> pa.Table:
    """Events as they stand in a file."""
    instant = pa.timestamp("us", tz="UTC")
    table = {
        "customer_id": pa.array([row.customer for row in rows], pa.int64()),
        "paid_at": pa.array([row.event.time for row in rows], pa.int64()).cast(instant),
        "created": pa.array([row.event.created for row in rows], pa.int64()).cast(instant),
    }
    for name, type_ in ARROW.items():
        plain = pa.int64() if name == "due" else type_
        table[name] = pa.array([row.event.values[name] for row in rows], plain).cast(type_)
    return pa.table(table)


def same(found: Any, expected: Any) -> bool:
    """Whether two values are one in type and bits."""
    if isinstance(expected, datetime):
        return isinstance(found, datetime) and found == expected
    return type(found) is type(expected) and repr(found) == repr(expected)
