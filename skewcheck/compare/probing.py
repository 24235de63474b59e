"""What a training function reads and gives, found out by calling it on a few rows (room: compare)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skewcheck.compare.training_function import Features, FunctionError, TrainingFunction

if TYPE_CHECKING:
    import pyarrow as pa

ROWS = 200
"""Rows that a function is probed with."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What was found out.

    Attributes:
        features: For each feature that was served and that the function gives, the function's own name for it.
        inputs: The columns that it is given.
        reads: For each feature the inputs on which it depends, as far as the probed rows show.
        row_by_row: Whether the features of a row depend on that row alone.
    """

    features: dict[str, str]
    inputs: tuple[str, ...]
    reads: dict[str, tuple[str, ...]]
    row_by_row: bool


def probe_function(function: TrainingFunction, rows: pa.Table, served: Iterable[str] | None) -> Probed:
    """Find out what a function reads and gives.

    Args:
        function: The function.
        rows: A few of the log's rows, under the names that the function knows.
        served: The features that were served; None where the log does not tell them from its inputs. Then they are
            the columns that the function gives and can do without.

    Raises:
        FunctionError: It cannot be called on these rows.
    """
    every = list(rows.column_names)
    if function.inputs is not None:
        given = [name for name in function.inputs if name in every]
        features = _name_features(function.compute(rows).table.column_names, set(served or every) - set(given))
    elif served is not None:
        given = [name for name in every if name not in set(served)]
        features = _name_features(function.compute(rows.select(given)).table.column_names, served)
    else:
        found = function.compute(rows).table.column_names
        candidates = [name for name in _name_features(found, every) if not _needs(function, rows, name)]
        given = [name for name in every if name not in candidates]
        features = _name_features(function.compute(rows.select(given)).table.column_names, candidates)
    inputs = rows.select(given)
    whole = function.compute(inputs)
    reads = _find_reads(function, inputs, whole, features)
    return Probed(features, tuple(given), reads, _is_row_by_row(function, inputs, whole, tuple(features.values())))


def _name_features(given: Sequence[str], served: Iterable[str]) -> dict[str, str]:
    """For each served feature the function's name for it; a step's name before two underscores may be left out."""
    short = {name.partition("__")[2]: name for name in given if "__" in name}
    known = {**short, **{name: name for name in given}}
    return {name: known[name] for name in served if name in known}


def _needs(function: TrainingFunction, rows: pa.Table, name: str) -> bool:
    """Whether a function fails, or no longer gives a column, when the column is taken out of its inputs."""
    try:
        return name not in _name_features(function.compute(rows.drop_columns([name])).table.column_names, [name])
    except FunctionError:
        return True


def _is_row_by_row(function: TrainingFunction, inputs: pa.Table, whole: Features, features: Sequence[str]) -> bool:
    """Whether every second row alone has the features that it has among the others."""
    places = list(range(0, inputs.num_rows, 2))
    try:
        half = function.compute(inputs.take(places))
    except FunctionError:
        return False
    kept = {places[place]: at for at, place in enumerate(half.kept.to_pylist())}
    among = {place: at for at, place in enumerate(whole.kept.to_pylist()) if place % 2 == 0}
    if kept.keys() != among.keys():
        return False
    order = sorted(kept)
    left = half.table.take([kept[place] for place in order])
    right = whole.table.take([among[place] for place in order])
    return all(_same(left[name].to_pylist(), right[name].to_pylist()) for name in features)


def _find_reads(
    function: TrainingFunction, inputs: pa.Table, whole: Features, features: dict[str, str]
) -> dict[str, tuple[str, ...]]:
    """For each feature the inputs that change it when their values are handed to other rows."""
    expected = {name: whole.table[own].to_pylist() for name, own in features.items()}
    found: dict[str, list[str]] = {name: [] for name in features}
    turned = [*range(1, inputs.num_rows), 0]
    for place, column in enumerate(inputs.column_names):
        try:
            changed = function.compute(inputs.set_column(place, column, inputs[column].take(turned))).table
        except FunctionError:
            continue
        for name, own in features.items():
            if own not in changed.column_names or not _same(changed[own].to_pylist(), expected[name]):
                found[name].append(column)
    return {name: tuple(columns) for name, columns in found.items()}


def _same(left: Sequence[object], right: Sequence[object]) -> bool:
    """Whether two columns hold the same values; missing equals missing."""
    return len(left) == len(right) and all(
        one == other or (one != one and other != other) for one, other in zip(left, right, strict=True)
    )
