"""Which engine can run what: one that spells every primitive in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from skewcheck.engines import duckdb, python, spark
from skewcheck.engines.query import TABLES
from skewcheck.language.terms import Term, walk

ENGINES: dict[str, frozenset[str]] = {
    "python": frozenset(python.SPELLINGS),
    "duckdb": frozenset(duckdb.SPELLINGS) | TABLES,
    "spark": frozenset(spark.SPELLINGS) | TABLES,
}
"""The primitives that each engine spells."""

WRITERS: Mapping[str, Callable[[Mapping[str, Term]], str]] = {
    "duckdb": duckdb.write_query,
    "spark": spark.write_query,
}
"""What writes the query of each engine that runs queries, over a relation `inputs`."""


def find_engines(terms: Iterable[Term]) -> tuple[str, ...]:
    """The engines that can run all of the terms."""
    used = {term.name for term in walk(*terms) if term.kind == "call"}
    return tuple(engine for engine, spelled in ENGINES.items() if used <= spelled)
