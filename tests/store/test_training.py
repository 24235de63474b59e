"""The training set: declared rows in their order, the store's values as they were at the time, nothing lost."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import UsageError
from skewcheck.store.repository import Repository
from skewcheck.store.training import retrieve_training_set
from tests.shop import at, payments


def retrieve(shop: Repository, out: Path, **options: str) -> tuple[pa.Table, dict[str, str]]:
    rows = retrieve_training_set(shop, shop.service("shop"), out, **options)
    return pq.read_table(out), rows.sources


def test_rows_keep_their_order_and_labels_and_gain_the_store_s_columns(shop: Repository, tmp_path: Path) -> None:
    rows, _ = retrieve(shop, tmp_path / "out.parquet")
    declared = payments(480).slice(0, 19 * 24)
    assert rows.column("request_id").to_pylist() == declared.column("request_id").to_pylist()
    assert {"refunded", "balance", "tier", "orders"} <= set(rows.column_names)
    assert rows.schema.field("orders").type == pa.int64()


def test_training_rows_whose_name_looks_like_a_pattern_are_that_file_alone(shop: Repository, tmp_path: Path) -> None:
    data = shop.root / "data"
    pq.write_table(payments(5), data / "rows[1].parquet")
    pq.write_table(payments(7), data / "rows1.parquet")
    rows, _ = retrieve(shop, tmp_path / "out.parquet", entities="data/rows[1].parquet")
    assert rows.num_rows == 5


def test_the_span_ends_before_its_end(shop: Repository, tmp_path: Path) -> None:
    rows, _ = retrieve(shop, tmp_path / "out.parquet", start="2024-03-03", end="2024-03-05")
    times = rows.column("event_timestamp").to_pylist()
    assert (times[0], times[-1]) == (at(2), at(4 - 1 / 24))


def test_fingerprints_do_not_depend_on_the_order_of_rows(shop: Repository, tmp_path: Path) -> None:
    _, before = retrieve(shop, tmp_path / "out.parquet")
    path = shop.root / "data" / "payments.parquet"
    table = pq.read_table(path)
    pq.write_table(table.take(list(reversed(range(table.num_rows)))), path)
    assert retrieve(shop, tmp_path / "out.parquet")[1] == before


def test_a_changed_value_moves_the_fingerprint_of_its_source_alone(shop: Repository, tmp_path: Path) -> None:
    _, before = retrieve(shop, tmp_path / "out.parquet")
    path = shop.root / "data" / "account.parquet"
    table = pq.read_table(path)
    balances = [None if value is None else value + 1 for value in table.column("balance").to_pylist()]
    pq.write_table(table.set_column(table.column_names.index("balance"), "balance", pa.array(balances)), path)
    after = retrieve(shop, tmp_path / "out.parquet")[1]
    assert {name for name in before if before[name] != after[name]} == {"account"}


def test_absent_training_rows_are_named(shop: Repository, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere\.parquet are not there"):
        retrieve(shop, tmp_path / "out.parquet", entities="data/nowhere.parquet")


def test_a_column_that_training_rows_lack_is_named(shop: Repository, tmp_path: Path) -> None:
    path = shop.root / "data" / "payments.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["country"]), path)
    with pytest.raises(UsageError, match="lack the columns country"):
        retrieve(shop, tmp_path / "out.parquet")


def test_a_file_that_is_not_parquet_is_named(shop: Repository, tmp_path: Path) -> None:
    (shop.root / "data" / "payments.parquet").write_bytes(b"id,amount\n")
    with pytest.raises(UsageError, match=r"payments\.parquet cannot be read"):
        retrieve(shop, tmp_path / "out.parquet")
