"""The guard names every feature whose training values depend on what came after the request, and no other."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import LeakageError
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import read_state
from skewcheck.store.leakage import Guard, find_leaks, refuse_leaks
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import RetrievedRows, retrieve_training_set
from tests.shop import INSTANT, account_schema, at
from tests.store.conftest import leave_to_feast
from tests.windowed_shop import write_windowed_shop

TTL = timedelta(days=30)


def retrieve(shop: Repository, **options: Any) -> RetrievedRows:
    return retrieve_training_set(shop, shop.service("shop"), shop.root / "out.parquet", **options)


def guard(shop: Repository, training: RetrievedRows) -> Guard:
    state = read_state(generated_directory(shop.root, "shop") / "state.json")
    return find_leaks(shop, shop.service("shop"), state, training)


def leaking(found: Guard) -> dict[str, int]:
    return {leak.feature: leak.rows for leak in found.leaks}


def read_accounts(shop: Repository) -> list[dict[str, Any]]:
    return pq.read_table(shop.root / "data" / "account.parquet").to_pylist()


def write_accounts(shop: Repository, rows: Sequence[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(list(rows), account_schema()), shop.root / "data" / "account.parquet")


def known_orders(accounts: list[dict[str, Any]], customer: int | None, instant: datetime, *, created: bool) -> Any:
    """The orders of the latest row that had happened, and had been created where that counts."""
    counting = [
        row
        for row in accounts
        if row["customer_id"] == customer
        and instant - TTL <= row["event_timestamp"] <= instant
        and (not created or row["created"] <= instant)
    ]
    latest = max(counting, key=lambda row: (row["event_timestamp"], row["created"]), default=None)
    return None if latest is None else latest["orders"]


def change_payments(shop: Repository, change: Callable[[pa.Table], pa.Table]) -> None:
    path = shop.root / "data" / "payments.parquet"
    pq.write_table(change(pq.read_table(path)), path)


def test_rows_retrieved_as_known_do_not_leak_and_some_are_asked_again(shop: Repository) -> None:
    found = guard(shop, retrieve(shop))
    assert found.leaks == ()
    assert (found.compared, found.cut, found.instants, found.unchecked) == (0, 8, 8, ())
    refuse_leaks(found, retrieve(shop))


def test_rows_retrieved_by_event_time_alone_leak_in_as_many_rows_as_the_rule_says(shop: Repository) -> None:
    training = retrieve(shop, as_of="event")
    accounts = read_accounts(shop)
    rows = training.table.select(["customer_id", "event_timestamp"]).to_pylist()
    pairs = [
        [
            known_orders(accounts, row["customer_id"], row["event_timestamp"], created=created)
            for created in (True, False)
        ]
        for row in rows
    ]
    filled = [[-1 if value is None else value for value in pair] for pair in pairs]
    found = guard(shop, training)
    assert found.compared == training.read
    assert leaking(found)["orders_filled"] == sum(known != event for known, event in filled) > 0
    assert leaking(found)["many_orders"] == sum(
        (known is None, (known or 0) > 3) != (event is None, (event or 0) > 3) for known, event in pairs
    )
    assert set(leaking(found)) == {"spending", "tier_code", "many_orders", "orders_filled"}
    leak = next(leak for leak in found.leaks if leak.feature == "orders_filled")
    assert [leak.known, leak.trained] == filled[leak.row]
    assert leak.reads == ("orders of view account",)


def test_a_feature_that_keeps_its_value_does_not_leak_though_its_column_changes(shop: Repository) -> None:
    rows = [
        {"customer_id": customer, "event_timestamp": at(day), "created": at(day + 0.5), "balance": 1.0, "tier": "gold",
         "orders": 100 + day}
        for customer in range(13) for day in range(-1, 19)
    ]  # fmt: skip
    write_accounts(shop, rows)
    assert set(leaking(guard(shop, retrieve(shop, as_of="event")))) == {"orders_filled"}


def test_the_error_names_features_rows_and_what_to_do(shop: Repository) -> None:
    training = retrieve(shop, as_of="event", start="2024-03-01T02:00:00+00:00")
    found = guard(shop, training)
    with pytest.raises(LeakageError) as caught:
        refuse_leaks(found, training, "request_id")
    assert caught.value.exit_code == 1
    text = str(caught.value)
    assert "payments.parquet leak: 4 features change when rows of the store that happened, or became known" in text
    leak = found.leaks[0]
    row = training.table.column("request_id")[leak.row].as_py()
    assert f"spending: {leak.rows} rows, such as request_id {row}, where it is " in text
    assert "it reads balance of view account" in text
    assert "leave out --as-of event" in text
    with pytest.raises(LeakageError, match=f"such as row {2 + leak.row}, where"):
        refuse_leaks(found, training)


def test_a_column_that_the_rows_carry_is_refused_where_it_is_not_what_the_store_knew(shop: Repository) -> None:
    orders = retrieve(shop, end="2024-04-01").table.column("orders")
    change_payments(shop, lambda table: table.append_column("orders", orders))
    found = guard(shop, retrieve(shop))
    assert (found.compared, found.leaks) == (456, ())
    assert retrieve(shop).table.column("orders").equals(orders.slice(0, 456))

    accounts = read_accounts(shop)
    rows = retrieve(shop, end="2024-04-01").table
    later = [
        known_orders(accounts, row["customer_id"], row["event_timestamp"] + timedelta(hours=12), created=False)
        for row in rows.select(["customer_id", "event_timestamp"]).to_pylist()
    ]
    change_payments(shop, lambda table: table.drop_columns(["orders"]).append_column("Orders", pa.array(later)))
    training = retrieve(shop)
    found = guard(shop, training)
    filled = [
        [-1 if value is None else value for value in pair] for pair in zip(later, orders.to_pylist(), strict=True)
    ]
    assert leaking(found)["orders_filled"] == sum(one != other for one, other in filled[:456])
    assert set(leaking(found)) == {"many_orders", "orders_filled"}
    with pytest.raises(LeakageError, match="Leave the columns orders out of the training rows"):
        refuse_leaks(found, training)


def test_nan_in_a_column_that_the_rows_carry_is_missing(shop: Repository) -> None:
    balance = retrieve(shop, end="2024-04-01").table.column("balance")
    assert balance.null_count
    change_payments(shop, lambda table: table.append_column("balance", balance.fill_null(float("nan"))))
    assert guard(shop, retrieve(shop)).leaks == ()


def test_a_retrieval_that_reads_later_rows_is_caught_by_cutting_the_sources_alone(shop: Repository) -> None:
    """The values of the day after stand in the place of those that the retrieval found."""
    training = retrieve(shop)
    times = training.table.column("event_timestamp").to_pylist()
    later = pa.array([time + timedelta(days=4) for time in times], INSTANT)
    place = training.table.column_names.index("event_timestamp")
    moved = training.table.set_column(place, "event_timestamp", later)
    pq.write_table(moved, shop.root / "moved.parquet")
    values = retrieve(shop, entities="moved.parquet", end="2024-05-01").table.select(["balance", "tier", "orders"])
    table = training.table.select(training.table.column_names[:-3])
    for name in values.column_names:
        table = table.append_column(name, values.column(name))
    found = guard(shop, dataclasses.replace(training, table=table))
    assert (found.compared, found.cut) == (0, 8)
    assert "orders_filled" in leaking(found)


def test_a_view_that_feast_joins_is_refused_without_its_filter_on_creation(shop: Repository) -> None:
    expected = leaking(guard(shop, retrieve(shop, as_of="event")))
    leave_to_feast(shop.root)
    by_feast = load_repository(shop.root)
    found = guard(by_feast, retrieve(by_feast, as_of="event"))
    assert leaking(found) == expected
    found = guard(by_feast, retrieve(by_feast))
    assert (found.leaks, found.compared, found.cut, found.unchecked) == ((), 0, 0, ("account",))


def test_of_a_view_without_a_created_time_the_times_that_nobody_reads_are_told(shop: Repository) -> None:
    assert guard(shop, retrieve(shop)).blind == {}
    path = shop.root / "features" / "shop.py"
    path.write_text(path.read_text().replace(', created_timestamp_column="created"', ""))
    blind = load_repository(shop.root)
    found = guard(blind, retrieve(blind, as_of="event"))
    assert (found.leaks, found.blind) == ((), {"account": ("created",)})


def test_a_row_created_before_it_happened_counts_from_its_event_time_on(shop: Repository) -> None:
    write_accounts(
        shop, [{**row, "created": row["event_timestamp"] - timedelta(days=2)} for row in read_accounts(shop)]
    )
    assert guard(shop, retrieve(shop)).leaks == ()
    assert guard(shop, retrieve(shop, as_of="event")).leaks == ()


def test_rows_with_a_delay_do_not_leak(shop: Repository) -> None:
    delays = {"account": timedelta(hours=3)}
    assert guard(shop, retrieve(shop, delays=delays)).leaks == ()
    # By event time alone a row still comes an hour before it reaches serving.
    assert guard(shop, retrieve(shop, delays=delays, as_of="event")).leaks != ()


def test_rows_without_an_instant_or_a_key_are_no_obstacle(shop: Repository) -> None:
    def spoil(table: pa.Table) -> pa.Table:
        none = pa.nulls(table.num_rows, INSTANT)
        place = table.column_names.index("event_timestamp")
        return table.slice(0, 5).set_column(place, "event_timestamp", none.slice(0, 5))

    change_payments(shop, spoil)
    path = shop.root / "features" / "shop.py"
    path.write_text(path.read_text().replace(', end="2024-03-20"', ""))
    spoiled = load_repository(shop.root)
    training = retrieve(spoiled)
    assert training.table.num_rows == 5
    assert guard(spoiled, training) == Guard()


def test_few_rows_are_all_asked_again(shop: Repository) -> None:
    found = guard(shop, retrieve(shop, start="2024-03-05T00:00:00", end="2024-03-05T04:00:00"))
    assert (found.cut, found.instants) == (4, 4)


def test_sources_that_are_gone_are_named(shop: Repository, tmp_path: Path) -> None:
    training = retrieve(shop)
    (shop.root / "data" / "account.parquet").unlink()
    with pytest.raises(Exception, match=r"account\.parquet of view account"):
        guard(shop, training)


def test_windows_are_guarded_as_views_are(tmp_path: Path) -> None:
    shop = write_windowed_shop(tmp_path)
    service = shop.service("shop")
    training = retrieve_training_set(shop, service, tmp_path / "rows.parquet")
    state = fit(service, tmp_path / "rows.parquet")
    found = find_leaks(shop, service, state, training)
    assert (found.leaks, found.unchecked, found.blind) == ((), (), {})
    assert found.cut >= found.instants > 1
    by_event = retrieve_training_set(shop, service, tmp_path / "rows.parquet", as_of="event")
    found = find_leaks(shop, service, state, by_event)
    assert {"share_of_week", "latest"} <= set(leaking(found))
    # Without what was compared for all rows, the cut sources alone show it.
    pretended = dataclasses.replace(training, table=by_event.table)
    found = find_leaks(shop, service, state, pretended)
    assert (found.compared, bool(found.leaks)) == (0, True)
