"""The committed generated code is what its declaration and state give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_committed_code_is_fresh() -> None:
    command = [sys.executable, "-m", "skewcheck", "generate", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "departure_delay: up to date\n"), done.stderr
