"""Generate: declaration and state in, the files of `codegen/<service>/` out. The same input gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from skewcheck.engines import spark
from skewcheck.engines.execution import run_query
from skewcheck.engines.python import literal_text, write_source
from skewcheck.engines.support import WRITERS, find_engines
from skewcheck.errors import SkewcheckError
from skewcheck.files import write_text
from skewcheck.fit.state import State, check_state
from skewcheck.generate.golden import compute_rows, differing_rows, make_rows, to_json_value
from skewcheck.generate.manifest import QUERY_FILES, Manifest, describe_service, hash_text
from skewcheck.generate.rendering import HEADER, comment_text, render_template
from skewcheck.generate.row_module import load_row_module, render_row_module
from skewcheck.generate.updater import render_updater
from skewcheck.language.declaration import Service
from skewcheck.language.expressions import expand, render
from skewcheck.language.fingerprint import fingerprint
from skewcheck.language.opaque import Definition, find_functions
from skewcheck.language.sources import FEAST_NAMES
from skewcheck.language.terms import Term, finite
from skewcheck.language.types import Type
from skewcheck.serving.schema import DEFINITION_TAG, STATE_TAG

__all__ = ["Generated", "generate", "load_row_module"]


@dataclass(frozen=True, slots=True)
class Generated:
    """The generated files of one service, text by file name, and for features the opaque functions that they call."""

    service: str
    files: dict[str, str]
    opaque: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        """Write every file whose text is new, and remove the query of an engine that can no longer run it."""
        for name in self.stale(directory):
            if name in self.files:
                write_text(directory / name, self.files[name])
            else:
                (directory / name).unlink()

    def stale(self, directory: Path) -> list[str]:
        """The names of the files that are missing there, have another text, or should not be there."""
        left = [name for name in QUERY_FILES.values() if name not in self.files and (directory / name).exists()]
        return [name for name, text in self.files.items() if _read(directory / name) != text] + left


def generate(
    service: Service,
    state: State,
    places: Mapping[str, tuple[str, str]],
    keys: Mapping[str, Mapping[str, Type]],
) -> Generated:
    """The generated code of a service.

    Args:
        service: The declaration.
        state: Its frozen statistics.
        places: For each source, by its name, the module and attribute under which `features/` holds it.
        keys: For each feature view, by its name, its join keys with their types.

    Raises:
        StateError: The state does not belong to the declaration.
        SkewcheckError: Python and DuckDB do not agree on a golden row.
        OpaqueError: An opaque function fails on a golden row, or gives two results for one.
    """
    check_state(service, state)
    outputs = {feature.name: finite(expand(feature.expression, state.statistics)) for feature in service.features}
    manifest = describe_service(service, fingerprint(service), state.hash, keys)
    rules = [expand(rule.expression, None) for rule in service.filters]
    functions = find_functions([*outputs.values(), *rules])
    row_module = render_row_module(
        # An audit finds the functions of the training filter here too.
        replace(write_source(outputs), functions=functions),
        service=service.name,
        definition=manifest.definition,
        state=manifest.state,
        expressions={feature.name: render(feature.expression) for feature in service.features},
    )
    engines = find_engines(outputs.values())
    queries = {engine: write_query(outputs) for engine, write_query in WRITERS.items() if engine in engines}
    code = {
        "row.py": row_module,
        **{QUERY_FILES[engine]: _render_query(manifest, query, engine) for engine, query in queries.items()},
        "feast_objects.py": _render_feast_objects(service, manifest, places),
        **{f"{name}_updater.py": render_updater(windows) for name, windows in service.sources.windows.items()},
    }
    golden = {"golden.json": _render_golden(service, outputs, row_module, queries["duckdb"], manifest, functions)}
    manifest = replace(manifest, files={name: hash_text(text) for name, text in (code | golden).items()})
    opaque = {feature.name: feature.opaque for feature in manifest.features if feature.opaque}
    return Generated(service.name, {**code, "manifest.json": manifest.to_json(), **golden}, opaque)


def _render_query(manifest: Manifest, query: str, engine: str) -> str:
    title = {"duckdb": "DuckDB", "spark": "Spark"}[engine]
    settings = spark.SETTINGS if engine == "spark" else {}
    head = [
        f"{manifest.service}: the columns of `inputs` and the features beside them, for {title}.",
        HEADER,
        f"definition {manifest.definition}",
        f"state      {manifest.state}",
        *(f"session    SET {name} = {value}" for name, value in settings.items()),
    ]
    return "".join(f"-- {comment_text(line)}\n" for line in head) + query


def _render_feast_objects(service: Service, manifest: Manifest, places: Mapping[str, tuple[str, str]]) -> str:
    imports: dict[str, list[str]] = {}
    for module, attribute in (places[name] for name in manifest.sources):
        imports.setdefault(module, []).append(attribute)
    windows = {name: places[name][1] for name in service.sources.windows if name in manifest.sources}
    objects = {name: places[name][1] for name in manifest.sources}
    objects |= {name: f"{attribute}_view" for name, attribute in windows.items()}
    projections = [
        (objects[view.name], "[" + ", ".join(literal_text(name) for name in view.columns) + "]")
        for view in manifest.views
    ]
    return render_template(
        "feast_objects.py.jinja",
        service=service.name,
        view=f"{service.name}_features",
        definition=manifest.definition,
        state=manifest.state,
        tags={DEFINITION_TAG: manifest.definition, STATE_TAG: manifest.state},
        imports=sorted((module, sorted(names)) for module, names in imports.items()),
        windows=[(objects[name], attribute) for name, attribute in windows.items()],
        sources=[objects[name] for name in manifest.sources],
        fields=[(feature.name, FEAST_NAMES[feature.type.name]) for feature in service.features],
        projections=projections,
    )


def _render_golden(
    service: Service,
    outputs: Mapping[str, Term],
    row_module: str,
    query: str,
    manifest: Manifest,
    functions: Sequence[Definition],
) -> str:
    """Golden rows with what the row function gives, once DuckDB has given the same."""
    inputs = make_rows(outputs)
    transform_row = load_row_module(row_module)["transform_row"]
    expected = compute_rows(transform_row, inputs, {feature.name: feature.opaque for feature in manifest.features})
    found = run_query(query, {c.name: c.type for c in manifest.columns}, inputs, list(outputs), functions)
    if differing := differing_rows(expected, found):
        number, name = differing[0]
        raise SkewcheckError(
            f"service {service.name}: Python and DuckDB disagree on feature {name} for {inputs[number]!r}: "
            f"{expected[number][name]!r} and {found[number][name]!r}",
            remedy="Report this: an operator must mean the same on every engine.",
        )
    rows = [
        {"inputs": _json_row(given), "features": _json_row(values)}
        for given, values in zip(inputs, expected, strict=True)
    ]
    body = {
        "format": "skewcheck/golden/1",
        "definition": manifest.definition,
        "state": manifest.state,
        "rows": rows,
    }
    return json.dumps(body, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _json_row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: to_json_value(value) for name, value in row.items()}


def _read(path: Path) -> str | None:
    try:
        # A line end inside a quoted name has to stay what it is.
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError):
        return None
