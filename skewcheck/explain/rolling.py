"""Statistics that serving computes from its latest requests instead of loading them (room: explain)."""

from __future__ import annotations

from typing import Any

import numpy as np

from skewcheck.causes import Cause
from skewcheck.engines.duckdb import write_query
from skewcheck.engines.sql import quote_name
from skewcheck.explain.confirming import agrees
from skewcheck.explain.describing import iso
from skewcheck.explain.evaluating import Evaluator, read_columns
from skewcheck.explain.inverting import Node, examine
from skewcheck.explain.ordering import ORDER, Log
from skewcheck.explain.searching import Subject
from skewcheck.explain.trees import Frozen
from skewcheck.explain.values.series import Bools, Floats, Series, agree
from skewcheck.explain.values.windows import Window, find_window
from skewcheck.language.expressions import Column, Expression, expand
from skewcheck.language.terms import finite
from skewcheck.language.types import FLOAT64, STRING, TIMESTAMP
from skewcheck.replay.comparison import REQUESTED_AT, Sides, differs
from skewcheck.replay.stages import FILE, ROW

BLOCK = 40_000
"""Requests in a row that are looked at."""

NEAR = 1e-6
"""Relative difference between a sum that is carried along and one that is made anew."""

FEWEST = 0.5
"""Share of the mismatches that rolling statistics must explain to be named."""

_TABLE = "explain_block"


def find_rolling(subject: Subject, side: Sides, log: Log, first: str | None) -> Cause | None:
    """The window over which serving standardises; None where it does not.

    Args:
        subject: The feature.
        side: What was compared.
        log: The log.
        first: Time of the first mismatch (ISO 8601).
    """
    scalers = [
        (text, node)
        for text, node in subject.tree.nodes()
        if isinstance(node.operator, Frozen) and node.operator.inner.name == "standardize"
    ]
    if len(scalers) != 1 or first is None:
        return None
    text = scalers[0][0]
    wanted = (*subject.tree.columns, side.served, side.replayed, *log.groups.values())
    log.keep_block(_TABLE, wanted, first, BLOCK)
    kinds = {side.served: side.type, side.replayed: side.type, "log.requested_at": TIMESTAMP}
    read = read_columns(log.connection, _TABLE, {**kinds, **dict.fromkeys(log.groups.values(), STRING)})
    nodes = examine(subject.tree, read[side.served], Evaluator(log.connection, f"(FROM {_TABLE})"))
    scaler = next(node for node in nodes if node.text == text)
    operand = next(node for node in nodes if node.expression is scaler.expression.operands[0])
    if scaler.required is None:
        return None
    differing = ~agree(read[side.served], read[side.replayed])
    x, times = operand.values.numbers(), read["log.requested_at"].numbers()
    y = np.where(differing, scaler.required, np.nan)
    for group in (None, *log.groups):
        there = np.isfinite(x)
        if group is not None:
            there &= _most_frequent(read[log.groups[group]], differing)
        window = find_window(x[there], y[there], times[there])
        if window is None:
            continue
        counted = _count(subject, side, log, scaler, window, group)
        if counted["mismatched"] and counted["reproduced"] >= FEWEST * counted["mismatched"]:
            return _describe(subject, scaler, window, counted, _implied(x[there], times[there], window), group)
    return None


def _most_frequent(groups: Series, differing: Bools) -> Bools:
    """The rows of the group that has most mismatches."""
    names, counts = np.unique(groups.data[differing & groups.present], return_counts=True)
    if not len(names):
        return np.zeros(len(groups), dtype=bool)
    return np.asarray(groups.data == names[np.argmax(counts)], dtype=bool)


