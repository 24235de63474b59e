"""The life of a log file: published whole, merged into larger ones, removed (room: serving).

A file's name says which of its writer's batches it holds:

    <host>-<pid>-<start>-<token>-<first>-<last>.parquet

Batches are numbered as they are published. A merged file holds every batch of its folder from first to
last, so a file whose range lies inside another's of the same writer has been replaced by it. Between the
publication of a merged file and the removal of what it replaces, the names alone tell readers which rows to
skip: at every instant each row is in exactly one file that counts, and a crash in between changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import re
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

logger = logging.getLogger("skewcheck.serving")

ROWS_PER_FILE = 122_880
"""Rows after which a file is not merged any further: one row group of DuckDB's."""

_FAN_IN = 32
_IDLE_SECONDS = 10.0
_STALE_SECONDS = 3600.0
_NAME = re.compile(r"(?P<writer>.+)-(?P<first>[0-9]{8,})-(?P<last>[0-9]{8,})\.parquet")


class Segment(NamedTuple):
    """What a file's name says: who wrote it, and the numbers of the first and last batch that it holds."""

    writer: str
    first: int
    last: int

    @property
    def file_name(self) -> str:
        """The name of the file that holds these batches."""
        return f"{self.writer}-{self.first:08d}-{self.last:08d}.parquet"


def parse_name(file_name: str) -> Segment | None:
    """Read a file's name; None if no log writer gave it."""
    match = _NAME.fullmatch(file_name)
    return Segment(match["writer"], int(match["first"]), int(match["last"])) if match else None


def name_writer() -> str:
    """A name for one writer in one process that no other writer has had or will have."""
    host = re.sub(r"[^A-Za-z0-9._]+", "_", socket.gethostname()).lstrip(".") or "host"
    return f"{host}-{os.getpid()}-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def find_replaced(file_names: Iterable[str]) -> set[str]:
    """The files among those of one folder whose rows are all in another of them."""
    segments = sorted(
        ((segment, name) for name in file_names if (segment := parse_name(name))),
        key=lambda pair: (pair[0].writer, pair[0].first, -pair[0].last),
    )
    replaced = set()
    cover: Segment | None = None
    for segment, name in segments:
        if cover and cover.writer == segment.writer and segment.last <= cover.last:
            replaced.add(name)
        else:
            cover = segment
    return replaced


