"""The rows of a log: repeated requests are counted however many can be held at one time."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.engines.session import open_session
from skewcheck.replay import population
from skewcheck.replay.columns import LogColumns
from skewcheck.replay.population import count_duplicates
from skewcheck.replay.stages import read_files

COLUMNS = LogColumns("request_id", None, {}, {}, {}, None, {}, (), ())


@pytest.mark.parametrize("at_once", [1, 3, 7, 1000])
def test_repeated_ids_are_counted_whatever_can_be_held_at_one_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(population, "IDS_AT_ONCE", at_once)
    ids = [f"request-{place % 40}" for place in range(100)] + [None]
    pq.write_table(pa.table({"request_id": ids}), tmp_path / "log.parquet")
    with open_session() as connection:
        log = read_files([tmp_path / "log.parquet"])
        assert count_duplicates(connection, log, COLUMNS, 101) == 60
