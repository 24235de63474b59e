"""Where statistics and vocabularies that serving uses come from: an earlier state, or the log (room: explain)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import duckdb

from skewcheck.causes import Cause
from skewcheck.engines.duckdb import write_query
from skewcheck.explain.edits.categories import code_bounds
from skewcheck.explain.inverting import SCALES
from skewcheck.explain.trees import Frozen, Tree
from skewcheck.fit.history import Earlier
from skewcheck.language.expressions import Expression, expand
from skewcheck.language.terms import finite

EXACT = 1e-6
"""How far solved statistics may be from known ones, relative to the scale among them."""

_MEASURES = {
    "mean": "avg(value)",
    "standard_deviation": "stddev_pop(value)",
    "minimum": "min(value)",
    "maximum": "max(value)",
    "range": "max(value) - min(value)",
    "largest_absolute": "max(abs(value))",
    "median": "median(value)",
    "quartile_range": "quantile_cont(value, 0.75) - quantile_cont(value, 0.25)",
}
"""For kinds of statistics the SQL that is near enough to recognise them, in one pass and little memory."""

ROOTS = {"statistics": "statistics of ", "recode": "table of "}
"""For each kind of cause that has a source how its root begins; the operator's text follows."""


def trace_statistics(
    connection: duckdb.DuckDBPyConnection,
    log: str,
    causes: Mapping[str, tuple[Cause, ...]],
    trees: Mapping[str, Tree],
    earlier: Iterable[Earlier],
) -> dict[str, tuple[Cause, ...]]:
    """The causes, with where the statistics and the codes of categories come from, where that can be told.

    An earlier state comes first: serving was not deployed since. Otherwise they may be those of the whole log, which
    serving can only have computed of what it was asked for, such as a batch.

    Args:
        connection: The engine.
        log: SQL text of the log's rows, with the columns that features read.
        causes: For each feature its causes.
        trees: For each feature what training computes.
        earlier: States that were committed before; read only where there is a cause that asks.
    """
    if not any(cause.kind in ROOTS for of_feature in causes.values() for cause in of_feature):
        return dict(causes)
    states = list(earlier)
    return {
        name: tuple(
            _trace(connection, log, cause, trees[name], states) if cause.kind in ROOTS else cause
            for cause in of_feature
        )
        for name, of_feature in causes.items()
    }


def _trace(
    connection: duckdb.DuckDBPyConnection, log: str, cause: Cause, tree: Tree, states: Iterable[Earlier]
) -> Cause:
    text = cause.root.removeprefix(ROOTS[cause.kind])
    node = tree.find(text)
    if node is None or not isinstance(node.operator, Frozen):
        return cause
    operator, codes, solved = node.operator, cause.parameters.get("codes"), cause.parameters.get("statistics")
    for one in states:
        known = one.state.statistics.get(text, {})
        if (codes and _has_codes(codes, known, operator)) or (solved and _equal(solved, known, operator)):
            source = {"commit": one.commit, "date": one.date, "state": one.state.hash}
            said = f"That is the state {one.state.hash[:12]} of commit {one.commit} ({one.date})."
            return _with_source(cause, source, said, f"Serving still has that state. {cause.fix}")
    if solved:
        rows, found = _fit_log(connection, log, node.operands[0], operator, solved)
        if _equal(solved, found, operator):
            said = f"Those are the statistics of the {rows:,} requests of this log together."
            return _with_source(cause, {"log": True, "requests": rows}, said, cause.fix)
    return cause


def _with_source(cause: Cause, source: Mapping[str, Any], said: str, fix: str) -> Cause:
    return replace(
        cause,
        parameters={**cause.parameters, "source": dict(source)},
        says=f"{cause.says} {said}",
        fix=fix,
    )


def _equal(solved: Mapping[str, float], known: Mapping[str, Any], operator: Frozen) -> bool:
    """Whether all solved statistics are the known ones, as nearly as what was served tells them."""
    if any(not isinstance(known.get(name), (int, float)) for name in solved):
        return False
    _, scale = SCALES[operator.inner.name]
    near = EXACT * abs(solved[scale])
    return all(math.isclose(value, known[name], rel_tol=EXACT, abs_tol=near) for name, value in solved.items())


def _has_codes(codes: Mapping[str, Any], known: Mapping[str, Any], operator: Frozen) -> bool:
    """Whether every category that has another code in serving has it by the known entries."""
    first, unseen = code_bounds(operator)
    places = {str(entry): place for place, entry in enumerate(known.get("entries", ()), first)}
    return bool(places) and all(places.get(key, unseen) == code for key, code in codes.items())


def _fit_log(
    connection: duckdb.DuckDBPyConnection,
    log: str,
    operand: Expression,
    operator: Frozen,
    solved: Mapping[str, float],
) -> tuple[int, dict[str, Any]]:
    """How many requests have a value to fit the operator to, and the statistics of these; none where there are none."""
    asked = {
        statistic.name: _MEASURES[statistic.kind]
        for statistic in operator.inner.statistics()
        if statistic.name in solved and statistic.kind in _MEASURES
    }
    if len(asked) < len(solved):
        return 0, {}
    query = write_query({"explain.value": finite(expand(operand, {}))}, source=log)
    row = connection.execute(
        f'SELECT count(value), {", ".join(asked.values())} FROM (SELECT "explain.value" AS value FROM ({query}))'
    ).fetchone()
    count, *values = row or (0,)
    return int(count), dict(zip(asked, values, strict=True)) if count else {}
