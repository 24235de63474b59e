"""What the verdicts of an audit and of a diff have in common: findings, and an outcome of each feature (room: report).

The surfaces of a pull request (annotations, SARIF, JUnit) print a digest, so that each knows one kind of thing. All its
text is one line, and has no character that is invisible or that a reader's program would obey.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Finding
from skewcheck.report import diff_wording
from skewcheck.report.findings import feature_findings
from skewcheck.report.values import escape_hidden, flow_text, format_pair
from skewcheck.report.wording import count_things, differing_columns, name_stage, rate_of, say_counts, say_headline
from skewcheck.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from skewcheck.verdict import Comparison, FeatureVerdict

AUDIT_RULES = {
    "LOG_MATCHES": "A serving log has values that training would not have computed.",
    "LOG_COMPARED": "A feature of the log could not be compared.",
    "STORE_MATCHES": "The online store gave another value than was known at that moment.",
}
"""The rules of an audit. The first is one of `skewcheck rules` too, and means the same."""


class Key(NamedTuple):
    """What a feature is known by."""

    service: str
    name: str


@dataclass(frozen=True, slots=True)
class Case:
    """One feature as a test that passed, failed (`rule` and `message` say why), or could not be decided."""

    key: Key
    outcome: Literal["passed", "failed", "skipped"]
    message: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """A verdict as findings and cases.

    Attributes:
        kind: "audit", "diff", or "check" for a diff that is a stage of the whole gate.
        service: The service of an audit; "" for a diff, which may be of several.
        verdict: "pass", "fail" or "incomplete".
        headline: The verdict in one sentence.
        findings: What is wrong, the weightiest first.
        problems: What could not be done. There is an error among them wherever the verdict is "incomplete".
        cases: One for each feature, in the order of the verdict.
        place: Where a finding is that says no place of its own: a path from the repository's root on.
    """

    kind: Literal["audit", "diff", "check"]
    service: str
    verdict: str
    headline: str
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    cases: tuple[Case, ...]
    place: str


def make_digest(verdict: Verdict | DiffVerdict) -> Digest:
    """The digest of either verdict."""
    return _digest_audit(verdict) if isinstance(verdict, Verdict) else _digest_diff(verdict)


def _digest_audit(verdict: Verdict) -> Digest:
    problems = tuple(map(_clean, verdict.problems))
    return Digest(
        "audit",
        escape_hidden(verdict.service),
        verdict.verdict,
        say_headline(verdict),
        _audit_findings(verdict),
        _with_error(problems, verdict.verdict, "the log", "the audit could not be completed"),
        tuple(_audit_case(verdict.service, feature) for feature in verdict.features),
        escape_hidden(verdict.log) or "log",
    )


def _audit_findings(verdict: Verdict) -> tuple[Finding, ...]:
    remedies = _find_remedies(verdict)
    service = escape_hidden(verdict.service)
    skewed = [
        Finding(
            "LOG_MATCHES",
            "error",
            "feature",
            escape_hidden(feature.name),
            _say_skew(feature),
            service=service,
            remedy=remedies.get(feature.name),
        )
        for feature in verdict.skewed
    ]
    left_out = [
        Finding(
            "LOG_COMPARED",
            "warning",
            "feature",
            escape_hidden(feature.name),
            f"{escape_hidden(feature.name)} was not compared: {flow_text(feature.note or 'no reason given')}",
            service=service,
        )
        for feature in verdict.features
        if feature.verdict == "not-compared"
    ]
    columns = []
    for column in differing_columns(verdict):
        name = escape_hidden(f"{column.view}.{column.name}")
        said = f"{name} differs from its point-in-time value in {_say_difference(column.comparison)}"
        columns.append(Finding("STORE_MATCHES", "note", "column", name, said, service=service))
    return (*skewed, *left_out, *columns)


def _find_remedies(verdict: Verdict) -> dict[str, str]:
    """What to change, for each feature that has a cause which says so."""
    found: dict[str, str] = {}
    for finding, said in zip(_touching_features(verdict), feature_findings(verdict), strict=True):
        if said.change:
            for name in finding:
                found.setdefault(name, said.change)
    return found


def _touching_features(verdict: Verdict) -> Iterable[tuple[str, ...]]:
    """The features of each finding that `feature_findings` puts into words."""
    names = {feature.name for feature in verdict.features}
    return [tuple(finding.features) for finding in verdict.findings if names & set(finding.features)]


def _say_skew(feature: FeatureVerdict) -> str:
    where = f", {name_stage(feature.stage)} stage" if feature.stage else ""
    return f"{escape_hidden(feature.name)} differs in {_say_difference(feature.shown)}{where}"


def _say_difference(comparison: Comparison) -> str:
    said = f"{say_counts(comparison)} rows ({rate_of(comparison)})"
    if not comparison.samples:
        return said
    served, replayed = format_pair(comparison.samples[0].served, comparison.samples[0].replayed)
    return f"{said}, such as served {served}, replayed {replayed}"


def _audit_case(service: str, feature: FeatureVerdict) -> Case:
    key = Key(escape_hidden(service), escape_hidden(feature.name))
    if feature.verdict == "match":
        return Case(key, "passed")
    if feature.verdict == "skew":
        return Case(key, "failed", _say_skew(feature), "LOG_MATCHES")
    return Case(key, "skipped", flow_text(feature.note or "not compared"))


def _digest_diff(verdict: DiffVerdict) -> Digest:
    findings = tuple(_clean_finding(finding) for finding in verdict.findings)
    problems = tuple(_clean(problem) for problem in verdict.problems)
    counting: dict[Key, list[Finding]] = {}
    for finding in findings:
        if finding.counts and finding.kind == "feature":
            counting.setdefault(Key(finding.service or "", finding.subject), []).append(finding)
    return Digest(
        "check" if verdict.stages else "diff",
        "",
        verdict.verdict,
        flow_text(diff_wording.say_headline(verdict)),
        findings,
        _with_error(problems, verdict.verdict, "the versions", "they could not be compared"),
        tuple(_diff_case(feature, counting) for feature in verdict.features),
        "feature_store.yaml",
    )


def _diff_case(feature: FeatureChange, counting: dict[Key, list[Finding]]) -> Case:
    key = Key(escape_hidden(feature.service), escape_hidden(feature.name))
    if found := counting.get(key):
        return Case(key, "failed", "; ".join(finding.message for finding in found), found[0].rule)
    if feature.verdict == "unknown":
        return Case(key, "skipped", flow_text("; ".join(feature.reasons)) or "unknown")
    return Case(key, "passed")


def _clean(problem: Problem) -> Problem:
    remedy = None if problem.remedy is None else flow_text(problem.remedy)
    return replace(problem, where=flow_text(problem.where), message=flow_text(problem.message), remedy=remedy)


def _clean_finding(finding: Finding) -> Finding:
    return replace(
        finding,
        subject=escape_hidden(finding.subject),
        service=None if finding.service is None else escape_hidden(finding.service),
        message=flow_text(finding.message),
        remedy=None if finding.remedy is None else flow_text(finding.remedy),
    )


def _with_error(problems: tuple[Problem, ...], verdict: str, where: str, message: str) -> tuple[Problem, ...]:
    """The problems, with an error where the verdict asks for one and none says why: incomplete never looks clean."""
    if verdict != "incomplete" or any(problem.severity == "error" for problem in problems):
        return problems
    said = f"{message}: {count_things(len(problems), 'warning')}"
    return (Problem("error", where, said, "Print the table to see what was not compared."), *problems)
