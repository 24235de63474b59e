"""The verdict of a diff: the contract that every surface prints (ground floor of the house).

A verdict is plain data, and the same for the same two versions. The terminal, Markdown, SARIF, JUnit and the rest are
each a function of it alone; `DiffVerdict.to_json` and `DiffVerdict.from_json` are inverse to each other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, TypeVar

from skewcheck.contracts import EXIT_CODES, Problem, known_fields, read_contract, write_contract

SCHEMA = "skewcheck/diff/1"

VERDICTS = ("unchanged", "metadata", "additive", "equal", "unknown", "values-changed", "breaking")
"""What can be said of a feature, from the most harmless on; where several hold, the last of them is its verdict."""

ACTIONS = ("none", "redeploy", "backfill", "refit", "retrain")
"""What a change asks for, from the least on.

* redeploy: the generated code is another text, and gives the models what they know;
* backfill: stored rows no longer are what the declaration says: materialise again and build training sets anew;
* refit: statistics are missing or belong to another declaration; what follows is known once they are fitted;
* retrain: models would read other values than those that they were trained on.
"""

LEVELS = ("error", "warning", "note")
"""How much a finding weighs: an error that nobody waived fails the gate."""

VerdictName = Literal["unchanged", "metadata", "additive", "equal", "unknown", "values-changed", "breaking"]
Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in the repository: a path from its root on, with forward slashes, and a line (1 is the first)."""

    path: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a computation: the expression, its value, and the statistics that it used, if it is fitted."""

    expression: str
    value: Any
    statistics: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Witness:
    """The smallest input on which two versions differ. None is missing; an instant is ISO 8601 text.

    Attributes:
        inputs: The columns that the versions read.
        old: What the old version gives.
        new: What the new version gives.
        old_steps: The old computation, step by step.
        new_steps: The new computation, step by step.
        old_inputs: What the old declaration retrieves from `stored`, where that is what differs; otherwise empty.
        new_inputs: What the new declaration retrieves.
        stored: Rows of a view's source, where the retrieval differs.
        requested_at: The time of the request, where the retrieval differs.
        note: What must be known beside it, such as where statistics come from.
        case: The file that it was saved in as a regression case, from the repository's root on.
    """

    inputs: dict[str, Any]
    old: Any
    new: Any
    old_steps: tuple[Step, ...] = ()
    new_steps: tuple[Step, ...] = ()
    old_inputs: dict[str, Any] = field(default_factory=dict)
    new_inputs: dict[str, Any] = field(default_factory=dict)
    stored: tuple[dict[str, Any], ...] = ()
    requested_at: str | None = None
    note: str | None = None
    case: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of the given data on which two versions differ; `key` names the row."""

    key: dict[str, Any]
    inputs: dict[str, Any]
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Size:
    """How much a change moves on given data.

    Attributes:
        source: The log or the data set.
        rows: Rows that were compared.
        changed: Rows whose value differs.
        became_missing: Rows whose value was there and is missing.
        became_present: Rows whose value was missing and is there.
        largest_change: The largest absolute difference of two numbers; None where no number differs.
        psi: Population stability index of the new values against the old ones; None for a type that has none.
        samples: Rows that differ, in the order of their keys.
        note: Why something was left out.
    """

    source: str
    rows: int
    changed: int
    became_missing: int = 0
    became_present: int = 0
    largest_change: float | None = None
    psi: float | None = None
    samples: tuple[Sample, ...] = ()
    note: str | None = None

    @property
    def share(self) -> float:
        """Share of the rows that differ, 0 where there is no row."""
        return self.changed / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class FeatureChange:
    """What became of one feature.

    Attributes:
        service: Its service.
        name: Its name.
        verdict: One of `VERDICTS`.
        evidence: For "equal" how that is known: "proved" by canonical form, or "tested"; None otherwise.
        rows_tested: Rows on which both versions were run in every engine without a difference.
        reasons: What moved the verdict, in words.
        location: Where it is declared, in the new version if it is there.
        old_expression: The old declaration, None for a new feature.
        new_expression: The new one, None for a feature that is gone.
        through: Changed features that it reads, where it changed because they did.
        witness: For "values-changed" the smallest input on which the versions differ.
        size: For a changed feature how much it moves on given data.
        downstream: Features that read it, directly or not.
        action: One of `ACTIONS`.
    """

    service: str
    name: str
    verdict: VerdictName
    evidence: Literal["proved", "tested"] | None = None
    rows_tested: int = 0
    reasons: tuple[str, ...] = ()
    location: Location | None = None
    old_expression: str | None = None
    new_expression: str | None = None
    through: tuple[str, ...] = ()
    witness: Witness | None = None
    size: Size | None = None
    downstream: tuple[str, ...] = ()
    action: str = "none"


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a finding is let through, and the last day on which it is (ISO 8601)."""

    reason: str
    expires: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a change breaks.

    Attributes:
        rule: The id of the rule.
        level: One of `LEVELS`.
        kind: What `subject` is: "feature", "view", "service", "column", "model" or "file".
        subject: What the finding is about.
        message: What is wrong, in one sentence.
        service: The service, where it is one service's.
        remedy: What to do.
        location: Where.
        waiver: Who let it through and why; None for a finding that counts.
    """

    rule: str
    level: Level
    kind: str
    subject: str
    message: str
    service: str | None = None
    remedy: str | None = None
    location: Location | None = None
    waiver: Waiver | None = None

    @property
    def fingerprint(self) -> str:
        """What stays the same when lines and wording change: 32 hexadecimal digits."""
        text = json.dumps([self.rule, self.service, self.kind, self.subject])
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    @property
    def counts(self) -> bool:
        """Whether it fails the gate."""
        return self.level == "error" and self.waiver is None


