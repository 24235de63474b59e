"""How much later than it was known a view's rows reach serving, as it is written on a command line: "weather=2h"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from skewcheck.errors import UsageError
from skewcheck.language.windows.durations import parse_duration


def parse_delays(texts: Iterable[str]) -> dict[str, timedelta]:
    """The delay of each view that is named.

    Args:
        texts: Of the form VIEW=TIME, where a time is a whole number and one of the units s, m, h, d, w.

    Raises:
        UsageError: One is of another form, negative or zero, or a view is named twice.
    """
    delays: dict[str, timedelta] = {}
    for text in texts:
        view, sign, time = text.partition("=")
        if not view or not sign:
            raise UsageError(f"--delay {text}: expected VIEW=TIME", remedy="Write it as in --delay weather=2h.")
        if view in delays:
            raise UsageError(f"--delay {text}: view {view} has a delay already", remedy="Name each view once.")
        if time.startswith("-"):
            raise UsageError(
                f"--delay {text}: a delay is not negative",
                remedy="Give the time by which rows reach serving later than they were known.",
            )
        try:
            delays[view] = timedelta(microseconds=parse_duration(time))
        except ValueError as error:
            raise UsageError(f"--delay {text}: {error}", remedy="Write it as in --delay weather=2h.") from error
    return delays
