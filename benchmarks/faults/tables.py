"""Two tables of purchases with windows over them, as training and as serving computed them, and what compare names.

Windows are written by hand with NumPy. An audit sees of a window only that its values differ; which window it is, two
tables with the events themselves tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from skewcheck.compare.comparing import compare_tables
from skewcheck.compare.findings import ColumnFinding, Findings
from skewcheck.compare.options import Options

BEGIN = 1_717_200_000
CUSTOMERS = 25
COUNTRIES = np.array(["FR", "DE", "IT", "ES"], dtype=object)
DAY = 86_400
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Purchases:
    """Purchases in the order of time, on full hours, each a row of both tables."""

    seconds: Array
    customers: Array
    amounts: Array
    countries: Array
    refunded: Array

    def __len__(self) -> int:
        return len(self.seconds)


@dataclass(frozen=True)
class Rolling:
    """A window as one side computes it.

    Attributes:
        function: "sum", "mean", "count" or "std".
        rows: Its length in rows; None where seconds limit it.
        seconds: Its length in seconds.
        with_own: Whether the row itself belongs to it.
        least: Values that it needs.
        decimals: To how many decimals the result is rounded; None for not at all.
        down: Whether it is rounded down.
        only: Which purchases count: all, those of one country, or those that were not given back.
        each: Whether every customer has a window of their own.
    """

    function: str = "sum"
    rows: int | None = None
    seconds: int | None = None
    with_own: bool = True
    least: int = 1
    decimals: int | None = None
    down: bool = False
    only: str = ""
    each: bool = False


@dataclass(frozen=True)
class TableFault:
    """What serving does otherwise than training, as changes of its window, and the kinds that these are."""

    name: str
    trained: Rolling
    changes: dict[str, Any]
    kinds: tuple[str, ...]

    @property
    def served(self) -> Rolling:
        """Serving's window."""
        return replace(self.trained, **self.changes)


SAMPLES = (0.1, 0.5, 1.0)
"""Shares of the rows of one country that training lacks."""

SEVEN, WEEK = Rolling(rows=7), Rolling("mean", seconds=7 * DAY, each=True)
TABLE_FAULTS: tuple[TableFault, ...] = (
    *(TableFault(f"{rows} rows for 7", SEVEN, {"rows": rows}, ("window",)) for rows in (6, 8, 30)),
    *(TableFault(f"{days} days for 7", WEEK, {"seconds": days * DAY}, ("window",)) for days in (1, 3, 14)),
    TableFault("count of 1 day for 7", Rolling("count", seconds=7 * DAY), {"seconds": DAY}, ("window",)),
    TableFault("without its own row", SEVEN, {"with_own": False}, ("window",)),
    TableFault("a week without its own row", WEEK, {"with_own": False}, ("window",)),
    TableFault("needs 7 values", SEVEN, {"least": 7}, ("window",)),
    TableFault("of all customers", WEEK, {"each": False}, ("window",)),
    TableFault("deviation of 8 rows for 12", Rolling("std", rows=12, least=2), {"rows": 8}, ("window",)),
    *(
        TableFault(f"{says}, {name}", replace(one, only=trained), {"only": served}, ("filter",))
        for name, one in (("7 rows", SEVEN), ("7 days", WEEK))
        for says, trained, served in (
            ("refunds count", "kept", ""),
            ("refunds left out", "", "kept"),
            ("one country alone", "", "FR"),
        )
    ),
)
"""One fault each."""

TABLE_PAIRS: tuple[TableFault, ...] = (
    TableFault("side and least count", SEVEN, {"with_own": False, "least": 7}, ("window", "window")),
    TableFault("length and rounding", replace(SEVEN, decimals=1), {"rows": 14, "decimals": 0}, ("window", "rounding")),
    TableFault(
        "side and rounding", replace(WEEK, decimals=2), {"with_own": False, "down": True}, ("window", "rounding")
    ),
    TableFault(
        "filter and rounding",
        replace(SEVEN, decimals=1, only="kept"),
        {"only": "", "decimals": 0},
        ("filter", "rounding"),
    ),
    TableFault("filter and length", SEVEN, {"only": "kept", "rows": 5}, ("filter", "window")),
)
"""Two faults each."""

