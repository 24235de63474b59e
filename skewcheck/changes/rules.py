"""The rules: what a change may not do unnoticed, grouped by who is hurt (room: changes).

The groups are nested. `schema` hurts whoever reads a feature by name and type; `values` adds the models that read what
is in it; `point-in-time` adds whoever builds training sets; `serving` adds the service that answers requests, and is
everything. An id never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from skewcheck.diff_verdict import Finding, Level, Location
from skewcheck.errors import UsageError

GROUPS = ("schema", "values", "point-in-time", "serving")
"""Each has the rules of those before it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its id, the group that it begins in, how much it weighs, what it says, and what to do."""

    id: str
    group: str
    level: Level
    meaning: str
    remedy: str


_VERSION = "Add it as a new feature beside the old one (amount_v2 beside amount_v1), or waive the rule with a reason."

RULES = {
    rule.id: rule
    for rule in (
        Rule("FEATURE_NO_DELETE", "schema", "error", "A feature is gone.", "Keep it until no model reads it."),
        Rule(
            "FEATURE_VERSION_RETIRED",
            "schema",
            "warning",
            "A version of a feature is gone, and another one that was there before remains.",
            "Make sure that no model reads it.",
        ),
        Rule("FEATURE_SAME_TYPE", "schema", "error", "A feature has another type or length.", _VERSION),
        Rule("FEATURE_SAME_UNIT", "schema", "error", "A feature is stated in another unit.", _VERSION),
        Rule("FEATURE_ADDED", "schema", "note", "A feature is new.", "Nothing has to be done."),
        Rule("SERVICE_NO_DELETE", "schema", "error", "A service is gone.", "Keep it until no model reads it."),
        Rule("VALUES_SAME", "values", "error", "A feature has other values for the same input.", _VERSION),
        Rule(
            "VALUES_KNOWN",
            "values",
            "error",
            "Whether a feature has the same values could not be found out.",
            "Do what the reason says, or waive the rule with a reason.",
        ),
        Rule(
            "VALUES_INDIRECT",
            "values",
            "warning",
            "A feature has other values because a feature that it reads has.",
            "Decide it where it comes from.",
        ),
        Rule(
            "STATISTICS_SAME",
            "values",
            "error",
            "The declaration is the same, and its frozen statistics give other values.",
            "Retrain the models that read it, or restore state.json.",
        ),
        Rule(
            "STATISTICS_FITTED",
            "values",
            "error",
            "Frozen statistics do not belong to the declaration.",
            "Run `skewcheck fit` and `skewcheck generate`, and commit what they write.",
        ),
        Rule(
            "TRAINING_SAME_ROWS",
            "values",
            "warning",
            "The next fit would read other training rows.",
            "Fit now, so that the change of the statistics is judged together with its cause.",
        ),
        Rule("COLUMN_SAME_TYPE", "values", "error", "A column that features read has another type.", _VERSION),
        Rule(
            "COLUMN_SAME_UNIT",
            "values",
            "error",
            "A column that features read is stated in another unit.",
            "Convert it with .to(...) if the data changed; waive the rule if the old unit was a mistake.",
        ),
        Rule("COLUMN_SAME_SOURCE", "values", "error", "A column that features read comes from elsewhere.", _VERSION),
        Rule(
            "LIBRARY_SAME_VERSION",
            "values",
            "error",
            "A library that operators depend on has another version.",
            "Run `skewcheck generate` with the new version and commit what it writes.",
        ),
        Rule(
            "DECLARATION_STABLE",
            "values",
            "error",
            "Loading the declarations twice gives two meanings.",
            "Take clocks, randomness and the order of sets out of features/.",
        ),
        Rule(
            "VIEW_SAME_TTL",
            "point-in-time",
            "error",
            "A view keeps its rows for another time.",
            "Build training sets anew, and waive the rule.",
        ),
        Rule(
            "VIEW_SAME_TIMESTAMP",
            "point-in-time",
            "error",
            "A view takes the time of its rows from another column.",
            "Build training sets anew, materialise again, and waive the rule.",
        ),
        Rule(
            "VIEW_SAME_CREATED",
            "point-in-time",
            "error",
            "A view takes the time at which its rows were known from another column.",
            "Build training sets anew, and waive the rule.",
        ),
        Rule(
            "VIEW_SAME_COLUMNS",
            "point-in-time",
            "error",
            "A view reads a field from another column of its source.",
            "Build training sets anew, materialise again, and waive the rule.",
        ),
        Rule(
            "VIEW_SAME_SOURCE",
            "point-in-time",
            "error",
            "A view reads another source.",
            "Compare the two sources, materialise again, and waive the rule.",
        ),
        Rule(
            "WINDOW_SAME",
            "point-in-time",
            "error",
            "A windowed column counts other events, or makes something else of them.",
            "Declare it beside the old one, or build training sets anew, materialise again, and waive the rule.",
        ),
        Rule(
            "VIEW_SAME_KEYS",
            "serving",
            "error",
            "A view is looked up by other keys.",
            "Add a view beside the old one.",
        ),
        Rule(
            "VIEW_SAME_NAME",
            "serving",
            "error",
            "A view has another name: the online store has no row under it yet.",
            "Materialise it under its new name before it is served.",
        ),
        Rule(
            "VIEW_SAME_SETTINGS",
            "serving",
            "error",
            "A view has another setting that may decide what is served.",
            "Check what the setting does, and waive the rule.",
        ),
        Rule(
            "REQUEST_SAME_INPUTS",
            "serving",
            "error",
            "Serving must send an input that it does not send today.",
            "Let every caller send it first, then waive the rule.",
        ),
        Rule(
            "MODEL_PINNED",
            "serving",
            "error",
            "A model is pinned to the old version of a service that changed.",
            "Retrain it on the new version, or keep the old one beside it.",
        ),
        Rule(
            "CODE_FRESH",
            "serving",
            "error",
            "Generated code is not what the declaration gives.",
            "Run `skewcheck generate` and commit what it writes.",
        ),
        Rule("ENGINES_AGREE", "serving", "error", "Engines give different values.", "Report this."),
        Rule(
            "LOG_MATCHES",
            "serving",
            "error",
            "A serving log has values that training would not have computed.",
            "Run `skewcheck audit` on the log.",
        ),
    )
}


def make_finding(
    rule: str,
    kind: str,
    subject: str,
    message: str,
    *,
    service: str | None = None,
    location: Location | None = None,
) -> Finding:
    """A finding of a rule, with the rule's weight and remedy."""
    known = RULES[rule]
    return Finding(rule, known.level, kind, subject, message, service=service, remedy=known.remedy, location=location)