@dataclass(frozen=True, slots=True)
class PinnedModel:
    """A model that was trained on the old version of a service; `where` says what told so."""

    name: str
    version: str
    service: str
    where: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Impact:
    """What the change as a whole asks for.

    Attributes:
        action: One of `ACTIONS`, the most that any feature needs.
        services: Services with a feature whose values, type or existence is no longer the same.
        refit: Services whose frozen statistics do not belong to the new declaration.
        rematerialise: Views whose stored rows no longer are what the declaration says.
        models: Models that are pinned to the old version of a changed service.
    """

    action: str = "none"
    services: tuple[str, ...] = ()
    refit: tuple[str, ...] = ()
    rematerialise: tuple[str, ...] = ()
    models: tuple[PinnedModel, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two versions: as it was named, the commit (None for a folder), and how many features it has."""

    name: str
    commit: str | None = None
    features: int = 0


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of `skewcheck check`: "pass", "fail", "incomplete" or "skipped", and why in a few words."""

    name: str
    outcome: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class DiffVerdict:
    """The whole diff. `static` says that nothing of the new version was run."""

    verdict: Literal["pass", "fail", "incomplete"]
    old: Side
    new: Side
    features: tuple[FeatureChange, ...] = ()
    findings: tuple[Finding, ...] = ()
    impact: Impact = field(default_factory=Impact)
    problems: tuple[Problem, ...] = ()
    stages: tuple[Stage, ...] = ()
    static: bool = False

    @property
    def exit_code(self) -> int:
        """0 clean, 1 an error that nobody waived, 3 the diff could not be completed."""
        return EXIT_CODES[self.verdict]

    @property
    def counts(self) -> dict[str, int]:
        """Features of each verdict, in the order of `VERDICTS`; those that no feature has are left out."""
        found = [feature.verdict for feature in self.features]
        return {name: found.count(name) for name in VERDICTS if name in found}

    def to_json(self) -> str:
        """The verdict as JSON text, keys in a fixed order, ending in a newline; it can be encoded as UTF-8."""
        body = asdict(self)
        for data, finding in zip(body["findings"], self.findings, strict=True):
            data["fingerprint"] = finding.fingerprint
        return write_contract(SCHEMA, body)

    @staticmethod
    def from_json(text: str) -> DiffVerdict:
        """The verdict that `to_json` wrote.

        Raises:
            SkewcheckError: The text is not JSON, of a schema that this version does not read, or not whole.
        """
        remedy = "Give a file written by `skewcheck diff --format json`."
        return read_contract(text, SCHEMA, _read_verdict, what="verdict", remedy=remedy)


def decide(findings: Iterable[Finding], problems: Iterable[Problem]) -> Literal["pass", "fail", "incomplete"]:
    """The verdict that findings and problems add up to: what could not be completed has not passed, nor failed."""
    if any(problem.severity == "error" for problem in problems):
        return "incomplete"
    return "fail" if any(finding.counts for finding in findings) else "pass"


def worst(verdicts: Iterable[VerdictName]) -> VerdictName:
    """The verdict that counts where several hold; "unchanged" where there is none."""
    return max(verdicts, key=VERDICTS.index, default="unchanged")


Part = TypeVar("Part")


def _read_verdict(data: dict[str, Any]) -> DiffVerdict:
    if data["verdict"] not in EXIT_CODES:
        raise ValueError(f"verdict is {data['verdict']!r}, expected one of {', '.join(EXIT_CODES)}")
    impact = data.pop("impact")
    impact["models"] = tuple(_build(PinnedModel, model) for model in impact["models"])
    parts = {
        "old": _build(Side, data.pop("old")),
        "new": _build(Side, data.pop("new")),
        "features": tuple(_read_feature(feature) for feature in data.pop("features")),
        "findings": tuple(_read_finding(finding) for finding in data.pop("findings")),
        "impact": _build(Impact, impact),
        "problems": tuple(_build(Problem, problem) for problem in data.pop("problems")),
        "stages": tuple(_build(Stage, stage) for stage in data.pop("stages")),
    }
    return _build(DiffVerdict, {**data, **parts})


def _read_feature(data: dict[str, Any]) -> FeatureChange:
    if data["verdict"] not in VERDICTS:
        raise ValueError(f"a feature's verdict is {data['verdict']!r}, expected one of {', '.join(VERDICTS)}")
    if (witness := data["witness"]) is not None:
        for key in ("old_steps", "new_steps"):
            witness[key] = tuple(_build(Step, step) for step in witness[key])
        data["witness"] = _build(Witness, witness)
    if (size := data["size"]) is not None:
        size["samples"] = tuple(_build(Sample, sample) for sample in size["samples"])
        data["size"] = _build(Size, size)
    data["location"] = _read_location(data["location"])
    return _build(FeatureChange, data)


def _read_finding(data: dict[str, Any]) -> Finding:
    data["location"] = _read_location(data["location"])
    data["waiver"] = None if data["waiver"] is None else _build(Waiver, data["waiver"])
    return _build(Finding, data)


def _read_location(data: dict[str, Any] | None) -> Location | None:
    return None if data is None else _build(Location, data)


def _build(cls: type[Part], data: dict[str, Any]) -> Part:
    """An object of plain data: a list stands for a tuple where the field is one."""
    tuples = {item.name for item in fields(cls) if str(item.type).startswith("tuple")}  # type: ignore[arg-type]
    known = known_fields(cls, data)
    return cls(**{name: tuple(value) if name in tuples else value for name, value in known.items()})
