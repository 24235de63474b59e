"""The verdict of an audit: the contract that every report prints (ground floor of the house).

A verdict is plain data. The terminal table, the HTML page, and the JSON file are each a function of it alone;
`Verdict.to_json` and `Verdict.from_json` are inverse to each other. The schema is named in the file itself,
and a reader refuses one that it does not know.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

from skewcheck.causes import Finding, group_causes
from skewcheck.contracts import EXIT_CODES, Problem, known_fields, plain_value, read_contract, write_contract

SCHEMA = "skewcheck/audit/1"

STAGES = ("retrieval", "transform", "end_to_end")
"""The cuts of a replay, in the order in which a value travels.

* retrieval: features from the logged store values against features from the point-in-time values;
* transform: the features served against the generated transform over the inputs that serving logged;
* end_to_end: the features served against the whole training path.
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One request on which the two sides of a comparison differ.

    `served` is the side nearer to serving, `replayed` the side nearer to training; None is missing.
    `row` holds the inputs that the feature reads, as logged.
    """

    request_id: str | None
    requested_at: str | None
    served: Any
    replayed: Any
    row: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Counts of one feature (or one retrieved column) at one stage.

    `compared` counts rows, `mismatched` those whose two values are not equal (or not within the declared
    tolerance); `served_missing` and `replayed_missing` count the mismatches in which only that side is
    missing. The absolute differences are over mismatches with a number on both sides; None where there is
    none.
    """

    compared: int
    mismatched: int
    served_missing: int = 0
    replayed_missing: int = 0
    max_absolute_difference: float | None = None
    mean_absolute_difference: float | None = None
    first_mismatch: str | None = None
    last_mismatch: str | None = None
    samples: tuple[Pair, ...] = ()

    @property
    def mismatch_rate(self) -> float:
        """Share of compared rows that differ, 0 where nothing was compared."""
        return self.mismatched / self.compared if self.compared else 0.0


@dataclass(frozen=True, slots=True)
class FeatureVerdict:
    """What the audit found about one feature.

    `stage` is the cut at which most of its mismatches arise, None unless the verdict is "skew"; `stages` has
    the comparison of every cut that was made. `causes` is empty until an explanation is sought. `note` says
    why a feature was not compared. `opaque` names the opaque functions that it calls.
    """

    name: str
    verdict: Literal["match", "skew", "not-compared"]
    stage: str | None = None
    stages: dict[str, Comparison] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    tolerance: float = 0.0
    note: str | None = None
    causes: tuple[dict[str, Any], ...] = ()
    opaque: tuple[str, ...] = ()

    @property
    def shown(self) -> Comparison:
        """The comparison to print: the stage of the skew, otherwise the widest cut that was made."""
        for stage in (self.stage, "end_to_end", "transform", "retrieval"):
            if stage in self.stages:
                return self.stages[stage]
        return Comparison(compared=0, mismatched=0)


