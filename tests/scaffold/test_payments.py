"""The data of the new repo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from skewcheck.scaffold.payments import END, GUEST, SERVING, TRAINING, write_payments


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_payments(folder)
    return folder


def ask(data: Path, query: str) -> tuple[Any, ...]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for path in data.glob("*.parquet"):
            connection.execute(f"CREATE VIEW {path.stem} AS SELECT * FROM read_parquet('{path}')")
        row = connection.execute(query).fetchone()
        assert row is not None
        return row


def test_it_is_the_same_every_time(data: Path, tmp_path: Path) -> None:
    write_payments(tmp_path)
    for path in data.iterdir():
        assert pq.read_table(path).equals(pq.read_table(tmp_path / path.name))


def test_it_is_the_same_on_every_python(data: Path) -> None:
    """3.12 adds floats up more exactly than 3.11 does, unless asked with `math.fsum`."""
    query = "SELECT sum(md5_number_lower(CAST(row(mean_amount_30d) AS VARCHAR)))::VARCHAR FROM account_history"
    assert ask(data, query) == ("139092081103694135439623",)


def test_it_is_small(data: Path) -> None:
    assert sum(path.stat().st_size for path in data.iterdir()) < 500_000


def test_training_ends_where_serving_begins(data: Path) -> None:
    first, last = ask(data, "SELECT min(paid_at), max(paid_at) FROM payments")
    assert TRAINING <= first < last < SERVING
    first, last = ask(data, "SELECT min(paid_at), max(paid_at) FROM requests")
    assert SERVING <= first < last < END


def test_every_payment_has_its_own_id(data: Path) -> None:
    assert ask(
        data, "SELECT count(*) = count(DISTINCT payment_id) FROM (FROM payments UNION ALL BY NAME FROM requests)"
    )[0]


def test_an_account_has_one_row_for_every_day(data: Path) -> None:
    rows, distinct, accounts, days = ask(
        data,
        "SELECT count(*), count(DISTINCT (account_id, event_timestamp)), count(DISTINCT account_id), "
        "count(DISTINCT event_timestamp) FROM account_history",
    )
    assert rows == distinct == accounts * days
    assert ask(data, "SELECT min(created - event_timestamp) > INTERVAL 0 HOUR FROM account_history")[0]


def test_the_history_is_that_of_the_payments(data: Path) -> None:
    wrong, checked = ask(
        data,
        "SELECT count(*) FILTER (WHERE history.payments_30d <> (SELECT count(*) FROM payments WHERE "
        "payments.account_id = history.account_id AND paid_at >= history.event_timestamp - INTERVAL 30 DAY AND "
        "paid_at < history.event_timestamp)), count(*) FROM account_history AS history "
        "WHERE event_timestamp >= TIMESTAMPTZ '2025-01-31' AND event_timestamp < TIMESTAMPTZ '2025-03-01'",
    )
    assert checked > 6_000
    assert wrong == 0


def test_there_is_something_of_everything(data: Path) -> None:
    guests, checks, channels = ask(
        data,
        f"SELECT count(*) FILTER (WHERE account_id = '{GUEST}'), count(*) FILTER (WHERE amount = 0), "
        "count(DISTINCT channel) FROM requests",
    )
    assert guests > 5
    assert checks > 2
    assert channels == 3
    assert 0.02 < ask(data, "SELECT avg(CAST(disputed AS INTEGER)) FROM payments WHERE settled")[0] < 0.08
    assert ask(data, "SELECT count(*) FROM account_history WHERE mean_amount_30d IS NULL")[0] > 100
