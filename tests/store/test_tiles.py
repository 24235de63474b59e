"""Tiles on disk: the same values, and a backfill that computes only what has changed."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skewcheck.engines.session import open_session
from skewcheck.engines.windows.query import AHEAD
from skewcheck.errors import SkewcheckError
from skewcheck.language.windows.durations import UNITS
from skewcheck.store.materialising import compute_values
from skewcheck.store.repository import Repository, load_repository
from skewcheck.store.tiles import Tiles, backfill, tiles_folder
from tests.windowed_shop import (
    START,
    day_file,
    expected_values,
    microseconds,
    payments_of,
    windows_of,
    write_day,
    write_windowed_shop,
)

DAYS = 12


@pytest.fixture
def shop(tmp_path: Path) -> Repository:
    return write_windowed_shop(tmp_path / "shop", DAYS)


def run_backfill(repository: Repository, length: str = "1d") -> Tiles:
    with open_session() as connection:
        return backfill(connection, repository, windows_of(repository), length=length)


def days_of(tiles: Tiles) -> list[int]:
    """The days that a backfill computed, counted from the first."""
    first = (microseconds(START) + AHEAD) // UNITS["d"]
    return [period - first for period in tiles.computed]


def check_values(repository: Repository, at: datetime, tile: str = "1d") -> None:
    windows = windows_of(repository)
    (table,) = compute_values(repository, windows, at, tile=tile)
    customers = table["customer_id"].to_pylist()
    expected = expected_values(repository.root, windows, [(customer, at) for customer in customers])
    names = [feature.name for feature in windows.features]
    assert table.select(names).to_pylist() == expected


@pytest.mark.parametrize("tile", ["1h", "7h", "1d", "5d"])
@pytest.mark.parametrize("hours", [0, 30, 200, 24 * DAYS + 100])
def test_values_from_tiles_are_what_the_rule_says(shop: Repository, tile: str, hours: int) -> None:
    check_values(shop, START + timedelta(hours=hours, microseconds=1), tile)


def test_a_second_backfill_computes_nothing(shop: Repository) -> None:
    first = run_backfill(shop)
    assert (days_of(first), first.kept) == (list(range(DAYS)), 0)
    second = run_backfill(shop)
    assert (days_of(second), second.kept) == ([], DAYS)


def test_a_new_day_is_all_that_is_computed(shop: Repository) -> None:
    run_backfill(shop)
    written = {path: path.stat().st_mtime_ns for path in tiles_folder(shop, windows_of(shop)).glob("*.parquet")}
    write_day(shop.root, DAYS, payments_of(DAYS))
    assert days_of(run_backfill(shop)) == [DAYS]
    assert {path: path.stat().st_mtime_ns for path in written} == written
    check_values(shop, START + timedelta(days=DAYS + 1))


def test_a_late_event_moves_its_own_day(shop: Repository) -> None:
    run_backfill(shop)
    late = {"customer_id": 3, "paid_at": START + timedelta(days=4), "created": START + timedelta(days=11)}
    write_day(shop.root, 99, [{**late, "paid": 7.25, "country": "IT"}])
    assert days_of(run_backfill(shop)) == [4]
    check_values(shop, START + timedelta(days=10))
    check_values(shop, START + timedelta(days=11))


@pytest.mark.parametrize("change", [{"paid": 0.5}, {"created": START + timedelta(days=9)}, {"country": "ES"}])
def test_a_correction_moves_its_own_day(shop: Repository, change: dict[str, Any]) -> None:
    run_backfill(shop)
    first, *others = payments_of(5)
    write_day(shop.root, 5, [{**first, **change}, *others])
    assert days_of(run_backfill(shop)) == [5]
    check_values(shop, START + timedelta(days=9))


def test_a_day_without_events_has_no_tiles_left(shop: Repository) -> None:
    run_backfill(shop)
    day_file(shop.root, 2).unlink()
    assert run_backfill(shop).computed == ()
    assert len(list(tiles_folder(shop, windows_of(shop)).glob("*.parquet"))) == DAYS - 1
    check_values(shop, START + timedelta(days=6))


def test_numbers_that_no_tile_can_hold_have_all_computed_anew(shop: Repository) -> None:
    run_backfill(shop)
    first, *others = payments_of(5)
    write_day(shop.root, 5, [{**first, "paid": 1e-9}, *others])
    assert len(run_backfill(shop).computed) == DAYS
    write_day(shop.root, 5, [{**first, "paid": 1e300}, *others])
    assert len(run_backfill(shop).computed) == DAYS
    check_values(shop, START + timedelta(days=9))


@pytest.mark.parametrize(("old", "new"), [('sum("7d")', 'sum("6d")'), ("payments)\n", 'payments, closed="left")\n')])
def test_another_declaration_has_all_computed_anew(shop: Repository, old: str, new: str) -> None:
    run_backfill(shop)
    declared = shop.root / "features" / "shop.py"
    assert old in declared.read_text()
    declared.write_text(declared.read_text().replace(old, new))
    changed = load_repository(shop.root)
    assert len(run_backfill(changed).computed) == DAYS
    check_values(changed, START + timedelta(days=9))


def test_another_length_has_all_computed_anew(shop: Repository) -> None:
    run_backfill(shop)
    assert len(run_backfill(shop, "6h").computed) == DAYS


@pytest.mark.parametrize("spoil", ["no file", "no json", "no tile"])
def test_what_is_missing_or_unreadable_is_computed_anew(shop: Repository, spoil: str) -> None:
    tiles = run_backfill(shop)
    folder = tiles_folder(shop, windows_of(shop))
    if spoil == "no tile":
        (folder / f"{tiles.computed[3]}.parquet").unlink()
    elif spoil == "no json":
        (folder / "tiles.json").write_text("[")
    else:
        shutil.rmtree(folder)
    assert len(run_backfill(shop).computed) == (1 if spoil == "no tile" else DAYS)
    check_values(shop, START + timedelta(days=9))


def test_the_events_and_tiles_can_be_looked_at(shop: Repository) -> None:
    run_backfill(shop)
    folder = tiles_folder(shop, windows_of(shop))
    content = json.loads((folder / "tiles.json").read_text())
    assert content["format"] == "skewcheck/tiles/1"
    assert [count for count, _ in content["periods"].values()] == [24] * DAYS
    table = pq.read_table(folder / f"{next(iter(content['periods']))}.parquet")
    assert table["#key.customer_id"].to_pylist() == [0, 1, 2, 3, 4]


def test_no_events_give_no_tiles(shop: Repository) -> None:
    for day in range(DAYS):
        write_day(shop.root, day, [])
    assert run_backfill(shop).computed == ()
    assert [table.num_rows for table in compute_values(shop, windows_of(shop), datetime.now(UTC), tile="1d")] == [0]


def test_events_that_cannot_be_read_are_named(shop: Repository) -> None:
    day_file(shop.root, 3).write_bytes(b"no parquet")
    with pytest.raises(SkewcheckError, match="payments"):
        run_backfill(shop)
