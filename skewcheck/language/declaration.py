"""Declarations: what a team writes in `features/`.

A service collects features over sources. A feature is a function: its name is the feature, its parameters are the
columns or other features it reads, its docstring is the documentation, and its body builds an expression. The body
runs once, when the feature is declared, so whatever is wrong with it is reported then, with its file and line.
"""

from __future__ import annotations

import difflib
import inspect
import keyword
import re
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import FunctionType
from typing import Any, TypeVar

from skewcheck.errors import DeclarationError
from skewcheck.language import operators  # noqa: F401 (registers the operators)
from skewcheck.language.expressions import Column, Expression, constant, fitted_nodes, walk
from skewcheck.language.sources import SourceColumn, Sources, read_sources
from skewcheck.language.types import BOOL, Type

FeatureFunction = TypeVar("FeatureFunction", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The rows that a service is trained on.

    Attributes:
        entities: A Parquet file with one row for each training example: the join keys, the request's columns, the
            labels, and the time of the request. Relative to the repository's root.
        timestamp: The column with the time of the request.
        labels: Feast fields that are known only afterwards. Filters may read them, features may not.
        start: The first day that counts (ISO 8601), None for no limit.
        end: The first day that no longer counts.
        labels_known_at: The column with the time at which a row's labels became known. Rows whose labels were not yet
            known at the cut are left out of training and never read as negative. None where every label is final.
    """

    entities: str
    timestamp: str = "event_timestamp"
    labels: Sequence[Any] = ()
    start: str | None = None
    end: str | None = None
    labels_known_at: str | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            try:
                if value is not None:
                    datetime.fromisoformat(value)
            except (TypeError, ValueError) as error:
                raise DeclarationError(
                    f"TrainingSet: {name} is {value!r}, expected a date such as 2013-07-01",
                    remedy="Write it as ISO 8601.",
                ) from error


@dataclass(frozen=True, slots=True)
class Feature:
    """One declared feature (or one rule of the training filter).

    Attributes:
        name: The function's name.
        expression: What its body built.
        reads: The columns that it depends on, also through other features.
        documentation: The docstring.
        place: File and line of the function.
        windows: The definitions of the windowed columns among those that it reads.
    """

    name: str
    expression: Expression
    reads: tuple[str, ...]
    documentation: str
    place: str
    windows: tuple[str, ...] = ()

    @property
    def type(self) -> Type:
        """The type of its values."""
        return self.expression.type


@dataclass
class Service:
    """A named set of features over sources, which one model reads. Made by `sk.features`."""

    name: str
    sources: Sources
    training: TrainingSet | None = None
    _functions: dict[str, FunctionType] = field(default_factory=dict)
    _features: dict[str, Feature] = field(default_factory=dict)
    _filters: dict[str, Feature] = field(default_factory=dict)

    def feature(self, function: FeatureFunction) -> FeatureFunction:
        """Declare a feature.

        Raises:
            DeclarationError: Its name is taken or cannot be one, it reads something that no source has, or its body
                does not build an expression. The message names the feature and the line.
        """
        plain = self._check_function(function, "feature")
        self._functions[plain.__name__] = plain
        if all(name in self._features or name in self.sources.columns for name in _parameters(plain)):
            self._declare(plain.__name__, ())
        return function

    def trained_on(self, function: FeatureFunction) -> FeatureFunction:
        """Declare a rule of the training filter: training keeps the rows for which it is True.

        Several rules all have to hold; a missing result drops the row. A rule may read labels.
        """
        plain = self._check_function(function, "filter")
        rule = self._build(plain, labels=True)
        if rule.type != BOOL:
            raise DeclarationError(
                f"filter {rule.name} ({rule.place}) gives {rule.type}, expected Bool",
                remedy="Return a comparison.",
            )
        if fitted_nodes(rule.expression):
            raise DeclarationError(
                f"filter {rule.name} ({rule.place}) needs statistics of the rows that it keeps",
                remedy="Compare with a constant; a fitted operator can only be used in a feature.",
            )
        self._filters[rule.name] = rule
        return function

    @property
    def features(self) -> tuple[Feature, ...]:
        """The features in the order of their declaration.

        Raises:
            DeclarationError: There is none, one reads what no source has, or some read each other in a circle.
        """
        for name in self._functions:
            self._declare(name, ())
        if not self._functions:
            raise DeclarationError(
                f"service {self.name} has no features",
                remedy="Declare one with @<service>.feature above a function.",
            )
        return tuple(self._features[name] for name in self._functions)

    @property
    def filters(self) -> tuple[Feature, ...]:
        """The rules of the training filter, in the order of their declaration."""
        return tuple(self._filters.values())

    def columns(self, roles: Iterable[str] = ("store", "request")) -> tuple[SourceColumn, ...]:
        """The columns of some roles that at least one feature reads, in the order of the sources."""
        wanted = set(roles)
        read = {name for feature in self.features for name in feature.reads}
        return tuple(c for c in self.sources.columns.values() if c.role in wanted and c.name in read)

    def _declare(self, name: str, path: tuple[str, ...]) -> Feature:
        """Build a feature after those that it reads."""
        if name in self._features:
            return self._features[name]
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            raise DeclarationError(
                f"features of service {self.name} read each other in a circle: {circle} "
                f"({_place(self._functions[name])})",
                remedy="Let one of them read a column instead.",
            )
        for parameter in _parameters(self._functions[name]):
            if parameter in self._functions:
                self._declare(parameter, (*path, name))
        self._features[name] = self._build(self._functions[name], labels=False)
        return self._features[name]

    def _check_function(self, function: Callable[..., Any], what: str) -> FunctionType:
        if not isinstance(function, FunctionType):
            raise DeclarationError(f"service {self.name}: a {what} is a function, and this is {function!r}")
        name, place = function.__name__, _place(function)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name) or "__" in name:
            raise DeclarationError(
                f"service {self.name}: {name!r} cannot name a {what} ({place})",
                remedy="Use ASCII letters, digits and single underscores, beginning with a letter.",
            )
        taken = {known.casefold(): known for known in (*self._functions, *self._filters, *self.sources.columns)}
        if name.casefold() in taken:
            raise DeclarationError(
                f"service {self.name}: the name of {what} {name} ({place}) is taken by {taken[name.casefold()]!r}",
                remedy="Features, filters and columns need names that differ in more than case; rename one.",
            )
        return function

    def _build(self, function: FunctionType, *, labels: bool) -> Feature:
        name, place = function.__name__, _place(function)
        arguments = [self._argument(name, place, parameter, labels=labels) for parameter in _parameters(function)]
        try:
            result = function(*arguments)
        except DeclarationError as error:
            raise DeclarationError(
                f"{name} ({_line(function, error)}): {error.message}", remedy=error.remedy
            ) from error
        except Exception as error:
            raise DeclarationError(
                f"{name} ({_line(function, error)}): its body raised {type(error).__name__}: {error}",
                remedy="A body may only combine its parameters with operators; it runs once, without any row.",
            ) from error
        if not isinstance(result, Expression):
            if result is None or not isinstance(result, (bool, int, float, str)):
                raise DeclarationError(
                    f"{name} ({place}) returns {result!r}, expected an expression",
                    remedy="Return the expression it builds.",
                )
            result = constant(result)
        found = [node.operator.column for node in walk(result) if isinstance(node.operator, Column)]
        reads = tuple(dict.fromkeys(found))
        windows = tuple(text for column in reads if (text := self.sources.columns[column].definition))
        return Feature(name, result, reads, inspect.cleandoc(function.__doc__ or ""), place, windows)

    def _argument(self, name: str, place: str, parameter: str, *, labels: bool) -> Expression:
        if parameter in self._features:
            return self._features[parameter].expression
        column = self.sources.columns.get(parameter)
        if column is None:
            known = [*self.sources.columns, *self._functions]
            near = difflib.get_close_matches(parameter, known, n=1)
            raise DeclarationError(
                f"{name} ({place}) reads {parameter!r}, which is no column of its sources and no feature",
                remedy=(f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(sorted(known))}.")
                + " (A join key can be read where the request carries its value under another name.)",
            )
        if column.role == "label" and not labels:
            raise DeclarationError(
                f"{name} ({place}) reads {parameter!r}, a label that is known only after the request",
                remedy="A feature can read what serving has: columns of views and of the request.",
            )
        return Expression(Column(column.name, column.type), (), column.type, column.unit)


def features(name: str, *, sources: Sequence[Any], training: TrainingSet | None = None) -> Service:
    """Begin a service: features over Feast sources.

    Args:
        name: The service's name, also of its folder under `codegen/` and of Feast's feature service.
        sources: Feast FeatureView and RequestSource objects. A field's tag `unit` states its unit.
        training: Where the training rows are.

    Raises:
        DeclarationError: The name or a source cannot be used.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise DeclarationError(
            f"{name!r} cannot name a service", remedy="Use lower-case letters, digits and underscores."
        )
    return Service(name, read_sources(name, sources, training.labels if training else ()), training)


def _parameters(function: FunctionType) -> list[str]:
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty:
            raise DeclarationError(
                f"{function.__name__} ({_place(function)}): parameter {parameter} is not a plain name",
                remedy="Name the columns and features it reads, without defaults, * or **.",
            )
    return [parameter.name for parameter in parameters]


def _place(function: FunctionType) -> str:
    return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"


def _line(function: FunctionType, error: BaseException) -> str:
    """The line of the function's own file nearest to where the error arose."""
    filename = function.__code__.co_filename
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == filename]
    return f"{filename}:{lines[-1]}" if lines else _place(function)
