"""Python: the primitives as source text of the standard library's language.

A missing value is None. Instants are integers, microseconds since 1970. A strict expression is missing exactly where
one of a few named values is, its *roots*: those are tested once for all the statements that share them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from skewcheck.engines.program import Program, plan
from skewcheck.language.opaque import Definition, find_functions
from skewcheck.language.patterns import END
from skewcheck.language.primitives import SQUARE_ROOT_OF_TWO
from skewcheck.language.terms import Term, walk
from skewcheck.language.types import TIMESTAMP_MAX, TIMESTAMP_MIN


@dataclass(frozen=True, slots=True)
class Spelling:
    """How Python writes a primitive.

    Attributes:
        text: The expression, with {0}, {1}, ... for the arguments and {table} for the constant parameter.
        missing_when: Conditions, beside a missing argument, under which the result is missing.
        takes_missing: The expression itself says what happens with None.
    """

    text: str
    missing_when: tuple[str, ...] = ()
    takes_missing: bool = False


SPELLINGS = {
    "add": Spelling("{0} + {1}"),
    "subtract": Spelling("{0} - {1}"),
    "multiply": Spelling("{0} * {1}"),
    "divide": Spelling("{0} / {1}", ("{1} == 0.0",)),
    "quotient": Spelling("{0} / {1}"),
    "square_root": Spelling("sqrt({0})", ("{0} < 0.0",)),
    "floor": Spelling("{0} // 1.0"),
    "absolute": Spelling("abs({0})"),
    "exponent": Spelling(f"frexp({{0}})[1] - (frexp({{0}})[0] <= {SQUARE_ROOT_OF_TWO / 2})"),
    "power_of_two": Spelling("ldexp(1.0, {0})"),
    "finite": Spelling("{0}", ("not -INFINITY < {0} < INFINITY",)),
    "integer_add": Spelling("{0} + {1}"),
    "integer_subtract": Spelling("{0} - {1}"),
    "integer_multiply": Spelling("{0} * {1}"),
    "checked_add": Spelling("{0} + {1}", ("not INT64_MIN <= {0} + {1} <= INT64_MAX",)),
    "checked_subtract": Spelling("{0} - {1}", ("not INT64_MIN <= {0} - {1} <= INT64_MAX",)),
    "checked_multiply": Spelling("{0} * {1}", ("not INT64_MIN <= {0} * {1} <= INT64_MAX",)),
    "floor_divide": Spelling("{0} // {1}"),
    "floor_modulo": Spelling("{0} % {1}"),
    "integer_quotient": Spelling("{0} // {1}", ("{1} == 0", "{1} == -1 and {0} == INT64_MIN")),
    "to_float": Spelling("float({0})"),
    "to_integer": Spelling("int({0})", ("not -9223372036854775808.0 <= {0} < 9223372036854775808.0",)),
    "to_text": Spelling("str({0})"),
    "equal": Spelling("{0} == {1}"),
    "less": Spelling("{0} < {1}"),
    "less_or_equal": Spelling("{0} <= {1}"),
    "and": Spelling(
        "False if {0} is False or {1} is False else None if {0} is None or {1} is None else True",
        takes_missing=True,
    ),
    "or": Spelling(
        "True if {0} is True or {1} is True else None if {0} is None or {1} is None else False",
        takes_missing=True,
    ),
    "not": Spelling("not {0}"),
    "is_missing": Spelling("{0} is None", takes_missing=True),
    "coalesce": Spelling("{1} if {0} is None else {0}", takes_missing=True),
    "restrict": Spelling("{0}", ("not {1}",)),
    "choose": Spelling("{1} if {0} else {2}", takes_missing=True),
    "locate": Spelling("bisect_right({table}, {0})"),
    "interval": Spelling("{table}_VALUES[bisect_right({table}, {0})]"),
    "element": Spelling("{table}[{0}]"),
    "lookup": Spelling("{table}.get({0})", takes_missing=True),
    "lower": Spelling("{0}.lower() if {0}.isascii() else {0}.translate(ASCII_LOWER)"),
    "upper": Spelling("{0}.upper() if {0}.isascii() else {0}.translate(ASCII_UPPER)"),
    "strip": Spelling("{0}.strip(ASCII_SPACE)"),
    "length": Spelling("len({0})"),
    "concatenate": Spelling("{0} + {1}"),
    "contains": Spelling("{1} in {0}"),
    "starts_with": Spelling("{0}.startswith({1})"),
    "ends_with": Spelling("{0}.endswith({1})"),
    "replace": Spelling("{0}.replace({1}, {2})"),
    "substring": Spelling("{0}[{1} : {1} + {2}]"),
    "part": Spelling("({0}.split({1}, {2} + 1) + [None] * ({2} + 1))[{2}]"),
    "count_item": Spelling("{0}.split({1}).count({2})"),
    "matches": Spelling("{table}.search({0}) is not None"),
    "extract": Spelling("_extract({table}, {0})"),
    "ngram_counts": Spelling("_count_ngrams({0}, {1}, {2})"),
    "digest": Spelling('int.from_bytes(md5({0}.encode(), usedforsecurity=False).digest()[:4], "big")'),
    "microseconds": Spelling("{0}"),
    "instant": Spelling("{0}", (f"not {TIMESTAMP_MIN} <= {{0}} <= {TIMESTAMP_MAX}",)),
    "pack": Spelling("[{all}]"),
    "opaque": Spelling("{table}({all})", takes_missing=True),
    "component": Spelling("{0}[{1}]"),
    "dot": Spelling("_dot({0}, {1})"),
    "scale_vector": Spelling("_scale({0}, {1})"),
}

HELPERS = {
    "_extract": """
