"""The row module: Python source, of the standard library only, that computes one row or a list of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skewcheck.engines.opaque import write_functions
from skewcheck.engines.python import HELPERS, Source, literal_text
from skewcheck.generate.rendering import render_template
from skewcheck.language.primitives import ASCII_SPACE

CONSTANTS = {
    "ASCII_LOWER": "{code: code + 32 for code in range(65, 91)}",
    "ASCII_UPPER": "{code: code - 32 for code in range(97, 123)}",
    "ASCII_SPACE": literal_text(ASCII_SPACE),
}
"""Constants that spellings read."""


def render_row_module(
    source: Source, *, service: str, definition: str, state: str, expressions: Mapping[str, str]
) -> str:
    """The text of a row module.

    Args:
        source: The computation.
        service: The service's name.
        definition: The declaration's fingerprint.
        state: The state's hash.
        expressions: For each output the expression that it came from, for the reader.
    """
    types = {type_.partition("(")[0] for _, _, type_ in source.columns}
    types |= {"Float64"} if "Vector" in types else set()
    types |= {type_ for _, _, type_ in source.outputs if type_ == "Timestamp"}
    code = "\n".join([text for block in source.blocks for _, text in block.statements] + [o[1] for o in source.outputs])
    helpers = [text for name, text in HELPERS.items() if f"{name}(" in code]
    everything = "\n".join([code, *helpers, *(text for _, text in source.tables)])
    return render_template(
        "row.py.jinja",
        service=service,
        definition=definition,
        state=state,
        source=source,
        types=types,
        imports=_imports(everything, types),
        functions=write_functions(source.functions),
        helpers=helpers,
        constants={name: text for name, text in CONSTANTS.items() if name in code},
        column_names=tuple(name for name, _, _ in source.columns),
        feature_names=tuple(name for name, _, _ in source.outputs),
        expressions=expressions,
    )


def load_row_module(text: str) -> dict[str, Any]:
    """The names that a row module defines; the text must be one that `generate` wrote."""
    namespace: dict[str, Any] = {"__name__": "row"}
    exec(compile(text, "row.py", "exec"), namespace)  # noqa: S102
    return namespace


def _imports(code: str, types: set[str]) -> list[str]:
    """The import lines that the code needs."""
    lines = []
    if "bisect_right(" in code:
        lines.append("from bisect import bisect_right")
    if "Timestamp" in types:
        lines.append("from datetime import datetime, timedelta, timezone")
    if "md5(" in code:
        lines.append("from hashlib import md5")
    if functions := [name for name in ("frexp", "ldexp", "sqrt") if f"{name}(" in code]:
        lines.append(f"from math import {', '.join(functions)}")
    if "compile(" in code:
        lines.append("from re import ASCII, compile")
    return lines
