"""Programs: terms in an order in which they can be computed, the shared ones computed once.

Both engines start from here: which terms get a name of their own, and which stand inside the one that reads them.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from skewcheck.language.terms import Term, walk

DEEPEST = 32
"""How deep expressions nest at most: CPython's parser and DuckDB's both have a limit."""


@dataclass(frozen=True, slots=True)
class Program:
    """What an engine spells.

    Attributes:
        columns: The columns that are read, in the order of first use.
        steps: The named terms with their names, each after those that it reads.
        outputs: For each output its term.
        names: The name of every column and step, by the term's id.
    """

    columns: tuple[Term, ...]
    steps: tuple[tuple[str, Term], ...]
    outputs: dict[str, Term]
    names: dict[int, str]

    def name(self, term: Term) -> str | None:
        """The name under which a term can be read, None where it is written out."""
        return self.names.get(id(term))


def plan(
    outputs: Mapping[str, Term],
    *,
    requires_names: Callable[[Term], Collection[Term]],
    reserved: Collection[str] = (),
) -> Program:
    """The program that computes the outputs.

    Args:
        outputs: The terms to compute, by name.
        requires_names: The arguments of a call that the engine can only read by name.
        reserved: Names that the engine uses itself.
    """
    ordered = walk(*outputs.values())
    uses = Counter(id(argument) for term in ordered for argument in term.arguments)
    uses.update(id(term) for term in outputs.values())
    required = {id(argument) for term in ordered for argument in requires_names(term)}
    taken = set(reserved)
    names: dict[int, str] = {}
    columns = [term for term in ordered if term.kind == "column"]
    for column in columns:
        names[id(column)] = identify(column.name, taken)
    wanted = {id(term): name for name, term in reversed(list(outputs.items()))}
    depths: dict[int, int] = {}
    steps: list[tuple[str, Term]] = []
    for term in ordered:
        inline = [depths[id(argument)] for argument in term.arguments if id(argument) not in names]
        depths[id(term)] = 1 + max(inline, default=0)
        named = id(term) in wanted or uses[id(term)] > 1 or id(term) in required or depths[id(term)] > DEEPEST
        if term.name == "microseconds" and id(term.arguments[0]) in names:
            # Both engines hold an instant as its microseconds.
            names[id(term)] = names[id(term.arguments[0])]
        elif term.kind == "call" and named:
            names[id(term)] = identify(wanted.get(id(term), f"step_{len(steps) + 1}"), taken)
            steps.append((names[id(term)], term))
    return Program(tuple(columns), tuple(steps), dict(outputs), names)


def identify(name: str, taken: set[str]) -> str:
    """An identifier as near to `name` as every engine allows, and not among `taken` (to which it is added)."""
    base = re.sub(r"[^a-z0-9_]", "_", name.lower())
    if not re.match(r"[a-z]", base) or keyword.iskeyword(base):
        base = f"value_{base}"
    identifier, count = base, 1
    while identifier in taken:
        count += 1
        identifier = f"{base}_{count}"
    taken.add(identifier)
    return identifier
