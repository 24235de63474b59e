"""A version's own process: load its declarations and write down what they declare (room: changes).

`python -m skewcheck.changes.describing REPO TOP OUT` loads the feature repo REPO, whose code runs here and nowhere
else, and writes the snapshot into the file OUT. TOP is the folder from which paths are told. An error is written there
too, as JSON.
"""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from skewcheck.changes.snapshot import DeclaredColumn, DeclaredFeature, DeclaredService, FrozenState, Snapshot
from skewcheck.errors import SkewcheckError, StateError
from skewcheck.fit.state import read_state
from skewcheck.generate.manifest import read_manifest
from skewcheck.language.declaration import Feature, Service
from skewcheck.language.expressions import walk
from skewcheck.language.fingerprint import fingerprint, fingerprint_feature, fingerprint_fit
from skewcheck.store.repository import Repository, generated_directory, load_repository

LARGEST = 2**26
"""Bytes of the largest source file that is hashed: only small ones are kept beside the code."""

_NOTES = ("description", "tags", "owner")
_MOMENTS = ("created_timestamp", "last_updated_timestamp", "materialization_intervals")
_KNOWN = (*_NOTES, *_MOMENTS, "name", "timestamp_field", "created_timestamp_column", "field_mapping")
_VIEW_PARTS = (
    *(*_NOTES, *_MOMENTS, "name", "entities", "features", "entity_columns", "ttl", "batch_source", "data_source"),
    *("source", "projection", "current_version_number", "state"),
)


def main() -> None:
    """Describe the repo that the command line names."""
    root, top, out = (Path(argument).resolve() for argument in sys.argv[1:4])
    try:
        text = describe_repository(root, top).to_json()
    except SkewcheckError as error:
        text = json.dumps({"error": error.message, "remedy": error.remedy})
    except Exception as error:
        text = json.dumps({"error": f"{type(error).__name__}: {error}", "remedy": None})
    out.write_text(text, encoding="utf-8")


def describe_repository(root: Path, top: Path) -> Snapshot:
    """Load a feature repo, twice, and describe it.

    Raises:
        SkewcheckError: It cannot be loaded.
    """
    with _watch_files(root) as opened:
        repository = load_repository(root)
    before = _meanings(repository)
    services = {name: _describe_service(repository, service, top) for name, service in repository.services.items()}
    files = {path: _hash_file(root / path) for path in sorted(opened) if (root / path).is_file()}
    after = _meanings(load_repository(root))
    unstable = sorted(name for name in before if after.get(name) != before[name])
    return Snapshot(services, files, _hash_sources(root, services), {}, tuple(unstable))


def _meanings(repository: Repository) -> dict[str, str]:
    return {
        f"{service.name}.{feature.name}": fingerprint_feature(feature)
        for service in repository.services.values()
        for feature in service.features
    }


@contextmanager
def _watch_files(root: Path) -> Iterator[set[str]]:
    """The files under a folder, other than Python's, that are opened in the meantime."""
    opened: set[str] = set()
    watching = [True]

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event != "open" or not watching or not isinstance(arguments[0], (str, bytes)):
            return
        path = Path(arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0])
        absolute = path if path.is_absolute() else Path.cwd() / path
        if (
            absolute.suffix in {".py", ".pyc"}
            or not absolute.is_relative_to(root)
            or absolute.is_relative_to(sys.prefix)
        ):
            return
        within = absolute.relative_to(root)
        if not any(part.startswith(".") for part in within.parts):
            opened.add(within.as_posix())

    sys.addaudithook(note)
    try:
        yield opened
    finally:
        watching.clear()


def _describe_service(repository: Repository, service: Service, top: Path) -> DeclaredService:
    features = {feature.name: feature for feature in service.features}
    directory = generated_directory(repository.root, service.name)
    stored = _stored_types(repository, service)
    keys = {
        view: {key: str(type_) for key, type_ in named.items()} for view, named in repository.view_keys(service).items()
    }
    return DeclaredService(
        name=service.name,
        features=tuple(_describe_feature(feature, features, top) for feature in features.values()),
        filters=tuple(_describe_feature(rule, {}, top) for rule in service.filters),
        columns={
            c.name: DeclaredColumn(
                c.name, c.type, c.unit, c.source, c.role, stored.get(c.name, ""), getattr(c, "definition", None)
            )
            for c in service.sources.columns.values()
        },
        training=_describe_training(service),
        definition=fingerprint(service),
        fit=fingerprint_fit(service),
        state=_read_state(directory / "state.json"),
        generated=_read_generated(directory / "manifest.json"),
        sources=_describe_sources(repository, service),
        keys=keys,
        places=_find_places(repository, service, top),
    )


