"""Columns: what a declaration can read, taken from a feature store's own objects.

Sources are Feast's FeatureView and RequestSource. They are read by their attributes, so that this module, and with it
the language, does not load Feast.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from skewcheck.errors import DeclarationError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type, vector
from skewcheck.language.units import parse_unit

FEAST_TYPES = {
    "Float64": FLOAT64,
    "Float32": FLOAT64,
    "Int64": INT64,
    "Int32": INT64,
    "Bool": BOOL,
    "String": STRING,
    "UnixTimestamp": TIMESTAMP,
}
"""The type of a column for each type of a Feast field. A Float32 or Int32 is widened, which is exact."""

FEAST_NAMES = {
    "Float64": "Float64",
    "Int64": "Int64",
    "Bool": "Bool",
    "String": "String",
    "Timestamp": "UnixTimestamp",
    "Vector": "Array(Float64)",
}
"""What Feast calls each type of the language, for the fields that are written."""

FEAST_VECTORS = ("Array(Float64)", "Array(Float32)")
"""The types of a Feast field that are a Vector, of as many elements as the field's tag "size" says."""

LONGEST_VECTOR = 4096
"""The most elements of a Vector column."""

Role = Literal["store", "request", "label"]


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column.

    Attributes:
        name: Its name, unique in the service.
        type: Its type.
        unit: Its unit as pint names it, None where the field states none.
        source: The name of the view or request source that it comes from; "training" for a label.
        role: "store" (retrieved by entity key), "request" (sent with the request) or "label" (known afterwards).
        definition: For a windowed column everything that decides its values, as text.
    """

    name: str
    type: Type
    unit: str | None
    source: str
    role: Role
    definition: str | None = None


@dataclass(frozen=True, slots=True)
class Sources:
    """All columns of a service by name, the feature views among its sources, and windows by the name of their view."""

    columns: dict[str, SourceColumn]
    views: tuple[Any, ...]
    windows: Mapping[str, Any] = field(default_factory=dict)


def read_sources(service: str, sources: Sequence[Any], labels: Iterable[Any] = ()) -> Sources:
    """The columns of Feast sources and label fields.

    Raises:
        DeclarationError: A source is of another kind, a field's type has no counterpart, a unit is unknown, or two
            columns share a name (also where they differ in case only, which SQL does not tell apart).
    """
    owner = f"service {service}"
    columns: list[SourceColumn] = []
    views = []
    windows = {}
    for source in sources:
        name = getattr(source, "name", None)
        if hasattr(source, "entity_columns") and hasattr(source, "features"):
            views.append(source)
            columns += [_column(owner, str(name), field, "store") for field in source.features]
        elif hasattr(source, "definitions"):
            views.append(source.view)
            windows[source.view.name] = source
            found = [_column(owner, str(name), field, "store") for field in source.view.features]
            columns += [replace(column, definition=source.definitions[column.name]) for column in found]
        elif type(source).__name__ == "RequestSource":
            columns += [_column(owner, str(name), field, "request") for field in source.schema]
        else:
            raise DeclarationError(
                f"{owner}: {source!r} is not a source",
                remedy="Give Feast FeatureView and RequestSource objects, and windows, in sources=[...].",
            )
    columns += [_column(owner, "training", field, "label") for field in labels]
    return Sources(_by_name(owner, columns), tuple(views), windows)


def read_fields(owner: str, source: str, fields: Iterable[Any]) -> tuple[SourceColumn, ...]:
    """The columns of some Feast fields.

    Raises:
        DeclarationError: As for `read_sources`.
    """
    return tuple(_by_name(owner, [_column(owner, source, item, "store") for item in fields]).values())


def _column(owner: str, source: str, field: Any, role: Role) -> SourceColumn:
    if not _is_name(field.name):
        raise DeclarationError(
            f"{owner}: {field.name!r} of {source} cannot name a column: it is empty, begins with $ or #, or "
            "has a character that no SQL text can hold",
            remedy="Rename it in its source.",
        )
    text = (getattr(field, "tags", None) or {}).get("unit")
    try:
        unit = None if text is None else parse_unit(text)
    except ValueError as error:
        raise DeclarationError(
            f"{owner}: field {field.name} of {source}: {error}",
            remedy='Use a name that pint knows, such as "mile", "degF" or "mph".',
        ) from error
    return SourceColumn(field.name, _type_of(owner, source, field), unit, source, role)


def _is_name(name: str) -> bool:
    """Whether a query can read a column of this name; those with $ or # in front are the query's own."""
    return bool(name) and not name.startswith(("$", "#")) and "\x00" not in name and _is_text(name)


def _is_text(name: str) -> bool:
    """Whether it is Unicode text, which a lone surrogate is not."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _type_of(owner: str, source: Any, field: Any) -> Type:
    name = str(field.dtype).rpartition(".")[2]
    if name in FEAST_VECTORS:
        return _vector_type(owner, source, field)
    found = FEAST_TYPES.get(name)
    if found is None:
        raise DeclarationError(
            f"{owner}: field {field.name} of {source} is {field.dtype}, which features cannot read",
            remedy=f"Declare it as one of {', '.join([*FEAST_TYPES, *FEAST_VECTORS])}.",
        )
    return found


def _vector_type(owner: str, source: Any, field: Any) -> Type:
    """The Vector of a list field: Feast does not say how long the lists are, so the field's tag does."""
    size = (getattr(field, "tags", None) or {}).get("size")
    if size is None or not re.fullmatch("[1-9][0-9]{0,3}", str(size), re.ASCII) or int(size) > LONGEST_VECTOR:
        stated = "does not say how many elements it has" if size is None else f"has the tag size={size!r}"
        raise DeclarationError(
            f"{owner}: field {field.name} of {source} is {field.dtype} and {stated}",
            remedy=f'Give it a tag with a whole number from 1 to {LONGEST_VECTOR}, such as tags={{"size": "3"}}.',
        )
    return vector(int(size))


def _by_name(owner: str, columns: Iterable[SourceColumn]) -> dict[str, SourceColumn]:
    known: dict[str, SourceColumn] = {}
    for column in columns:
        twin = known.get(column.name.casefold())
        if twin is not None:
            raise DeclarationError(
                f"{owner}: column {column.name!r} of {column.source} and column {twin.name!r} of "
                f"{twin.source} have one name" + ("" if twin.name == column.name else " but for upper and lower case"),
                remedy="Rename one of them in its source.",
            )
        known[column.name.casefold()] = column
    return {column.name: column for column in known.values()}