def _count(subject: Subject, side: Sides, log: Log, scaler: Node, window: Window, group: str | None) -> dict[str, Any]:
    """How many mismatches have what the window gives, over the whole log."""
    text = scaler.text or ""
    operand = finite(expand(scaler.expression.operands[0], {}))
    by = [] if group is None else [log.groups[group]]
    wanted = (*subject.tree.columns, side.served, side.replayed, *by)
    names = ", ".join([REQUESTED_AT, FILE, ROW, *map(quote_name, wanted)])
    with_operand = write_query({"explain.x": operand}, source=f"(SELECT {names} FROM ({log.relation}))")
    frame = "".join(f"PARTITION BY {quote_name(name)} " for name in by) + _write_frame(window)
    spread = "var_samp" if window.ddof else "var_pop"
    mean, deviation = f'avg("explain.x") OVER ({frame})', f'sqrt({spread}("explain.x") OVER ({frame}))'
    scaled = (
        f'SELECT *, ("explain.x" - {mean}) / CASE WHEN {deviation} > 0 THEN {deviation} ELSE 1e0 END AS '
        f'"explain.rolling" FROM ({with_operand}) WHERE "explain.x" IS NOT NULL'
    )
    column = Expression(Column("explain.rolling", FLOAT64), (), FLOAT64)
    tree = subject.tree.replace(text, lambda _: column)
    query = write_query({"explain.served": tree.term()}, source=f"({scaled})")
    differing = differs(side)
    same = agrees(side.type, side.served, "explain.served", NEAR, max(subject.scale, 1.0))
    reproduced = f"CASE WHEN {differing} AND {same} THEN"
    row = log.connection.execute(
        f"SELECT count(CASE WHEN {differing} THEN 1 END), count({reproduced} 1 END) FROM ({query})"
    ).fetchone()
    mismatched, count = row or (0, 0)
    return {"mismatched": mismatched, "reproduced": count}


def _write_frame(window: Window) -> str:
    end = "CURRENT ROW" if window.inclusive else "1 PRECEDING"
    if window.rows is not None:
        reach = window.rows - 1 if window.inclusive else window.rows
        return f"ORDER BY {ORDER} ROWS BETWEEN {reach} PRECEDING AND {end}"
    if window.seconds is not None:
        return f"ORDER BY {REQUESTED_AT} RANGE BETWEEN INTERVAL {window.seconds!r} SECOND PRECEDING AND CURRENT ROW"
    return f"ORDER BY {ORDER} ROWS BETWEEN UNBOUNDED PRECEDING AND {end}"


def _implied(x: Floats, times: Floats, window: Window) -> list[dict[str, Any]]:
    """Mean and standard deviation of the window at a few times, to see how they drift."""
    found = []
    start = min(len(x) - 1, window.rows or len(x) // 10)
    for place in np.unique(np.linspace(start, len(x) - 1, 4).astype(int)):
        if window.seconds is not None:
            first = int(np.searchsorted(times, times[place] - window.seconds * 1e6, side="right"))
        else:
            first = 0 if window.rows is None else max(0, int(place) + 1 - window.rows)
        part = x[first : int(place) + 1]
        found.append(
            {
                "at": iso(times[place]),
                "mean": float(part.mean()),
                "std": float(part.std(ddof=min(window.ddof, len(part) - 1))),
            }
        )
    return found


def _describe(
    subject: Subject,
    scaler: Node,
    window: Window,
    counted: dict[str, Any],
    implied: list[dict[str, Any]],
    group: str | None,
) -> Cause:
    frozen = dict(scaler.expression.operator.values)  # type: ignore[attr-defined]
    last = implied[-1]
    span = window.describe() + ("" if group is None else f" of each {group}")
    drift = "; ".join(f"{one['at']} mean {one['mean']:.6g}, std {one['std']:.6g}" for one in implied)
    return Cause(
        kind="statistics_rolling",
        stage=subject.stage,
        explains=counted["reproduced"] / counted["mismatched"],
        parameters={
            "requests": window.rows,
            "by": group,
            "seconds": window.seconds,
            "itself": window.inclusive,
            "ddof": window.ddof,
            "frozen": {"mean": frozen["mean"], "std": frozen["std"]},
            "implied": implied,
        },
        evidence=(
            f"{counted['reproduced']:,} of {counted['mismatched']:,} mismatches are what {span} give.",
            f"The statistics drift: {drift}.",
        ),
        fix=f"Load {subject.state} in serving instead of computing statistics of requests.",
        says=f"Serving standardises {_operand_text(subject, scaler)} with the mean and "
        f"standard deviation of {span} (lately {last['mean']:.6g} and {last['std']:.6g}); the frozen state has "
        f"{frozen['mean']:.6g} and {frozen['std']:.6g}.",
        root=f"statistics of {scaler.text}",
        bits=60.0,
    )


def _operand_text(subject: Subject, scaler: Node) -> str:
    below = scaler.expression.operands[0]
    return next((text for text, node in subject.tree.nodes() if node is below), "its operand")
