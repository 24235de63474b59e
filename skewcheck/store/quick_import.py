"""Import Feast in a third of the time (room: store).

Feast has typeguard check the arguments of its functions. For each of some 240 functions typeguard parses the function's
whole module, rewrites it and compiles it, to keep that one function: most of the seconds that Feast takes to import.
What is left out of the module here is left out of the result in any case.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import Any


@contextmanager
def importing_quickly() -> Iterator[None]:
    """Let typeguard read of a module only what it is to check, until the block ends.

    Nothing changes where Feast is imported already, is not installed, or comes with a typeguard of another make.
    """
    decorators = None if "feast" in sys.modules else find_decorators()
    if decorators is None:
        yield
        return
    whole, plain = decorators.ast, decorators.TypeguardTransformer
    parse_once = cache(ast.parse)

    def parse(source: str, *arguments: Any, **options: Any) -> ast.AST:
        return (
            ast.parse(source, *arguments, **options)
            if arguments or options
            else ast.Module(parse_once(source).body, [])
        )

    class Narrow(plain):  # type: ignore[misc, valid-type]
        """Visits the target alone."""

        def visit_Module(self, node: ast.Module) -> ast.AST:  # noqa: N802 (typeguard's name)
            path = getattr(self, "_target_path", None)
            node.body = copy_target(node.body, path) if path else copy.deepcopy(node.body)
            return super().visit_Module(node)

    decorators.ast, decorators.TypeguardTransformer = SimpleNamespace(**{**vars(ast), "parse": parse}), Narrow
    try:
        yield
    finally:
        decorators.ast, decorators.TypeguardTransformer = whole, plain


def find_decorators() -> Any:
    """The module of typeguard that reads other modules; None where there is none that does it as this one expects."""
    try:
        decorators = import_module("typeguard._decorators")
    except ImportError:
        return None
    return decorators if {"ast", "TypeguardTransformer"} <= vars(decorators).keys() else None


def copy_target(statements: Sequence[ast.stmt], path: Sequence[str]) -> list[ast.stmt]:
    """A copy of statements, of whose functions and classes it has only the one that a path of names leads to."""
    copied: list[ast.stmt] = []
    for one in statements:
        if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and one.name != path[0]:
            continue
        if isinstance(one, (ast.Import, ast.ImportFrom)):
            copied.append(one)  # typeguard reads it and leaves it alone
        elif isinstance(one, ast.ClassDef) and len(path) > 1:
            narrow = copy.copy(one)
            narrow.decorator_list = copy.deepcopy(one.decorator_list)
            narrow.body = copy_target(one.body, path[1:])
            copied.append(narrow)
        else:
            copied.append(copy.deepcopy(one))
    return copied
