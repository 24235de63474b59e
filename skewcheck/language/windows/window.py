"""One window: which events count at an instant. The rule is in the package's docstring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Closed = Literal["right", "left", "both", "neither"]
CLOSED = get_args(Closed)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of event times that ends at the instant.

    Attributes:
        length: In microseconds, None where it is unbounded.
        closed: Which of its edges belong to it.
    """

    length: int | None
    closed: Closed = "right"

    def counts(self, event: int, created: int, at: int) -> bool:
        """Whether an event counts at an instant; all in microseconds since 1970."""
        not_too_new = event <= at if self.closed in ("right", "both") else event < at
        if self.length is None:
            not_too_old = True
        else:
            not_too_old = event >= at - self.length if self.closed in ("left", "both") else event > at - self.length
        return not_too_new and not_too_old and created <= at

    @property
    def delay(self) -> int:
        """Microseconds from an event time to the first instant at which the event can count."""
        return int(self.closed in ("left", "neither"))

    @property
    def reach(self) -> int | None:
        """Microseconds from an event time to the first instant at which the event no longer counts."""
        return None if self.length is None else self.length + (self.closed in ("left", "both"))
