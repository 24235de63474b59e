"""The verdict's JSON: written, read back, refused when it is not what this version reads."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from skewcheck.contracts import Problem
from skewcheck.errors import SkewcheckError
from skewcheck.verdict import (
    SCHEMA,
    STAGES,
    ColumnVerdict,
    Comparison,
    FeatureVerdict,
    Filter,
    Pair,
    Rows,
    Verdict,
    Version,
)

counts = st.integers(0, 10**15)
maybe_counts = st.none() | counts
texts = st.text(max_size=8)
maybe_texts = st.none() | texts
finite = st.floats(allow_nan=False, allow_infinity=False)
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64) | finite | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=2),
    max_leaves=4,
)
pairs = st.builds(
    Pair,
    maybe_texts,
    maybe_texts,
    plain_values,
    plain_values,
    st.dictionaries(texts, plain_values, max_size=2),
)


def tuples(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, max_size=2).map(tuple)


comparisons = st.builds(
    Comparison,
    counts,
    counts,
    counts,
    counts,
    st.none() | finite,
    st.none() | finite,
    maybe_texts,
    maybe_texts,
    tuples(pairs),
)
features = st.builds(
    FeatureVerdict,
    texts,
    st.sampled_from(["match", "skew", "not-compared"]),
    st.none() | st.sampled_from(STAGES),
    st.dictionaries(st.sampled_from(STAGES), comparisons, max_size=2),
    tuples(texts),
    finite,
    maybe_texts,
    tuples(st.dictionaries(texts, plain_values, max_size=2)),
)
rows = st.builds(
    Rows,
    counts,
    counts,
    maybe_counts,
    maybe_counts,
    maybe_counts,
    tuples(st.builds(Filter, texts, maybe_counts, maybe_texts)),
    maybe_texts,
    maybe_texts,
)
verdicts = st.builds(
    Verdict,
    texts,
    st.sampled_from(["pass", "fail", "incomplete"]),
    rows,
    tuples(features),
    texts,
    maybe_texts,
    maybe_texts,
    tuples(st.builds(ColumnVerdict, texts, texts, comparisons)),
    tuples(st.builds(Version, maybe_texts, maybe_texts, counts, st.booleans())),
    tuples(st.builds(Problem, st.sampled_from(["error", "warning"]), texts, texts, maybe_texts)),
    st.dictionaries(st.sampled_from(STAGES), texts, max_size=3),
)

SMALL = Verdict(
    "rides",
    "fail",
    Rows(2, 2),
    (
        FeatureVerdict(
            "kilometres",
            "skew",
            "transform",
            {"transform": Comparison(2, 1, samples=(Pair("a", None, 1.5, 1.0),))},
        ),
        FeatureVerdict("hour", "match", stages={"end_to_end": Comparison(2, 0), "transform": Comparison(1, 0)}),
    ),
)


def with_sample(served: Any) -> Verdict:
    comparison = Comparison(1, 1, samples=(Pair("a", None, served, None, {"input": served}),))
    feature = FeatureVerdict("kilometres", "skew", "transform", {"transform": comparison})
    return replace(SMALL, features=(feature,))


@given(verdicts)
def test_reading_what_was_written_gives_the_same_verdict(verdict: Verdict) -> None:
    assert Verdict.from_json(verdict.to_json()) == verdict


@given(verdicts)
def test_the_same_verdict_is_always_written_the_same_way(verdict: Verdict) -> None:
    assert Verdict.from_json(verdict.to_json()).to_json() == verdict.to_json()


@given(st.text(st.characters(exclude_categories=()), max_size=8))
@example("\ud800")
def test_any_string_even_a_lone_surrogate_is_written_as_utf_8(text: str) -> None:
    written = with_sample(text).to_json().encode()
    assert json.loads(written)["features"][0]["samples"][0]["served"] == text.encode("utf-16", "surrogatepass").decode(
        "utf-16", "surrogatepass"
    )


def test_the_contract_has_its_fields() -> None:
    data = json.loads(SMALL.to_json())
    assert (data["schema"], data["service"], data["verdict"]) == (SCHEMA, "rides", "fail")
    assert data["rows"]["logged"] == 2
    kilometres = data["features"][0]
    assert {
        key: kilometres[key] for key in ("name", "verdict", "stage", "compared", "mismatched", "mismatch_rate")
    } == {
        "name": "kilometres",
        "verdict": "skew",
        "stage": "transform",
        "compared": 2,
        "mismatched": 1,
        "mismatch_rate": 0.5,
    }
    assert kilometres["samples"] == [
        {"request_id": "a", "requested_at": None, "served": 1.5, "replayed": 1.0, "row": {}}
    ]
    assert kilometres["causes"] == []


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        ([1.0, float("nan")], [1.0, "NaN"]),
        (datetime(2013, 7, 1, 4, tzinfo=UTC), "2013-07-01T04:00:00+00:00"),
        (Decimal("1.50"), "1.50"),
        (np.int64(3), 3),
        (np.array([1.5, 2.0]), [1.5, 2.0]),
        (2**53 + 1, 9007199254740993),
    ],
)
def test_a_value_that_json_lacks_is_written_as_text(value: Any, written: Any) -> None:
    sample = json.loads(with_sample(value).to_json())["features"][0]["samples"][0]
    assert (sample["served"], sample["row"]["input"]) == (written, written)


def test_an_infinite_difference_is_a_number_again_when_read() -> None:
    comparison = Comparison(1, 1, max_absolute_difference=float("inf"))
    verdict = replace(SMALL, columns=(ColumnVerdict("temp", "weather", comparison),))
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize("schema", ["skewcheck/audit/2", None, 1])
def test_a_schema_of_another_version_is_refused_and_named(schema: Any) -> None:
    text = json.dumps({**json.loads(SMALL.to_json()), "schema": schema})
    with pytest.raises(SkewcheckError, match=r"verdict schema is .*, expected 'skewcheck/audit/1'"):
        Verdict.from_json(text)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"'])
def test_what_is_not_a_verdict_is_refused(text: str) -> None:
    with pytest.raises(SkewcheckError):
        Verdict.from_json(text)


@pytest.mark.parametrize("key", ["service", "verdict", "rows", "features", "columns", "versions", "problems"])
def test_a_verdict_that_lacks_a_part_is_refused(key: str) -> None:
    data = json.loads(SMALL.to_json())
    del data[key]
    with pytest.raises(SkewcheckError, match="not a whole verdict") as raised:
        Verdict.from_json(json.dumps(data))
    assert key in str(raised.value)


def test_a_word_that_is_no_verdict_is_refused() -> None:
    with pytest.raises(SkewcheckError, match="verdict is 'maybe', expected one of pass, fail, incomplete"):
        Verdict.from_json(SMALL.to_json().replace('"verdict": "fail"', '"verdict": "maybe"', 1))


@pytest.mark.parametrize(("word", "code"), [("pass", 0), ("fail", 1), ("incomplete", 3)])
def test_exit_codes(word: Any, code: int) -> None:
    assert replace(SMALL, verdict=word).exit_code == code


def test_what_is_shown_is_the_stage_of_the_skew_and_otherwise_the_widest_cut() -> None:
    kilometres, hour = SMALL.features
    assert kilometres.shown is kilometres.stages["transform"]
    assert hour.shown is hour.stages["end_to_end"]
    assert FeatureVerdict("seats", "not-compared").shown == Comparison(0, 0)


def test_nothing_compared_is_a_rate_of_zero() -> None:
    assert Comparison(0, 0).mismatch_rate == 0.0


def test_skewed_features_come_highest_rate_first_then_by_name() -> None:
    def skew(name: str, mismatched: int) -> FeatureVerdict:
        return FeatureVerdict(name, "skew", "transform", {"transform": Comparison(10, mismatched)})

    verdict = replace(SMALL, features=(skew("c", 1), skew("b", 9), SMALL.features[1], skew("a", 1)))
    assert [feature.name for feature in verdict.skewed] == ["b", "a", "c"]


def test_fields_that_a_later_version_adds_are_passed_over() -> None:
    comparison = Comparison(2, 1, samples=(Pair("r1", None, 1.0, 2.0, {"x": 1}),))
    feature = FeatureVerdict("f", "skew", "transform", {"transform": comparison})
    columns = (ColumnVerdict("x", "view", comparison),)
    filters = (Filter("rule", 3),)
    verdict = Verdict("s", "fail", Rows(2, 2, filters=filters), (feature,), columns=columns)

    def add(data: Any) -> Any:
        if isinstance(data, list):
            return [add(item) for item in data]
        if isinstance(data, dict) and data:
            keep = data.keys() <= {"x", "transform"}
            return {**{key: add(item) for key, item in data.items()}, **({} if keep else {"added_later": [1]})}
        return data

    assert Verdict.from_json(json.dumps(add(json.loads(verdict.to_json())))) == verdict
