"""The updater of windows: Python source, of the standard library only, that keeps their values up to date.

What an aggregate means is written once, in the language; the updater is given that very source.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from types import ModuleType

from skewcheck.generate.rendering import render_template
from skewcheck.language.windows import parts
from skewcheck.language.windows.aggregate import Aggregate
from skewcheck.language.windows.declaration import Windows, describe
from skewcheck.serving import updating


def render_updater(windows: Windows) -> str:
    """The text of an updater's module: `open_updater()` gives a `WindowUpdater`."""
    columns = {
        feature.column: str(feature.aggregated.column.type)
        for feature in windows.features
        if feature.column is not None and feature.aggregated.column is not None
    }
    source = windows.events.source
    features = []
    for feature in windows.features:
        constants = {item.name: getattr(feature.aggregate, item.name) for item in dataclasses.fields(feature.aggregate)}
        features.append((feature, type(feature.aggregate).__name__, constants, describe(feature)))
    return render_template(
        "updater.py.jinja",
        windows=windows.name,
        definition=windows.definition,
        parts=_definitions(parts),
        aggregates=_aggregate_classes(windows),
        updating=_definitions(updating),
        keys={key: str(type_) for key, type_ in windows.events.keys.items()},
        columns=columns,
        times=(source.timestamp_field, source.created_timestamp_column or None),
        delay=windows.features[0].window.delay,
        features=features,
    )


def _definitions(module: ModuleType) -> str:
    """The source of a module without its docstring and its imports."""
    text = inspect.getsource(module)
    body = ast.parse(text).body
    last_import = max(
        statement.end_lineno or 0 for statement in body if isinstance(statement, (ast.Import, ast.ImportFrom))
    )
    return "\n".join(text.splitlines()[last_import:]).strip("\n")


def _aggregate_classes(windows: Windows) -> list[str]:
    """The source of every aggregate that is used, after those that it builds upon: what it keeps and what it gives."""
    classes: dict[str, str] = {}
    for feature in windows.features:
        lineage = [kind for kind in type(feature.aggregate).__mro__ if "name" in vars(kind)]
        for place, kind in reversed(list(enumerate(lineage))):
            base = lineage[place + 1].__name__ if place + 1 < len(lineage) else "Aggregate"
            methods = [
                inspect.getsource(vars(kind)[name]) for name in ("parts", "finish", "value_at") if name in vars(kind)
            ]
            body = "\n".join(methods) or f'    """{inspect.getdoc(kind)}"""\n'
            classes.setdefault(kind.__name__, f"class {kind.__name__}({base}):\n{body}")
    root = textwrap.indent(textwrap.dedent(inspect.getsource(Aggregate.value_at)), "    ")
    start = (
        "class Aggregate:\n"
        '    """The base of every aggregate: its constants."""\n\n'
        "    def __init__(self, **constants: Any) -> None:\n"
        "        vars(self).update(constants)\n\n"
    )
    return [start + root, *classes.values()]