def publish(table: pa.Table, path: Path, *, durable: bool = False) -> None:
    """Write a table as a Parquet file that appears under its name whole, or not at all.

    Args:
        table: The rows.
        path: Where the file shall appear. Missing folders are made.
        durable: Wait until the file is on the disk, so that it survives a power cut too.

    Raises:
        OSError: The file could not be written; nothing is left behind.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.tmp")
    # A dictionary would fold different NaNs into one; numbers in the log are evidence and stay as they are.
    texts = [column.name for column in table.schema if column.type == pa.string()]
    try:
        with pa.OSFile(os.fspath(beside), "wb") as sink:
            pq.write_table(
                table,
                sink,
                row_group_size=ROWS_PER_FILE,
                use_dictionary=texts,
                compression="zstd" if durable else "snappy",
            )
        if durable:
            _sync(beside)
        beside.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
    if durable:
        _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass
class _Part:
    segment: Segment
    rows: int
    level: int = 0


@dataclass
class _Folder:
    parts: list[_Part] = field(default_factory=list)
    touched: float = 0.0


class Merger:
    """Merges one writer's files in the background, so that quiet hours and busy ones end up as few files.

    Files of a folder are merged by the 32, then the merged ones by the 32, and so on; all of a folder's
    together once they hold `rows_per_file` rows, once another folder is being written, or at the end. A merge
    that fails leaves its files as they are, for good: they are many, but complete.

    Args:
        root: The service's folder. What a crashed writer left half removed in it is removed at the start.
        rows_per_file: Rows at which a file is not merged any further.
        watch: Called about once a second.
    """

    def __init__(self, root: Path, rows_per_file: int = ROWS_PER_FILE, watch: Callable[[], None] | None = None) -> None:
        self.busy = threading.Lock()
        self._root = root
        self._rows_per_file = rows_per_file
        self._watch = watch
        self._inbox: queue.SimpleQueue[tuple[Path, Segment, int] | None] = queue.SimpleQueue()
        self._stopping = False
        self._folders: dict[Path, _Folder] = {}
        self._current: Path | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, if it has not been started."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name="skewcheck-log-merger", daemon=True)
            thread.start()
            self._thread = thread

    def add(self, folder: Path, segment: Segment, rows: int) -> None:
        """Tell of a file that has just been published; returns at once."""
        self._inbox.put((folder, segment, rows))

    def stop(self, timeout: float) -> None:
        """Merge what is open, then end the thread; wait for that at most `timeout` seconds."""
        self._stopping = True
        self._inbox.put(None)
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        with self.busy:
            _guard(remove_leftovers, self._root)
        watched = time.monotonic()
        while True:
            published = None
            with contextlib.suppress(queue.Empty):
                published = self._inbox.get(timeout=1.0)
            with self.busy:
                if published is not None:
                    _guard(self._take, *published)
                elif self._stopping and self._inbox.empty():
                    for folder in list(self._folders):
                        _guard(self._close, folder)
                    return
                _guard(self._close_idle)
                if self._watch is not None and time.monotonic() - watched >= 1.0:
                    watched = time.monotonic()
                    _guard(self._watch)

    def _take(self, folder: Path, segment: Segment, rows: int) -> None:
        self._current = folder
        open_folder = self._folders.setdefault(folder, _Folder())
        open_folder.touched = time.monotonic()
        parts = open_folder.parts
        parts.append(_Part(segment, rows))
        if sum(part.rows for part in parts) >= self._rows_per_file:
            self._close(folder)
            return
        while len(parts) >= _FAN_IN and parts[-_FAN_IN].level == parts[-1].level:
            taken = parts[-_FAN_IN:]
            del parts[-_FAN_IN:]
            parts.append(_merge(folder, taken))

    def _close_idle(self) -> None:
        long_ago = time.monotonic() - _IDLE_SECONDS
        for folder, open_folder in list(self._folders.items()):
            if folder != self._current and open_folder.touched < long_ago:
                self._close(folder)

    def _close(self, folder: Path) -> None:
        parts = self._folders.pop(folder).parts
        if len(parts) > 1:
            _merge(folder, parts)


def _guard(action: Callable[..., None], *arguments: Any) -> None:
    """Run one step of the background work; whatever goes wrong in it is said, and the work goes on."""
    try:
        action(*arguments)
    except Exception as error:
        logger.warning("Merging log files failed; they stay as they are: %s", error)


def _merge(folder: Path, parts: list[_Part]) -> _Part:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sources = [folder / part.segment.file_name for part in parts]
    tables = []
    for source in sources:
        with pa.OSFile(os.fspath(source), "rb") as file:
            tables.append(pq.ParquetFile(file).read(use_threads=False))
    table = pa.concat_tables(tables)
    merged = Segment(parts[0].segment.writer, parts[0].segment.first, parts[-1].segment.last)
    publish(table, folder / merged.file_name, durable=True)
    for source in sources:
        with contextlib.suppress(OSError):  # still there, but replaced: its name says so
            source.unlink()
    return _Part(merged, table.num_rows, max(part.level for part in parts) + 1)


def remove_leftovers(root: Path) -> None:
    """Remove what crashed writers left under `root`: replaced files, and files begun over an hour ago."""
    for folder, _, names in os.walk(root):
        replaced = find_replaced(names)
        kept = [name for name in names if name not in replaced]
        if replaced and all(_is_readable(Path(folder, name)) for name in kept if parse_name(name)):
            for name in replaced:
                Path(folder, name).unlink(missing_ok=True)
        for name in names:
            begun = Path(folder, name)
            if name.startswith(".") and name.endswith(".tmp") and parse_name(name[1:-4]):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - begun.stat().st_mtime > _STALE_SECONDS:
                        begun.unlink()


def _is_readable(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_metadata(os.fspath(path))
    except (OSError, pa.ArrowException):
        return False
    return True