@dataclass(frozen=True, slots=True)
class ColumnVerdict:
    """What retrieval did to one store column: the value serving read against the point-in-time value.

    `lag` says how far behind serving is, `residual` how much of what it served was too old, `causes` why the column
    differs; docs/audit.md lists their entries. None: nothing differs, or it cannot be told.
    """

    name: str
    view: str
    comparison: Comparison
    lag: dict[str, Any] | None = None
    residual: dict[str, Any] | None = None
    causes: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """One rule of the training filter: how many logged rows training would have dropped; None is unknown.

    `concentrated` names the comparisons whose mismatches are more frequent among those rows than among the others.
    """

    name: str
    outside: int | None
    note: str | None = None
    concentrated: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of the log.

    Attributes:
        logged: Rows read from the log.
        replayed: Rows that the training path computed.
        duplicated: Rows beyond the first of each request id; None where the log has no request id.
        unmatched: Rows that the point-in-time retrieval did not return; None where it was not replayed.
        outside_training_filter: Rows that training would have dropped; None where a rule reads a column that
            the log lacks.
        filters: The same for each rule.
        first: Time of the earliest request (ISO 8601, UTC), None where the log has no times.
        last: Time of the latest request.
    """

    logged: int
    replayed: int
    duplicated: int | None = None
    unmatched: int | None = None
    outside_training_filter: int | None = None
    filters: tuple[Filter, ...] = ()
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One pair of hashes seen in the log; None is not logged. `current`: they are the generated code's."""

    definition: str | None
    state: str | None
    rows: int
    current: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole audit of one service's log."""

    service: str
    verdict: Literal["pass", "fail", "incomplete"]
    rows: Rows
    features: tuple[FeatureVerdict, ...]
    log: str = ""
    definition: str | None = None
    state: str | None = None
    columns: tuple[ColumnVerdict, ...] = ()
    versions: tuple[Version, ...] = ()
    problems: tuple[Problem, ...] = ()
    stages: dict[str, str] = field(default_factory=dict)
    """For every stage, "compared" or the reason why it was not."""
    alignment: tuple[dict[str, Any], ...] = ()
    """For every source the delay of its rows in training and in serving, also of the labels."""

    @property
    def exit_code(self) -> int:
        """0 clean, 1 skew found, 3 the audit could not be completed."""
        return EXIT_CODES[self.verdict]

    @property
    def skewed(self) -> tuple[FeatureVerdict, ...]:
        """The features with skew, highest mismatch rate first, then by name."""
        found = [feature for feature in self.features if feature.verdict == "skew"]
        return tuple(sorted(found, key=lambda feature: (-feature.shown.mismatch_rate, feature.name)))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The causes of all features and columns, those that are one fault together."""
        of_columns = [(f"{column.view}.{column.name}", column.causes) for column in self.columns]
        return group_causes([*((feature.name, feature.causes) for feature in self.features), *of_columns])

    def to_json(self) -> str:
        """The verdict as JSON text, keys in a fixed order, ending in a newline.

        A number that JSON has no literal for is written as the string "NaN", "Infinity" or "-Infinity"; a
        date or time as ISO 8601; any other type of value as its text. The whole can always be encoded as
        UTF-8.
        """
        body = asdict(self)
        body["features"] = [_feature_to_data(feature) for feature in self.features]
        body["columns"] = [
            {
                "name": column.name,
                "view": column.view,
                **_comparison_to_data(column.comparison),
                "lag": column.lag,
                "residual": column.residual,
                "causes": list(column.causes),
            }
            for column in self.columns
        ]
        body["findings"] = [finding.to_data() for finding in self.findings]
        return write_contract(SCHEMA, plain_value(body))

    @staticmethod
    def from_json(text: str) -> Verdict:
        """The verdict that `to_json` wrote.

        Raises:
            SkewcheckError: The text is not JSON, of a schema that this version does not read, or not whole.
        """
        remedy = "Give a file written by `skewcheck audit --format json`."
        return read_contract(text, SCHEMA, _verdict_from_data, what="verdict", remedy=remedy)


Part = TypeVar("Part")


def _verdict_from_data(data: dict[str, Any]) -> Verdict:
    if data["verdict"] not in EXIT_CODES:
        raise ValueError(f"verdict is {data['verdict']!r}, expected one of {', '.join(EXIT_CODES)}")
    rows = data.pop("rows")
    rows["filters"] = tuple(
        _build(Filter, {**rule, "concentrated": tuple(rule.get("concentrated", ()))}) for rule in rows["filters"]
    )
    whole = known_fields(Verdict, data)
    return Verdict(
        rows=_build(Rows, rows),
        features=tuple(_feature_from_data(feature) for feature in whole.pop("features")),
        columns=tuple(
            ColumnVerdict(
                column["name"],
                column["view"],
                _comparison_from_data(column),
                column.get("lag"),
                column.get("residual"),
                tuple(column.get("causes", ())),
            )
            for column in whole.pop("columns")
        ),
        versions=tuple(_build(Version, version) for version in whole.pop("versions")),
        problems=tuple(_build(Problem, problem) for problem in whole.pop("problems")),
        alignment=tuple(whole.pop("alignment", ())),
        **whole,
    )


def _build(cls: type[Part], data: dict[str, Any]) -> Part:
    return cls(**known_fields(cls, data))


def _comparison_to_data(comparison: Comparison) -> dict[str, Any]:
    data = asdict(comparison)
    samples = data.pop("samples")
    return {
        "compared": data.pop("compared"),
        "mismatched": data.pop("mismatched"),
        "mismatch_rate": comparison.mismatch_rate,
        **data,
        "samples": samples,
    }


def _comparison_from_data(data: dict[str, Any]) -> Comparison:
    known = known_fields(Comparison, data)
    for key in ("max_absolute_difference", "mean_absolute_difference"):
        if known.get(key) is not None:
            known[key] = float(known[key])  # "Infinity" and "NaN" are numbers again
    known["samples"] = tuple(_build(Pair, pair) for pair in known["samples"])
    return Comparison(**known)


def _feature_to_data(feature: FeatureVerdict) -> dict[str, Any]:
    """A feature's JSON: the comparison that is shown stands at the top, every stage's under `stages`."""
    return {
        "name": feature.name,
        "verdict": feature.verdict,
        "stage": feature.stage,
        **_comparison_to_data(feature.shown),
        "causes": list(feature.causes),
        "reads": list(feature.reads),
        "tolerance": feature.tolerance,
        "note": feature.note,
        **({"opaque": list(feature.opaque)} if feature.opaque else {}),
        "stages": {stage: _comparison_to_data(feature.stages[stage]) for stage in feature.stages},
    }


def _feature_from_data(data: dict[str, Any]) -> FeatureVerdict:
    return FeatureVerdict(
        name=data["name"],
        verdict=data["verdict"],
        stage=data["stage"],
        stages={stage: _comparison_from_data(comparison) for stage, comparison in data["stages"].items()},
        reads=tuple(data["reads"]),
        tolerance=data["tolerance"],
        note=data["note"],
        causes=tuple(data["causes"]),
        opaque=tuple(data.get("opaque", ())),
    )
