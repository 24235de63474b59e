"""The log's reader: which files count, which are named as unreadable, and which logs are refused."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import LogError
from skewcheck.serving.reader import hold_files, open_log
from skewcheck.serving.schema import METADATA_KEY, VERSION, LogSchema
from skewcheck.serving.writer import LogWriter

if TYPE_CHECKING:
    from pathlib import Path


def write(path: Path, columns: dict[str, Any], metadata: dict[bytes, bytes] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), path)
    return path


def describe(service: str, version: int = VERSION) -> dict[bytes, bytes]:
    return {METADATA_KEY: json.dumps({"version": version, "service": service}).encode()}


def test_our_own_log_is_described(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    with LogWriter(schema, log_folder) as writer:
        writer.log_request(**row)
    log = open_log(log_folder)
    assert (log.service, log.version, log.rows, log.unreadable, log.complete) == (
        "delays",
        VERSION,
        1,
        (),
        True,
    )
    assert log.columns["feature.position"] == "list<double>"
    assert log.columns["requested_at"] == "timestamp[us, tz=UTC]"
    assert list(log.columns) == list(schema.columns())


def test_a_foreign_log_is_described(tmp_path: Path) -> None:
    path = write(tmp_path / "served.parquet", {"id": ["a", "b"], "x": pa.array(["u", None]).dictionary_encode()})
    log = open_log(path)
    assert (log.service, log.version, log.rows, log.files) == (None, None, 2, (path,))
    assert log.columns == {"id": "string", "x": "string"}


def test_directory_file_and_glob_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "log" / "date=2013-07-01" / "a.parquet", {"x": [1.0]})
    for given in (tmp_path, str(tmp_path), path, f"{tmp_path}/**/*.parquet", f"{tmp_path}/lo[g]"):
        assert open_log(given).files == (path,)
    monkeypatch.chdir(tmp_path)
    assert open_log("log").rows == 1


def test_hidden_and_unfinished_files_do_not_count(tmp_path: Path) -> None:
    good = write(tmp_path / "a.parquet", {"x": [1.0]})
    write(tmp_path / ".b.parquet", {"x": [2.0]})
    write(tmp_path / ".trash" / "c.parquet", {"x": [3.0]})
    write(tmp_path / ".d.parquet.tmp", {"x": [4.0]})
    (tmp_path / "_SUCCESS").touch()
    assert open_log(tmp_path).files == (good,)
    assert open_log(f"{tmp_path}/*.parquet").files == (good,)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", b"PAR1" + b"\0" * 64 + b"PAR1"])
def test_a_broken_file_among_good_ones_is_named_and_the_others_are_used(tmp_path: Path, content: bytes) -> None:
    good = write(tmp_path / "good.parquet", {"x": [1.0]})
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(content)
    log = open_log(tmp_path)
    assert log.files == (good,)
    [(path, reason)] = log.unreadable
    assert path == bad
    assert reason
    assert not log.complete
    assert open_log(tmp_path, ignore_unreadable=True).complete


def test_a_file_cut_anywhere_is_unreadable_and_harms_no_other(tmp_path: Path) -> None:
    good = write(tmp_path / "good.parquet", {"x": [1.0]})
    whole = good.read_bytes()
    bad = tmp_path / "cut.parquet"
    for length in range(0, len(whole), 7):
        bad.write_bytes(whole[:length])
        log = open_log(tmp_path)
        assert (log.files, [path for path, _ in log.unreadable]) == ((good,), [bad])


def test_metadata_that_is_not_ours_to_read_makes_a_file_unreadable(tmp_path: Path) -> None:
    good = write(tmp_path / "good.parquet", {"x": [1.0]})
    write(tmp_path / "bad.parquet", {"x": [1.0]}, {METADATA_KEY: b"\xff{"})
    log = open_log(tmp_path)
    assert log.files == (good,)
    assert "metadata" in log.unreadable[0][1]


def test_a_retyped_column_names_file_column_and_both_types(tmp_path: Path) -> None:
    for name in "abd":
        write(tmp_path / f"{name}.parquet", {"wind": [1.0]})
    odd = write(tmp_path / "c.parquet", {"wind": ["1.0"]})
    with pytest.raises(LogError, match=r"'wind' has the type string; expected double") as caught:
        open_log(tmp_path)
    assert str(odd) in caught.value.message


def test_a_time_zone_lost_is_a_retyped_column(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    write(tmp_path / "a.parquet", {"at": pa.array([now], pa.timestamp("us", "UTC"))})
    write(tmp_path / "b.parquet", {"at": pa.array([now.replace(tzinfo=None)], pa.timestamp("us"))})
    with pytest.raises(LogError, match="column 'at'"):
        open_log(tmp_path)


def test_a_column_that_older_files_lack_is_recorded(tmp_path: Path) -> None:
    old = write(tmp_path / "1.parquet", {"x": [1.0]})
    write(tmp_path / "2.parquet", {"x": [1.0], "y": [True]})
    log = open_log(tmp_path)
    assert log.columns == {"x": "double", "y": "bool"}
    assert log.lacking == {"y": (old,)}


def test_a_column_of_nulls_alone_agrees_with_any_type(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", {"x": pa.nulls(2)})
    write(tmp_path / "2.parquet", {"x": ["a"]})
    assert open_log(tmp_path).columns == {"x": "string"}


def test_columns_that_differ_in_case_only_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "1.parquet", {"wind": [1.0]})
    write(tmp_path / "2.parquet", {"Wind": [1.0]})
    with pytest.raises(LogError, match="in case only"):
        open_log(tmp_path)
    with pytest.raises(LogError, match="in case only"):
        open_log(write(tmp_path / "3.parquet", {"x": [1], "X": [1]}))


def test_a_newer_version_says_upgrade(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"x": [1.0]}, describe("delays", VERSION + 1))
    with pytest.raises(LogError, match="Upgrade skewcheck") as caught:
        open_log(tmp_path)
    assert str(path) in caught.value.message


def test_logs_of_two_services_are_not_one(tmp_path: Path) -> None:
    for service in ("arrivals", "delays"):
        write(tmp_path / service / "a.parquet", {"x": [1.0]}, describe(service))
    with pytest.raises(LogError, match="several services: arrivals, delays"):
        open_log(tmp_path)
    assert open_log(tmp_path / "delays").service == "delays"


@pytest.mark.parametrize("path", ["absent", "absent/*.parquet", "empty", "a\0b"])
def test_no_log_is_an_error_that_says_what_to_give(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LogError) as caught:
        open_log(f"{tmp_path}/{path}")
    assert caught.value.remedy


def test_a_log_without_rows_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", {"x": pa.array([], pa.float64())})
    with pytest.raises(LogError, match="has no rows"):
        open_log(tmp_path)


def test_a_log_of_broken_files_alone_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"")
    with pytest.raises(LogError, match=r"can be read; .*a\.parquet: the file is empty"):
        open_log(tmp_path, ignore_unreadable=True)


def test_a_live_log_is_read_whole_while_its_files_are_merged(
    schema: LogSchema, row: dict[str, Any], log_folder: Path
) -> None:
    noon = row.pop("requested_at")
    stop = threading.Event()
    with LogWriter(schema, log_folder, rows_per_file=8) as writer:
        writer.log_request(requested_at=noon, **row)
        writer.flush()

        def serve() -> None:
            while not stop.is_set():
                writer.log_request(requested_at=noon + timedelta(milliseconds=1), **row)
                writer.flush()

        server = threading.Thread(target=serve)
        server.start()
        try:
            for _ in range(30):
                before = writer.statistics()["written"]
                log = open_log(log_folder)
                after = writer.statistics()["written"]
                assert before <= log.rows <= after + 1
                assert log.unreadable == ()
        finally:
            stop.set()
            server.join()


def test_reading_a_log_loads_no_pandas(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", {"x": [1.0]})
    program = (
        "import sys; from skewcheck.serving.reader import hold_files, open_log; open_log(sys.argv[1])\n"
        "print([name for name in ('pandas', 'duckdb', 'feast') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_link_to_nothing_is_unreadable_and_no_sign_of_a_live_writer(tmp_path: Path) -> None:
    good = write(tmp_path / "good.parquet", {"x": [1.0]})
    (tmp_path / "dangling.parquet").symlink_to(tmp_path / "gone")
    log = open_log(tmp_path)
    assert log.files == (good,)
    assert [path.name for path, reason in log.unreadable if "which is not there" in reason] == ["dangling.parquet"]


def test_folders_behind_links_count_once_and_a_loop_ends(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "a.parquet", {"x": [1.0]})
    write(tmp_path / "log" / "b.parquet", {"x": [2.0]})
    write(tmp_path / "neighbour" / "c.parquet", {"x": [3.0]})
    (tmp_path / "log" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "log" / "again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "log" / "itself").symlink_to(tmp_path / "log")
    (tmp_path / "log" / "above").symlink_to(tmp_path)
    assert sorted(path.name for path in open_log(tmp_path / "log").files) == ["a.parquet", "b.parquet"]


def test_held_files_can_be_read_after_the_writer_merged_them(
    schema: LogSchema, row: dict[str, Any], log_folder: Path, tmp_path: Path
) -> None:
    with LogWriter(schema, log_folder) as writer:
        for _ in range(3):
            writer.log_request(**row)
            assert writer.flush()
        log = open_log(log_folder)
        (tmp_path / "held").mkdir()
        held = hold_files(log, tmp_path / "held")
    assert not any(path.exists() for path in log.files)
    assert sum(pq.read_metadata(path).num_rows for path in held) == log.rows == 3
    with pytest.raises(FileNotFoundError):
        hold_files(log, tmp_path / "held")


def test_files_that_no_writer_will_merge_are_read_where_they_are(tmp_path: Path) -> None:
    path = write(tmp_path / "log" / "served.parquet", {"x": [1.0]})
    (tmp_path / "held").mkdir()
    assert hold_files(open_log(path), tmp_path / "held") == (path,)
