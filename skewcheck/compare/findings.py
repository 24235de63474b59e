"""What a comparison of two tables finds: the contract that its reports print (room: compare).

Findings are plain data. `to_json` and `from_json` are inverse to each other; the schema is named in the file itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeVar

from skewcheck.contracts import EXIT_CODES, Problem, known_fields, plain_value, read_contract, write_contract

SCHEMA = "skewcheck/compare/1"


@dataclass(frozen=True, slots=True)
class TableRows:
    """One of the two tables.

    Attributes:
        source: Where it was read from.
        rows: Its rows.
        missing_ids: Rows of which a part of the id is null or NaN.
        unmatched_ids: Ids that only this table has.
        unmatched_rows: Its rows with such an id: to the other table they are absent rows.
        duplicated_ids: Ids that stand in more than one of its rows.
        only: Columns that only this table has.
    """

    source: str
    rows: int
    missing_ids: int = 0
    unmatched_ids: int = 0
    unmatched_rows: int = 0
    duplicated_ids: int = 0
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Join:
    """How the rows of the two tables were brought together.

    Attributes:
        on: The columns that identify a row.
        ids: Different ids in both tables together.
        shared_ids: Ids that both tables have.
        duplicated_ids: Ids that stand in more than one row of either table.
        pairs: Every row of A with every row of B of the same id.
        compared: The pairs that were compared.
        first: Time of the earliest of them (ISO 8601, UTC), None where no column of times was named.
        last: Time of the latest.
    """

    on: tuple[str, ...]
    ids: int
    shared_ids: int
    duplicated_ids: int
    pairs: int
    compared: int
    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class States:
    """Pairs of cells in a pair of states: value, empty, null, nan, unreadable."""

    a: str
    b: str
    rows: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One pair that differs: its id, its time where there is one, and both values (None is null)."""

    id: dict[str, Any]
    at: str | None
    a: Any
    b: Any


