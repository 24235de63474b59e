"""Queries: a program as one SELECT, in any dialect of SQL that spells the primitives.

A missing value is NULL. Instants are whole numbers, microseconds since 1970. Shared terms are columns of common table
expressions, level by level. Rows keep no order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from skewcheck.engines.program import Program, plan
from skewcheck.errors import EngineError
from skewcheck.language.terms import Term
from skewcheck.language.types import Type

_CLOSED = re.compile(
    r"\"[^\"]*\"|`[^`]*`|[a-z_]\w*\([^()]*\)|\(-?[\d.]+(L|e[+-]?\d+)\)|\d[\d.]*(e[+-]?\d+)?(::BIGINT|L)?|'[^'\\]*'(::BIGINT)?"
)

TABLES = frozenset({"locate", "interval", "lookup", "element", "pack"})
"""Primitives that have no template: a `Dialect` writes their tables and lists."""


@dataclass(frozen=True, slots=True)
class Join:
    """A look-up table of which each row gets the value of its key.

    Attributes:
        relation: The table, a relation of two columns, keys and values.
        key: The SQL of the key.
        name: The column that the value becomes.
    """

    relation: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Level:
    """Columns that read those of the source and of the levels below.

    Attributes:
        columns: SQL text and name of each column.
        joins: Columns that come from tables.
    """

    columns: tuple[tuple[str, str], ...]
    joins: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What a query is put together from.

    Attributes:
        source: The relation.
        levels: The columns that are computed; the first level reads the source's alone.
        internal: The names of all of these columns, none of which the query gives.
        outputs: What it gives beside the source's columns, as SQL text with names.
    """

    source: str
    levels: tuple[Level, ...]
    internal: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Dialect:
    """How one dialect of SQL writes things.

    Attributes:
        spellings: The SQL of the primitives: {0}, {1}, ... stand for the arguments, which are put in parentheses where
            they need them, and {table} for the constant parameter.
        types: The SQL name of every type, as columns have it.
        ingress: How a column of each type is read, {0} standing for the column, {size} for a Vector's length and
            {column} for the column's name as a constant: null, NaN and infinities are missing.
        instant: How microseconds become a timestamp, {0} standing for them.
        quote_name: An identifier as SQL text.
        literal_text: A constant as SQL text.
        write_lookup: The SQL of a look-up: the argument and the table.
        write_element: The SQL of a constant list's value at a position: the position and the list.
        write_list: The SQL of a list: its elements.
        arrange: The query that is put together.
        joins: Whether a look-up table is to be joined instead.
        write_table: A look-up table as a relation of keys and values.
        write_search: The SQL of the value of the interval in which a named number lies: its name, the edges and one
            value more than there are edges; None where nested choices are to find it.
        positive_spellings: Shorter forms for a first argument that is never below zero.
        name: What people call it.
    """

    spellings: Mapping[str, str]
    types: Mapping[str, str]
    ingress: Mapping[str, str]
    instant: str
    quote_name: Callable[[str], str]
    literal_text: Callable[[Any], str]
    write_lookup: Callable[[str, Sequence[tuple[Any, Any]]], str]
    write_element: Callable[[str, Sequence[Any]], str]
    write_list: Callable[[Sequence[str]], str]
    arrange: Callable[[Parts], str]
    joins: Callable[[Sequence[tuple[Any, Any]]], bool] = lambda _table: False
    write_table: Callable[[Sequence[tuple[Any, Any]]], str] = lambda _table: ""
    write_search: Callable[[str, Sequence[Any], Sequence[int]], str | None] = lambda _name, _edges, _values: None
    positive_spellings: Mapping[str, str] = field(default_factory=dict)
    name: str = "This engine"

    def spelling(self, term: Term) -> str:
        """The template of a call.

        Raises:
            EngineError: The engine cannot run it.
        """
        if term.name not in self.spellings:
            what = f"opaque function {term.parameter.name}" if term.name == "opaque" else f"primitive {term.name}"
            raise EngineError(
                f"{self.name} cannot run the {what}", remedy="Leave it out, or generate for the other engines only."
            )
        if term.name in self.positive_spellings and term.arguments[0].bounds[0] >= 0:
            return self.positive_spellings[term.name]
        return self.spellings[term.name]

    def egress(self, text: str, type_: Type) -> str:
        """A computed value as a column of its type: an instant leaves its microseconds."""
        return self.instant.format(text) if type_.name == "Timestamp" else text


def write_query(
    dialect: Dialect, outputs: Mapping[str, Term], *, source: str, columns: Mapping[str, str] | None = None
) -> str:
    """A SELECT that gives every column of `source` and the outputs beside them.

    Args:
        dialect: The dialect to write.
        outputs: Finite terms without unknown statistics, by name.
        source: A relation, as SQL text: a name, or a query in parentheses.
        columns: For a column the SQL text that reads it, where it is not its own quoted name.
    """
    program = plan(outputs, requires_names=lambda term: _requires_names(dialect, term))
    return _Query(dialect, program, columns or {}).write(source)