THREE = TableFault(
    "window side, least count, and rounding down",
    replace(SEVEN, decimals=2),
    {"with_own": False, "least": 7, "decimals": 0, "down": True},
    ("window", "window", "rounding"),
)
"""Three faults at once: `rolling(7, min_periods=1).round(2)` against `rolling(7, closed="left")` and a floor."""


def make_purchases(rows: int, seed: int) -> Purchases:
    """Purchases of some months."""
    random = np.random.default_rng(seed)
    return Purchases(
        BEGIN + np.cumsum(random.integers(1, 5, rows)) * 3600,
        random.integers(0, CUSTOMERS, rows),
        np.round(random.gamma(2.0, 30.0, rows), 2),
        COUNTRIES[np.minimum((random.random(rows) ** 2 * 4).astype(int), 3)],
        random.random(rows) < 0.15,
    )


def roll(purchases: Purchases, window: Rolling) -> list[float | None]:
    """The window of every row, one after the other."""
    counted = np.ones(len(purchases), dtype=bool)
    if window.only == "kept":
        counted = ~purchases.refunded
    elif window.only:
        counted = purchases.countries == window.only
    found: list[float | None] = [None] * len(purchases)
    groups = purchases.customers if window.each else np.zeros(len(purchases), dtype=int)
    for group in np.unique(groups):
        places = np.flatnonzero(groups == group)
        times, amounts, counts = purchases.seconds[places], purchases.amounts[places], counted[places]
        for number, place in enumerate(places.tolist()):
            end = number + 1 if window.with_own else number
            if window.rows is not None:
                begin = max(0, end - window.rows)
            else:
                begin = int(np.searchsorted(times, times[number] - (window.seconds or 0), side="right"))
            found[place] = _aggregate(amounts[begin:end][counts[begin:end]], window)
    return found


def _aggregate(values: Array, window: Rolling) -> float | None:
    if window.function == "count":
        return float(len(values))
    if len(values) < window.least or not len(values):
        return None
    if window.function == "std":
        result = float(np.std(values, ddof=1))
    else:
        result = float(values.sum() if window.function == "sum" else values.mean())
    if window.decimals is None:
        return result
    power = 10.0**window.decimals
    scaled = result * power
    return float((np.floor(scaled + 1e-9) if window.down else np.floor(scaled + 0.5)) / power)


def compare_windows(fault: TableFault, rows: int, seed: int) -> tuple[int, ColumnFinding | None]:
    """How many values a fault changes, and what is found about them; None where nothing differs."""
    purchases = make_purchases(rows, seed)
    trained, served = roll(purchases, fault.trained), roll(purchases, fault.served)
    findings = compare_tables(
        _tabulate(purchases, trained),
        _tabulate(purchases, served),
        on=["id"],
        options=Options(at="at", by=["customer"]),
    )
    touched = sum(one != other for one, other in zip(trained, served, strict=True))
    return touched, next(iter(findings.differing), None)


def compare_sample(rows: int, seed: int, dropped: float) -> tuple[int, Findings]:
    """How many rows training lacks, all of one country, and what is found."""
    purchases = make_purchases(rows, seed)
    random = np.random.default_rng(seed)
    kept = ~((purchases.countries == "IT") & (random.random(rows) < dropped))
    table = _tabulate(purchases, roll(purchases, SEVEN))
    trained = table.filter(pa.array(kept))
    return int((~kept).sum()), compare_tables(trained, table, on=["id"], options=Options(distributions=True))


def _tabulate(purchases: Purchases, values: Sequence[float | None]) -> pa.Table:
    return pa.table(
        {
            "id": pa.array(range(len(purchases)), pa.int64()),
            "at": pa.array(purchases.seconds * 1_000_000, pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "customer": pa.array(purchases.customers, pa.int64()),
            "amount": pa.array(purchases.amounts),
            "country": pa.array(purchases.countries, pa.string()),
            "refunded": pa.array(purchases.refunded),
            "spent": pa.array(values, pa.float64()),
        }
    )
