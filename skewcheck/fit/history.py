"""Earlier states of a service, from the history of its state file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from skewcheck.errors import SkewcheckError
from skewcheck.fit.state import State, parse_state
from skewcheck.git import run_git

MOST = 100
"""Commits that are looked at, the latest first."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A state that was committed once.

    Attributes:
        state: The state.
        commit: The first characters of the commit.
        date: Its date (ISO 8601).
    """

    state: State
    commit: str
    date: str


def read_earlier_states(path: Path) -> Iterator[Earlier]:
    """The states that a state file held in the commits of its git repository, the latest first, each once.

    There is none where the file lies in no repository, git is not installed, or no commit has it. What is no state is
    passed over.
    """
    try:
        listed = run_git(path.parent, "log", f"--max-count={MOST}", "--format=%h %cs", "--", path.name)
        seen: set[str] = set()
        for line in listed.stdout.splitlines() if listed.returncode == 0 else ():
            commit, date = line.split()
            shown = run_git(path.parent, "show", f"{commit}:./{path.name}")
            if shown.returncode:
                continue
            try:
                state = parse_state(shown.stdout, path)
            except SkewcheckError:
                continue
            if state.hash not in seen:
                seen.add(state.hash)
                yield Earlier(state, commit, date)
    except SkewcheckError:
        return