def _extract(pattern, text):
    found = pattern.search(text)
    return None if found is None else found[1] or ""
""",
    "_count_ngrams": """
def _count_ngrams(text, size, buckets):
    counts = [0.0] * buckets
    for place in range(len(text) - size + 1):
        ngram = text[place : place + size].encode()
        counts[int.from_bytes(md5(ngram, usedforsecurity=False).digest()[:4], "big") % buckets] += 1.0
    return counts
""",
    "_dot": """
def _dot(left, right):
    total = 0.0
    for one, other in zip(left, right):
        total += one * other
    return total
""",
    "_scale": """
def _scale(vector, factor):
    scaled = [item * factor for item in vector]
    return scaled if all(-INFINITY < item < INFINITY for item in scaled) else None
""",
}
"""Functions that spellings call."""

PRESENT_SPELLINGS = {"and": Spelling("{0} and {1}"), "or": Spelling("{0} or {1}")}
"""Shorter forms for arguments that are never missing."""


RESERVED = frozenset(name for row in SPELLINGS.values() for name in re.findall(r"(?<![.\w{])[a-z_]\w*", row.text))
"""Names that the expressions use themselves."""


@dataclass(frozen=True, slots=True)
class Block:
    """Statements that share their guards.

    Attributes:
        guards: Names of values; where one of them is None, every result of the block is None.
        statements: Local name and expression, in order.
        results: Those of the names that may be read where a guard is None.
    """

    guards: tuple[str, ...]
    statements: tuple[tuple[str, str], ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Python source of a program.

    Attributes:
        columns: For each column its name in the input, its local name and its type.
        tables: Name and literal text of every constant table.
        blocks: The computation, in order.
        outputs: For each feature the expression that reads it, and its type.
        functions: The opaque functions that are called.
    """

    columns: tuple[tuple[str, str, str], ...]
    tables: tuple[tuple[str, str], ...]
    blocks: tuple[Block, ...]
    outputs: tuple[tuple[str, str, str], ...]
    functions: tuple[Definition, ...] = ()


def write_source(outputs: Mapping[str, Term]) -> Source:
    """The outputs as Python source; every term must be finite and free of statistics that are not known."""
    roots = find_roots(outputs.values())
    program = plan(outputs, requires_names=lambda term: _requires_names(term, roots), reserved=RESERVED)
    return _Writer(program, roots).write()


