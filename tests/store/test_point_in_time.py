"""The store's values at an instant: the latest row of the key that was known then, in the order of the requests."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.store.point_in_time import open_retrieval, retrieve
from skewcheck.store.repository import Repository, load_repository
from tests.shop import INSTANT, account_schema, at, write_shop
from tests.store.conftest import leave_to_feast

NAMES = ("balance", "tier", "orders")
TTL = timedelta(days=30)


def table_of(requests: Sequence[tuple[int | None, datetime | None]]) -> pa.Table:
    return pa.table(
        {
            "customer_id": pa.array([key for key, _ in requests], pa.int64()),
            "asked_at": pa.array([instant for _, instant in requests], INSTANT),
        }
    )


def ask(shop: Repository, requests: Sequence[tuple[int | None, datetime]]) -> list[tuple[Any, ...]]:
    entities = table_of(requests)
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


def test_a_view_that_is_left_to_feast_gives_the_same_values(tmp_path: Path) -> None:
    source = random.Random(8)
    requests = [(source.choice([*range(14), None]), at(source.uniform(-1, 70))) for _ in range(100)]
    write_shop(tmp_path)
    here = ask(load_repository(tmp_path), requests)
    leave_to_feast(tmp_path)
    assert ask(load_repository(tmp_path), requests) == here


def test_a_row_counts_from_its_event_time_on_where_that_is_asked_for_whoever_joins(tmp_path: Path) -> None:
    requests = table_of([(1, at(4 + 1 / 24) + timedelta(minutes=minute)) for minute in (-1, 1, 59, 61)])
    write_shop(tmp_path)
    for join_by_feast in (False, True):
        if join_by_feast:
            leave_to_feast(tmp_path)
        shop = load_repository(tmp_path)
        for as_of, orders in (("known", [1, 1, 1, 2]), ("event", [1, 2, 2, 2])):
            columns = {"account": ["orders"]}
            values, _ = retrieve(shop, shop.service("shop"), columns, requests, "asked_at", as_of=as_of)
            assert values.column("orders").to_pylist() == orders


@pytest.mark.parametrize("by_feast", [False, True])
def test_a_delay_shifts_what_is_known_whoever_joins(tmp_path: Path, by_feast: bool) -> None:
    write_shop(tmp_path)
    if by_feast:
        leave_to_feast(tmp_path)
    shop = load_repository(tmp_path)
    requests = [(key, at(day)) for key in range(12) for day in range(0, 60, 3)]
    entities = table_of([(key, instant + timedelta(hours=2)) for key, instant in requests])
    columns = {"account": NAMES}
    values, _ = retrieve(
        shop, shop.service("shop"), columns, entities, "asked_at", delays={"account": timedelta(hours=2)}
    )
    assert [tuple(row.values()) for row in values.to_pylist()] == ask(shop, requests)


@pytest.mark.parametrize(
    ("name", "hours", "message"),
    [("acount", 2, "no view acount[^→]*→ Name one of account"), ("account", -2, "delay of view account is negative")],
)
def test_a_delay_that_nothing_would_obey_is_refused(tmp_path: Path, name: str, hours: int, message: str) -> None:
    write_shop(tmp_path)
    shop = load_repository(tmp_path)
    delays = {name: timedelta(hours=hours)}
    with pytest.raises(UsageError, match=message):
        retrieve(shop, shop.service("shop"), {"account": NAMES}, table_of([(1, at(1))]), "asked_at", delays=delays)


def test_a_request_without_an_instant_is_not_found(shop: Repository) -> None:
    entities = table_of([(1, at(10)), (1, None)])
    values, found = retrieve(shop, shop.service("shop"), {"account": NAMES}, entities, "asked_at")
    assert found.to_pylist() == [True, False]
    assert values.to_pylist()[1] == dict.fromkeys(NAMES)


def test_a_key_that_is_missing_in_every_request_matches_nothing(shop: Repository) -> None:
    entities = table_of([(None, at(10))]).set_column(0, "customer_id", pa.nulls(1))
    values, found = retrieve(shop, shop.service("shop"), {"account": NAMES}, entities, "asked_at")
    assert (values.to_pylist(), found.to_pylist()) == ([dict.fromkeys(NAMES)], [True])


@pytest.mark.parametrize("keep", [False, True])
def test_a_retrieval_may_be_asked_many_times(shop: Repository, keep: bool) -> None:
    requests = [(key, at(day)) for key in range(12) for day in (3, 30)]
    with open_retrieval(shop, shop.service("shop"), {"account": NAMES}, keep=keep) as retrieval:
        parts = [retrieval.ask(table_of(requests[start : start + 5]), "asked_at")[0] for start in range(0, 24, 5)]
    assert [tuple(row.values()) for row in pa.concat_tables(parts).to_pylist()] == ask(shop, requests)


def test_the_connection_that_a_retrieval_may_use_keeps_its_own_time_zone(shop: Repository) -> None:
    path = shop.root / "data" / "account.parquet"
    account = pq.read_table(path)
    text = [instant.strftime("%Y-%m-%d %H:%M:%S") for instant in account.column("event_timestamp").to_pylist()]
    requests = [(key, at(day)) for key in range(12) for day in (3, 30)]
    before = ask(shop, requests)
    pq.write_table(account.set_column(1, "event_timestamp", pa.array(text)), path)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        columns = {"account": NAMES}
        with open_retrieval(shop, shop.service("shop"), columns, connection=connection) as retrieval:
            values, _ = retrieval.ask(table_of(requests), "asked_at")
        assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("America/New_York",)
    assert [tuple(row.values()) for row in values.to_pylist()] == before
