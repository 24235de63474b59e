"""The data of the new repo: ten weeks of a small payment processor, made up, and the same every time.

Three files, times in UTC: the payments of January and February 2025 with what became of them, the payments of the first
week of March as they arrive, and what each account had done up to every midnight.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SEED = 20250301
ACCOUNTS = 240
GUEST = "guest"

FIRST = datetime(2024, 12, 1, tzinfo=UTC)
"""The first payment that any history knows."""
TRAINING = datetime(2025, 1, 1, tzinfo=UTC)
SERVING = datetime(2025, 3, 1, tzinfo=UTC)
END = datetime(2025, 3, 8, tzinfo=UTC)
DAY = timedelta(days=1)
HISTORY = timedelta(days=30)
PUBLISHED = timedelta(hours=3)
"""How long after midnight the history of the day before is known."""

CATEGORIES = {"groceries": 30, "restaurants": 20, "fuel": 12, "clothing": 12, "electronics": 9, "travel": 8, "games": 5}
COUNTRIES = {"FR": 38, "DE": 24, "ES": 16, "IT": 12, "BE": 10}
CHANNELS = {"card": 45, "app": 35, "web": 20}
RISK = {"electronics": 1.2, "travel": 0.8, "games": 1.6}
HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 9, 9, 9, 10, 12, 11, 9, 9, 10, 12, 13, 12, 10, 7, 4, 2)

MOMENT = pa.timestamp("us", tz="UTC")
REQUEST_SCHEMA = pa.schema(
    {
        "payment_id": pa.string(),
        "account_id": pa.string(),
        "amount": pa.float64(),
        "channel": pa.string(),
        "merchant_category": pa.string(),
        "paid_at": MOMENT,
    }
)
PAYMENT_SCHEMA = pa.unify_schemas([REQUEST_SCHEMA, pa.schema({"settled": pa.bool_(), "disputed": pa.bool_()})])
HISTORY_SCHEMA = pa.schema(
    {
        "account_id": pa.string(),
        "event_timestamp": MOMENT,
        "created": MOMENT,
        "opened_at": MOMENT,
        "country": pa.string(),
        "payments_30d": pa.int64(),
        "mean_amount_30d": pa.float64(),
    }
)


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays: what they usually pay in euros, and how many payments they make a day."""

    name: str
    opened_at: datetime
    country: str
    usual: float
    daily: float


def write_payments(folder: Path) -> None:
    """Write `payments.parquet`, `requests.parquet` and `account_history.parquet` into a folder."""
    source = random.Random(SEED)  # noqa: S311 (an example's data, not a secret)
    accounts = [_open_account(source, number) for number in range(1, ACCOUNTS + 1)]
    guests = Account(GUEST, FIRST, "", 30.0, 4.0)
    made = {account.name: list(_pay(source, account)) for account in (*accounts, guests)}
    paid = sorted((row for rows in made.values() for row in rows), key=lambda row: (row["paid_at"], row["account_id"]))
    for number, row in enumerate(paid, start=1):
        row["payment_id"] = f"P{number:06}"
    known = [row for row in paid if TRAINING <= row["paid_at"] < SERVING]
    _write(folder / "payments.parquet", known, PAYMENT_SCHEMA)
    _write(folder / "requests.parquet", [row for row in paid if row["paid_at"] >= SERVING], REQUEST_SCHEMA)
    history = [row for account in accounts for row in _remember(account, made[account.name])]
    history.sort(key=lambda row: (row["event_timestamp"], row["account_id"]))
    _write(folder / "account_history.parquet", history, HISTORY_SCHEMA)


def _open_account(source: random.Random, number: int) -> Account:
    return Account(
        name=f"A{number:04}",
        opened_at=FIRST - timedelta(seconds=source.randrange(6 * 365 * 86400)),
        country=_choose(source, COUNTRIES),
        usual=math.exp(source.gauss(3.5, 0.8)),
        daily=0.05 + 0.6 * source.random() ** 2,
    )


def _pay(source: random.Random, account: Account) -> Iterable[dict[str, Any]]:
    """The payments of one account, day by day."""
    day = FIRST
    while day < END:
        chance = account.daily
        while source.random() < chance / (1 + chance):
            category = _choose(source, CATEGORIES)
            second = source.choices(range(24), HOURS)[0] * 3600 + source.randrange(3600)
            amount = round(account.usual * math.exp(source.gauss(0, 0.7)) * (9 if source.random() < 0.02 else 1), 2)
            surprise = math.log((amount + 1) / (account.usual + 1)) + RISK.get(category, 0)
            yield {
                "account_id": account.name,
                "amount": 0.0 if source.random() < 0.015 else amount,
                "channel": _choose(source, CHANNELS),
                "merchant_category": category,
                "paid_at": day + timedelta(seconds=second),
                "settled": source.random() > 0.03,
                "disputed": source.random() < 1 / (1 + math.exp(4.2 - surprise)),
            }
        day += DAY


def _remember(account: Account, payments: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """What is known of an account at every midnight from a day before the first training payment."""
    midnight = TRAINING - DAY
    while midnight < END:
        amounts = [row["amount"] for row in payments if midnight - HISTORY <= row["paid_at"] < midnight]
        yield {
            "account_id": account.name,
            "event_timestamp": midnight,
            "created": midnight + PUBLISHED,
            "opened_at": account.opened_at,
            "country": account.country,
            "payments_30d": len(amounts),
            "mean_amount_30d": round(math.fsum(amounts) / len(amounts), 2) if amounts else None,
        }
        midnight += DAY


def _choose(source: random.Random, weights: dict[str, int]) -> str:
    return source.choices(list(weights), list(weights.values()))[0]


def _write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema) -> None:
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