def _describe_feature(feature: Feature, others: dict[str, Feature], top: Path) -> DeclaredFeature:
    nodes = {id(node) for node in walk(feature.expression)}
    read = [other.name for other in others.values() if other is not feature and id(other.expression) in nodes]
    path, _, line = feature.place.rpartition(":")
    place = Path(path).resolve()
    shown = place.relative_to(top).as_posix() if place.is_relative_to(top) else place.name
    return DeclaredFeature(feature.name, feature.expression, feature.documentation, tuple(read), shown, int(line or 1))


def _describe_training(service: Service) -> dict[str, Any]:
    rows = service.training
    if rows is None:
        return {}
    names = ("entities", "timestamp", "start", "end", "labels_known_at")
    labels = {label.name: str(label.dtype) for label in rows.labels}
    return {**{name: getattr(rows, name) for name in names}, "labels": labels}


def _source_objects(repository: Repository, service: Service) -> dict[str, Any]:
    """The sources of a service's columns, by name."""
    named = {view.name: view for view in service.sources.views}
    for column in service.sources.columns.values():
        if column.source not in named and column.source in repository.places:
            module, attribute = repository.places[column.source]
            named[column.source] = getattr(sys.modules[module], attribute)
    return named


def _stored_types(repository: Repository, service: Service) -> dict[str, str]:
    """The type of each column in Feast's words."""
    fields = [
        field
        for source in _source_objects(repository, service).values()
        for field in (source.features if hasattr(source, "features") else source.schema)
    ]
    labels = service.training.labels if service.training else ()
    return {field.name: str(field.dtype).rpartition(".")[2] for field in [*fields, *labels]}


def _describe_sources(repository: Repository, service: Service) -> dict[str, dict[str, Any]]:
    described: dict[str, dict[str, Any]] = {}
    for name, source in _source_objects(repository, service).items():
        if not hasattr(source, "entity_columns"):
            described[name] = {"kind": "request"}
            continue
        batch = getattr(source, "batch_source", None)
        ttl = getattr(source, "ttl", None)
        described[name] = {
            "kind": "view",
            "ttl": ttl // timedelta(microseconds=1) if ttl else None,
            "timestamp": getattr(batch, "timestamp_field", None) or None,
            "created": getattr(batch, "created_timestamp_column", None) or None,
            "mapping": dict(getattr(batch, "field_mapping", None) or {}),
            "path": getattr(batch, "path", None),
            "source": _plain_settings(batch, _KNOWN),
            "settings": _plain_settings(source, _VIEW_PARTS),
        }
    return described


def _plain_settings(source: Any, without: tuple[str, ...]) -> dict[str, Any]:
    """Whatever an object is made of, so that no setting that nobody thought of goes unseen."""
    found = {"type": type(source).__name__}
    for name, value in sorted(getattr(source, "__dict__", {}).items()):
        if name not in without and not name.startswith("_"):
            found[name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (timedelta, datetime)):
        return str(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in sorted(value.items(), key=lambda item: str(item[0]))}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return _plain_settings(value, _KNOWN)
    return type(value).__name__


def _find_places(repository: Repository, service: Service, top: Path) -> dict[str, list[Any]]:
    """The file and the line in which each source is assigned."""
    found: dict[str, list[Any]] = {}
    for name in _source_objects(repository, service):
        if name not in repository.places:
            continue
        module, attribute = repository.places[name]
        path = Path(str(sys.modules[module].__file__)).resolve()
        if path.is_relative_to(top):
            found[name] = [path.relative_to(top).as_posix(), _find_line(path, attribute)]
    return found


def _find_line(path: Path, name: str) -> int:
    """The line in which a module assigns a name; 1 where it does not show."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and any(
            isinstance(target, ast.Name) and target.id == name for target in targets
        ):
            return node.lineno
    return 1


def _read_state(path: Path) -> FrozenState | None:
    try:
        state = read_state(path)
    except StateError:
        if path.exists():
            raise
        return None
    return FrozenState(state.hash, state.fit, state.statistics)


def _read_generated(path: Path) -> str | None:
    """The definition that generated code was made of; a manifest that cannot be read was made of none that is known."""
    try:
        return read_manifest(path).definition
    except StateError:
        return None


def _hash_sources(root: Path, services: dict[str, DeclaredService]) -> dict[str, str]:
    paths = {str(view["path"]) for service in services.values() for view in service.views.values() if view["path"]}
    files = ((path, root / path) for path in sorted(paths))
    return {path: _hash_file(file) for path, file in files if file.is_file() and file.stat().st_size <= LARGEST}


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main()
