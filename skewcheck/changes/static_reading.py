"""A version read as text: what its declarations say, with nothing of it run (room: changes).

Every feature has a digest of its function and of everything that the function refers to inside `features/`: helpers and
constants, by what they are and not by their names. Comments, formatting and annotations do not enter.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from skewcheck.errors import SkewcheckError

READERS = frozenset(
    {"open", "read_text", "read_bytes", "read_csv", "read_parquet", "read_json", "load", "loads", "glob"}
)
"""Calls that read files: what they find there is not seen."""

KNOWN_PACKAGES = frozenset(
    {"skewcheck", "feast", "datetime", "math", "typing", "__future__", "pathlib", "json", "decimal"}
)
"""Packages whose part in a declaration is understood, or reads files alone."""

DECORATORS = frozenset({"feature", "trained_on"})
"""What a service decorates functions with."""

SOURCES = frozenset({"FeatureView", "RequestSource", "windows"})
"""What makes a source of columns."""

_NOTES = frozenset({"description", "tags", "owner"})


@dataclass(frozen=True, slots=True)
class StaticFeature:
    """A feature as its text shows it: the digest of its meaning, its columns and features, docstring and place."""

    name: str
    service: str
    digest: str
    reads: tuple[str, ...]
    documentation: str
    path: str
    line: int
    calls: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()


@dataclass
class StaticVersion:
    """A version as its text shows it.

    Attributes:
        features: Its features by service and name.
        sources: For each view or request source, by its name, the digest of each of its settings.
        columns: For each column the digest of its field, and the name of its source.
        filters: The digest of the training filters.
        rest: The digest of every statement whose effect is not understood.
    """

    features: dict[tuple[str, str], StaticFeature] = field(default_factory=dict)
    sources: dict[str, dict[str, str]] = field(default_factory=dict)
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)
    filters: str = ""
    rest: str = ""


def read_statically(files: Mapping[str, str], prefix: str) -> StaticVersion:
    """The version in some files of Python, by their paths.

    Args:
        files: The text of every file under `features/`.
        prefix: What stands before `features/` in the paths.

    Raises:
        SkewcheckError: A file is no Python.
    """
    modules = {}
    for path, text in sorted(files.items()):
        name = path.removeprefix(prefix).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        try:
            modules[name] = _Module(name, path, ast.parse(text))
        except (SyntaxError, ValueError) as error:
            raise SkewcheckError(f"{path} is no Python: {error}", remedy="Correct it.") from error
    return _Reading(modules).read()


class _Module:
    """A module's top level: what each name is bound to, and what is left."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        self.name, self.path = name, path
        self.bound: dict[str, ast.stmt] = {}
        self.imported: dict[str, tuple[str, str | None]] = {}
        self.rest: list[ast.stmt] = []
        for statement in tree.body:
            self.place(statement)

    def place(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.ImportFrom):
            package = self.name.rsplit(".", statement.level)[0] if statement.level else ""
            module = ".".join(part for part in (package, statement.module) if part)
            self.imported.update({alias.asname or alias.name: (module, alias.name) for alias in statement.names})
        elif isinstance(statement, ast.Import):
            for alias in statement.names:
                self.imported[alias.asname or alias.name.partition(".")[0]] = (alias.name, None)
        elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            self.bind(statement.name, statement)
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            plain = all(isinstance(target, (ast.Name, ast.Tuple)) for target in targets)
            for name in names if plain else ():
                self.bind(name, statement)
            if not plain:
                self.rest.append(statement)
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            self.rest.append(statement)

    def bind(self, name: str, statement: ast.stmt) -> None:
        if name in self.bound:
            # Which of the two counts, and when, is a matter of order.
            self.rest += [self.bound[name], statement]
        self.bound[name] = statement


