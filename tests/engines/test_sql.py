"""Names and constants in SQL text: the one place in which they are quoted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.engines.sql import literal_text, quote_name, quote_text, scan_parquet
from tests.adversarial import FLOATS, INTEGERS


def read(text: str) -> tuple[Any, str]:
    """The value and the type that DuckDB reads."""
    with duckdb.connect() as connection:
        (row,) = connection.execute(f"SELECT {text}, typeof({text})").fetchall()
        return row


constants = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1) | st.booleans()
HARD = [value for value in FLOATS + INTEGERS if value is not None and math.isfinite(value)]


@given(st.lists(constants | st.sampled_from(HARD), min_size=1, max_size=50))
def test_a_constant_is_read_back_with_every_bit_and_its_type(values: list[Any]) -> None:
    types = {float: "DOUBLE", int: "BIGINT", bool: "BOOLEAN"}
    with duckdb.connect() as connection:
        texts = [literal_text(value) for value in values]
        (found,) = connection.execute(f"SELECT {', '.join(texts)}").fetchall()
        (kinds,) = connection.execute(f"SELECT {', '.join(f'typeof({text})' for text in texts)}").fetchall()
    assert [repr(value) for value in found] == [repr(value) for value in values]
    assert list(kinds) == [types[type(value)] for value in values]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_constant(value: float) -> None:
    with pytest.raises(ValueError, match="not a Float64 constant"):
        literal_text(value)


def test_missing_is_null() -> None:
    assert literal_text(None) == "NULL"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("it's", "'it''s'"),
        ("", "''"),
        ("a\x00b", "('a' || chr(0) || 'b')"),
        ("\x00", "chr(0)"),
        ("a\r\n", "('a' || chr(13) || chr(10))"),
        ("\u202eabc", "(chr(8238) || 'abc')"),
        ("é😀", "'é😀'"),
    ],
)
def test_what_nobody_can_see_is_written_as_a_call(value: str, text: str) -> None:
    assert quote_text(value) == text
    assert read(text) == (value, "VARCHAR")


@pytest.mark.parametrize(("name", "text"), [("a", '"a"'), ('a"b', '"a""b"'), ("select", '"select"'), ("", '""')])
def test_a_name_is_quoted(name: str, text: str) -> None:
    assert quote_name(name) == text


@pytest.mark.parametrize("name", ["plain", "it's", "a[1]b", "star*", "what?", "{a,b}", 'a"b', "a b", "é"])
def test_a_file_is_read_whatever_its_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT 1 AS one) TO {quote_text(str(path))} (FORMAT parquet)")
        assert connection.execute(f"SELECT * FROM {scan_parquet(str(path))}").fetchall() == [(1,)]
