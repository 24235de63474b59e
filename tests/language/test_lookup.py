"""Look-up in a literal table: what is in it, what is not, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.errors import DeclarationError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.adversarial import INTEGERS, STRINGS, texts
from tests.both_engines import apply, column, evaluate

N, S = column("n", INT64), column("s", STRING)
HARD_KEYS = [key for key in STRINGS if key is not None]


@pytest.mark.parametrize(
    "values",
    [
        [0.1 * place for place in range(len(HARD_KEYS))],
        [-0.0, 5e-324, *(1e300 / (place + 1) for place in range(len(HARD_KEYS) - 2))],
        [place - 2**63 for place in range(len(HARD_KEYS))],
        [place % 2 == 0 for place in range(len(HARD_KEYS))],
        [key[::-1] for key in HARD_KEYS],
    ],
    ids=["floats", "hard floats", "integers", "truths", "strings"],
)
def test_every_key_gives_its_value_and_its_type(values: list[Any]) -> None:
    table = dict(zip(HARD_KEYS, values, strict=True))
    rows = [(key,) for key in [*HARD_KEYS, "not there", "A\x00", None]]
    found = apply(lambda s: s.lookup(table), rows)
    assert list(map(repr, found)) == list(map(repr, [*values, None, None, None]))
    found = apply(lambda s: s.lookup(table, default=values[1]), rows)
    assert list(map(repr, found)) == list(map(repr, [*values, values[1], values[1], None]))


def test_whole_numbers_are_keys() -> None:
    keys = [key for key in INTEGERS if key is not None]
    table = {key: str(key) for key in keys[::2]}
    found = apply(lambda n: n.lookup(table), [(key,) for key in [*keys, None]])
    assert found == [table.get(key) for key in keys] + [None]


@settings(max_examples=40)
@given(
    table=st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20),
    default=st.none() | st.integers(-5, 5),
    others=st.lists(texts, max_size=10),
)
def test_any_table_is_a_dict(table: dict[str, float], default: int | None, others: list[str]) -> None:
    asked = [*table, *others]
    fallback = None if default is None else float(default)
    found = apply(lambda s: s.lookup(table, default), [(key,) for key in [*asked, None]])
    assert found == [*(table.get(key, fallback) for key in asked), None]


def test_what_is_missing_stays_missing_unless_it_is_filled() -> None:
    rates = {"DE": 0.19}
    assert apply(lambda s: s.lookup(rates, default=0.0), [(None,), ("XX",)]) == [None, 0.0]
    assert apply(lambda s: s.lookup(rates, default=0.0).fill(-1.0), [(None,), ("XX",)]) == [-1.0, 0.0]
    assert apply(lambda s: s.fill("DE").lookup(rates), [(None,), ("XX",)]) == [0.19, None]


def test_two_look_ups_of_one_value_and_a_look_up_of_a_look_up() -> None:
    expressions = {
        "capital": S.lookup({"DE": "Berlin", "FR": "Paris"}),
        "code": S.lookup({"DE": 49, "FR": 33}),
        "digits": S.lookup({"DE": 49, "FR": 33}).lookup({49: 4.5, 33: 3.5}, default=0),
    }
    found = evaluate(expressions, [{"s": "DE"}, {"s": "FR"}, {"s": "ES"}])
    assert [list(row.values()) for row in found] == [["Berlin", 49, 4.5], ["Paris", 33, 3.5], [None, None, None]]


@pytest.mark.parametrize(
    ("table", "default", "type_"),
    [
        ({"a": 1}, None, INT64),
        ({"a": 1}, 0.5, FLOAT64),
        ({"a": 1, "b": 2.5}, None, FLOAT64),
        ({"a": 1.5}, 0, FLOAT64),
        ({"a": True}, False, BOOL),
        ({"a": "b"}, "", STRING),
    ],
)
def test_whole_numbers_beside_floats_are_floats(table: dict[str, Any], default: Any, type_: Any) -> None:
    assert S.lookup(table, default).type == type_
    (found,) = apply(lambda s: s.lookup(table, default), [("a",)])
    assert found == table["a"]


def test_the_order_and_the_form_of_the_table_do_not_matter() -> None:
    given_as = [{"b": 2, "a": 1}, {"a": 1, "b": 2}, [("b", 2), ("a", 1)], [["a", 1], ["b", 2]]]
    assert {str(S.lookup(table)) for table in given_as} == {"s.lookup(table=(('a', 1), ('b', 2)))"}
    assert str(N.lookup({1: 2}, default=3)) == "n.lookup(table=((1, 2),), default=3)"


def test_a_table_of_a_hundred_thousand_entries() -> None:
    table = {f"key {number}": number / 8 for number in range(100_000)}
    found = apply(lambda s: s.lookup(table, default=-1.0), [("key 0",), ("key 99999",), ("key 100000",), (None,)])
    assert found == [0.0, 99_999 / 8, -1.0, None]


class Word(str):
    """Another hash, so that a dict keeps two equal strings apart."""

    __slots__ = ()

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return self is other


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: S.lookup({}), "at least one entry"),
        (lambda: S.lookup([]), "at least one entry"),
        (lambda: S.lookup(), "lookup"),
        (lambda: S.lookup(None), "dict or a list of"),
        (lambda: S.lookup("ab"), "dict or a list of"),
        (lambda: S.lookup(["ab", "cd"]), "one entry is 'ab'"),
        (lambda: S.lookup([("a", 1, 2)]), "one entry is"),
        (lambda: S.lookup([("a", 1), ("a", 1)]), "'a' more than once"),
        (lambda: S.lookup({Word("a"): 1, Word("a"): 2}), "'a' more than once"),
        (lambda: S.lookup({"a": 1, 2: 3}), "keys of the table must be of one type, and has int and str"),
        (lambda: N.lookup({True: 1}), "strings or whole numbers, and one is True"),
        (lambda: N.lookup({1.5: 1}), "strings or whole numbers, and one is 1.5"),
        (lambda: N.lookup({1: 1, 2.5: 1}), "strings or whole numbers"),
        (lambda: S.lookup({"a": 1, "b": "c"}), "of one type, and has int and str"),
        (lambda: S.lookup({"a": 1, "b": True}), "of one type, and has bool and int"),
        (lambda: S.lookup({"a": 1}, default="none"), "with the default, must be of one type"),
        (lambda: S.lookup({"a": None}), "leave its key out"),
        (lambda: S.lookup({"a": 1, "b": None}, 0), "leave its key out"),
        (lambda: S.lookup({"a": float("nan")}), "finite"),
        (lambda: S.lookup({"a": [1]}), "a list"),
        (lambda: S.lookup({None: 1}), "None is no constant"),
        (lambda: S.lookup({"a": 2**63}), "does not fit"),
        (lambda: S.lookup({1: "a"}), "keys of the table are Int64, and the value is String"),
        (lambda: N.lookup({"a": 1}), "keys of the table are String, and the value is Int64"),
        (lambda: column("x", FLOAT64).lookup({1: 1}), "lookup takes String or Int64"),
        (lambda: column("t", TIMESTAMP).lookup({1: 1}), "lookup takes String or Int64"),
        (lambda: S.lookup({"a": 1}, S), "cannot be part"),
    ],
)
def test_what_cannot_be_meant_is_refused(build: Callable[[], Any], match: str) -> None:
    with pytest.raises(DeclarationError, match=match):
        build()