class _Reading:
    """Reads the modules of one version."""

    def __init__(self, modules: Mapping[str, _Module]) -> None:
        self.modules = modules
        self.digests: dict[tuple[str, str], str] = {}
        self.active: set[tuple[str, str]] = set()
        self.calls: set[str] = set()
        self.packages: set[str] = set()

    def read(self) -> StaticVersion:
        version = StaticVersion()
        for module in self.modules.values():
            for statement in module.bound.values():
                self.read_source(module, statement, version)
        functions = [
            (module, statement, decorator)
            for module in self.modules.values()
            for statement in module.bound.values()
            if isinstance(statement, ast.FunctionDef)
            for decorator in statement.decorator_list
            if isinstance(decorator, ast.Attribute) and decorator.attr in DECORATORS
        ]
        for module, function, decorator in functions:
            service, kind = self.find_service(module, decorator.value)
            if kind == "windows":
                columns = frozenset(argument.arg for argument in function.args.args)
                version.columns[function.name] = (self.digest_node(module, function, columns), service)
            elif decorator.attr == "feature":
                feature = self.read_feature(module, function, service)
                version.features[service, function.name] = feature
        filters = [
            self.digest_node(m, f, frozenset(a.arg for a in f.args.args))
            for m, f, d in functions
            if d.attr != "feature"
        ]
        rest = [self.digest_node(module, statement) for module in self.modules.values() for statement in module.rest]
        version.filters, version.rest = _hash(*sorted(filters)), _hash(*rest)
        return version

    def read_feature(self, module: _Module, function: ast.FunctionDef, service: str) -> StaticFeature:
        self.calls, self.packages, self.digests = set(), set(), {}
        reads = tuple(argument.arg for argument in function.args.args)
        digest = self.digest_node(module, function, frozenset(reads))
        line = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
        return StaticFeature(
            function.name,
            service,
            digest,
            reads,
            ast.get_docstring(function) or "",
            module.path,
            line,
            frozenset(self.calls),
            frozenset(self.packages),
        )

    def find_service(self, module: _Module, node: ast.expr) -> tuple[str, str]:
        """The name of what a decorator belongs to, the variable's where it does not show; and what made it."""
        if not isinstance(node, ast.Name):
            return ast.unparse(node), ""
        if node.id in module.imported:
            other, name = module.imported[node.id]
            if other in self.modules and name is not None:
                return self.find_service(self.modules[other], ast.Name(name, ast.Load()))
        statement = module.bound.get(node.id)
        value = getattr(statement, "value", None)
        if isinstance(value, ast.Call) and value.args and isinstance(value.args[0], ast.Constant):
            return str(value.args[0].value), ast.unparse(value.func).rpartition(".")[2]
        return node.id, ""

    def read_source(self, module: _Module, statement: ast.stmt, version: StaticVersion) -> None:
        """A view or request source, setting by setting."""
        value = getattr(statement, "value", None)
        made_by = ast.unparse(value.func).rpartition(".")[2] if isinstance(value, ast.Call) else ""
        if not isinstance(value, ast.Call) or made_by not in SOURCES:
            return
        given = {str(keyword.arg): keyword.value for keyword in value.keywords}
        name = given.pop("name", value.args[0] if value.args else None)
        shown = str(name.value) if isinstance(name, ast.Constant) else ast.unparse(name) if name else "?"
        schema = given.pop("schema", None)
        settings = {key: self.digest_node(module, node) for key, node in given.items() if key not in _NOTES}
        settings |= {str(place): self.digest_node(module, node) for place, node in enumerate(value.args[1:], start=1)}
        for key, node in given.items():
            if key == "source" and isinstance(node, ast.Call):
                settings |= {
                    f"{key}.{k.arg}": self.digest_node(module, k.value) for k in node.keywords if k.arg not in _NOTES
                }
        fields = schema.elts if isinstance(schema, ast.List) else []
        for node in fields:
            inside = {str(k.arg): k.value for k in node.keywords} if isinstance(node, ast.Call) else {}
            column = inside.get("name")
            if isinstance(column, ast.Constant):
                kept = [f"{k}={self.digest_node(module, v)}" for k, v in sorted(inside.items()) if k != "description"]
                version.columns[str(column.value)] = (_hash(*kept), shown)
        if schema is not None and len(fields) == 0:
            settings["schema"] = self.digest_node(module, schema)
        version.sources[shown] = settings

    def digest_name(self, module: _Module, name: str) -> str:
        """What a name at a module's top level stands for."""
        key = (module.name, name)
        if key in self.active:
            return _hash("itself")
        if key not in self.digests:
            self.active.add(key)
            self.digests[key] = self.find_meaning(module, name)
            self.active.discard(key)
        return self.digests[key]

    def find_meaning(self, module: _Module, name: str) -> str:
        if name in module.bound:
            return self.digest_node(module, module.bound[name])
        if name in module.imported:
            other, member = module.imported[name]
            if other in self.modules and member is not None:
                return self.digest_name(self.modules[other], member)
            self.packages.add(other.partition(".")[0])
            return _hash("import", other, str(member))
        return _hash("builtin" if hasattr(builtins, name) else "unknown", name)

    def digest_node(self, module: _Module, node: ast.AST, columns: frozenset[str] = frozenset()) -> str:
        """The digest of a statement or expression; a name enters as what it stands for."""
        own = _find_own(node) - columns
        numbers: dict[str, str] = {}

        def write(part: Any) -> str:
            if isinstance(part, ast.Name):
                if part.id in columns:
                    return f"column {part.id}"
                if part.id in own:
                    return numbers.setdefault(part.id, f"own {len(numbers)}")
                return self.digest_name(module, part.id)
            if isinstance(part, ast.arg):
                return (
                    f"column {part.arg}" if part.arg in columns else numbers.setdefault(part.arg, f"own {len(numbers)}")
                )
            if isinstance(part, ast.Attribute) and (found := self.find_member(module, part)) is not None:
                return found
            if isinstance(part, ast.Call):
                self.calls.add(ast.unparse(part.func).rpartition(".")[2])
            if isinstance(part, ast.AST):
                fields = [(name, value) for name, value in ast.iter_fields(part) if name not in _left_out(part, node)]
                return f"{type(part).__name__}({','.join(f'{name}={write(value)}' for name, value in fields)})"
            if isinstance(part, list):
                return f"[{','.join(write(item) for item in _without_docstring(part))}]"
            return repr(part)

        return _hash(write(node))

    def find_member(self, module: _Module, node: ast.Attribute) -> str | None:
        """What `module.name` stands for, where the module is one of these."""
        if not isinstance(node.value, ast.Name) or node.value.id not in module.imported:
            return None
        other, member = module.imported[node.value.id]
        path = other if member is None else f"{other}.{member}"
        return self.digest_name(self.modules[path], node.attr) if path in self.modules else None


