"""Scalers for each key have the statistics of the rows with that key, and those of all rows for any other."""

from __future__ import annotations

import random
from typing import Any

import pytest

from skewcheck.errors import DeclarationError, StateError
from skewcheck.language.types import BOOL, FLOAT64, STRING
from tests.both_engines import column
from tests.fitted import fit_and_apply, fit_rows, statistics_of
from tests.language.test_scaling import SCALERS

CHANCE = random.Random(3)
ROWS = [(CHANCE.gauss(ord(key) * 10.0, 3.0), key) for key in "aabbbbcé" * 12]
KEYED = {
    "standardize": lambda x, key: x.standardize(by=key),
    "min_max": lambda x, key: x.min_max(by=key),
    "max_abs": lambda x, key: x.max_abs(by=key),
    "robust_scale": lambda x, key: x.robust_scale(by=key),
}


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize("number", [False, True])
def test_each_key_is_scaled_as_if_it_were_alone(name: str, number: bool) -> None:
    convert = ord if number else str
    training = [(x, convert(key)) for x, key in ROWS] + [(None, convert("d")), (77.0, None)]
    values = [900.0, 1000.0, -3.5]
    for key in "abcé":
        alone = fit_and_apply(SCALERS[name][0], [x for x, other in ROWS if other == key], values)
        assert fit_and_apply(KEYED[name], training, [(x, convert(key)) for x in values]) == alone
    everything = fit_and_apply(SCALERS[name][0], [x for x, _ in training], values)
    for key in (convert("d"), convert("z"), None):
        assert fit_and_apply(KEYED[name], training, [(x, key) for x in values]) == everything


def test_the_tables_stand_in_the_order_of_the_keys() -> None:
    training = [(1.0, "\uffff"), (2.0, "😀"), (3.0, "Z"), (4.0, "a"), (5.0, ""), (6.0, None), (None, "b")]
    found = statistics_of(KEYED["max_abs"], training)
    by_key = [["", 5.0], ["Z", 3.0], ["a", 4.0], ["\uffff", 1.0], ["😀", 2.0]]
    assert found == {"largest": 6.0, "largest_by_key": by_key}
    assert statistics_of(KEYED["max_abs"], [(1.0, 10), (2.0, -3)])["largest_by_key"] == [[-3, 2.0], [10, 1.0]]


def test_the_order_of_the_rows_does_not_show() -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    for build in KEYED.values():
        assert fit_rows(build, ROWS)[0].hash == fit_rows(build, shuffled)[0].hash


def test_a_key_can_be_computed() -> None:
    found = fit_and_apply(
        lambda x, s, r: x.max_abs(by=s.lower().cross(r)),
        [(2.0, "A", "b"), (8.0, "a", "c")],
        [(4.0, "a", "b"), (4.0, "a", "c"), (4.0, "a", "d")],
    )
    assert found == [2.0, 0.5, 0.5]


def test_without_any_key_there_are_no_statistics() -> None:
    with pytest.raises(StateError, match=r"feature result .*no row with both a value and a key"):
        statistics_of(lambda x, key: x.standardize(by=key.lower()), [(1.0, None), (None, "a")])


def test_it_prints_as_an_operator_of_two_values() -> None:
    assert str(column("x", FLOAT64).min_max(by=column("k", STRING))) == "x.min_max_by(k)"


@pytest.mark.parametrize("name", KEYED)
@pytest.mark.parametrize("by", ["country", 3, column("b", BOOL), column("y", FLOAT64)])
def test_a_key_is_a_string_or_a_whole_number_of_the_row(name: str, by: Any) -> None:
    with pytest.raises(DeclarationError, match=f"{name}.*String or Int64"):
        getattr(column("x", FLOAT64), name)(by=by)
