"""What became of one feature that is in both versions (room: changes)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from skewcheck.changes.judgement import OUT_OF_TIME, Judgement
from skewcheck.changes.libraries import find_libraries
from skewcheck.changes.retrieving import judge_retrieval, judge_width, judge_window
from skewcheck.changes.rules import make_finding
from skewcheck.changes.snapshot import DeclaredColumn, DeclaredFeature, DeclaredService, Snapshot
from skewcheck.changes.values import Effort, Pair, judge_values
from skewcheck.changes.views import ViewComparison
from skewcheck.changes.windowed import say_difference
from skewcheck.diff_verdict import FeatureChange, Finding, Location, VerdictName, Witness, worst
from skewcheck.language.expressions import render


@dataclass
class _Remarks:
    """What is noticed about one feature, on the way to its verdict."""

    verdicts: list[VerdictName] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    witness: Witness | None = None
    judgement: Judgement | None = None
    backfill: bool = False
    unexplained: bool = False

    def add(
        self, verdict: VerdictName, reason: str | None = None, finding: Finding | None = None, *, told: bool = False
    ) -> None:
        """A verdict with its reason; `told` says that a finding about something else tells of it."""
        self.verdicts.append(verdict)
        self.unexplained |= verdict == "unknown" and finding is None and not told
        if reason is not None and reason not in self.reasons:
            self.reasons.append(reason)
        if finding is not None:
            self.findings.append(finding)


def compare_feature(
    pair: Pair, views: ViewComparison, before: Snapshot, after: Snapshot, effort: Effort
) -> tuple[FeatureChange, list[Finding]]:
    """The verdict on a feature, and the rules that its change breaks.

    Args:
        pair: The feature in both versions.
        views: What became of its service's views.
        before: The whole old version.
        after: The whole new version.
        effort: How much to run where nothing is proved.
    """
    remarks = _Remarks()
    _compare_shapes(pair, remarks)
    _compare_columns(pair, remarks, effort)
    _compare_retrieval(pair, views, remarks, effort)
    _compare_values(pair, remarks, effort)
    _compare_surroundings(pair, before, after, remarks)
    return _conclude(pair, remarks), remarks.findings


def location_of(feature: DeclaredFeature) -> Location | None:
    """Where a feature is declared."""
    return Location(feature.path, feature.line) if feature.path else None


def find_downstream(service: DeclaredService, name: str) -> tuple[str, ...]:
    """The features of a service that read a feature, directly or not, by name."""
    return tuple(sorted(feature.name for feature in service.features if name in feature.features_read))


def _compare_shapes(pair: Pair, remarks: _Remarks) -> None:
    """Type, unit and documentation of the feature itself."""
    old, new = pair.old, pair.new
    if old.expression.type != new.expression.type:
        said = f"it is {new.expression.type} instead of {old.expression.type}"
        remarks.add("breaking", said, _find("FEATURE_SAME_TYPE", pair, said))
    units = old.expression.unit, new.expression.unit
    if units[0] != units[1]:
        said = f"its unit is {units[1] or 'not stated'} instead of {units[0] or 'not stated'}"
        if None in units:
            remarks.add("metadata", said)
        else:
            remarks.add("unknown", said, _find("FEATURE_SAME_UNIT", pair, said))
    if old.documentation != new.documentation:
        remarks.add("metadata", "its documentation is another")


def _find(rule: str, pair: Pair, said: str) -> Finding:
    return make_finding(
        rule,
        "feature",
        pair.new.name,
        f"feature {pair.new.name}: {said}",
        service=pair.after.name,
        location=location_of(pair.new),
    )


def _compare_columns(pair: Pair, remarks: _Remarks, effort: Effort) -> None:
    """Type, unit and origin of the columns that both versions read."""
    for name in pair.new.columns:
        if name not in pair.old.columns:
            continue
        old, new = pair.before.columns[name], pair.after.columns[name]
        if old.type != new.type:
            _add_column(pair, remarks, "breaking", "COLUMN_SAME_TYPE", new, f"is {new.type} instead of {old.type}")
        elif old.stored_as != new.stored_as:
            _compare_widths(pair, remarks, old, new, effort)
        if old.definition != new.definition:
            _compare_windows(pair, remarks, new, effort)
        if old.unit != new.unit:
            said = f"is in {new.unit or 'no stated unit'} instead of {old.unit or 'no stated unit'}"
            if None in {old.unit, new.unit}:
                remarks.add("metadata", f"column {name} {said}")
            else:
                _add_column(pair, remarks, "unknown", "COLUMN_SAME_UNIT", new, said)
        if old.role != new.role:
            said = f"comes with the {new.role} ({new.source}) instead of the {old.role} ({old.source})"
            _add_column(pair, remarks, "breaking", "COLUMN_SAME_SOURCE", new, said)


def _add_column(
    pair: Pair, remarks: _Remarks, verdict: VerdictName, rule: str, column: DeclaredColumn, said: str
) -> None:
    finding = make_finding(
        rule,
        "column",
        column.name,
        f"column {column.name} {said}",
        service=pair.after.name,
        location=location_of(pair.new),
    )
    remarks.add(verdict, f"column {column.name} {said}", finding)


def _compare_widths(pair: Pair, remarks: _Remarks, old: DeclaredColumn, new: DeclaredColumn, effort: Effort) -> None:
    """A column of the same type in the language that the store keeps in another width."""
    said = f"is stored as {new.stored_as} instead of {old.stored_as}"
    narrow = next((side for side, column in (("old", old), ("new", new)) if "Float32" in column.stored_as), None)
    if narrow is None or not effort.may_test():
        _add_column(pair, remarks, "unknown", "COLUMN_SAME_TYPE", new, said)
        return
    judgement = judge_width(pair, new.name, narrow)
    verdict: VerdictName = "values-changed" if judgement.outcome == "differs" else "equal"
    remarks.witness = remarks.witness or judgement.witness
    _add_column(pair, remarks, verdict, "COLUMN_SAME_TYPE", new, said)


def _compare_windows(pair: Pair, remarks: _Remarks, column: DeclaredColumn, effort: Effort) -> None:
    """A windowed column that is defined otherwise."""
    texts = pair.before.columns[column.name].definition, column.definition
    if texts[0] is None or texts[1] is None:
        said = f"windowed column {column.name} {'is no longer' if column.definition is None else 'was not'} windowed"
    else:
        said = say_difference(column.name, texts[0], texts[1])
    finding = make_finding(
        "WINDOW_SAME", "column", column.name, said, service=pair.after.name, location=location_of(pair.new)
    )
    if not effort.may_test():
        remarks.add("unknown", f"{said}; {OUT_OF_TIME}", finding)
        return
    judgement = judge_window(pair, column.name)
    if judgement.outcome == "differs":
        remarks.witness = remarks.witness or judgement.witness
        remarks.backfill = True
        remarks.add("values-changed", said, finding)
    else:
        remarks.add("unknown", f"{said}; {judgement.reason}", finding)


def _compare_retrieval(pair: Pair, views: ViewComparison, remarks: _Remarks, effort: Effort) -> None:
    """What the views that it reads do to its values."""
    read = set(pair.new.columns) & set(pair.old.columns)
    for change in views.changes:
        columns = tuple(name for name in change.columns if name in read)
        if not columns:
            continue
        if change.scenario is None:
            verdict: Any = change.verdict
            remarks.add(verdict, change.message, told=True)
            continue
        if not effort.may_test():
            remarks.add("unknown", f"{change.message}; {OUT_OF_TIME}", told=True)
            continue
        judgement = judge_retrieval(pair, change, columns)
        if judgement.outcome == "differs":
            remarks.witness = remarks.witness or judgement.witness
            remarks.backfill = True
            remarks.add("values-changed", change.message)
        elif judgement.outcome == "unknown":
            remarks.add("unknown", f"{change.message}; {judgement.reason}", told=True)
        else:
            remarks.add("equal", f"{change.message}, which it does not notice")


def _compare_values(pair: Pair, remarks: _Remarks, effort: Effort) -> None:
    if pair.old.expression.type != pair.new.expression.type:
        return
    if any(
        pair.before.columns[n].type != pair.after.columns[n].type for n in pair.old.columns if n in pair.new.columns
    ):
        return
    judgement = judge_values(pair, effort)
    remarks.judgement = judgement
    if judgement.outcome in {"proved", "tested"}:
        remarks.add("equal", judgement.reason)
    elif judgement.outcome == "unknown":
        remarks.add("unknown", judgement.reason)
    elif judgement.outcome == "differs":
        remarks.witness = judgement.witness or remarks.witness
        statistics = judgement.cause == "statistics"
        reason = "its frozen statistics are others" if statistics else "its declaration gives other values"
        rule = "STATISTICS_SAME" if statistics else "VALUES_SAME"
        remarks.add("values-changed", reason, _find(rule, pair, _say_witness(judgement.witness) or reason))


def _say_witness(witness: Witness | None) -> str | None:
    """The difference in one sentence."""
    if witness is None:
        return None
    given = ", ".join(f"{name}={_show(value)}" for name, value in witness.inputs.items())
    return f"{_show(witness.new)} instead of {_show(witness.old)}" + (f" for {given}" if given else "")


def _show(value: Any) -> str:
    return "missing" if value is None else repr(value)


def _compare_surroundings(pair: Pair, before: Snapshot, after: Snapshot, remarks: _Remarks) -> None:
    """Libraries, and declarations that mean another thing each time they are loaded."""
    for side, snapshot in (("old", before), ("new", after)):
        if f"{pair.after.name}.{pair.new.name}" in snapshot.unstable:
            said = f"loading the {side} version twice gave two meanings"
            remarks.add("unknown", said, _find("DECLARATION_STABLE", pair, said))
    proved = all(service.generated == service.definition for service in (pair.before, pair.after))
    for name in find_libraries(pair.new.expression):
        old, new = before.libraries.get(name), after.libraries.get(name)
        if old == new:
            continue
        said = f"{name} is {new or 'not named'} instead of {old or 'not named'}"
        if name != "python" and proved:
            # What either version generated in its own time is what the installed library gives for both.
            continue
        remarks.add("unknown", said, _find("LIBRARY_SAME_VERSION", pair, said))


def _conclude(pair: Pair, remarks: _Remarks) -> FeatureChange:
    verdict = worst(remarks.verdicts)
    if remarks.unexplained and verdict == "unknown":
        remarks.findings.append(_find("VALUES_KNOWN", pair, "; ".join(remarks.reasons)))
    judgement = remarks.judgement
    evidence: Any = None
    if verdict == "equal":
        evidence = "tested" if judgement is not None and judgement.outcome == "tested" else "proved"
    return FeatureChange(
        pair.after.name,
        pair.new.name,
        verdict,
        evidence=evidence,
        rows_tested=judgement.rows if judgement is not None and verdict == "equal" else 0,
        reasons=tuple(remarks.reasons),
        location=location_of(pair.new),
        old_expression=render(pair.old.expression),
        new_expression=render(pair.new.expression),
        witness=remarks.witness if verdict in {"values-changed", "breaking"} else None,
        downstream=find_downstream(pair.after, pair.new.name),
        action=_choose_action(verdict, remarks),
    )


def _choose_action(verdict: VerdictName, remarks: _Remarks) -> str:
    if remarks.judgement is not None and remarks.judgement.unfitted:
        return "refit"
    if verdict == "breaking":
        return "retrain"
    if verdict == "values-changed":
        differs = remarks.judgement is not None and remarks.judgement.outcome == "differs"
        return "backfill" if remarks.backfill and not differs else "retrain"
    return "redeploy" if verdict == "equal" else "none"