def literal_text(value: Any) -> str:
    """A constant as Python source: the only way in which a value reaches generated Python.

    Floats keep every bit; strings are ASCII with escapes, so that no character can end them.
    """
    if isinstance(value, (tuple, list)):
        items = [literal_text(item) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal_text(key)}: {literal_text(item)}" for key, item in value.items()) + "}"
    if type(value) is str:
        return ascii(value)
    if value is None or type(value) in {bool, int, float}:
        return repr(value)
    raise TypeError(f"{type(value).__name__} has no literal in generated code")


Roots = Mapping[int, tuple[Term, ...]]


def find_roots(outputs: Iterable[Term]) -> Roots:
    """For each term (by id) the terms of which one is missing exactly where it is missing; often itself."""
    roots: dict[int, tuple[Term, ...]] = {}
    for term in walk(*outputs):
        below = [roots[id(argument)] for argument in term.arguments]
        if term.present:
            roots[id(term)] = ()
        elif term.kind != "call" or not _is_strict(term, below):
            roots[id(term)] = (term,)
        else:
            roots[id(term)] = tuple({id(root): root for group in below for root in group}.values())
    return roots


def _is_strict(term: Term, below: list[tuple[Term, ...]]) -> bool:
    """Whether the term is missing exactly where one of its arguments' roots is."""
    if term.name != "choose":
        return term.primitive.strict and not term.primitive.partial
    condition, then, otherwise = ({id(root) for root in group} for group in below)
    # A missing condition takes the otherwise branch, so that branch has to be missing whenever anything is.
    return (condition <= otherwise and then == otherwise) or (condition == otherwise and then <= otherwise)


class _Writer:
    """Writes one program."""

    def __init__(self, program: Program, roots: Roots) -> None:
        self.program = program
        self.roots = roots
        self.order = {name: place for place, name in enumerate(program.names.values())}
        self.tables: dict[tuple[str, str], tuple[str, str]] = {}
        self.read_whole: set[str] = set()

    def write(self) -> Source:
        """The source; statements with equal guards stand together where their order allows it."""
        statements: list[_Statement] = []
        for name, term in self.program.steps:
            guards = () if self._is_own_root(term) else self._guards([term])
            text = self._spell(term, bare=True) if guards else self._define_whole(term)
            statements.append(_Statement(name, guards, text, self._reads(term)))
        outputs = tuple((name, self.whole(term), str(term.type)) for name, term in self.program.outputs.items())
        columns = tuple((c.name, self.program.names[id(c)], str(c.type)) for c in self.program.columns)
        blocks = tuple(self._block(guards, group) for guards, group in _schedule(statements))
        functions = find_functions(self.program.outputs.values())
        return Source(columns, tuple(self.tables.values()), blocks, outputs, functions)

    def whole(self, term: Term) -> str:
        """The term's value, None where it is missing."""
        name = self.program.name(term)
        if name is not None:
            self.read_whole.add(name)
            return name
        return self._define_whole(term)

    def bare(self, term: Term) -> str:
        """The term's value, where its roots are known not to be missing."""
        return self.program.name(term) or (
            self._spell(term, bare=True)
            if self.roots[id(term)] and not self._is_own_root(term)
            else self._define_whole(term)
        )

    def _define_whole(self, term: Term) -> str:
        if term.kind == "literal":
            return literal_text(term.parameter)
        if term.kind == "statistic":
            raise ValueError(f"statistic {term.name} of {term.parameter} is not known")
        if _spelling(term).takes_missing and (term.present or self._is_own_root(term)):
            return self._spell(term, bare=False)
        conditions = [f"{guard} is None" for guard in self._guards(term.arguments)]
        missing_when = _spelling(term).missing_when
        if term.name == "restrict" and term.arguments[1].name == "not":
            conditions.append(self.bare(term.arguments[1].arguments[0]))
        elif missing_when:
            operands = [_operand(self.bare(argument)) for argument in term.arguments]
            conditions += [condition.format(*operands) for condition in missing_when]
        text = self._spell(term, bare=True)
        return f"None if {' or '.join(conditions)} else {text}" if conditions else text

    def _spell(self, term: Term, *, bare: bool) -> str:
        texts = [self.bare(argument) if bare else self.whole(argument) for argument in term.arguments]
        spelling = _spelling(term)
        table = self._table(term) if "{table}" in spelling.text else ""
        return spelling.text.format(*(_operand(text) for text in texts), table=table, all=", ".join(texts))

    def _is_own_root(self, term: Term) -> bool:
        return any(root is term for root in self.roots[id(term)])

    def _guards(self, terms: Iterable[Term]) -> tuple[str, ...]:
        names = {self.program.names[id(root)] for term in terms for root in self.roots[id(term)]}
        return tuple(sorted(names, key=self.order.__getitem__))

    def _reads(self, term: Term) -> frozenset[str]:
        """The steps and columns that a term reads, also through terms without a name."""
        found: set[str] = set()
        for argument in term.arguments:
            name = self.program.name(argument)
            found |= self._reads(argument) if name is None else {name}
        return frozenset(found)

    def _block(self, guards: tuple[str, ...], group: list[_Statement]) -> Block:
        results = tuple(s.name for s in group if s.name in self.read_whole) if guards else ()
        return Block(guards, tuple((s.name, s.text) for s in group), results)

    def _table(self, term: Term) -> str:
        """The name of a constant table; equal tables are written once."""
        key = (term.name, literal_text(term.parameter))
        if key not in self.tables:
            name = f"{term.name.upper()}_{len(self.tables) + 1}"
            if term.name == "interval":
                edges, values = term.parameter
                self.tables[key[0] + " values", key[1]] = (f"{name}_VALUES", literal_text(values))
                self.tables[key] = (name, literal_text(edges))
            elif term.name == "opaque":
                self.tables[key] = (name, f"OPAQUE[{literal_text(term.parameter.identifier)}][0]")
            elif term.name == "lookup":
                self.tables[key] = (name, literal_text(dict(term.parameter)))
            elif isinstance(term.parameter, str):
                # Python has no \z before 3.14.
                pattern = literal_text(term.parameter.replace(END, r"\Z"))
                self.tables[key] = (name, f"compile({pattern}, ASCII)")
            else:
                self.tables[key] = (name, literal_text(term.parameter))
        return self.tables[key][0]


