"""The verdict in the terminal: one sentence, then what an engineer needs to believe it (floor 7: report).

Where the output is narrow, stage and span of a skewed feature stand under its name. Nothing that comes from
data is read as markup, and no name is cut: what does not fit is folded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from skewcheck.report.values import (
    UNKNOWN,
    escape_hidden,
    flow_text,
    format_count,
    format_difference,
    format_hash,
    format_pair,
    format_span,
    format_time,
)
from skewcheck.report.wording import (
    cause_lines,
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

    from rich.console import Console, RenderableType

    from skewcheck.verdict import Comparison, FeatureVerdict, Verdict

WIDE = 120
"""Line width from which on the stage and the span of a skewed feature have their own columns."""

_VERDICT_STYLES = {"pass": "bold green", "fail": "bold red", "incomplete": "bold yellow"}
_LONGEST_NAME = 32
_SPAN_WIDTH = len("  2013-07-01 … 2013-07-31")
_ASCII = str.maketrans({"→": "->", "…": "...", "—": "-"})


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
    printer.print_notes(verdict)
    printer.print_columns(verdict)
    printer.print_rows(verdict)
    printer.print_versions(verdict)
    printer.print_problems(verdict)
    if report_path is not None:
        printer.blank()
        printer.print_line(f"Full report: {escape_hidden(str(report_path))}")


class _Printer:
    """Prints the blocks of one verdict to one console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.wide = console.width >= WIDE
        self.encoding = console.encoding

    def print_headline(self, verdict: Verdict) -> None:
        line = say_headline(verdict)
        _, span, _ = split_findings(verdict)
        if span and len(line) > self.console.width:
            line = line.replace(f" {span}", f"\n{span}")
        headline = self.text(line)
        headline.stylize(_VERDICT_STYLES[verdict.verdict], 0, len(verdict.verdict))
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

    def print_notes(self, verdict: Verdict) -> None:
        """Causes, the features that match, and what was not compared, a line each."""
        notes = [
            f"Cause of {escape_hidden(feature.name)}: {_say_cause(cause)}"
            for feature in verdict.skewed
            for cause in feature.causes
        ]
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
            name = f"{escape_hidden(column.view)}.{escape_hidden(column.name)}"
            counts = column.comparison
            self.fill(table, name, say_counts(counts), rate_of(counts), _sample(counts))
        for place in (1, 2):
            table.columns[place].justify = "right"
        self.show(table)

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

    def print_problems(self, verdict: Verdict) -> None:
        if verdict.problems:
            self.blank()
        for problem in verdict.problems:
            label = self.text(f"{problem.severity.capitalize()} {escape_hidden(problem.where)}:")
            label.stylize("red" if problem.severity == "error" else "yellow", 0, len(problem.severity))
            self.show(label.append(self.text(f" {flow_text(problem.message)}")))
            if problem.remedy:
                self.show(Padding(self.text(f"→ {flow_text(problem.remedy)}"), (0, 0, 0, 2), expand=False))

    def print_line(self, line: str) -> None:
        self.show(self.text(line))

    def blank(self) -> None:
        self.console.print()

    def table(self, *headers: str, lines: bool = False) -> Table:
        """A table with a rule under its header; `lines`: a blank line between its rows."""
        table = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, 1, 0, 0),
            header_style="dim",
            show_lines=lines,
        )
        for header in headers:
            table.add_column(self.text(header), overflow="fold")
        return table

    def fill(self, table: Table, *cells: str) -> None:
        table.add_row(*(self.text(cell) for cell in cells))

    def text(self, text: str) -> Text:
        """The text with no markup in it, in characters that the console's encoding has."""
        if not self.encoding.lower().startswith("utf"):
            text = text.translate(_ASCII).encode(self.encoding, "backslashreplace").decode(self.encoding)
        return Text(text, overflow="fold")

    def show(self, renderable: RenderableType) -> None:
        self.console.print(renderable, markup=False, highlight=False, emoji=False)


def _minute(time: str | None) -> str:
    shown = format_time(time)
    return "—" if time is None else (shown[:16] if shown[13:14] == ":" else shown)


def _say_cause(cause: dict[str, Any]) -> str:
    return "; ".join(
        line.figure if line.label == "kind" else f"{line.label}: {line.figure}" for line in cause_lines(cause)
    )


def _sample(comparison: Comparison) -> str:
    if not comparison.samples:
        return "—"
    pair = comparison.samples[0]
    return " → ".join(format_pair(pair.served, pair.replayed))