def _left_out(part: ast.AST, whole: ast.AST) -> frozenset[str]:
    """The fields of a node that say nothing about its meaning."""
    if isinstance(part, ast.FunctionDef):
        own = {"name"} if part is whole else set()
        # A service's decorator would draw in every source of the service.
        marked = any(isinstance(d, ast.Attribute) and d.attr in DECORATORS for d in part.decorator_list)
        return frozenset({"returns", "type_comment", "type_params", *own, *({"decorator_list"} if marked else ())})
    if isinstance(part, ast.Assign) and part is whole:
        return (
            frozenset({"targets", "type_comment"})
            if isinstance(part.targets[0], ast.Name)
            else frozenset({"type_comment"})
        )
    if isinstance(part, ast.AnnAssign) and part is whole:
        return frozenset({"target", "annotation"})
    return frozenset({"annotation", "type_comment", "ctx", "kind"})


def _without_docstring(items: list[Any]) -> Iterable[Any]:
    return [
        i
        for i in items
        if not (isinstance(i, ast.Expr) and isinstance(i.value, ast.Constant) and isinstance(i.value.value, str))
    ]


def _find_own(node: ast.AST) -> frozenset[str]:
    """The names that a function makes itself; none for another statement's targets."""
    if not isinstance(node, ast.FunctionDef):
        return frozenset(n.arg for n in ast.walk(node) if isinstance(n, ast.arg)) | frozenset(
            n.id
            for c in ast.walk(node)
            if isinstance(c, ast.comprehension)
            for n in ast.walk(c.target)
            if isinstance(n, ast.Name)
        )
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return frozenset(names | {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)})


def _hash(*parts: str) -> str:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
