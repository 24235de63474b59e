"""JUnit XML: one test case a feature, and nothing that failed looks green."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st

from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, Finding, Side
from skewcheck.report.junit import render_junit
from skewcheck.verdict import FeatureVerdict, Rows, Verdict
from tests.test_diff_verdict import ERROR, WHOLE


def read_cases(verdict: Verdict | DiffVerdict) -> dict[tuple[str, str], str]:
    """The outcome of every test case; the counts of each suite are checked."""
    root = Xml.fromstring(render_junit(verdict).encode())
    assert root.tag == "testsuites"
    found = {}
    for suite in root.findall("testsuite"):
        cases = suite.findall("testcase")
        for count, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.attrib[count]) == len(suite.findall(f"testcase/{tag}"))
        assert int(suite.attrib["tests"]) == len(cases)
        for case in cases:
            key = (case.attrib["classname"], case.attrib["name"])
            assert key not in found
            found[key] = case[0].tag if len(case) else "passed"
    return found


def test_a_feature_is_a_test_case(fail: Verdict) -> None:
    cases = read_cases(fail)
    assert list(cases) == [("departure_delay", feature.name) for feature in fail.features]
    assert list(cases.values()).count("failure") == 6
    assert list(cases.values()).count("passed") == 18


def test_a_failure_says_what_differs_and_what_to_do(fail: Verdict) -> None:
    failure = Xml.fromstring(render_junit(fail).encode()).find("testsuite/testcase[@name='distance_z']/failure")
    assert failure is not None
    assert failure.attrib["type"] == "LOG_MATCHES"
    assert "29,424 of 29,425" in failure.attrib["message"]
    assert (failure.text or "").endswith("→ Read mean and deviation from the frozen state, not from recent requests.")


def test_what_was_not_compared_is_skipped_and_what_could_not_be_done_is_an_error(incomplete: Verdict) -> None:
    cases = read_cases(incomplete)
    assert cases[("departure_delay", "seats")] == "skipped"
    assert [key[0] for key, outcome in cases.items() if outcome == "error"] == ["skewcheck", "skewcheck"]


def test_a_diff_has_a_case_for_each_feature_and_for_each_finding_about_something_else() -> None:
    view = Finding("VIEW_SAME_TTL", "error", "view", "account", "kept for another time", remedy="Waive it.")
    gone = replace(ERROR, subject="gone", rule="FEATURE_NO_DELETE")
    cases = read_cases(replace(WHOLE, findings=(ERROR, view, gone, replace(view, level="warning", subject="other"))))
    assert cases == {
        ("shop", "amount_z"): "failure",
        ("shop", "other"): "passed",
        ("view", "account::VIEW_SAME_TTL"): "failure",
        ("feature", "gone::FEATURE_NO_DELETE"): "failure",
    }


def test_what_fails_nothing_is_still_said() -> None:
    out = Xml.fromstring(render_junit(WHOLE).encode()).findtext("testsuite/system-out")
    assert out is not None
    assert "VALUES_SAME: it changed (waived until 2027-01-31: agreed with the team)" in out
    assert "warning: --budget: cut short" in out


def test_a_diff_that_could_not_be_made_has_an_error() -> None:
    stopped = DiffVerdict("incomplete", Side("a"), Side("b"), problems=(Problem("error", "a", "cannot be loaded"),))
    assert read_cases(stopped) == {("skewcheck", "a"): "error"}


@given(st.text(min_size=1), st.text())
def test_it_is_xml_whatever_the_text(name: str, message: str) -> None:
    finding = replace(ERROR, subject=name, message=message, remedy=message, service=name)
    assert len(read_cases(replace(WHOLE, findings=(finding,), features=()))) == 1
    features = (FeatureVerdict(name, "not-compared", note=message),)
    assert "skipped" in read_cases(Verdict(name, "incomplete", Rows(0, 0), features)).values()
