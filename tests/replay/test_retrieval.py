"""The retrieval cut asks the store in batches, at times that a store can be asked for, for keys as they were logged."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options, audit
from skewcheck.errors import LogError
from skewcheck.replay import retrieval
from skewcheck.store.repository import Repository, generated_directory
from skewcheck.verdict import Verdict
from tests.shop import change


def run(shop: Repository, log: pa.Table, folder: Path, **options: Any) -> Verdict:
    pq.write_table(log, folder / "log.parquet")
    return audit(folder / "log.parquet", generated_directory(shop.root, "shop"), lambda: shop, Options(**options))


def test_small_batches_give_the_same_verdict_as_one(
    shop: Repository, clean_log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = change(clean_log, "store.tier", ["gold"] * clean_log.num_rows)
    whole = run(shop, log, tmp_path)
    monkeypatch.setattr(retrieval, "BATCH", 7)
    assert run(shop, log, tmp_path).to_json() == whole.to_json()


@pytest.mark.parametrize("microseconds", [-62_135_596_800_000_001, 253_402_300_800_000_000, 2**63 - 1])
def test_a_time_that_no_store_can_be_asked_for_is_refused_and_says_how_to_go_on(
    shop: Repository, clean_log: pa.Table, tmp_path: Path, microseconds: int
) -> None:
    place = clean_log.column_names.index("requested_at")
    times = [microseconds, *clean_log.column("requested_at").cast(pa.int64()).to_pylist()[1:]]
    log = clean_log.set_column(place, "requested_at", pa.array(times).cast(pa.timestamp("us", tz="UTC")))
    with pytest.raises(LogError, match="outside the years 1678 to 2261"):
        run(shop, log, tmp_path)
    assert run(shop, log, tmp_path, stages=("transform",)).verdict == "pass"


def test_a_request_without_a_time_is_refused_and_says_how_to_go_on(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    times: list[datetime | None] = [None, *clean_log.column("requested_at").to_pylist()[1:]]
    with pytest.raises(LogError, match=r"without a time[^→]*→[^→]*--stages transform"):
        run(shop, change(clean_log, "requested_at", times), tmp_path)


def test_a_year_of_five_digits_is_in_the_future(shop: Repository, clean_log: pa.Table, tmp_path: Path) -> None:
    place = clean_log.column_names.index("requested_at")
    times = pa.array([253_402_300_800_000_000] * clean_log.num_rows).cast(pa.timestamp("us", tz="UTC"))
    verdict = run(shop, clean_log.set_column(place, "requested_at", times), tmp_path, stages=("transform",))
    assert any("in the future" in problem.message for problem in verdict.problems)


@pytest.mark.parametrize("name", ["definition_hash", "state_hash"])
def test_a_log_with_one_of_the_two_hashes_is_asked_about_that_one(
    shop: Repository, clean_log: pa.Table, tmp_path: Path, name: str
) -> None:
    verdict = run(shop, clean_log, tmp_path, stages=("transform",))
    ours = {"definition_hash": verdict.definition, "state_hash": verdict.state}[name]
    hashes = pa.array([ours] * 100 + ["f" * 64] * 20, pa.string())
    verdict = run(shop, clean_log.append_column(name, hashes), tmp_path, stages=("transform",))
    assert [(version.rows, version.current) for version in verdict.versions] == [(100, True), (20, False)]
    assert [problem for problem in verdict.problems if "20 rows were served by another version" in problem.message]
