"""Git, run as a program: what a folder's history holds (ground floor of the house)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from skewcheck.errors import UsageError

_SET_BY_GIT = frozenset({"GIT_COMMON_DIR", "GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE"})
"""What git tells its hooks. Within one, a temporary worktree would otherwise overwrite the index being committed."""


def run_git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run git in a folder; whether it failed is in the result.

    Raises:
        UsageError: It is not installed.
    """
    try:
        return subprocess.run(  # noqa: S603 (arguments, never a shell)
            ["git", "-C", str(folder), *arguments],  # noqa: S607 (wherever it is installed)
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            env={name: value for name, value in os.environ.items() if name not in _SET_BY_GIT},
            check=False,
        )
    except OSError as error:
        raise UsageError(f"git cannot be run: {error}", remedy="Install git.") from error
