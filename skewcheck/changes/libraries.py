"""Libraries that the meaning of operators depends on, and what a version's own files say of them (room: changes)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skewcheck.language.expressions import Expression, walk
from skewcheck.language.opaque import OpaqueCall

LIBRARIES = ("skewcheck", "tzdata", "pint", "python")
"""Those that can change a value without an edit: the language, its time zones, its units, and opaque functions."""

LOCKS = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*([^#;]*)")


def find_libraries(expression: Expression) -> tuple[str, ...]:
    """The libraries that the meaning of an expression depends on."""
    found = {"skewcheck"}
    for node in walk(expression):
        if isinstance(node.operator, OpaqueCall):
            found.add("python")
        elif getattr(node.operator, "zone", "UTC") != "UTC":
            found.add("tzdata")
        elif node.operator.name == "to":
            found.add("pint")
    return tuple(name for name in LIBRARIES if name in found)


def read_libraries(folders: Iterable[Path]) -> dict[str, str]:
    """What the files of some folders say of the versions of `LIBRARIES`: a lock's word before a requirement's."""
    found: dict[str, str] = {}
    for folder in dict.fromkeys(folder.resolve() for folder in folders):
        names = ("pyproject.toml", ".python-version", *LOCKS, *(p.name for p in folder.glob("requirements*.txt")))
        found |= parse_libraries({name: _read_text(folder / name) for name in names})
    return dict(sorted(found.items()))


def parse_libraries(texts: Mapping[str, str]) -> dict[str, str]:
    """The same, for the texts of files by their names."""
    found = _read_project(texts.get("pyproject.toml", ""))
    for name, text in sorted(texts.items()):
        if name.startswith("requirements") and name.endswith(".txt"):
            found |= _read_requirements(text.splitlines())
    if text := texts.get(".python-version", "").strip():
        found["python"] = text
    for name in LOCKS:
        found |= _read_lock(texts.get(name, ""))
    return dict(sorted(found.items()))


def _read_project(text: str) -> dict[str, str]:
    project = _parse(text).get("project", {})
    if not isinstance(project, dict):
        return {}
    lists = [project.get("dependencies", []), *(project.get("optional-dependencies") or {}).values()]
    found = _read_requirements(item for items in lists for item in items if isinstance(item, str))
    if isinstance(needed := project.get("requires-python"), str):
        found["python"] = needed
    return found


def _read_lock(text: str) -> dict[str, str]:
    content = _parse(text)
    packages = content.get("package") or content.get("packages") or []
    named = {_normalise(p.get("name", "")): str(p.get("version", "")) for p in packages if isinstance(p, dict)}
    return {name: f"=={named[name]}" for name in LIBRARIES if name in named}


def _read_requirements(lines: Iterable[str]) -> dict[str, str]:
    matches = (_REQUIREMENT.match(line) for line in lines)
    named = {_normalise(m[1]): m[2].replace(" ", "") for m in matches if m}
    return {name: named[name] for name in LIBRARIES if name in named}


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
