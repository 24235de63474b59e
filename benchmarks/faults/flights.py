"""The faults of the demo's legacy service, on real flights: which causes the audit names for each."""

from __future__ import annotations

from pathlib import Path

from skewcheck.audit import Options, audit
from skewcheck.demo.faults import FAULTS, Fault

KINDS = {
    Fault.ROLLING_STATISTICS: "statistics_rolling",
    Fault.KILOMETRES: "unit",
    Fault.MISSING_AS_ZERO: "default",
    Fault.UTC_HOUR: "timezone",
    Fault.OTHER_VOCABULARY: "recode",
}
"""The kind of cause that each fault of the transform is."""


def run_flights(log: Path, generated: Path) -> list[tuple[str, tuple[str, ...], bool]]:
    """For every fault of the transform its name, the kinds named first for its features, and whether they are right."""
    verdict = audit(log, generated, None, Options(stages=("transform",)))
    features = {feature.name: feature for feature in verdict.features}
    found = []
    for planted in FAULTS:
        if planted.fault not in KINDS:
            continue
        first = [features[name].causes[0]["kind"] for name in planted.features if features[name].causes]
        right = len(first) == len(planted.features) and set(first) == {KINDS[planted.fault]}
        found.append((str(planted.fault), tuple(dict.fromkeys(first)), right))
    return found
