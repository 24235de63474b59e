"""Causes: why a feature is skewed, as plain data (ground floor of the house).

A cause says which change of what training computes gives what serving gave, how much of the skew that explains, where
and since when, and what to do about it. The kinds are a closed list with stable names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = (
    *("statistics", "statistics_missing", "statistics_rolling", "unit", "filter", "stale", "residual", "default"),
    *("absent_row", "leakage", "latest_not_as_of", "window", "timezone", "epoch_unit", "swapped_column", "recode"),
    *("normalization_text", "out_of_vocabulary", "precision", "rounding", "cast", "clip", "operator_dropped"),
    *("operator_added", "operator_order", "constant", "bucket_edge", "wrong_key", "late_or_tie", "sampling"),
    *("not_served", "environment", "mixed_versions", "hash", "unexplained"),
)
"""Every kind of cause."""

UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Cause:
    """One explanation of the mismatches of a feature at one stage.

    Attributes:
        kind: One of `KINDS`.
        stage: The cut whose mismatches it explains.
        explains: The share of that cut's mismatches that it takes part in, from 0 to 1. With it, serving's values come
            out as they were served.
        parameters: What serving uses, and under "declared" or "frozen" what training uses.
        where: The requests in which it holds, as conditions on logged columns; empty for all requests.
        since: The first request in which it shows (ISO 8601), where requests before it do not show it; otherwise None.
        evidence: Sentences with the numbers that speak for it.
        fix: What to change.
        says: The cause in one sentence.
        root: What it is about, such as "column distance": features with one root share the fault.
        bits: How much it takes to say; of two explanations of the same mismatches the one with fewer bits is given.
        examples: Requests worked by hand: `request_id`, `requested_at`, and `steps`, a line each.
    """

    kind: str
    stage: str
    explains: float
    parameters: dict[str, Any] = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)
    since: str | None = None
    evidence: tuple[str, ...] = ()
    fix: str = ""
    says: str = ""
    root: str = ""
    bits: float | None = None
    examples: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"there is no cause {self.kind!r}; the kinds are {', '.join(KINDS)}")

    def to_data(self) -> dict[str, Any]:
        """The cause as it stands in a verdict: plain data, lists for tuples."""
        data = asdict(self)
        return {**data, "evidence": list(self.evidence), "examples": list(self.examples)}


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault with every feature that it touches.

    Attributes:
        cause: The cause as it stands at the feature that it explains most of.
        features: The features, and the share of the mismatches of each that it takes part in.
    """

    cause: Mapping[str, Any]
    features: Mapping[str, float]

    def to_data(self) -> dict[str, Any]:
        """The finding as it stands in a verdict."""
        names = ("kind", "stage", "root", "says", "parameters", "where", "since", "fix")
        return {**{name: self.cause.get(name) for name in names}, "features": dict(self.features)}


_TRAINING_SIDE = frozenset({"declared", "frozen"})
_MEASURED = frozenset(
    {
        *("rows", "looked_at", "median_age_seconds", "oldest_seconds"),
        *("median_ahead_seconds", "median_before_known_seconds"),
    }
)
"""What was counted of one feature or column, and is not part of the fault."""


def serving_side(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What serving uses: training's side of one fault may look different from feature to feature."""
    return {name: parameters[name] for name in sorted(parameters) if name not in _TRAINING_SIDE | _MEASURED}


def group_causes(features: Iterable[tuple[str, Iterable[Mapping[str, Any]]]]) -> tuple[Finding, ...]:
    """Causes that are one fault together, the one with most features first; what is unexplained comes last.

    Args:
        features: For every feature its causes, as `Cause.to_data` gives them.
    """
    groups: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for name, causes in features:
        for cause in causes:
            alone = cause.get("kind") == UNEXPLAINED or not cause.get("root")
            numbers = serving_side(cause.get("parameters") or {})
            about = [len(groups)] if alone else [cause.get("root"), numbers, cause.get("where")]
            key = json.dumps([cause.get("stage"), cause.get("kind"), about], default=str, sort_keys=True)
            groups.setdefault(key, []).append((name, cause))
    found = []
    for members in groups.values():
        ordered = sorted(members, key=lambda member: -_share(member[1]))
        found.append(Finding(ordered[0][1], {name: _share(cause) for name, cause in ordered}))
    return tuple(sorted(found, key=lambda finding: (finding.cause.get("kind") == UNEXPLAINED, -len(finding.features))))


def _share(cause: Mapping[str, Any]) -> float:
    explains = cause.get("explains")
    return float(explains) if isinstance(explains, (int, float)) else 0.0
