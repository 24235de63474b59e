"""How to compare two tables (room: compare)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from skewcheck.compare.joining import Duplicates
from skewcheck.compare.pairing import EXACT, Tolerance
from skewcheck.errors import UsageError

Rows = Literal["all", "shared"]
"""Whether every row has to be compared, or only those whose id both tables have once."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare.

    Attributes:
        at: A column of times, for first and last mismatches and for hours.
        by: Columns whose values slice the mismatches.
        columns: The columns to compare; every one that both tables have where none is named.
        ignored: Columns to leave out.
        renamed: For a column of A, its name in B.
        tolerance: How far apart numbers may be in columns of which a side is real (float or decimal).
        tolerances: The same for single columns, integers among them.
        nan_differs: Count NaN against null as a mismatch.
        rows: Whether absent, repeated and unidentified rows count against the tables.
        duplicates: What to do with an id that stands in several rows.
        samples: Differing pairs to keep of each column; with 0 no value of a table is kept.
        explain: Seek causes.
        distributions: Measure how far apart the distributions are as well.
        null_texts: In CSV, texts beside the empty unquoted cell that stand for null.
    """

    at: str | None = None
    by: Sequence[str] = ()
    columns: Sequence[str] = ()
    ignored: Collection[str] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    tolerance: Tolerance = EXACT
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    nan_differs: bool = False
    rows: Rows = "all"
    duplicates: Duplicates = "skip"
    samples: int = 5
    explain: bool = True
    distributions: bool = False
    null_texts: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name, tolerance in [("", self.tolerance), *self.tolerances.items()]:
            if not (0 <= tolerance.relative < 1 and tolerance.absolute >= 0 and tolerance.ulp >= 0):
                raise UsageError(
                    f"{name or 'the tolerance'}: a tolerance is never negative, and a relative one is below 1",
                    remedy="Give one such as 1e-9.",
                )
