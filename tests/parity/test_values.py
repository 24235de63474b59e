"""Tables of hard values: the same for the same seed, with every hard value in them."""

from __future__ import annotations

import math
from datetime import datetime

from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, vector
from skewcheck.parity.values import VALUES, make_columns

COLUMNS = {"f": FLOAT64, "n": INT64, "b": BOOL, "s": STRING, "t": TIMESTAMP, "v": vector(2)}


def test_a_seed_decides_every_value() -> None:
    one, again, other = (make_columns(COLUMNS, 2_000, seed) for seed in (1, 1, 2))
    assert one.to_pylist().__repr__() == again.to_pylist().__repr__()
    assert not one.equals(other)


def test_rows_are_numbered_in_order() -> None:
    assert make_columns(COLUMNS, 500, 3)["$row"].to_pylist() == list(range(500))


def test_a_table_made_in_pieces_is_the_table() -> None:
    whole = make_columns(COLUMNS, 500, 3).slice(200, 150)
    assert make_columns(COLUMNS, 150, 3, first=200).to_pylist().__repr__() == whole.to_pylist().__repr__()


def test_every_hard_value_stands_in_its_column() -> None:
    table = make_columns(COLUMNS, 200, 1)
    for name, type_ in COLUMNS.items():
        found = {repr(value) for value in table[name].to_pylist()}
        hard = VALUES.get(type_, [])
        if type_ == TIMESTAMP:
            found = {str(value.timestamp()) for value in table[name].to_pylist() if value is not None}
            hard = [value.timestamp() for value in hard if isinstance(value, datetime)]
        assert {repr(value) for value in hard} <= found


def test_most_values_are_drawn_and_some_are_missing() -> None:
    table = make_columns(COLUMNS, 20_000, 1)
    for name in COLUMNS:
        assert 0.01 < table[name].null_count / 20_000 < 0.4
    numbers = [value for value in table["f"].to_pylist() if value is not None and math.isfinite(value)]
    assert len(set(numbers)) > 10_000
    assert min(numbers) < -1e299
    assert max(numbers) > 1e299


def test_vectors_have_their_length() -> None:
    assert {len(value) for value in make_columns(COLUMNS, 500, 1)["v"].to_pylist() if value is not None} == {2}
