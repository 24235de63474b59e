"""Annotations of a GitHub workflow: lines that the runner puts beside the code (room: report).

GitHub shows ten errors, ten warnings and ten notices of a step and drops the rest without a word. So the weightiest
come first, and the last of a kind that has more says how many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from skewcheck.report.diff_wording import say_waiver
from skewcheck.report.digest import make_digest
from skewcheck.report.values import escape_hidden, flow_text

if TYPE_CHECKING:
    from skewcheck.contracts import Problem
    from skewcheck.diff_verdict import DiffVerdict, Finding
    from skewcheck.report.digest import Digest
    from skewcheck.verdict import Verdict

LIMIT = 10
"""Annotations of one kind that GitHub shows of one step."""

KINDS = {"error": "error", "warning": "warning", "note": "notice"}
"""GitHub's word for each weight, the weightiest first."""


def render_annotations(verdict: Verdict | DiffVerdict) -> str:
    """The verdict as workflow commands, a line each; "" where there is nothing to say."""
    digest = make_digest(verdict)
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for problem in digest.problems:
        found[problem.severity].append(_annotate_problem(problem, digest))
    for finding in digest.findings:
        level = finding.level if finding.waiver is None else "note"
        found[level].append(_annotate_finding(finding, KINDS[level]))
    lines = [line for kind, lines in found.items() for line in _cut(lines, KINDS[kind], digest)]
    return "".join(f"{line}\n" for line in lines)


def escape_message(text: str) -> str:
    """A message as a workflow command may carry it."""
    return escape_hidden(text).replace("%", "%25")


def escape_property(text: str) -> str:
    """A property of a workflow command, such as a file's name."""
    return escape_message(text).replace(":", "%3A").replace(",", "%2C")


def _annotate_finding(finding: Finding, command: str) -> str:
    properties = {}
    if finding.location is not None:
        properties = {"file": finding.location.path, "line": str(max(1, finding.location.line))}
    title = f"{finding.rule} ({flow_text(say_waiver(finding))})" if finding.waiver else finding.rule
    return _write(command, {**properties, "title": title}, finding.message, finding.remedy)


def _annotate_problem(problem: Problem, digest: Digest) -> str:
    title = f"{digest.kind}: {problem.where}"
    return _write(KINDS[problem.severity], {"title": title}, problem.message, problem.remedy)


def _write(command: str, properties: dict[str, str], message: str, remedy: str | None) -> str:
    written = ",".join(f"{name}={escape_property(value)}" for name, value in properties.items())
    # %0A is a line break within the annotation.
    remark = f"%0A→ {escape_message(remedy)}" if remedy else ""
    return f"::{command} {written}::{escape_message(message)}{remark}"


def _cut(lines: list[str], command: str, digest: Digest) -> list[str]:
    if len(lines) <= LIMIT:
        return lines
    rest = len(lines) - LIMIT + 1
    last = _write(command, {"title": f"{digest.kind}: {rest} more"}, f"{rest} more: see the summary of this run.", None)
    return [*lines[: LIMIT - 1], last]
