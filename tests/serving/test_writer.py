"""The log's writer: what it keeps, what it survives, and that serving never notices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.errors import UsageError
from skewcheck.serving.reader import open_log
from skewcheck.serving.rows import LoggedRequest
from skewcheck.serving.writer import LogWriter

if TYPE_CHECKING:
    from pathlib import Path

    from skewcheck.serving.schema import LogSchema


def read_rows(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.ParquetFile(path).read() for path in open_log(folder).files])


def read_ids(folder: Path) -> list[str]:
    return sorted(read_rows(folder).column("request_id").to_pylist())


def test_a_request_is_read_back(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    with LogWriter(schema, log_folder) as writer:
        writer.log_request(request_id="a", definition_hash="d", state_hash="s", model_version="m", **row)
    [logged] = read_rows(log_folder).to_pylist()
    assert logged.pop("host")
    assert logged == {
        "request_id": "a",
        "requested_at": row["requested_at"],
        "definition_hash": "d",
        "state_hash": "s",
        "model_version": "m",
        "process": os.getpid(),
        "prediction": 0.75,
        "key.origin": "JFK",
        "request.seats": 3,
        "request.asked": row["requested_at"],
        "store.wind": 5.5,
        "store.calm": False,
        "event_time.weather": row["requested_at"],
        "status.wind": "PRESENT",
        "status.calm": "PRESENT",
        "feature.wind_z": 0.25,
        "feature.position": [40.6, -73.8],
    }


def test_what_is_not_given_is_null_but_id_and_time(schema: LogSchema, log_folder: Path) -> None:
    before = datetime.now(UTC)
    with LogWriter(schema, log_folder) as writer:
        writer.log_request(features={})
        writer.log_request(features={})
    first, second = read_rows(log_folder).to_pylist()
    assert first["request_id"] != second["request_id"]
    assert before <= first["requested_at"] <= datetime.now(UTC)
    given = {"request_id", "requested_at", "host", "process"}
    assert all(value is None for name, value in first.items() if name not in given)


def test_the_clock_can_be_the_datas(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    with LogWriter(schema, log_folder, clock=lambda: row["requested_at"]) as writer:
        writer.log_request(features={})
    assert read_rows(log_folder).column("requested_at").to_pylist() == [row["requested_at"]]


def test_duckdb_reads_the_log(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    with LogWriter(schema, log_folder) as writer:
        for number in range(3):
            writer.log_request(request_id=str(number), **row)
    files = [str(path) for path in open_log(log_folder).files]
    found = duckdb.sql(
        'SELECT count(*), sum("feature.wind_z"), min("feature.position") '
        f"FROM read_parquet({files}, union_by_name = true, hive_partitioning = false)"
    ).fetchall()
    assert found == [(3, 0.75, [40.6, -73.8])]


def test_the_caller_may_reuse_what_it_passed(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    with LogWriter(schema, log_folder) as writer:
        writer.log_request(**row)
        row["features"]["position"][0] = 0.0
        row["features"]["wind_z"] = 0.0
        row["keys"].clear()
    [logged] = read_rows(log_folder).to_pylist()
    assert (logged["feature.position"][0], logged["feature.wind_z"], logged["key.origin"]) == (
        40.6,
        0.25,
        "JFK",
    )


def test_a_flushed_row_can_be_read_while_the_writer_goes_on(
    schema: LogSchema, row: dict[str, Any], log_folder: Path
) -> None:
    with LogWriter(schema, log_folder, flush_seconds=1000.0) as writer:
        for number in range(3):
            writer.log_request(request_id=str(number), **row)
            assert writer.flush()
            assert read_ids(log_folder) == [str(seen) for seen in range(number + 1)]
            assert writer.statistics()["written"] == number + 1


def test_rows_go_to_the_hour_of_their_own_time(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    noon = row.pop("requested_at")
    with LogWriter(schema, log_folder) as writer:
        for hours in (0, 13, 0, -12):
            writer.log_request(requested_at=noon + timedelta(hours=hours), **row)
    folders = sorted(str(path.parent.relative_to(log_folder)) for path in log_folder.rglob("*.parquet"))
    assert folders == [
        "delays/date=2013-07-01/hour=00",
        "delays/date=2013-07-01/hour=12",
        "delays/date=2013-07-02/hour=01",
    ]
    assert open_log(log_folder).rows == 4


def test_nothing_is_touched_before_the_first_row(schema: LogSchema, log_folder: Path) -> None:
    LogWriter(schema, log_folder).close()
    assert not log_folder.exists()


def test_a_full_queue_drops_rows_and_counts_them(
    schema: LogSchema, row: dict[str, Any], log_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = 20_000
    with LogWriter(schema, log_folder, queue_rows=10) as writer:
        for _ in range(calls):
            writer.log_request(**row)
    counts = writer.statistics()
    assert writer.dropped == counts["reasons"]["queue_full"] > 0
    assert counts["written"] == calls - writer.dropped == open_log(log_folder).rows
    assert f"{writer.dropped} rows dropped (queue_full)" in caplog.text


def test_serving_outlives_an_unwritable_directory(
    schema: LogSchema, row: dict[str, Any], log_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_folder.write_text("a file where the directory should be")
    with LogWriter(schema, log_folder) as writer:
        for _ in range(3):
            writer.log_request(**row)
            writer.flush()
        assert writer.statistics()["reasons"] == {"unwritable": 3}
        log_folder.unlink()
        writer.log_request(request_id="after", **row)
    assert read_ids(log_folder) == ["after"]
    warnings = [record.getMessage() for record in caplog.records if record.name == "skewcheck.serving"]
    assert 1 <= len(warnings) <= 2  # the first second's, and the last word at the end
    assert "3 rows dropped (unwritable)" in warnings[-1]
    assert "delays" in warnings[-1]


FULL_DISK = """
import json, resource, sys
from pathlib import Path
from skewcheck.serving.schema import LogSchema
from skewcheck.serving.writer import LogWriter
folder = Path(sys.argv[1])
writer = LogWriter(LogSchema("delays", features={"x": "Float64"}), folder)
def log(name):
    writer.log_request(request_id=name, features={"x": 1.0})
    writer.flush()
