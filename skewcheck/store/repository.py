"""A team's repository: find its root, import `features/`, and know where everything of a service lies."""

from __future__ import annotations

import ast
import importlib
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from skewcheck.errors import DeclarationError, SkewcheckError, UsageError
from skewcheck.language.declaration import Service
from skewcheck.language.sources import FEAST_TYPES
from skewcheck.language.types import INT64, STRING, Type
from skewcheck.language.windows.declaration import Windows
from skewcheck.store.quick_import import importing_quickly

NO_ENTITY = "__dummy"
"""What Feast calls the entity of a view that has none."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A Feast feature repo with declarations.

    Attributes:
        root: The folder with `feature_store.yaml`.
        services: Every declared service by name.
        places: For each source of a service, by its name, the module and attribute that holds it.
        entities: Every Feast entity by its name.
    """

    root: Path
    services: dict[str, Service]
    places: dict[str, tuple[str, str]]
    entities: dict[str, Any]

    def keys(self, view: Any) -> dict[str, Type]:
        """The join keys of a feature view with their types; none for a view without entities.

        Raises:
            DeclarationError: An entity of the view is not in `features/`, or does not say its type.
        """
        stated = {column.name: str(column.dtype) for column in view.entity_columns}
        keys: dict[str, Type] = {}
        for name in view.entities:
            if name == NO_ENTITY:
                continue
            entity = self.entities.get(name)
            if entity is None:
                raise DeclarationError(
                    f"entity {name!r} of view {view.name} is not in {self.root / 'features'}",
                    remedy="Define it at the top level of a module there.",
                )
            text = stated.get(entity.join_key, entity.value_type.name)
            type_ = {"STRING": STRING, "INT64": INT64, "INT32": INT64, **FEAST_TYPES}.get(text)
            if type_ is None:
                raise DeclarationError(
                    f"join key {entity.join_key!r} of view {view.name} has no type that can be logged ({text})",
                    remedy="Give the entity a value_type, or put the key into the view's schema, as String or Int64.",
                )
            keys[entity.join_key] = type_
        return keys

    def view_keys(self, service: Service) -> dict[str, dict[str, Type]]:
        """The join keys of every view of a service, by the view's name."""
        return {view.name: self.keys(view) for view in service.sources.views}

    def service(self, name: str | None) -> Service:
        """The service of that name; the only one where no name is given.

        Raises:
            UsageError: There is no such service, or several to choose from.
        """
        if name is None and len(self.services) == 1:
            return next(iter(self.services.values()))
        if name in self.services:
            return self.services[name]
        known = ", ".join(sorted(self.services)) or "none"
        said = "a service must be named" if name is None else f"there is no service {name!r}"
        raise UsageError(
            f"{said}; {self.root / 'features'} declares: {known}",
            remedy=f"Name one of them, such as `skewcheck fit {min(self.services, default='SERVICE')}`.",
        )


def generated_directory(root: Path, service: str) -> Path:
    """The folder of a service's generated code."""
    return root / "codegen" / service


def find_root(start: Path) -> Path:
    """The nearest folder at or above `start` that has a `feature_store.yaml`.

    Raises:
        UsageError: There is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / "feature_store.yaml").is_file():
            return folder
    raise UsageError(
        f"no feature_store.yaml in {start.resolve()} or above it",
        remedy="Run this in a feature repo, name one with --repo, or make one with `skewcheck init DIR`.",
    )


def load_repository(root: Path) -> Repository:
    """Import every module of `features/` and collect what it declares.

    Raises:
        UsageError: There is no `features/` folder.
        DeclarationError: A module cannot be imported, or a declaration in it is wrong.
    """
    folder = root / "features"
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", remedy="Declare features in it; `skewcheck init` shows how.")
    modules = []
    _forget_modules()
    with importable(root), importing_quickly():
        for path in sorted(folder.rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            modules.append(_import_module(name, path))
    services: dict[str, Service] = {}
    places: dict[str, tuple[str, str]] = {}
    entities: dict[str, Any] = {}
    for module in modules:
        assigned = _assigned_names(Path(str(module.__file__)))
        for attribute, value in vars(module).items():
            if isinstance(value, Service):
                if services.setdefault(value.name, value) is not value:
                    raise DeclarationError(f"two services are called {value.name!r}", remedy="Rename one of them.")
            elif type(value).__name__ == "Entity":
                entities[value.name] = value
            elif _is_source(value) and not attribute.startswith("_"):
                here = (module.__name__, attribute)
                places[value.name] = here if attribute in assigned else places.get(value.name, here)
    for service in services.values():
        _ = service.features
    return Repository(root, services, places, entities)


@contextmanager
def importable(root: Path) -> Iterator[None]:
    """Let the repository's own modules be imported, and forget those of another repository."""
    if _imported_from != [root]:
        _forget_modules()
    _imported_from[:] = [root]
    sys.path.insert(0, str(root))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(root))


def _forget_modules() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] in {"features", "codegen"}]:
        del sys.modules[name]


_imported_from: list[Path] = []
"""The root whose modules are in sys.modules: every repository calls them `features` and `codegen`."""


def _import_module(name: str, path: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except SkewcheckError:
        raise
    except ModuleNotFoundError as error:
        if error.name == "feast":
            raise UsageError(
                "Feast is not installed",
                remedy="Install it with: pip install \"skewcheck[feast]\" (from a checkout: pip install '.[feast]'), "
                "or audit with --stages transform.",
            ) from error
        raise DeclarationError(f"{path}: {error}", remedy="Install the module, or correct the import.") from error
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        where = f"{path}:{lines[-1]}" if lines else str(path)
        raise DeclarationError(f"{where}: {type(error).__name__}: {error}", remedy="Correct the module.") from error


def _is_source(value: object) -> bool:
    is_view = hasattr(value, "entity_columns") and hasattr(value, "features")
    return is_view or isinstance(value, Windows) or type(value).__name__ == "RequestSource"


def _assigned_names(path: Path) -> set[str]:
    """The names that a module assigns itself, as opposed to imports."""
    statements = ast.parse(path.read_text(encoding="utf-8")).body
    targets = [target for node in statements if isinstance(node, ast.Assign) for target in node.targets]
    targets += [node.target for node in statements if isinstance(node, ast.AnnAssign)]
    return {target.id for target in targets if isinstance(target, ast.Name)}
