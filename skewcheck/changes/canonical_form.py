"""Canonical form: what two expressions have in common however they are written (room: changes).

Two expressions with one digest give the same bits for every input. Every law that is used here holds exactly, for
missing values, infinities and rounding too; where no law applies the digests differ, which proves nothing.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from typing import Any

from skewcheck.changes.function_form import normalise_function
from skewcheck.language.expressions import Expression, expand, fitted_nodes, key_of
from skewcheck.language.opaque import Definition
from skewcheck.language.operator import Placeholder
from skewcheck.language.terms import Term, call, literal, walk
from skewcheck.language.types import FLOAT64

Statistics = Mapping[str, Mapping[str, Any]]

_COMMUTATIVE = frozenset(
    {
        *("add", "multiply", "integer_add", "integer_multiply", "checked_add", "checked_multiply", "equal"),
        *("and", "or"),
    }
)
_LOGIC = frozenset({"and", "or"})


def digest(expression: Expression, statistics: Statistics | None = None) -> str:
    """The digest of an expression's meaning: with its statistics' values, or with what they would be fitted to.

    Raises:
        KeyError: Statistics are given and one is not among them.
    """
    if statistics is not None:
        return digest_term(expand(expression, {key: dict(values) for key, values in statistics.items()}))
    return digest_term(expand(expression, None), _name_fits(expression))


def digest_fits(expression: Expression) -> dict[str, str]:
    """For each fitted operator, by its key, the digest of what its statistics are computed from and how."""
    return dict(_name_fits(expression))


def _name_fits(expression: Expression) -> dict[str, str]:
    names: dict[str, str] = {}
    for node, chosen in fitted_nodes(expression):
        # Operands come before the nodes that read them, so whatever is fitted below has its name.
        parts = [digest_term(expand(operand, None), names) for operand in node.operands]
        kinds = [(kind.name, kind.kind, repr(kind.parameters)) for kind in chosen.statistics()]
        names[key_of(node)] = _hash("fit", *parts, repr(sorted(kinds)), str(chosen.label_column()))
    return names


def digest_term(term: Term, fits: Mapping[str, str] | None = None) -> str:
    """The digest of a term; `fits` gives each statistic that is not known yet its name."""
    reduced = _rebuild(term)
    digests: dict[int, str] = {}
    for node in walk(reduced):
        below = [digests[id(argument)] for argument in node.arguments]
        if node.kind == "call" and node.name in _LOGIC:
            below = sorted(set(_flatten(node, digests)))
        elif node.kind == "call" and node.name in _COMMUTATIVE:
            below.sort()
        if node.kind == "statistic":
            spelled = repr(("statistic", (fits or {}).get(node.parameter, node.parameter)))
        else:
            spelled = _spell(node.parameter, fits or {})
        digests[id(node)] = _hash(node.kind, str(node.type), node.name, *below, spelled)
    return digests[id(reduced)]


def _flatten(term: Term, digests: Mapping[int, str]) -> list[str]:
    """The operands of nested `and`s or `or`s."""
    found, stack = [], list(term.arguments)
    while stack:
        argument = stack.pop()
        if _calls(argument, term.name):
            stack.extend(argument.arguments)
        else:
            found.append(digests[id(argument)])
    return found


def _rebuild(term: Term) -> Term:
    """The term after every law that makes it simpler."""
    known: dict[int, Term] = {}
    for node in walk(term):
        arguments = tuple(known[id(argument)] for argument in node.arguments)
        known[id(node)] = _simplify(node, arguments)
    return known[id(term)]


def _simplify(node: Term, arguments: tuple[Term, ...]) -> Term:
    if node.kind != "call":
        return node
    for law in _LAWS.get(node.name, ()):
        if (found := law(arguments)) is not None:
            return found
    unchanged = all(new is old for new, old in zip(arguments, node.arguments, strict=True))
    return node if unchanged else call(node.name, *arguments, parameter=node.parameter)


def _drop_double_negation(arguments: tuple[Term, ...]) -> Term | None:
    (inner,) = arguments
    if _calls(inner, "not"):
        return inner.arguments[0]
    for name, opposite in (("less", "less_or_equal"), ("less_or_equal", "less")):
        if _calls(inner, name):
            # Values are totally ordered: there is no NaN among them.
            return call(opposite, inner.arguments[1], inner.arguments[0])
    return None


def _drop_finite(arguments: tuple[Term, ...]) -> Term | None:
    return arguments[0] if arguments[0].finite else None


def _drop_one(arguments: tuple[Term, ...]) -> Term | None:
    for one, other in (arguments, arguments[::-1]):
        if _is_number(one) and one.parameter == 1.0:
            return other
    return None


def _multiply_instead(arguments: tuple[Term, ...]) -> Term | None:
    """Dividing by a power of two is multiplying by its inverse, rounding included."""
    value, divisor = arguments
    if not _is_number(divisor) or not divisor.parameter or abs(math.frexp(divisor.parameter)[0]) != 0.5:
        return None
    if not 2.0**-1000 < abs(divisor.parameter) < 2.0**1000:
        return None
    inverse = literal(1.0 / divisor.parameter)
    return _drop_one((value, inverse)) or call("multiply", value, inverse)


def _add_instead(arguments: tuple[Term, ...]) -> Term | None:
    value, constant = arguments
    return call("add", value, literal(-constant.parameter)) if _is_number(constant) else None


def _fill_instead(arguments: tuple[Term, ...]) -> Term | None:
    condition, then, otherwise = arguments
    if _calls(condition, "is_missing") and condition.arguments[0] is otherwise:
        return call("coalesce", otherwise, then)
    return None


def _calls(term: Term, name: str) -> bool:
    # A column may have a primitive's name.
    return term.kind == "call" and term.name == name


def _is_number(term: Term) -> bool:
    return term.kind == "literal" and term.type == FLOAT64 and term.present


_LAWS: dict[str, tuple[Callable[[tuple[Term, ...]], Term | None], ...]] = {
    "not": (_drop_double_negation,),
    "finite": (_drop_finite,),
    "multiply": (_drop_one,),
    "quotient": (_multiply_instead,),
    "subtract": (_add_instead,),
    "choose": (_fill_instead,),
}


def _spell(parameter: Any, fits: Mapping[str, str]) -> str:
    """A parameter as text that two different ones never share."""
    if isinstance(parameter, Definition):
        return repr(("function", normalise_function(parameter.source), parameter.takes, parameter.gives))
    if isinstance(parameter, Placeholder):
        return repr(("statistic", fits.get(parameter.key, parameter.key), parameter.name, str(parameter.type)))
    if isinstance(parameter, tuple):
        return f"({','.join(_spell(item, fits) for item in parameter)})"
    return f"{type(parameter).__name__} {parameter.hex() if isinstance(parameter, float) else parameter!r}"


def _hash(*parts: str) -> str:
    # Lengths keep one part from running into the next.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
