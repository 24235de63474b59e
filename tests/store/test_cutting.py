"""Cut sources end at an instant, in event time as in creation, and have the keys of some requests alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.store.cutting import NarrowSources, find_origin, narrow_sources
from skewcheck.store.repository import Repository
from skewcheck.store.source_files import can_join
from tests.shop import START, account_schema, at
from tests.windowed_shop import write_windowed_shop

HOUR = timedelta(hours=1)


def write_accounts(shop: Repository, rows: list[tuple[int, Any, Any]]) -> None:
    names = ("customer_id", "event_timestamp", "created")
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], account_schema())
    pq.write_table(table, shop.root / "data" / "account.parquet")


def read_rows(sources: NarrowSources, microsecond: int) -> set[tuple[Any, ...]]:
    """The rows that are left of the shop's account view."""
    cut = sources.cut(round(START.timestamp()) * 1_000_000 + microsecond)
    rows = pq.read_table(cut.sources.views[0].batch_source.path).to_pylist()
    return {(row["customer_id"], row["event_timestamp"], row["created"]) for row in rows}


def test_rows_that_happened_or_were_created_after_the_instant_are_gone(shop: Repository) -> None:
    before, step = at(0), timedelta(microseconds=1)
    kept = [
        (1, before, before),
        (1, before - HOUR, before),
        (1, before, before - HOUR),
        (1, None, before),
        (1, before, None),
    ]
    gone = [(1, before + step, before), (1, before, before + step), (1, None, before + step), (1, before + HOUR, None)]
    write_accounts(shop, kept + gone)
    service = shop.service("shop")
    asked = pa.table({"customer_id": [1]})
    with narrow_sources(shop, service, service.sources.views, asked) as sources:
        assert sources.rows == len(kept) + len(gone)
        assert read_rows(sources, 0) == set(kept)
        assert read_rows(sources, 3_600_000_000) == {*kept, *gone}
        assert read_rows(sources, -1) == set()
    assert not sources.folder.exists()


def test_only_keys_that_were_asked_for_are_left_and_the_files_are_untouched(shop: Repository) -> None:
    path = shop.root / "data" / "account.parquet"
    before = path.read_bytes()
    service = shop.service("shop")
    asked = pa.table({"customer_id": [3, None, 77]})
    with narrow_sources(shop, service, service.sources.views, asked) as sources:
        assert {row[0] for row in read_rows(sources, 10**15)} == {3}
        assert sources.rows == 8
        assert all(can_join(view, shop) for view in sources.service.sources.views)
    assert path.read_bytes() == before
    assert service.sources.views[0].batch_source.path == "data/account.parquet"


def test_windows_have_their_events_cut(tmp_path: Path) -> None:
    shop = write_windowed_shop(tmp_path)
    service = shop.service("shop")
    (view,) = service.sources.views
    instant = round((START + timedelta(days=3)).timestamp()) * 1_000_000
    with narrow_sources(shop, service, [view], pa.table({"customer_id": [2, 3]})) as sources:
        origin = find_origin(sources.cut(instant), view)
        left = pq.read_table(origin.batch_source.path).to_pylist()
    assert {row["customer_id"] for row in left} == {2, 3}
    assert max(max(row["paid_at"], row["created"]) for row in left) <= START + timedelta(days=3)
    assert find_origin(service, view).batch_source.path == "data/paid/*.parquet"
