"""What a fitted expression gives, on both engines, after a fit over real rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from skewcheck.fit.fitting import fit
from skewcheck.fit.state import State
from skewcheck.language.expressions import Expression
from tests.both_engines import evaluate, type_of
from tests.declaring import make_service, write_rows


def fit_and_apply(build: Callable[..., Expression], training: Sequence[Any], rows: Sequence[Any]) -> list[Any]:
    """The values of an expression for rows of its columns, once it was fitted to other rows of them.

    A row is a tuple of the columns' values, or the one value.
    """
    names, given = list(signature(build).parameters), [_as_row(row) for row in rows]
    state, service = fit_rows(build, training)
    (feature,) = service.features
    found = evaluate(
        {"result": feature.expression}, [dict(zip(names, row, strict=True)) for row in given], state.statistics
    )
    return [row["result"] for row in found]


def fit_rows(build: Callable[..., Expression], training: Sequence[Any]) -> tuple[State, Any]:
    """The state of a service with one feature, and the service."""
    names, known = list(signature(build).parameters), [_as_row(row) for row in training]
    columns = {name: type_of([row[place] for row in known]) for place, name in enumerate(names)}
    service = make_service(columns, result=build)
    with TemporaryDirectory() as folder:
        rows = [dict(zip(names, row, strict=True)) for row in known]
        return fit(service, write_rows(Path(folder) / "training.parquet", service, rows)), service


def statistics_of(build: Callable[..., Expression], training: Sequence[Any]) -> dict[str, Any]:
    """The statistics of the one fitted operator of an expression."""
    (statistics,) = fit_rows(build, training)[0].statistics.values()
    return statistics


def _as_row(row: Any) -> tuple[Any, ...]:
    return row if isinstance(row, tuple) else (row,)
