"""The words of a report, shared by the terminal and the page so that both say the same (room: report).

Everything here is a function of the verdict. Text that comes from data is made harmless by `values` before it
is put into a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skewcheck.report.values import (
    escape_hidden,
    flow_text,
    format_count,
    format_rate,
    format_span,
)
from skewcheck.verdict import STAGES, ColumnVerdict, Comparison, FeatureVerdict, Filter, Rows, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

STAGE_NAMES = {"retrieval": "retrieval", "transform": "transform", "end_to_end": "end to end"}

STAGE_MEANINGS = {
    "retrieval": (
        "The features of what serving read from the store, against the features of what the store held for "
        "training at that moment. A mismatch means that the store answered differently online: rows that are "
        "stale, late, missing, or of another key."
    ),
    "transform": (
        "The features served, against the training transform over the very inputs that serving logged. "
        "A mismatch means that serving computes otherwise: other code, statistics, units or defaults."
    ),
    "end_to_end": (
        "The features served, against the whole training path: retrieval as of the request's time, then the "
        "transform. A mismatch means that the model saw in production what training would not have shown it."
    ),
}

VERDICT_MEANINGS = {
    "pass": "Every feature that was compared has the value that training would have computed.",
    "fail": "Some features were served with values that training would not have computed.",
    "incomplete": "Part of the audit could not be done: what was not compared may hold skew.",
}

_COMPARED = "compared"


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a block: its name, the figure as text, and what the reader should know about it.

    `level` is 1 for a figure that is a part of the one above it.
    """

    label: str
    figure: str
    note: str = ""
    level: int = 0


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Names that share one reason for not having been compared."""

    names: tuple[str, ...]
    reason: str


def count_things(count: int, noun: str) -> str:
    """A count and its noun: "1 feature", "2,000 features"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def name_feature(feature: FeatureVerdict) -> str:
    """A feature's name; "(opaque)" after it where it calls a function of which nothing else is known."""
    return f"{escape_hidden(feature.name)}{' (opaque)' if feature.opaque else ''}"


def name_stage(stage: str | None) -> str:
    """A stage as people say it; "—" where there is none."""
    return "—" if stage is None else STAGE_NAMES.get(stage, escape_hidden(stage))


def say_findings(verdict: Verdict) -> str:
    """The verdict in one sentence with numbers, without the word of the verdict and the service."""
    sentence = f"{_say_features(verdict)}{_say_requests(verdict.rows)}"
    if any(problem.where == "stage retrieval" for problem in verdict.problems) and not _was_retrieved(verdict):
        sentence += "; retrieval was not checked"
    if verdict.verdict != "incomplete":
        return sentence
    errors = sum(problem.severity == "error" for problem in verdict.problems)
    because = f" ({count_things(errors, 'error')})" if errors else ""
    return f"{sentence}; the audit could not be completed{because}"


def split_findings(verdict: Verdict) -> tuple[str, str, str]:
    """`say_findings` as the words before the span of time, the span in its brackets, and the words after."""
    return say_findings(verdict).partition(f"({format_span(verdict.rows.first, verdict.rows.last)})")


def say_headline(verdict: Verdict) -> str:
    """The first line of every report: "FAIL service: 6 of 24 features skewed in 29,425 requests (…)"."""
    return f"{verdict.verdict.upper()} {escape_hidden(verdict.service)}: {say_findings(verdict)}"


def say_counts(comparison: Comparison) -> str:
    """Mismatches of compared rows: "1,204 of 29,425"; "—" where nothing was compared."""
    if not comparison.compared:
        return "—"
    return f"{comparison.mismatched:,} of {comparison.compared:,}"


def rate_of(comparison: Comparison) -> str:
    """The mismatch rate as a percentage, "—" where nothing was compared."""
    return format_rate(comparison.mismatched, comparison.compared)


def say_also(feature: FeatureVerdict) -> str:
    """Where a skewed feature differs besides the stage that is shown: "also transform: 142"; "" where nowhere.

    End to end is passed over: it is the sum of the other two.
    """
    others = [
        f"{name_stage(stage)}: {feature.stages[stage].mismatched:,}"
        for stage in ("retrieval", "transform")
        if stage != feature.stage and stage in feature.stages and feature.stages[stage].mismatched
    ]
    return f"also {', '.join(others)}" if others else ""


def order_features(verdict: Verdict) -> tuple[FeatureVerdict, ...]:
    """All features, skew first (highest rate first), then those not compared, then matches, by name."""
    rest = [feature for feature in verdict.features if feature.verdict != "skew"]
    rest.sort(key=lambda feature: (feature.verdict == "match", feature.name))
    return (*verdict.skewed, *rest)


def matching_names(verdict: Verdict) -> tuple[str, ...]:
    """Names of the features that match, sorted."""
    return tuple(sorted(name_feature(item) for item in verdict.features if item.verdict == "match"))


def features_not_compared(verdict: Verdict) -> tuple[NotCompared, ...]:
    """Features that were not compared, grouped by reason, in the order in which the reasons appear."""
    return _group_by_reason(
        (feature.name, feature.note) for feature in verdict.features if feature.verdict == "not-compared"
    )


