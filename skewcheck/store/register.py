"""Register a service with Feast, and believe it only once the registry gives the golden rows back."""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from skewcheck.errors import RegistryError, SkewcheckError
from skewcheck.generate.golden import differing_rows, from_json_value
from skewcheck.generate.manifest import Manifest, read_manifest
from skewcheck.language.declaration import Service
from skewcheck.serving.schema import DEFINITION_TAG, STATE_TAG
from skewcheck.store.repository import NO_ENTITY, Repository, generated_directory, importable


def register(repository: Repository, service: Service) -> Manifest:
    """Apply a service's sources, view and feature service, then check what the registry holds.

    The view is read back through a new store, its source compared with the generated one, and run on the golden rows.

    Returns:
        The manifest of what is registered now.

    Raises:
        StateError: There is no generated code.
        RegistryError: Feast refuses the objects, or does not give back what was applied.
    """
    from feast import FeatureStore

    directory = generated_directory(repository.root, service.name)
    manifest = read_manifest(directory / "manifest.json")
    named = {name for view in service.sources.views for name in view.entities} - {NO_ENTITY}
    entities = {name: repository.entities[name] for name in sorted(named)}
    with contextlib.chdir(repository.root), importable(repository.root):
        name = f"codegen.{service.name}.feast_objects"
        sys.modules.pop(name, None)
        try:
            module = importlib.import_module(name)
            objects = [getattr(module, f"{service.name}_features"), getattr(module, service.name)]
            FeatureStore(repo_path=str(repository.root)).apply([*entities.values(), *service.sources.views, *objects])
        except SkewcheckError:
            raise
        except Exception as error:
            raise RegistryError(
                f"Feast refused service {service.name}: {type(error).__name__}: {error}",
                remedy="Check feature_store.yaml and the objects in features/; `feast apply` shows the whole trace.",
            ) from error
        check_registered(repository.root, service.name)
    return manifest


def check_registered(root: Path, service: str) -> None:
    """Read a service back from the registry and run it on the golden rows.

    Raises:
        RegistryError: It is not there, has other hashes or another source, or gives another value.
    """
    from feast import FeatureStore

    directory = generated_directory(root, service)
    manifest = read_manifest(directory / "manifest.json")
    golden = json.loads((directory / "golden.json").read_text(encoding="utf-8"))
    with contextlib.chdir(root):
        store = FeatureStore(repo_path=str(root))
        try:
            view = store.get_on_demand_feature_view(f"{service}_features")
            store.get_feature_service(service)
        except Exception as error:
            raise RegistryError(
                f"the registry does not hold service {service}: {error}", remedy="Run `skewcheck apply`."
            ) from error
    tags = (view.tags.get(DEFINITION_TAG), view.tags.get(STATE_TAG))
    if tags != (manifest.definition, manifest.state):
        raise RegistryError(
            f"the registry holds service {service} with definition {str(tags[0])[:12]} and state {str(tags[1])[:12]}, "
            f"expected {manifest.definition[:12]} and {manifest.state[:12]}",
            remedy="Run `skewcheck apply` again.",
        )
    if getattr(view.feature_transformation, "udf_string", None) != (directory / "row.py").read_text(encoding="utf-8"):
        raise RegistryError(
            f"the registry holds another source for {view.name} than {directory / 'row.py'}",
            remedy="Run `skewcheck generate` and `skewcheck apply` again.",
        )
    _run_golden_rows(view, manifest, golden["rows"])


def _run_golden_rows(view: Any, manifest: Manifest, rows: list[Mapping[str, Mapping[str, Any]]]) -> None:
    """Through the view as it came out of the registry, in the list form in which Feast calls it."""
    types = {column.name: column.type.name for column in manifest.columns}
    given = {name: [from_json_value(row["inputs"][name], type_) for row in rows] for name, type_ in types.items()}
    found = view.transform_dict(given)
    expected = [row["features"] for row in rows]
    names = [feature.name for feature in manifest.features]
    results = [{name: _as_json(found[name][number]) for name in names} for number in range(len(rows))]
    if differing := differing_rows(expected, results):
        number, name = differing[0]
        raise RegistryError(
            f"the registered view gives {results[number][name]!r} for feature {name} on golden row {number}, "
            f"expected {expected[number][name]!r}",
            remedy="Run `skewcheck generate` and `skewcheck apply` again.",
        )


def _as_json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
