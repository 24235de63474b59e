"""The findings in the terminal: one sentence, then what it takes to believe it (room: compare)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skewcheck.compare.wording import say_absences, say_causes, say_headline
from skewcheck.report.printing import VERDICT_STYLES, Printer
from skewcheck.report.values import (
    escape_hidden,
    flow_text,
    format_count,
    format_difference,
    format_pair,
    format_rate,
    format_span,
    format_value,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from skewcheck.compare.findings import ColumnFinding, Findings
    from skewcheck.report.findings import Said

_SHOWN_STATES = 4
_SHOWN_SLICES = 3


def print_findings(findings: Findings, console: Console, *, report_path: Path | None = None) -> None:
    """Print findings for a person in a hurry.

    Args:
        findings: What to print.
        console: Where to print. Colours carry no meaning of their own.
        report_path: The file with the whole story, named in the last line.
    """
    printer = Printer(console)
    headline = printer.text(say_headline(findings))
    headline.stylize(VERDICT_STYLES[findings.verdict], 0, len(findings.verdict))
    printer.show(headline)
    printer.print_line(f"A {escape_hidden(findings.a.source)}")
    printer.print_line(f"B {escape_hidden(findings.b.source)}")
    if findings.differing:
        _print_columns(printer, findings.differing)
    for said in [*say_absences(findings), *(said for column in findings.differing for said in say_causes(column))]:
        _print_cause(printer, said)
    _print_notes(printer, findings)
    _print_rows(printer, findings)
    printer.print_problems(findings.problems)
    if report_path is not None:
        printer.blank()
        printer.print_line(f"Full report: {escape_hidden(str(report_path))}")


def _print_columns(printer: Printer, differing: tuple[ColumnFinding, ...]) -> None:
    """The table of columns that differ, most of them first."""
    printer.blank()
    table = printer.table("column that differs", "mismatched", "difference", "A → B", lines=True)
    for place in (1, 2):
        table.columns[place].no_wrap = True
    for column in differing:
        counts = [f"{column.mismatched:,} of {column.compared:,}", format_rate(column.mismatched, column.compared)]
        if column.a_missing:
            counts.append(f"{format_count(column.a_missing)} missing in A")
        if column.b_missing:
            counts.append(f"{format_count(column.b_missing)} missing in B")
        sizes = {
            "max": column.max_absolute_difference,
            "mean": column.mean_absolute_difference,
            "ulp": column.max_ulp if column.max_ulp is not None and column.max_ulp < 1000 else None,
            "SMAPE": column.smape,
            **{name.upper(): size for name, size in column.distances.items()},
        }
        difference = [f"{label} {format_difference(size)}" for label, size in sizes.items() if size is not None]
        span = format_span(column.first_mismatch, column.last_mismatch)
        name = [escape_hidden(column.name), *([f"  {span}"] if span else [])]
        printer.fill(table, "\n".join(name), "\n".join(counts), "\n".join(difference) or "—", _say_sample(column))
    printer.show(table)


def _say_sample(column: ColumnFinding) -> str:
    if not column.samples:
        return "—"
    sample = column.samples[0]
    where = ", ".join(f"{escape_hidden(name)} {format_value(value)}" for name, value in sample.id.items())
    return f"{' → '.join(format_pair(sample.a, sample.b))}\n({where})"


def _print_notes(printer: Printer, findings: Findings) -> None:
    """Per column a line for its types, its states and its worst slices; then the columns that match."""
    notes = []
    for column in findings.differing:
        name = escape_hidden(column.name)
        if column.note:
            notes.append(f"{name}: {flow_text(column.note)}")
        odd = [states for states in column.states if {states.a, states.b} != {"value"}][:_SHOWN_STATES]
        if odd:
            notes.append(f"{name}: {', '.join(f'{one.a} → {one.b} {one.rows:,}' for one in odd)}")
        notes += [
            f"{name}: {escape_hidden(found.column)} {format_value(found.value)} differs in "
            f"{found.mismatched:,} of {found.compared:,}"
            for found in column.slices[:_SHOWN_SLICES]
        ]
    matching = [escape_hidden(column.name) for column in findings.columns if column.verdict == "match"]
    if matching and findings.differing:
        notes.append(f"Match ({len(matching):,}): {', '.join(matching)}")
    for label, side in (("A", findings.a), ("B", findings.b)):
        if side.only:
            notes.append(f"Only in {label} ({len(side.only):,}): {', '.join(map(escape_hidden, side.only))}")
    if notes:
        printer.blank()
    for note in notes:
        printer.print_line(note)


def _print_cause(printer: Printer, said: Said) -> None:
    first = " ".join(part for part in (said.says, said.share, said.where) if part)
    printer.print_cause(said.title, (first, *said.evidence, f"Change: {said.change}" if said.change else ""))


def _print_rows(printer: Printer, findings: Findings) -> None:
    """What became of the rows of both tables."""
    printer.blank()
    table = printer.table(f"rows, by {', '.join(map(escape_hidden, findings.join.on))}", "A", "B")
    for label, name in (
        ("rows", "rows"),
        ("rows that the other lacks", "unmatched_rows"),
        ("rows without an id", "missing_ids"),
        ("ids in more than one row", "duplicated_ids"),
    ):
        counts = [getattr(side, name) for side in (findings.a, findings.b)]
        if name == "rows" or any(counts):
            printer.fill(table, label, *map(format_count, counts))
    for place in (1, 2):
        table.columns[place].justify = "right"
    printer.show(table)
