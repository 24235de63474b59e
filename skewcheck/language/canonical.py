"""Canonical source: a team's function as text that runs anywhere and changes only when its meaning does.

The text is a factory, `def _make():`, with everything that the function refers to inside it: imports, constants, other
functions. Comments, formatting, docstrings and annotations are gone, and it is ASCII, the same from every version of
Python.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import copy
import linecache
import math
import re
import symtable
import sys
import textwrap
from collections.abc import Iterator
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from skewcheck.errors import DeclarationError
from skewcheck.language import purity
from skewcheck.language.purity import Impurity

_FUTURES = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_ABSENT = object()
_DECORATED = Impurity(0, "has another decorator", "Leave it out: it could keep state between calls.")


class Wrapped:
    """What stands for a function that was declared opaque."""

    function: Any


class UndefinedNameError(DeclarationError):
    """A function refers to a name that does not exist, or not yet."""


def write_factory(function: FunctionType) -> str:
    """The text of a factory that makes the function and needs Python's standard library only.

    Raises:
        DeclarationError: The source cannot be read, or the function does what no opaque function may do. The message
            names the file and the line.
        UndefinedNameError: A name that it refers to does not exist yet.
    """
    collector = _Collector(function.__name__)
    collector.add_function(function, decorators=1)
    return collector.write(function.__name__)


def place_of(function: FunctionType) -> str:
    """File and line of a function."""
    return f"{function.__code__.co_filename}:{function.__code__.co_firstlineno}"


class _Collector:
    """Everything that one function refers to, by the names under which it does."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.meanings: dict[str, object] = {}
        self.imports: list[str] = []
        self.constants: dict[str, str] = {}
        self.functions: dict[str, str] = {}
        self.aliases: dict[str, str] = {}

    def write(self, name: str) -> str:
        constants = [f"{key} = {text}" for key, text in sorted(self.constants.items())]
        functions = [text for _, text in sorted(self.functions.items())]
        aliases = [f"{alias} = {target}" for alias, target in sorted(self.aliases.items())]
        body = "\n".join([*sorted(self.imports), *constants, *functions, *aliases, f"return {name}"])
        return f"def _make():\n{textwrap.indent(body, '    ')}\n"

    def add_function(self, function: FunctionType, decorators: int = 0) -> None:
        """A function and what it refers to; it may have at most so many decorators, which are known."""
        name = function.__name__
        if not self.claim(name, function.__code__, place_of(function)):
            return
        node = _read_definition(self.owner, function)
        if len(node.decorator_list) > decorators:
            raise self.refusal(function, _DECORATED._replace(line=node.lineno))
        text = self.definition_text(function, node)
        outside = _find_outside(text)
        known = {used: _look_up(function, used) for used in outside}
        for impurity in purity.find_impurities(node, known):
            raise self.refusal(function, impurity)
        for used in outside:
            if used != name:
                self.add_name(function, used, known[used], _line_of(node, used))
        self.functions[name] = text

    def add_name(self, function: FunctionType, name: str, value: Any, line: int) -> None:
        """A name that a function takes from outside."""
        place = f"{function.__code__.co_filename}:{line}"
        if value is _ABSENT:
            raise UndefinedNameError(
                f"opaque function {self.owner} ({place}): there is no {name}",
                remedy="Define it above the first feature that calls the function.",
            )
        if name.startswith("__"):
            raise self.refusal(function, Impurity(line, f"uses {name}", "Write the value itself."))
        decorators = int(isinstance(value, Wrapped))
        value = value.function if isinstance(value, Wrapped) else value
        if isinstance(value, FunctionType):
            self.add_function(value, decorators)
            if name != value.__name__ and self.claim(name, value.__code__, place):
                self.aliases[name] = value.__name__
        elif isinstance(value, ModuleType):
            self.keep(function, purity.refuse_module(value.__name__, line))
            self.add_import(name, f"import {value.__name__}", value.__name__, place)
        elif getattr(builtins, name, _ABSENT) is value:
            self.keep(function, purity.refuse_builtin(name, line))
            self.claim(name, f"builtins.{name}", place)
        elif (text := self.constant_text(value, place)) is not None:
            if self.claim(name, f"constant {text}", place):
                self.constants[name] = text
        else:
            self.add_member(function, name, value, line)

    def add_member(self, function: FunctionType, name: str, value: Any, line: int) -> None:
        """Something that was imported from an allowed module."""
        for module, member in _find_members(value, name):
            self.keep(function, purity.refuse_member(member, line))
            place = f"{function.__code__.co_filename}:{line}"
            self.add_import(name, f"from {module} import {member}", member, place)
            return
        home = str(getattr(value, "__module__", None))
        if callable(value) and home.partition(".")[0] in sys.stdlib_module_names:
            self.keep(function, purity.refuse_module(home.lstrip("_"), line))
        what = "a class" if isinstance(value, type) else f"a {type(value).__name__}"
        raise self.refusal(
            function,
            Impurity(
                line,
                f"refers to {name}, {what} that could change or cannot be written down",
                "Refer to numbers, texts, tuples, frozensets and dicts of these, patterns, and plain functions.",
            ),
        )

    def add_import(self, name: str, statement: str, plain: str, place: str) -> None:
        """An import, under the name by which the function knows it."""
        if self.claim(name, statement, place):
            self.imports.append(statement if name == plain else f"{statement} as {name}")

    def constant_text(self, value: Any, place: str) -> str | None:
        """A constant as source; None where it is none."""
        kind = type(value)
        if kind is float and not math.isfinite(value):
            return {"inf": "1e309", "-inf": "-1e309"}.get(repr(value), "(1e309 - 1e309)")
        if kind in {bool, int, float, bytes, type(None)}:
            return repr(value)
        if kind is str:
            return ascii(value)
        if kind is re.Pattern:
            self.add_import("re", "import re", "re", place)
            return f"re.compile({value.pattern!a}, {int(value.flags)})"
        if kind in {dict, MappingProxyType}:
            parts = [*value.keys(), *value.values()]
        elif kind in {tuple, frozenset}:
            parts = [*value]
        else:
            return None
        texts = [text for part in parts if (text := self.constant_text(part, place)) is not None]
        return self.collection_text(kind, texts, place) if len(texts) == len(parts) else None

    def collection_text(self, kind: type, texts: list[str], place: str) -> str:
        if kind is tuple:
            return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"
        if kind is frozenset:
            self.claim("frozenset", "builtins.frozenset", place)
            return f"frozenset([{', '.join(sorted(texts))}])"
        # Whatever one call does to a table, the next must not see.
        self.add_import("MappingProxyType", "from types import MappingProxyType", "MappingProxyType", place)
        half = len(texts) // 2
        pairs = (f"{key}: {value}" for key, value in zip(texts[:half], texts[half:], strict=True))
        return f"MappingProxyType({{{', '.join(pairs)}}})"

    def definition_text(self, function: FunctionType, node: ast.FunctionDef) -> str:
        """A definition without what does not decide its result."""
        defaults = [*node.args.defaults, *(default for default in node.args.kw_defaults if default is not None)]
        if any(not isinstance(default, (ast.Constant, ast.UnaryOp)) for default in defaults):
            remedy = "Write a plain constant, or give it in the body."
            raise self.refusal(function, Impurity(node.lineno, "has a default that is made when it is defined", remedy))
        normalizer = _Normalizer()
        plain = normalizer.visit(copy.deepcopy(node))
        if normalizer.unknown is not None:
            remedy = "Use format(value, text)."
            raise self.refusal(function, Impurity(normalizer.unknown, "nests formats in an f-string", remedy))
        return ast.unparse(ast.fix_missing_locations(plain))

    def claim(self, name: str, meaning: object, place: str) -> bool:
        """Whether a name is new here.

        Raises:
            DeclarationError: It means something else already.
        """
        if name not in self.meanings:
            self.meanings[name] = meaning
            return True
        if self.meanings[name] != meaning:
            raise DeclarationError(
                f"opaque function {self.owner} ({place}): {name} means different things in the functions that it uses",
                remedy="Rename one of them.",
            )
        return False

    def keep(self, function: FunctionType, impurity: Impurity | None) -> None:
        if impurity is not None:
            raise self.refusal(function, impurity)

    def refusal(self, function: FunctionType, impurity: Impurity) -> DeclarationError:
        return _refusal(self.owner, function, *impurity)


