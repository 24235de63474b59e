"""The manifest: what a service's generated code is, as plain data, for everything that runs without the declaration."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from skewcheck.engines.duckdb import write_query
from skewcheck.errors import StateError
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import expand, render
from skewcheck.language.opaque import name_functions
from skewcheck.language.types import Type, parse_type

FORMAT = "skewcheck/manifest/1"

QUERY_FILES = {"duckdb": "features.sql", "spark": "features.spark.sql"}
"""The file with the query of each engine that runs queries."""


@dataclass(frozen=True, slots=True)
class ManifestColumn:
    """A column that features read; `role` is "store" or "request", `source` the view or request source."""

    name: str
    type: Type
    unit: str | None
    source: str
    role: str


@dataclass(frozen=True, slots=True)
class ManifestView:
    """A feature view: its join keys with their types, and the columns of it that features read."""

    name: str
    keys: dict[str, str]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ManifestFeature:
    """A feature: its type, unit, expression, the columns it reads, and how far engines may differ (0: not at all).

    `opaque` names the opaque functions that it calls.
    """

    name: str
    type: Type
    unit: str | None
    expression: str
    reads: tuple[str, ...]
    tolerance: float
    documentation: str
    opaque: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ManifestFilter:
    """A rule of the training filter; `query` adds the Bool column "$kept" to a relation called `inputs`.

    `opaque` names the opaque functions that it calls.
    """

    name: str
    reads: tuple[str, ...]
    types: tuple[str, ...]
    query: str
    opaque: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a service's generated code but the code."""

    service: str
    definition: str
    state: str
    sources: tuple[str, ...]
    columns: tuple[ManifestColumn, ...]
    views: tuple[ManifestView, ...]
    features: tuple[ManifestFeature, ...]
    filters: tuple[ManifestFilter, ...]
    files: dict[str, str] = field(default_factory=dict)
    """The hash of every other generated file, by its name."""

    @property
    def calls_functions(self) -> bool:
        """Whether a query of the service calls an opaque function."""
        return any(feature.opaque for feature in self.features) or any(rule.opaque for rule in self.filters)

    @property
    def keys(self) -> dict[str, str]:
        """Every join key with its type."""
        return {key: type_ for view in self.views for key, type_ in view.keys.items()}

    def to_json(self) -> str:
        """The manifest as JSON text."""
        return json.dumps({"format": FORMAT, **_plain(asdict(self))}, indent=1, ensure_ascii=True) + "\n"


def describe_service(service: Service, definition: str, state: str, keys: Mapping[str, Mapping[str, Type]]) -> Manifest:
    """The manifest of a declaration, given the join keys of every view."""
    columns = service.columns()
    read = {column.name for column in columns}
    views = []
    for view in service.sources.views:
        fields = tuple(field.name for field in view.features if field.name in read)
        if fields:
            types = {key: str(type_) for key, type_ in keys[view.name].items()}
            views.append(ManifestView(view.name, types, fields))
    return Manifest(
        service=service.name,
        definition=definition,
        state=state,
        sources=tuple(dict.fromkeys(column.source for column in columns)),
        columns=tuple(ManifestColumn(c.name, c.type, c.unit, c.source, c.role) for c in columns),
        views=tuple(views),
        features=tuple(
            ManifestFeature(
                feature.name,
                feature.type,
                feature.expression.unit,
                render(feature.expression),
                feature.reads,
                0.0,
                feature.documentation,
                name_functions(feature.expression),
            )
            for feature in service.features
        ),
        filters=tuple(
            ManifestFilter(
                rule.name,
                rule.reads,
                tuple(str(service.sources.columns[name].type) for name in rule.reads),
                write_query({"$kept": expand(rule.expression, None)}),
                name_functions(rule.expression),
            )
            for rule in service.filters
        ),
    )


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file.

    Raises:
        StateError: There is none, or it is not a manifest of this format.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise StateError(f"there is no manifest at {path}", remedy="Run `skewcheck generate`.") from None
    except (OSError, ValueError) as error:
        raise StateError(f"{path} cannot be read as a manifest: {error}", remedy="Run `skewcheck generate`.") from error
    if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
        raise StateError(f"{path} is not {FORMAT}", remedy="Run `skewcheck generate` with this version of skewcheck.")
    try:
        return _from_plain(data)
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(
            f"{path} lacks a part or has a wrong one: {error!r}", remedy="Run `skewcheck generate` again."
        ) from error


def read_generated(directory: Path, manifest: Manifest, name: str) -> str:
    """The text of a generated file, which must be the one that the manifest was written with.

    Raises:
        StateError: It is not there, or was changed since.
    """
    path = directory / name
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{path} cannot be read: {error}", remedy="Run `skewcheck generate`.") from error
    if hash_text(text) != manifest.files.get(name):
        raise StateError(
            f"{path} was changed after it was generated",
            remedy="Run `skewcheck generate`; to change what it computes, change the declaration.",
        )
    return text


def hash_text(text: str) -> str:
    """The SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _from_plain(data: dict[str, Any]) -> Manifest:
    """The inverse of `_plain`."""
    return Manifest(
        service=data["service"],
        definition=data["definition"],
        state=data["state"],
        sources=tuple(data["sources"]),
        columns=tuple(ManifestColumn(**{**c, "type": parse_type(c["type"])}) for c in data["columns"]),
        views=tuple(ManifestView(v["name"], v["keys"], tuple(v["columns"])) for v in data["views"]),
        features=tuple(
            ManifestFeature(
                **{**f, "type": parse_type(f["type"]), "reads": tuple(f["reads"]), "opaque": tuple(f.get("opaque", ()))}
            )
            for f in data["features"]
        ),
        filters=tuple(
            ManifestFilter(f["name"], tuple(f["reads"]), tuple(f["types"]), f["query"], tuple(f.get("opaque", ())))
            for f in data["filters"]
        ),
        files=dict(data["files"]),
    )


def _plain(value: Any) -> Any:
    """Types as their names; what calls no opaque function does not mention any."""
    if isinstance(value, dict):
        if set(value) == {"name", "size"}:
            return str(Type(**value))
        return {key: _plain(item) for key, item in value.items() if (key, item) != ("opaque", ())}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
