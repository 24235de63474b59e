"""Examples of operators as expressions over columns, for whatever shows or checks them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from skewcheck.language.expressions import Column, Expression
from skewcheck.language.operator import Example
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type, vector


def read_columns(example: Example) -> dict[str, Type]:
    """The columns that an example reads, by the names of its operands, their types taken from its rows."""
    names = list(inspect.signature(example.build).parameters)
    rows = [*(values for values, _ in example.rows), *example.training_rows()]
    return {name: type_of(row[place] for row in rows) for place, name in enumerate(names)}


def build_example(example: Example) -> Expression:
    """The expression of an example over its columns."""
    columns = read_columns(example)
    units = example.units or (None,) * len(columns)
    return example.build(
        *(
            Expression(Column(name, type_), (), type_, unit)
            for (name, type_), unit in zip(columns.items(), units, strict=True)
        )
    )


def type_of(values: Iterable[Any]) -> Type:
    """The type of a column with these values; Float64 where all are missing."""
    kinds: dict[type, Type] = {bool: BOOL, int: INT64, float: FLOAT64, str: STRING, datetime: TIMESTAMP}
    present = next((value for value in values if value is not None), None)
    return vector(len(present)) if isinstance(present, list) else kinds.get(type(present), FLOAT64)