log("before")
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
log("lost")
left = sorted(path.name for path in folder.rglob("*.tmp"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log("after")
print(json.dumps([writer.statistics()["reasons"], left]))
"""


def test_serving_outlives_a_disk_that_takes_no_more(log_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(log_folder)], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [{"unwritable": 1}, []]
    assert read_ids(log_folder) == ["after", "before"]
    assert "1 rows dropped (unwritable)" in done.stderr


def test_a_value_that_does_not_fit_takes_out_its_row_and_names_its_column(
    schema: LogSchema, row: dict[str, Any], log_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    features = row.pop("features")
    with LogWriter(schema, log_folder) as writer:
        writer.log_request(request_id="before", features=features, **row)
        writer.log_request(request_id="misfit", features={**features, "wind_z": "strong"}, **row)
        writer.log_request(request_id="after", features=features, **row)
    assert read_ids(log_folder) == ["after", "before"]
    assert writer.statistics()["columns"] == {"feature.wind_z": 1}
    assert writer.statistics()["reasons"] == {"unloggable": 1}
    assert "feature.wind_z" in caplog.text
    assert "'strong'" in caplog.text


def test_arguments_of_no_use_at_all_do_not_raise(schema: LogSchema, log_folder: Path) -> None:
    with LogWriter(schema, log_folder) as writer:
        writer.log_request(features=object())  # type: ignore[arg-type]
        writer.log_request(features={}, requested_at="yesterday")  # type: ignore[arg-type]
        writer.log_request(features={}, keys={1: 2})  # type: ignore[dict-item]
    assert writer.statistics()["reasons"] == {"unloggable": 2}
    assert writer.statistics()["unknown_columns"] == {"key.1": 1}
    assert open_log(log_folder).rows == 1


def test_a_row_can_be_described_later(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    thread = []

    def describe() -> LoggedRequest:
        thread.append(threading.current_thread())
        return LoggedRequest("later", row["requested_at"], features={"wind_z": 1.5})

    def fail() -> LoggedRequest:
        raise LookupError("no such field")

    with LogWriter(schema, log_folder) as writer:
        writer.log_later(fail)
        writer.log_later(describe)
        writer.flush()
    assert threading.current_thread() not in thread
    assert [(logged["request_id"], logged["feature.wind_z"]) for logged in read_rows(log_folder).to_pylist()] == [
        ("later", 1.5)
    ]
    assert writer.statistics()["reasons"] == {"unloggable": 1}


def test_a_closed_writer_drops_and_counts(schema: LogSchema, row: dict[str, Any], log_folder: Path) -> None:
    writer = LogWriter(schema, log_folder)
    writer.log_request(**row)
    writer.close()
    writer.close()
    writer.log_request(**row)
    assert writer.flush()
    assert writer.statistics()["reasons"] == {"closed": 1}
    assert open_log(log_folder).rows == 1


@pytest.mark.parametrize("size", ["queue_rows", "flush_seconds", "rows_per_file"])
def test_sizes_must_be_positive(schema: LogSchema, log_folder: Path, size: str) -> None:
    with pytest.raises(UsageError, match=f"{size} is 0"):
        LogWriter(schema, log_folder, **{size: 0})  # type: ignore[arg-type]


LEAVING = """
import sys
from skewcheck.serving.schema import LogSchema
from skewcheck.serving.writer import LogWriter
LogWriter(LogSchema("delays"), sys.argv[1], flush_seconds=1000.0).log_request(request_id="a", features={})
"""


def test_a_program_that_just_ends_loses_nothing(log_folder: Path) -> None:
    subprocess.run([sys.executable, "-c", LEAVING, str(log_folder)], check=True)
    assert read_ids(log_folder) == ["a"]


FORKING = """
import os, sys
from skewcheck.serving.schema import LogSchema
from skewcheck.serving.writer import LogWriter
writer = LogWriter(LogSchema("delays"), sys.argv[1])
def log(who, count):
    for number in range(count):
        writer.log_request(request_id=f"{who}-{number}", features={})
if sys.argv[2] == "busy":
    log("flushed", 10)
    writer.flush()
    log("waiting", 10)
children = []
for child in range(2):
    pid = os.fork()
    if pid == 0:
        log(f"child{child}", 5)
        writer.close()
        os._exit(0)
    children.append(pid)
log("parent", 5)
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
"""


@pytest.mark.parametrize(("state", "early"), [("busy", 20), ("untouched", 0)])
def test_after_a_fork_parent_and_children_each_log_their_own(log_folder: Path, state: str, early: int) -> None:
    subprocess.run([sys.executable, "-c", FORKING, str(log_folder), state], check=True, timeout=300)
    rows = read_rows(log_folder)
    ids = rows.column("request_id").to_pylist()
    assert len(ids) == len(set(ids)) == early + 3 * 5
    processes = {name.partition("-")[0]: pid for name, pid in zip(ids, rows.column("process").to_pylist(), strict=True)}
    assert len({processes[who] for who in ("parent", "child0", "child1")}) == 3


ENDLESS = """
import sys, time
from skewcheck.serving.schema import LogSchema
from skewcheck.serving.writer import LogWriter
name, folder = sys.argv[1:]
writer = LogWriter(LogSchema("delays", features={"x": "Float64"}), folder, rows_per_file=600)
number = 0
while True:
    request_id = f"{name}-{number}"
    writer.log_request(request_id=request_id, features={"x": float(number)})
    print(request_id, time.monotonic(), flush=True)
    number += 1
    time.sleep(0.003)
"""


def test_processes_killed_side_by_side_lose_at_most_their_last_second(log_folder: Path) -> None:
    outputs = [log_folder.with_name(f"printed-{name}") for name in "abc"]
    children = []
    for output in outputs:
        with output.open("w") as sink:
            children.append(
                subprocess.Popen([sys.executable, "-c", ENDLESS, output.name, str(log_folder)], stdout=sink, text=True)
            )
    durable: set[str] = set()
    written: set[str] = set()
    while any(output.read_text().count("\n") < 500 for output in outputs):
        assert all(child.poll() is None for child in children)
        time.sleep(0.05)
    for child, output in zip(children, outputs, strict=True):
        time.sleep(0.21)
        killed_at = time.monotonic()
        child.send_signal(signal.SIGKILL)
        child.wait()
        printed = [line.split() for line in output.read_text().splitlines(keepends=True) if line.endswith("\n")]
        written |= {request_id for request_id, _ in printed}
        durable |= {request_id for request_id, at in printed if float(at) < killed_at - 1.0}

    log = open_log(log_folder)
    assert log.unreadable == ()
    ids = read_ids(log_folder)
    assert len(ids) == len(set(ids)) == log.rows
    assert len(durable) > 300
    assert durable <= set(ids)
    assert len(set(ids) - written) <= len(children)  # a row may be logged and not yet printed

    with LogWriter(open_schema(log.files[0]), log_folder) as writer:
        writer.log_request(request_id="next", features={"x": 0.0})
    assert read_ids(log_folder) == sorted([*ids, "next"])


def open_schema(path: Path) -> LogSchema:
    from skewcheck.serving.schema import METADATA_KEY, LogSchema

    return LogSchema.parse(pq.read_schema(path).metadata[METADATA_KEY].decode())
