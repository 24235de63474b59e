"""Guesses about where a value comes from: another column, or an earlier moment of the same entity (room: explain)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from skewcheck.engines.sql import quote_name
from skewcheck.explain.pairs.base import Guess, Pairs, near

STEPS = (1, 2, 3)
"""How many values back are looked for."""

DELAYS = (60, 300, 900, 3600, 6 * 3600, 86400, 2 * 86400, 3 * 86400, 7 * 86400)
"""Delays in seconds that are looked for, where no count of values explains what was served."""

TRIED = 2000
"""Pairs with which delays are tried."""

FEWEST = 4
"""Pairs that a delay has to give, to be worth a look."""

_SHIFTED, _DELAYED, _TRIED = "shifted_pairs", "delayed_pairs", "tried_pairs"
_DELAYED_VALUE = quote_name("value.delayed")


def shift_pairs(pairs: Pairs) -> Pairs:
    """The pairs with the earlier values of their entity beside them, where times and entities are known."""
    if not pairs.at or not pairs.entity or pairs.form == "other":
        return pairs
    order = f"(PARTITION BY {pairs.entity} ORDER BY {pairs.at}, hash({pairs.trained}, {pairs.served}))"
    columns = [f"lag({pairs.trained}, {step}) OVER {order} AS {_back(step)}" for step in STEPS]
    columns += [f"lag({pairs.at}, {step}) OVER {order} AS {_back(step, 'at')}" for step in STEPS]
    pairs.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_SHIFTED} AS SELECT *, {', '.join(columns)} FROM {pairs.relation}"
    )
    delay = _find_delay(pairs)
    if delay is None:
        return replace(pairs, relation=_SHIFTED)
    earlier = (
        f"SELECT {pairs.entity} AS entity, {pairs.at} + to_seconds({delay}) AS at, {pairs.trained} AS trained "
        f"FROM {pairs.relation}"
    )
    pairs.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_DELAYED} AS SELECT p.*, h.trained AS {_DELAYED_VALUE} FROM {_SHIFTED} AS p "
        f"ASOF LEFT JOIN ({earlier}) AS h ON p.{pairs.entity} = h.entity AND p.{pairs.at} >= h.at"
    )
    return replace(pairs, relation=_DELAYED, delay=delay)


def _find_delay(pairs: Pairs) -> int | None:
    """The delay with which most of what was served is training's value; None where no delay gives a few."""
    pairs.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE {_TRIED} AS SELECT {pairs.entity} AS entity, {pairs.at} AS at, "
        f"{pairs.served} AS served FROM {pairs.relation} WHERE {pairs.differs} ORDER BY hash({pairs.entity}, "
        f"{pairs.at}), {pairs.at} LIMIT {TRIED}"
    )
    history = (
        f"SELECT {pairs.entity} AS entity, {pairs.at} AS at, {pairs.trained} AS trained FROM {pairs.relation} "
        f"WHERE {pairs.entity} IN (SELECT entity FROM {_TRIED})"
    )
    counts = {}
    for delay in DELAYS:
        row = pairs.connection.execute(
            f"SELECT count(*) FROM {_TRIED} AS s ASOF JOIN ({history}) AS h ON s.entity = h.entity "
            f"AND s.at - to_seconds({delay}) >= h.at WHERE s.served = h.trained"
        ).fetchone()
        counts[delay] = int(row[0]) if row else 0
    best = max(DELAYS, key=lambda delay: counts[delay])
    return best if counts[best] >= FEWEST else None


def guess_stale(pairs: Pairs, left: str) -> Iterator[Guess]:
    """Serving gives an earlier value of the entity.

    Args:
        pairs: The pairs, as `shift_pairs` gives them.
        left: SQL text that is True for the pairs that are still to be explained.
    """
    if not pairs.at or not pairs.entity or pairs.form == "other":
        return
    fix = "Bring values to serving when they change, or train with the same delay."
    for step in STEPS:
        holds = f"coalesce({_equal(pairs, _back(step))}, FALSE)"
        age = f"median(epoch({pairs.at}) - epoch({_back(step, 'at')}))"
        count, seconds = pairs.fetch(f"count(*), {age}", f"{left} AND {holds}")
        if not count:
            continue
        back = "the value before" if step == 1 else f"the value {step} before"
        yield Guess(
            "stale",
            holds,
            f"Serving gives {back} of the same entity, {say_duration(seconds)} old as a rule.",
            fix,
            {"values": step, "seconds": round(float(seconds or 0), 3)},
            bits=14.0 + step,
        )
    if pairs.delay is not None:
        yield Guess(
            "stale",
            f"coalesce({_equal(pairs, _DELAYED_VALUE)}, FALSE)",
            f"Serving gives the value of {say_duration(pairs.delay)} before.",
            fix,
            {"seconds": pairs.delay},
            bits=18.0,
        )


def guess_column(pairs: Pairs) -> Iterator[Guess]:
    """Serving gives the value of another column."""
    for name, value in pairs.others.items():
        yield Guess(
            "swapped_column",
            f"coalesce({_equal(pairs, value)}, FALSE)",
            f"Serving gives what training has in column {name}.",
            f"Read {pairs.name} from its own column in serving.",
            {"column": name},
            bits=11.0,
        )


def say_duration(seconds: float | None) -> str:
    """A length of time in the largest unit of which it has two."""
    if seconds is None:
        return "of unknown age"
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size or (seconds >= size and seconds % size == 0):
            count = seconds / size
            return f"{count:.3g} {unit if count != 1 else unit[:-1]}"
    return f"{seconds:.3g} seconds"


def _back(step: int, what: str = "value") -> str:
    return quote_name(f"{what}.{step}.back")


def _equal(pairs: Pairs, value: str) -> str:
    return near(pairs.served, value) if pairs.form == "number" else f"{pairs.served} = {value}"
