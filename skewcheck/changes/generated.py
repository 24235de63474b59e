"""A version from its generated code: the manifest, the state and the opaque functions of a folder (room: changes).

Reading it runs nothing of it; comparing values runs the opaque functions that it holds. What generated code does not
hold, such as a view's time to live, is not compared.
"""

from __future__ import annotations

import ast
from pathlib import Path

from skewcheck.changes.expression_text import parse_expression
from skewcheck.changes.snapshot import DeclaredColumn, DeclaredFeature, DeclaredService, FrozenState, Snapshot
from skewcheck.errors import UsageError
from skewcheck.fit.state import read_state
from skewcheck.generate.manifest import Manifest, read_generated, read_manifest
from skewcheck.language.expressions import Column, Expression
from skewcheck.language.opaque import Definition


def read_folder(folder: Path) -> Snapshot:
    """The version in a folder of generated code: one service's, or one with a folder for each service.

    Raises:
        UsageError: It holds no generated code.
        StateError: A generated file is missing, was changed by hand, or is of another format.
        SkewcheckError: A feature's expression cannot be read.
    """
    found = (
        [folder] if (folder / "manifest.json").is_file() else sorted(p.parent for p in folder.glob("*/manifest.json"))
    )
    if not found:
        raise UsageError(
            f"{folder} holds no generated code", remedy="Name folders that `skewcheck generate` wrote, such as codegen."
        )
    services = [_read_service(place) for place in found]
    return Snapshot({service.name: service for service in services})


def _read_service(folder: Path) -> DeclaredService:
    manifest = read_manifest(folder / "manifest.json")
    functions = _read_functions(read_generated(folder, manifest, "row.py"))
    columns = {
        column.name: Expression(Column(column.name, column.type), (), column.type, column.unit)
        for column in manifest.columns
    }
    path = folder / "state.json"
    state = read_state(path) if path.exists() else None
    return DeclaredService(
        name=manifest.service,
        features=tuple(
            DeclaredFeature(
                feature.name,
                parse_expression(feature.expression, columns, functions),
                feature.documentation,
                path=(folder / "manifest.json").as_posix(),
            )
            for feature in manifest.features
        ),
        columns={c.name: DeclaredColumn(c.name, c.type, c.unit, c.source, c.role) for c in manifest.columns},
        definition=manifest.definition,
        fit="" if state is None else state.fit,
        state=None if state is None else FrozenState(state.hash, state.fit, state.statistics),
        generated=manifest.definition,
        sources=_describe_sources(manifest),
        keys={view.name: view.keys for view in manifest.views},
    )


def _describe_sources(manifest: Manifest) -> dict[str, dict[str, object]]:
    views = {view.name for view in manifest.views}
    unknown: dict[str, object] = {
        "ttl": None,
        "timestamp": None,
        "created": None,
        "mapping": {},
        "path": None,
        "source": {},
        "settings": {},
    }
    return {name: {"kind": "view", **unknown} if name in views else {"kind": "request"} for name in manifest.sources}


def _read_functions(text: str) -> dict[str, Definition]:
    """The opaque functions in a row module, by name: each a factory, and the line that calls it."""
    found: dict[str, Definition] = {}
    source = ""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == "_make":
            source = (ast.get_source_segment(text, node) or "") + "\n"
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript) and source:
            value = node.value
            if isinstance(value, ast.Tuple) and isinstance(value.elts[0], ast.Call):
                name = ast.literal_eval(value.elts[0].args[0])
                takes, gives = (ast.literal_eval(part) for part in value.elts[1:3])
                found[name] = Definition(name, source, takes, gives)
    return found
