"""The training set: declared rows in their order, the store's values as they were at the time, nothing lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.store.repository import Repository, load_repository
from skewcheck.store.training import retrieve_training_set
from tests.shop import INSTANT, at, payments


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


# Labels and when they were known.


def add_known_at(shop: Repository, hours: list[int | None]) -> Repository:
    """Give each payment the hours after which its label was known, in turns, and declare that column."""
    path = shop.root / "data" / "payments.parquet"
    table = pq.read_table(path)
    after = [hours[place % len(hours)] for place in range(table.num_rows)]
    known = [
        None if wait is None else time + timedelta(hours=wait)
        for time, wait in zip(table.column("event_timestamp").to_pylist(), after, strict=True)
    ]
    pq.write_table(table.append_column("settled_at", pa.array(known, INSTANT)), path)
    declaration = shop.root / "features" / "shop.py"
    declaration.write_text(
        declaration.read_text().replace('end="2024-03-20"', 'end="2024-03-20", labels_known_at="settled_at"')
    )
    return load_repository(shop.root)


def test_labels_not_known_at_the_cut_are_left_out_and_counted(shop: Repository, tmp_path: Path) -> None:
    late = add_known_at(shop, [1, 30 * 24, None])
    cut = at(10)
    rows = retrieve_training_set(late, late.service("shop"), tmp_path / "out.parquet", known_by=cut.isoformat())
    expected = [
        row["request_id"]
        for row in pq.read_table(shop.root / "data" / "payments.parquet").to_pylist()
        if row["event_timestamp"] < at(19) and row["settled_at"] is not None and row["settled_at"] <= cut
    ]
    assert rows.table.column("request_id").to_pylist() == expected
    assert (rows.read, rows.immature) == (456, 456 - len(expected))
    assert [rows.places[place].as_py() for place in (0, 1)] == [0, 3]


def test_a_label_known_at_the_very_cut_is_known(shop: Repository, tmp_path: Path) -> None:
    late = add_known_at(shop, [0])
    rows = retrieve_training_set(late, late.service("shop"), tmp_path / "out.parquet", known_by="2024-03-03")
    assert rows.table.column("event_timestamp")[-1].as_py() == at(2)


def test_without_a_cut_what_is_known_now_counts(shop: Repository, tmp_path: Path) -> None:
    late = add_known_at(shop, [1, None, 24 * 366 * 1000])
    rows = retrieve_training_set(late, late.service("shop"), tmp_path / "out.parquet")
    assert rows.immature == 456 * 2 // 3
    assert rows.known_by is not None


def test_a_cut_that_chooses_nothing_is_refused(shop: Repository, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--known-by chooses no rows[^→]*→ Name the column"):
        retrieve(shop, tmp_path / "out.parquet", known_by="2024-03-03")


def test_a_declared_time_of_labels_that_is_no_time_is_named(shop: Repository, tmp_path: Path) -> None:
    late = add_known_at(shop, [1])
    path = shop.root / "data" / "payments.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["settled_at"]), path)
    with pytest.raises(UsageError, match="have no time column 'settled_at'"):
        retrieve(late, tmp_path / "out.parquet")


@pytest.mark.parametrize("option", ["start", "end", "known_by"])
def test_an_option_that_is_no_date_is_named(shop: Repository, tmp_path: Path, option: str) -> None:
    late = add_known_at(shop, [1])
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')} yesterday: expected a date"):
        retrieve(late, tmp_path / "out.parquet", **{option: "yesterday"})


def test_a_label_that_only_an_encoding_names_must_be_there(shop: Repository, tmp_path: Path) -> None:
    declaration = shop.root / "features" / "shop.py"
    text = declaration.read_text().replace("dtype=Bool)]", 'dtype=Bool), Field(name="cost", dtype=Float64)]')
    declaration.write_text(
        text + '\n\n@shop.feature\ndef country_cost(country):\n    return country.target_encode("cost")\n'
    )
    encoded = load_repository(shop.root)
    with pytest.raises(UsageError, match="lack the columns cost"):
        retrieve(encoded, tmp_path / "out.parquet")


# Types.


def test_columns_have_their_declared_types_and_times_are_microseconds_in_utc(shop: Repository, tmp_path: Path) -> None:
    path = shop.root / "data" / "payments.parquet"
    table = pq.read_table(path).append_column("noted", pa.array([at(1).replace(tzinfo=None)] * 480, pa.timestamp("ms")))
    for name, type_ in (
        ("event_timestamp", pa.timestamp("ns")),
        ("paid_at", pa.timestamp("s")),
        ("amount", pa.float32()),
    ):
        values = table.column(name).cast(pa.timestamp("us")) if pa.types.is_timestamp(type_) else table.column(name)
        table = table.set_column(table.column_names.index(name), name, values.cast(type_, safe=False))
    pq.write_table(table, path)
    rows, _ = retrieve(shop, tmp_path / "out.parquet")
    for name in ("event_timestamp", "paid_at", "noted"):
        assert rows.schema.field(name).type == INSTANT
    assert rows.schema.field("amount").type == pa.float64()
    assert rows.column("event_timestamp").to_pylist() == [at(place / 24) for place in range(456)]


def test_whole_numbers_that_pandas_made_floats_are_whole_again(shop: Repository, tmp_path: Path) -> None:
    declaration = shop.root / "features" / "shop.py"
    declaration.write_text(
        declaration.read_text().replace('name="amount", dtype=Float64', 'name="amount", dtype=Int64')
    )
    whole = load_repository(shop.root)
    path = shop.root / "data" / "payments.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("amount")
    pq.write_table(table.set_column(place, "amount", table.column("amount").fill_null(float("nan"))), path)
    rows, _ = retrieve(whole, tmp_path / "out.parquet")
    assert rows.schema.field("amount").type == pa.int64()
    assert rows.column("amount").to_pylist()[:2] == [None, 37]
    pq.write_table(table.set_column(place, "amount", pa.array([0.5] * 480)), path)
    with pytest.raises(SkewcheckError, match=r"column amount of the training rows .*payments\.parquet does not fit"):
        retrieve(whole, tmp_path / "out.parquet")


def test_a_time_of_requests_that_is_a_number_is_refused(shop: Repository, tmp_path: Path) -> None:
    path = shop.root / "data" / "payments.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("event_timestamp")
    seconds = table.column("event_timestamp").cast(pa.int64())
    pq.write_table(table.set_column(place, "event_timestamp", seconds), path)
    with pytest.raises(
        UsageError, match=r"'event_timestamp' of the training rows is BIGINT[^→]*→ Write it as timestamp"
    ):
        retrieve(shop, tmp_path / "out.parquet")


def test_columns_of_the_store_that_the_rows_have_already_are_read_anew(shop: Repository, tmp_path: Path) -> None:
    before, _ = retrieve(shop, tmp_path / "out.parquet")
    path = shop.root / "data" / "payments.parquet"
    pq.write_table(pq.read_table(path).append_column("Balance", pa.array([7] * 480)), path)
    rows = retrieve_training_set(shop, shop.service("shop"), tmp_path / "out.parquet")
    assert rows.table.equals(before)
    assert rows.given.to_pydict() == {"balance": [7] * 456}
