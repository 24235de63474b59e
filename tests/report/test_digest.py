"""What audits and diffs have in common: findings, problems, and a case for each feature."""

from __future__ import annotations

from dataclasses import replace

from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Finding, Side
from skewcheck.report.digest import AUDIT_RULES, Case, Key, make_digest
from skewcheck.verdict import FeatureVerdict, Rows, Verdict
from tests.test_diff_verdict import ERROR, WHOLE


def test_every_skewed_feature_is_an_error_with_the_change_that_its_cause_asks_for(fail: Verdict) -> None:
    found = {finding.subject: finding for finding in make_digest(fail).findings if finding.level == "error"}
    assert list(found) == [feature.name for feature in fail.skewed]
    assert found["distance_z"].message.startswith(
        "distance_z differs in 29,424 of 29,425 rows (99.997%), such as served"
    )
    assert found["distance_z"].remedy == "Read mean and deviation from the frozen state, not from recent requests."
    assert found["hour_sin"].remedy is None


def test_a_finding_of_an_audit_is_the_same_one_in_the_gate(fail: Verdict) -> None:
    finding = make_digest(fail).findings[0]
    same = Finding("LOG_MATCHES", "error", "feature", "hour_sin", "other words", service="departure_delay")
    assert finding.fingerprint == same.fingerprint


def test_what_was_not_compared_and_what_the_store_gave_is_said_with_less_weight(
    fail: Verdict, incomplete: Verdict
) -> None:
    assert [(f.rule, f.level, f.subject) for f in make_digest(incomplete).findings] == [
        ("LOG_COMPARED", "warning", "seats")
    ]
    last = make_digest(fail).findings[-1]
    assert (last.rule, last.level, last.subject) == ("STORE_MATCHES", "note", "weather.temp")


def test_the_rules_of_an_audit_are_listed(fail: Verdict, incomplete: Verdict) -> None:
    found = {finding.rule for verdict in (fail, incomplete) for finding in make_digest(verdict).findings}
    assert found == set(AUDIT_RULES)


def test_every_feature_has_one_case(fail: Verdict, incomplete: Verdict) -> None:
    for verdict in (fail, incomplete):
        cases = make_digest(verdict).cases
        assert [case.key.name for case in cases] == [feature.name for feature in verdict.features]
    outcomes = [case.outcome for case in make_digest(fail).cases]
    assert (outcomes.count("failed"), outcomes.count("passed")) == (6, 18)
    assert make_digest(incomplete).cases[0] == Case(
        Key("departure_delay", "seats"), "skipped", "the log has no column 'seats'"
    )


def test_an_incomplete_verdict_always_has_an_error() -> None:
    silent = Verdict("s", "incomplete", Rows(1, 0), (FeatureVerdict("f", "not-compared"),))
    assert [problem.severity for problem in make_digest(silent).problems] == ["error"]
    empty = DiffVerdict("incomplete", Side("a"), Side("b"))
    assert [problem.severity for problem in make_digest(empty).problems] == ["error"]
    assert make_digest(replace(empty, verdict="pass")).problems == ()


def test_a_changed_feature_fails_by_the_findings_that_count() -> None:
    waived = FeatureChange("shop", "waived", "values-changed")
    unknown = FeatureChange("shop", "dark", "unknown", reasons=("it calls a library",))
    cases = make_digest(replace(WHOLE, features=(*WHOLE.features, waived, unknown))).cases
    assert cases == (
        Case(Key("shop", "amount_z"), "failed", "it changed", "VALUES_SAME"),
        Case(Key("shop", "other"), "passed"),
        Case(Key("shop", "waived"), "passed"),
        Case(Key("shop", "dark"), "skipped", "it calls a library"),
    )


def test_text_from_data_is_one_harmless_line() -> None:
    nasty = replace(ERROR, subject="a\nb", message="one\r\n\x1b[31mtwo\u202e", remedy="x\ud800", service="s\0")
    finding = make_digest(replace(WHOLE, findings=(nasty,))).findings[0]
    assert (finding.subject, finding.service) == ("a\\nb", "s\\0")
    assert finding.message == "one \\x1b[31mtwo\\u202e"
    assert finding.remedy == "x\\ud800"
