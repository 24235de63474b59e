"""Guesses about single values: a default, a constant, other names, unknown values (room: explain, pairs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from skewcheck.contracts import plain_value
from skewcheck.engines.sql import literal_text
from skewcheck.explain.pairs.base import Guess, Pairs, show

FEW = 200
"""Values that a table from one to another may have."""

ENOUGH = 4
"""Values from which on a table that holds for nine in ten is no coincidence."""

SHOWN = 12
"""Entries of a table that a cause shows."""


def guess_missing(pairs: Pairs, left: str) -> Iterator[Guess]:
    """One side is missing: a default stands for it on the other, or serving has nothing at all."""
    for gone, there, who, other in (
        (pairs.trained, pairs.served, "Serving", "training"),
        (pairs.served, pairs.trained, "Training", "serving"),
    ):
        where = f"{left} AND {gone} IS NULL AND {there} IS NOT NULL"
        found = pairs.rows(f"{there}, count(*)", where, "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1")
        if not found:
            continue
        value, count = found[0]
        total = pairs.count(where)
        if count >= 0.9 * total:
            text = literal(value)
            yield Guess(
                "default",
                f"coalesce({gone} IS NULL AND {there} = {text}, FALSE)",
                f"{who} gives {say(value)} where {other} has no value.",
                "Fill what is missing with one value in both, or in neither.",
                {"side": who.lower(), "default": plain_value(value)},
                bits=9.0,
            )
        elif gone == pairs.served:
            yield Guess(
                "not_served",
                f"coalesce({gone} IS NULL AND {there} IS NOT NULL, FALSE)",
                "Serving has no value where training has one.",
                "Check that what the value is computed from reaches serving.",
                {"side": "serving"},
                bits=10.0,
            )
        else:
            yield Guess(
                "residual",
                f"coalesce({gone} IS NULL AND {there} IS NOT NULL, FALSE)",
                "Serving has a value where training has none, as one that should have expired is.",
                "Let values expire in serving when they do in training, and delete those of old keys.",
                {"side": "serving"},
                bits=11.0,
            )


def guess_constant(pairs: Pairs, left: str) -> Iterator[Guess]:
    """One side gives one value, whatever the other has."""
    for fixed, free, who in ((pairs.served, pairs.trained, "Serving"), (pairs.trained, pairs.served, "Training")):
        where = f"{left} AND {fixed} IS NOT NULL AND {free} IS NOT NULL"
        found = pairs.rows(f"{fixed}, count(*), count(DISTINCT {free})", where, "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1")
        if not found or found[0][2] < 2:
            continue
        value, count, _ = found[0]
        if count < 0.9 * pairs.count(where):
            continue
        unknown = _find_unknown(pairs, where, fixed, free, value) if who == "Serving" else None
        if unknown is not None:
            yield unknown
        yield Guess(
            "constant",
            f"coalesce({fixed} = {literal(value)} AND {free} IS NOT NULL, FALSE)",
            f"{who} gives {say(value)}, whatever the {'other side' if who == 'Training' else 'value should be'}.",
            "Check that the statistics and inputs of the feature are loaded.",
            {"side": who.lower(), "constant": plain_value(value)},
            bits=9.5,
        )


def guess_one_value(pairs: Pairs, left: str) -> Iterator[Guess]:
    """One number that training gives in no other pair became one other: each stands for something that is missing."""
    where = f"{left} AND {pairs.trained} IS NOT NULL AND {pairs.served} IS NOT NULL"
    rows = pairs.rows(
        f"{pairs.trained}, {pairs.served}, count(*)", where, "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 2"
    )
    if pairs.form != "number" or not rows or (len(rows) > 1 and rows[1][2] * 9 > rows[0][2]):
        return
    trained, served, count = rows[0]
    if float(trained).is_integer() and float(served).is_integer():
        return  # a code, whose table is another
    if pairs.count(f"NOT ({pairs.differs}) AND {pairs.trained} = {literal(trained)}") * 9 > count:
        return
    yield Guess(
        "default",
        f"coalesce({pairs.trained} = {literal(trained)} AND {pairs.served} = {literal(served)}, FALSE)",
        f"Serving gives {say(served)} where training gives {say(trained)} and nowhere else, as for a missing value.",
        "Leave the missing value to the code of training.",
        {"side": "serving", "default": plain_value(served), "declared": plain_value(trained)},
        bits=12.0,
    )


def _find_unknown(pairs: Pairs, where: str, fixed: str, free: str, value: Any) -> Guess | None:
    """The constant stands for values that serving never gives: those that are not in its vocabulary."""
    if pairs.form == "number":
        return None
    names = pairs.rows(
        f"{free} AS name, count(*) AS pairs",
        f"{where} AND {fixed} = {literal(value)}",
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {FEW + 1}",
    )
    if not 1 < len(names) <= FEW:
        return None
    listed = ", ".join(literal(name) for name, _ in names)
    if pairs.count(f"NOT ({pairs.differs}) AND {free} IN ({listed})"):
        return None
    return Guess(
        "out_of_vocabulary",
        f"coalesce({fixed} = {literal(value)} AND {free} IN ({listed}), FALSE)",
        f"Serving gives {say(value)} for {len(names):,} values that it does not know.",
        "Load the vocabulary that training froze in serving.",
        {"side": "serving", "unknown": [plain_value(name) for name, _ in names[:SHOWN]], "given": plain_value(value)},
        bits=9.2,
    )


def guess_table(pairs: Pairs, left: str) -> Iterator[Guess]:
    """A table from each value to another one: other names, another order of a vocabulary."""
    where = f"{left} AND {pairs.trained} IS NOT NULL AND {pairs.served} IS NOT NULL"
    rows = pairs.rows(
        f"{pairs.trained} AS name, {pairs.served} AS given, count(*) AS pairs",
        where,
        f"GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT {FEW + 1}",
    )
    if len(rows) < 2 or len(rows) > FEW:
        return
    table: dict[Any, Any] = {}
    counts: dict[Any, int] = {}
    for name, given, count in rows:
        table.setdefault(name, given)
        counts[name] = counts.get(name, 0) + count
    decided = sum(count for name, given, count in rows if table[name] == given)
    if decided < 0.9 * sum(counts.values()) or decided < 3 * len(table) or len(set(table.values())) < 2:
        return
    # What two values can become is no choice, so of few values all that were served have to be so.
    listed = ", ".join(map(literal, table))
    if len(table) < ENOUGH and pairs.count(f"NOT ({pairs.differs}) AND {pairs.trained} IN ({listed})") > decided / 9:
        return
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(given)}" for name, given in table.items())
    swapped = set(table) == set(table.values())
    shown = {str(plain_value(name)): plain_value(given) for name, given in list(table.items())[:SHOWN]}
    order = "in another order" if swapped else "by other names"
    yield Guess(
        "recode",
        f"coalesce({pairs.served} = CASE {pairs.trained} {cases} END, FALSE)",
        f"Serving gives {len(table):,} values {order}, such as {say(rows[0][1])} for {say(rows[0][0])}.",
        "Use the table that training froze in serving.",
        {"side": "serving", "table": shown, "values": len(table)},
        bits=10.0 + 6.0 * len(table),
    )


def literal(value: Any) -> str:
    """A value as SQL text."""
    if isinstance(value, (bool, int, float, str)):
        if (isinstance(value, float) and value != value) or value in {float("inf"), float("-inf")}:
            return f"'{value}'::DOUBLE"
        return literal_text(value)
    if hasattr(value, "isoformat"):
        kind = "TIMESTAMPTZ" if getattr(value, "tzinfo", None) else "TIMESTAMP"
        return f"{kind} '{value.isoformat()}'"
    return literal_text(str(value))


def say(value: Any) -> str:
    """A value in a sentence."""
    plain = plain_value(value)
    if isinstance(plain, float):
        return show(plain)
    return f'"{plain[:40]}"' if isinstance(plain, str) else str(plain)
