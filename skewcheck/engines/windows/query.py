"""The query that keeps parts: for each request, of the events of its key that count, all that features need.

Every event counts from one instant to another ("begin" and its time plus the window's reach), so requests and events
are joined by key and by stretches of time half as long as the longest window: what is paired is a small multiple of
what counts, however long the history is. An unbounded window has all events of its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skewcheck.engines.windows.exact import (
    SQUARE_WIDTH,
    SUM_WIDTH,
    times_power,
    write_digits,
    write_squares,
    write_whole_digits,
)
from skewcheck.engines.windows.layout import AT, Kept, Layout
from skewcheck.language.windows.durations import UNITS
from skewcheck.language.windows.parts import Count, Distinct, Extremes, Sketch, Total

PLACE, EVENT, CREATED, BEGIN, AGE, STRETCH = "#place", "#event", "#created", "#begin", "#age", "#stretch"
"""Columns of the queries themselves: the request's place; of an event its times; the time between."""

AHEAD = 1_200_000 * UNITS["d"]
"""Makes every instant of the calendar positive, so that a quotient is rounded down; whole days, so that tiles are."""

STRETCHES = 2
"""How many stretches of time the longest window is cut into."""


@dataclass(frozen=True)
class Dialect:
    """How an engine writes what the parts need.

    Attributes:
        quote_name: Quotes an identifier.
        literal_text: Writes a constant.
        one_digit: Whether whole numbers of 128 bits can be added.
        total: The sum of whole numbers; here and below {where} is the condition for an event to take part.
        cut: A Float64 without its fraction.
        to_digit: A whole Float64 as an Int64.
        to_wide_digit: A whole Float64 as a number of 128 bits.
        entry: The times and the value of an event as one value.
        several: The so many least or greatest, by "least" and "greatest".
        distinct: A list of the values, each once.
        values: A list of the values.
        sketch: A list of the so many least, each once.
        hash: The hash of a text or of a whole number.
        stretches: A row for each number from one to another, both included.
        quotient: The whole quotient of two whole numbers that are not negative.
    """

    quote_name: Callable[[str], str]
    literal_text: Callable[[Any], str]
    one_digit: bool
    total: str
    cut: str
    to_digit: str
    to_wide_digit: str
    entry: str
    several: Mapping[str, str]
    distinct: str
    values: str
    sketch: str
    hash: str
    stretches: str
    quotient: str


def key_name(key: str) -> str:
    """The column of a join key within the queries, apart from a column of that name."""
    return f"#key.{key}"


def write_parts(
    dialect: Dialect, layout: Layout, keys: Sequence[str], delay: int, *, events: str, requests: str
) -> str:
    """A SELECT that gives for each request its place, its instant and the columns of all that is kept.

    The instant is missing where a key is.

    Args:
        dialect: The engine's.
        layout: What is kept.
        keys: The join keys.
        delay: Microseconds from an event time to the first instant at which the event can count.
        events: SQL text of a relation with `key_name` of each key, `EVENT`, `CREATED` and the columns, all but values
            not missing; a Timestamp is in microseconds since 1970.
        requests: SQL text of a relation with `PLACE`, the keys, and `AT` in microseconds since 1970.
    """
    name = dialect.quote_name
    bounded = [kept for kept in layout.kept if kept.reach is not None]
    unbounded = [kept for kept in layout.kept if kept.reach is None]
    asked = [f"requests.{name(key_name(key))} IS NOT NULL" for key in keys]
    at = f"CASE WHEN {' AND '.join(asked)} THEN requests.{name(AT)} END AS {name(AT)}"
    columns, relations = [f"requests.{name(PLACE)}", at], [f"FROM {requests} AS requests"]
    for table, group in (("bounded", bounded), ("unbounded", unbounded)):
        if group:
            prepared = prepare_events(dialect, group, keys, delay, events)
            joined = _gather_by_request(dialect, group, keys, prepared, requests)
            match = f"{table}.{name(PLACE)} = requests.{name(PLACE)}"
            relations.append(f"LEFT JOIN ({joined}) AS {table} ON {match}")
            columns += [f"{table}.{name(column)}" for kept in group for column in kept.names]
    return f"SELECT {', '.join(columns)} {' '.join(relations)}"


def prepare_events(dialect: Dialect, group: Sequence[Kept], keys: Sequence[str], delay: int, events: str) -> str:
    """A SELECT of the events with the instant from which on they count, and with their numbers as digits."""
    name = dialect.quote_name
    event = f"{name(EVENT)} + {delay}" if delay else name(EVENT)
    selected = [*(name(key_name(key)) for key in keys), name(EVENT), name(CREATED)]
    selected.append(f"greatest({event}, {name(CREATED)}) AS {name(BEGIN)}")
    columns: dict[str, str] = {}
    for kept in group:
        if kept.column is not None:
            columns.setdefault(kept.column, name(kept.column))
        columns |= _lift(dialect, kept)
    selected += [f"{text} AS {name(column)}" for column, text in columns.items()]
    return f"SELECT {', '.join(selected)} FROM {events}"


