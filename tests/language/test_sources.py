"""Vector columns: the length of a list field is on its tag."""

from __future__ import annotations

from typing import Any

import pytest
from feast import Field, RequestSource
from feast.types import Array, Float32, Float64, Int64

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.types import vector


def declare(dtype: Any, tags: dict[str, str] | None) -> sk.Service:
    field = Field(name="embedding", dtype=dtype, tags=tags)
    return sk.features("trial", sources=[RequestSource(name="request", schema=[field])])


@pytest.mark.parametrize("dtype", [Array(Float64), Array(Float32)])
def test_a_list_field_with_a_size_is_a_vector(dtype: Any) -> None:
    column = declare(dtype, {"size": "3"}).sources.columns["embedding"]
    assert column.type == vector(3)
    assert column.unit is None


def test_a_vector_may_have_a_unit() -> None:
    assert declare(Array(Float64), {"size": "2", "unit": "m"}).sources.columns["embedding"].unit is not None


@pytest.mark.parametrize("size", [None, "0", "-3", "3.0", "three", "", "4097", "٣"])
def test_a_list_field_without_a_usable_size_is_refused_with_the_remedy(size: str | None) -> None:
    with pytest.raises(DeclarationError, match=r"embedding of request is Array\(Float32\)") as caught:
        declare(Array(Float32), {} if size is None else {"size": size})
    assert 'tags={"size": "3"}' in (caught.value.remedy or "")


def test_a_list_of_anything_else_is_refused() -> None:
    with pytest.raises(DeclarationError, match="which features cannot read") as caught:
        declare(Array(Int64), {"size": "3"})
    assert "Array(Float64)" in (caught.value.remedy or "")
