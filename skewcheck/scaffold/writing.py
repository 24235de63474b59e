"""Write the new repo: whole, into a folder that is new or empty, or not at all."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from skewcheck.errors import UsageError
from skewcheck.scaffold.payments import write_payments

SUFFIX = ".template"
"""Ends the names of the templates, so that no tool takes them for files of this package."""


def write_repository(directory: Path) -> list[Path]:
    """Write a small working feature repo: declarations, data, and a service that logs what it serves.

    Args:
        directory: Where to; it must be new, or empty but for `.git`. Folders above it are made as needed.

    Returns:
        The files written, sorted.

    Raises:
        UsageError: The directory is not empty, is a file, or cannot be written. Nothing was written then.
    """
    try:
        _check_directory(directory)
        made = [path for path in (directory, *directory.parents) if not path.exists()]
        directory.mkdir(parents=True, exist_ok=True)
        try:
            return _fill(directory)
        except BaseException:
            for path in made:
                path.rmdir()
            raise
    except OSError as error:
        raise UsageError(
            f"cannot write a feature repo to {directory}: {error.strerror or error}",
            remedy="Give a path in a folder that you may write to.",
        ) from error


def next_step(directory: Path) -> str:
    """What to do once the repo is written, as a sentence with a command that a shell can take."""
    if directory.resolve() == Path.cwd().resolve():
        return "Next: read README.md here."
    return f"Next: cd {shlex.quote(str(directory))}, and read README.md there."


def _check_directory(directory: Path) -> None:
    remedy = "Give a folder that is new or empty."
    if not directory.is_dir():
        if directory.exists() or directory.is_symlink():
            raise UsageError(f"{directory} is there and not a folder", remedy=remedy)
        return
    if found := sorted(path.name for path in directory.iterdir() if path.name != ".git"):
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        raise UsageError(f"{directory} is not empty: it has {found[0]}{more}", remedy=remedy)


def _fill(directory: Path) -> list[Path]:
    """Write into a folder inside the directory, then move what is in it up: a failure leaves no more than there was."""
    beside = Path(tempfile.mkdtemp(prefix=".skewcheck-", dir=directory))
    moved: list[Path] = []
    try:
        _copy_templates(files("skewcheck.scaffold") / "template", beside)
        (beside / "data").mkdir()
        write_payments(beside / "data")
        written = sorted(path.relative_to(beside) for path in beside.rglob("*") if path.is_file())
        for path in sorted(beside.iterdir()):
            moved.append(directory / path.name)
            path.rename(directory / path.name)
    except BaseException:
        for path in moved:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return [directory / path for path in written]


def _copy_templates(source: Traversable, target: Path) -> None:
    for item in source.iterdir():
        if item.is_dir():
            (target / item.name).mkdir()
            _copy_templates(item, target / item.name)
        elif item.name.endswith(SUFFIX):
            text = item.read_text(encoding="utf-8")
            (target / item.name.removesuffix(SUFFIX)).write_text(text, encoding="utf-8", newline="\n")
