"""Random well-typed expressions, grown from the examples of the operators themselves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from skewcheck.language.expressions import Expression, constant, fitted_nodes, key_of
from skewcheck.language.operator import REGISTRY, Statistic
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type
from tests.adversarial import INTEGERS, STRINGS, VALUES
from tests.both_engines import column, type_of

COLUMNS = {
    "float_1": FLOAT64, "float_2": FLOAT64, "integer_1": INT64, "integer_2": INT64, "truth": BOOL,
    "text_1": STRING, "text_2": STRING, "instant_1": TIMESTAMP, "instant_2": TIMESTAMP,
}  # fmt: skip

FINITE = [value for value in VALUES[FLOAT64] if value is not None and abs(value) < 1e308]


@dataclass(frozen=True)
class Growth:
    """One way to grow an expression: what builds it, from which types, and what it gives."""

    name: str
    build: Callable[..., Expression]
    takes: tuple[Type, ...]
    gives: Type


def find_growths() -> list[Growth]:
    """Every example of every operator that needs no unit, and its twin over Int64 or text where there is one."""
    found = []
    for name, cls in sorted(REGISTRY.items()):
        for example in cls.examples:
            places = range(len(inspect.signature(example.build).parameters))
            types = tuple(type_of([row[p] for row, _ in example.rows] + list(example.training)) for p in places)
            twins = [tuple(other if t == FLOAT64 else t for t in types) for other in (FLOAT64, INT64, STRING)]
            for takes in dict.fromkeys(twins):
                accepted = [cls.takes[min(p, len(cls.takes) - 1)] for p in places]
                if not example.units and all(not a or t in a for t, a in zip(takes, accepted, strict=True)):
                    built = _try_build(example.build, takes)
                    found += [Growth(name, example.build, takes, built.type)] if built is not None else []
    return found


def _try_build(build: Callable[..., Expression], types: tuple[Type, ...]) -> Expression | None:
    operands = [column(f"operand_{place}", type_) for place, type_ in enumerate(types)]
    try:
        return build(*operands)
    except Exception:  # the example's own constant is of another type
        return None


GROWTHS = find_growths()

LEAVES: dict[Type, st.SearchStrategy[Expression]] = {
    FLOAT64: st.sampled_from(FINITE).map(constant),
    INT64: st.sampled_from([value for value in INTEGERS if value is not None]).map(constant),
    STRING: st.sampled_from([value for value in STRINGS if value is not None]).map(constant),
    BOOL: st.sampled_from([True, False]).map(constant),
}


@st.composite
def trees(draw: Callable[..., Any], type_: Type, depth: int) -> Expression:
    """An expression of a type, at most so deep."""
    growths = [growth for growth in GROWTHS if growth.gives == type_]
    if type_ in COLUMNS.values() and (depth == 0 or not growths or draw(st.integers(0, 5)) == 0):
        columns = st.sampled_from([column(name, t) for name, t in COLUMNS.items() if t == type_])
        return draw(columns | LEAVES[type_] if type_ in LEAVES and draw(st.integers(0, 3)) == 0 else columns)
    growth = draw(st.sampled_from(growths))
    return growth.build(*(draw(trees(wanted, max(depth - 1, 0))) for wanted in growth.takes))


SCALARS_AND_VECTORS = sorted({growth.gives for growth in GROWTHS}, key=str)


def any_trees(depth: int) -> st.SearchStrategy[Expression]:
    """An expression of any type."""
    return st.sampled_from(SCALARS_AND_VECTORS).flatmap(lambda type_: trees(type_, depth))


def draw_state(draw: Callable[..., Any], *expressions: Expression) -> dict[str, dict[str, Any]]:
    """Statistics for every fitted operator in the expressions."""
    state = {}
    for expression in expressions:
        for node, chosen in fitted_nodes(expression):
            state[key_of(node)] = {s.name: draw(_statistic_values(s)) for s in chosen.statistics()}
    return state


def _statistic_values(statistic: Statistic) -> st.SearchStrategy[Any]:
    numbers = st.sampled_from(FINITE)
    if statistic.kind == "quantile_edges":
        return st.lists(numbers, max_size=5).map(lambda edges: sorted({edge + 0.0 for edge in edges}))
    if statistic.kind == "vocabulary":
        return st.lists(st.sampled_from(STRINGS[1:]), min_size=1, max_size=6, unique=True)
    if statistic.kind in {"standard_deviation", "range"}:
        return numbers.map(abs).filter(bool)
    return numbers
