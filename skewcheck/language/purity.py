"""Purity: what an opaque function may not do, as far as its source can tell (the language floor).

The same arguments must give the same result in every process and at any time. So it reads no clock, no randomness, no
file and nothing that can change, and changes nothing but what it made itself.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

MODULES = (
    "bisect",
    "datetime",
    "decimal",
    "fractions",
    "functools",
    "hashlib",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "unicodedata",
)
"""Modules that an opaque function may use."""

BUILTINS = frozenset(
    {
        *("abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "chr", "dict", "divmod", "enumerate"),
        *("filter", "float", "format", "frozenset", "int", "isinstance", "issubclass", "iter", "len", "list", "map"),
        *("max", "min", "next", "oct", "ord", "pow", "range", "repr", "reversed", "round", "set", "slice", "sorted"),
        *("str", "sum", "tuple", "zip"),
        *("ArithmeticError", "AttributeError", "Exception", "IndexError", "KeyError", "LookupError"),
        *("NotImplementedError", "OverflowError", "RuntimeError", "StopIteration", "TypeError", "UnicodeDecodeError"),
        *("UnicodeEncodeError", "UnicodeError", "ValueError", "ZeroDivisionError"),
    }
)
"""Python's own functions that an opaque function may use."""

_REASONS = {
    **dict.fromkeys(("open", "print", "input"), "does input or output"),
    **dict.fromkeys(("eval", "exec", "compile", "__import__"), "runs code that its source does not show"),
    **dict.fromkeys(("globals", "locals", "vars", "dir", "getattr", "setattr", "delattr"), "reaches what can change"),
    "hash": "differs from process to process",
    "id": "differs from process to process",
}

_CLOCKS = frozenset({"now", "today", "utcnow"})

_MEMBERS = {
    **dict.fromkeys(("getcontext", "setcontext", "localcontext"), "reads settings that can change"),
    **dict.fromkeys(("DefaultContext", "BasicContext", "ExtendedContext"), "reads settings that can change"),
    **dict.fromkeys(("cache", "lru_cache", "cached_property", "singledispatch"), "keeps state between calls"),
    **dict.fromkeys(("attrgetter", "methodcaller"), "reaches attributes that its source does not show"),
    **dict.fromkeys(("setitem", "delitem", "file_digest", "call"), "changes or reads what it did not make"),
}
"""What allowed modules hold that is not allowed, and why."""

_MUTATORS = frozenset({"clear", "pop", "popitem", "setdefault", "update"})

_SET_METHODS = frozenset({"copy", "difference", "intersection", "symmetric_difference", "union"})

_ORDERED = frozenset(
    {
        *(
            "bytearray",
            "bytes",
            "enumerate",
            "filter",
            "fromkeys",
            "iter",
            "join",
            "list",
            "map",
            "next",
            "repr",
            "reversed",
        ),
        *("str", "sum", "tuple", "zip"),
    }
)
"""Calls whose result depends on the order of what they are given."""

_KEEP_TO_ARGUMENTS = "Compute the result from the arguments alone."
_SORT = "Go through sorted(...) of it."


class Impurity(NamedTuple):
    """Something that a function may not do: the line, what it does, and what to do instead."""

    line: int
    message: str
    remedy: str


def refuse_builtin(name: str, line: int) -> Impurity | None:
    """What is wrong with calling one of Python's own functions, None where nothing is."""
    if name in BUILTINS:
        return None
    reason = _REASONS.get(name, "is not known to give the same result everywhere")
    return Impurity(line, f"uses {name}, which {reason}", _KEEP_TO_ARGUMENTS)


def refuse_member(name: str, line: int) -> Impurity | None:
    """What is wrong with using something of an allowed module, None where nothing is."""
    if name not in _MEMBERS:
        return None
    return Impurity(line, f"uses {name}, which {_MEMBERS[name]}", _KEEP_TO_ARGUMENTS)


def refuse_module(name: str, line: int) -> Impurity | None:
    """What is wrong with using a module, None where nothing is."""
    if name in MODULES:
        return None
    allowed = f"Use none but {', '.join(MODULES)}; {_KEEP_TO_ARGUMENTS[0].lower()}{_KEEP_TO_ARGUMENTS[1:]}"
    return Impurity(line, f"uses the module {name}", allowed)


