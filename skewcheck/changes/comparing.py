"""Compare two versions of a service, feature by feature (room: changes)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from skewcheck.changes.canonical_form import digest
from skewcheck.changes.feature_level import compare_feature, find_downstream, location_of
from skewcheck.changes.rules import make_finding
from skewcheck.changes.service_level import report_fits, report_requests
from skewcheck.changes.snapshot import DeclaredFeature, DeclaredService, Snapshot
from skewcheck.changes.tracing import trace_causes
from skewcheck.changes.values import Effort, Pair
from skewcheck.changes.views import ViewChange, ViewComparison, compare_views
from skewcheck.diff_verdict import FeatureChange, Finding, Location
from skewcheck.language.expressions import render

_VERSION = re.compile(r"(?P<name>.+)_v(?P<number>[0-9]+)")


@dataclass
class ServiceComparison:
    """What became of one service.

    Attributes:
        features: Its features, those that are gone last.
        findings: The rules that the change breaks.
        refit: Whether its frozen statistics do not belong to the new declaration.
        rematerialise: Views whose stored rows no longer are what the declaration says.
    """

    features: list[FeatureChange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    refit: bool = False
    rematerialise: list[str] = field(default_factory=list)


def compare_services(
    old: DeclaredService, new: DeclaredService, before: Snapshot, after: Snapshot, effort: Effort
) -> ServiceComparison:
    """Every feature of a service that is in both versions, and what is said of the service itself."""
    found = ServiceComparison()
    views = compare_views(old, new, before, after)
    found.findings += _report_views(new, views)
    found.rematerialise = sorted(
        {change.view for change in views.changes if change.rematerialise}
        | {c.source for n, c in new.columns.items() if n in old.columns and old.columns[n].definition != c.definition}
    )
    for feature in new.features:
        was = old.feature(feature.name)
        if was is None:
            found.features.append(_added(new, feature))
            continue
        change, findings = compare_feature(Pair(was, feature, old, new), views, before, after, effort)
        found.features.append(change)
        found.findings += findings
    found.features += [_removed(old, was, new) for was in old.features if new.feature(was.name) is None]
    found.findings += [_report_presence(change, new) for change in found.features if change.verdict == "additive"]
    found.findings += [_report_absence(change, old, new) for change in found.features if change.new_expression is None]
    found.features, found.findings = trace_causes(old, new, found.features, found.findings)
    found.findings += report_requests(old, new)
    fits = report_fits(old, new)
    found.findings += fits
    found.refit = bool(fits)
    return found


def _added(service: DeclaredService, feature: DeclaredFeature) -> FeatureChange:
    return FeatureChange(
        service.name,
        feature.name,
        "additive",
        reasons=("it is new",),
        location=location_of(feature),
        new_expression=render(feature.expression),
        downstream=find_downstream(service, feature.name),
        action="redeploy",
    )


def _removed(service: DeclaredService, feature: DeclaredFeature, new: DeclaredService) -> FeatureChange:
    same = digest(feature.expression)
    twins = [
        other.name for other in new.features if digest(other.expression) == same and not service.feature(other.name)
    ]
    reason = f"it is gone; {twins[0]} is new and computes the same" if twins else "it is gone"
    return FeatureChange(
        service.name,
        feature.name,
        "breaking",
        reasons=(reason,),
        location=location_of(feature),
        old_expression=render(feature.expression),
        downstream=find_downstream(service, feature.name),
        action="retrain",
    )


def _report_presence(change: FeatureChange, service: DeclaredService) -> Finding:
    said = f"feature {change.name} is new"
    return make_finding("FEATURE_ADDED", "feature", change.name, said, service=service.name, location=change.location)


def _report_absence(change: FeatureChange, old: DeclaredService, new: DeclaredService) -> Finding:
    rule = "FEATURE_NO_DELETE"
    if matched := _VERSION.fullmatch(change.name):
        others = (_VERSION.fullmatch(feature.name) for feature in new.features if old.feature(feature.name))
        if any(other and other["name"] == matched["name"] for other in others):
            rule = "FEATURE_VERSION_RETIRED"
    said = f"feature {change.name}: {change.reasons[0]}"
    return make_finding(rule, "feature", change.name, said, service=new.name, location=change.location)


def _report_views(service: DeclaredService, views: ViewComparison) -> list[Finding]:
    read = {name for feature in service.features for name in feature.columns}
    touched = [change for change in views.changes if read & set(change.columns)]
    return [
        make_finding(
            change.rule,
            "view",
            change.view,
            change.message,
            service=service.name,
            location=Location(*service.places[change.view]) if change.view in service.places else None,
        )
        for change in _merge(touched)
    ]


def _merge(changes: Iterable[ViewChange]) -> list[ViewChange]:
    """One change of each rule and view."""
    merged: dict[tuple[str, str], ViewChange] = {}
    for change in changes:
        known = merged.get((change.rule, change.view))
        if known is None:
            merged[change.rule, change.view] = change
        elif change.message not in known.message:
            merged[change.rule, change.view] = replace(known, message=f"{known.message}; {change.message}")
    return list(merged.values())
