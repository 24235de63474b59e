"""Snapshots: everything that a version declares, as plain data (room: changes).

A snapshot is made in a process of its own, in which the version's code runs, and read in this one, in which it does
not: expressions come back as the language's own objects.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from skewcheck.changes.serialization import read_expression, write_expression
from skewcheck.errors import SkewcheckError
from skewcheck.language.expressions import Column, Expression, walk
from skewcheck.language.types import Type, parse_type

FORMAT = "skewcheck/snapshot/1"

Statistics = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class DeclaredFeature:
    """A feature, or a rule of the training filter.

    Attributes:
        name: Its name.
        expression: What its body built.
        documentation: Its docstring.
        features_read: The features that it is computed from, directly or not.
        path: The file that declares it, from the feature repo on.
        line: The line there.
    """

    name: str
    expression: Expression
    documentation: str = ""
    features_read: tuple[str, ...] = ()
    path: str = ""
    line: int = 1

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it reads, in the order of first use."""
        names = [node.operator.column for node in walk(self.expression) if isinstance(node.operator, Column)]
        return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """A column of a service.

    Attributes:
        name: Its name.
        type: Its type in the language.
        unit: Its unit, None where none is stated.
        source: The view or request source that it comes from.
        role: "store", "request" or "label".
        stored_as: Its type in Feast's words.
        definition: For a windowed column everything that decides its values, as text.
    """

    name: str
    type: Type
    unit: str | None
    source: str
    role: str
    stored_as: str = ""
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class FrozenState:
    """A service's `state.json`: its hash, what it was fitted to, and the statistics."""

    hash: str
    fit: str
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class DeclaredService:
    """A service.

    Attributes:
        name: Its name.
        features: Its features in the order of their declaration.
        filters: The rules of its training filter.
        columns: Its columns by name.
        training: Where its training rows are, as the declaration says; empty where it does not.
        definition: The fingerprint of the declaration, as the installed libraries expand it.
        fit: The fingerprint of what its statistics depend on.
        state: The frozen statistics; None where there are none.
        generated: The definition that its generated code was made of; None where there is none.
        sources: The sources of its columns, by name: their settings without what is documentation alone.
        keys: For each view its join keys with their types.
        places: For each source the file and the line that make it.
    """

    name: str
    features: tuple[DeclaredFeature, ...]
    filters: tuple[DeclaredFeature, ...] = ()
    columns: dict[str, DeclaredColumn] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    definition: str = ""
    fit: str = ""
    state: FrozenState | None = None
    generated: str | None = None
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=dict)
    places: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def views(self) -> dict[str, dict[str, Any]]:
        """The settings of its feature views, by name."""
        return {name: settings for name, settings in self.sources.items() if settings["kind"] == "view"}

    def feature(self, name: str) -> DeclaredFeature | None:
        """The feature of a name, None where there is none."""
        return next((feature for feature in self.features if feature.name == name), None)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version.

    Attributes:
        services: Its services by name.
        files: The hash of every file of the repository that its declarations read, other than Python's own.
        data: The hash of every source's file that is there, by its path.
        libraries: What the version's own files say of the libraries that operators depend on.
        unstable: Features whose meaning was another one when the declarations were loaded a second time.
    """

    services: dict[str, DeclaredService]
    files: dict[str, str] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    libraries: dict[str, str] = field(default_factory=dict)
    unstable: tuple[str, ...] = ()

    def to_json(self) -> str:
        """The snapshot as JSON text."""
        services = []
        for service in self.services.values():
            body = {
                name: getattr(service, name)
                for name in ("name", "training", "definition", "fit", "generated", "sources", "keys", "places")
            }
            body["features"] = [_write_feature(feature) for feature in service.features]
            body["filters"] = [_write_feature(rule) for rule in service.filters]
            body["columns"] = [{**asdict(c), "type": str(c.type)} for c in service.columns.values()]
            body["state"] = None if service.state is None else asdict(service.state)
            services.append(body)
        rest = {name: getattr(self, name) for name in ("files", "data", "libraries", "unstable")}
        return json.dumps({"format": FORMAT, "services": services, **rest}, ensure_ascii=True)

    @staticmethod
    def from_json(text: str) -> Snapshot:
        """The snapshot that `to_json` wrote.

        Raises:
            SkewcheckError: The text is no snapshot of this format.
        """
        try:
            data = json.loads(text)
            _check_format(data["format"])
            services = [_read_service(service) for service in data["services"]]
            return Snapshot(
                {service.name: service for service in services},
                data["files"],
                data["data"],
                data["libraries"],
                tuple(data["unstable"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SkewcheckError(f"not a snapshot of format {FORMAT}: {error!r}") from error


def _check_format(found: Any) -> None:
    if found != FORMAT:
        raise ValueError(found)


def _write_feature(feature: DeclaredFeature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "expression": write_expression(feature.expression),
        "documentation": feature.documentation,
        "features_read": feature.features_read,
        "path": feature.path,
        "line": feature.line,
    }


def _read_feature(data: dict[str, Any]) -> DeclaredFeature:
    return DeclaredFeature(
        **{**data, "expression": read_expression(data["expression"]), "features_read": tuple(data["features_read"])}
    )


def _read_service(data: dict[str, Any]) -> DeclaredService:
    columns = (DeclaredColumn(**{**column, "type": parse_type(column["type"])}) for column in data["columns"])
    return DeclaredService(
        **{
            **data,
            "features": tuple(_read_feature(feature) for feature in data["features"]),
            "filters": tuple(_read_feature(rule) for rule in data["filters"]),
            "columns": {column.name: column for column in columns},
            "state": None if data["state"] is None else FrozenState(**data["state"]),
        }
    )
