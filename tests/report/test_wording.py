"""The sentences that the terminal and the page share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from skewcheck.report.wording import (
    NotCompared,
    differing_columns,
    features_not_compared,
    has_plain_versions,
    order_features,
    row_lines,
    sample_inputs,
    say_also,
    say_headline,
    skew_by_stage,
    split_findings,
    stage_comparisons,
    stages_not_compared,
)
from skewcheck.verdict import Comparison, FeatureVerdict, Pair, Rows, Verdict, Version

MATCH = FeatureVerdict("hour", "match", stages={"transform": Comparison(3, 0)})
SKEW = FeatureVerdict("distance", "skew", "transform", {"transform": Comparison(3, 1)})
ABSENT = FeatureVerdict("seats", "not-compared", note="not in the log")


@pytest.mark.parametrize(
    ("word", "features", "rows", "headline"),
    [
        ("fail", (SKEW, MATCH), Rows(3, 3), "FAIL rides: 1 of 2 features skewed in 3 requests"),
        (
            "fail",
            (SKEW, ABSENT),
            Rows(3, 2),
            "FAIL rides: 1 of 2 features skewed (1 not compared) in 2 of 3 requests",
        ),
        ("pass", (MATCH, MATCH), Rows(1, 1), "PASS rides: all 2 features match in 1 request"),
        ("pass", (MATCH,), Rows(2_000, 2_000), "PASS rides: the one feature matches in 2,000 requests"),
        (
            "pass",
            (MATCH, ABSENT),
            Rows(3, 3),
            "PASS rides: 1 of 2 features match (1 not compared) in 3 requests",
        ),
        (
            "incomplete",
            (ABSENT,),
            Rows(0, 0),
            "INCOMPLETE rides: nothing was compared in 0 requests; the audit could not be completed",
        ),
        (
            "incomplete",
            (SKEW, MATCH),
            Rows(3, 3),
            "INCOMPLETE rides: 1 of 2 features skewed in 3 requests; the audit could not be completed",
        ),
    ],
)
def test_the_headline_is_one_sentence_with_numbers(word, features, rows, headline) -> None:
    assert say_headline(Verdict("rides", word, rows, features)) == headline


def test_the_headline_names_the_span_and_counts_the_errors(fail: Verdict, incomplete: Verdict) -> None:
    assert say_headline(fail) == (
        "FAIL departure_delay: 6 of 24 features skewed in 29,425 requests (2013-07-01 … 2013-07-31)"
    )
    assert say_headline(incomplete).endswith("; the audit could not be completed (2 errors)")


def test_the_findings_can_be_split_at_the_span(fail: Verdict, incomplete: Verdict) -> None:
    assert split_findings(fail) == (
        "6 of 24 features skewed in 29,425 requests ",
        "(2013-07-01 … 2013-07-31)",
        "",
    )
    assert split_findings(incomplete)[1:] == ("", "")


def test_features_come_with_skew_first_then_what_was_not_compared() -> None:
    verdict = Verdict("rides", "fail", Rows(3, 3), (MATCH, ABSENT, SKEW))
    assert order_features(verdict) == (SKEW, ABSENT, MATCH)


def test_what_was_not_compared_is_grouped_by_reason(incomplete: Verdict) -> None:
    assert features_not_compared(incomplete) == (NotCompared(("seats",), "the log has no column 'seats'"),)
    assert stages_not_compared(incomplete) == (NotCompared(("retrieval", "end to end"), "the log has no entity keys"),)


def test_stages_come_in_the_order_in_which_a_value_travels() -> None:
    feature = replace(SKEW, stages={stage: Comparison(1, 0) for stage in ("end_to_end", "other", "retrieval")})
    assert [stage for stage, _ in stage_comparisons(feature)] == ["retrieval", "end_to_end", "other"]


def test_stages_of_skew_are_counted(fail: Verdict, passed: Verdict) -> None:
    assert skew_by_stage(fail) == "5 at transform, 1 at retrieval"
    assert skew_by_stage(passed) == ""


def test_only_columns_that_differ_are_named(fail: Verdict) -> None:
    assert [column.name for column in differing_columns(fail)] == ["temp"]


def test_unknown_counts_of_rows_say_so_and_why() -> None:
    lines = {line.label: (line.figure, line.note) for line in row_lines(Rows(3, 3, unmatched=0))}
    assert lines["unmatched"] == ("0", "")
    assert lines["duplicated"] == ("unknown", "no request ids logged")
    assert lines["outside the training filter"] == ("unknown", "")


def test_one_current_version_needs_no_words() -> None:
    current, old = Version("a", "b", 3, current=True), Version("a", None, 3, current=False)
    verdict = Verdict("rides", "pass", Rows(3, 3), (MATCH,))
    assert has_plain_versions(verdict)
    assert has_plain_versions(replace(verdict, versions=(current,)))
    assert not has_plain_versions(replace(verdict, versions=(old,)))
    assert not has_plain_versions(replace(verdict, versions=(current, old)))


def test_sample_inputs_come_as_the_feature_reads_them() -> None:
    comparison = Comparison(1, 1, samples=(Pair(None, None, 1, 2, {"at": 1, "b": 2}), Pair(None, None, 1, 2, {"a": 3})))
    assert sample_inputs(replace(SKEW, reads=("a", "b", "c")), comparison) == ("a", "b", "at")


@pytest.mark.parametrize(
    ("stage", "mismatched", "sentence"),
    [
        ("transform", {"transform": 5, "end_to_end": 6}, ""),
        ("transform", {"retrieval": 0, "transform": 5, "end_to_end": 5}, ""),
        ("transform", {"retrieval": 3, "transform": 5, "end_to_end": 6}, "also retrieval: 3"),
        ("retrieval", {"retrieval": 2_000, "transform": 1_142}, "also transform: 1,142"),
        ("end_to_end", {"retrieval": 1, "transform": 2, "end_to_end": 3}, "also retrieval: 1, transform: 2"),
    ],
)
def test_a_second_stage_is_named_where_it_differs_too(stage: str, mismatched: dict[str, int], sentence: str) -> None:
    stages = {name: Comparison(5_000, count) for name, count in mismatched.items()}
    assert say_also(FeatureVerdict("distance", "skew", stage, stages)) == sentence