@dataclass(frozen=True, slots=True)
class Confusion:
    """Pairs with one value in A and one in B."""

    a: Any
    b: Any
    rows: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """The pairs of one hour or day, by its start."""

    start: str
    compared: int
    mismatched: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The pairs with one value of a slicing column."""

    column: str
    value: Any
    compared: int
    mismatched: int


@dataclass(frozen=True, slots=True)
class ColumnFinding:
    """What was found about one column that both tables have.

    Attributes:
        name: Its name in A.
        verdict: "type" where the two types have no value in common, so that every pair of values differs.
        a_type: Its type in A.
        b_type: Its type in B.
        compared: Pairs.
        mismatched: Pairs that differ.
        a_missing: Of these, the ones in which only A's cell is null or NaN.
        b_missing: Of these, the ones in which only B's is.
        states: Every pair of states that occurs; empty where no pair of cells differs in any way.
        max_absolute_difference: Over mismatches with a number on both sides; of times, in seconds.
        mean_absolute_difference: The same.
        mean_difference: The mean of B minus A.
        max_relative_difference: Of the larger of the two magnitudes.
        max_ulp: In last places of the larger magnitude, as 64-bit floats.
        smape: Mean of 2 |a - b| / (|a| + |b|) over all pairs but those missing on both sides. It is 2, the most
            there can be, where one side alone is missing or unreadable.
        tolerance: How far apart two numbers could be and still be equal.
        first_mismatch: Its time (ISO 8601, UTC).
        last_mismatch: Its time.
        samples: Pairs that differ, the earliest first.
        confusions: For a column of few values, how often each was met by which, most frequent first.
        buckets: By hour, or by day over more than a month.
        slices: For each slicing column the values with most mismatches.
        edits: For lists, elements inserted and deleted per mismatch, over the first thousand of them.
        distances: How far apart the distributions are, over all rows of both tables, where that was asked for.
        note: What the reader should know about the types.
        causes: Why the values differ.
    """

    name: str
    verdict: Literal["match", "skew", "type"]
    a_type: str
    b_type: str
    compared: int
    mismatched: int = 0
    a_missing: int = 0
    b_missing: int = 0
    states: tuple[States, ...] = ()
    max_absolute_difference: float | None = None
    mean_absolute_difference: float | None = None
    mean_difference: float | None = None
    max_relative_difference: float | None = None
    max_ulp: float | None = None
    smape: float | None = None
    tolerance: dict[str, float] = field(default_factory=dict)
    first_mismatch: str | None = None
    last_mismatch: str | None = None
    samples: tuple[Sample, ...] = ()
    confusions: tuple[Confusion, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    slices: tuple[Slice, ...] = ()
    edits: dict[str, float] | None = None
    distances: dict[str, float] = field(default_factory=dict)
    note: str | None = None
    causes: tuple[dict[str, Any], ...] = ()

    @property
    def mismatch_rate(self) -> float:
        """Share of the pairs that differ, 0 where there was none."""
        return self.mismatched / self.compared if self.compared else 0.0


@dataclass(frozen=True, slots=True)
class Findings:
    """The whole comparison.

    Attributes:
        verdict: "fail" where a pair differs or a row is absent, "incomplete" where nothing differs but something
            that might was not compared.
        a: The table as training computed it.
        b: The table as served.
        join: How their rows were brought together.
        columns: Every column that both have, in A's order.
        at: The column of times.
        problems: What the reader must know beside the counts.
        causes: Of rows that one table lacks, where they have a place: kind "sampling", stage "population".
    """

    verdict: Literal["pass", "fail", "incomplete"]
    a: TableRows
    b: TableRows
    join: Join
    columns: tuple[ColumnFinding, ...]
    at: str | None = None
    problems: tuple[Problem, ...] = ()
    causes: tuple[dict[str, Any], ...] = ()

    @property
    def exit_code(self) -> int:
        """0 no difference, 1 some, 3 the comparison could not be completed."""
        return EXIT_CODES[self.verdict]

    @property
    def differing(self) -> tuple[ColumnFinding, ...]:
        """The columns that differ, highest rate first, then by name."""
        found = [column for column in self.columns if column.verdict != "match"]
        return tuple(sorted(found, key=lambda column: (-column.mismatch_rate, column.name)))

    def to_json(self) -> str:
        """The findings as JSON text, ending in a newline; what JSON has no literal for is written as text."""
        body = asdict(self)
        for column, data in zip(self.columns, body["columns"], strict=True):
            data["mismatch_rate"] = column.mismatch_rate
        return write_contract(SCHEMA, plain_value(body))

    @staticmethod
    def from_json(text: str) -> Findings:
        """The findings that `to_json` wrote.

        Raises:
            SkewcheckError: The text is not JSON, of a schema that this version does not read, or not whole.
        """
        remedy = "Give a file written by `skewcheck compare --format json`."
        return read_contract(text, SCHEMA, _read_findings, what="comparison", remedy=remedy)


Part = TypeVar("Part")

_PARTS: dict[str, type] = {
    "states": States,
    "samples": Sample,
    "confusions": Confusion,
    "buckets": Bucket,
    "slices": Slice,
}


def _read_findings(data: dict[str, Any]) -> Findings:
    known = known_fields(Findings, data)
    return Findings(
        a=_build(TableRows, known.pop("a")),
        b=_build(TableRows, known.pop("b")),
        join=_build(Join, known.pop("join")),
        columns=tuple(_read_column(column) for column in known.pop("columns")),
        problems=tuple(_build(Problem, problem) for problem in known.pop("problems")),
        causes=tuple(known.pop("causes", ())),
        **known,
    )


def _build(cls: type[Part], data: dict[str, Any]) -> Part:
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
    return cls(**known_fields(cls, known))


def _read_column(data: dict[str, Any]) -> ColumnFinding:
    known = known_fields(ColumnFinding, data)
    for name in known:
        if (name.startswith(("max_", "mean_")) or name == "smape") and known[name] is not None:
            known[name] = float(known[name])  # "Infinity" is a number again
    for name, part in _PARTS.items():
        known[name] = tuple(part(**known_fields(part, item)) for item in known[name])
    known["causes"] = tuple(known["causes"])
    return ColumnFinding(**known)
