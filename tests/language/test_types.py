"""Types and their names."""

from __future__ import annotations

import pytest

from skewcheck.language.types import FLOAT64, SCALARS, parse_type, vector


@pytest.mark.parametrize("type_", [*SCALARS.values(), vector(1), vector(300)])
def test_a_type_is_read_back_from_its_name(type_: object) -> None:
    assert parse_type(str(type_)) == type_


@pytest.mark.parametrize("text", ["", "float64", "Vector", "Vector()", "Vector(x)", "Float64 "])
def test_any_other_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a type"):
        parse_type(text)


def test_vectors_of_different_length_are_different_types() -> None:
    assert vector(2) != vector(3)
    assert vector(2) != FLOAT64