@dataclass(frozen=True, slots=True)
class _Statement:
    name: str
    guards: tuple[str, ...]
    text: str
    reads: frozenset[str]


def _schedule(statements: list[_Statement]) -> list[tuple[tuple[str, ...], list[_Statement]]]:
    """The statements in an order that keeps what each reads before it and changes guards seldom."""
    waiting = list(statements)
    pending = {statement.name for statement in statements}
    groups: list[tuple[tuple[str, ...], list[_Statement]]] = []
    while waiting:
        ready = [s for s in waiting if not s.reads & pending and not pending & set(s.guards)]
        current = groups[-1][0] if groups else None
        chosen = next((s for s in ready if s.guards == current), ready[0])
        if chosen.guards != current:
            groups.append((chosen.guards, []))
        groups[-1][1].append(chosen)
        waiting.remove(chosen)
        pending.remove(chosen.name)
    return groups


_CLOSED = re.compile(r"[A-Za-z_][\w.]*(\([^()]*\)|\[[^\[\]]*\])?|\d[\d.]*(e[+-]?\d+)?|'[^'\\]*'")


def _operand(text: str) -> str:
    """An expression, in parentheses unless it is a name, one call or look-up, or a plain constant."""
    return text if _CLOSED.fullmatch(text) else f"({text})"


def _spelling(term: Term) -> Spelling:
    if term.name in PRESENT_SPELLINGS and all(argument.present for argument in term.arguments):
        return PRESENT_SPELLINGS[term.name]
    return SPELLINGS[term.name]


def _requires_names(term: Term, roots: Roots) -> Collection[Term]:
    """Arguments that are written more than once, the roots that guard a strict expression, and calls that cost most."""
    if term.kind != "call":
        return ()
    if term.name == "opaque":
        return (term,)
    spelling = _spelling(term)
    everything = "".join((spelling.text, *spelling.missing_when))
    required = [a for position, a in enumerate(term.arguments) if everything.count(f"{{{position}}}") > 1]
    if not spelling.takes_missing or not any(root is term for root in roots[id(term)]):
        required += [root for argument in term.arguments for root in roots[id(argument)]]
    return required
