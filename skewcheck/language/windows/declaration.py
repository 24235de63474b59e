"""Declarations of windows: events, and the aggregates of them that services read like columns of a store.

The body of a feature runs once, when it is declared, so whatever is wrong with it is reported then, with its line.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import inspect
import json
import keyword
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Any, TypeVar, cast

from skewcheck.errors import DeclarationError
from skewcheck.language.sources import FEAST_NAMES, SourceColumn, read_fields
from skewcheck.language.types import INT64, STRING, Type
from skewcheck.language.windows import aggregates  # noqa: F401 (registers the aggregates)
from skewcheck.language.windows.aggregate import REGISTRY, Aggregate
from skewcheck.language.windows.durations import parse_window, print_duration
from skewcheck.language.windows.window import CLOSED, Closed, Window

WindowFunction = TypeVar("WindowFunction", bound=Callable[..., Any])

KEY_TYPES = {"INT64": INT64, "INT32": INT64, "STRING": STRING}


@dataclass(frozen=True, slots=True)
class Aggregated:
    """What the body of a windowed feature builds: an aggregate of a column, or of the events, over a window."""

    aggregate: Aggregate
    column: SourceColumn | None
    length: int | None

    @property
    def type(self) -> Type:
        """The type of its values."""
        return self.aggregate.result_type(self.column.type if self.column else None)

    @property
    def unit(self) -> str | None:
        """Their unit."""
        return self.aggregate.result_unit(self.column.unit if self.column else None)


@dataclass(frozen=True, slots=True)
class EventColumn:
    """The values of one column of the events, or the events themselves. Every aggregate is a method of it."""

    column: SourceColumn | None

    def __getattr__(self, name: str) -> Callable[..., Aggregated]:
        if name.startswith("__"):
            raise AttributeError(name)
        kind = REGISTRY.get(name)
        if kind is None:
            near = difflib.get_close_matches(name, REGISTRY, n=1)
            raise DeclarationError(
                f"there is no aggregate {name!r}",
                remedy=f"Did you mean {near[0]!r}?" if near else f"The aggregates are: {', '.join(sorted(REGISTRY))}.",
            )
        return lambda *given, **named: _apply(kind, self.column, given, named)


@dataclass(frozen=True)
class Events:
    """Events of a key: a table in which every row is something that happened at an instant. Made by `sk.events`.

    Its aggregates are of the events themselves, such as `payments.count("1h")`.
    """

    name: str
    source: Any
    entities: tuple[Any, ...]
    keys: Mapping[str, Type]
    columns: Mapping[str, SourceColumn]

    def count(self, window: str) -> Aggregated:
        """How many events there are in a window."""
        return _apply(REGISTRY["count"], None, (window,), {})

    def time_since_last(self, window: str) -> Aggregated:
        """Seconds since the last event in a window."""
        return _apply(REGISTRY["time_since_last"], None, (window,), {})


@dataclass(frozen=True, slots=True)
class WindowFeature:
    """One declared aggregate over a window.

    Attributes:
        name: The function's name, and the name of the column that services read.
        aggregated: What its body built.
        window: The events that count.
        documentation: The docstring.
        place: File and line of the function.
    """

    name: str
    aggregated: Aggregated
    window: Window
    documentation: str
    place: str

    @property
    def aggregate(self) -> Aggregate:
        """The aggregate."""
        return self.aggregated.aggregate

    @property
    def column(self) -> str | None:
        """The column that is aggregated, None for the events themselves."""
        return self.aggregated.column.name if self.aggregated.column else None

    @property
    def type(self) -> Type:
        """The type of its values."""
        return self.aggregated.type


@dataclass
class Windows:
    """Aggregates of some events over windows, one row for each key: a source of services. Made by `sk.windows`."""

    name: str
    events: Events
    closed: Closed
    path: str
    _features: dict[str, WindowFeature] = field(default_factory=dict)

    def feature(self, function: WindowFunction) -> WindowFunction:
        """Declare a feature: an aggregate over a window.

        Its parameters are columns of the events; without any it aggregates the events themselves.

        Raises:
            DeclarationError: Its name is taken or cannot be one, it reads what the events do not have, its body does
                not build an aggregate, or a service has read these windows already.
        """
        if not isinstance(function, FunctionType):
            raise DeclarationError(f"windows {self.name}: a feature is a function, and this is {function!r}")
        name, place = function.__name__, f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"
        self._check_name(name, place)
        given = [self._argument(name, place, parameter) for parameter in inspect.signature(function).parameters]
        try:
            result = function(*given)
        except DeclarationError as error:
            raise DeclarationError(f"{name} ({place}): {error.message}", remedy=error.remedy) from error
        except Exception as error:
            raise DeclarationError(
                f"{name} ({place}): its body raised {type(error).__name__}: {error}",
                remedy="A body may only aggregate its parameters; it runs once, without any event.",
            ) from error
        if not isinstance(result, Aggregated):
            column = result.column.name if isinstance(result, EventColumn) and result.column else None
            raise DeclarationError(
                f"{name} ({place}) returns {f'the column {column}' if column else repr(result)}, expected an aggregate",
                remedy='Return one, such as amount.sum("7d"); combine them in a feature of a service.',
            )
        window = Window(result.length, self.closed)
        documentation = inspect.cleandoc(function.__doc__ or "")
        self._features[name] = WindowFeature(name, result, window, documentation, place)
        return function

    @property
    def features(self) -> tuple[WindowFeature, ...]:
        """The features in the order of their declaration.

        Raises:
            DeclarationError: There is none.
        """
        if not self._features:
            raise DeclarationError(
                f"windows {self.name} have no features",
                remedy="Declare one with @<windows>.feature above a function, before a service reads them.",
            )
        return tuple(self._features.values())

    @cached_property
    def view(self) -> Any:
        """The Feast view that serves them, of the values that were last materialised."""
        import feast
        from feast import types as feast_types

        names = {INT64: feast_types.Int64, STRING: feast_types.String}
        fields = [feast.Field(name=key, dtype=names[type_]) for key, type_ in self.events.keys.items()]
        for feature in self.features:
            tags = {"size": str(feature.type.size)} if feature.type.size else {}
            tags |= {"unit": feature.aggregated.unit} if feature.aggregated.unit else {}
            kind = getattr(feast_types, "Float64" if feature.type.name == "Vector" else FEAST_NAMES[feature.type.name])
            dtype = feast_types.Array(kind) if feature.type.size else kind
            fields.append(feast.Field(name=feature.name, dtype=dtype, description=feature.documentation, tags=tags))
        source = feast.FileSource(name=f"{self.name}_values", path=self.path, timestamp_field="event_timestamp")
        return feast.FeatureView(
            name=self.name, entities=list(self.events.entities), schema=fields, source=source, online=True
        )

    @property
    def definitions(self) -> dict[str, str]:
        """For each feature everything that decides its values, as JSON text."""
        return {feature.name: json.dumps(self._describe(feature), sort_keys=True) for feature in self.features}

    @property
    def definition(self) -> str:
        """The hash of everything that decides the values of all features (64 hexadecimal digits)."""
        return hashlib.sha256(json.dumps(self.definitions, sort_keys=True).encode()).hexdigest()

    def _describe(self, feature: WindowFeature) -> dict[str, Any]:
        source, column = self.events.source, feature.aggregated.column
        constants = {item.name: getattr(feature.aggregate, item.name) for item in dataclasses.fields(feature.aggregate)}
        return {
            "events": self.events.name,
            "keys": {key: str(type_) for key, type_ in self.events.keys.items()},
            "timestamp": source.timestamp_field,
            "created": source.created_timestamp_column or None,
            "column": [column.name, str(column.type)] if column else None,
            "aggregate": feature.aggregate.name,
            "constants": constants,
            "window": feature.window.length,
            "closed": feature.window.closed,
        }

    def _check_name(self, name: str, place: str) -> None:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name) or "__" in name:
            raise DeclarationError(
                f"windows {self.name}: {name!r} cannot name a feature ({place})",
                remedy="Use ASCII letters, digits and single underscores, beginning with a letter.",
            )
        taken = {known.casefold() for known in (*self._features, *self.events.keys, "event_timestamp")}
        if name.casefold() in taken:
            raise DeclarationError(
                f"windows {self.name}: the name of feature {name} ({place}) is taken", remedy="Rename it."
            )
        if "view" in vars(self):
            raise DeclarationError(
                f"windows {self.name}: feature {name} ({place}) is declared after a service has read them",
                remedy="Declare every feature of the windows above sk.features(...).",
            )

    def _argument(self, name: str, place: str, parameter: str) -> EventColumn:
        column = self.events.columns.get(parameter)
        if column is None:
            near = difflib.get_close_matches(parameter, self.events.columns, n=1)
            known = ", ".join(sorted(self.events.columns)) or "none"
            raise DeclarationError(
                f"{name} ({place}) reads {parameter!r}, which is no column of {self.events.name}",
                remedy=f"Did you mean {near[0]!r}?" if near else f"There are: {known}.",
            )
        return EventColumn(column)


def events(name: str, *, source: Any, by: Any, schema: Sequence[Any]) -> Events:
    """Events to aggregate over windows.

    Args:
        name: What they are called.
        source: A Feast FileSource with Parquet files: its `timestamp_field` is the event time, and its
            `created_timestamp_column`, where it has one, the time from which on a row was known.
        by: The Feast entity whose events they are, or several.
        schema: Feast fields of the columns that can be aggregated. A field's tag `unit` states its unit.

    Raises:
        DeclarationError: The name, an entity or a field cannot be used.
    """
    _check_own_name("events", name)
    entities = tuple(by) if isinstance(by, (list, tuple)) else (by,)
    keys: dict[str, Type] = {}
    for entity in entities:
        type_ = KEY_TYPES.get(getattr(getattr(entity, "value_type", None), "name", ""))
        if type_ is None:
            raise DeclarationError(
                f"events {name}: {entity!r} cannot be a key",
                remedy="Give a Feast Entity with the value_type INT64 or STRING as by=.",
            )
        keys[entity.join_key] = type_
    if not keys or not hasattr(source, "timestamp_field") or not hasattr(source, "path"):
        raise DeclarationError(
            f"events {name} need at least one entity and a source of files",
            remedy="Give by=<entity> and source=FileSource(path=..., timestamp_field=...).",
        )
    columns = {column.name: column for column in read_fields(f"events {name}", name, schema)}
    if vectors := [column.name for column in columns.values() if column.type.size]:
        raise DeclarationError(
            f"events {name}: {', '.join(vectors)} is a vector, which no aggregate takes", remedy="Leave it out."
        )
    return Events(name, source, entities, keys, columns)


def windows(name: str, events: Events, *, closed: str = "right", path: str | None = None) -> Windows:
    """Begin a group of windowed features of some events, which services read like a feature view.

    Args:
        name: The name of the group, and of the Feast view that serves it.
        events: The events.
        closed: Which edges belong to every window: "right" (t − w, t], "left" [t − w, t), "both" or "neither". With
            "left" and "neither" an event at the instant itself, such as the one that is asked about, does not count.
        path: The Parquet file of the materialised values, from the feature repo's folder on.

    Raises:
        DeclarationError: The name, the events or `closed` cannot be used.
    """
    _check_own_name("windows", name)
    if not isinstance(events, Events):
        raise DeclarationError(
            f"windows {name} are of {type(events).__name__}, expected events", remedy="Give what sk.events returned."
        )
    if closed not in CLOSED:
        raise DeclarationError(
            f"windows {name}: closed is {closed!r}", remedy=f"Choose one of {', '.join(map(repr, CLOSED))}."
        )
    return Windows(name, events, cast("Closed", closed), path or f"data/windows/{name}.parquet")


def _check_own_name(what: str, name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or "__" in name:
        raise DeclarationError(
            f"{name!r} cannot name {what}", remedy="Use lower-case letters, digits and single underscores."
        )


def _apply(
    kind: type[Aggregate], column: SourceColumn | None, given: Sequence[Any], named: Mapping[str, Any]
) -> Aggregated:
    """An aggregate with its constants: those without a default first, then the window, then the others by name."""
    constants = [item for item in dataclasses.fields(kind) if item.name != "whole"]
    needed = [item.name for item in constants if item.default is dataclasses.MISSING]
    optional = [item.name for item in constants if item.default is not dataclasses.MISSING]
    order = [inspect.Parameter(item, inspect.Parameter.POSITIONAL_OR_KEYWORD) for item in (*needed, "window")]
    order += [inspect.Parameter(item, inspect.Parameter.KEYWORD_ONLY, default=None) for item in optional]
    try:
        bound = inspect.Signature(order).bind(*given, **named).arguments
    except TypeError as error:
        signature = ", ".join([*needed, "window", *(f"{item}=…" for item in optional)])
        raise DeclarationError(f"{kind.name}: {error}", remedy=f"Write it as {kind.name}({signature}).") from error
    type_ = column.type if column else None
    if column is not None and type_ not in kind.takes:
        accepted = ", ".join(map(str, kind.takes))
        raise DeclarationError(f"{kind.name} takes {accepted}, and {column.name} is {type_}")
    try:
        length = parse_window(bound.pop("window"))
        aggregate = kind(**bound, whole=type_ == INT64)
        aggregate.check(type_)
    except ValueError as error:
        raise DeclarationError(f"{kind.name}: {error}") from error
    return Aggregated(aggregate, column, length)


def describe(feature: WindowFeature) -> str:
    """A feature as it could be declared, such as `amount.sum(7d)`."""
    constants = [
        f"{item.name}={getattr(feature.aggregate, item.name)!r}"
        for item in dataclasses.fields(feature.aggregate)
        if item.name != "whole"
    ]
    window = ", ".join([*constants, print_duration(feature.window.length)])
    return f"{feature.column or 'events'}.{feature.aggregate.name}({window})"
