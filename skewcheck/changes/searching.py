"""Search for an input on which two versions differ, and make it as small and plain as it can be (room: changes).

Hypothesis draws rows from `candidates`. Where it finds nothing, the edges of every comparison and every rounding are
located by bisection and tried as well: a condition that is off by one unit in the last place differs nowhere else.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from skewcheck.changes.candidates import Candidates
from skewcheck.changes.programs import RowProgram
from skewcheck.errors import EngineError
from skewcheck.generate.golden import same_value
from skewcheck.language.constants import EPOCH
from skewcheck.language.terms import Term, walk

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Row = dict[str, Any]
Differs = Callable[[Row], bool]

EXAMPLES = 600
"""Rows that Hypothesis draws before it gives up."""

MOST_FLIPS = 6
"""Edges that are located for one column of one step."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is searched: whether a row shows the difference, and the values to try.

    Attributes:
        differs: Whether the versions differ on a row.
        candidates: The values to try for every column.
        steps: The terms of both versions, whose edges may matter.
    """

    differs: Differs
    candidates: Candidates
    steps: Sequence[Term] = ()


def find_smallest(sought: Sought, first: Row | None = None) -> Row | None:
    """The smallest row on which the versions differ; None where the search finds none.

    Args:
        sought: What is searched.
        first: A row that is known to differ, if any.

    Raises:
        EngineError: Hypothesis is not installed.
    """
    found = _draw(sought)
    if found is None:
        for column, values in _find_edges(sought).items():
            sought.candidates.add(column, values)
        found = _try_rows(sought) or _draw(sought) or first
    return None if found is None else _make_plain(sought, found)


def _draw(sought: Sought) -> Row | None:
    """A row that Hypothesis finds and shrinks."""
    try:
        from hypothesis import HealthCheck, Phase, find, settings
        from hypothesis.errors import NoSuchExample
    except ImportError as error:
        raise EngineError(
            "the search for a witness needs Hypothesis, which is not installed",
            remedy="Install it with: pip install hypothesis",
        ) from error
    from hypothesis import strategies as st

    drawn = st.fixed_dictionaries({name: _strategy(sought.candidates, name) for name in sought.candidates.columns})
    quiet = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    try:
        return find(drawn, sought.differs, settings=quiet, random=Random(1))  # noqa: S311 (the same rows each time)
    except NoSuchExample:
        return None


def _strategy(candidates: Candidates, name: str) -> SearchStrategy[Any]:
    """Values of a column: mostly those worth trying, which shrink towards the plainest."""
    from hypothesis import strategies as st

    type_ = candidates.types[name]
    listed = st.sampled_from(candidates.columns[name])
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    drawn: dict[str, SearchStrategy[Any]] = {
        "Float64": st.floats(-1000, 1000) | numbers,
        "Int64": st.integers(-1000, 1000) | st.integers(-(2**63), 2**63 - 1),
        "Bool": st.booleans(),
        "String": st.text(max_size=8),
        "Timestamp": st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(lambda t: t.replace(tzinfo=UTC)),  # noqa: DTZ001
        "Vector": st.lists(numbers, min_size=type_.size or 0, max_size=type_.size or 0),
    }
    strategies = [listed, drawn[type_.name]]
    if type_.name == "String":
        strategies += [st.from_regex(pattern) for pattern in candidates.patterns]
    return st.one_of(strategies)


def _try_rows(sought: Sought) -> Row | None:
    """The first row that differs among those that vary one column of a plain one, and some that mix them."""
    return next((row for row in list_rows(sought.candidates) if sought.differs(row)), None)


def list_rows(candidates: Candidates, most: int = 4000) -> Iterator[Row]:
    """Rows of the values worth trying: one column at a time against plain others, then mixed; at most so many."""
    count = 0
    bases = [
        {name: values[min(place, len(values) - 1)] for name, values in candidates.columns.items()} for place in (0, 1)
    ]
    for base in bases:
        for name, values in candidates.columns.items():
            for value in values:
                if count >= most // 2:
                    break
                count += 1
                yield {**base, name: value}
    source = Random(1)  # noqa: S311 (the same rows each time)
    while count < most and candidates.columns:
        count += 1
        yield {name: source.choice(values) for name, values in candidates.columns.items()}


def _find_edges(sought: Sought) -> dict[str, list[Any]]:
    """For each column the values on both sides of every place where a step of either version changes its answer."""
    found: dict[str, list[Any]] = {}
    for root in sought.steps:
        for name, values in _find_edges_of(root, sought.candidates).items():
            found.setdefault(name, []).extend(values)
    return found


def _find_edges_of(root: Term, candidates: Candidates) -> dict[str, list[Any]]:
    steps = {
        str(place): term
        for place, term in enumerate(walk(root))
        if term is root or (term.kind == "call" and term.type.name in {"Bool", "Int64", "String"})
    }
    program = RowProgram(steps)
    columns = candidates.columns
    base = {name: values[min(1, len(values) - 1)] for name, values in columns.items()}
    found: dict[str, list[Any]] = {}
    for name, values in columns.items():
        order = _ORDERS.get(candidates.types[name].name)
        if order is None:
            continue
        ranks = sorted({order.rank(value) for value in values if value is not None})
        answers = {rank: _answers(program({**base, name: order.value(rank)})) for rank in ranks}
        flips: dict[str, int] = {}
        for low, high in itertools.pairwise(ranks):
            for step in answers[low]:
                if answers[low][step] != answers[high][step] and flips.get(step, 0) < MOST_FLIPS:
                    flips[step] = flips.get(step, 0) + 1
                    edge = _bisect(_ask(program, base, name, order, step), low, high)
                    near = (edge - 1, edge, edge + 1, edge + 2)
                    found.setdefault(name, []).extend(order.value(rank) for rank in near if low <= rank <= high)
    return found


def _ask(program: RowProgram, base: Row, name: str, order: _Order, step: str) -> Callable[[int], Any]:
    """What one step answers for a rank of one column."""
    return lambda rank: _answers(program({**base, name: order.value(rank)}))[step]


def _answers(values: Mapping[str, Any]) -> dict[str, Any]:
    """What can flip: whether there is a value, and a value that is no number of many."""
    return {name: value is None if isinstance(value, (float, list)) else value for name, value in values.items()}


def _bisect(answer: Callable[[int], Any], low: int, high: int) -> int:
    """The last rank that answers as `low` does, with another answer right above it."""
    before = answer(low)
    while high - low > 1:
        middle = (low + high) // 2
        if answer(middle) == before:
            low = middle
        else:
            high = middle
    return low


@dataclass(frozen=True, slots=True)
class _Order:
    """The values of a type as whole numbers in their order."""

    rank: Callable[[Any], int]
    value: Callable[[int], Any]


def _rank_float(value: float) -> int:
    (bits,) = struct.unpack("<q", struct.pack("<d", value))
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def _float_at(rank: int) -> float:
    (value,) = struct.unpack("<d", struct.pack("<q", abs(rank)))
    return value if rank >= 0 else -value


_ORDERS = {
    "Float64": _Order(_rank_float, _float_at),
    "Int64": _Order(int, int),
    "Timestamp": _Order(lambda t: (t - EPOCH) // _MICROSECOND, lambda rank: EPOCH + timedelta(microseconds=rank)),
}


def _make_plain(sought: Sought, row: Row) -> Row:
    """The row with every column at the plainest value that still shows the difference."""
    plain = dict(row)
    for name, values in sought.candidates.columns.items():
        for value in values:
            if same_value(value, plain[name]):
                break
            if sought.differs({**plain, name: value}):
                plain[name] = value
                break
    return plain
