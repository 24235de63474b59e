"""Files that are never half-written."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from skewcheck.errors import UsageError


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file beside its place, then rename it there; folders are made as needed.

    Raises:
        UsageError: The place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror or error}",
            remedy="Give a path in a folder that you may write to.",
        ) from error


def make_folder(path: Path) -> None:
    """Make a folder unless it is there, and make sure that files can be written into it.

    Raises:
        UsageError: They cannot.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write into {path}: {error.strerror or error}", remedy="Give a folder that you may write to."
        ) from error
