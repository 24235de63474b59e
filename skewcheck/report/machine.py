"""Reports as files, for machines and for later: written whole or not at all (room: report)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from skewcheck.errors import UsageError
from skewcheck.files import write_text

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
    write_text(path, verdict.to_json())
    return path


def write_page(verdict: Verdict, path: Path) -> Path:
    """Write the verdict as one self-contained HTML page, creating the directories above it.

    Returns:
        The path as given. Where it is a link, the file that it points to was written.

    Raises:
        UsageError: The path cannot be written. An older file there is left as it was.
    """
    from skewcheck.report.page import render_page  # loads Jinja, which writing JSON does without

    write_text(path, render_page(verdict))
    return path


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
