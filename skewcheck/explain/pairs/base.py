"""Pairs of values that should be equal, and a guess at what makes them differ (room: explain, pairs)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import duckdb
import numpy as np

from skewcheck.explain.values.series import NEAR, Bools, Floats

SAMPLE = 4000
"""Numbers that a line is sought through."""

Form = Literal["number", "text", "time", "bool", "other"]
"""What the values are like: which guesses there are."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """A relation of pairs of one column, as SQL text over it.

    Attributes:
        connection: Where it can be queried.
        relation: Its name or its text.
        name: What the column is called.
        form: What its values are like.
        trained: The value of training; a number or an instant as it is, null where it is missing.
        served: The value served.
        differs: True where the two are not equal.
        at: The instant of the pair; empty where there is none.
        entity: Whose value it is, for what an earlier value of the same one is; empty where that is not known.
        slices: For the name of each column that describes a pair, its value.
        others: For the name of each other column of training with values of this form, its value.
        text: How each side's value reads as text, where the two are of different types; None otherwise.
        unreadable: True where a side has text that is not of the type; empty where that cannot be.
        delay: Seconds by which a column of the relation is behind; None where there is none.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str
    name: str
    form: Form
    trained: str
    served: str
    differs: str
    at: str = ""
    entity: str = ""
    slices: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)
    text: tuple[str, str] | None = None
    unreadable: str = ""
    delay: int | None = None

    def count(self, condition: str) -> int:
        """The pairs for which a condition holds."""
        return int(self.fetch(f"count(CASE WHEN {condition} THEN 1 END)")[0] or 0)

    def fetch(self, columns: str, where: str = "TRUE") -> tuple[Any, ...]:
        """One row of aggregates."""
        row = self.connection.execute(f"SELECT {columns} FROM {self.relation} WHERE {where}").fetchone()
        return row or ()

    def rows(self, columns: str, where: str, rest: str = "") -> list[tuple[Any, ...]]:
        """Rows of the relation."""
        return self.connection.execute(f"SELECT {columns} FROM {self.relation} WHERE {where} {rest}").fetchall()

    def draw_numbers(self, where: str) -> tuple[Floats, Floats]:
        """The numbers of a sample, the same on every run; NaN where one is missing."""
        columns = ", ".join(f"coalesce({side}, 'nan'::DOUBLE) AS {name}" for name, side in self.sides.items())
        order = f"ORDER BY hash({self.trained}, {self.served}), {self.trained}, {self.served} LIMIT {SAMPLE}"
        found = self.connection.execute(f"SELECT {columns} FROM {self.relation} WHERE {where} {order}").fetchnumpy()
        return np.asarray(found["trained"], dtype=np.float64), np.asarray(found["served"], dtype=np.float64)

    @property
    def sides(self) -> dict[str, str]:
        """Both sides by name."""
        return {"trained": self.trained, "served": self.served}


@dataclass(frozen=True, slots=True)
class Guess:
    """What may make pairs differ.

    Attributes:
        kind: The kind of cause.
        holds: SQL text that is True for the pairs that come out as they were served.
        says: The guess in one sentence.
        fix: What to change.
        parameters: What serving uses.
        bits: How much it takes to say.
    """

    kind: str
    holds: str
    says: str
    fix: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    bits: float = 8.0


def near(value: str, expected: str, *sizes: str) -> str:
    """SQL text that is True where two numbers agree but for rounding on the way.

    Args:
        value: The one number.
        expected: The other.
        sizes: Magnitudes of what they were computed from.
    """
    size = f"greatest({', '.join([f'abs({value})', f'abs({expected})', *sizes])})"
    return f"coalesce({value} = {expected} OR abs({value} - ({expected})) <= {NEAR!r}::DOUBLE * {size}, FALSE)"


def is_most(points: Bools, *, share: float = 0.05, fewest: int = 4) -> bool:
    """Whether enough of a sample agree for a guess to be worth counting."""
    return int(points.sum()) >= max(fewest, share * len(points))


def show(number: float) -> str:
    """A number in a sentence."""
    return f"{number:.12g}"
