"""The log's writer: an append on the request path, all else behind it (room: serving)."""

from __future__ import annotations

import atexit
import contextlib
import copy
import logging
import os
import socket
import threading
import time
import uuid
from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skewcheck.errors import UsageError
from skewcheck.serving.forks import survive_forks
from skewcheck.serving.rows import LoggedRequest, RowConverter, split_by_hour
from skewcheck.serving.segments import ROWS_PER_FILE, Merger, Segment, name_writer, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from skewcheck.serving.schema import LogSchema

logger = logging.getLogger("skewcheck.serving")

QUEUE_FULL = "queue_full"
"""Reason of a drop: requests came faster than they could be written."""
UNWRITABLE = "unwritable"
"""Reason of a drop: the disk is full, or the folder cannot be written."""
UNLOGGABLE = "unloggable"
"""Reason of a drop: a value does not fit its column; the statistics name the column."""
CLOSED = "closed"
"""Reason of a drop: the writer was closed before."""

_SECONDS_BETWEEN_WARNINGS = 60.0
_SECONDS_TO_HOLD = 3.0


class LogWriter:
    """Writes the log of one service without ever holding up or breaking the service.

    `log_request` appends to a bounded queue in memory and returns. A background thread writes what has
    gathered, twice in every `flush_seconds`, as Parquet files that appear whole under
    `<directory>/<service>/date=YYYY-MM-DD/hour=HH/`, by the UTC hour of each request's own time; another
    merges them into larger ones. A killed process loses at most the last `flush_seconds` of rows. What cannot
    be written is dropped and counted, and a warning through the logger `skewcheck.serving` says so at most
    once a minute.

    Several writers, in one or many processes, can share a directory. After `os.fork` the child's writer
    starts afresh; rows that were waiting stay the parent's. Threads start with the first row.

    Args:
        schema: What is logged.
        directory: Where logs of all services live. Nothing is touched until the first row is written.
        queue_rows: Rows that may wait in memory; as many again may be on their way to the disk.
        flush_seconds: How late a row may become readable, in seconds.
        rows_per_file: Rows at which a file is not merged any further.
        clock: Gives the time (with time zone) of requests that come without one. Default: the system's.

    Raises:
        UsageError: `queue_rows`, `flush_seconds` or `rows_per_file` is not positive.
    """

    def __init__(
        self,
        schema: LogSchema,
        directory: str | os.PathLike[str],
        *,
        queue_rows: int = 20_000,
        flush_seconds: float = 1.0,
        rows_per_file: int = ROWS_PER_FILE,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        import pyarrow.parquet  # noqa: F401  # now, not in the first second of serving

        for name, value in (
            ("queue_rows", queue_rows),
            ("flush_seconds", flush_seconds),
            ("rows_per_file", rows_per_file),
        ):
            if not value > 0:
                raise UsageError(f"log writer: {name} is {value!r}; it must be positive")
        self.schema = schema
        self.root = Path(directory) / schema.service
        self._queue_rows = queue_rows
        self._pause = flush_seconds / 2
        self._rows_per_file = rows_per_file
        self._clock = clock
        self._converter = RowConverter(schema)
        self._host = socket.gethostname()
        self._vectors = {
            group: tuple(name for name, kind in getattr(schema, group).items() if kind.startswith("Vector"))
            for group in ("request", "store", "features")
        }
        self._closed = False
        self._held: list[threading.Lock] = []
        self._reset()
        survive_forks(self)
        atexit.register(self.close)

    def log_request(
        self,
        *,
        features: Mapping[str, Any],
        keys: Mapping[str, Any] | None = None,
        request: Mapping[str, Any] | None = None,
        store: Mapping[str, Any] | None = None,
        event_times: Mapping[str, datetime | None] | None = None,
        statuses: Mapping[str, str | None] | None = None,
        prediction: float | None = None,
        request_id: str | None = None,
        requested_at: datetime | None = None,
        definition_hash: str | None = None,
        state_hash: str | None = None,
        model_version: str | None = None,
    ) -> None:
        """Log one request. Returns at once, never raises; the mappings are the caller's to reuse afterwards.

        Args:
            features: Features served, by name. In this and the other mappings an absent name is missing.
            keys: Entity join keys.
            request: Inputs that came with the request.
            store: Values read from the online store.
            event_times: Event time of the store's row, by feature view.
            statuses: Status of each store value (`PRESENT`, `NOT_FOUND`, `NULL_VALUE`, `OUTSIDE_MAX_AGE`).
            prediction: What the model answered.
            request_id: Default: a random one.
            requested_at: The request's time, with time zone. Default: now.
            definition_hash: Fingerprint of the declaration that served.
            state_hash: Fingerprint of the frozen state that served.
            model_version: Version of the model that answered.
        """
        try:
            if requested_at is None:
                requested_at = datetime.now(UTC) if self._clock is None else self._clock()
            self._enqueue(
                LoggedRequest(
                    uuid.uuid4().hex if request_id is None else request_id,
                    requested_at,
                    definition_hash,
                    state_hash,
                    model_version,
                    prediction,
                    dict(keys or {}),
                    self._own("request", request),
                    self._own("store", store),
                    dict(event_times or {}),
                    dict(statuses or {}),
                    self._own("features", features),
                )
            )
        except Exception as error:
            self.drop(1, UNLOGGABLE, example=f"{type(error).__name__}: {error}")

    def log_later(self, describe: Callable[[], LoggedRequest]) -> None:
        """Log one request that is put into words later, in the background. Returns at once, never raises.

        Args:
            describe: Called once, in another thread; what it reads must not change any more. When it raises,
                the row is dropped and counted.
        """
        self._enqueue(describe)

    def drop(self, rows: int, reason: str, *, column: str | None = None, example: str | None = None) -> None:
        """Count rows that will not be in the log.

        Args:
            rows: How many.
            reason: A word for the statistics, such as `unloggable`.
            column: The column that is to blame, if one is.
            example: What to say about it in the warning.
        """
        with self._counting:
            self._dropped[reason] += rows
            if column is not None:
                self._columns[column] += rows
            self._examples.extend([example] if example else [])

    @property
    def dropped(self) -> int:
        """Rows dropped so far, for whatever reason."""
        return sum(self.statistics()["reasons"].values())

    def statistics(self) -> dict[str, Any]:
        """Counts of this process so far.

        Returns:
            `written`: rows that readers can see; `waiting`: rows in the queue; `dropped`: rows lost;
            `reasons`: those by reason; `columns`: unloggable rows by the column to blame; `unknown_columns`:
            values left out of rows that were kept, by the name that the schema lacks.
        """
        with self._counting:
            return {
                "written": self._written,
                "waiting": len(self._queue),
                "dropped": sum(self._dropped.values()),
                "reasons": dict(self._dropped),
                "columns": dict(self._columns),
                "unknown_columns": dict(self._unknown),
            }

    def flush(self, timeout: float = 30.0) -> bool:
        """Wait until every row logged before this call can be read, or has been dropped and counted.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether that was reached in time.
        """
        if not self._started or self._closed:
            return not self._queue
        reached = threading.Event()
        self._queue.append(reached)
        self._wake.set()
        return reached.wait(timeout)

    def close(self, timeout: float = 30.0) -> None:
        """Write what waits, merge what is open, and stop. Rows logged from now on are dropped and counted.

        Args:
            timeout: Seconds to wait at most for each of the two, should the disk hang.
        """
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)
        if self._thread is None or not self._thread.is_alive():
            self._drain()
        self._merger.stop(timeout)
        self._warn_of_drops(at_once=True)

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def hold(self) -> None:
        """Before a fork: wait until no background thread is in the midst of writing, and keep it so.

        A disk that hangs holds up a fork for a few seconds at most.
        """
        locks = (self._busy, self._merger.busy, self._counting)
        self._held = [lock for lock in locks if lock.acquire(timeout=_SECONDS_TO_HOLD)]

    def release(self) -> None:
        """After a fork, in the parent: go on."""
        for lock in self._held:
            lock.release()
        self._held = []

    def restart(self) -> None:
        """After a fork, in the child: begin afresh, under another name, with nothing waiting."""
        self._reset()

    def _reset(self) -> None:
        self._process = os.getpid()
        self._name = name_writer()
        self._batch = 0
        self._queue: deque[LoggedRequest | Callable[[], LoggedRequest] | threading.Event] = deque()
        self._wake = threading.Event()
        self._busy = threading.Lock()
        self._counting = threading.Lock()
        self._starting = threading.Lock()
        self._held = []
        self._started = False
        self._thread: threading.Thread | None = None
        self._merger = Merger(self.root, self._rows_per_file, self._warn_of_drops)
        self._written = 0
        self._dropped: Counter[str] = Counter()
        self._columns: Counter[str] = Counter()
        self._unknown: Counter[str] = Counter()
        self._examples: deque[str] = deque(maxlen=1)
        self._warned = (0, float("-inf"))

    def _enqueue(self, item: LoggedRequest | Callable[[], LoggedRequest]) -> None:
        waiting = len(self._queue)
        if self._closed or waiting >= self._queue_rows:
            self.drop(1, CLOSED if self._closed else QUEUE_FULL)
            return
        self._queue.append(item)
        if not self._started:
            self._start()
        elif waiting > self._queue_rows // 4 and not self._wake.is_set():
            self._wake.set()

    def _own(self, group: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
        owned = dict(values or {})
        for name in self._vectors[group]:
            if name in owned:
                owned[name] = copy.copy(owned[name])
        return owned

    def _start(self) -> None:
        with self._starting:
            if self._started:
                return
            thread = threading.Thread(target=self._run, name="skewcheck-log-writer", daemon=True)
            with contextlib.suppress(RuntimeError):  # no threads to be had; the next request tries again
                self._merger.start()
                thread.start()
                self._thread = thread
                self._started = True

    def _run(self) -> None:
        due = time.monotonic() + self._pause
        while not self._closed:
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()
            due = time.monotonic() + self._pause
            self._drain()

    def _drain(self) -> None:
        taken = [self._queue.popleft() for _ in range(len(self._queue))]
        rows = []
        for item in taken:
            if isinstance(item, LoggedRequest):
                rows.append(item)
            elif not isinstance(item, threading.Event):
                try:
                    rows.append(item())
                except Exception as error:
                    self.drop(1, UNLOGGABLE, example=f"{type(error).__name__}: {error}")
        try:
            if rows:
                with self._busy:
                    self._write(rows)
        except Exception as error:
            self.drop(len(rows), UNLOGGABLE, example=f"{type(error).__name__}: {error}")
        finally:
            for item in taken:
                if isinstance(item, threading.Event):
                    item.set()

    def _write(self, rows: list[LoggedRequest]) -> None:
        conversion = self._converter.convert(rows, host=self._host, process=self._process)
        for column, count in conversion.misfits.items():
            self.drop(count, UNLOGGABLE, column=column, example=conversion.example)
        with self._counting:
            self._unknown.update(conversion.unknown)
        for folder, table in split_by_hour(conversion.table):
            self._batch += 1
            segment = Segment(self._name, self._batch, self._batch)
            try:
                publish(table, self.root / folder / segment.file_name)
            except Exception as error:
                self.drop(table.num_rows, UNWRITABLE, example=f"{type(error).__name__}: {error}")
                continue
            with self._counting:
                self._written += table.num_rows
            self._merger.add(self.root / folder, segment, table.num_rows)

    def _warn_of_drops(self, *, at_once: bool = False) -> None:
        with self._counting:
            lost = sum(self._dropped.values()) + sum(self._unknown.values())
            said, when = self._warned
            if lost == said or (not at_once and time.monotonic() - when < _SECONDS_BETWEEN_WARNINGS):
                return
            self._warned = (lost, time.monotonic())
            facts = [f"{count} rows dropped ({reason})" for reason, count in self._dropped.items()]
            facts += [f"{count} of them for {column}" for column, count in self._columns.items()]
            facts += [f"{count} values of the unknown {column}" for column, count in self._unknown.items()]
            example = "".join(f"; lately: {text}" for text in self._examples)
        logger.warning("The log of %s is not complete: %s%s", self.schema.service, ", ".join(facts), example)
