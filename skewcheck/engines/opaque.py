"""Opaque functions on the engines: the same text for the row function and for DuckDB.

What a function is given and what it gives is checked there, so that both engines refuse the same results. An instant
comes from an engine as microseconds since 1970 and goes back as such.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from skewcheck.engines.python import literal_text
from skewcheck.errors import OpaqueError, UsageError
from skewcheck.language.opaque import Definition

Loaded = Mapping[str, tuple[Callable[..., Any], tuple[str, ...], str]]
"""Functions under their identifiers, with the types of their parameters and of their result."""

_GUARD = '''
def _opaque(name, function, takes, gives, read):
    """A function that is called with every argument that it needs, and whose result is checked."""
    needed = [place for place, type in enumerate(takes) if not type.endswith("?")]
    instants = [place for place, type in enumerate(takes) if type.startswith("Timestamp")]

    def call(*values):
        for place in needed:
            if values[place] is None:
                return None
        if instants:
            values = [_opaque_instant(v) if place in instants else v for place, v in enumerate(values)]
        try:
            result = function(*values)
        except Exception as error:
            given = ", ".join(repr(value)[:80] for value in values)
            raise RuntimeError(
                f"opaque function {name} raised {type(error).__name__}: {error} (for {given})"
            ) from error
        if result is None and gives.endswith("?"):
            return None
        return read(name, result)

    return call


def _opaque_refuse(name, result, expected):
    try:
        shown = repr(result)[:80]
    except Exception:
        shown = "that cannot be printed"
    raise TypeError(f"opaque function {name} gave {type(result).__name__} {shown}, expected {expected}")
'''

_READERS = {
    "Float64": '''
def _opaque_float64(name, result):
    """A Float64: infinities and NaN are missing; an int is widened."""
    if isinstance(result, bool) or not isinstance(result, (int, float)):
        _opaque_refuse(name, result, "a float")
    try:
        result = float(result)
    except OverflowError:
        raise OverflowError(f"opaque function {name} gave an int that is too large for a float") from None
    return result if -INFINITY < result < INFINITY else None
''',
    "Int64": '''
def _opaque_int64(name, result):
    """An Int64."""
    if isinstance(result, bool) or not isinstance(result, int):
        _opaque_refuse(name, result, "an int")
    if not INT64_MIN <= result <= INT64_MAX:
        raise OverflowError(f"opaque function {name} gave an int that does not fit 64 bits")
    return int(result)
''',
    "Bool": '''
def _opaque_bool(name, result):
    """A Bool."""
    if result is not True and result is not False:
        _opaque_refuse(name, result, "a bool")
    return result
''',
    "String": '''
def _opaque_string(name, result):
    """A String: it must be Unicode text."""
    if not isinstance(result, str):
        _opaque_refuse(name, result, "a str")
    try:
        return str.encode(result).decode()
    except UnicodeEncodeError:
        raise ValueError(f"opaque function {name} gave a lone surrogate, which is no Unicode text") from None
''',
    "Timestamp": '''
def _opaque_timestamp(name, result):
    """Microseconds since 1970 of an instant; a time without a zone is refused."""
    if not isinstance(result, datetime):
        _opaque_refuse(name, result, "a datetime with a time zone")
    if result.utcoffset() is None:
        raise ValueError(f"opaque function {name} gave {result}, which has no time zone")
    microseconds = (result - OPAQUE_EPOCH) // timedelta(microseconds=1)
    if not -62135596800000000 <= microseconds <= 253402300799999999:
        raise OverflowError(f"opaque function {name} gave {result}, which lies outside the years 1 to 9999 in UTC")
    return microseconds
''',
}

_INSTANTS = '''
from datetime import datetime, timedelta, timezone

OPAQUE_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _opaque_instant(value):
    """An instant of an engine as a function is given it."""
    return None if value is None else OPAQUE_EPOCH + timedelta(microseconds=value)
'''

_CONSTANTS = 'INFINITY = float("inf")\nINT64_MIN = -9223372036854775808\nINT64_MAX = 9223372036854775807\n'

_ARROW_TYPES = {
    "Float64": pa.float64(),
    "Int64": pa.int64(),
    "Bool": pa.bool_(),
    "String": pa.string(),
    "Timestamp": pa.int64(),
}

_SQL_TYPES = {"Float64": "DOUBLE", "Int64": "BIGINT", "Bool": "BOOLEAN", "String": "VARCHAR", "Timestamp": "BIGINT"}


def write_functions(definitions: Iterable[Definition]) -> str:
    """Source that defines `OPAQUE`, the functions as `Loaded` describes them; empty where there are none.

    It reads INFINITY, INT64_MIN and INT64_MAX and needs the standard library only.
    """
    chosen = list(definitions)
    if not chosen:
        return ""
    types = {type_.rstrip("?") for definition in chosen for type_ in (*definition.takes, definition.gives)}
    gives = {definition.gives.rstrip("?") for definition in chosen}
    blocks = [_INSTANTS] if "Timestamp" in types else []
    blocks += [_GUARD, *(text for type_, text in _READERS.items() if type_ in gives), "\nOPAQUE = {}\n"]
    for definition in chosen:
        name, takes, result = (literal_text(part) for part in (definition.name, definition.takes, definition.gives))
        reader = f"_opaque_{definition.gives.rstrip('?').lower()}"
        call = f"_opaque({name}, _make(), {takes}, {result}, {reader})"
        entry = f"OPAQUE[{literal_text(definition.identifier)}] = ({call}, {takes}, {result})"
        blocks.append(f"\n{definition.source}\n\n{entry}\n")
    return "\n".join(blocks)


def load_functions(definitions: Iterable[Definition]) -> Loaded:
    """The functions, made from the text that generated code holds."""
    namespace: dict[str, Any] = {"__name__": "opaque"}
    source = f"{_CONSTANTS}OPAQUE = {{}}\n{write_functions(definitions)}"
    exec(compile(source, "opaque.py", "exec"), namespace)  # noqa: S102
    loaded: Loaded = namespace["OPAQUE"]
    return loaded


def register_functions(connection: duckdb.DuckDBPyConnection, functions: Loaded) -> None:
    """Let generated queries on a connection call the functions.

    Raises:
        UsageError: DuckDB needs NumPy for that, and it is not installed.
    """
    create: Any = connection.create_function  # its annotations do not know the names of its options
    for identifier, (function, takes, gives) in functions.items():
        try:
            create(
                identifier,
                _over_batches(function, len(takes), _ARROW_TYPES[gives.rstrip("?")]),
                [_SQL_TYPES[type_.rstrip("?")] for type_ in takes],
                _SQL_TYPES[gives.rstrip("?")],
                type="arrow",
                null_handling="special",
                side_effects=False,
            )
        except duckdb.InvalidInputException as error:
            if "numpy" not in str(error):
                raise
            raise UsageError(
                "DuckDB calls opaque functions through NumPy, which is not installed", remedy="Run `pip install numpy`."
            ) from error


def find_failure(error: duckdb.Error) -> OpaqueError | None:
    """What an opaque function did, where that is why a query failed."""
    found = re.search(r"(?<=Error: )opaque function .*?(?=\n\nAt:|\Z)", str(error), re.DOTALL)
    if found is None:
        return None
    return OpaqueError(found[0].strip(), remedy=REMEDY)


REMEDY = "Let it answer for every value of its types; return None (-> ... | None) where it has no answer."


def _over_batches(function: Callable[..., Any], count: int, type_: pa.DataType) -> Callable[..., pa.Array]:
    """The function over columns, as DuckDB calls it."""

    def call(*columns: pa.ChunkedArray) -> pa.Array:
        rows = zip(*(column.to_pylist() for column in columns), strict=True)
        return pa.array([function(*row) for row in rows], type_)

    # DuckDB counts the parameters.
    names = [inspect.Parameter(f"value_{place}", inspect.Parameter.POSITIONAL_ONLY) for place in range(count)]
    call.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
    return call
