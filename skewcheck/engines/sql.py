"""SQL text: the one place in which a name or a constant is quoted."""

from __future__ import annotations

import math


def quote_name(name: str) -> str:
    """An identifier, whatever characters it has."""
    if "\x00" in name:
        raise ValueError(f"{name!r} cannot be an SQL identifier: it has a NUL")
    return '"' + name.replace('"', '""') + '"'


def quote_text(value: str) -> str:
    """A string constant. A NUL, which SQL text cannot hold, is written as a call."""
    parts = ["'" + part.replace("'", "''") + "'" for part in value.split("\x00")]
    return parts[0] if len(parts) == 1 else "(" + " || chr(0) || ".join(parts) + ")"


def literal_text(value: bool | int | float | str | None) -> str:
    """A constant. Floats stand in exponent form, which SQL reads as DOUBLE and never as DECIMAL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        # -9223372036854775808 is read as the negation of a number that does not fit.
        return f"CAST('{value}' AS BIGINT)" if value < 0 else f"CAST({value} AS BIGINT)"
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a Float64 constant")
        text = repr(value)
        exponent = text if "e" in text else f"{text}e0"
        return f"({exponent})" if value < 0 or text.startswith("-") else exponent
    return quote_text(value)
