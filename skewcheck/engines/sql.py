"""SQL text: the one place in which a name or a constant is quoted."""

from __future__ import annotations

import math
import re


def quote_name(name: str) -> str:
    """An identifier, whatever characters it has."""
    if "\x00" in name:
        raise ValueError(f"{name!r} cannot be an SQL identifier: it has a NUL")
    return '"' + name.replace('"', '""') + '"'


_INVISIBLE = re.compile("([\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb])")
"""Characters that SQL text cannot hold, that an editor may change, or that hide what is written."""


def is_visible(value: str) -> bool:
    """Whether `quote_text` writes a string as one constant, without a call."""
    return not _INVISIBLE.search(value)


def quote_text(value: str) -> str:
    """A string constant; a character that nobody can see is written as a call."""
    parts = [
        f"chr({ord(part)})" if _INVISIBLE.fullmatch(part) else "'" + part.replace("'", "''") + "'"
        for part in _INVISIBLE.split(value)
        if part
    ]
    if not parts:
        return "''"
    return parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"


def scan_parquet(path: str) -> str:
    """A Parquet file as a relation; the characters of its path stand for themselves, also those of a glob."""
    return f"read_parquet({quote_text(escape_glob(path))})"


def escape_glob(path: str) -> str:
    """A path for DuckDB, which would take these characters for a pattern that other files match too."""
    return re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", path)


def literal_text(value: bool | int | float | str | None) -> str:
    """A constant. Floats stand in exponent form, which SQL reads as DOUBLE and never as DECIMAL."""
    if isinstance(value, str):
        return quote_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # -9223372036854775808 is read as the negation of a number that does not fit.
        return f"'{value}'::BIGINT" if value < 0 else f"{value}::BIGINT"
    return _plain_text(value)


def quote_spark_name(name: str) -> str:
    """An identifier for Spark."""
    if "\x00" in name:
        raise ValueError(f"{name!r} cannot be an SQL identifier: it has a NUL")
    if "${" in name:
        raise ValueError(f"{name!r} cannot be an identifier in Spark, which puts its settings in the place of ${{...}}")
    return "`" + name.replace("`", "``") + "`"


def quote_spark_text(value: str) -> str:
    """A string constant for Spark; what nobody can see, or Spark would take for one of its settings, is escaped."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\u0024{")
    return "'" + _INVISIBLE.sub(lambda match: f"\\u{ord(match[0]):04x}", escaped) + "'"


def literal_spark_text(value: bool | int | float | str | None) -> str:
    """A constant for Spark."""
    if isinstance(value, str):
        return quote_spark_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return f"({value}L)" if value < 0 else f"{value}L"
    return _plain_text(value)


def _plain_text(value: float | None) -> str:
    """A Float64, a truth value or the missing value, which every dialect writes alike."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a Float64 constant")
    text = repr(value)
    exponent = text if "e" in text else f"{text}e0"
    return f"({exponent})" if text.startswith("-") else exponent
