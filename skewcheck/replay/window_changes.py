"""What serving may do otherwise when it computes a window: one thing of the declared one changed at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from typing import Any

from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.language.sources import SourceColumn
from skewcheck.language.types import FLOAT64, INT64
from skewcheck.language.windows.aggregate import REGISTRY
from skewcheck.language.windows.declaration import Aggregated, WindowFeature
from skewcheck.language.windows.durations import UNITS
from skewcheck.language.windows.window import CLOSED, Window
from skewcheck.store.as_of import CREATED, EVENT

_SECOND, _MINUTE, _HOUR, _DAY = (UNITS[unit] for unit in "smhd")
LENGTHS = (
    *(minutes * _MINUTE for minutes in (1, 5, 10, 15, 30)),
    *(hours * _HOUR for hours in (1, 2, 3, 6, 12, 18)),
    *(days * _DAY for days in (1, 2, 3, 5, 7, 10, 14, 21, 28, 30, 60, 90, 180, 365)),
)
"""Usual lengths, in microseconds; half and twice the declared one are tried beside them, and all time."""

LATENESS = (_DAY, 12 * _HOUR, 6 * _HOUR, 2 * _HOUR, _HOUR, 15 * _MINUTE, 5 * _MINUTE, _MINUTE, _SECOND)
"""How late an event may be known, in microseconds, where serving leaves out later ones."""

_EDGES = {"right": "(t − w, t]", "left": "[t − w, t)", "both": "[t − w, t]", "neither": "(t − w, t)"}
_NEW, _OLD = ("right", "both"), ("left", "both")
"""The windows to which the current event belongs, and those to which one that is just as old as the window does."""

Filters = Sequence[tuple[SourceColumn, Sequence[Any]]]
"""Columns of the events, each with the values that it has."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A window with one thing changed.

    Attributes:
        form: The form of the mismatches that it explains.
        says: What serving does, in a sentence.
        serving: The thing as serving has it.
        declared: The thing as it was declared.
        rank: How simple the change is, the simplest first.
        feature: The feature to compute.
        kept: SQL text of which events count beside the window.
        blind: Whether an event counts once it happened, known or not.
    """

    form: str
    says: str
    serving: str
    declared: str
    rank: tuple[int, float]
    feature: WindowFeature
    kept: str = "TRUE"
    blind: bool = False


@dataclass(frozen=True, slots=True)
class FoundVariant:
    """The window that serving computes.

    Attributes:
        variant: It.
        sampled: Requests that it was computed for.
        given: How many of them it gives what was served.
        declared_given: How many the declared window does.
    """

    variant: Variant
    sampled: int
    given: int
    declared_given: int

    @property
    def evidence(self) -> str:
        """The counts in a sentence."""
        return (
            f"so computed the window gives what was served in {self.given} of {self.sampled} requests that were tried; "
            f"as declared in {self.declared_given}"
        )


def list_variants(feature: WindowFeature, filters: Filters) -> list[Variant]:
    """Every change that is tried, after the declared window itself.

    Args:
        feature: The declared feature.
        filters: What its events can be filtered by.
    """
    declared = Variant("", "", "", "", (0, 0.0), feature)
    changed = [_change_edges(feature), _change_length(feature), _change_events(feature, filters)]
    return [declared, *(variant for variants in (*changed, _change_function(feature)) for variant in variants)]


def _change_edges(feature: WindowFeature) -> Iterator[Variant]:
    declared = feature.window.closed
    for closed in CLOSED:
        new, old = ((closed in edges) != (declared in edges) for edges in (_NEW, _OLD))
        if not new and not old:
            continue
        if new and old:
            says = f"Serving computes the window as {_EDGES[closed]}; training as {_EDGES[declared]}."
        elif new:
            verb, other = ("counts", "does not") if closed in _NEW else ("does not count", "does")
            says = f"Serving {verb} the event at the instant itself; training {other}."
        else:
            verb, other = ("counts", "does not") if closed in _OLD else ("does not count", "does")
            says = f"Serving {verb} an event that is just as old as the window; training {other}."
        window = replace(feature.window, closed=closed)
        rank = (1, float(new + old))
        yield Variant("other_window", says, closed, declared, rank, replace(feature, window=window))


def _change_length(feature: WindowFeature) -> Iterator[Variant]:
    declared = feature.window.length
    beside = () if declared is None else (declared // 2, declared * 2)
    for length in (*sorted({*LENGTHS, *beside} - {declared}), *(() if declared is None else (None,))):
        # All time is further than any length, and the longest is next to it.
        apart = abs(math.log(length / declared)) if length and declared else 100.0 - math.log(length or 1)
        serving, training = say_length(length), say_length(declared)
        says = f"Serving computes the window over {serving}; training over {training}."
        window = Window(length, feature.window.closed)
        yield Variant("other_window", says, serving, training, (2, apart), replace(feature, window=window))


def _change_events(feature: WindowFeature, filters: Filters) -> Iterator[Variant]:
    yield Variant("late_arrival", "", "", "", (3, 0.0), feature, blind=True)
    for place, late in enumerate(LATENESS):
        which = f"events that are known more than {say_length(late)} after they happened"
        says = f"Serving leaves out {which}; training counts them from then on."
        kept = f"{CREATED} - {EVENT} <= {late}"
        yield Variant("other_filter", says, f"without {which}", "all events", (3, 1.0 + place), feature, kept)
    conditions = []
    column = feature.aggregated.column
    if column is not None and column.type in (FLOAT64, INT64):
        text = quote_name(column.name)
        conditions.append((f"{column.name} is below 0", f"coalesce({text} < 0, FALSE)"))
        conditions.append((f"{column.name} is 0", f"coalesce({text} = 0, FALSE)"))
    for one, values in filters:
        text = quote_name(one.name)
        for value in values:
            shown, literal = (repr(value), quote_text(value)) if isinstance(value, str) else (str(value), str(value))
            conditions.append((f"{one.name} is {shown}", f"{text} IS NOT DISTINCT FROM {literal}"))
    for words, condition in conditions:
        says = f"Serving leaves out events whose {words}; training counts them."
        yield Variant("other_filter", says, f"without {words}", "all events", (4, 0.0), feature, f"NOT ({condition})")
        says = f"Serving counts only events whose {words}; training counts all."
        yield Variant("other_filter", says, f"only {words}", "all events", (4, 1.0), feature, condition)


def _change_function(feature: WindowFeature) -> Iterator[Variant]:
    column = feature.aggregated.column
    for name, kind in REGISTRY.items():
        takes = column.type in kind.takes if column else kind.of_events
        if name == feature.aggregate.name or not takes or any(one.default is MISSING for one in fields(kind)):
            continue
        aggregated = Aggregated(kind(whole=column is not None and column.type == INT64), column, feature.window.length)
        if aggregated.type == feature.type:
            serving, training = (one.replace("_", " ") for one in (name, feature.aggregate.name))
            says = f"Serving computes the {serving} over the window; training the {training}."
            changed = replace(feature, aggregated=aggregated)
            yield Variant("other_window", says, name, feature.aggregate.name, (5, 0.0), changed)


def say_length(length: int | None) -> str:
    """A length of time in words, of microseconds."""
    if length is None:
        return "all time"
    units = (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE))
    word, unit = next((one for one in units if length % one[1] == 0), ("second", _SECOND))
    return f"{length / unit:g} {word}{'' if length == unit else 's'}"
