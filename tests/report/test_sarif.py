"""SARIF: valid by the published schema, and an alert stays the same alert."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator, FormatChecker

from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, Location, Side
from skewcheck.report.sarif import render_sarif
from skewcheck.verdict import FeatureVerdict, Rows, Verdict
from tests.test_diff_verdict import ERROR, WHOLE

SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
VALIDATOR = Draft4Validator(SCHEMA, format_checker=FormatChecker())


def read_run(verdict: Verdict | DiffVerdict) -> dict[str, Any]:
    """The one run of a file that the schema accepts."""
    document = json.loads(render_sarif(verdict).encode())
    VALIDATOR.validate(document)
    assert document["$schema"] == SCHEMA["id"]
    (run,) = document["runs"]
    return run


def test_the_schema_refuses_what_is_no_sarif() -> None:
    document = json.loads(render_sarif(WHOLE))
    document["runs"][0]["results"][0]["level"] = "fatal"
    del document["runs"][0]["tool"]["driver"]["name"]
    assert len(list(VALIDATOR.iter_errors(document))) == 2


def test_audits_and_diffs_are_valid(fail: Verdict, passed: Verdict, incomplete: Verdict) -> None:
    runs = [read_run(verdict) for verdict in (fail, passed, incomplete, WHOLE)]
    assert [len(run["results"]) for run in runs] == [7, 0, 1, 2]
    assert [run["automationDetails"]["id"] for run in runs[::3]] == [
        "skewcheck/audit/departure_delay",
        "skewcheck/check/",
    ]


def test_every_result_names_its_rule_and_place(fail: Verdict) -> None:
    run = read_run(fail)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert artifact == {"uri": "log/departure_delay", "uriBaseId": "%SRCROOT%"}
    first = read_run(WHOLE)["results"][0]["locations"][0]
    assert first["physicalLocation"]["artifactLocation"]["uri"] == "a.py"
    assert first["physicalLocation"]["region"] == {"startLine": 3}
    assert first["logicalLocations"][0]["fullyQualifiedName"] == "shop.amount_z"


def test_what_could_not_be_done_makes_the_run_unsuccessful() -> None:
    stopped = DiffVerdict("incomplete", Side("a"), Side("b"), problems=(Problem("error", "a", "cannot be loaded"),))
    (invocation,) = read_run(stopped)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "a: cannot be loaded"
    assert read_run(WHOLE)["invocations"][0]["executionSuccessful"] is True


def test_a_waived_finding_is_suppressed_with_its_reason() -> None:
    results = read_run(WHOLE)["results"]
    assert "suppressions" not in results[0]
    assert results[1]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "agreed with the team (until 2027-01-31)"}
    ]


def test_a_fingerprint_outlives_lines_and_words() -> None:
    moved = replace(ERROR, message="it changed much", remedy="Do it.", location=Location("b.py", 99))
    prints = [
        read_run(replace(WHOLE, findings=(finding,)))["results"][0]["partialFingerprints"]
        for finding in (ERROR, moved, replace(ERROR, subject="another"), replace(ERROR, rule="VALUES_KNOWN"))
    ]
    assert prints[0] == prints[1]
    assert len({json.dumps(one) for one in prints}) == 3
    assert set(prints[0]) == {"skewcheck/v1", "primaryLocationLineHash"}


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("features/my shop.py", "features/my%20shop.py"),
        ("a\\b.py", "a/b.py"),
        ("/srv/log", "file:///srv/log"),
        ("a:b#c?", "a%3Ab%23c%3F"),
    ],
)
def test_a_path_is_a_reference(path: str, uri: str) -> None:
    finding = replace(ERROR, location=Location(path, 1))
    found = read_run(replace(WHOLE, findings=(finding,)))["results"][0]["locations"][0]
    assert found["physicalLocation"]["artifactLocation"]["uri"] == uri


@given(st.text(), st.text(), st.text(), st.integers())
def test_it_is_valid_whatever_the_text(name: str, message: str, path: str, line: int) -> None:
    finding = replace(ERROR, subject=name, message=message, remedy=message, service=name, location=Location(path, line))
    assert len(read_run(replace(WHOLE, findings=(finding,)))["results"]) == 1
    read_run(Verdict(name, "incomplete", Rows(0, 0), (FeatureVerdict(name, "not-compared", note=message),), log=path))
