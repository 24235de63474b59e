"""Files that are never half-written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from skewcheck.errors import UsageError


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file beside its place, then rename it there; folders are made as needed.

    Raises:
        UsageError: The place cannot be written to.
    """
    with place_file(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


@contextmanager
def place_file(path: Path) -> Iterator[Path]:
    """An empty file beside `path` to write to, which takes its place in the end; folders are made as needed.

    After an error nothing is left of it.

    Raises:
        UsageError: The place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        beside = Path(name)
        try:
            os.close(handle)
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.chmod(0o644)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(path, error) from error


@contextmanager
def place_folder(path: Path) -> Iterator[Path]:
    """A new folder beside `path` to write into, which takes its place in the end.

    What stood there is moved aside before and removed after, so that nobody sees a mixture. After an error it stands
    there as before, and nothing is left of the new one.

    Raises:
        UsageError: The place cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield beside
        beside.chmod(0o755)
        try:
            _exchange(beside, path)
        except OSError as error:
            raise _unwritable(path, error) from error
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _exchange(beside: Path, path: Path) -> None:
    """Let one folder take the place of another, if there is one."""
    if not path.is_dir() or not any(path.iterdir()):
        beside.replace(path)
        return
    before = Path(tempfile.mkdtemp(prefix=f".{path.name}.before.", dir=path.parent))
    path.replace(before)
    try:
        beside.replace(path)
    except OSError:
        before.replace(path)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot write {path}: {error.strerror or error}", remedy="Give a path in a folder that you may write to."
    )


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
