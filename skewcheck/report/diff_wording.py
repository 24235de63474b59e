"""The words of a diff, shared by its surfaces so that all say the same (room: report).

Everything here is a function of the verdict. A result may hold text from data: a surface escapes it in its own way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Finding, Impact, Size

ACTIONS = {
    "none": "nothing has to be done",
    "redeploy": "redeploy: generate and apply",
    "backfill": "backfill: materialise again and build training sets anew",
    "refit": "refit: run `skewcheck fit` and `skewcheck generate`, then compare again",
    "retrain": "retrain the models that read what changed",
}
"""What each action of `skewcheck.diff_verdict.ACTIONS` asks for."""

QUIET = frozenset({"unchanged", "metadata", "additive", "equal"})
"""Verdicts of features that nobody has to look at."""

_LONGEST_TEXT = 160


def say_headline(verdict: DiffVerdict) -> str:
    """The first line of every surface: "FAIL main → the working folder: 1 equal, 1 values-changed"."""
    counts = ", ".join(f"{count} {name}" for name, count in verdict.counts.items()) or "no features"
    seen = " (nothing of either was run)" if verdict.static else ""
    return f"{verdict.verdict.upper()} {verdict.old.name} → {verdict.new.name}: {counts}{seen}"


def say_size(size: Size) -> str:
    """How much a change moves, in one sentence; why it was not measured, where it was not."""
    if size.note is not None:
        return size.note
    parts = [f"{size.changed:,} of {size.rows:,} rows change ({size.share:.2%})"]
    parts += [f"{size.became_missing:,} become missing"] if size.became_missing else []
    parts += [f"{size.became_present:,} no longer are missing"] if size.became_present else []
    parts += [f"by at most {size.largest_change:.6g}"] if size.largest_change is not None else []
    parts += [f"PSI {size.psi:.4f}"] if size.psi is not None else []
    return f"{size.source}: {', '.join(parts)}"


def say_waiver(finding: Finding) -> str:
    """That a finding was let through, why, and until when; "" where it was not."""
    return "" if finding.waiver is None else f"waived until {finding.waiver.expires}: {finding.waiver.reason}"


def list_impact(impact: Impact) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What else the change touches, named; what there is nothing of is left out."""
    lines = (
        ("services", impact.services),
        ("states to refit", impact.refit),
        ("views to materialise again", impact.rematerialise),
        ("pinned models", tuple(f"{model.name} {model.version} ({model.where})" for model in impact.models)),
    )
    return tuple((name, items) for name, items in lines if items)


def name_quiet(feature: FeatureChange) -> str:
    """What a harmless verdict rests on: a title under which such features are listed."""
    if feature.verdict != "equal":
        return {"metadata": "Documentation alone", "additive": "New"}.get(feature.verdict, "Unchanged")
    if feature.evidence == "tested":
        return f"Equal, tested on {feature.rows_tested:,} rows"
    return "Equal, proved by canonical form"


def show_row(row: Mapping[str, Any]) -> str:
    """A row as "name=value, name=value"."""
    return ", ".join(f"{name}={show_value(value)}" for name, value in row.items())


def show_value(value: Any) -> str:
    """A value to the last digit; None is "missing"; what is long is cut."""
    return "missing" if value is None else shorten(repr(value))


def shorten(text: str) -> str:
    """The text, cut where it is long."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}…"
