"""Files that are never half-written."""

from __future__ import annotations

import os
import secrets
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

    After an error nothing is left of it. Where `path` is a link, the file that it points to is written. The file may be
    read by whom the process lets read its files.

    Raises:
        UsageError: The place cannot be written to.
    """
    target = _find_target(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = _name_beside(target)
        try:
            beside.touch(exist_ok=False)
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
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
        beside = _name_beside(path)
        beside.mkdir()
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield beside
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


def _find_target(path: Path) -> Path:
    """The file that a path means, which may not be there yet."""
    try:
        target = path.resolve()
        taken = target.exists() and not target.is_file()
    except (OSError, RuntimeError, ValueError) as error:  # a circle of links, or no name at all
        raise _unwritable(path, error) from error
    if taken:
        kind = "a directory" if target.is_dir() else "not a regular file"
        raise UsageError(f"cannot write {path}: it is {kind}", remedy="Give the path of a file.")
    return target


def _name_beside(path: Path) -> Path:
    """A name in the same folder that nothing has."""
    return path.parent / f".skewcheck-{secrets.token_hex(8)}.part"


def _unwritable(path: Path, error: Exception) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return UsageError(
        f"cannot write {path}: {reason}",
        remedy="Give a path in a folder that you may write to, on a disk with space left.",
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
