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
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        # -9223372036854775808 is read as the negation of a number that does not fit.
        return f"'{value}'::BIGINT" if value < 0 else f"{value}::BIGINT"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a Float64 constant")
        text = repr(value)
        exponent = text if "e" in text else f"{text}e0"
        return f"({exponent})" if value < 0 or text.startswith("-") else exponent
    return quote_text(value)
