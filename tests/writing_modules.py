"""Modules written for one test, as a team would have them under `features/`."""

from __future__ import annotations

import importlib.util
import textwrap
from itertools import count
from pathlib import Path
from types import ModuleType

_NUMBERS = count()

HEAD = "import skewcheck as sk\n"


def write_module(folder: Path, text: str, name: str = "declared") -> ModuleType:
    """A module with the given text below `import skewcheck as sk`, loaded from a file of its own."""
    path = folder / f"{name}_{next(_NUMBERS)}.py"
    path.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
