"""The log's schema: one row per request, flat columns with prefixes (room: serving)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from skewcheck.errors import DeclarationError, LogError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import pyarrow as pa

VERSION = 1
"""The newest version of the log schema that this package writes and reads."""

DEFINITION_TAG = "skewcheck_definition"
STATE_TAG = "skewcheck_state"
"""The tags under which what is registered with a feature store carries the hashes of what was generated."""

METADATA_KEY = b"skewcheck.log"
"""The Parquet metadata key that holds the schema as JSON."""

_FIXED_COLUMNS = {
    "request_id": "String",
    "requested_at": "Timestamp",
    "definition_hash": "String",
    "state_hash": "String",
    "model_version": "String",
    "host": "String",
    "process": "Int64",
    "prediction": "Float64",
}
_SCALARS = ("Float64", "Int64", "Bool", "String", "Timestamp")
_VECTOR = re.compile(r"Vector\([1-9][0-9]*\)")


@dataclass(frozen=True)
class LogSchema:
    """What one service logs: names and types of everything that a replay needs.

    Types are named `Float64`, `Int64`, `Bool`, `String`, `Timestamp` (UTC, microseconds) or `Vector(n)`.
    Every column may be null; null means missing.

    Args:
        service: Name of the feature service; also the folder of its log.
        keys: Entity join keys (name to type).
        request: Inputs that arrive with the request.
        store: Values that serving reads from the online store.
        features: Features served to the model.
        views: Feature views, each with its store fields; the log holds one event time per view.

    Raises:
        DeclarationError: A name is empty or unusable, a type is unknown, two columns differ in case only, or
            a view lists a field that `store` lacks.
    """

    service: str
    keys: Mapping[str, str] = field(default_factory=dict)
    request: Mapping[str, str] = field(default_factory=dict)
    store: Mapping[str, str] = field(default_factory=dict)
    features: Mapping[str, str] = field(default_factory=dict)
    views: Mapping[str, Iterable[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for group in ("keys", "request", "store", "features"):
            object.__setattr__(self, group, dict(getattr(self, group)))
        object.__setattr__(self, "views", {view: tuple(fields) for view, fields in dict(self.views).items()})
        _check_service(self.service)
        for view, fields in self.views.items():
            for name in fields:
                if name not in self.store:
                    raise DeclarationError(
                        f"log of service {self.service!r}: view {view!r} lists the field {name!r}, "
                        "which is not among the store fields",
                        remedy=f"Add {name!r} to the store fields, or take it out of the view.",
                    )
        _check_columns(self.service, self.columns())

    def columns(self) -> dict[str, str]:
        """Every column of the log in order, with the name of its type."""
        return {
            **_FIXED_COLUMNS,
            **{f"key.{name}": kind for name, kind in self.keys.items()},
            **{f"request.{name}": kind for name, kind in self.request.items()},
            **{f"store.{name}": kind for name, kind in self.store.items()},
            **{f"event_time.{view}": "Timestamp" for view in self.views},
            **{f"status.{name}": "String" for name in self.store},
            **{f"feature.{name}": kind for name, kind in self.features.items()},
        }

    def arrow(self) -> pa.Schema:
        """The Arrow schema of a log file, with this description as its metadata."""
        import pyarrow as pa

        fields = [pa.field(name, arrow_type(kind)) for name, kind in self.columns().items()]
        return pa.schema(fields, metadata={METADATA_KEY: self.metadata().encode()})

    def metadata(self) -> str:
        """This description as JSON, the value of the Parquet metadata key `skewcheck.log`."""
        return json.dumps(
            {
                "version": VERSION,
                "service": self.service,
                "keys": self.keys,
                "request": self.request,
                "store": self.store,
                "features": self.features,
                "views": {view: list(fields) for view, fields in self.views.items()},
            },
            ensure_ascii=False,
        )

    @classmethod
    def parse(cls, metadata: str) -> LogSchema:
        """Read a description back from the metadata of a log file.

        Raises:
            LogError: It is not a description of a log, or was written by a newer version than this one.
        """
        document = parse_metadata(metadata)
        try:
            return cls(**{name: document[name] for name in cls.__dataclass_fields__})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LogError(f"the log's metadata does not describe a log: {error!r}") from error


def parse_metadata(metadata: str | bytes) -> dict[str, Any]:
    """Read the JSON under `skewcheck.log` and check its version.

    Raises:
        LogError: It is not JSON of the expected form, or its version is newer than this package knows.
    """
    try:
        document = json.loads(metadata)
        version = document["version"]
        service = document["service"]
    except (ValueError, KeyError, TypeError) as error:
        raise LogError(f"its skewcheck.log metadata cannot be read: {error!r}") from error
    if not isinstance(version, int) or not isinstance(service, str):
        raise LogError("its skewcheck.log metadata has no whole-number version or no service name")
    if version > VERSION:
        raise NewerLogError(
            f"it is a log of version {version}; this skewcheck reads versions up to {VERSION}",
            remedy="Upgrade skewcheck: pip install --upgrade skewcheck",
        )
    return dict(document)


class NewerLogError(LogError):
    """A log was written by a newer skewcheck than the one that reads it."""


def arrow_type(kind: str) -> pa.DataType:
    """The Arrow type that stores values of the type named `kind`."""
    import pyarrow as pa

    if _VECTOR.fullmatch(kind):
        return pa.list_(pa.float64())
    return {
        "Float64": pa.float64(),
        "Int64": pa.int64(),
        "Bool": pa.bool_(),
        "String": pa.string(),
        "Timestamp": pa.timestamp("us", tz="UTC"),
    }[kind]


def _check_service(service: str) -> None:
    usable = isinstance(service, str) and _encodable(service) and not re.search(r'[/\\\0*?\[\]:"<>|]', service)
    if not usable or not service.strip(". "):
        raise DeclarationError(
            f"the service name {service!r} cannot be the name of a folder",
            remedy='Name it without any of / \\ * ? [ ] : " < > | and not only with dots.',
        )


def _check_columns(service: str, columns: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for column, kind in columns.items():
        _, prefixed, name = column.partition(".")
        if (prefixed and not name) or "\0" in name or not _encodable(name):
            raise DeclarationError(
                f"log of service {service!r}: {column!r} cannot be a column name",
                remedy="Give every field a name of Unicode text without NUL.",
            )
        if kind not in _SCALARS and not (isinstance(kind, str) and _VECTOR.fullmatch(kind)):
            raise DeclarationError(
                f"log of service {service!r}: column {column!r} has the unknown type {kind!r}",
                remedy=f"Use one of {', '.join(_SCALARS)} or Vector(n).",
            )
        other = seen.setdefault(column.casefold(), column)
        if other != column:
            raise DeclarationError(
                f"log of service {service!r}: the columns {other!r} and {column!r} differ in case only, "
                "and SQL readers take them for one",
                remedy="Rename one of them.",
            )


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
