"""The table of planted faults is complete, and the check of an audit against it lets nothing pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from skewcheck.demo.faults import CUTS, FAULTS, Fault, Planted, check_found, planted_in
from skewcheck.generate.manifest import read_manifest
from skewcheck.verdict import STAGES, Comparison, FeatureVerdict, Pair, Rows, Verdict

FEATURES = [
    feature.name
    for feature in read_manifest(Path(__file__).parents[2] / "codegen" / "departure_delay" / "manifest.json").features
]
LOGGED = 100
SAME = Comparison(LOGGED, 0)
DIFFERENT = Comparison(LOGGED, 7, samples=(Pair("1", None, 1.0, 2.0),))


def make_verdict(differing: dict[str, set[str]]) -> Verdict:
    """An audit that found differences in some stages of some features."""
    features = tuple(
        FeatureVerdict(
            name,
            "skew" if differing.get(name) else "match",
            next((stage for stage in STAGES if stage in differing.get(name, ())), None),
            {stage: DIFFERENT if stage in differing.get(name, ()) else SAME for stage in STAGES},
        )
        for name in FEATURES
    )
    return Verdict("departure_delay", "fail" if any(differing.values()) else "pass", Rows(LOGGED, LOGGED), features)


def planted(faults: tuple[Planted, ...] = FAULTS) -> dict[str, set[str]]:
    touched = {name: set(planted_in(name, faults)) for name in FEATURES}
    return {name: {*stages, "end_to_end"} for name, stages in touched.items() if stages}


def test_every_fault_is_in_the_table_once() -> None:
    assert sorted(planted.fault for planted in FAULTS) == sorted(Fault)
    assert len(Fault) == 6


def test_the_table_names_declared_features_and_cuts_and_gives_a_reason() -> None:
    for row in FAULTS:
        assert row.features
        assert set(row.features) <= set(FEATURES)
        assert len(set(row.features)) == len(row.features)
        assert row.stage in CUTS
        assert row.reason.endswith(".")


def test_some_features_are_left_alone() -> None:
    assert {name for name in FEATURES if not planted_in(name)} == {
        "airline_delay",
        "carrier_code",
        "carrier_destination",
        "departs_on_weekend",
        "departure_day",
        "origin_one_hot",
        "plane_age",
        "plane_age_missing",
        "plane_flights",
        "seats_scaled",
    }


def test_a_feature_can_be_touched_in_both_cuts() -> None:
    assert planted_in("temperature_z") == {
        "retrieval": (Fault.STALE_WEATHER,),
        "transform": (Fault.MISSING_AS_ZERO,),
    }
    assert planted_in("distance_z") == {"transform": (Fault.ROLLING_STATISTICS,)}


@pytest.mark.parametrize("faults", [FAULTS, FAULTS[:1], ()], ids=["all", "one", "none"])
def test_an_audit_that_found_exactly_what_is_planted_is_right(faults: tuple[Planted, ...]) -> None:
    assert check_found(make_verdict(planted(faults)), faults) == []


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.fault.name.lower())
def test_a_fault_that_was_not_found_is_told_by_feature_and_cut(row: Planted) -> None:
    found = planted()
    for name in row.features:
        found[name].discard(row.stage)
    wrong = check_found(make_verdict(found))
    for name in row.features:
        assert f"{name} was not found in {row.stage}, where a fault is planted" in wrong


def test_a_mismatch_where_nothing_is_planted_is_told() -> None:
    assert check_found(make_verdict({**planted(), "plane_age": {"transform"}})) == [
        "plane_age was found in transform, where no fault is planted"
    ]
    assert check_found(make_verdict({**planted(), "distance_z": {*STAGES}})) == [
        "distance_z was found in retrieval, where no fault is planted"
    ]


def test_a_mismatch_in_the_service_without_faults_is_told() -> None:
    assert check_found(make_verdict({"seats_scaled": {"end_to_end"}}), ()) == [
        "the verdict is fail, expected pass",
        "seats_scaled was found in end_to_end, where no fault is planted",
    ]


@pytest.mark.parametrize("stage", STAGES)
def test_a_cut_that_does_not_cover_every_request_is_told(stage: str) -> None:
    whole = make_verdict({})
    first, *others = whole.features
    for stages in (
        {name: comparison for name, comparison in first.stages.items() if name != stage},
        {**first.stages, stage: Comparison(LOGGED - 1, 0)},
    ):
        partial = replace(whole, features=(replace(first, stages=stages), *others))
        assert check_found(partial, ()) == [f"{first.name} was not compared for every request: {stage}"]


def test_an_audit_of_no_requests_is_told() -> None:
    empty = make_verdict({})
    assert len(check_found(replace(empty, rows=Rows(0, 0)), ())) == len(FEATURES)


def test_a_skewed_feature_without_sample_is_told() -> None:
    verdict = make_verdict(planted())
    features = tuple(
        replace(feature, stages={name: replace(counts, samples=()) for name, counts in feature.stages.items()})
        if feature.name == "rain_log"
        else feature
        for feature in verdict.features
    )
    assert check_found(replace(verdict, features=features)) == ["rain_log has no sample"]


def test_a_wrong_address_is_told() -> None:
    verdict = make_verdict(planted())
    features = tuple(
        replace(feature, stage="end_to_end") if feature.name == "rain_log" else feature for feature in verdict.features
    )
    assert check_found(replace(verdict, features=features)) == [
        "rain_log is attributed to end_to_end, its faults show in retrieval"
    ]


def test_a_feature_that_the_audit_forgot_is_told() -> None:
    verdict = make_verdict(planted())
    features = tuple(feature for feature in verdict.features if feature.name != "rain_log")
    assert check_found(replace(verdict, features=features)) == ["rain_log is missing from the audit"]


def test_an_incomplete_audit_is_told() -> None:
    assert check_found(replace(make_verdict({}), verdict="incomplete"), ()) == [
        "the verdict is incomplete, expected pass"
    ]