def find_impurities(function: ast.FunctionDef, known: Mapping[str, Any]) -> list[Impurity]:
    """What a function's source shows that it may not do, in the order of its lines.

    Args:
        function: The function.
        known: The values of the names that it takes from outside, as far as they are known.
    """
    checker = _Checker(function, known)
    for statement in function.body:
        for node in ast.walk(statement):
            checker.check(node)
    return sorted(checker.found, key=lambda impurity: impurity.line)


_STATEMENTS: tuple[tuple[tuple[type[ast.AST], ...], str, str], ...] = (
    ((ast.Global, ast.Nonlocal), "changes what outlives the call (global, nonlocal)", _KEEP_TO_ARGUMENTS),
    ((ast.Yield, ast.YieldFrom), "is a generator", "Return one value."),
    (
        (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith),
        "is asynchronous",
        "Write a plain function; it may wait for nothing.",
    ),
    ((ast.With,), "enters a context (with)", _KEEP_TO_ARGUMENTS),
    ((ast.ClassDef,), "defines a class", "Use plain values and functions."),
    ((ast.Assert,), "asserts, which python -O leaves out", "Raise an error instead, or return None."),
)
"""Kinds of syntax that are refused wherever they stand."""


class _Checker:
    """Looks at the nodes of a function's body and collects what it may not do."""

    def __init__(self, function: ast.FunctionDef, known: Mapping[str, Any]) -> None:
        self.found: list[Impurity] = []
        self.known = known
        self.bindings = _find_bindings(function)
        self.modules = {name: value for name, value in known.items() if isinstance(value, ModuleType)}

    def check(self, node: ast.AST) -> None:
        for kinds, message, remedy in _STATEMENTS:
            if isinstance(node, kinds):
                self.refuse(node, message, remedy)
        method = getattr(self, f"check_{type(node).__name__.lower()}", None)
        if method is not None:
            method(node)

    def refuse(self, node: ast.AST, message: str, remedy: str = _KEEP_TO_ARGUMENTS) -> None:
        self.found.append(Impurity(getattr(node, "lineno", 0), message, remedy))

    def keep(self, impurity: Impurity | None) -> None:
        self.found += [] if impurity is None else [impurity]

    def check_functiondef(self, node: ast.FunctionDef) -> None:
        if node.decorator_list:
            self.refuse(node, f"decorates {node.name}", "Leave the decorator out: it could keep state between calls.")

    def check_import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.keep(refuse_module(alias.name, node.lineno))
            if alias.name in MODULES:
                self.modules[alias.asname or alias.name] = importlib.import_module(alias.name)

    def check_importfrom(self, node: ast.ImportFrom) -> None:
        self.keep(refuse_module("." * node.level + (node.module or ""), node.lineno))
        for alias in node.names:
            self.keep(refuse_member(alias.name, node.lineno))
            held = vars(importlib.import_module(node.module)) if node.module in MODULES else {}
            if isinstance(held.get(alias.name), ModuleType):
                self.refuse(node, f"uses the module {alias.name} through {node.module}")

    def check_name(self, node: ast.Name) -> None:
        if not node.id.isascii():
            self.refuse(node, f"uses the name {node.id}", "Use ASCII letters.")

    def check_attribute(self, node: ast.Attribute) -> None:
        if node.attr.startswith("_") or not node.attr.isascii():
            self.refuse(node, f"reaches .{node.attr}", "Leave the insides of other values alone.")
        elif node.attr in _CLOCKS:
            self.refuse(node, f"reads the clock (.{node.attr})", "Pass the time as an argument.")
        if not isinstance(node.ctx, ast.Load) and not self.is_own(node.value):
            self.refuse(node, f"changes an attribute (.{node.attr}) of what it did not make")
        if isinstance(node.value, ast.Name):
            self.check_part(node, node.value.id)

    def check_part(self, node: ast.Attribute, owner: str) -> None:
        """A part of a module or a table that was made outside."""
        if owner in self.modules:
            self.keep(refuse_member(node.attr, node.lineno))
            part = getattr(self.modules[owner], node.attr, None)
            if isinstance(part, ModuleType):
                self.refuse(node, f"uses the module {part.__name__} through {owner}")
        elif isinstance(self.known.get(owner), dict) and node.attr in _MUTATORS:
            self.refuse(node, f"changes {owner} (.{node.attr}), which it did not make", "Copy it first: dict(...).")

    def check_subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load) and not self.is_own(node.value):
            self.refuse(node, f"changes an item of what it did not make ({ast.unparse(node.value)})", "Copy it first.")

    def check_call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = len(node.args) + len(node.keywords)
        if (name == "fromtimestamp" and given < 2) or (name == "astimezone" and not given):
            self.refuse(node, f"uses the machine's time zone (.{name})", "Name the zone, such as timezone.utc.")
        if name in _ORDERED:
            for argument in node.args:
                if self.is_set(argument):
                    self.refuse(node, f"depends on the order of a set ({name})", _SORT)
        if name == "pop" and isinstance(node.func, ast.Attribute) and self.is_set(node.func.value):
            self.refuse(node, "depends on the order of a set (pop)", _SORT)

    def check_for(self, node: ast.For) -> None:
        self.check_iteration(node, node.iter)

    def check_comprehension(self, node: ast.comprehension) -> None:
        self.check_iteration(node.iter, node.iter)

    def check_starred(self, node: ast.Starred) -> None:
        self.check_iteration(node, node.value)

    def check_formattedvalue(self, node: ast.FormattedValue) -> None:
        self.check_iteration(node, node.value)

    def check_iteration(self, node: ast.AST, over: ast.expr) -> None:
        if self.is_set(over):
            self.refuse(node, "depends on the order of a set, which differs from process to process", _SORT)

    def is_own(self, node: ast.expr) -> bool:
        """Whether a value that is about to be changed was made in the function."""
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            node = node.value
        values = self.bindings.get(node.id, []) if isinstance(node, ast.Name) else []
        return bool(values) and all(value is not None and _is_made(value) for value in values)

    def is_set(self, node: ast.expr) -> bool:
        """Whether a value is a set, as far as the source shows it."""
        if isinstance(node, (ast.Set, ast.SetComp)):
            return True
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                return node.func.attr in _SET_METHODS and self.is_set(node.func.value)
            return getattr(node.func, "id", "") in {"set", "frozenset"}
        if isinstance(node, ast.BinOp):
            return self.is_set(node.left) or self.is_set(node.right)
        if not isinstance(node, ast.Name):
            return False
        if node.id not in self.bindings:
            return isinstance(self.known.get(node.id), (set, frozenset))
        # What a name is bound to may be the name itself, changed.
        values = [value for value in self.bindings[node.id] if value is not None]
        return any(self.is_set(value) for value in values if not _reads(value, node.id))


