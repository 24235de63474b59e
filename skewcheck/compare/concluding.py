"""From counts to a verdict: what differs, and what was not compared and might (room: compare)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from skewcheck.compare.counting import Counted
from skewcheck.compare.findings import Findings, Join, TableRows
from skewcheck.compare.joining import JoinCounts, Keys
from skewcheck.compare.options import Options
from skewcheck.compare.tables import Table
from skewcheck.contracts import Problem


def conclude(a: Table, b: Table, keys: Keys, counts: JoinCounts, counted: Counted, options: Options) -> Findings:
    """The findings: a difference or an absent row fails; anything that could hide one makes them incomplete."""
    sides = [
        TableRows(
            source=table.source,
            rows=counts.rows[place],
            missing_ids=counts.missing_ids[place],
            unmatched_ids=counts.unmatched_ids[place],
            unmatched_rows=counts.unmatched_rows[place],
            duplicated_ids=counts.duplicated_ids[place],
            only=tuple(name for name in table.columns if name not in other.columns),
        )
        for place, (table, other) in enumerate(((a, b), (b, a)))
    ]
    join = Join(
        on=keys.on,
        ids=counts.ids,
        shared_ids=counts.shared_ids,
        duplicated_ids=counts.repeated_ids,
        pairs=counts.pairs,
        compared=counted.pairs,
        first=counted.first,
        last=counted.last,
    )
    problems = [
        *_find_nothing(a, b, join, counted),
        *_find_left_out(sides, join, options),
        *_find_unlike(a, keys, counted, options, sides),
    ]
    absent = options.rows == "all" and any(side.unmatched_rows for side in sides) and join.compared > 0
    differ = any(column.verdict != "match" for column in counted.columns)
    hidden = any(problem.severity == "error" for problem in problems)
    return Findings(
        verdict="fail" if differ or absent else "incomplete" if hidden else "pass",
        a=sides[0],
        b=sides[1],
        join=join,
        columns=counted.columns,
        at=options.at,
        problems=tuple(problems),
    )


def _find_nothing(a: Table, b: Table, join: Join, counted: Counted) -> list[Problem]:
    """Why there was nothing to compare; an empty list where there was something."""
    on = ", ".join(join.on)
    problems = []
    if not counted.columns:
        shared = [name for name in a.columns if name in b.columns and name not in join.on]
        reason = "no column of both was left to compare" if shared else f"no column but {on} is in both tables"
        problems.append(Problem("error", "columns", reason, "Name pairs of columns with --rename A=B."))
    if not join.compared:
        problems.append(
            Problem(
                "error",
                f"--on {on}",
                "no id stands once in A and once in B" if join.pairs else "no id is in both tables",
                "Check the columns that --on names.",
            )
        )
    return problems


def _find_left_out(sides: Sequence[TableRows], join: Join, options: Options) -> list[Problem]:
    """Rows that were not compared."""
    severity: Literal["error", "warning"] = "error" if options.rows == "all" else "warning"
    on = ", ".join(join.on)
    problems = []
    for label, other, side in (("A", "B", sides[0]), ("B", "A", sides[1])):
        where = f"table {label}"
        if side.missing_ids:
            left_out = f"{side.missing_ids:,} of {side.rows:,} rows have no {on}; they were not compared"
            remedy = None if options.rows == "shared" else "Fill it, or compare the others alone with --rows shared."
            problems.append(Problem(severity, where, left_out, remedy))
        if side.unmatched_rows and join.compared:
            absent = f"{side.unmatched_rows:,} of {side.rows:,} rows have an id that {other} lacks"
            remedy = None if options.rows == "shared" else "Compare the others alone with --rows shared."
            problems.append(Problem("warning", where, absent, remedy))
    if join.duplicated_ids and options.duplicates == "skip":
        problems.append(
            Problem(
                severity,
                f"--on {on}",
                f"{join.duplicated_ids:,} of {join.ids:,} ids stand in more than one row; those rows were not compared",
                "Name the columns that make a row unique, or compare every A with every B with --duplicates pairs.",
            )
        )
    return problems


def _find_unlike(a: Table, keys: Keys, counted: Counted, options: Options, sides: Sequence[TableRows]) -> list[Problem]:
    """Columns that were asked for and could not be compared, ids of two types, names that differ by case alone."""
    compared = {column.name for column in counted.columns}
    problems = [
        Problem(
            "error",
            f"column {name}",
            f"is not in {'B' if name in a.columns else 'A'}, so it was not compared",
            "Name a column of both tables, or pair two with --rename A=B.",
        )
        for name in options.columns
        if name not in compared and name not in keys.on and name not in options.ignored
    ]
    problems += [
        Problem(
            "warning",
            f"--on {pair.name}",
            f"is {pair.a.said} in A and {pair.b.said} in B; ids were compared by their text",
            "Give the id one type in both tables.",
        )
        for pair in keys.pairs
        if pair.note is not None
    ]
    lower = {name.casefold(): name for name in sides[1].only}
    problems += [
        Problem(
            "warning",
            f"column {name}",
            f"is called {lower[name.casefold()]} in B, so it was not compared",
            f"Pair the two with --rename {name}={lower[name.casefold()]}.",
        )
        for name in sides[0].only
        if name.casefold() in lower
    ]
    return problems
