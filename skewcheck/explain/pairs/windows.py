"""Two columns that are aggregates over earlier rows, and what the one does otherwise (room: explain, pairs)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skewcheck.causes import Cause
from skewcheck.explain.pairs.base import Pairs
from skewcheck.explain.pairs.filters import Filter, find_filtered
from skewcheck.explain.values.aggregates import Aggregate, Ordered, adopt, compute, differences, find_aggregate
from skewcheck.explain.values.series import Floats, agree_numbers

MOST = 20_000
"""Rows, the earliest, that aggregates are solved from."""

WHOLE = 0.95
"""Share of the mismatches that the aggregates must give."""

ALL_ROWS = "all"

_ROUNDINGS = {
    "round": "is rounded",
    "half_even": "is rounded, a half to the even neighbour,",
    "floor": "is rounded down",
    "ceil": "is rounded up",
    "cut": "is cut",
}


def explain_windows(pairs: Pairs, stage: str = "", *, redact: bool = False) -> tuple[Cause, ...]:
    """A cause for each difference of two aggregates over the same rows; none where the columns are no such thing.

    Args:
        pairs: The pairs.
        stage: The cut whose mismatches they are; empty for two tables.
        redact: Leave out the value by which a side filters rows.
    """
    if pairs.form != "number" or not pairs.at or not pairs.others:
        return ()
    trained, served, rows, differing, slices = _read(pairs)
    if not differing.any():
        return ()
    right = find_aggregate(trained, rows)
    wrong = find_aggregate(served, rows) if right is not None or slices else None
    filters: Mapping[str, Filter] = {}
    if filtered := find_filtered(right, wrong, (trained, served), rows, slices):
        right, wrong, rows, filters = filtered.right, filtered.wrong, filtered.rows, filtered.filters
    if right is None or wrong is None or right == wrong:
        return ()
    scale = float(np.nanmedian(np.abs(trained)))
    given = compute(wrong, rows)
    explained = differing & _same(served, given, scale)
    if explained.sum() < WHOLE * differing.sum():
        return ()
    causes = []
    for difference in differences(right, wrong):
        without = compute(adopt(wrong, right, difference), rows)
        needed = int((explained & ~_same(served, without, scale)).sum())
        shown = {name: _say(one, difference) for name, one in (("serving", wrong), ("declared", right))}
        if difference == "source" and filters:
            shown = {
                name: filters[one.source].say(redact=redact) if one.source in filters else ALL_ROWS
                for name, one in (("serving", wrong), ("declared", right))
            }
            difference = "filter"
        causes.append(_describe(pairs, right, wrong, difference, shown, (needed, int(differing.sum())), stage))
    return tuple(sorted(causes, key=lambda cause: -cause.explains))


def _read(pairs: Pairs) -> tuple[Floats, Floats, Ordered, np.ndarray, dict[str, list[str | None]]]:
    """Both sides, the columns that may be their sources, and those that may filter them, in the order of time."""
    entity = pairs.entity or "0"
    selected = [
        f"{pairs.trained} AS trained",
        f"{pairs.served} AS served",
        f"epoch_us({pairs.at}) / 1e6 AS seconds",
        f"dense_rank() OVER (ORDER BY {entity}) AS entity",
        f"{pairs.differs} AS differing",
        *(f"{text} AS source_{place}" for place, text in enumerate(pairs.others.values())),
        *(f"CAST({text} AS VARCHAR) AS slice_{place}" for place, text in enumerate(pairs.slices.values())),
    ]
    found = pairs.connection.execute(
        f"SELECT {', '.join(selected)} FROM {pairs.relation} WHERE {pairs.at} IS NOT NULL ORDER BY {pairs.at}, entity "
        f"LIMIT {MOST}"
    ).fetchnumpy()

    def numbers(name: str) -> Floats:
        return np.ma.filled(np.ma.asarray(found[name]).astype(np.float64), np.nan)

    sources = {name: numbers(f"source_{place}") for place, name in enumerate(pairs.others)}
    ordered = Ordered(sources, numbers("seconds"), numbers("entity").astype(np.int64))
    slices = {name: np.ma.filled(found[f"slice_{place}"], None).tolist() for place, name in enumerate(pairs.slices)}
    return numbers("trained"), numbers("served"), ordered, np.asarray(found["differing"], dtype=bool), slices


def _same(left: Floats, right: Floats, scale: float) -> np.ndarray:
    return agree_numbers(left, right, scale=scale) | (np.isnan(left) & np.isnan(right))


def _describe(
    pairs: Pairs,
    right: Aggregate,
    wrong: Aggregate,
    difference: str,
    shown: Mapping[str, str],
    counted: tuple[int, int],
    stage: str,
) -> Cause:
    """A difference as a cause.

    Args:
        pairs: The pairs.
        right: Training's aggregate.
        wrong: Serving's.
        difference: What is different.
        shown: That in words, for each side.
        counted: The mismatches that need it, and all.
        stage: The cut.
    """
    name, (needed, total) = pairs.name, counted
    says = {
        "rounding": f"In serving {name} {shown['serving']}; in training it {shown['declared']}.",
        "closed": f"Serving's window of {name} {shown['serving']}; training's {shown['declared']}.",
        "length": f"Serving's window of {name} has {shown['serving']}; training's {shown['declared']}.",
        "min_periods": f"Serving gives {name} from {shown['serving']} on; training from {shown['declared']} on.",
        "filter": f"Rows that count for {name}: in serving {_say_rows(shown['serving'])}; in training "
        f"{_say_rows(shown['declared'])}.",
    }.get(difference, f"Serving computes {name} with {difference} {shown['serving']}; training {shown['declared']}.")
    evidence = [f"{needed:,} of {total:,} mismatches need this; with all that is named every value comes out."]
    if pairs.entity and not (right.by_entity and wrong.by_entity):
        evidence.append("The window runs across entities: values of one flow into the next one's.")
    fixes = {"rounding": "Round as training does.", "filter": f"Count the same rows for {name} on both sides."}
    source = wrong.source.partition(" where ")[0] if difference == "filter" else wrong.source
    return Cause(
        kind=difference if difference in fixes else "window",
        stage=stage,
        explains=needed / total,
        parameters={"difference": difference, **shown, "source": source, "function": wrong.function},
        evidence=tuple(evidence),
        fix=fixes.get(difference, f"Give {name} training's window."),
        says=says,
        root=f"{difference} of {name}",
        bits=10.0,
    )


def _say_rows(shown: str) -> str:
    return shown if shown == ALL_ROWS else f"those in which {shown}"


def _say(one: Aggregate, difference: str) -> str:
    """One side of a difference in words."""
    if difference == "rounding":
        if one.mode == "exact":
            return "is not rounded"
        return f"{_ROUNDINGS[one.mode]} to {one.decimals} decimals"
    if difference == "closed":
        return {
            "right": "holds the row itself",
            "left": "ends before the row itself",
            "both": "holds the row itself and the one that is just as old as the window",
            "neither": "holds neither of its ends",
        }[one.closed]
    if difference == "length":
        return f"{one.rows} rows" if one.rows is not None else f"{one.seconds:,} seconds"
    if difference == "min_periods":
        return "the first value" if one.min_periods == 1 else f"value {one.min_periods}"
    return str(getattr(one, difference))
