"""The words of the findings, shared by the terminal and the page so that both say the same (room: compare)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from skewcheck.causes import Finding
from skewcheck.report.findings import Said, say_finding
from skewcheck.report.values import format_span
from skewcheck.report.wording import count_things

if TYPE_CHECKING:
    from skewcheck.compare.findings import ColumnFinding, Findings


def say_headline(findings: Findings) -> str:
    """The first line: "FAIL 3 of 20 columns differ in 1,000 pairs of rows (2013-07-01 … 2013-07-31)"."""
    join, columns = findings.join, findings.columns
    if not columns or not join.compared:
        return f"{findings.verdict.upper()} nothing was compared"
    span = format_span(join.first, join.last)
    pairs = f"{count_things(join.compared, 'pair')} of rows{f' ({span})' if span else ''}"
    if findings.differing:
        found = f"{len(findings.differing):,} of {len(columns):,} columns differ"
    else:
        found = f"all {len(columns):,} columns match" if len(columns) > 1 else "the one column matches"
    absent = findings.a.unmatched_rows + findings.b.unmatched_rows
    return f"{findings.verdict.upper()} {found} in {pairs}{f'; {absent:,} absent' if absent else ''}"


def say_causes(column: ColumnFinding) -> list[Said]:
    """The causes of a column in words."""
    return [say_finding(Finding(cause, {column.name: float(cause.get("explains", 0.0))})) for cause in column.causes]


def say_absences(findings: Findings) -> list[Said]:
    """Why rows are absent, in words: they have said where and how many themselves."""
    said = (say_finding(Finding(cause, {_name_rows(cause.get("root")): 0.0})) for cause in findings.causes)
    return [replace(one, where="", numbers=()) for one in said]


def _name_rows(root: object) -> str:
    return root if isinstance(root, str) else "rows"
