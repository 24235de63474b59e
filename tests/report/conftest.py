"""Verdicts as audits really give them: a pass, a fail with six of twenty-four features, an incomplete one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from skewcheck.contracts import Problem
from skewcheck.verdict import ColumnVerdict, Comparison, FeatureVerdict, Filter, Pair, Rows, Verdict, Version

REQUESTS = 29_425
DEFINITION = "sha256:4c1f0e9ad7b25c3380a1e76f94d2b8c6a5f3e2d1c0b9a8978685746352413020"
STATE = "sha256:9be21d70c45f8a3e6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7f80919a2b3"
MATCHING = (
    "dew_point",
    "humidity",
    "pressure_is_missing",
    "temperature_is_missing",
    "visibility",
    "wind_speed_ms",
    "gust_ratio",
    "precipitation_log",
    "origin_one_hot",
    "carrier_destination_bucket",
    "day_of_week_sin",
    "day_of_week_cos",
    "plane_age_years",
    "plane_age_is_missing",
    "seats",
    "seats_per_engine",
    "is_wide_body",
    "month",
)


def compare(
    mismatched: int, samples: list[tuple[Any, Any, dict[str, Any]]] | None = None, **figures: Any
) -> Comparison:
    """A comparison over July, with samples a day apart."""
    pairs = tuple(
        Pair(f"2013-07-{day:02}/{1200 + day}", f"2013-07-{day:02}T10:15:00+00:00", served, replayed, row)
        for day, (served, replayed, row) in enumerate(samples or [], start=1)
    )
    span = {"first_mismatch": "2013-07-01T04:00:00+00:00", "last_mismatch": "2013-08-01T03:59:00+00:00"}
    return Comparison(REQUESTS, mismatched, samples=pairs, **({**span, **figures} if mismatched else figures))


def skewed(name: str, stage: str, reads: tuple[str, ...], comparison: Comparison, **rest: Any) -> FeatureVerdict:
    """A feature whose skew arises at one stage and shows end to end."""
    stages = {"retrieval": compare(0), "transform": compare(0), "end_to_end": comparison, stage: comparison}
    return FeatureVerdict(name, "skew", stage, stages=stages, reads=reads, **rest)


def matching(name: str) -> FeatureVerdict:
    """A feature on which nothing differs at any stage."""
    stages = {stage: compare(0) for stage in ("retrieval", "transform", "end_to_end")}
    return FeatureVerdict(name, "match", stages=stages, reads=(name.partition("_")[0],))


def build_fail() -> Verdict:
    """Six of twenty-four features skewed: floats, missing values, strings, a vector, a stale column."""
    hours = [
        (0.2588190451025207, -0.7071067811865475, {"scheduled_departure": "2013-07-01T05:00:00+00:00"}),
        (0.5, -0.8660254037844386, {"scheduled_departure": "2013-07-02T06:00:00+00:00"}),
    ]
    distances = [
        (1.3101, 0.8214, {"distance": 1400.0}),
        (2.0134000000000003, 2.0134, {"distance": 2475.0}),
        (-1.5, None, {"distance": None}),
    ]
    stale = [
        (
            71.06,
            73.04,
            {"origin": "JFK", "weather.temp": 71.06, "weather.event_time": "2013-07-01T07:00:00Z"},
        ),
        (None, 75.02, {"origin": "LGA", "weather.temp": None, "weather.event_time": None}),
    ]
    words = [("other", "HNL", {"destination": "HNL"}), ("EGE", "EGE\u00a0", {"destination": "EGE\u00a0"})]
    vector = [([0.0] * 12 + [1.0] + [0.0] * 51, [0.0] * 40 + [1.0] + [0.0] * 23, {"carrier": "UA", "hour": 7})]
    figures = {"max_absolute_difference": 1.9318516525781366, "mean_absolute_difference": 0.8163}
    features = (
        skewed("hour_sin", "transform", ("scheduled_departure",), compare(REQUESTS, hours, **figures)),
        skewed(
            "distance_z",
            "transform",
            ("distance",),
            compare(REQUESTS - 1, distances, max_absolute_difference=1204.25, mean_absolute_difference=3.2e-05),
            causes=(
                {
                    "kind": "statistics",
                    "stage": "transform",
                    "explains": 0.982,
                    "parameters": {"statistics": {"mean": 6.412}, "frozen": {"mean": 6.58}},
                    "where": {"host": ["blue-1", "blue-2"]},
                    "since": "2013-07-04T09:14:00Z",
                    "evidence": ["28,895 of 29,424.", "No request that matches would differ with it."],
                    "fix": "Read mean and deviation from the frozen state, not from recent requests.",
                    "says": "Serving has mean 6.412; the frozen state has 6.58.",
                    "root": "statistics of distance.log1p().standardize()",
                    "examples": [
                        {
                            "request_id": "r-1",
                            "requested_at": "2013-07-04T09:14:00Z",
                            "steps": ["distance = 529", "served 0.1, training gives 0.2"],
                        }
                    ],
                },
            ),
        ),
        skewed(
            "temperature_standardised",
            "retrieval",
            ("weather.temp",),
            compare(
                21_212,
                stale,
                served_missing=311,
                replayed_missing=4,
                max_absolute_difference=22.5,
                mean_absolute_difference=2.75,
            ),
        ),
        skewed(
            "temperature_imputed",
            "transform",
            ("weather.temp",),
            compare(311, [(0.0, 72.5, {"weather.temp": None})]),
        ),
        skewed("destination_code", "transform", ("destination",), compare(9, words)),
        skewed("carrier_hour_hash", "transform", ("carrier", "hour"), compare(1, vector)),
        *(matching(name) for name in MATCHING),
    )
    temp = ColumnVerdict("temp", "weather", skewed_column(stale))
    return Verdict(
        "departure_delay",
        "fail",
        Rows(
            REQUESTS,
            REQUESTS,
            duplicated=0,
            unmatched=12,
            outside_training_filter=940,
            filters=(Filter("flown", 940), Filter("has_seats", None, "the log has no column 'seats_sold'")),
            first="2013-07-01T04:00:00+00:00",
            last="2013-07-31T23:59:00+00:00",
        ),
        features,
        log="log/departure_delay",
        definition=DEFINITION,
        state=STATE,
        columns=(temp, ColumnVerdict("wind_speed", "weather", compare(0))),
        versions=(
            Version(DEFINITION, STATE, 29_000, current=True),
            Version(DEFINITION, None, 425, current=False),
        ),
        problems=(
            Problem(
                "warning",
                "state",
                "425 rows were logged without a state hash",
                "Log through skewcheck.serving.",
            ),
        ),
        stages={"retrieval": "compared", "transform": "compared", "end_to_end": "compared"},
    )


def skewed_column(samples: list[tuple[Any, Any, dict[str, Any]]]) -> Comparison:
    """What a stale weather column looks like."""
    return compare(21_212, samples, served_missing=311, max_absolute_difference=22.5)


def build_pass() -> Verdict:
    """Everything matches, in one current version."""
    fail = build_fail()
    return replace(
        fail,
        verdict="pass",
        features=tuple(matching(feature.name) for feature in fail.features),
        columns=(),
        versions=fail.versions[:1],
        problems=(),
    )


def build_incomplete() -> Verdict:
    """Two unreadable files, a stage that could not be replayed, a feature that could not be compared."""
    passed = build_pass()
    lacking = FeatureVerdict("seats", "not-compared", note="the log has no column 'seats'")
    damaged = "log/departure_delay/date=2013-07-04/hour=17/part-0{}.parquet"
    return replace(
        passed,
        verdict="incomplete",
        rows=Rows(27_611, 27_611, filters=(Filter("flown", None, "the log has no column 'cancelled'"),)),
        features=(lacking, *(feature for feature in passed.features if feature.name != "seats")),
        problems=(
            Problem(
                "error",
                damaged.format(1),
                "truncated: no Parquet footer",
                "Copy the file again, or move it away.",
            ),
            Problem(
                "error",
                damaged.format(2),
                "not a Parquet file",
                "Move it away, or audit the others with --ignore-unreadable.",
            ),
        ),
        stages={
            "retrieval": "the log has no entity keys",
            "transform": "compared",
            "end_to_end": "the log has no entity keys",
        },
    )


@pytest.fixture(scope="session")
def fail() -> Verdict:
    """The verdict of `build_fail`."""
    return build_fail()


@pytest.fixture(scope="session")
def passed() -> Verdict:
    """The verdict of `build_pass`."""
    return build_pass()


@pytest.fixture(scope="session")
def incomplete() -> Verdict:
    """The verdict of `build_incomplete`."""
    return build_incomplete()
