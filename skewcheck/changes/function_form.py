"""The form of an opaque function that does not depend on the names of its helpers (room: changes).

The canonical source of `skewcheck.language.canonical` is a factory with everything that the function refers to. Here
every name in it that its author chose is replaced by a number, in the order in which the function comes to need it.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

_TAKEN = re.compile(r"\b(?:local|made)_\d")
"""Names that stand for names here."""

_REFUSED = (ast.MatchMapping, ast.FunctionDef, ast.Import, ast.ImportFrom)
"""What makes names in ways that are not followed here."""


@lru_cache(maxsize=1024)
def normalise_function(source: str) -> str:
    """The text of a factory with numbers for names; the text itself where that could change its meaning."""
    (factory,) = ast.parse(source).body
    if not isinstance(factory, ast.FunctionDef):
        return source
    if _TAKEN.search(source):
        return source
    try:
        return _Renamer(factory.body).write()
    except _AmbiguousError:
        return source


class _AmbiguousError(Exception):
    """A name stands for two things, or cannot be followed."""


class _Renamer:
    """Follows one factory from what it returns to everything that it needs."""

    def __init__(self, statements: list[ast.stmt]) -> None:
        self.made: dict[str, ast.stmt] = {}
        self.aliases: dict[str, str] = {}
        self.root = ""
        self.numbers: dict[str, str] = {}
        self.keywords = {node.arg for s in statements for node in ast.walk(s) if isinstance(node, ast.keyword)}
        for statement in statements:
            self.read(statement)

    def read(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.Return) and isinstance(statement.value, ast.Name):
            self.root = statement.value.id
        elif isinstance(statement, ast.FunctionDef):
            self.made[statement.name] = statement
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            for alias in statement.names:
                self.made[alias.asname or alias.name] = statement
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name = statement.targets[0].id
            if isinstance(statement.value, ast.Name):
                self.aliases[name] = statement.value.id
            self.made[name] = statement
        else:
            raise _AmbiguousError

    def write(self) -> str:
        texts: list[str] = []
        pending = [self.resolve(self.root)]
        self.number(pending[0])
        while pending:
            name = pending.pop(0)
            texts.append(self.write_one(name, pending))
        return "\n".join(texts)

    def resolve(self, name: str) -> str:
        seen: set[str] = set()
        while name in self.aliases and name not in seen:
            seen.add(name)
            name = self.aliases[name]
        return name

    def number(self, name: str) -> str:
        return self.numbers.setdefault(name, f"made_{len(self.numbers)}")

    def write_one(self, name: str, pending: list[str]) -> str:
        statement = self.made[name]
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            module = statement.module if isinstance(statement, ast.ImportFrom) else None
            alias = next(alias for alias in statement.names if (alias.asname or alias.name) == name)
            return f"{self.numbers[name]} = import {module} {alias.name}"
        bound = _bound_names(statement) if isinstance(statement, ast.FunctionDef) else set()
        if bound & set(self.made):
            raise _AmbiguousError
        locals_: dict[str, str] = {}
        for node in _in_order(statement):
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                raise _AmbiguousError
            self.rename(node, bound, locals_, pending)
        return ast.unparse(statement)

    def rename(self, node: ast.AST, bound: set[str], locals_: dict[str, str], pending: list[str]) -> None:
        """Replace the names that one node holds."""
        for attribute in ("id", "arg", "name"):
            held = getattr(node, attribute, None)
            if not isinstance(held, str) or isinstance(node, (ast.keyword, ast.alias)):
                continue
            if held in bound:
                if held not in self.keywords:
                    setattr(node, attribute, locals_.setdefault(held, f"local_{len(locals_)}"))
            elif held in self.made:
                target = self.resolve(held)
                if target in self.made:
                    if target not in self.numbers:
                        pending.append(target)
                    setattr(node, attribute, self.number(target))
                else:
                    setattr(node, attribute, target)


def _bound_names(function: ast.FunctionDef) -> set[str]:
    """Every name that a function, or a function in it, makes itself; not its own."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
            found.add(node.name)
        elif isinstance(node, _REFUSED) and node is not function:
            raise _AmbiguousError
    return found


def _in_order(node: ast.AST) -> list[ast.AST]:
    """A node and everything below it, in the order of the text."""
    return [node, *(below for child in ast.iter_child_nodes(node) for below in _in_order(child))]
