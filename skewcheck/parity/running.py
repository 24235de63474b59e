"""Run a subject on an engine, and count where two engines differ."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from skewcheck.engines.execution import ARROW_TYPES
from skewcheck.engines.opaque import register_functions
from skewcheck.engines.session import open_session
from skewcheck.generate.golden import same_value
from skewcheck.generate.row_module import load_row_module
from skewcheck.parity.subjects import Subject

BATCH = 20_000
"""Rows that are Python objects at a time, which take far more memory than columns."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How far one engine is from Python.

    Attributes:
        rows: Rows that were compared.
        differing: Rows in which any output is not the same.
        beyond: Those of them in which it is further away than the subject's tolerance allows.
        largest_ulp: The largest distance between two numbers, in units in the last place.
        first: The first differing row's inputs, and what Python and the engine gave; None where there is none.
    """

    rows: int
    differing: int = 0
    beyond: int = 0
    largest_ulp: int = 0
    first: tuple[dict[str, Any], Any, Any] | None = None

    def __add__(self, other: Difference) -> Difference:
        return Difference(
            self.rows + other.rows,
            self.differing + other.differing,
            self.beyond + other.beyond,
            max(self.largest_ulp, other.largest_ulp),
            self.first or other.first,
        )


def run_python(subject: Subject, inputs: pa.Table) -> pa.Table:
    """What the row function gives for every row, in order."""
    transform = load_row_module(subject.row_module)["transform"]
    schema = pa.schema([(name, ARROW_TYPES[type_.name]) for name, type_ in subject.outputs.items()])
    batches = []
    for batch in inputs.to_batches(max_chunksize=BATCH):
        given = {name: batch.column(name).to_pylist() for name in subject.columns} or {"$row": batch.column(0)}
        found = transform(given)
        batches.append(pa.RecordBatch.from_pydict(found, schema=schema))
    return pa.Table.from_batches(batches, schema)


def run_duckdb(subject: Subject, inputs: pa.Table) -> pa.Table:
    """What the generated query gives for every row, in order."""
    with open_session() as connection:
        connection.execute("SET threads = 1")
        connection.register("inputs", inputs)
        register_functions(connection, load_row_module(subject.row_module).get("OPAQUE", {}))
        return _read_outputs(subject, connection, subject.queries["duckdb"])


def _read_outputs(subject: Subject, connection: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    found = connection.execute(f'SELECT * FROM ({query}) ORDER BY "$row"').to_arrow_table()
    return found.select(list(subject.outputs))


def compare(subject: Subject, inputs: pa.Table, expected: pa.Table, found: pa.Table) -> Difference:
    """Where the outputs of one engine are not those of Python, row by row."""
    places = sorted({place for name in subject.outputs for place in _find_differing(expected, found, name)})
    beyond, largest, first = 0, 0, None
    for place in places:
        here, there = ({name: table[name][place].as_py() for name in subject.outputs} for table in (expected, found))
        pairs = [pair for name in subject.outputs for pair in _pair_numbers(here[name], there[name])]
        largest = max([largest, *(count_ulps(one, other) for one, other in pairs if None not in (one, other))])
        beyond += not all(near(one, other, subject.tolerance) for one, other in pairs)
        first = first or ({name: inputs[name][place].as_py() for name in subject.columns}, here, there)
    return Difference(expected.num_rows, len(places), beyond, largest, first)


def _find_differing(expected: pa.Table, found: pa.Table, name: str) -> Iterator[int]:
    """The rows in which an output is not the same."""
    here, there = expected[name].combine_chunks(), found[name].combine_chunks()
    if pa.types.is_list(here.type):
        for first in range(0, len(here), BATCH):
            pairs = zip(here[first : first + BATCH].to_pylist(), there[first : first + BATCH].to_pylist(), strict=True)
            yield from (first + place for place, pair in enumerate(pairs) if not same_value(*pair))
        return
    there = there.cast(here.type)
    unlike = pc.or_(pc.xor(here.is_null(), there.is_null()), pc.fill_null(pc.not_equal(here, there), False))
    yield from pc.indices_nonzero(unlike).to_pylist()


def _pair_numbers(one: Any, other: Any) -> list[tuple[Any, Any]]:
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return list(zip(one, other, strict=True))
    return [(one, other)]


def near(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values are the same, or two floats no further apart than a relative tolerance allows."""
    if same_value(one, other):
        return True
    if not isinstance(one, float) or not isinstance(other, float):
        return False
    return abs(one - other) <= tolerance * max(abs(one), abs(other))


def count_ulps(one: Any, other: Any) -> int:
    """How many Float64 lie between two of them, counting the second; 0 for what is no float."""
    if not isinstance(one, float) or not isinstance(other, float):
        return 0
    return abs(_rank(one) - _rank(other))


def _rank(value: float) -> int:
    """The place of a Float64 in the order of all of them."""
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)