def gather(dialect: Dialect, kept: Kept, condition: str | None = None) -> list[str]:
    """For each column of a part its aggregate over prepared events, of those for which the condition holds."""
    name = dialect.quote_name
    part, value = kept.part, name(kept.column or EVENT)
    conditions = [] if kept.column is None else [f"{value} IS NOT NULL"]
    arguments: list[Any] = [value]
    if isinstance(part, Total) and not kept.as_values:
        conditions, arguments, template = [], [name(column) for column in _lift(dialect, kept)], dialect.total
    elif isinstance(part, Count):
        template = "count(*){where}"
        if part.category is not None:
            conditions = [f"{value} = {dialect.literal_text(part.category)}"]
    elif isinstance(part, Extremes):
        side = "greatest" if part.greatest else "least"
        arguments = [{"value": value, "event": name(EVENT), "entry": dialect.entry.format(value=value)}[part.by]]
        template = {"least": "min({0}){where}", "greatest": "max({0}){where}"}[side]
        template = template if part.size == 1 else dialect.several[side]
    elif isinstance(part, Sketch):
        arguments, template = [name(column) for column in _lift(dialect, kept)], dialect.sketch
    else:
        template = dialect.distinct if isinstance(part, Distinct) else dialect.values
    everything = " AND ".join([*conditions, *([condition] if condition else [])])
    where = f" FILTER (WHERE {everything})" if everything else ""
    return [template.format(argument, getattr(part, "size", None), where=where) for argument in arguments]


def stretch_of(dialect: Dialect, instant: str, length: int) -> str:
    """The number of the stretch of time, of so many microseconds, that an instant lies in."""
    return dialect.quotient.format(f"({instant} + {AHEAD})", length)


def join_requests(
    dialect: Dialect, keys: Sequence[str], events: str, requests: str, reach: int | None, condition: str
) -> str:
    """A SELECT of every request with every event of its key that is younger than `reach` and fulfils a condition.

    It has the request's place and instant, the event's age, and all columns of the event.

    Args:
        dialect: The engine's.
        keys: The join keys.
        events: A SELECT that has `EVENT`; the condition calls it `events`.
        requests: SQL text of a relation; the condition calls it `requests`.
        reach: Microseconds, None for every event.
        condition: SQL text.
    """
    name = dialect.quote_name
    at, event, stretch = name(AT), name(EVENT), name(STRETCH)
    matched = [f"requests.{name(key_name(key))} = events.{name(key_name(key))}" for key in keys]
    if reach is not None:
        length = -(-reach // STRETCHES)
        events = f"SELECT *, {stretch_of(dialect, event, length)} AS {stretch} FROM ({events})"
        last = stretch_of(dialect, at, length)
        numbers = dialect.stretches.format(f"{last} - {STRETCHES}", last)
        requests = f"(SELECT *, {numbers} AS {stretch} FROM {requests} AS requests)"
        matched.append(f"requests.{stretch} = events.{stretch}")
        condition = f"{condition} AND requests.{at} - events.{event} < {reach}"
    return (
        f"SELECT requests.{name(PLACE)}, requests.{at}, requests.{at} - events.{event} AS {name(AGE)}, events.* "
        f"FROM {requests} AS requests JOIN ({events}) AS events ON {' AND '.join(matched)} WHERE {condition}"
    )


def _gather_by_request(dialect: Dialect, group: Sequence[Kept], keys: Sequence[str], events: str, requests: str) -> str:
    """A SELECT of what is kept of the events that count, for each request that has any."""
    name = dialect.quote_name
    longest = max((kept.reach for kept in group if kept.reach is not None), default=None)
    columns = []
    for kept in group:
        condition = None if kept.reach == longest else f"{name(AGE)} < {kept.reach}"
        texts = gather(dialect, kept, condition)
        columns += [f"{text} AS {name(column)}" for text, column in zip(texts, kept.names, strict=True)]
    known = f"events.{name(BEGIN)} <= requests.{name(AT)}"
    joined = join_requests(dialect, keys, events, requests, longest, known)
    return f"SELECT {name(PLACE)}, {', '.join(columns)} FROM ({joined}) GROUP BY {name(PLACE)}"


def _lift(dialect: Dialect, kept: Kept) -> dict[str, str]:
    """The columns that a part needs of every event beside its value, each with its text."""
    if kept.column is None or kept.as_values:
        return {}
    part, value = kept.part, dialect.quote_name(kept.column)
    if isinstance(part, Sketch):
        return {f"#hash.{kept.column}": dialect.hash.format(value)}
    if not isinstance(part, Total):
        return {}
    if part.power == 2:
        digits = write_whole_digits(value)
        if kept.span is not None:
            digits = [
                dialect.to_digit.format(text) for text in write_digits(value, kept.span, SQUARE_WIDTH, dialect.cut)
            ]
        texts = write_squares(digits)
    elif kept.span is None:
        texts = [value]
    elif dialect.one_digit and kept.span.in_one:
        texts = [dialect.to_wide_digit.format(times_power(value, -kept.span.low))]
    else:
        texts = [dialect.to_digit.format(text) for text in write_digits(value, kept.span, SUM_WIDTH, dialect.cut)]
    return {f"#digit.{kept.column}.{part.power}.{place}": text for place, text in enumerate(texts)}
