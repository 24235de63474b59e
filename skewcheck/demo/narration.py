"""How the demo tells what it does: numbered steps, the command that does the same, and the time each takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from skewcheck.demo.faults import FAULTS, planted_in
from skewcheck.verdict import Verdict

_INDENT = 6


class Narrator:
    """Prints the steps of one run.

    Args:
        console: Where to.
        steps: How many steps there will be.
    """

    def __init__(self, console: Console, steps: int) -> None:
        self.console = console
        self._steps = steps
        self._step = 0
        self._start = time.monotonic()

    @contextmanager
    def step(self, title: str, command: str | None = None) -> Iterator[list[str]]:
        """Announce a step; what is put into the list is said when it is done, with the seconds that it took.

        Args:
            title: What is done.
            command: The command that does the same in a repo of one's own.
        """
        self._step += 1
        self.console.print(f"[bold]{f'[{self._step}/{self._steps}]':<{_INDENT}}{escape(title)}[/bold]")
        if command:
            self._say(f"[cyan]$ {escape(command)}[/cyan]")
        results: list[str] = []
        start = time.monotonic()
        yield results
        seconds = f"[dim]{time.monotonic() - start:.1f} s[/dim]"
        for line in results[:-1]:
            self._say(escape(line))
        self._say(f"{escape(results[-1])}  {seconds}" if results else seconds)

    @contextmanager
    def progress(self, total: int) -> Iterator[Callable[[int], None]]:
        """A bar on a terminal, nothing elsewhere; gives the function that moves it on."""
        columns = (TextColumn(" " * (_INDENT - 1)), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True, disable=not self.console.is_terminal) as progress:
            task = progress.add_task("", total=total)
            yield lambda requests: progress.advance(task, requests)

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print a paragraph as it is."""
        self.console.print(text, markup=False, style=style)

    def show_found(self, verdict: Verdict) -> None:
        """What is planted beside what the audit found of it."""
        stages = {feature.name: feature.stages for feature in verdict.features}
        table = Table("planted in the legacy service", "stage", "touches", "found", box=None, padding=(0, 2, 0, 0))
        for planted in FAULTS:
            found = [
                name
                for name in planted.features
                if planted.stage in stages.get(name, {}) and stages[name][planted.stage].mismatched
            ]
            table.add_row(planted.fault, planted.stage, str(len(planted.features)), str(len(found)))
        untouched = [feature for feature in verdict.features if not planted_in(feature.name)]
        skewed = [feature for feature in untouched if feature.verdict != "match"]
        table.add_row("nothing: untouched features", "every", str(len(untouched)), f"{len(skewed)} skewed")
        for place in (2, 3):
            table.columns[place].justify = "right"
        self.console.print(table)

    @property
    def seconds(self) -> float:
        """Since the narration began."""
        return time.monotonic() - self._start

    def _say(self, markup: str) -> None:
        self.console.print(Padding(markup, (0, 0, 0, _INDENT), expand=False))
