"""Which column of a log holds what: requests, keys, inputs, served features, whoever wrote the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.errors import LogError, UsageError
from skewcheck.generate.manifest import Manifest
from skewcheck.serving.reader import Log

INTEGERS = ("int64", "int32", "int16", "int8", "uint32", "uint16", "uint8")
FLOATS = ("double", "float", "halffloat")

ACCEPTED = {
    "Float64": (*FLOATS, *INTEGERS),
    "Int64": (*INTEGERS, *FLOATS),
    "Bool": ("bool",),
    "String": ("string",),
    "Vector": tuple(f"list<{number}>" for number in (*FLOATS, *INTEGERS)),
}
"""Arrow types that a column of each type may have in a log. A timestamp is told apart by its zone."""

NARROW = ("float", "halffloat", "list<float>", "list<halffloat>")
"""Arrow types with fewer digits than a Float64."""

TAKEN = ("file_index", "file_row_number", "log.file", "log.row")
"""Names of the columns that the engine adds when it reads a log."""

NO_TEXT = "CAST(NULL AS VARCHAR)"


@dataclass(frozen=True, slots=True)
class LogColumns:
    """The SQL text that reads each thing in a log; None or absent where the log does not have it.

    Attributes:
        request_id: Text of the request's id.
        requested_at: Text of the instant of the request, a TIMESTAMPTZ.
        inputs: For each column that features read.
        keys: For each join key.
        served: For each feature that was logged; NaN is read as missing.
        versions: The definition's and the state's hash.
        extra: For columns that only filters read.
        absent_features: Features that the log does not have.
        absent_keys: Join keys that the log does not have.
        lacking: For each feature, input and key that some files lack, the places of those files in the log: nothing
            is known of their rows.
        narrow: Features and inputs that are 32-bit floats or shorter, which carry about 7 digits.
        event_times: For each view whose event time was logged.
        statuses: For each column of the store whose status was logged.
        mistyped_keys: For each join key that was logged with another type, that type and the key's.
        names: For each feature, input, key and label, `request_id` and `requested_at`, the log's own name for it.
    """

    request_id: str | None
    requested_at: str | None
    inputs: dict[str, str]
    keys: dict[str, str]
    served: dict[str, str]
    versions: tuple[str, str] | None
    extra: dict[str, str]
    absent_features: tuple[str, ...]
    absent_keys: tuple[str, ...]
    lacking: dict[str, tuple[int, ...]] = field(default_factory=dict)
    narrow: tuple[str, ...] = ()
    event_times: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    mistyped_keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def without(self, names: Iterable[str]) -> tuple[int, ...]:
        """The places in the log of the files that lack at least one of some features and inputs."""
        return tuple(sorted({place for name in names for place in self.lacking.get(name, ())}))


def find_columns(
    log: Log, manifest: Manifest, *, renamed: Mapping[str, str] | None = None, assume_utc: bool = False
) -> LogColumns:
    """Find in a log what the replay of a service needs.

    A column is looked for under its prefixed name ("request.distance", "store.temp", "feature.distance_z",
    "key.origin") and then under its plain name.

    Args:
        log: The log.
        manifest: The service.
        renamed: For a name as above, or "request_id" and "requested_at", the column of the log that holds it.
        assume_utc: Read a time without a zone as UTC instead of refusing it.

    Raises:
        LogError: An input is not in the log, a column has another type, or no feature is there.
        UsageError: `renamed` names something unknown, or a column that the log does not have.
    """
    if taken := [name for name in log.columns if name.casefold() in TAKEN]:
        raise LogError(
            f"the log has a column {taken[0]!r}, and the audit uses that name for the place of each row",
            remedy="Rename the column, or audit a copy of the log without it.",
        )
    finder = _Finder(log, dict(renamed or {}), assume_utc)
    features = {feature.name: finder.find("feature", feature.name, str(feature.type)) for feature in manifest.features}
    inputs = {column.name: finder.find(column.role, column.name, str(column.type)) for column in manifest.columns}
    keys, mistyped = finder.find_keys(manifest.keys)
    places = {path: place for place, path in enumerate(log.files)}
    lacking = {
        name: tuple(places[path] for path in log.lacking[column])
        for name, column in finder.found.items()
        if column in log.lacking
    }
    filters = {
        name: finder.find("label", name, type_)
        for rule in manifest.filters
        for name, type_ in zip(rule.reads, rule.types, strict=True)
        if name not in inputs
    }
    stored = [column.name for column in manifest.columns if column.role == "store"]
    event_times = {view.name: finder.find_plain(f"event_time.{view.name}", "Timestamp") for view in manifest.views}
    statuses = {name: finder.find_plain(f"status.{name}", None) for name in stored}
    finder.check_renamed({*features, *inputs, *keys, *filters})
    if absent := [name for name, text in inputs.items() if text is None]:
        raise LogError(
            f"the log lacks {len(absent)} of {len(inputs)} inputs of service {manifest.service}: {', '.join(absent)}",
            remedy="Log every input; where a column has another name, say so with --rename NAME=COLUMN.",
        )
    served = {name: text for name, text in features.items() if text is not None}
    if not served:
        raise LogError(
            f"the log has none of the {len(features)} features of service {manifest.service}",
            remedy="Log the features as served; where a column has another name, say so with --rename NAME=COLUMN.",
        )
    definition, state = (finder.find_plain(name, "String") for name in ("definition_hash", "state_hash"))
    versions = None if definition is None and state is None else (definition or NO_TEXT, state or NO_TEXT)
    return LogColumns(
        request_id=finder.find_plain("request_id", None),
        requested_at=finder.find_plain("requested_at", "Timestamp"),
        inputs={name: text for name, text in inputs.items() if text is not None},
        keys={name: text for name, text in keys.items() if text is not None},
        served=served,
        versions=versions,
        extra={name: text for name, text in filters.items() if text is not None},
        absent_features=tuple(name for name, text in features.items() if text is None),
        absent_keys=tuple(name for name, text in keys.items() if text is None and name not in mistyped),
        lacking=lacking,
        narrow=tuple(name for name, column in finder.found.items() if log.columns[column] in NARROW),
        event_times={name: text for name, text in event_times.items() if text is not None},
        statuses={name: text for name, text in statuses.items() if text is not None},
        mistyped_keys=mistyped,
        names=finder.found | {name: finder.renamed.get(name, name) for name in ("request_id", "requested_at")},
    )


class _Finder:
    """Looks for columns of one log."""

    def __init__(self, log: Log, renamed: dict[str, str], assume_utc: bool) -> None:
        self.log = log
        self.renamed = renamed
        self.assume_utc = assume_utc
        self.used: set[str] = set()
        self.found: dict[str, str] = {}

    def find(self, role: str, name: str, type_name: str) -> str | None:
        """The text that reads a column of some role, None where it is not there."""
        for candidate in (f"{role}.{name}", name):
            if candidate in self.renamed:
                self.used.add(candidate)
                self.found[name] = self.renamed[candidate]
                return self._read(self.renamed[candidate], type_name)
        found = next((candidate for candidate in (f"{role}.{name}", name) if candidate in self.log.columns), None)
        if found is None:
            return None
        self.found[name] = found
        return self._read(found, type_name)

    def find_keys(self, keys: Mapping[str, str]) -> tuple[dict[str, str | None], dict[str, tuple[str, str]]]:
        """The text that reads each join key, and those that were logged with a type on which nothing can be joined."""
        texts: dict[str, str | None] = {}
        mistyped: dict[str, tuple[str, str]] = {}
        for name, type_ in keys.items():
            try:
                texts[name] = self.find("key", name, type_)
            except LogError:
                texts[name] = None
                mistyped[name] = (self.log.columns[self.found[name]], type_)
        return texts, mistyped

    def find_plain(self, name: str, type_name: str | None) -> str | None:
        """The text that reads a column of the log itself; of any type, as text, where no type is given."""
        column = self.renamed.get(name, name)
        self.used.add(name)
        if column not in self.log.columns:
            if name in self.renamed:
                raise self._unknown(column)
            return None
        return f"CAST({quote_name(column)} AS VARCHAR)" if type_name is None else self._read(column, type_name)

    def check_renamed(self, known: set[str]) -> None:
        """Refuse a renaming of something that does not exist."""
        for name in self.renamed:
            if name not in self.used and name not in {"request_id", "requested_at", "definition_hash", "state_hash"}:
                raise UsageError(
                    f"--rename {name}: there is no such column or feature",
                    remedy=f"There are: request_id, requested_at, {', '.join(sorted(known))}.",
                )

    def _unknown(self, column: str) -> UsageError:
        return UsageError(
            f"--rename: the log has no column {column!r}", remedy=f"It has: {', '.join(sorted(self.log.columns))}."
        )

    def _read(self, column: str, type_name: str) -> str:
        """The text that reads a column as a type, exactly or with an error."""
        if column not in self.log.columns:
            raise self._unknown(column)
        found, name = self.log.columns[column], quote_name(column)
        kind = type_name.partition("(")[0]
        if found == "null":
            return f"CAST(NULL AS {_SQL[kind]})"
        if kind == "Timestamp":
            return self._read_timestamp(column, found)
        if found not in ACCEPTED[kind]:
            raise LogError(
                f"column {column!r} of the log is {found}, expected {type_name}",
                remedy=f"Write it as {_CANONICAL[kind]}.",
            )
        if kind == "Int64" and found in FLOATS:
            # A table library without missing integers writes them as floats; whole ones are still exact.
            message = quote_text(f"column {column!r} of the log has a value that is not a whole number of Int64")
            return (
                f"CASE WHEN isnan({name}) THEN NULL WHEN {name} = floor({name}) AND abs({name}) <= 9007199254740992 "
                f"THEN CAST({name} AS BIGINT) WHEN {name} IS NOT NULL THEN error({message}) END"
            )
        return f"CAST({name} AS {_SQL[kind]})"

    def _read_timestamp(self, column: str, found: str) -> str:
        if not found.startswith("timestamp["):
            raise LogError(
                f"column {column!r} of the log is {found}, expected a timestamp with a time zone",
                remedy="Write it as timestamp[us, tz=UTC].",
            )
        if "tz=" in found:
            return f"CAST({quote_name(column)} AS TIMESTAMPTZ)"
        if not self.assume_utc:
            raise LogError(
                f"column {column!r} of the log has times without a time zone ({found})",
                remedy="Write it as timestamp[us, tz=UTC], or say --assume-utc if that is what they are.",
            )
        return f"CAST({quote_name(column)} AS TIMESTAMP) AT TIME ZONE 'UTC'"


_CANONICAL = {
    "Float64": "double",
    "Int64": "int64",
    "Bool": "bool",
    "String": "string",
    "Vector": "list<double>",
}

_SQL = {
    "Float64": "DOUBLE",
    "Int64": "BIGINT",
    "Bool": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMPTZ",
    "Vector": "DOUBLE[]",
}