def _find_bindings(function: ast.FunctionDef) -> dict[str, list[ast.expr | None]]:
    """For every name that the function binds what it is bound to, None where that is not a plain assignment."""
    found: dict[str, list[ast.expr | None]] = {}
    plain: set[int] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    plain.add(id(target))
                    found.setdefault(target.id, []).append(node.value)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name) and node.value:
            plain.add(id(node.target))
            found.setdefault(node.target.id, []).append(node.value)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            plain.add(id(node.target))
        elif isinstance(node, ast.arg):
            found.setdefault(node.arg, []).append(None)
    for name in _other_bindings(function, plain):
        found.setdefault(name, []).append(None)
    return found


def _other_bindings(function: ast.FunctionDef, plain: set[int]) -> Iterator[str]:
    """Names that are bound otherwise than by a plain assignment: by a loop, an import, an unpacking."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and id(node) not in plain:
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name
        elif isinstance(node, (ast.ExceptHandler, ast.FunctionDef)) and node.name:
            yield node.name


_MADE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call, ast.BinOp)


def _is_made(value: ast.expr) -> bool:
    """Whether an expression makes a new value."""
    if isinstance(value, ast.IfExp):
        return _is_made(value.body) and _is_made(value.orelse)
    return isinstance(value, _MADE)


def _reads(value: ast.expr, name: str) -> bool:
    return any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(value))