def _refusal(owner: str, function: FunctionType, line: int, message: str, remedy: str) -> DeclarationError:
    through = "" if function.__name__ == owner else f"{function.__name__} "
    return DeclarationError(
        f"opaque function {owner} ({function.__code__.co_filename}:{line}): {through}{message}", remedy=remedy
    )


def _find_members(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """The allowed modules that hold a value, and under which names; its own name first."""
    modules = [(module, vars(sys.modules[module])) for module in purity.MODULES if module in sys.modules]
    for module, members in modules:
        if members.get(name, _ABSENT) is value:
            yield module, name
    for module, members in modules:
        for member, held in sorted(members.items()):
            if held is value and not member.startswith("_"):
                yield module, member


def _look_up(function: FunctionType, name: str) -> Any:
    """What a name means in a function, as Python would find it."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    if name in cells:
        try:
            return cells[name].cell_contents
        except ValueError:  # not assigned yet
            return _ABSENT
    return function.__globals__.get(name, getattr(builtins, name, _ABSENT))


def _find_outside(text: str) -> list[str]:
    """The names that a definition takes from outside, sorted."""
    found: set[str] = set()
    tables = [symtable.symtable(text, "source", "exec")]
    while tables:
        table = tables.pop()
        tables += table.get_children()
        if table.get_type() != "module":
            found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global()}
    return sorted(found)


def _line_of(node: ast.FunctionDef, name: str) -> int:
    lines = [found.lineno for found in ast.walk(node) if isinstance(found, ast.Name) and found.id == name]
    return min(lines, default=node.lineno)


def _read_definition(owner: str, function: FunctionType) -> ast.FunctionDef:
    """A function's definition as it stands in its file.

    Raises:
        DeclarationError: It cannot be read, or is not what was loaded.
    """
    code = function.__code__
    if function.__name__ == "<lambda>":
        message = "is a lambda" if owner == "<lambda>" else "uses a lambda that was defined outside"
        raise _refusal(owner, function, code.co_firstlineno, message, "Write it with def, so that it has a name.")
    linecache.checkcache(code.co_filename)
    text = "".join(linecache.getlines(code.co_filename, function.__globals__))
    try:
        tree = ast.parse(text)
        compiled = compile(text, code.co_filename, "exec", flags=code.co_flags & _FUTURES, dont_inherit=True)
    except (SyntaxError, ValueError):
        tree, compiled = ast.Module([], []), compile("", "", "exec")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first == code.co_firstlineno and _is_loaded(compiled, code):
                return node
    raise _refusal(
        owner,
        function,
        code.co_firstlineno,
        "cannot be read: its file does not hold what was loaded",
        "Write it with def in a module, not under another decorator, and load the module again.",
    )


def _is_loaded(compiled: CodeType, code: CodeType) -> bool:
    """Whether some code is among what a text compiles to."""
    waiting = [compiled]
    while waiting:
        found = waiting.pop()
        if found == code:
            return True
        waiting += [constant for constant in found.co_consts if isinstance(constant, CodeType)]
    return False


class _Normalizer(ast.NodeTransformer):
    """Takes away what does not decide a result, and writes texts in one way."""

    def __init__(self) -> None:
        self.unknown: int | None = None

    def visit(self, node: ast.AST) -> Any:
        """Transform a node and leave out statements that do nothing."""
        changed = super().visit(node)
        for name in ("body", "orelse", "finalbody"):
            statements = getattr(changed, name, None)
            if isinstance(statements, list) and statements:
                kept = [item for item in statements if not _does_nothing(item)]
                setattr(changed, name, kept or [ast.Pass()])
        return changed

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A function without decorators and annotations."""
        node.decorator_list, node.returns, node.type_comment = [], None, None
        if hasattr(node, "type_params"):
            node.type_params = []
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        """A parameter without its annotation."""
        node.annotation, node.type_comment = None, None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """An assignment without its annotation."""
        if node.value is None:
            return ast.Pass()
        return self.generic_visit(ast.Assign([node.target], node.value))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A text in ASCII; whatever stands in a name is written as it is."""
        return ast.Name(ascii(node.value), ast.Load()) if isinstance(node.value, str) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """An f-string as a call of `format`: versions of Python differ in how they print f-strings."""
        values: list[ast.expr] = []
        template = self.template(node, values, nested=False)
        call = ast.Call(ast.Attribute(ast.Constant(template), "format", ast.Load()), values, [])
        return self.generic_visit(call)

    def template(self, node: ast.JoinedStr, values: list[ast.expr], *, nested: bool) -> str:
        parts = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                values.append(part.value)
                conversion = f"!{chr(part.conversion)}" if part.conversion >= 0 else ""
                inner = part.format_spec
                if inner is not None and nested:
                    self.unknown = node.lineno
                spec = f":{self.template(inner, values, nested=True)}" if isinstance(inner, ast.JoinedStr) else ""
                parts.append(f"{{{conversion}{spec}}}")
            elif isinstance(part, ast.Constant):
                text = str(part.value)
                if nested and ("{" in text or "}" in text):
                    self.unknown = node.lineno
                parts.append(text.replace("{", "{{").replace("}", "}}"))
        return "".join(parts)


def _does_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr):
        return isinstance(node.value, (ast.Constant, ast.Name))
    return isinstance(node, ast.Pass)
