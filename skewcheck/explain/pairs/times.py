"""Guesses about instants: another zone, a cut to the second or the day (room: explain, pairs)."""

from __future__ import annotations

from collections.abc import Iterator

from skewcheck.explain.pairs.base import Guess, Pairs, show
from skewcheck.explain.pairs.shifts import say_duration

UNITS = ("millisecond", "second", "minute", "hour", "day", "month")

QUARTER = 900
"""Zones are whole quarters of an hour apart."""

FARTHEST_ZONE = 14 * 3600


def guess_times(pairs: Pairs, left: str) -> Iterator[Guess]:
    """Guesses about the pairs of instants that are still to be explained.

    Args:
        pairs: The pairs.
        left: SQL text that is True for those.
    """
    a, b = pairs.trained, pairs.served
    apart = f"(epoch_us({b}) - epoch_us({a}))"
    where = f"{left} AND {a} IS NOT NULL AND {b} IS NOT NULL"
    for microseconds, _ in pairs.rows(f"{apart}, count(*)", where, "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 2"):
        if microseconds is None:
            continue
        seconds = microseconds / 1e6
        zone = seconds % QUARTER == 0 and 0 < abs(seconds) <= FARTHEST_ZONE
        word = f"{say_duration(abs(seconds))} {'later' if seconds > 0 else 'earlier'} than training's"
        yield Guess(
            "timezone" if zone else "stale",
            f"coalesce({apart} = {microseconds}, FALSE)",
            f"Serving's time is {word}{', as one of another zone is' if zone else ''}.",
            "Read the time in one zone on both sides." if zone else "Take the time from one clock on both sides.",
            {"seconds": seconds, "hours": float(show(seconds / 3600))},
            bits=9.0,
        )
    for unit in UNITS:
        for kept, cut, who in ((a, b, "serving"), (b, a, "training")):
            yield Guess(
                "rounding",
                f"coalesce(date_trunc('{unit}', {kept}) = {cut}, FALSE)",
                f"{who.capitalize()} cuts the time to the {unit}.",
                "Keep the whole time on both sides.",
                {"side": who, "unit": unit},
                bits=9.5,
            )
