"""Row skew as TensorFlow Data Validation counts and rounds it (room: compare).

For whoever has to reproduce its numbers; docs/compare.md lists what is deliberately different without this mode. A
column of lists is a feature of many values, an empty list is a feature without a value, and null is no feature at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field, replace

import duckdb

from skewcheck.compare.joining import JoinCounts, Keys, count_join, find_keys, join_rows
from skewcheck.compare.kinds import Column, element_type, find_kind
from skewcheck.compare.pairing import PairedColumn, Side, pair_columns
from skewcheck.compare.tables import Table
from skewcheck.contracts import plain_value, write_contract
from skewcheck.engines.sql import quote_name
from skewcheck.errors import UsageError

SCHEMA = "skewcheck/compare-tfdv/1"
MISSING = "__MISSING_VALUE__"


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare.

    Attributes:
        ignored: Features to leave out.
        digits: Round floats to so many digits; None compares all that 32 bits hold.
        allow_repeated: Compare every pair of rows of a repeated id instead of leaving the id out.
        confusion: Features of one text each to count by pair of values.
        samples: Pairs that differ to keep.
    """

    ignored: Collection[str] = ()
    digits: int | None = None
    allow_repeated: bool = False
    confusion: Sequence[str] = ()
    samples: int = 0


@dataclass(frozen=True, slots=True)
class MatchStats:
    """What the ids say."""

    base_with_id_count: int
    test_with_id_count: int
    identifiers_count: int
    ids_missing_in_base_count: int
    ids_missing_in_test_count: int
    matching_pairs_count: int
    base_missing_id_count: int
    test_missing_id_count: int
    duplicate_id_count: int


@dataclass(frozen=True, slots=True)
class FeatureSkew:
    """The counts of one feature, over the rows whose id both tables have."""

    base_count: int
    test_count: int
    match_count: int
    base_only: int
    test_only: int
    mismatch_count: int
    diff_count: int


@dataclass(frozen=True, slots=True)
class SkewPair:
    """One pair of rows that differ, as the names of its features."""

    matched: tuple[str, ...]
    mismatched: tuple[str, ...]
    base_only: tuple[str, ...]
    test_only: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfusionCount:
    """How often a value of the base was met by a value of the test."""

    feature: str
    base: str
    test: str
    count: int


@dataclass(frozen=True, slots=True)
class SkewResult:
    """Everything that the mode reports; features by name."""

    match_stats: MatchStats
    feature_skew: dict[str, FeatureSkew]
    skewed_pairs: int
    skew_pairs: tuple[SkewPair, ...] = ()
    confusion: tuple[ConfusionCount, ...] = field(default=())

    @property
    def exit_code(self) -> int:
        """0 no skew, 1 some, 3 where there was no pair to compare."""
        if self.skewed_pairs:
            return 1
        return 0 if self.feature_skew else 3

    def to_json(self) -> str:
        """The result as JSON text."""
        return write_contract(SCHEMA, plain_value(asdict(self)))


def compare_like_tfdv(
    connection: duckdb.DuckDBPyConnection, base: Table, test: Table, on: Sequence[str], options: Options
) -> SkewResult:
    """Compare two tables of examples.

    Raises:
        UsageError: No column identifies a row, or a confusion is asked of a feature that is no single text.
    """
    names = list(dict.fromkeys([*base.columns, *test.columns]))
    for name in on:
        if name not in names:
            base.column(name, "--on")
    keys = find_keys(_as_examples(base, test, on), _as_examples(test, base, on), on)
    counts = count_join(connection, keys)
    features = [
        _Feature(pair_columns(keys.a.columns[name], keys.b.columns[name]), options.digits)
        for name in names
        if name not in keys.on and name not in options.ignored
    ]
    left_out = counts.repeated_ids > 0 and not options.allow_repeated
    relation = join_rows(keys, [feature.pair for feature in features], without_repeated=left_out)
    result = SkewResult(_match_stats(counts), _count(connection, relation, features), 0)
    differ = " OR ".join(feature.differs for feature in features) or "FALSE"
    row = connection.execute(f"SELECT count(CASE WHEN {differ} THEN 1 END) FROM ({relation})").fetchone()
    return replace(
        result,
        skewed_pairs=row[0] if row else 0,
        skew_pairs=_sample(connection, f"FROM ({relation}) WHERE {differ}", keys, features, options.samples),
        confusion=tuple(
            count
            for feature in features
            if feature.name in options.confusion
            for count in _confuse(connection, relation, feature)
        ),
    )


def _as_examples(table: Table, other: Table, on: Sequence[str]) -> Table:
    """The table with every column of the other, null where it has none; an id without a value is none."""
    absent = {name: replace(column, kind="null") for name, column in other.columns.items() if name not in table.columns}
    columns = {**table.columns, **absent}
    selected = []
    for name, column in columns.items():
        quoted = quote_name(name)
        if name in absent:
            selected.append(f"CAST(NULL AS {column.type}) AS {quoted}")
        elif name in on and column.kind == "list":
            selected.append(f"CASE WHEN len({quoted}) > 0 THEN {quoted} END AS {quoted}")
        else:
            selected.append(quoted)
    columns = {name: replace(column, kind=find_kind(column.type)) for name, column in columns.items()}
    return Table(table.source, f"(SELECT {', '.join(selected)} FROM {table.relation})", columns)


