"""DuckDB: the primitives as SQL, and a program as one streaming query.

A missing value is NULL. Instants are BIGINT, microseconds since 1970. Shared terms are columns of common table
expressions, level by level; look-up tables are joined, so that a row's cost does not grow with the table. Rows keep no
order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from skewcheck.engines.program import Program, plan
from skewcheck.engines.sql import literal_text, quote_name, quote_text
from skewcheck.language.primitives import ASCII_SPACE
from skewcheck.language.terms import Term
from skewcheck.language.types import INT64_MAX, INT64_MIN, TIMESTAMP_MAX, TIMESTAMP_MIN, Type

_GUESS = "floor(log2({0}))"
# TRY_CAST would be shorter; but DuckDB moves a TRY_CAST in a comparison to the other side, and nothing is missing then.
_FITS = f"BETWEEN {INT64_MIN} AND {INT64_MAX}"
_CHECKED = f"CASE WHEN CAST({{0}} AS HUGEINT) ~ CAST({{1}} AS HUGEINT) {_FITS} THEN {{0}} ~ {{1}} END"
_DIGEST = "CAST(md5_number({0}) & 4294967295 AS BIGINT)"
_CLOSED = re.compile(
    r"\"[^\"]*\"|[a-z_]\w*\([^()]*\)|\(-?[\d.]+e[+-]?\d+\)|\d[\d.]*(e[+-]?\d+)?(::BIGINT)?|'[^']*'(::BIGINT)?"
)

SPELLINGS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "CASE WHEN {1} <> 0e0 THEN {0} / {1} END",
    "quotient": "{0} / {1}",
    "square_root": "CASE WHEN {0} >= 0e0 THEN sqrt({0}) END",
    "floor": "floor({0})",
    # The logarithm may be off by one at a power of two; the comparisons put that right.
    "exponent": (
        f"CAST({_GUESS} AS BIGINT) - CAST({{0}} < pow(2e0, {_GUESS}) AS BIGINT)"
        f" + CAST({{0}} >= 2e0 * pow(2e0, {_GUESS}) AS BIGINT)"
    ),
    "power_of_two": "pow(2e0, {0})",
    "finite": "CASE WHEN isfinite({0}) THEN {0} END",
    "integer_add": "{0} + {1}",
    "integer_subtract": "{0} - {1}",
    "integer_multiply": "{0} * {1}",
    "checked_add": _CHECKED.replace("~", "+"),
    "checked_subtract": _CHECKED.replace("~", "-"),
    "checked_multiply": _CHECKED.replace("~", "*"),
    # // and % cut towards zero; neither form below can overflow.
    "floor_divide": "CASE WHEN {0} >= 0 THEN {0} // {1} ELSE -1 - ((-1 - {0}) // {1}) END",
    "floor_modulo": "CASE WHEN {0} % {1} < 0 THEN {0} % {1} + {1} ELSE {0} % {1} END",
    "to_float": "CAST({0} AS DOUBLE)",
    "equal": "{0} = {1}",
    "less": "{0} < {1}",
    "less_or_equal": "{0} <= {1}",
    "and": "{0} AND {1}",
    "or": "{0} OR {1}",
    "not": "NOT {0}",
    "is_missing": "{0} IS NULL",
    "coalesce": "coalesce({0}, {1})",
    "restrict": "CASE WHEN {1} THEN {0} END",
    "choose": "CASE WHEN {0} THEN {1} ELSE {2} END",
    # lower() knows more than ASCII; where every character is one byte it does not matter, and it is 40 times faster.
    "lower": (
        "CASE WHEN strlen({0}) = length({0}) THEN lower({0})"
        " ELSE translate({0}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz') END"
    ),
    "strip": f"trim({{0}}, {quote_text(ASCII_SPACE)})",
    "length": "length({0})",
    "concatenate": "{0} || {1}",
    # The number's lowest byte is the digest's first. Twice as fast as reading the hexadecimal digits.
    "digest": (
        f"(({_DIGEST} & 255) << 24) + (({_DIGEST} & 65280) << 8) + (({_DIGEST} >> 8) & 65280) + ({_DIGEST} >> 24)"
    ),
    "microseconds": "{0}",
}
"""The SQL of every primitive but `locate`, `interval`, `element`, `lookup` and `pack`.

