"""Programs: what gets a name, and which."""

from __future__ import annotations

import keyword
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.engines.program import DEEPEST, identify, plan
from skewcheck.language.terms import Term, column
from skewcheck.language.types import FLOAT64

X, Y = column("x", FLOAT64), column("y", FLOAT64)


def nothing(term: Term) -> Collection[Term]:
    return ()


def test_what_is_read_twice_is_a_step_and_what_is_read_once_stands_inside() -> None:
    shared = X + Y
    program = plan({"result": shared * shared - X}, requires_names=nothing)
    assert [name for name, _ in program.steps] == ["step_1", "result"]
    assert program.name(shared) == "step_1"
    assert program.name(shared * shared) is None


def test_an_output_that_another_reads_is_computed_once_under_its_own_name() -> None:
    program = plan({"total": X + Y, "double": (X + Y) * 2.0}, requires_names=nothing)
    assert [name for name, _ in program.steps] == ["total", "double"]


def test_two_outputs_may_be_one_term() -> None:
    program = plan({"first": X + Y, "second": X + Y}, requires_names=nothing)
    assert [name for name, _ in program.steps] == ["first"]
    assert program.outputs["first"] is program.outputs["second"]


def test_columns_stand_in_the_order_of_their_first_use() -> None:
    program = plan({"result": (Y - X) * Y}, requires_names=nothing)
    assert [term.name for term in program.columns] == ["y", "x"]


def test_what_the_engine_can_only_read_by_name_is_a_step() -> None:
    program = plan({"result": (X + Y) * 2.0}, requires_names=lambda term: term.arguments)
    assert [name for name, _ in program.steps] == ["step_1", "result"]


def test_a_chain_is_cut_before_it_nests_too_deep() -> None:
    chain = X
    for number in range(10 * DEEPEST):
        chain = chain + float(number)
    program = plan({"result": chain}, requires_names=nothing)
    assert 9 <= len(program.steps) <= 11


def test_every_step_comes_after_those_that_it_reads() -> None:
    shared = X + Y
    program = plan({"a": shared * shared, "b": shared - X, "c": (shared - X) / Y}, requires_names=nothing)
    known = [id(term) for term in program.columns]
    for _, term in program.steps:
        inside = [term]
        while inside:
            for argument in inside.pop().arguments:
                if program.name(argument) is None:
                    inside.append(argument)
                else:
                    assert id(argument) in known
        known.append(id(term))


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("distance", "distance"),
        ("Distance", "distance"),
        ("a b", "a_b"),
        ("class", "value_class"),
        ("1st", "value_1st"),
        ("_x", "value__x"),
        ("é", "value__"),
        ("", "value_"),
        ("md5", "md5_2"),
    ],
)
def test_an_identifier_is_as_near_to_the_name_as_can_be(name: str, identifier: str) -> None:
    assert identify(name, {"md5"}) == identifier


@given(st.lists(st.text(), max_size=20))
def test_identifiers_are_different_and_can_be_used_everywhere(names: list[str]) -> None:
    taken: set[str] = set()
    found = [identify(name, taken) for name in names]
    assert len({name.casefold() for name in found}) == len(names)
    assert all(name.isascii() and name.isidentifier() and not keyword.iskeyword(name) for name in found)
    assert taken == set(found)
