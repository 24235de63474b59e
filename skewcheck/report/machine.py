"""Reports as files, for machines and for later: written whole or not at all (floor 7: report)."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from skewcheck.errors import UsageError

if TYPE_CHECKING:
    from skewcheck.verdict import Verdict


class ReportPaths(NamedTuple):
    """Where the reports of one audit are."""

    json: Path
    page: Path


def write_json(verdict: Verdict, path: Path) -> Path:
    """Write the verdict as JSON (UTF-8), creating the directories above it.

    Returns:
        The path as given. Where it is a link, the file that it points to was written.

    Raises:
        UsageError: The path cannot be written. An older file there is left as it was.
    """
    return _write_whole(path, verdict.to_json())


def write_page(verdict: Verdict, path: Path) -> Path:
    """Write the verdict as one self-contained HTML page, creating the directories above it.

    Returns:
        The path as given. Where it is a link, the file that it points to was written.

    Raises:
        UsageError: The path cannot be written. An older file there is left as it was.
    """
    from skewcheck.report.page import render_page  # loads Jinja, which writing JSON does without

    return _write_whole(path, render_page(verdict))


def write_reports(verdict: Verdict, directory: Path, *, name: str | None = None) -> ReportPaths:
    """Write `<name>.json` and `<name>.html` into a directory, which is made if need be.

    Args:
        verdict: What to report.
        directory: Where to write.
        name: Name of the files, without an ending; by default the service's, made safe for a file name.

    Raises:
        UsageError: The name is no file name, or a path cannot be written.
    """
    stem = _safe_name(verdict.service) if name is None else name
    if not stem or Path(stem).name != stem or stem in {".", ".."}:
        raise UsageError(
            f"{stem!r} cannot name a report, expected a file name without a directory",
            remedy="Give the directory and the name separately.",
        )
    return ReportPaths(write_json(verdict, directory / f"{stem}.json"), write_page(verdict, directory / f"{stem}.html"))


def _safe_name(service: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", service).strip("._")[:100] or "audit"


def _write_whole(path: Path, text: str) -> Path:
    """Write beside, then rename: a reader sees the old file or the new one, never half of one."""
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            kind = "a directory" if target.is_dir() else "not a regular file"
            raise UsageError(f"cannot write the report {path}: it is {kind}", remedy="Give the path of a file.")
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.parent / f".skewcheck-{secrets.token_hex(8)}.part"
        try:
            with beside.open("xb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"cannot write the report {path}: {reason}",
            remedy="Give a path in a directory that you may write to, on a disk with space left.",
        ) from error
    return path
