"""The verdict as SARIF 2.1.0, which code scanning reads (room: report).

A fingerprint is of what a finding is about, and not of its line or wording, so that an alert stays the same alert. What
could not be done stands among the notifications of the run, which then has not succeeded.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from skewcheck.report.digest import AUDIT_RULES, make_digest
from skewcheck.report.values import escape_hidden, flow_text

if TYPE_CHECKING:
    from skewcheck.contracts import Problem
    from skewcheck.diff_verdict import DiffVerdict, Finding
    from skewcheck.report.digest import Digest
    from skewcheck.verdict import Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def render_sarif(verdict: Verdict | DiffVerdict) -> str:
    """The verdict as the text of a SARIF file, keys in a fixed order, ending in a newline."""
    digest = make_digest(verdict)
    rules = list(dict.fromkeys(finding.rule for finding in digest.findings))
    examples = {finding.rule: finding for finding in reversed(digest.findings)}
    run = {
        "tool": {"driver": {"name": "skewcheck", "rules": [_describe_rule(examples[rule]) for rule in rules]}},
        "automationDetails": {"id": f"skewcheck/{digest.kind}/{quote(digest.service)}"},
        "invocations": [
            {
                "executionSuccessful": digest.verdict != "incomplete",
                "toolExecutionNotifications": [_notify(problem) for problem in digest.problems],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_write_result(finding, rules.index(finding.rule), digest) for finding in digest.findings],
    }
    body = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(body, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _describe_rule(finding: Finding) -> dict[str, Any]:
    meaning = AUDIT_RULES.get(finding.rule, f"`skewcheck rules` says what {finding.rule} means.")
    return {
        "id": finding.rule,
        "name": "".join(word.capitalize() for word in finding.rule.split("_")),
        "shortDescription": {"text": finding.rule.replace("_", " ").capitalize()},
        "fullDescription": {"text": meaning},
        "help": {"text": finding.remedy or meaning},
        "defaultConfiguration": {"level": finding.level},
    }


def _write_result(finding: Finding, rule: int, digest: Digest) -> dict[str, Any]:
    location = finding.location
    path, line = (digest.place, 1) if location is None else (location.path, max(1, location.line))
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": finding.level,
        "message": {"text": f"{finding.message}\n→ {finding.remedy}" if finding.remedy else finding.message},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": _locate(path), "region": {"startLine": line}},
                "logicalLocations": [_name_logically(finding)],
            }
        ],
        # GitHub knows an alert again by the second name alone.
        "partialFingerprints": {"skewcheck/v1": finding.fingerprint, "primaryLocationLineHash": finding.fingerprint},
    }
    if finding.waiver is not None:
        said = flow_text(f"{finding.waiver.reason} (until {finding.waiver.expires})")
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": said}]
    return result


def _locate(path: str) -> dict[str, Any]:
    """A path as a reference: relative to the root of the sources, unless it is absolute."""
    written = quote(escape_hidden(path).replace("\\", "/"))
    if written.startswith("/"):
        return {"uri": f"file://{written}"}
    return {"uri": written, "uriBaseId": "%SRCROOT%"}


def _name_logically(finding: Finding) -> dict[str, Any]:
    full = f"{finding.service}.{finding.subject}" if finding.service else finding.subject
    return {"name": finding.subject, "fullyQualifiedName": full, "kind": finding.kind}


def _notify(problem: Problem) -> dict[str, Any]:
    remedy = f"\n→ {problem.remedy}" if problem.remedy else ""
    return {"level": problem.severity, "message": {"text": f"{problem.where}: {problem.message}{remedy}"}}
