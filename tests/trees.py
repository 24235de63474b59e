"""Random well-typed expressions, grown from the examples of the operators themselves."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from skewcheck.language.expressions import Expression, constant, fitted_nodes, key_of
from skewcheck.language.operator import REGISTRY, Statistic
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type, vector
from tests.adversarial import INTEGERS, STRINGS, VALUES
from tests.both_engines import column, type_of

COLUMNS = {
    "float_1": FLOAT64, "float_2": FLOAT64, "integer_1": INT64, "integer_2": INT64, "truth": BOOL,
    "text_1": STRING, "text_2": STRING, "instant_1": TIMESTAMP, "instant_2": TIMESTAMP,
    "vector_1": vector(3), "vector_2": vector(3),
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
            types = tuple(
                type_of([row[p] for row, _ in example.rows] + [row[p] for row in example.training_rows()])
                for p in places
            )
            twins = [tuple(other if t == FLOAT64 else t for t in types) for other in (FLOAT64, INT64, STRING)]
            for takes in dict.fromkeys(twins):
                accepted = [cls.takes[min(p, len(cls.takes) - 1)] for p in places]
                if not example.units and all(
                    not a or t.name in {kind.name for kind in a} for t, a in zip(takes, accepted, strict=True)
                ):
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
    STRING: st.sampled_from([value for value in STRINGS if value is not None and len(value) <= 1000]).map(constant),
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
    grown = growth.build(*(draw(trees(wanted, max(depth - 1, 0))) for wanted in growth.takes))
    # A unit would keep it from the operators that want another.
    return dataclasses.replace(grown, unit=None)


SCALARS_AND_VECTORS = sorted({growth.gives for growth in GROWTHS}, key=str)


def any_trees(depth: int) -> st.SearchStrategy[Expression]:
    """An expression of any type."""
    return st.sampled_from(SCALARS_AND_VECTORS).flatmap(lambda type_: trees(type_, depth))


def draw_state(draw: Callable[..., Any], *expressions: Expression) -> dict[str, dict[str, Any]]:
    """Statistics for every fitted operator in the expressions."""
    state = {}
    for expression in expressions:
        for node, chosen in fitted_nodes(expression):
            types = dict(zip(chosen.roles, (operand.type for operand in node.operands), strict=True))
            state[key_of(node)] = {s.name: draw(_statistic_values(s, types)) for s in chosen.statistics()}
    return state


def _statistic_values(statistic: Statistic, types: dict[str, Type]) -> st.SearchStrategy[Any]:
    """Values that a statistic can have, for operands of these types, by role."""
    numbers = st.sampled_from(FINITE).map(lambda number: number + 0.0)
    constants = st.sampled_from([value for value in VALUES[types["value"]] if value is not None])
    if statistic.kind == "by_key":
        keys = st.sampled_from([value for value in VALUES[types["key"]] if value is not None])
        inner = _statistic_values(Statistic(statistic.name, statistic.parameters[0][1]), types)
        return _tables(keys, inner)
    if statistic.kind in {"quantile_edges", "equal_edges"}:
        return st.lists(numbers, max_size=5).map(lambda edges: sorted(set(edges)))
    if statistic.kind == "landmarks":
        return st.lists(numbers, min_size=1, max_size=5).map(_space_landmarks)
    if statistic.kind in {"vocabulary", "distinct"}:
        return st.lists(constants, min_size=1, max_size=6, unique=True)
    if statistic.kind == "label_means":
        return _tables(constants, numbers)
    if statistic.kind == "frequencies":
        return _tables(constants, st.floats(0, 1))
    if statistic.kind == "inverse_document_frequencies":
        count = len(dict(statistic.parameters)["items"])
        return st.lists(st.floats(1, 20), min_size=count, max_size=count)
    if statistic.kind == "mode":
        return numbers if types["value"] == FLOAT64 else constants
    if statistic.kind == "lambda":
        return st.sampled_from([0.0, 1.0, 2.0]) | st.floats(-5, 5)
    if statistic.kind in {"standard_deviation", "range", "largest_absolute", "quartile_range"}:
        return numbers.map(abs).filter(bool)
    return numbers


def _tables(keys: st.SearchStrategy[Any], values: st.SearchStrategy[float]) -> st.SearchStrategy[list[list[Any]]]:
    """Pairs of a key and a number, in the order of the keys."""
    return st.dictionaries(keys, values, min_size=1, max_size=4).map(
        lambda table: [[key, table[key]] for key in sorted(table)]
    )


def _space_landmarks(numbers: list[float]) -> list[list[float]]:
    """Distinct values in ascending order, with equally spaced first and last shares."""
    values = sorted(set(numbers))
    return [[x, 2 * i / (2 * len(values)), (2 * i + 1) / (2 * len(values))] for i, x in enumerate(values)]