def stages_not_compared(verdict: Verdict) -> tuple[NotCompared, ...]:
    """Stages that were not compared, grouped by reason, in the order in which a value travels."""
    order = {stage: place for place, stage in enumerate(STAGES)}
    stages = sorted(verdict.stages, key=lambda stage: (order.get(stage, len(order)), stage))
    return _group_by_reason(
        (name_stage(stage), verdict.stages[stage]) for stage in stages if verdict.stages[stage] != _COMPARED
    )


def stage_comparisons(feature: FeatureVerdict) -> tuple[tuple[str, Comparison], ...]:
    """The feature's comparisons in the order in which a value travels, whatever the order in the verdict."""
    known = [stage for stage in STAGES if stage in feature.stages]
    others = sorted(set(feature.stages) - set(STAGES))
    return tuple((stage, feature.stages[stage]) for stage in (*known, *others))


def sample_inputs(feature: FeatureVerdict, comparison: Comparison) -> tuple[str, ...]:
    """Names of the inputs that the samples show: those that the feature reads first, in its order."""
    logged = dict.fromkeys(name for pair in comparison.samples for name in pair.row)
    read = [name for name in feature.reads if name in logged]
    return (*read, *(name for name in logged if name not in feature.reads))


def values_compared(verdict: Verdict) -> int:
    """How many pairs of values the verdict rests on, over all features."""
    return sum(feature.shown.compared for feature in verdict.features)


def skew_by_stage(verdict: Verdict) -> str:
    """How many skewed features arise at each stage: "5 at transform, 1 at retrieval"; "" without skew."""
    stages = [feature.stage for feature in verdict.skewed if feature.stage is not None]
    counts = sorted({stage: stages.count(stage) for stage in stages}.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count:,} at {name_stage(stage)}" for stage, count in counts)


def differing_columns(verdict: Verdict) -> tuple[ColumnVerdict, ...]:
    """Store columns that retrieval changed, highest rate first."""
    found = [column for column in verdict.columns if column.comparison.mismatched]
    return tuple(sorted(found, key=lambda item: (-item.comparison.mismatch_rate, item.view, item.name)))


def row_lines(rows: Rows) -> tuple[Line, ...]:
    """The rows of the log as figures; what is not known says "unknown"."""
    return (
        Line("logged", format_count(rows.logged)),
        Line("replayed", format_count(rows.replayed)),
        Line(
            "duplicated",
            format_count(rows.duplicated),
            _explain_none(rows.duplicated, "no request ids logged"),
        ),
        Line("unmatched", format_count(rows.unmatched), _explain_none(rows.unmatched, "retrieval not replayed")),
        Line("outside the training filter", format_count(rows.outside_training_filter)),
        *(
            Line(escape_hidden(rule.name), format_count(rule.outside), _say_rule(rule), level=1)
            for rule in rows.filters
        ),
    )


def has_plain_versions(verdict: Verdict) -> bool:
    """Whether there is nothing to say about versions: none was seen, or only the one that is current."""
    return not verdict.versions or (len(verdict.versions) == 1 and verdict.versions[0].current)


def _say_features(verdict: Verdict) -> str:
    counts = {"match": 0, "skew": 0, "not-compared": 0}
    for feature in verdict.features:
        counts[feature.verdict] += 1
    compared = counts["match"] + counts["skew"]
    if not compared or not verdict.rows.replayed:
        return "nothing was compared"
    aside = f" ({counts['not-compared']:,} not compared)" if counts["not-compared"] else ""
    total = count_things(len(verdict.features), "feature")
    if counts["skew"]:
        return f"{counts['skew']:,} of {total} skewed{aside}"
    if aside:
        return f"{counts['match']:,} of {total} match{aside}"
    return f"all {total} match" if compared > 1 else "the one feature matches"


def _say_rule(rule: Filter) -> str:
    """What is to be known of a rule of the training filter beside the rows that it drops."""
    notes = [flow_text(rule.note)] if rule.note else []
    for found in rule.concentrated:
        share = format_rate(*float(found["share"]).as_integer_ratio())
        rates = [format_rate(*float(found[key]).as_integer_ratio()) for key in ("rate", "rate_elsewhere")]
        notes.append(
            f"{escape_hidden(str(found['feature']))} ({name_stage(found['stage'])}): {share} of its mismatches, "
            f"{rates[0]} of these rows differ and {rates[1]} of the others"
        )
    return "; ".join(notes)


def _was_retrieved(verdict: Verdict) -> bool:
    return verdict.stages.get("retrieval") == _COMPARED


def _say_requests(rows: Rows) -> str:
    read = f"{rows.replayed:,} of " if rows.replayed != rows.logged else ""
    span = format_span(rows.first, rows.last)
    return f" in {read}{count_things(rows.logged, 'request')}{f' ({span})' if span else ''}"


def _group_by_reason(reasons: Iterable[tuple[str, str | None]]) -> tuple[NotCompared, ...]:
    groups: dict[str, list[str]] = {}
    for name, reason in reasons:
        groups.setdefault(flow_text(reason or "no reason given"), []).append(escape_hidden(name))
    return tuple(NotCompared(tuple(names), reason) for reason, names in groups.items())


def _explain_none(count: int | None, why: str) -> str:
    return why if count is None else ""
