"""What is planted in the demo's legacy service, and the check that an audit found exactly that. Part of the demo.

A fault of retrieval changes what the service reads from its store, so the features differ although they are computed
as training computes them; a fault of transform changes how a feature is computed from what was read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from skewcheck.verdict import STAGES, Comparison, Rows, Verdict


class Fault(StrEnum):
    """A fault of the legacy service, by what its own team would say if they knew."""

    ROLLING_STATISTICS = "rolling mean and standard deviation"
    KILOMETRES = "kilometres for miles"
    MISSING_AS_ZERO = "missing temperature served as 0"
    UTC_HOUR = "hour taken in UTC"
    STALE_WEATHER = "weather three hours stale"
    OTHER_VOCABULARY = "vocabulary built on another month"


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault with everything that it touches on July's flights, and nothing else.

    Attributes:
        fault: Which.
        stage: The cut of the replay in which it shows, beside end to end.
        features: The features whose served values it changes.
        reason: Why these.
    """

    fault: Fault
    stage: str
    features: tuple[str, ...]
    reason: str


FAULTS: tuple[Planted, ...] = (
    Planted(
        Fault.ROLLING_STATISTICS,
        "transform",
        ("distance_z",),
        "The logarithm is standardised over the last five hundred requests.",
    ),
    Planted(
        Fault.KILOMETRES,
        "transform",
        ("distance_scaled", "distance_bucket", "scheduled_speed"),
        "These take the distance from the flight profile, which is metric; distance_z reads the request itself.",
    ),
    Planted(
        Fault.MISSING_AS_ZERO,
        "transform",
        ("temperature_z", "temperature_missing", "freezing"),
        "These read the temperature; dew_point_spread does too, but a station that is silent has no dew point either.",
    ),
    Planted(
        Fault.UTC_HOUR,
        "transform",
        ("departure_hour", "departure_hour_sine", "departure_hour_cosine"),
        "The day of the week and the year come from the local calendar date.",
    ),
    Planted(
        Fault.STALE_WEATHER,
        "retrieval",
        (
            "temperature_z",
            "temperature_missing",
            "freezing",
            "dew_point_spread",
            "wind_kilometres_per_hour",
            "gust_ratio",
            "humidity",
            "pressure_z",
            "low_visibility",
            "rain_log",
        ),
        "Everything that is computed from the weather; freezing differs in July only where a station was silent.",
    ),
    Planted(
        Fault.OTHER_VOCABULARY,
        "transform",
        ("destination_code",),
        "The places follow June's flights alone.",
    ),
)
"""The six faults with what each touches."""

CUTS = ("retrieval", "transform")
"""The cuts that give a mismatch its address."""


def planted_in(feature: str, faults: Collection[Planted] = FAULTS) -> dict[str, tuple[Fault, ...]]:
    """The faults that touch a feature, by the cut in which each shows; empty for an untouched feature."""
    return {
        cut: found
        for cut in CUTS
        if (found := tuple(planted.fault for planted in faults if planted.stage == cut and feature in planted.features))
    }


def check_found(verdict: Verdict, faults: Collection[Planted] = FAULTS) -> list[str]:
    """How an audit's findings differ from what is planted, a sentence each; none where it found exactly that.

    A touched feature must be skewed, differ in exactly the cuts in which its faults show and end to end, be attributed
    to one of them, and come with samples. Any other feature must have been compared in every cut without a mismatch.
    """
    wrong = []
    expected = "fail" if faults else "pass"
    if verdict.verdict != expected:
        wrong.append(f"the verdict is {verdict.verdict}, expected {expected}")
    for feature in verdict.features:
        touched = planted_in(feature.name, faults)
        differing = {stage for stage, comparison in feature.stages.items() if comparison.mismatched}
        uncompared = [stage for stage in STAGES if not _covers(feature.stages.get(stage), verdict.rows)]
        planted = {*touched, "end_to_end"} if touched else set()
        if uncompared:
            wrong.append(f"{feature.name} was not compared for every request: {', '.join(uncompared)}")
        if missed := sorted(planted - differing):
            wrong.append(f"{feature.name} was not found in {', '.join(missed)}, where a fault is planted")
        if surplus := sorted(differing - planted):
            wrong.append(f"{feature.name} was found in {', '.join(surplus)}, where no fault is planted")
        if touched and not missed and not surplus and feature.stage not in touched:
            wrong.append(f"{feature.name} is attributed to {feature.stage}, its faults show in {', '.join(touched)}")
        if touched and not feature.shown.samples:
            wrong.append(f"{feature.name} has no sample")
    names = {feature.name for feature in verdict.features}
    wrong += [
        f"{name} is missing from the audit"
        for name in sorted({name for planted in faults for name in planted.features} - names)
    ]
    return wrong


def _covers(comparison: Comparison | None, rows: Rows) -> bool:
    return comparison is not None and comparison.compared == rows.logged > 0
