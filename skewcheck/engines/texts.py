"""Texts: what depends on one repeating text column alone, to be computed once for each distinct text.

Working on a text costs more than finding a row by it. A column counts as repeating where a feature looks it up in a
table, as a vocabulary does; the texts of any other column may all be different, and nothing would be gained.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from skewcheck.language.terms import Term, rewrite, walk
from skewcheck.language.types import STRING

COSTLY = frozenset(
    {
        *("lower", "upper", "strip", "replace", "part", "count_item"),
        *("matches", "extract", "ngram_counts", "digest", "substring"),
    }
)
"""Primitives that read a text from end to end, or write one."""


@dataclass(frozen=True, slots=True)
class RepeatingText:
    """A column, and what depends on it alone.

    Attributes:
        column: The column.
        terms: The terms to compute for each distinct text; all are missing where the text is.
        names: For each the column that stands for it in the rewritten outputs; no name of a step has a dot.
    """

    column: Term
    terms: tuple[Term, ...]
    names: tuple[str, ...]


def separate_texts(outputs: Mapping[str, Term]) -> tuple[dict[str, Term], tuple[RepeatingText, ...]]:
    """Outputs in which columns stand for the work on repeating texts, and that work."""
    ordered = walk(*outputs.values())
    columns: dict[int, Term] = {}
    work: dict[int, set[str]] = {}
    for term in ordered:
        if (column := _find_column(term, columns)) is not None:
            columns[id(term)] = column
            below = (work.get(id(argument), set()) for argument in term.arguments)
            work[id(term)] = {term.name}.union(*below) & {*COSTLY, "lookup"}
    done: dict[int, set[str]] = {}
    for identity, found in work.items():
        done.setdefault(id(columns[identity]), set()).update(found)
    repeating = {column for column, found in done.items() if "lookup" in found and found & COSTLY}
    wanted = _find_edges(ordered, outputs.values(), columns)
    chosen: dict[int, list[Term]] = {}
    for term in ordered:
        if id(term) in wanted and work[id(term)] and id(columns[id(term)]) in repeating:
            chosen.setdefault(id(columns[id(term)]), []).append(term)
    stand_ins: dict[int, Term] = {}
    texts = []
    for terms in chosen.values():
        names = tuple(f"#text.{len(stand_ins) + place}" for place in range(1, len(terms) + 1))
        for term, name in zip(terms, names, strict=True):
            stand_ins[id(term)] = replace(term, kind="column", name=name, arguments=(), parameter=None)
        texts.append(RepeatingText(columns[id(terms[0])], tuple(terms), names))
    return rewrite(outputs, lambda term, _: stand_ins.get(id(term))), tuple(texts)


def _find_column(term: Term, columns: Mapping[int, Term]) -> Term | None:
    """The one String column that a term depends on and without which it is missing, if there is one."""
    if term.kind == "column":
        return term if term.type == STRING else None
    if term.kind != "call" or not term.primitive.strict or not term.finite:
        return None
    found = {id(argument): columns.get(id(argument)) for argument in term.arguments if argument.kind != "literal"}
    roots = set(found.values())
    return roots.pop() if len(roots) == 1 else None


def _find_edges(ordered: Collection[Term], outputs: Collection[Term], columns: Mapping[int, Term]) -> set[int]:
    """Terms of one column that are outputs, or that a term of several columns reads."""
    edges = {id(term) for term in outputs}
    for term in ordered:
        if id(term) not in columns:
            edges.update(id(argument) for argument in term.arguments)
    return edges & set(columns)
