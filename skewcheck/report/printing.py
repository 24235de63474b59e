"""Printing to a console what comes from data: never as markup, never cut, in characters that it has (room: report)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from skewcheck.report.values import escape_hidden, flow_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, RenderableType

    from skewcheck.contracts import Problem

VERDICT_STYLES = {"pass": "bold green", "fail": "bold red", "incomplete": "bold yellow"}
"""How the word of each verdict is printed."""

_ASCII = str.maketrans({"→": "->", "…": "...", "—": "-"})


class Printer:
    """Prints lines and tables to one console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.encoding = console.encoding

    def print_line(self, line: str) -> None:
        """One line, folded where the console is too narrow."""
        self.show(self.text(line))

    def print_problems(self, problems: Sequence[Problem]) -> None:
        """An empty line, then each problem with its remedy; nothing where there is none."""
        if problems:
            self.blank()
        for problem in problems:
            label = self.text(f"{problem.severity.capitalize()} {escape_hidden(problem.where)}:")
            label.stylize("red" if problem.severity == "error" else "yellow", 0, len(problem.severity))
            self.show(label.append(self.text(f" {flow_text(problem.message)}")))
            if problem.remedy:
                self.show(Padding(self.text(f"→ {flow_text(problem.remedy)}"), (0, 0, 0, 2), expand=False))

    def print_cause(self, title: str, lines: Iterable[str]) -> None:
        """An empty line, what the cause is and touches, and under it each line that says something."""
        self.blank()
        headline = self.text(f"Cause: {title}")
        headline.stylize("bold", 0, len("Cause:"))
        self.show(headline)
        for line in filter(None, lines):
            self.show(Padding(self.text(line), (0, 0, 0, 2), expand=False))

    def blank(self) -> None:
        """An empty line."""
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
        """Add a row to a table."""
        table.add_row(*(self.text(cell) for cell in cells))

    def text(self, text: str) -> Text:
        """The text with no markup in it, in characters that the console's encoding has."""
        if not self.encoding.lower().startswith("utf"):
            text = text.translate(_ASCII).encode(self.encoding, "backslashreplace").decode(self.encoding)
        return Text(text, overflow="fold")

    def show(self, renderable: RenderableType) -> None:
        """Print something as it is."""
        self.console.print(renderable, markup=False, highlight=False, emoji=False)
