"""Features that changed because a feature that they read did (room: changes)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from skewcheck.changes.canonical_form import digest
from skewcheck.changes.rules import make_finding
from skewcheck.changes.snapshot import DeclaredFeature, DeclaredService
from skewcheck.diff_verdict import FeatureChange, Finding
from skewcheck.language.expressions import Expression, render, walk

CAUSES = frozenset({"values-changed", "breaking"})


def trace_causes(
    old: DeclaredService, new: DeclaredService, changes: Iterable[FeatureChange], findings: Iterable[Finding]
) -> tuple[list[FeatureChange], list[Finding]]:
    """The changes and findings, each change that comes through another feature laid at that feature's door."""
    listed = list(changes)
    changed = {c.name for c in listed if c.verdict in CAUSES and c.old_expression and c.new_expression}
    through: dict[str, tuple[str, ...]] = {}
    for change in listed:
        was, now = old.feature(change.name), new.feature(change.name)
        if change.name not in changed or was is None or now is None:
            continue
        causes = sorted(changed & set(now.features_read) & set(was.features_read))
        if causes and _explains(causes, was, now, old, new):
            through[change.name] = tuple(causes)
    return (
        [replace(change, through=through.get(change.name, ())) for change in listed],
        [_lay(finding, through.get(finding.subject, ())) for finding in findings],
    )


def _lay(finding: Finding, causes: tuple[str, ...]) -> Finding:
    if not causes or finding.kind != "feature" or finding.rule != "VALUES_SAME":
        return finding
    said = f"{finding.message}, because it reads {', '.join(causes)}"
    return make_finding(
        "VALUES_INDIRECT", "feature", finding.subject, said, service=finding.service, location=finding.location
    )


def _explains(
    causes: Iterable[str], was: DeclaredFeature, now: DeclaredFeature, old: DeclaredService, new: DeclaredService
) -> bool:
    """Whether the old declaration, with the new one of every cause put in, is the new declaration."""
    swaps: dict[str, Expression] = {}
    for name in causes:
        before, after = old.feature(name), new.feature(name)
        if before is None or after is None or before.expression.type != after.expression.type:
            return False
        swaps[render(before.expression)] = after.expression
    return digest(_substitute(was.expression, swaps)) == digest(now.expression)


def _substitute(expression: Expression, swaps: Mapping[str, Expression]) -> Expression:
    known: dict[int, Expression] = {}
    for node in walk(expression):
        found = swaps.get(render(node))
        if found is None:
            operands = tuple(known[id(operand)] for operand in node.operands)
            found = Expression(node.operator, operands, node.type, node.unit)
        known[id(node)] = found
    return known[id(expression)]