class _Query:
    """Writes one program."""

    def __init__(self, dialect: Dialect, program: Program, columns: Mapping[str, str]) -> None:
        self.dialect = dialect
        self.program = program
        self.columns = columns
        self.levels: dict[int, int] = {}

    def write(self, source: str) -> str:
        dialect = self.dialect
        levels: dict[int, list[Term]] = {}
        for _, term in self.program.steps:
            self.levels[id(term)] = self._level(term)
            levels.setdefault(self.levels[id(term)], []).append(term)
        ingress = Level(tuple((self._ingress(column), self._internal(column)) for column in self.program.columns))
        outputs = (
            f"{dialect.egress(self._code(term), term.type)} AS {dialect.quote_name(name)}"
            for name, term in self.program.outputs.items()
        )
        internal = (*self.program.columns, *(term for _, term in self.program.steps))
        return dialect.arrange(
            Parts(
                source,
                (ingress, *(self._write_level(levels[level]) for level in sorted(levels))),
                tuple(self._internal(term) for term in internal),
                tuple(outputs),
            )
        )

    def _write_level(self, steps: list[Term]) -> Level:
        """One level: columns that are computed, and those that are looked up in a joined table."""
        dialect = self.dialect
        joined = [term for term in steps if term.name == "lookup" and dialect.joins(term.parameter)]
        return Level(
            tuple((self._spell(term), self._internal(term)) for term in steps if term not in joined),
            tuple(
                Join(dialect.write_table(term.parameter), self._code(term.arguments[0]), self._internal(term))
                for term in joined
            ),
        )

    def _ingress(self, column: Term) -> str:
        read = self.columns.get(column.name, self.dialect.quote_name(column.name))
        size, name = column.type.size, self.dialect.literal_text(column.name)
        return self.dialect.ingress[column.type.name].format(read, size=size, column=name)

    def _internal(self, term: Term) -> str:
        """The name of a column or step inside the query, which no column of the source has."""
        return self.dialect.quote_name(f"#{self.program.names[id(term)]}")

    def _level(self, term: Term) -> int:
        """One above the highest level among the steps that a term reads."""
        below = 0
        stack = list(term.arguments)
        while stack:
            argument = stack.pop()
            if id(argument) in self.levels:
                below = max(below, self.levels[id(argument)])
            else:
                # Written out, or another name for a step, as the microseconds of an instant are.
                stack.extend(argument.arguments)
        return below + 1

    def _code(self, term: Term) -> str:
        if self.program.name(term) is not None:
            return self._internal(term)
        if term.kind == "literal":
            text = self.dialect.literal_text(term.parameter)
            return text if term.present else f"CAST({text} AS {self._internal_type(term.type)})"
        if term.kind == "statistic":
            raise ValueError(f"statistic {term.name} of {term.parameter} is not known")
        return self._spell(term)

    def _internal_type(self, type_: Type) -> str:
        return self.dialect.types["Int64" if type_.name == "Timestamp" else type_.name]

    def _spell(self, term: Term) -> str:
        """The SQL of a call."""
        dialect = self.dialect
        arguments = [self._code(argument) for argument in term.arguments]
        if term.name == "locate":
            return self._search(arguments[0], term.parameter, range(len(term.parameter) + 1))
        if term.name == "interval":
            return self._search(arguments[0], *term.parameter)
        if term.name == "lookup":
            return dialect.write_lookup(_operand(arguments[0]), term.parameter)
        if term.name == "element":
            return dialect.write_element(_operand(arguments[0]), term.parameter)
        if term.name == "pack":
            absent = [f"{text} IS NULL" for text, a in zip(arguments, term.arguments, strict=True) if not a.present]
            packed = dialect.write_list(arguments)
            return f"CASE WHEN {' OR '.join(absent)} THEN NULL ELSE {packed} END" if absent else packed
        if term.name == "opaque":
            return dialect.spelling(term).format(all=", ".join(arguments), table=term.parameter.identifier)
        table = "" if term.parameter is None else dialect.literal_text(term.parameter)
        return dialect.spelling(term).format(*(_operand(argument) for argument in arguments), table=table)

    def _search(self, argument: str, edges: Sequence[Any], values: Sequence[int]) -> str:
        """The value of the interval in which the argument lies, by bisection; an interval holds its lower edge."""
        if written := self.dialect.write_search(argument, edges, values):
            return written

        def branch(low: int, high: int) -> str:
            if low == high:
                return str(values[low])
            middle = (low + high) // 2
            edge = edges[middle]
            bound = self.dialect.literal_text(edge) if isinstance(edge, float) else str(edge)
            return f"CASE WHEN {argument} < {bound} THEN {branch(low, middle)} ELSE {branch(middle + 1, high)} END"

        return f"CASE WHEN {argument} IS NOT NULL THEN CAST({branch(0, len(edges))} AS BIGINT) END"


def _operand(text: str) -> str:
    """An argument in parentheses, unless it is a name, one call or a plain constant."""
    return text if _CLOSED.fullmatch(text) else f"({text})"


def _requires_names(dialect: Dialect, term: Term) -> Collection[Term]:
    """Arguments that the SQL writes more than once, whatever is joined, and calls that cost most."""
    if term.kind != "call" or term.name == "element":
        return ()
    if term.name in {"locate", "interval"}:
        return term.arguments
    if term.name == "lookup":
        return (*term.arguments, term) if dialect.joins(term.parameter) else ()
    if term.name == "pack":
        return [argument for argument in term.arguments if not argument.present]
    spelling = dialect.spelling(term)
    if term.name == "opaque":
        return (term,)
    return [argument for position, argument in enumerate(term.arguments) if spelling.count(f"{{{position}}}") > 1]
