"""Declare a feature once, run it in training and serving, and find out which served values differ.

In `features/` a team writes `import skewcheck as sk` and uses the names below.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from skewcheck.language.declaration import Service, TrainingSet, features
    from skewcheck.language.functions import (
        atan2,
        coalesce,
        concat,
        cross,
        haversine,
        maximum,
        minimum,
        missing,
        pack,
    )
    from skewcheck.language.opaque import opaque
    from skewcheck.language.operators.choice import when
    from skewcheck.language.windows.declaration import events, windows

__all__ = [
    "Service",
    "TrainingSet",
    "atan2",
    "coalesce",
    "concat",
    "cross",
    "events",
    "features",
    "haversine",
    "maximum",
    "minimum",
    "missing",
    "opaque",
    "pack",
    "when",
    "windows",
]

_HOMES = {
    "Service": "declaration",
    "TrainingSet": "declaration",
    "events": "windows.declaration",
    "features": "declaration",
    "opaque": "opaque",
    "when": "operators.choice",
    "windows": "windows.declaration",
}
"""The module of the language that has each name; `functions` has the others."""


def __getattr__(name: str) -> Any:
    """A name of the language, loaded when it is first asked for: the log and the test plugin do without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.language.{_HOMES.get(name, 'functions')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
