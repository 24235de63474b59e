"""The verdict as JUnit XML: a test case for each feature, for every CI that lists tests (room: report).

A finding that is about no feature (a view, a model, a file) and a problem are cases of their own, so that a run which
failed never looks green.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as Xml

from skewcheck.report.diff_wording import say_waiver
from skewcheck.report.digest import make_digest
from skewcheck.report.values import flow_text

if TYPE_CHECKING:
    from skewcheck.contracts import Problem
    from skewcheck.diff_verdict import DiffVerdict, Finding
    from skewcheck.report.digest import Case, Digest
    from skewcheck.verdict import Verdict

_RESULTS = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def render_junit(verdict: Verdict | DiffVerdict) -> str:
    """The verdict as the text of a JUnit XML file, ending in a newline."""
    digest = make_digest(verdict)
    suites: dict[str, list[Xml.Element]] = {}
    for case in digest.cases:
        suites.setdefault(case.key.service or digest.kind, []).append(_write_case(case, digest))
    features = {case.key for case in digest.cases}
    for finding in digest.findings:
        if finding.counts and (finding.kind != "feature" or (finding.service or "", finding.subject) not in features):
            suites.setdefault(finding.service or digest.kind, []).append(_write_finding(finding))
    for problem in digest.problems:
        if problem.severity == "error":
            suites.setdefault(digest.kind, []).append(_write_problem(problem))
    root = Xml.Element("testsuites", name=f"skewcheck {digest.kind}")
    for name, cases in suites.items():
        Xml.SubElement(root, "testsuite", {"name": name, **_count(cases)}).extend(cases)
    _add_remarks(root, digest)
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _write_case(case: Case, digest: Digest) -> Xml.Element:
    element = Xml.Element("testcase", classname=case.key.service or digest.kind, name=case.key.name)
    if case.outcome == "failed":
        said = [
            f"{finding.rule}: {finding.message}{f' → {finding.remedy}' if finding.remedy else ''}"
            for finding in digest.findings
            if finding.counts and (finding.service, finding.subject) == case.key
        ]
        Xml.SubElement(element, "failure", type=case.rule, message=case.message).text = "\n".join(said)
    elif case.outcome == "skipped":
        Xml.SubElement(element, "skipped", message=case.message)
    return element


def _write_finding(finding: Finding) -> Xml.Element:
    element = Xml.Element("testcase", classname=finding.kind, name=f"{finding.subject}::{finding.rule}")
    Xml.SubElement(element, "failure", type=finding.rule, message=finding.message).text = finding.remedy or ""
    return element


def _write_problem(problem: Problem) -> Xml.Element:
    element = Xml.Element("testcase", classname="skewcheck", name=problem.where)
    Xml.SubElement(element, "error", type="incomplete", message=problem.message).text = problem.remedy or ""
    return element


def _count(cases: list[Xml.Element]) -> dict[str, str]:
    held = {name: sum(case.find(tag) is not None for case in cases) for name, tag in _RESULTS.items()}
    return {"tests": str(len(cases)), **{name: str(count) for name, count in held.items()}}


def _add_remarks(root: Xml.Element, digest: Digest) -> None:
    """What fails nothing, as the output of the first suite."""
    lines = [f"{finding.level} {finding.rule}: {finding.message}" for finding in digest.findings if not finding.waiver]
    lines = [line for line in lines if not line.startswith("error ")]
    lines += [f"{f.rule}: {f.message} ({flow_text(say_waiver(f))})" for f in digest.findings if f.waiver]
    lines += [f"warning: {p.where}: {p.message}" for p in digest.problems if p.severity == "warning"]
    if lines and len(root):
        Xml.SubElement(root[0], "system-out").text = "\n".join(lines)
