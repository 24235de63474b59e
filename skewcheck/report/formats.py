"""The forms in which a verdict is printed, by name: the command line knows no more of them (room: report)."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.verdict import Verdict

if TYPE_CHECKING:
    from skewcheck.diff_verdict import DiffVerdict

FORMATS = {
    "table": "for a person at a terminal",
    "json": "the verdict itself, from which every other form is made",
    "markdown": "one comment on a pull request, found again by its hidden first line",
    "github": "annotations of a GitHub workflow; the Markdown goes to its step summary",
    "sarif": "SARIF 2.1.0, for code scanning",
    "junit": "JUnit XML, a test case for each feature",
}
"""Every form with what it is for."""

_NAMES = f"{', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]}"

FORMAT_HELP = f"What to print: {_NAMES}."
"""The help of an option that names a form."""


def check_format(name: str) -> None:
    """Refuse a form that does not exist.

    Raises:
        UsageError: There is no such form.
    """
    if name not in FORMATS:
        raise UsageError(f"--format {name}: there is no such format", remedy=f"Give {_NAMES}.")


def read_verdict(path: Path) -> Verdict | DiffVerdict:
    """The verdict in a file, of whichever kind it is.

    Raises:
        UsageError: The file cannot be read.
        SkewcheckError: It holds no verdict, or one that this version does not read.
    """
    from skewcheck.diff_verdict import SCHEMA, DiffVerdict

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(
            f"cannot read {path}: {reason}", remedy="Give a file that `--format json` of a command wrote."
        ) from error
    try:
        data = json.loads(text)
    except ValueError:
        data = None  # the reader below says what is wrong
    is_diff = isinstance(data, dict) and data.get("schema") == SCHEMA
    try:
        return DiffVerdict.from_json(text) if is_diff else Verdict.from_json(text)
    except SkewcheckError as error:
        raise SkewcheckError(f"{path} cannot be read: {error.message}", remedy=error.remedy) from error


def render_report(verdict: Verdict | DiffVerdict, name: str) -> str:
    """A verdict in a form for machines: the same text for the same verdict, which can be encoded as UTF-8.

    Args:
        verdict: What to print.
        name: One of `FORMATS` but "table", which depends on the terminal.

    Raises:
        UsageError: There is no such form.
    """
    from skewcheck.report.github import render_annotations
    from skewcheck.report.junit import render_junit
    from skewcheck.report.markdown import render_markdown
    from skewcheck.report.sarif import render_sarif

    match name:
        case "json":
            return verdict.to_json()
        case "markdown":
            return render_markdown(verdict)
        case "github":
            return render_annotations(verdict)
        case "sarif":
            return render_sarif(verdict)
        case "junit":
            return render_junit(verdict)
    raise UsageError(f"{name} is no form for machines", remedy=f"Give {_NAMES}.")


def print_report(verdict: Verdict | DiffVerdict, name: str, *, page: Path | None = None) -> None:
    """Print a verdict in a form to standard output.

    Args:
        verdict: What to print.
        name: One of `FORMATS`. "github" also appends to the file that GITHUB_STEP_SUMMARY names.
        page: The file with the whole story, if there is one, which the table names.

    Raises:
        UsageError: There is no such form, or the summary cannot be written.
    """
    check_format(name)
    if name == "table":
        _print_table(verdict, page)
        return
    if name == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
        _append_summary(verdict, Path(summary))
    # UTF-8 whatever the terminal's encoding is: the forms for machines are always the same bytes.
    sys.stdout.flush()
    sys.stdout.buffer.write(render_report(verdict, name).encode())
    sys.stdout.buffer.flush()


def _print_table(verdict: Verdict | DiffVerdict, page: Path | None) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    if isinstance(verdict, Verdict):
        from skewcheck.report.terminal import print_verdict

        print_verdict(verdict, console, report_path=page)
    else:
        from skewcheck.report.diff_terminal import print_diff

        print_diff(verdict, console)


def _append_summary(verdict: Verdict | DiffVerdict, path: Path) -> None:
    from skewcheck.report.markdown import SUMMARY_LIMIT, render_markdown

    try:
        with path.open("a", encoding="utf-8", newline="\n") as file:
            file.write(render_markdown(verdict, limit=SUMMARY_LIMIT))
    except OSError as error:
        raise UsageError(
            f"cannot write the summary {path}: {error.strerror}",
            remedy="Let GITHUB_STEP_SUMMARY name a file that can be written to, or do not set it.",
        ) from error
