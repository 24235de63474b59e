"""Faults in July's flights: planted one by one in a clean log of the demo's features, and the demo's own."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.faults.flights_catalogue import FLIGHT_FAULTS, Flight, FlightFault
from benchmarks.faults.flights_world import (
    Flights,
    find_generated,
    find_handover,
    make_root,
    serve_flights,
    write_flights,
)
from benchmarks.faults.truth import measure_paths
from skewcheck.audit import Options, audit
from skewcheck.demo.faults import FAULTS
from skewcheck.demo.faults import Fault as DemoFault
from skewcheck.store.repository import load_repository
from skewcheck.verdict import Verdict

DEMO_KINDS = {
    DemoFault.ROLLING_STATISTICS: "statistics_rolling",
    DemoFault.KILOMETRES: "unit",
    DemoFault.MISSING_AS_ZERO: "default",
    DemoFault.UTC_HOUR: "timezone",
    DemoFault.OTHER_VOCABULARY: "recode",
    DemoFault.STALE_WEATHER: "stale",
}
"""The kind of cause that each fault of the demo is."""


@dataclass(frozen=True)
class FlightOutcome:
    """What the audit says to one fault.

    Attributes:
        fault: What was planted.
        touched: Rows whose value it changed.
        detected: Whether just these are counted.
        named: The kinds of the feature's causes, those that explain most first.
        error: The largest relative error of a number that had to be solved; None where there is none.
        located: Whether the hosts were told; None where all have it.
    """

    fault: FlightFault
    touched: int
    detected: bool
    named: tuple[str, ...]
    error: float | None
    located: bool | None

    @property
    def right(self) -> bool:
        """Whether the first cause is the planted kind."""
        return bool(self.named) and self.named[0] in {self.fault.kind, *self.fault.also}


def run_flight_faults(flights: Flights, pods: int = 100) -> list[FlightOutcome]:
    """Audit logs in which each feature has at most one fault, on some of the hundred hosts."""
    waiting, outcomes = list(FLIGHT_FAULTS), []
    while waiting:
        batch: dict[str, FlightFault] = {}
        for fault in waiting:
            batch.setdefault(fault.feature, fault)
        waiting = [fault for fault in waiting if batch[fault.feature] is not fault]
        outcomes += _run_batch(flights, list(batch.values()), pods)
    return sorted(outcomes, key=lambda outcome: FLIGHT_FAULTS.index(outcome.fault))


def audit_flights(flights: Flights, stages: Collection[str] = ("transform",)) -> Verdict:
    """The audit of a log of them."""
    with tempfile.TemporaryDirectory() as folder:
        log = write_flights(Path(folder, "log.parquet"), flights)
        return audit(log, find_generated(), lambda: load_repository(make_root()), Options(stages=tuple(stages)))


def run_demo_faults() -> list[tuple[str, tuple[str, ...], bool]]:
    """Each of the demo's faults alone: its name, the findings, and whether these are one, with all its features."""
    found = []
    for planted in FAULTS:
        verdict = audit_flights(serve_flights([planted.fault]), (planted.stage,))
        kinds = tuple(str(finding.cause["kind"]) for finding in verdict.findings)
        one = kinds == (DEMO_KINDS[planted.fault],)
        # A finding of a view has its columns as well, with a dot in their names.
        right = one and {name for name in verdict.findings[0].features if "." not in name} == set(planted.features)
        found.append((str(planted.fault), kinds, right))
    return found


def _run_batch(flights: Flights, batch: Sequence[FlightFault], pods: int) -> list[FlightOutcome]:
    rows = [{**request, **store} for request, store in zip(flights.requests, flights.stores, strict=True)]
    numbers = find_handover()
    served, touched = dict(flights.features), {}
    for fault in batch:
        right = flights.features[fault.feature]
        wrong = [
            fault.serve(Flight(row, numbers, value)) if pod < pods else value
            for row, value, pod in zip(rows, right, flights.pods, strict=True)
        ]
        served[fault.feature] = wrong
        touched[fault.feature] = sum(one != other for one, other in zip(wrong, right, strict=True))
    verdict = audit_flights(replace(flights, features=served))
    features = {feature.name: feature for feature in verdict.features}
    strange = [name for name, feature in features.items() if feature.verdict == "skew" and name not in touched]
    assert not strange, f"{', '.join(strange)} has no fault and differs"
    outcomes = []
    for fault in batch:
        feature = features[fault.feature]
        first: dict[str, Any] = feature.causes[0] if feature.causes else {}
        wanted = [f"pod-{number:02d}" for number in range(pods)]
        outcomes.append(
            FlightOutcome(
                fault,
                touched[fault.feature],
                feature.stages["transform"].mismatched == touched[fault.feature] > 0,
                tuple(dict.fromkeys(cause["kind"] for cause in feature.causes)),
                measure_paths(fault.truth or {}, first.get("parameters", {})),
                None if pods == 100 else first.get("where", {}).get("host") == wanted,
            )
        )
    return outcomes