An argument is put in parentheses where it needs them.
"""

POSITIVE_SPELLINGS = {"floor_divide": "{0} // {1}", "floor_modulo": "{0} % {1}"}
"""Shorter forms for a first argument that is never below zero."""

SQL_TYPES = {
    "Float64": "DOUBLE",
    "Int64": "BIGINT",
    "Bool": "BOOLEAN",
    "String": "VARCHAR",
    "Timestamp": "TIMESTAMP WITH TIME ZONE",
    "Vector": "DOUBLE[]",
}

INGRESS = {
    "Float64": "CASE WHEN isfinite(CAST({0} AS DOUBLE)) THEN CAST({0} AS DOUBLE) END",
    "Int64": "CAST({0} AS BIGINT)",
    "Bool": "CAST({0} AS BOOLEAN)",
    "String": "CAST({0} AS VARCHAR)",
    "Timestamp": (
        f"CASE WHEN isfinite({{0}}) AND epoch_us({{0}}) BETWEEN {TIMESTAMP_MIN} AND {TIMESTAMP_MAX}"
        " THEN epoch_us({0}) END"
    ),
}
"""How a column of each type is read: null, NaN and infinities are missing."""


def write_query(
    outputs: Mapping[str, Term], *, source: str = "inputs", columns: Mapping[str, str] | None = None
) -> str:
    """A SELECT that gives every column of `source` and the outputs beside them.

    Args:
        outputs: Finite terms without unknown statistics, by name.
        source: A relation, as SQL text: a name, or a query in parentheses.
        columns: For a column the SQL text that reads it, where it is not its own quoted name.
    """
    program = plan(outputs, requires_names=_requires_names, reserved=())
    return _Query(program, columns or {}).write(source)


def egress(text: str, type_: Type) -> str:
    """A computed value as a column of its type: an instant leaves its microseconds."""
    return f"make_timestamptz({text})" if type_.name == "Timestamp" else text


class _Query:
    """Writes one program as common table expressions."""

    def __init__(self, program: Program, columns: Mapping[str, str]) -> None:
        self.program = program
        self.columns = columns
        self.levels: dict[int, int] = {}

    def write(self, source: str) -> str:
        levels: dict[int, list[tuple[str, Term]]] = {}
        for name, term in self.program.steps:
            self.levels[id(term)] = self._level(term)
            levels.setdefault(self.levels[id(term)], []).append((name, term))
        ingress = [self._ingress(column) for column in self.program.columns]
        parts = [_cte("level_0", ingress, source)]
        parts += [self._write_level(level, levels[level]) for level in sorted(levels)]
        hidden = [self._internal(term) for term in self.program.columns]
        hidden += [self._internal(term) for _, term in self.program.steps]
        outputs = [
            f"{egress(self._code(term), term.type)} AS {quote_name(name)}"
            for name, term in self.program.outputs.items()
        ]
        exclude = f" EXCLUDE ({', '.join(hidden)})" if hidden else ""
        select = ",\n  ".join([f"*{exclude}", *outputs])
        last = f"level_{max(levels, default=0)}"
        return "WITH " + ",\n".join(parts) + f"\nSELECT\n  {select}\nFROM {last}\n"

    def _write_level(self, level: int, steps: list[tuple[str, Term]]) -> str:
        """One level: computed columns beside those of the level below, and joined look-up tables."""
        joins: list[str] = []
        computed: list[str] = []
        for _, term in steps:
            if term.name == "lookup":
                table = f"table_{len(joins) + 1}_{level}"
                rows = ", ".join(f"({literal_text(key)}, {literal_text(value)})" for key, value in term.parameter)
                key = self._code(term.arguments[0])
                joins.append(f"LEFT JOIN (VALUES {rows}) AS {table}(key, value) ON {table}.key = {key}")
                computed.append(f"{table}.value AS {self._internal(term)}")
            else:
                computed.append(f"{self._spell(term)} AS {self._internal(term)}")
        below = f"level_{level - 1}"
        return _cte(f"level_{level}", computed, "\n  ".join([below, *joins]), star=f"{below}.*")

    def _ingress(self, column: Term) -> str:
        read = self.columns.get(column.name, quote_name(column.name))
        return f"{INGRESS[column.type.name].format(read)} AS {self._internal(column)}"

    def _internal(self, term: Term) -> str:
        """The name of a column or step inside the query, which no column of the source has."""
        return quote_name(f"#{self.program.names[id(term)]}")

    def _level(self, term: Term) -> int:
        """One above the highest level among the steps that a term reads."""
        below = 0
        stack = list(term.arguments)
        while stack:
            argument = stack.pop()
            if id(argument) in self.levels:
                below = max(below, self.levels[id(argument)])
            elif self.program.name(argument) is None:
                stack.extend(argument.arguments)
        return below + 1

    def _code(self, term: Term) -> str:
        if self.program.name(term) is not None:
            return self._internal(term)
        if term.kind == "literal":
            text = literal_text(term.parameter)
            return text if term.present else f"CAST({text} AS {_internal_type(term.type)})"
        if term.kind == "statistic":
            raise ValueError(f"statistic {term.name} of {term.parameter} is not known")
        return self._spell(term)

    def _spell(self, term: Term) -> str:
        arguments = [self._code(argument) for argument in term.arguments]
        if term.name == "locate":
            return _search(arguments[0], term.parameter, range(len(term.parameter) + 1))
        if term.name == "interval":
            return _search(arguments[0], *term.parameter)
        if term.name == "element":
            # A list's first place is 1.
            values = ", ".join(literal_text(value) for value in term.parameter)
            return f"([{values}])[{arguments[0]} + 1]"
        if term.name == "pack":
            absent = [f"{text} IS NULL" for text, a in zip(arguments, term.arguments, strict=True) if not a.present]
            packed = f"[{', '.join(arguments)}]"
            return f"CASE WHEN {' OR '.join(absent)} THEN NULL ELSE {packed} END" if absent else packed
        return _spelling(term).format(*(_operand(argument) for argument in arguments))


def _spelling(term: Term) -> str:
    if term.name in POSITIVE_SPELLINGS and term.arguments[0].bounds[0] >= 0:
        return POSITIVE_SPELLINGS[term.name]
    return SPELLINGS[term.name]


def _cte(name: str, computed: list[str], source: str, star: str = "*") -> str:
    select = ",\n    ".join([star, *computed])
    return f"{name} AS NOT MATERIALIZED (\n  SELECT\n    {select}\n  FROM {source}\n)"


def _operand(text: str) -> str:
    """An argument in parentheses, unless it is a name, one call or a plain constant."""
    return text if _CLOSED.fullmatch(text) else f"({text})"


def _search(argument: str, edges: Sequence[Any], values: Sequence[int]) -> str:
    """The value of the interval in which the argument lies, by bisection; an interval holds its lower edge."""

    def branch(low: int, high: int) -> str:
        if low == high:
            return str(values[low])
        middle = (low + high) // 2
        edge = edges[middle]
        bound = literal_text(edge) if isinstance(edge, float) else str(edge)
        return f"CASE WHEN {argument} < {bound} THEN {branch(low, middle)} ELSE {branch(middle + 1, high)} END"

    return f"CASE WHEN {argument} IS NOT NULL THEN CAST({branch(0, len(edges))} AS BIGINT) END"


def _internal_type(type_: Type) -> str:
    return "BIGINT" if type_.name == "Timestamp" else SQL_TYPES[type_.name]


def _requires_names(term: Term) -> Collection[Term]:
    """Arguments that the SQL writes more than once, and whatever is looked up."""
    if term.kind != "call":
        return ()
    if term.name in {"locate", "interval", "lookup"}:
        return (*term.arguments, term) if term.name == "lookup" else term.arguments
    if term.name == "element":
        return ()
    if term.name == "pack":
        return [argument for argument in term.arguments if not argument.present]
    spelling = _spelling(term)
    return [argument for position, argument in enumerate(term.arguments) if spelling.count(f"{{{position}}}") > 1]