@dataclass(frozen=True, slots=True)
class _Feature:
    """A feature, and how its values are told apart: by their text, and by the kind of number that they are."""

    pair: PairedColumn
    digits: int | None

    @property
    def name(self) -> str:
        return self.pair.name

    @property
    def same_kind(self) -> str:
        kinds = {_value_kind(self.pair.a), _value_kind(self.pair.b)}
        return "TRUE" if len(kinds) == 1 else "FALSE"

    def values(self, side: Side) -> str:
        """SQL text of the feature's values as a list of texts; null where the feature is absent."""
        column, raw = (self.pair.a if side == "a" else self.pair.b), self.pair.raw(side)
        listed = raw if column.kind == "list" else f"CASE WHEN {raw} IS NOT NULL THEN [{raw}] END"
        text = "CAST(v AS VARCHAR)"
        if _value_kind(column) == "float":
            # A float of an example has 32 bits.
            real = "CAST(v AS FLOAT)"
            text = f"CAST({real} AS VARCHAR)"
            if self.digits is not None:
                text = f"format('{{:.{self.digits}f}}', CAST({real} AS DOUBLE))"
        return f"list_transform({listed}, lambda v: {text})"

    def has(self, side: Side) -> str:
        return f"coalesce(len({self.values(side)}) > 0, FALSE)"

    @property
    def alike(self) -> str:
        """True where both have the same values, or both have none."""
        same = f"({self.same_kind} OR NOT {self.has('a')})"
        return f"({same} AND coalesce({self.values('a')} = {self.values('b')}, FALSE))"

    @property
    def present(self) -> str:
        return f"({self.pair.raw('a')} IS NOT NULL OR {self.pair.raw('b')} IS NOT NULL)"

    @property
    def differs(self) -> str:
        """A pair differs too where one side has the feature without a value, and the other does not have it."""
        return f"({self.present} AND NOT {self.alike})"


def _value_kind(column: Column) -> str:
    kind = find_kind(element_type(column.type)) if column.kind == "list" else column.kind
    return {"integer": "integer", "bool": "integer", "float": "float", "decimal": "float"}.get(kind, "text")


def _match_stats(counts: JoinCounts) -> MatchStats:
    return MatchStats(
        base_with_id_count=counts.rows[0] - counts.missing_ids[0],
        test_with_id_count=counts.rows[1] - counts.missing_ids[1],
        identifiers_count=counts.ids,
        ids_missing_in_base_count=counts.unmatched_ids[1],
        ids_missing_in_test_count=counts.unmatched_ids[0],
        matching_pairs_count=counts.pairs,
        base_missing_id_count=counts.missing_ids[0],
        test_missing_id_count=counts.missing_ids[1],
        duplicate_id_count=counts.repeated_ids,
    )


def _count(
    connection: duckdb.DuckDBPyConnection, relation: str, features: Sequence[_Feature]
) -> dict[str, FeatureSkew]:
    """The counts of every feature that any pair has."""
    asked = []
    for feature in features:
        a, b = feature.has("a"), feature.has("b")
        conditions = [
            feature.present,
            a,
            b,
            feature.alike,
            f"{a} AND NOT {b}",
            f"{b} AND NOT {a}",
            f"{a} AND {b} AND NOT {feature.alike}",
        ]
        asked += [f"count(CASE WHEN {condition} THEN 1 END)" for condition in conditions]
    row = connection.execute(f"SELECT {', '.join(asked) or '0'} FROM ({relation})").fetchone() or ()
    found = {}
    for place, feature in enumerate(features):
        present, base, test, match, base_only, test_only, mismatch = row[7 * place : 7 * place + 7]
        if present:
            different = base_only + test_only + mismatch
            found[feature.name] = FeatureSkew(base, test, match, base_only, test_only, mismatch, different)
    return found


def _sample(
    connection: duckdb.DuckDBPyConnection, where: str, keys: Keys, features: Sequence[_Feature], samples: int
) -> tuple[SkewPair, ...]:
    if not samples:
        return ()
    states = [
        f"CASE WHEN {one.alike} THEN 0 WHEN {one.has('a')} AND {one.has('b')} THEN 1 WHEN {one.has('a')} THEN 2 "
        f"WHEN {one.has('b')} THEN 3 END"
        for one in features
    ]
    ids = ", ".join(keys.names)
    rows = connection.execute(f"SELECT {', '.join(states)} {where} ORDER BY hash({ids}), {ids} LIMIT {samples}")
    pairs = []
    for row in rows.fetchall():
        lists = [tuple(one.name for one, state in zip(features, row, strict=True) if state == at) for at in range(4)]
        pairs.append(SkewPair(*lists))
    return tuple(pairs)


def _confuse(connection: duckdb.DuckDBPyConnection, relation: str, feature: _Feature) -> list[ConfusionCount]:
    """The pairs of values, most frequent first."""
    for column in (feature.pair.a, feature.pair.b):
        kind = _value_kind(column)
        if kind != "text":
            raise UsageError(
                f"feature {feature.name}: {'int64' if kind == 'integer' else 'float'} features unsupported for "
                "confusion analysis",
                remedy="Without the mode, every column of few values has a table of confusions.",
            )
    a, b = feature.values("a"), feature.values("b")
    longest = connection.execute(f"SELECT max(greatest(len({a}), len({b}))) FROM ({relation})").fetchone()
    if longest and (longest[0] or 0) > 1:
        raise UsageError(
            f"feature {feature.name}: multivalent features unsupported for confusion analysis",
            remedy="Without the mode, every column of few values has a table of confusions.",
        )
    rows = connection.execute(
        f"SELECT coalesce({a}[1], '{MISSING}') AS base, coalesce({b}[1], '{MISSING}') AS test, count(*) AS pairs "
        f"FROM ({relation}) WHERE {feature.present} GROUP BY base, test ORDER BY pairs DESC, base, test"
    ).fetchall()
    return [ConfusionCount(feature.name, *row) for row in rows]
