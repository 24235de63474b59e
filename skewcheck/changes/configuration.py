"""What a team says of the gate in `[tool.skewcheck]` of its pyproject.toml: rules and waivers (room: changes).

A waiver lets one finding through, for a reason and until a day. One without either is refused; one whose day has
passed no longer counts, and says so.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from skewcheck.changes.rules import RULES
from skewcheck.contracts import Problem
from skewcheck.diff_verdict import Finding, Waiver
from skewcheck.errors import UsageError

_KEYS = {"select", "ignore", "waivers", "models"}
_WAIVER_KEYS = {"rule", "subject", "service", "reason", "expires"}


@dataclass(frozen=True, slots=True)
class WaiverRule:
    """One waiver: the rule, what it is about, the reason, and the last day on which it counts.

    Attributes:
        rule: The id of the rule.
        subject: The feature, view, column, service or model; None for everything.
        service: The service; None for every one.
        reason: Why it is let through.
        expires: The last day.
    """

    rule: str
    subject: str | None
    service: str | None
    reason: str
    expires: date

    def covers(self, finding: Finding) -> bool:
        """Whether it is about a finding, whatever day it is."""
        return (
            finding.rule == self.rule
            and self.subject in {None, finding.subject}
            and self.service in {None, finding.service}
        )

    def __str__(self) -> str:
        about = ".".join(part for part in (self.service, self.subject) if part)
        return f"{self.rule} of {about}" if about else self.rule


@dataclass(frozen=True, slots=True)
class Configuration:
    """The gate's settings: rules to select and ignore, waivers, and the manifest of models, if any."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    waivers: tuple[WaiverRule, ...] = ()
    models: str | None = None


def read_configuration(folders: Iterable[Path]) -> Configuration:
    """The settings in the first `pyproject.toml` of some folders that has a table `[tool.skewcheck]`.

    Raises:
        UsageError: It cannot be read, or a setting or waiver is not what it must be.
    """
    for folder in folders:
        path = folder / "pyproject.toml"
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"{path} cannot be read: {error}", remedy="Make it a UTF-8 file that you may read."
            ) from error
        if (found := parse_configuration(text, str(path))) is not None:
            return found
    return Configuration()


def parse_configuration(text: str, where: str) -> Configuration | None:
    """The settings in the text of a `pyproject.toml`; None where it has none.

    Raises:
        UsageError: It is no TOML, or a setting or waiver is not what it must be.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is no TOML: {error}", remedy="Correct it.") from error
    table = data.get("tool", {}).get("skewcheck")
    if table is None:
        return None
    if unknown := sorted(set(table) - _KEYS):
        raise UsageError(
            f"{where}: [tool.skewcheck] has {', '.join(unknown)}, which means nothing",
            remedy=f"It may have {', '.join(sorted(_KEYS))}.",
        )
    lists = {
        name: _read_names(table.get(name, []), f"{where}: [tool.skewcheck] {name}") for name in ("select", "ignore")
    }
    waivers = tuple(_read_waiver(item, where) for item in table.get("waivers", []))
    models = table.get("models")
    if models is not None and not isinstance(models, str):
        raise UsageError(f"{where}: [tool.skewcheck] models is {models!r}", remedy="Give the path of a JSON file.")
    return Configuration(lists["select"], lists["ignore"], waivers, models)


def _read_names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where} is {value!r}, expected a list of names", remedy="`skewcheck rules` lists them.")
    return tuple(value)


def _read_waiver(item: Any, where: str) -> WaiverRule:
    if not isinstance(item, dict):
        raise UsageError(f"{where}: a waiver is {item!r}", remedy="Write [[tool.skewcheck.waivers]] above its keys.")
    name = f"{where}: the waiver of {item.get('rule', 'no rule')}"
    if unknown := sorted(set(item) - _WAIVER_KEYS):
        raise UsageError(f"{name} has {', '.join(unknown)}", remedy=f"It may have {', '.join(sorted(_WAIVER_KEYS))}.")
    if item.get("rule") not in RULES:
        raise UsageError(f"{name} names no rule", remedy="`skewcheck rules` lists them.")
    if not isinstance(item.get("reason"), str) or len(item["reason"].split()) < 2:
        raise UsageError(f"{name} gives no reason", remedy='Add reason = "..." in a few words: somebody will ask.')
    expires = item.get("expires")
    try:
        day = date.fromisoformat(expires) if isinstance(expires, str) else expires
    except ValueError:
        day = None
    if type(day) is not date:
        raise UsageError(f"{name} does not expire", remedy="Add the last day that it counts: expires = 2027-01-31.")
    return WaiverRule(item["rule"], item.get("subject"), item.get("service"), item["reason"], day)


def waive(
    findings: Iterable[Finding], waivers: Iterable[WaiverRule], today: date
) -> tuple[list[Finding], list[Problem]]:
    """The findings with the waivers that count, and what is to be said of those that do not."""
    listed, rules = list(findings), list(waivers)
    problems = []
    for rule in rules:
        hits = sum(rule.covers(finding) for finding in listed)
        if rule.expires < today:
            still = f"; it no longer lets {hits} finding{'' if hits == 1 else 's'} through" if hits else ""
            problems.append(_warn(rule, f"expired on {rule.expires}{still}", "Remove it, or renew it with its reason."))
        elif not hits:
            problems.append(_warn(rule, "lets nothing through", "Remove it once the change is merged."))
    current = [rule for rule in rules if rule.expires >= today]
    return [_waive_one(finding, current) for finding in listed], problems


def _warn(rule: WaiverRule, said: str, remedy: str) -> Problem:
    return Problem("warning", "pyproject.toml", f"the waiver of {rule} {said}", remedy)


def _waive_one(finding: Finding, waivers: Iterable[WaiverRule]) -> Finding:
    found = next((rule for rule in waivers if rule.covers(finding)), None)
    if found is None:
        return finding
    return replace(finding, waiver=Waiver(found.reason, found.expires.isoformat()))
