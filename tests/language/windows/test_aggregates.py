"""Aggregates: what each one gives for a few values, whatever their order and however they were merged."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.language.windows.aggregate import REGISTRY, Aggregate
from skewcheck.language.windows.meaning import clean
from skewcheck.language.windows.parts import Sketch
from tests.windowed import START, WILD_AMOUNTS, declare, same, values

BIG = 2**63 - 1


def value_of(aggregate: Aggregate, given: Sequence[Any], at: int = START) -> Any:
    """The value of an aggregate of values that come one second after another, the last at the instant."""
    parts = aggregate.parts()
    states = [part.empty() for part in parts]
    for number, value in enumerate(given):
        time = at - 1_000_000 * (len(given) - 1 - number)
        states = [part.add(state, (time, time, value)) for part, state in zip(parts, states, strict=True)]
    return aggregate.value_at(at, *states)


@pytest.mark.parametrize(
    ("name", "constants", "given", "expected"),
    [
        ("count", {}, [1.5, 2.5], 2),
        ("count", {}, [], 0),
        ("sum", {}, [0.1] * 10, 1.0),
        ("sum", {}, [1e16, 1.0, -1e16], 1.0),
        ("sum", {}, [1.7e308, 1.7e308, -1.7e308], 1.7e308),
        ("sum", {}, [1.7e308, 1.7e308], None),
        ("sum", {}, [5e-324, 5e-324], 1e-323),
        ("sum", {}, [], None),
        ("sum", {"whole": True}, [BIG, 1, -1], BIG),
        ("sum", {"whole": True}, [BIG, 1], None),
        ("mean", {}, [1.0, 2.0, 4.0], 7.0 / 3),
        ("mean", {}, [1.7e308, 1.7e308], None),
        ("mean", {"whole": True}, [BIG, BIG], 9.223372036854775807e18),
        ("mean", {}, [], None),
        ("variance", {}, [1.0, 2.0, 3.0, 4.0], 1.25),
        ("variance", {}, [1e8 + 1, 1e8 + 2, 1e8 + 3], 2 / 3),
        ("variance", {}, [0.1, 0.1, 0.1], 0.0),
        ("variance", {}, [1e300, -1e300], None),
        ("variance", {}, [], None),
        ("standard_deviation", {"whole": True}, [1, 2, 3, 4], math.sqrt(1.25)),
        ("min", {}, [3.0, -1.0], -1.0),
        ("max", {}, [], None),
        ("first", {}, ["b", "a"], "b"),
        ("first", {"place": 2}, ["b", "a"], "a"),
        ("last", {}, ["b", "a"], "a"),
        ("last", {"place": 3}, ["b", "a"], None),
        ("last_k", {"k": 2}, [1.0, 2.0, 3.0], [3.0, 2.0]),
        ("last_k", {"k": 2}, [1.0], None),
        ("last_k", {"k": 2, "fill": 0}, [1.0], [1.0, 0.0]),
        ("last_k", {"k": 2, "fill": 0}, [], None),
        ("top_k", {"k": 2}, [1.0, 5.0, 3.0], [5.0, 3.0]),
        ("quantile", {"share": 0.5}, [1.0, 2.0, 3.0, 4.0], 2.5),
        ("quantile", {"share": 0.1}, [1, 2, 3, 4], 1.3),
        ("quantile", {"share": 1}, [1.0, 9.0], 9.0),
        ("quantile", {"share": 0.5}, [-1.7e308, 1.7e308], 0.0),
        ("distinct_count", {}, ["a", "b", "a"], 2),
        ("distinct_count", {}, [], 0),
        ("approximate_distinct_count", {}, ["a", "b", "a"], 2),
        ("most_frequent", {}, ["b", "a", "a", "b", "c"], "a"),
        ("most_frequent", {"place": 3}, ["b", "a", "a", "b", "c"], "c"),
        ("most_frequent", {"place": 4}, ["b", "a", "a", "b", "c"], None),
        ("share", {"category": "a"}, ["a", "b", "a", "c"], 0.5),
        ("share", {"category": "a"}, [], None),
        ("time_since_last", {}, [], None),
    ],
)
def test_an_aggregate_gives(name: str, constants: dict[str, Any], given: list[Any], expected: Any) -> None:
    assert same(value_of(REGISTRY[name](**constants), given), expected)


def test_the_time_since_the_last_event_is_in_seconds() -> None:
    (part,) = REGISTRY["time_since_last"]().parts()
    state = part.add(part.empty(), (START - 1_500_000, START, 1.0))
    assert REGISTRY["time_since_last"]().value_at(START, state) == 1.5


def test_every_aggregate_is_tried() -> None:
    used = {feature.aggregate.name for feature in declare().features}
    assert used == set(REGISTRY)


numbers = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20)


@given(numbers)
def test_sums_are_exact_and_rounded_once(given: list[float]) -> None:
    exact = sum(map(Fraction, given))
    try:
        assert value_of(REGISTRY["sum"](), given) == float(exact)
    except OverflowError:
        assert value_of(REGISTRY["sum"](), given) is None


@given(st.lists(st.floats(-1e100, 1e100), min_size=1, max_size=20))
def test_a_variance_is_exact_and_rounded_once(given: list[float]) -> None:
    assert value_of(REGISTRY["variance"](), given) == float(statistics.pvariance([Fraction(v) for v in given]))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20), st.sampled_from([0, 0.01, 0.25, 0.5, 0.9, 1]))
def test_a_quantile_is_numpy_s_within_its_rounding(given: list[float], share: float) -> None:
    found = value_of(REGISTRY["quantile"](share=share), given)
    assert found == pytest.approx(np.quantile(given, share), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("count", [100, 5_000, 40_000])
def test_an_approximate_count_is_near_the_exact_one(count: int) -> None:
    found = value_of(REGISTRY["approximate_distinct_count"](size=1024), [*range(count), *range(count // 2)])
    assert found == pytest.approx(count, rel=0.1)
    assert count > 1024 or found == count


@settings(max_examples=60, deadline=None)
@given(st.lists(values(WILD_AMOUNTS), max_size=12), st.data())
def test_parts_do_not_depend_on_order_or_on_how_they_were_merged(given: list[dict[str, Any]], data: Any) -> None:
    entries = [(START + number // 3, START, row) for number, row in enumerate(given)]
    shuffled = data.draw(st.permutations(entries))
    cut = data.draw(st.integers(0, len(entries)))
    for feature in declare().features:
        for part in feature.aggregate.parts():

            def gather(rows: Sequence[Any], feature: Any = feature, part: Any = part) -> Any:
                state = part.empty()
                for time, created, row in rows:
                    value = time if feature.column is None else clean(row[feature.column])
                    if value is not None:
                        state = part.add(state, (time, created, value))
                return state

            def plain(state: Any, part: Any = part) -> Any:
                found = part.to_plain(state)
                return sorted(found) if isinstance(found, list) else found

            one, other = gather(shuffled[:cut]), gather(shuffled[cut:])
            before = repr(plain(other))
            merged = part.merge(part.merge(part.empty(), one), other)
            assert repr(plain(merged)) == repr(plain(gather(entries)))
            assert repr(plain(other)) == before
            assert repr(plain(part.from_plain(part.to_plain(merged)))) == repr(plain(merged))


def test_a_sketch_keeps_no_more_than_its_size() -> None:
    part, state = Sketch(16), []
    for number in range(200):
        state = part.add(state, (0, 0, number))
    assert len(state) == 16
    assert len(part.merge(state, [1, 2, 3])) == 16
