"""The verdict of a diff in the terminal: what changed, on which input, and what to do (room: report)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from skewcheck.report.diff_wording import (
    ACTIONS,
    QUIET,
    list_impact,
    name_quiet,
    say_headline,
    say_size,
    say_waiver,
    shorten,
    show_row,
    show_value,
)
from skewcheck.report.printing import VERDICT_STYLES
from skewcheck.report.values import escape_hidden

if TYPE_CHECKING:
    from rich.console import Console

    from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Finding, Size, Step, Witness

_LEVEL_STYLES = {"error": "red", "warning": "yellow", "note": ""}


def print_diff(verdict: DiffVerdict, console: Console) -> None:
    """Print the verdict of a diff; what is printed depends on it and on the console's abilities alone."""
    printer = _Printer(console)
    printer.print_headline(verdict)
    for feature in verdict.features:
        if feature.verdict not in QUIET:
            printer.print_feature(feature)
    printer.print_quiet(verdict)
    printer.print_findings(verdict)
    printer.print_impact(verdict)
    printer.print_rest(verdict)


class _Printer:
    """Prints the blocks of one verdict to one console."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def line(self, text: str, style: str = "") -> None:
        self.console.print(Text(escape_hidden(text), style=style), soft_wrap=True)

    def print_headline(self, verdict: DiffVerdict) -> None:
        self.line(say_headline(verdict), VERDICT_STYLES[verdict.verdict])

    def print_feature(self, feature: FeatureChange) -> None:
        place = f"  {feature.location.path}:{feature.location.line}" if feature.location else ""
        self.line("")
        self.line(f"{feature.service}.{feature.name}  {feature.verdict}{place}", "bold")
        for reason in feature.reasons:
            self.line(f"  {reason}")
        if feature.through:
            self.line(f"  through {', '.join(feature.through)}")
        if feature.old_expression != feature.new_expression:
            for sign, text in (("-", feature.old_expression), ("+", feature.new_expression)):
                if text is not None:
                    self.line(f"  {sign} {shorten(text)}")
        if feature.witness is not None:
            self.print_witness(feature.witness)
        if feature.size is not None:
            self.print_size(feature.size)
        if feature.downstream:
            self.line(f"  read by {', '.join(feature.downstream)}")

    def print_witness(self, witness: Witness) -> None:
        if witness.stored:
            for row in witness.stored:
                self.line(f"  stored     {show_row(row)}")
            self.line(f"  asked at   {witness.requested_at}")
        self.line(f"  input      {show_row(witness.inputs) or 'none'}")
        for name, inputs, steps, value in (
            ("old", witness.old_inputs, witness.old_steps, witness.old),
            ("new", witness.new_inputs, witness.new_steps, witness.new),
        ):
            if inputs:
                self.line(f"  {name} reads  {show_row(inputs)}")
            shown = steps if len(steps) > 1 or _has_statistics(steps) else ()
            self.line(f"  {name}        {show_value(value)}")
            for step in shown:
                self.line(f"    {_show_step(step)}")
        if witness.note:
            self.line(f"  note       {witness.note}")
        if witness.case:
            self.line(f"  saved as   {witness.case}")

    def print_size(self, size: Size) -> None:
        self.line(f"  {say_size(size)}")
        for sample in size.samples:
            moved = f"{show_value(sample.old)} → {show_value(sample.new)}"
            self.line(f"    {show_row(sample.key)}: {moved}  ({show_row(sample.inputs)})")

    def print_quiet(self, verdict: DiffVerdict) -> None:
        groups: dict[str, list[str]] = {}
        for feature in verdict.features:
            if feature.verdict in QUIET and feature.verdict != "unchanged":
                groups.setdefault(name_quiet(feature), []).append(feature.name)
        if groups:
            self.line("")
        for name, features in groups.items():
            self.line(f"{name} ({len(features)}): {', '.join(features)}")

    def print_findings(self, verdict: DiffVerdict) -> None:
        if verdict.findings:
            self.line("")
        for finding in verdict.findings:
            self.print_finding(finding)

    def print_finding(self, finding: Finding) -> None:
        style = _LEVEL_STYLES[finding.level] if finding.waiver is None else "dim"
        waived = f" ({say_waiver(finding)})" if finding.waiver else ""
        self.line(f"{finding.level:<7} {finding.rule}  {finding.message}{waived}", style)
        if finding.remedy and finding.level == "error" and finding.waiver is None:
            self.line(f"        → {finding.remedy}")

    def print_impact(self, verdict: DiffVerdict) -> None:
        impact = verdict.impact
        if impact.action != "none":
            self.line("")
            self.line(f"Needed: {ACTIONS[impact.action]}", "bold")
        for name, items in list_impact(impact):
            self.line(f"  {name}: {', '.join(items)}")

    def print_rest(self, verdict: DiffVerdict) -> None:
        if verdict.stages:
            self.line("")
        for stage in verdict.stages:
            self.line(f"{stage.outcome:<10} {stage.name}{f': {stage.message}' if stage.message else ''}")
        for problem in verdict.problems:
            self.line("")
            self.line(f"{problem.severity}: {problem.where}: {problem.message}", "yellow")
            if problem.remedy:
                self.line(f"  → {problem.remedy}")


def _has_statistics(steps: tuple[Step, ...]) -> bool:
    return any(step.statistics for step in steps)


def _show_step(step: Step) -> str:
    held = f"  [{', '.join(f'{name} {show_value(value)}' for name, value in step.statistics.items())}]"
    return f"{shorten(step.expression)} = {show_value(step.value)}{held if step.statistics else ''}"
