"""No operand's tree is torn apart where one spelling stands inside another, as parsers of each dialect read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from skewcheck.engines import duckdb as in_duckdb
from skewcheck.engines import query
from skewcheck.engines import spark as in_spark
from skewcheck.language.terms import Term, call, column, walk
from skewcheck.language.types import FLOAT64, INT64, Type
from tests.engines.test_spark import TERMS
from tests.spark_engine import open_spark

ENGINES: dict[str, ModuleType] = {"duckdb": in_duckdb, "spark": in_spark}

COMPOUNDS = (
    "a OR b", "a AND b", "NOT a", "a = b", "a < b", "a IS NULL", "a BETWEEN 1 AND 2", "a || b", "a | b", "a + b",
    "a * b", "a % b", "-a", "CASE WHEN a THEN b ELSE c END", "f(a) + g(b)", "(a) + (b)", "(a + 1) OR (b)",
    "'x' || 'y'",
)  # fmt: skip
"""Operands that bind in every way, also in ways in which no term of the type does today."""


@dataclass(frozen=True)
class Definition:
    """What the text of an opaque call is made of."""

    name: str = "opaque_1"
    identifier: str = "opaque_1"
    type: Type = FLOAT64


CONSTANTS = re.compile(r"'(?:[^'\\]|\\.)*'|(?<![#\w])-?\d[\w.]*")


class Writer(query._Query):
    """Spells single calls, with a given text for every operand that is no constant."""

    def __init__(self, dialect: query.Dialect, texts: Mapping[int, str]) -> None:
        self.dialect = dialect
        self.texts = texts

    def _code(self, term: Term) -> str:
        return self.dialect.literal_text(term.parameter) if term.kind == "literal" else self.texts[id(term)]


def find_slots(term: Term) -> list[Term]:
    """The operands that are no constants."""
    return list({id(argument): argument for argument in term.arguments if argument.kind != "literal"}.values())


def name_slots(dialect: query.Dialect, term: Term) -> dict[int, str]:
    """A name for every operand."""
    return {id(slot): dialect.quote_name(f"#{place}") for place, slot in enumerate(find_slots(term))}


@lru_cache
def find_calls(engine: str) -> list[tuple[str, Term]]:
    """Every way in which the dialect spells a call: the text, in which the operands are names, and the call."""
    dialect = ENGINES[engine].DIALECT
    opaque = call("opaque", column("x", FLOAT64), column("n", INT64), parameter=Definition())
    calls: dict[tuple[str, str], tuple[str, Term]] = {}
    for term in walk(*(term for terms in TERMS.values() for term in terms), opaque):
        spelled = term.name in dialect.spellings or term.name in query.TABLES
        if term.kind == "call" and spelled and find_slots(term):
            text = Writer(dialect, name_slots(dialect, term))._spell(term)
            # One of those that differ in their constants only.
            calls.setdefault((term.name, CONSTANTS.sub("0", text)), (text, term))
    # A primitive with a long table has one with a short table beside it.
    return [(text, term) for text, term in calls.values() if len(text) < 2000]


def spell_with(dialect: query.Dialect, term: Term, operands: Sequence[str]) -> tuple[str, dict[str, str]]:
    """A call with operands in the place of its names, but where the query needs a name, and which stands for which."""
    names = name_slots(dialect, term)
    kept = {id(argument) for argument in query._requires_names(dialect, term)}
    texts = {slot: name if slot in kept else text for (slot, name), text in zip(names.items(), operands, strict=False)}
    return Writer(dialect, texts)._spell(term), {names[slot]: text for slot, text in texts.items()}


def write_cases(engine: str) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    """Every call with every operand: the primitive, its text with names, its text with operands, and which they are."""
    dialect = ENGINES[engine].DIALECT
    calls = find_calls(engine)
    for plain, term in calls:
        # What stands in one of these is put into parentheses, or not, just as in all the others.
        others = [text for text, _ in calls] if term.name in {"multiply", "is_missing"} else []
        operands = [*COMPOUNDS, *others]
        slots = len(find_slots(term))
        for place in range(len(operands)):
            chosen = [operands[(place + slot) % len(operands)] for slot in range(slots)]
            yield term.name, plain, *spell_with(dialect, term, chosen)
    for type_, template in dialect.ingress.items():
        for text in COMPOUNDS:
            name = dialect.quote_name("#0")
            plain, written = (template.format(read, size=3, column="'c'") for read in (name, text))
            yield f"a column of {type_}", plain, written, {name: text}


Tree = Any
"""What a parser makes of a text, as nested tuples, or as text with a parenthesis around everything."""


@dataclass(frozen=True)
class Parser:
    """A parser, and how trees are put into the place of names in what it gives."""

    parse: Callable[[str], Tree]
    substitute: Callable[[Tree, Mapping[Tree, Tree]], Tree]


class FromZero(sqlglot.dialects.DuckDB):
    """DuckDB without sqlglot's own arithmetic on a list's position."""

    INDEX_OFFSET = 0


def parse_by_sqlglot(engine: str) -> Parser:
    dialect = FromZero if engine == "duckdb" else engine

    def simplify(node: Any) -> Tree:
        if isinstance(node, exp.Paren):
            return simplify(node.this)
        if isinstance(node, exp.Expression):
            parts = ((name, simplify(part)) for name, part in node.args.items() if part not in (None, [], False))
            return type(node).__name__, *parts
        return tuple(map(simplify, node)) if isinstance(node, list) else node

    return Parser(lambda text: simplify(sqlglot.parse_one(f"SELECT {text}", dialect=dialect).selects[0]), put_in)


OPPOSITES = {
    "COMPARE_EQUAL": "COMPARE_NOTEQUAL",
    "COMPARE_LESSTHAN": "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_LESSTHANOREQUALTO": "COMPARE_GREATERTHAN",
}


def parse_by_duckdb() -> Parser:
    """DuckDB itself. It makes one list of an AND in an AND, and a comparison of one that is negated."""
    connection = duckdb.connect()

    def simplify(node: Any) -> Tree:
        if isinstance(node, list):
            return tuple(map(simplify, node))
        if not isinstance(node, dict):
            return node
        if node.get("class") == "CONJUNCTION":
            children = [simplify(child) for child in node["children"]]
            return join_alike(node["type"], children)
        if node.get("class") == "COMPARISON" and node["type"] in OPPOSITES.values():
            (kind,) = (one for one, other in OPPOSITES.items() if other == node["type"])
            return "NOT", simplify({**node, "type": kind})
        if node.get("type") == "OPERATOR_NOT":
            return "NOT", simplify(node["children"][0])
        return tuple((name, simplify(part)) for name, part in node.items() if name != "query_location")

    def parse(text: str) -> Tree:
        (found,) = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {text}"]).fetchone() or ("",)
        content = json.loads(found)
        if content["error"]:
            raise SyntaxError(content["error_message"])
        return simplify(content["statements"][0]["node"]["select_list"][0])

    return Parser(parse, put_in)


def join_alike(kind: str, children: Sequence[Tree]) -> Tree:
    parts = [part for child in children for part in (child[1:] if child[0] == kind else [child])]
    return kind, *parts


def put_in(tree: Tree, found: Mapping[Tree, Tree]) -> Tree:
    """A tree with others in the place of some of its parts."""
    if not isinstance(tree, tuple):
        return tree
    if tree in found:
        return found[tree]
    parts = [put_in(part, found) for part in tree]
    return join_alike(tree[0], parts[1:]) if tree and tree[0] in {"CONJUNCTION_AND", "CONJUNCTION_OR"} else tuple(parts)


def parse_by_spark() -> Parser:
    """Spark itself, which prints an operation in parentheses and a name with an apostrophe."""
    parser = open_spark()._jsparkSession.sessionState().sqlParser()

    def substitute(tree: str, found: Mapping[str, str]) -> str:
        return re.sub("|".join(map(re.escape, found)), lambda match: found[match[0]], tree)

    return Parser(lambda text: parser.parseExpression(text).toString(), substitute)


def find_torn(engine: str, parser: Parser) -> set[str]:
    """The primitives in which an operand is another tree than by itself."""
    parse = lru_cache(maxsize=None)(parser.parse)
    torn = set()
    for name, plain, text, operands in write_cases(engine):
        found = {parse(marker): parse(operand) for marker, operand in operands.items()}
        try:
            intact = parser.parse(text) == parser.substitute(parse(plain), found)
        except (sqlglot.ParseError, SyntaxError):
            intact = False
        if not intact:
            torn.add(name)
    return torn


@pytest.mark.parametrize("engine", ENGINES)
def test_every_spelling_is_among_the_cases(engine: str) -> None:
    dialect = ENGINES[engine].DIALECT
    terms = [term for _, term in find_calls(engine)]
    assert {term.name for term in terms} == set(dialect.spellings) | query.TABLES
    for name, template in dialect.positive_spellings.items():
        spelled = {dialect.spelling(term) for term in terms if term.name == name}
        assert spelled == {template, dialect.spellings[name]}


@pytest.mark.parametrize("engine", ENGINES)
def test_no_operand_is_torn_apart(engine: str) -> None:
    assert find_torn(engine, parse_by_sqlglot(engine)) == set()


def test_no_operand_is_torn_apart_as_duckdb_itself_reads_it() -> None:
    assert find_torn("duckdb", parse_by_duckdb()) == set()


def test_no_operand_is_torn_apart_as_spark_itself_reads_it() -> None:
    assert find_torn("spark", parse_by_spark()) == set()


INFIX = {
    *(
        "add",
        "subtract",
        "multiply",
        "integer_add",
        "integer_multiply",
        "floor_divide",
        "floor_modulo",
        "equal",
        "less",
    ),
    *("less_or_equal", "and", "or", "not", "is_missing", "concatenate"),
}
"""Primitives that one dialect or both spell with an operator between operands."""


@pytest.mark.parametrize("engine", ENGINES)
def test_operands_without_parentheses_are_found(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "_operand", lambda text: text)
    between = {name for name in INFIX if re.search(r"\{0\} \S+|NOT", ENGINES[engine].SPELLINGS[name])}
    assert find_torn(engine, parse_by_sqlglot(engine)) >= between > {"multiply", "not"}


@pytest.mark.parametrize("closed", [r"\w+\(.*\)", r"\(.*\)", r"'.*'", r"[\w ]+"])
def test_an_operand_that_is_wrongly_taken_for_closed_is_found(closed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query, "_CLOSED", re.compile(closed))
    assert "multiply" in find_torn("duckdb", parse_by_duckdb())
