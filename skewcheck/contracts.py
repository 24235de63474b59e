"""What the contracts have in common: problems, and JSON text of a named schema (ground floor of the house)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, time
from typing import Any, Literal, TypeVar

from skewcheck.errors import SkewcheckError

Contract = TypeVar("Contract")

EXIT_CODES = {"pass": 0, "fail": 1, "incomplete": 3}
"""What a command ends with, by its verdict; 2 is wrong usage."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # UTF-8 cannot hold these; JSON can, as an escape


@dataclass(frozen=True, slots=True)
class Problem:
    """Something the reader must know: an unreadable file, a stage not replayed, an unknown hash.

    An "error" makes the verdict incomplete; a "warning" does not. `where` names the file, column or stage.
    """

    severity: Literal["error", "warning"]
    where: str
    message: str
    remedy: str | None = None


def plain_value(value: Any) -> Any:
    """A value as JSON can hold it: what a report shows is the same before and after a verdict is written.

    A number that JSON has no literal for is the string "NaN", "Infinity" or "-Infinity"; a date or time is ISO 8601
    text; a value of any other type is its text. None, which is missing, stays None.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    if hasattr(value, "tolist"):  # a NumPy scalar or array, without importing NumPy
        return plain_value(value.tolist())
    return str(value)


def write_contract(schema: str, body: Mapping[str, Any]) -> str:
    """Plain data as JSON text that begins with its schema and ends in a newline; it can always be encoded as UTF-8.

    Raises:
        ValueError: A number is not finite; `plain_value` says such a one in words.
    """
    text = json.dumps({"schema": schema, **body}, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def read_contract(
    text: str, schema: str, build: Callable[[dict[str, Any]], Contract], *, what: str, remedy: str
) -> Contract:
    """What was written as JSON text of a schema.

    Args:
        text: The text.
        schema: The schema that this version reads.
        build: Makes the object of the entries beside the schema.
        what: What the text should be, in a word.
        remedy: How to get such a text.

    Raises:
        SkewcheckError: The text is not JSON, of a schema that this version does not read, or not whole.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise SkewcheckError(f"not a {what}: {error}", remedy=remedy) from error
    found = data.pop("schema", None) if isinstance(data, dict) else None
    if found != schema:
        raise SkewcheckError(
            f"{what} schema is {found!r}, expected {schema!r}",
            remedy=f"{remedy} Where another version wrote it, make it again with this one.",
        )
    try:
        return build(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SkewcheckError(f"not a whole {what} of schema {schema}: {error!r}", remedy=remedy) from error


def known_fields(cls: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that this version knows: a later one may add fields under the same schema."""
    return {name: data[name] for name in (item.name for item in fields(cls)) if name in data}
