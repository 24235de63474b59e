"""What comparing the values of two versions of a feature gives (room: changes)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from skewcheck.diff_verdict import Witness

OUT_OF_TIME = "the time that was allowed ran out before it was tested"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What comparing two versions of a feature's values gave.

    Attributes:
        outcome: "same" (nothing that could matter was edited), "proved", "tested", "differs" or "unknown".
        reason: Why, where that is not plain.
        cause: For "differs" what differs: the "declaration" or the "statistics".
        witness: For "differs" the smallest row that shows it.
        rows: For "tested" how many rows were run.
        unfitted: The new version has no statistics that belong to it.
    """

    outcome: Literal["same", "proved", "tested", "differs", "unknown"]
    reason: str | None = None
    cause: str = "declaration"
    witness: Witness | None = None
    rows: int = 0
    unfitted: bool = False
