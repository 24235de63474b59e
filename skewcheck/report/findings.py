"""The words of a finding: a fault, the features that it touches, and what to do (room: report).

A cause is data that any version may have written, so nothing in it is taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skewcheck.report.values import escape_hidden, flow_text, format_rate, format_time, format_value
from skewcheck.report.wording import name_stage

if TYPE_CHECKING:
    from skewcheck.causes import Finding
    from skewcheck.verdict import Verdict

_SAID = frozenset(
    {"kind", "stage", "explains", "says", "fix", "evidence", "examples", "since", "where", "root", "bits"}
)
_MOST_FEATURES = 8


@dataclass(frozen=True, slots=True)
class Worked:
    """A request worked by hand: which one, and the steps."""

    request: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A finding in words; a part that there is nothing to say about is empty, and a change that is not known None."""

    title: str
    says: str
    share: str
    where: str
    evidence: tuple[str, ...]
    worked: tuple[Worked, ...]
    change: str | None
    numbers: tuple[tuple[str, str], ...]


def feature_findings(verdict: Verdict) -> tuple[Said, ...]:
    """The findings that touch features; what only a column of the store has is said with the column."""
    names = {feature.name for feature in verdict.features}
    return tuple(say_finding(finding) for finding in verdict.findings if names & set(finding.features))


def say_finding(finding: Finding) -> Said:
    """A finding in words."""
    cause = finding.cause
    kind = _text(cause.get("kind")) or "cause"
    stage = cause.get("stage")
    where = f", {name_stage(stage)} stage" if isinstance(stage, str) and stage else ""
    return Said(
        title=f"{kind}{where}: {_list_features(finding.features)}",
        says=_text(cause.get("says")),
        share=_say_share(finding.features),
        where=_say_where(cause.get("where"), cause.get("since")),
        evidence=tuple(_text(line) for line in _list(cause.get("evidence"))),
        worked=tuple(_work(example) for example in _list(cause.get("examples")) if isinstance(example, Mapping)),
        change=None if cause.get("fix") is None else _text(cause["fix"]),
        numbers=_list_numbers(cause),
    )


def _list_features(features: Mapping[str, float]) -> str:
    names = [escape_hidden(name) for name in features]
    more = f" and {len(names) - _MOST_FEATURES:,} more" if len(names) > _MOST_FEATURES else ""
    return ", ".join(names[:_MOST_FEATURES]) + more


def _say_share(features: Mapping[str, float]) -> str:
    """How much of the mismatches it explains: one share where all features have about the same."""
    shares = [share for share in features.values() if 0 <= share <= 1]
    if not shares or not any(shares):
        return ""
    low, high = (_percent(share) for share in (min(shares), max(shares)))
    span = high if low == high else f"{low} to {high}"
    return f"Explains {span} of the mismatches{' of each' if len(features) > 1 else ''}."


def _percent(share: float) -> str:
    rounded = round(share, 6)
    return format_rate(*(1.0 if rounded == 1 and share == 1 else share).as_integer_ratio())


def _say_where(where: Any, since: Any) -> str:
    parts = []
    if isinstance(where, Mapping) and where:
        parts.append("Only where " + " and ".join(say_condition(name, value) for name, value in where.items()) + ".")
    if isinstance(since, str) and since:
        parts.append(f"Since {format_time(since)} UTC.")
    return " ".join(parts)


def say_condition(name: Any, value: Any) -> str:
    """A condition on a column in words: a value, a list of values, or bounds and the like by name."""
    column = escape_hidden(str(name))
    if isinstance(value, Mapping):
        return " and ".join(f"{column} {escape_hidden(str(how))} {format_value(bound)}" for how, bound in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"{column} is one of {', '.join(format_value(item) for item in value)}"
    return f"{column} is {format_value(value)}"


def _work(example: Mapping[str, Any]) -> Worked:
    request = _text(example.get("request_id")) or "a request"
    at = example.get("requested_at")
    when = f" at {format_time(at)} UTC" if isinstance(at, str) else ""
    return Worked(f"{request}{when}", tuple(_text(step) for step in _list(example.get("steps"))))


def _list_numbers(cause: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The parameters, and whatever a later version says beside them."""
    parameters = cause.get("parameters")
    numbers = dict(parameters) if isinstance(parameters, Mapping) else {}
    others = {key: value for key, value in cause.items() if key not in _SAID and key != "parameters"}
    return tuple((escape_hidden(str(key)), _say_number(value)) for key, value in {**numbers, **others}.items())


def _say_number(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{escape_hidden(str(key))} {_say_number(item)}" for key, item in value.items())
    return flow_text(value) if isinstance(value, str) else format_value(value)


def _text(value: Any) -> str:
    return flow_text(value) if isinstance(value, str) else "" if value is None else format_value(value)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else []
