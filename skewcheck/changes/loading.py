"""Load a version: in a process of its own, so that its code can disturb nothing here (room: changes)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from skewcheck.changes.libraries import read_libraries
from skewcheck.changes.snapshot import Snapshot
from skewcheck.errors import SkewcheckError

PATIENCE = 300
"""Seconds after which a version that is still loading is given up."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A version's files.

    Attributes:
        name: What the version is called.
        top: The folder that holds all of them.
        within: Where the feature repo lies in the other version or the working folder, from `top` on.
    """

    name: str
    top: Path
    within: str = "."

    def find_repository(self) -> Path:
        """The folder with the feature repo: where it is expected, or the only one there is.

        Raises:
            SkewcheckError: There is none, or there are several.
        """
        expected = self.top / self.within
        if (expected / "feature_store.yaml").is_file():
            return expected
        found = sorted(path.parent for path in self.top.rglob("feature_store.yaml"))
        if len(found) == 1:
            return found[0]
        said = "no feature repo" if not found else f"{len(found)} feature repos and none of them in {self.within}"
        raise SkewcheckError(
            f"{self.name} has {said}: no feature can be compared",
            remedy="Compare with a version that has one; the folder with feature_store.yaml is a feature repo.",
        )


def load_snapshots(checkouts: Sequence[Checkout]) -> list[Snapshot]:
    """The snapshots of some versions, loaded side by side.

    Raises:
        SkewcheckError: A version has no feature repo, or its declarations cannot be loaded.
    """
    with ThreadPoolExecutor(len(checkouts)) as pool:
        return list(pool.map(load_snapshot, checkouts, range(len(checkouts))))


def load_snapshot(checkout: Checkout, seed: int = 0) -> Snapshot:
    """The snapshot of one version.

    Args:
        checkout: Its files.
        seed: What orders its sets: with another one for each version a declaration that depends on the order shows.

    Raises:
        SkewcheckError: It has no feature repo, or its declarations cannot be loaded.
    """
    root = checkout.find_repository()
    with tempfile.TemporaryDirectory(prefix="skewcheck-") as folder:
        out = Path(folder, "snapshot.json")
        said = _run_apart(checkout, [str(root), str(checkout.top), str(out)], Path(folder), seed)
        text = out.read_text(encoding="utf-8") if out.exists() else ""
    if not text:
        raise SkewcheckError(
            f"{checkout.name} cannot be loaded: its process ended without an answer\n{said}".rstrip(),
            remedy="Load it by hand: check it out and run `skewcheck generate --check`.",
        )
    failure = json.loads(text)
    if "error" in failure:
        message = failure["error"].replace(f"{checkout.top.resolve()}/", "")
        raise SkewcheckError(f"{checkout.name} cannot be loaded: {message}", remedy=failure["remedy"])
    return replace(Snapshot.from_json(text), libraries=read_libraries([checkout.top, root]))


def _run_apart(checkout: Checkout, arguments: list[str], folder: Path, seed: int) -> str:
    """Run `describing` on a version, and give the last of what it said on the way."""
    environment = {
        **os.environ,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONHASHSEED": str(seed),
    }
    command = [sys.executable, "-P", "-m", "skewcheck.changes.describing", *arguments]
    try:
        done = subprocess.run(  # noqa: S603 (this program itself)
            command,
            # Neither version may be imported by chance.
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SkewcheckError(
            f"{checkout.name} cannot be loaded: its declarations were not through after {PATIENCE} seconds",
            remedy="Declarations are loaded on every commit: take what is slow out of them.",
        ) from error
    return "\n".join(done.stdout.splitlines()[-20:])
