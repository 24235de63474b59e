"""The verdict as Markdown: one comment on a pull request, and the summary of a workflow (room: report).

Whatever comes from data goes through `escape`, and nothing else does. What does not fit is left out from the end, and
the last line says how much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skewcheck.report import diff_wording as words
from skewcheck.report.digest import make_digest
from skewcheck.report.findings import feature_findings
from skewcheck.report.values import flow_text, format_pair
from skewcheck.report.wording import features_not_compared, name_stage, rate_of, say_counts, stages_not_compared
from skewcheck.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from skewcheck.contracts import Problem
    from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Finding
    from skewcheck.verdict import FeatureVerdict

COMMENT_LIMIT = 65_536
"""Characters that GitHub takes of a comment. Bytes are counted here, of which there never are fewer."""

SUMMARY_LIMIT = 1_000_000
"""Bytes of a workflow's summary; GitHub takes 1 MiB of a step."""

_LONGEST_TEXT = 600
_RESERVE = 200
_SIGNS = {"pass": "✅", "fail": "❌", "incomplete": "⚠️"}
_NEUTRAL = re.compile(r"[^\w .,;/%'?^=()-]|_|(?<=www)\.", re.ASCII)


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, the lines above the entries, and the entries, any of which may be left out from the end."""

    title: str
    entries: tuple[str, ...]
    head: tuple[str, ...] = ()


def render_markdown(verdict: Verdict | DiffVerdict, *, limit: int = COMMENT_LIMIT) -> str:
    """The verdict as Markdown that begins with the marker of `find_marker`.

    Args:
        verdict: What to say.
        limit: The most bytes that it may have, at least 2,000.
    """
    digest = make_digest(verdict)
    head = [
        find_marker(verdict),
        f"### {_SIGNS[digest.verdict]} skewcheck {digest.kind}: {escape(digest.headline)}",
    ]
    sections = _audit_sections(verdict) if isinstance(verdict, Verdict) else _diff_sections(verdict, digest.findings)
    problems = Section("Could not be done, or is to be known", tuple(_say_problem(p) for p in digest.problems))
    return _fit(head, [section for section in (problems, *sections) if section.entries], limit)


def find_marker(verdict: Verdict | DiffVerdict) -> str:
    """The hidden first line by which the comment of one service's audit, of a diff, or of the gate is found again."""
    if isinstance(verdict, Verdict):
        return f"<!-- skewcheck:audit:{re.sub('[^A-Za-z0-9_]+', '-', verdict.service)} -->"
    return f"<!-- skewcheck:{make_digest(verdict).kind} -->"


def escape(text: str) -> str:
    """Text from data as one line that Markdown, HTML and GitHub's own links leave alone: it reads as it is.

    A character that could mean something is written as its number, and a sign that would call a person or point to an
    issue stands in an element of its own. What is long is cut.
    """
    line = flow_text(text)
    line = line if len(line) <= _LONGEST_TEXT else f"{line[: _LONGEST_TEXT - 1]}…"
    return _NEUTRAL.sub(lambda found: _neutralise(found[0]), line)


def _neutralise(character: str) -> str:
    if not character.isascii():
        return character
    number = f"&#{ord(character)};"
    return f"<span>{number}</span>" if character in "@#" else number


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _fit(head: Sequence[str], sections: Sequence[Section], limit: int) -> str:
    """The sections one after the other as far as they fit."""
    lines = list(head)
    used = sum(_size(line) for line in lines)
    total = sum(len(section.entries) for section in sections)
    shown = 0
    for section in sections:
        above = ["", f"#### {section.title}", "", *section.head]
        for place, entry in enumerate(section.entries):
            added = [*(above if place == 0 else ()), entry]
            size = sum(_size(line) for line in added)
            if used + size > limit - _RESERVE:
                more = f"_{total - shown:,} more do not fit here: `--format table` and `--format json` have them all._"
                return "\n".join([*lines, "", more, ""])
            lines += added
            used += size
            shown += 1
    return "\n".join([*lines, ""])


def _size(line: str) -> int:
    return len(line.encode()) + 1


def _table(*columns: str) -> tuple[str, str]:
    return f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _say_problem(problem: Problem) -> str:
    remedy = f" → {escape(problem.remedy)}" if problem.remedy else ""
    return f"- **{problem.severity}** {_code(problem.where)}: {escape(problem.message)}{remedy}"


def _audit_sections(verdict: Verdict) -> list[Section]:
    causes = []
    for said in feature_findings(verdict):
        text = " ".join(part for part in (said.says, said.share, said.where) if part)
        change = f" **Change:** {escape(said.change)}" if said.change else ""
        causes.append(f"- **{escape(said.title)}** {escape(text)}{change}")
    groups = (*features_not_compared(verdict), *stages_not_compared(verdict))
    return [
        Section(
            "Skewed features",
            tuple(_skew_row(feature) for feature in verdict.skewed),
            _table("feature", "stage", "mismatched", "rate", "served → replayed"),
        ),
        Section("Causes", tuple(causes)),
        Section("Not compared", tuple(f"- {_list_names(group.names)}: {escape(group.reason)}" for group in groups)),
    ]


