"""The store's values at an instant: the latest row of the key that was known then, in the order of the requests."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import SkewcheckError
from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository, load_repository
from tests.shop import INSTANT, account_schema, at, write_shop

NAMES = ("balance", "tier", "orders")
TTL = timedelta(days=30)


def ask(shop: Repository, requests: list[tuple[int | None, datetime]]) -> list[tuple[Any, ...]]:
    entities = pa.table(
        {
            "customer_id": pa.array([key for key, _ in requests], pa.int64()),
            "asked_at": pa.array([instant for _, instant in requests], INSTANT),
        }
    )
    values, found = retrieve(shop, shop.service("shop"), {"account": NAMES}, entities, "asked_at")
    assert found.to_pylist() == [True] * len(requests)
    return [tuple(row[name] for name in NAMES) for row in values.to_pylist()]


def expected(shop: Repository, key: int | None, instant: datetime) -> tuple[Any, ...]:
    rows = [
        row
        for row in pq.read_table(shop.root / "data" / "account.parquet").to_pylist()
        if row["customer_id"] == key
        and row["created"] <= instant
        and instant - TTL <= row["event_timestamp"] <= instant
    ]
    latest = max(rows, key=lambda row: (row["event_timestamp"], row["created"]), default=None)
    return tuple(None if latest is None else latest[name] for name in NAMES)


def test_every_request_gets_its_own_key_s_latest_known_row(shop: Repository) -> None:
    source = random.Random(7)
    requests = [(source.choice([*range(14), None]), at(source.uniform(-1, 70))) for _ in range(300)]
    assert ask(shop, requests) == [expected(shop, key, instant) for key, instant in requests]


def test_two_keys_at_one_instant_get_different_rows(shop: Repository) -> None:
    first, second = ask(shop, [(1, at(10)), (2, at(10))])
    assert first != second


def test_a_row_that_was_not_yet_known_is_not_read(shop: Repository) -> None:
    observed = at(4 + 1 / 24)
    before, after = ask(shop, [(1, observed + timedelta(minutes=59)), (1, observed + timedelta(minutes=61))])
    assert (before[2], after[2]) == (1, 2)


def test_requests_with_the_same_key_and_instant_each_get_a_row(shop: Repository) -> None:
    assert len(set(ask(shop, [(3, at(9))] * 5))) == 1


def test_whole_numbers_beside_missing_ones_stay_exact(shop: Repository) -> None:
    rows = [
        {
            "customer_id": 1,
            "event_timestamp": at(0),
            "created": at(0),
            "balance": 0.1,
            "tier": "x",
            "orders": 2**53 + 1,
        }
    ]
    pq.write_table(pa.Table.from_pylist(rows, account_schema()), shop.root / "data" / "account.parquet")
    assert ask(shop, [(1, at(1)), (2, at(1))]) == [(0.1, "x", 2**53 + 1), (None, None, None)]


def test_a_missing_key_beside_large_ones_does_not_blur_them(tmp_path: Path) -> None:
    write_shop(tmp_path)
    path = tmp_path / "data" / "account.parquet"
    account = pq.read_table(path)
    large = pa.array([2**53 + key for key in account.column("customer_id").to_pylist()])
    pq.write_table(account.set_column(0, "customer_id", large), path)
    repository = load_repository(tmp_path)
    requests = [(2**53 + key, at(20)) for key in range(12)] + [(None, at(20))]
    assert ask(repository, requests) == [expected(repository, key, instant) for key, instant in requests]


def test_nothing_asked_is_nothing_returned(shop: Repository) -> None:
    assert ask(shop, []) == []


def test_the_registry_and_the_online_store_of_the_repository_are_not_touched(shop: Repository) -> None:
    before = sorted(path.name for path in (shop.root / "data").iterdir())
    ask(shop, [(1, at(10))])
    assert sorted(path.name for path in (shop.root / "data").iterdir()) == before


def test_a_missing_key_is_named(shop: Repository) -> None:
    entities = pa.table({"asked_at": pa.array([at(1)], INSTANT)})
    with pytest.raises(SkewcheckError, match="customer_id"):
        retrieve(shop, shop.service("shop"), {"account": NAMES}, entities, "asked_at")


def test_a_source_that_is_not_there_is_an_error_that_says_where_to_look(shop: Repository) -> None:
    (shop.root / "data" / "account.parquet").unlink()
    with pytest.raises(SkewcheckError, match="offline store could not be read"):
        ask(shop, [(1, at(1))])
