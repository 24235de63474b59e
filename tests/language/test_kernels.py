"""Every portable kernel gives the same bits on both engines; the cyclic tables, which need none, are exact."""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Iterator
from decimal import Decimal
from inspect import signature
from typing import Any

import pytest

from skewcheck.language import kernels
from skewcheck.language.operators.time import CyclicCosine, CyclicSine
from skewcheck.language.terms import column
from skewcheck.language.types import FLOAT64, INT64
from tests.adversarial import FLOATS
from tests.both_engines import evaluate_terms
from tests.language.kernels.exact import PI, exact_cosine

SCALES = (1e-3, 1.0, 2.0, 45.0, 745.0, 1e9)


def hard_rows(count: int) -> Iterator[tuple[float | None, ...]]:
    """Every pair of hard values, then random numbers of every size; one value for each of `count` columns."""
    if count <= 2:
        yield from itertools.product(FLOATS, repeat=count)
    generator = random.Random(f"{count} columns")
    for _ in range(1500):
        bits = struct.unpack("<2d", generator.randbytes(16))
        sizes = [generator.choice(SCALES) for _ in range(count)]
        yield (
            tuple(bits[:count])
            if count <= 2 and generator.random() < 0.3
            else tuple(generator.uniform(-size, size) for size in sizes)
        )


@pytest.mark.parametrize("name", kernels.__all__)
def test_a_kernel_gives_the_same_bits_on_both_engines(name: str) -> None:
    kernel: Any = getattr(kernels, name)
    names = list(signature(kernel).parameters)
    term = kernel(*(column(argument, FLOAT64) for argument in names))
    rows = [dict(zip(names, values, strict=True)) for values in hard_rows(len(names))]
    found = [row["result"] for row in evaluate_terms({"result": term}, rows)]
    assert sum(value is not None for value in found) > 100
    assert all(value is None or math.isfinite(value) for value in found)


@pytest.mark.parametrize("period", [2, 3, 4, 5, 7, 12, 24, 60, 365, 366])
def test_the_cyclic_tables_are_correctly_rounded(period: int) -> None:
    tables = {cls: cls(period).expand(column("step", INT64)).parameter for cls in (CyclicSine, CyclicCosine)}
    for place in range(period):
        angle = 2 * PI * place / period
        for cls, shifted in ((CyclicCosine, angle), (CyclicSine, angle - PI / 2)):
            found = tables[cls][place]
            assert abs(Decimal(found) - exact_cosine(shifted)) <= Decimal(math.ulp(found)) / 2 + Decimal("1e-26")