def _skew_row(feature: FeatureVerdict) -> str:
    shown = feature.shown
    sample = "—"
    if shown.samples:
        served, replayed = format_pair(shown.samples[0].served, shown.samples[0].replayed)
        sample = f"{_code(served)} → {_code(replayed)}"
    return _row(_code(feature.name), escape(name_stage(feature.stage)), say_counts(shown), rate_of(shown), sample)


def _list_names(names: Iterable[str]) -> str:
    """Names in a row, as many as are read; the rest are counted."""
    every = list(names)
    more = f" and {len(every) - 20:,} more" if len(every) > 20 else ""
    return ", ".join(_code(name) for name in every[:20]) + more


def _diff_sections(verdict: DiffVerdict, findings: Iterable[Finding]) -> list[Section]:
    loud = [feature for feature in verdict.features if feature.verdict not in words.QUIET]
    quiet: dict[str, list[str]] = {}
    for feature in verdict.features:
        if feature.verdict in words.QUIET and feature.verdict != "unchanged":
            quiet.setdefault(words.name_quiet(feature), []).append(f"{feature.service}.{feature.name}")
    impact = verdict.impact
    needed = [f"- **{escape(words.ACTIONS[impact.action])}**"] if impact.action != "none" else []
    needed += [f"- {name}: {_list_names(items)}" for name, items in words.list_impact(impact)]
    return [
        Section("Findings", tuple(_say_finding(finding) for finding in findings)),
        Section("Needed", tuple(needed)),
        Section(
            "Changed features",
            tuple(_change_row(feature) for feature in loud),
            _table("feature", "verdict", "input", "old → new", "how much"),
        ),
        Section("Worked by hand", tuple(_work(feature) for feature in loud if feature.witness is not None)),
        Section("Harmless", tuple(f"- {escape(name)}: {_list_names(names)}" for name, names in quiet.items())),
        Section(
            "Stages",
            tuple(f"- {stage.outcome} {escape(stage.name)}: {escape(stage.message)}" for stage in verdict.stages),
        ),
    ]


def _say_finding(finding: Finding) -> str:
    place = f" ({_code(f'{finding.location.path}:{finding.location.line}')})" if finding.location else ""
    waived = f" _({escape(words.say_waiver(finding))})_" if finding.waiver else ""
    remedy = f" → {escape(finding.remedy)}" if finding.remedy and finding.counts else ""
    return f"- **{finding.level}** {_code(finding.rule)} {escape(finding.message)}{place}{waived}{remedy}"


def _change_row(feature: FeatureChange) -> str:
    witness = feature.witness
    given = _code(words.show_row(witness.inputs) or "none") if witness else "—"
    moved = f"{_code(words.show_value(witness.old))} → {_code(words.show_value(witness.new))}" if witness else "—"
    size = escape(words.say_size(feature.size)) if feature.size else "—"
    return _row(_code(f"{feature.service}.{feature.name}"), feature.verdict, given, moved, size)


def _work(feature: FeatureChange) -> str:
    """A witness step by step, folded away; one line, so that nothing of it ends the element."""
    witness = feature.witness
    if witness is None:
        return ""
    parts = [f"reason: {escape(reason)}" for reason in feature.reasons]
    parts += [f"stored: {_code(words.show_row(row))}" for row in witness.stored]
    if witness.requested_at is not None:
        parts.append(f"asked at: {_code(witness.requested_at)}")
    parts.append(f"input: {_code(words.show_row(witness.inputs) or 'none')}")
    for name, text, inputs, steps, value in (
        ("old", feature.old_expression, witness.old_inputs, witness.old_steps, witness.old),
        ("new", feature.new_expression, witness.new_inputs, witness.new_steps, witness.new),
    ):
        parts += [f"{name}: {_code(text)} = {_code(words.show_value(value))}"] if text is not None else []
        parts += [f"{name} reads: {_code(words.show_row(inputs))}"] if inputs else []
        parts += [f"{name} step: {_code(s.expression)} = {_code(words.show_value(s.value))}" for s in steps[:-1]]
    parts += [f"note: {escape(witness.note)}"] if witness.note else []
    parts += [f"saved as: {_code(witness.case)}"] if witness.case else []
    title = f"{_code(f'{feature.service}.{feature.name}')} {feature.verdict}"
    return f"<details><summary>{title}</summary><ul>{''.join(f'<li>{part}</li>' for part in parts)}</ul></details>"