def select_rules(select: Iterable[str], ignore: Iterable[str]) -> frozenset[str]:
    """The ids of the rules that apply; all of them where none is selected.

    Args:
        select: Ids and groups; a group stands for its rules and those of the groups before it.
        ignore: Ids that do not apply.

    Raises:
        UsageError: There is no rule or group of a name, or every rule is ignored.
    """
    wanted, left_out = list(select), list(ignore)
    if unknown := [name for name in (*wanted, *left_out) if name not in RULES and name not in GROUPS]:
        raise UsageError(
            f"there is no rule {', '.join(unknown)}",
            remedy="`skewcheck rules` lists them; groups are: " + ", ".join(GROUPS),
        )
    chosen = {rule for name in wanted for rule in _rules_of(name)} if wanted else set(RULES)
    # Leaving out a group leaves out what it adds, not what it contains.
    chosen -= {rule.id for rule in RULES.values() if rule.id in left_out or rule.group in left_out}
    if not chosen:
        raise UsageError("no rule is left to check", remedy="Select more or ignore less.")
    return frozenset(chosen)


def _rules_of(name: str) -> list[str]:
    if name in RULES:
        return [name]
    within = GROUPS[: GROUPS.index(name) + 1]
    return [rule.id for rule in RULES.values() if rule.group in within]


def keep_selected(findings: Iterable[Finding], rules: frozenset[str]) -> list[Finding]:
    """The findings of rules that apply, each once, the weightiest first, then by rule and subject."""
    levels = ("error", "warning", "note")
    kept: dict[str, Finding] = {}
    for finding in findings:
        if finding.rule in rules:
            kept.setdefault(finding.fingerprint, finding)
    return sorted(kept.values(), key=lambda f: (levels.index(f.level), f.rule, f.service or "", f.subject))
