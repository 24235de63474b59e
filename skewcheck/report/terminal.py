"""The verdict in the terminal: one sentence, then what an engineer needs to believe it (room: report).

Where the output is narrow, stage and span of a skewed feature stand under its name. Nothing that comes from
data is read as markup, and no name is cut: what does not fit is folded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table

from skewcheck.report.findings import feature_findings
from skewcheck.report.printing import VERDICT_STYLES, Printer
from skewcheck.report.time_wording import alignment_lines, column_lines, name_column
from skewcheck.report.values import (
    UNKNOWN,
    escape_hidden,
    format_count,
    format_difference,
    format_hash,
    format_pair,
    format_span,
    format_time,
)
from skewcheck.report.wording import (
    Line,
    differing_columns,
    features_not_compared,
    has_plain_versions,
    matching_names,
    name_feature,
    name_stage,
    rate_of,
    row_lines,
    say_also,
    say_counts,
    say_headline,
    split_findings,
    stages_not_compared,
)

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from skewcheck.verdict import Comparison, FeatureVerdict, Verdict

WIDE = 120
"""Line width from which on the stage and the span of a skewed feature have their own columns."""

_LONGEST_NAME = 32
_SPAN_WIDTH = len("  2013-07-01 … 2013-07-31")


def print_verdict(verdict: Verdict, console: Console, *, report_path: Path | None = None) -> None:
    """Print a verdict for a person in a hurry.

    Args:
        verdict: What to print; the output depends on it and on the console's width and abilities alone.
        console: Where to print. Colours carry no meaning of their own.
        report_path: The page with the whole story, named in the last line.
    """
    printer = _Printer(console)
    printer.print_headline(verdict)
    if verdict.skewed:
        printer.print_skew(verdict.skewed)
    printer.print_causes(verdict)
    printer.print_notes(verdict)
    printer.print_columns(verdict)
    printer.print_rows(verdict)
    printer.print_alignment(verdict)
    printer.print_versions(verdict)
    printer.print_problems(verdict.problems)
    if report_path is not None:
        printer.blank()
        printer.print_line(f"Full report: {escape_hidden(str(report_path))}")


class _Printer(Printer):
    """Prints the blocks of one verdict to one console."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.wide = console.width >= WIDE

    def print_headline(self, verdict: Verdict) -> None:
        line = say_headline(verdict)
        _, span, _ = split_findings(verdict)
        if span and len(line) > self.console.width:
            line = line.replace(f" {span}", f"\n{span}")
        headline = self.text(line)
        headline.stylize(VERDICT_STYLES[verdict.verdict], 0, len(verdict.verdict))
        self.show(headline)

    def print_skew(self, skewed: tuple[FeatureVerdict, ...]) -> None:
        """The table of skewed features, most skewed first."""
        wide = ("skewed feature", "stage", "mismatched", "difference", "first, last (UTC)")
        narrow = ("skewed feature", "mismatched", "difference")
        table = self.table(*(wide if self.wide else narrow), "served → replayed", lines=True)
        names = [self.text(name_feature(feature)) for feature in skewed]
        longest = max(*(name.cell_len for name in names), 0 if self.wide else _SPAN_WIDTH)
        table.columns[0].width = min(longest, _LONGEST_NAME, self.console.width * 2 // 5)
        for feature in skewed:
            self.fill(table, *self.skew_cells(feature))
        self.blank()
        self.show(table)

    def print_causes(self, verdict: Verdict) -> None:
        """Every fault of features with those that it touches, why that is so, and what to change."""
        for said in feature_findings(verdict):
            worked = [f"By hand, {one.request}: {'; '.join(one.steps)}" for one in said.worked[:1]]
            first = " ".join(part for part in (said.says, said.share, said.where) if part)
            evidence = said.evidence if not said.worked else said.evidence[1:]
            change = f"Change: {said.change}" if said.change else ""
            self.print_cause(said.title, (first, *evidence, *worked, change))

    def print_notes(self, verdict: Verdict) -> None:
        """The features that match, and what was not compared, a line each."""
        notes = []
        names = matching_names(verdict)
        if names and verdict.verdict != "pass":
            notes.append(f"Match ({len(names):,}): {', '.join(names)}")
        for label, groups in (
            ("Not compared", features_not_compared(verdict)),
            ("Stage not compared", stages_not_compared(verdict)),
        ):
            notes += [f"{label}: {', '.join(group.names)} ({group.reason})" for group in groups]
        if notes and verdict.skewed:
            self.blank()
        for note in notes:
            self.print_line(note)

    def skew_cells(self, feature: FeatureVerdict) -> list[str]:
        """The cells of one row; a narrow table has stage and span under the name."""
        shown = feature.shown
        stage = name_stage(feature.stage)
        counts = [say_counts(shown), rate_of(shown)]
        if shown.served_missing:
            counts.append(f"{format_count(shown.served_missing)} served missing")
        if shown.replayed_missing:
            counts.append(f"{format_count(shown.replayed_missing)} replayed missing")
        also = [line for line in (say_also(feature),) if line]
        sizes = {"max": shown.max_absolute_difference, "mean": shown.mean_absolute_difference}
        difference = [f"{label} {format_difference(size)}" for label, size in sizes.items() if size is not None]
        if self.wide:
            times = [_minute(shown.first_mismatch), _minute(shown.last_mismatch)]
            stacks = [[name_feature(feature)], [stage], [*counts, *also], difference or ["—"], times]
        else:
            span = format_span(shown.first_mismatch, shown.last_mismatch)
            under_name = [f"  {line}" for line in (stage, *also, span)]
            stacks = [[name_feature(feature), *under_name], counts, difference or ["—"]]
        return [*("\n".join(stack) for stack in stacks), _sample(shown)]

    def print_columns(self, verdict: Verdict) -> None:
        columns = differing_columns(verdict)
        if not columns:
            return
        self.blank()
        table = self.table("store column that differs", "mismatched", "rate", "served → point in time")
        for column in columns:
            counts = column.comparison
            self.fill(table, name_column(column), say_counts(counts), rate_of(counts), _sample(counts))
        for place in (1, 2):
            table.columns[place].justify = "right"
        self.show(table)
        for column in columns:
            self.print_findings(name_column(column), column_lines(column))

    def print_findings(self, title: str, lines: tuple[Line, ...]) -> None:
        """A title and lines under it; nothing where there are none."""
        if not lines:
            return
        self.blank()
        self.print_line(title)
        for line in lines:
            text = f"{line.label}: {line.figure}; {line.note}" if line.label else line.note
            self.show(Padding(self.text(text), (0, 0, 0, 2 * (line.level + 1)), expand=False))

    def print_alignment(self, verdict: Verdict) -> None:
        """How far behind training and serving are, a line for each source."""
        for line in alignment_lines(verdict):
            self.print_line(f"Time of {line.label}: {line.figure}; {line.note}")

    def print_rows(self, verdict: Verdict) -> None:
        lines = row_lines(verdict.rows)
        if verdict.verdict == "pass":
            rules = [f"{line.label} {line.figure}" for line in lines if line.level]
            figures = [
                f"{line.label} unknown" if line.figure == UNKNOWN else f"{line.figure} {line.label}"
                for line in lines
                if not line.level
            ]
            partly = rules and verdict.rows.outside_training_filter is None
            by_rule = f" (by rule: {', '.join(rules)})" if partly else ""
            self.print_line(f"Rows: {', '.join(figures)}{by_rule}")
            return
        self.blank()
        self.print_line("Rows")
        table = Table.grid(padding=(0, 2, 0, 0))
        for line in lines:
            self.fill(table, "  " * (line.level + 1) + line.label, line.figure, line.note)
        table.columns[1].justify = "right"
        self.show(table)

    def print_versions(self, verdict: Verdict) -> None:
        if has_plain_versions(verdict):
            return
        self.blank()
        table = self.table("definition", "state", "rows", "version")
        for version in verdict.versions:
            self.fill(
                table,
                format_hash(version.definition),
                format_hash(version.state),
                format_count(version.rows),
                "current" if version.current else "not current",
            )
        table.columns[2].justify = "right"
        self.show(table)


def _minute(time: str | None) -> str:
    shown = format_time(time)
    return "—" if time is None else (shown[:16] if shown[13:14] == ":" else shown)


def _sample(comparison: Comparison) -> str:
    if not comparison.samples:
        return "—"
    pair = comparison.samples[0]
    return " → ".join(format_pair(pair.served, pair.replayed))
