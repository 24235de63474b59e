"""The command line in this process, and a small repo to run it in."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from skewcheck.cli import main
from tests.scaffold.foreign_log import write_foreign_repository


@dataclass(frozen=True)
class Outcome:
    """What a command answered. `said` is all that it printed, each run of spaces as one."""

    exit_code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return " ".join(f"{self.out} {self.err}".replace("│", " ").split())


Run = Callable[..., Outcome]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_foreign_repository(tmp_path_factory.mktemp("cli"), wrong=3)


@pytest.fixture
def repo(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the repo, as the working directory. Its log has three requests with skew."""
    root = tmp_path.resolve() / "repo"
    shutil.copytree(written, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command as `skewcheck` would, and say what it answered."""

    def run_command(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["skewcheck", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run_command
