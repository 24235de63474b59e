"""The smallest condition that tells rows apart."""

from __future__ import annotations

import numpy as np
import pytest

from skewcheck.explain.values.series import Series, make_series
from skewcheck.explain.values.slices import find_slice

ROWS = 600
RANDOM = np.random.default_rng(0)
HOSTS = [f"h{number}" for number in RANDOM.integers(0, 10, ROWS)]
COUNTRIES = [None if number == 0 else "ABCDE"[number % 5] for number in RANDOM.integers(0, 12, ROWS)]
AT = np.arange(ROWS, dtype=np.int64)
COLUMNS: dict[str, Series] = {
    "host": make_series("String", HOSTS),
    "country": make_series("String", COUNTRIES),
    "requested_at": Series("Timestamp", AT, np.zeros(ROWS, dtype=bool)),
    "amount": make_series("Float64", RANDOM.random(ROWS).tolist()),
}
ONES = np.ones(ROWS)


def say(chosen: np.ndarray) -> dict[str, object] | None:
    found = find_slice(COLUMNS, chosen, ~chosen, ONES)
    return None if found is None else {one.column: one.to_data() for one in found.conditions}


def test_one_host_is_named() -> None:
    assert say(np.array([host == "h3" for host in HOSTS])) == {"host": "h3"}


def test_several_hosts_are_listed() -> None:
    assert say(np.array([host in {"h1", "h7"} for host in HOSTS])) == {"host": ["h1", "h7"]}


def test_a_missing_value_is_a_condition() -> None:
    assert say(np.array([country is None for country in COUNTRIES])) == {"country": {"is": "missing"}}


def test_a_beginning_is_a_bound_on_time() -> None:
    assert say(AT >= 400) == {"requested_at": {"at least": pytest.approx(400, abs=3)}}


def test_two_conditions_hold_together() -> None:
    found = say(np.array([host == "h3" for host in HOSTS]) & (AT >= 200))
    assert found is not None
    assert found.keys() == {"host", "requested_at"}
    assert found["host"] == "h3"


def test_rows_drawn_by_chance_have_no_condition() -> None:
    assert say(np.random.default_rng(9).random(ROWS) < 0.3) is None


def test_a_few_rows_are_not_worth_a_condition() -> None:
    chosen = np.zeros(ROWS, dtype=bool)
    chosen[[3, 4, 5]] = True
    assert find_slice(COLUMNS, chosen, np.arange(ROWS) < 9, ONES) is None


def test_bounds_are_not_proposed_for_a_column_that_the_feature_reads() -> None:
    amounts = COLUMNS["amount"].numbers()
    chosen = amounts >= 0.5
    assert find_slice(COLUMNS, chosen, ~chosen, ONES) is not None
    assert find_slice(COLUMNS, chosen, ~chosen, ONES, unbounded={"amount"}) is None
