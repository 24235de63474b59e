"""The life of a log file, in particular in the instants in which a process may die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.serving.reader import open_log
from skewcheck.serving.segments import (
    Merger,
    Segment,
    find_replaced,
    name_writer,
    parse_name,
    publish,
    remove_leftovers,
)


def publish_batches(folder: Path, first: int, last: int, writer: str = "host-1-x") -> list[Path]:
    """One file for each batch, each with its number as its only value."""
    paths = [folder / Segment(writer, batch, batch).file_name for batch in range(first, last + 1)]
    for batch, path in enumerate(paths, first):
        publish(pa.table({"batch": [batch]}), path)
    return paths


def read_batches(root: Path) -> list[int]:
    return sorted(value for path in open_log(root).files for value in pq.read_table(path).column("batch").to_pylist())


def merge_all(root: Path, folder: Path, batches: range, *, rows_per_file: int = 1000) -> None:
    merger = Merger(root, rows_per_file)
    merger.start()
    for batch in batches:
        merger.add(folder, Segment("host-1-x", batch, batch), 1)
    merger.stop(30.0)


def test_a_name_reads_back() -> None:
    segment = Segment(name_writer(), 3, 123_456_789)
    assert parse_name(segment.file_name) == segment


@pytest.mark.parametrize("name", ["part-0.parquet", "a-1-2.parquet", ".a-00000001-00000002.parquet.tmp", ""])
def test_other_names_are_not_taken_for_ours(name: str) -> None:
    assert parse_name(name) is None


def test_no_two_writers_share_a_name() -> None:
    assert len({name_writer() for _ in range(100)}) == 100


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=10), st.data())
def test_whatever_was_merged_each_batch_is_in_one_file_that_counts(sizes: list[int], data: st.DataObject) -> None:
    live = [Segment("w", number, number) for number in range(1, sum(sizes) + 1)]
    names = {segment.file_name for segment in live}
    for size in sizes:
        start = data.draw(st.integers(0, max(0, len(live) - size)))
        run = live[start : start + size]
        merged = Segment("w", run[0].first, run[-1].last)
        live[start : start + size] = [merged]
        crashed_before_removing = data.draw(st.booleans())
        if not crashed_before_removing:
            names -= {segment.file_name for segment in run}
        names.add(merged.file_name)
    names.add(Segment("other", 1, 1).file_name)
    counted = names - find_replaced(names)
    assert counted == {segment.file_name for segment in live} | {Segment("other", 1, 1).file_name}


def test_files_are_merged_into_one_when_the_writer_ends(tmp_path: Path) -> None:
    publish_batches(tmp_path, 1, 5)
    merge_all(tmp_path, tmp_path, range(1, 6))
    assert [path.name for path in tmp_path.iterdir()] == ["host-1-x-00000001-00000005.parquet"]
    assert read_batches(tmp_path) == [1, 2, 3, 4, 5]


def test_a_full_file_is_not_merged_any_further(tmp_path: Path) -> None:
    publish_batches(tmp_path, 1, 5)
    merge_all(tmp_path, tmp_path, range(1, 6), rows_per_file=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "host-1-x-00000001-00000002.parquet",
        "host-1-x-00000003-00000004.parquet",
        "host-1-x-00000005-00000005.parquet",
    ]


def test_a_long_hour_is_merged_by_and_by(tmp_path: Path) -> None:
    publish_batches(tmp_path, 1, 70)
    merger = Merger(tmp_path)
    merger.start()
    for batch in range(1, 71):
        merger.add(tmp_path, Segment("host-1-x", batch, batch), 1)
    while (tmp_path / "host-1-x-00000064-00000064.parquet").exists():
        time.sleep(0.01)
    assert len(list(tmp_path.iterdir())) < 70 - 31
    merger.stop(30.0)
    assert read_batches(tmp_path) == list(range(1, 71))


def test_a_merge_that_fails_leaves_its_files(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    paths = publish_batches(tmp_path, 1, 3)
    paths[1].write_bytes(b"PAR1 damaged PAR1")
    merge_all(tmp_path, tmp_path, range(1, 4))
    assert sorted(tmp_path.iterdir()) == paths
    assert "they stay as they are" in caplog.text


DYING = """
import os, pathlib, signal, sys
sys.path[:0] = [{tests!r}]
from test_segments import merge_all, publish_batches
folder = pathlib.Path({folder!r})
publish_batches(folder, 1, 4)
def die(self, *args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path.{deadly} = die
merge_all(folder, folder, range(1, 5))
"""


def die_while_merging(folder: Path, deadly: str) -> None:
    program = DYING.format(tests=str(Path(__file__).parent), folder=str(folder), deadly=deadly)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_writer_killed_before_it_removes_what_it_merged_repeats_no_row(tmp_path: Path) -> None:
    die_while_merging(tmp_path, "unlink")
    assert len(list(tmp_path.iterdir())) == 5
    assert read_batches(tmp_path) == [1, 2, 3, 4]
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["host-1-x-00000001-00000004.parquet"]
    assert read_batches(tmp_path) == [1, 2, 3, 4]


def test_a_writer_killed_before_it_publishes_what_it_merged_loses_no_row(tmp_path: Path) -> None:
    die_while_merging(tmp_path, "rename")
    [begun] = [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]
    assert read_batches(tmp_path) == [1, 2, 3, 4]
    remove_leftovers(tmp_path)
    assert begun.exists()
    two_hours_ago = time.time() - 7200
    os.utime(begun, (two_hours_ago, two_hours_ago))
    remove_leftovers(tmp_path)
    assert not begun.exists()
    assert read_batches(tmp_path) == [1, 2, 3, 4]


def test_nothing_is_removed_while_its_replacement_is_damaged(tmp_path: Path) -> None:
    paths = publish_batches(tmp_path, 1, 2)
    merged = tmp_path / "host-1-x-00000001-00000002.parquet"
    merged.write_bytes(b"PAR1")
    remove_leftovers(tmp_path)
    assert all(path.exists() for path in paths)
    assert read_batches(tmp_path) == [1, 2]
    assert [path for path, _ in open_log(tmp_path).unreadable] == [merged]


def test_a_failed_publication_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken.parquet").mkdir()
    with pytest.raises(OSError, match="taken"):
        publish(pa.table({"batch": [1]}), tmp_path / "taken.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.parquet"]
