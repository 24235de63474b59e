"""The log's reader: which files make up a log, and can they be read as one (room: serving).

It reads footers only, and takes logs of any origin: a Parquet file without our metadata is a foreign log.
"""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from skewcheck.errors import LogError
from skewcheck.serving.schema import METADATA_KEY, NewerLogError, parse_metadata
from skewcheck.serving.segments import ROWS_PER_FILE, find_replaced, parse_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

_ATTEMPTS = 20
_SECONDS_UNTIL_MERGED = 3600.0


@dataclass(frozen=True)
class Log:
    """A log that can be read as one table.

    Attributes:
        files: The files that hold its rows, sorted; none of them repeats rows of another.
        unreadable: Files that cannot be read, each with the reason.
        ignore_unreadable: Whether the caller wants the log to count as complete without them.
        columns: Every column in any file, with the name of its Arrow type; a column that an older file lacks
            is missing (null) in its rows.
        lacking: For each column that some files lack, those files.
        service: The service that wrote it, or None for a foreign log.
        rows: Rows in all files, by their footers.
        version: The newest version of the log schema among the files, or None for a foreign log.
        unsettled: Those of the files that their writer may still merge into a larger one, and remove.
    """

    files: tuple[Path, ...]
    unreadable: tuple[tuple[Path, str], ...]
    ignore_unreadable: bool
    columns: dict[str, str]
    lacking: dict[str, tuple[Path, ...]]
    service: str | None
    rows: int
    version: int | None
    unsettled: tuple[Path, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether no file had to be left out, or leaving them out was asked for."""
        return self.ignore_unreadable or not self.unreadable


@dataclass(frozen=True)
class _Footer:
    path: Path
    rows: int
    columns: tuple[tuple[str, str], ...]
    service: str | None
    version: int | None


def open_log(path: str | os.PathLike[str], *, ignore_unreadable: bool = False) -> Log:
    """Find the files of a log and check that they can be read as one table.

    Args:
        path: A directory (searched for `*.parquet` to any depth), one file, or a glob.
        ignore_unreadable: Count the log as complete even when some files cannot be read; they are listed
            either way.

    Returns:
        The log, with at least one row.

    Raises:
        LogError: There is no such log, it has no rows, its files disagree about a column, it mixes services,
            or it was written by a newer skewcheck.
    """
    footers, unreadable = _read_footers(path)
    if not footers:
        raise _no_log(path, unreadable)
    rows = sum(footer.rows for footer in footers)
    if rows == 0:
        raise LogError(
            f"the log {os.fspath(path)} has no rows in {len(footers)} file(s)",
            remedy="Let serving log some requests first, or point to the folder that has them.",
        )
    columns, lacking = _unite_columns(footers)
    services = sorted({footer.service for footer in footers if footer.service is not None})
    if len(services) > 1:
        raise LogError(
            f"{os.fspath(path)} holds the logs of several services: {', '.join(services)}",
            remedy="Point to the folder of one of them.",
        )
    versions = [footer.version for footer in footers if footer.version is not None]
    return Log(
        files=tuple(footer.path for footer in footers),
        unreadable=tuple(unreadable),
        ignore_unreadable=ignore_unreadable,
        columns=columns,
        lacking=lacking,
        service=services[0] if services else None,
        rows=rows,
        version=max(versions, default=None),
        unsettled=tuple(
            footer.path for footer in footers if footer.rows < ROWS_PER_FILE and parse_name(footer.path.name)
        ),
    )


def hold_files(log: Log, folder: Path) -> tuple[Path, ...]:
    """The files of a log, to be read for as long as it takes while its writer goes on.

    Files that the writer may merge are linked into `folder`, or copied where that cannot be: at most a few hundred
    thousand rows for each writer. Those older than an hour have been merged unless nothing was served since.

    Args:
        log: A log that has just been opened.
        folder: An empty folder, to be removed by the caller.

    Raises:
        FileNotFoundError: A file was merged before it could be held; the log has to be opened again.
    """
    recent = time.time() - _SECONDS_UNTIL_MERGED
    unsettled = set(log.unsettled)
    files = []
    for number, path in enumerate(log.files):
        if path in unsettled and path.stat().st_mtime > recent:
            held = folder / f"{number:06}-{path.name}"
            try:
                os.link(path, held)
            except FileNotFoundError:
                raise
            except OSError:  # another disk, or a folder of somebody else's
                shutil.copyfile(path, held)
            files.append(held)
        else:
            files.append(path)
    return tuple(files)


def _no_log(path: str | os.PathLike[str], unreadable: list[tuple[Path, str]]) -> LogError:
    if unreadable:
        first, reason = unreadable[0]
        return LogError(
            f"none of the {len(unreadable)} file(s) of {os.fspath(path)} can be read; {first}: {reason}",
            remedy="Restore the files, or point to a log that is whole.",
        )
    return LogError(
        f"there is no log at {os.fspath(path)}: no *.parquet file was found",
        remedy="Give a directory of Parquet files, one such file, or a quoted glob like 'log/**/*.parquet'.",
    )


def _read_footers(path: str | os.PathLike[str]) -> tuple[list[_Footer], list[tuple[Path, str]]]:
    """Footers of the files that count. Where a live writer merges files meanwhile, the search starts over."""
    footers: dict[Path, _Footer] = {}  # a file never changes, so what was read before need not be read again
    for _ in range(_ATTEMPTS):
        candidates = _list_files(path)
        unreadable: list[tuple[Path, str]] = []
        try:
            for candidate in candidates:
                try:
                    footers[candidate] = footers.get(candidate) or _read_footer(candidate)
                except _Unreadable as error:
                    unreadable.append((candidate, str(error)))
        except FileNotFoundError:
            continue
        if _were_merged(candidates, _list_files(path)):
            continue
        kept = _drop_replaced(candidate for candidate in candidates if candidate in footers)
        return [footers[candidate] for candidate in kept], unreadable
    raise LogError(
        f"the files of the log {os.fspath(path)} keep vanishing while they are read",
        remedy="Try again, or read a copy of the log.",
    )


def _were_merged(before: list[Path], after: list[Path]) -> bool:
    """Whether files vanished or merged ones appeared between two listings: neither need be complete then."""
    appeared = [segment for path in set(after) - set(before) if (segment := parse_name(path.name))]
    return not set(before) <= set(after) or any(segment.first < segment.last for segment in appeared)


def _list_files(path: str | os.PathLike[str]) -> list[Path]:
    text = os.fspath(path)
    try:
        if Path(text).is_dir():
            return sorted(_walk(Path(text)))
        if Path(text).exists():
            return [Path(text)]
    except ValueError as error:  # a NUL in the path
        raise LogError(f"{text!r} cannot be a path: {error}", remedy="Check the path of the log.") from error
    found: set[Path] = set()
    for match in map(Path, glob.glob(text, recursive=True)):  # noqa: PTH207  # Path.glob takes no absolute pattern
        found.update(_walk(match) if match.is_dir() else [match] if not match.name.startswith(".") else [])
    return sorted(found)


def _walk(root: Path) -> Iterator[Path]:
    """The Parquet files in a folder, also behind links to other folders; each folder once, however often linked."""
    seen: set[Path] = set()
    for folder, folders, names in os.walk(root, followlinks=True):
        here = Path(folder).resolve()
        if here in seen or (seen and root.resolve().is_relative_to(here)):
            folders.clear()
            continue
        seen.add(here)
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(".parquet") and not name.startswith("."):
                yield Path(folder, name)


def _drop_replaced(paths: Iterable[Path]) -> list[Path]:
    folders: dict[Path, list[Path]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(path)
    kept = []
    for inside in folders.values():
        replaced = find_replaced(path.name for path in inside)
        kept += [path for path in inside if path.name not in replaced]
    return sorted(kept)


class _Unreadable(Exception):  # noqa: N818  # never leaves this module
    pass


def _read_footer(path: Path) -> _Footer:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.stat().st_size == 0:
            raise _Unreadable("the file is empty")
        with pa.OSFile(os.fspath(path), "rb") as source, pq.ParquetFile(source) as file:
            schema, rows, metadata = file.schema_arrow, file.metadata.num_rows, file.metadata.metadata or {}
    except FileNotFoundError as error:
        if path.is_symlink():
            raise _Unreadable(f"it is a link to {path.readlink()}, which is not there") from error
        raise
    except (OSError, pa.ArrowException, UnicodeError) as error:
        raise _Unreadable(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    columns = tuple((column.name, describe_type(column.type)) for column in schema)
    _check_case(path, [name for name, _ in columns])
    if METADATA_KEY not in metadata:
        return _Footer(path, rows, columns, None, None)
    try:
        document = parse_metadata(metadata[METADATA_KEY])
    except NewerLogError as error:
        raise LogError(f"{path}: {error.message}", remedy=error.remedy) from error
    except LogError as error:
        raise _Unreadable(error.message) from error
    return _Footer(path, rows, columns, document["service"], document["version"])


def describe_type(kind: pa.DataType) -> str:
    """The name of an Arrow type, but for what no query sees: dictionaries, long or viewed text."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return describe_type(kind.value_type)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return "binary"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return f"list<{describe_type(kind.value_type)}>"
    return str(kind)


def _check_case(path: Path, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise LogError(
                f"{path}: the column {name!r} is there twice, or another differs from it in case only",
                remedy="Rename one of them; SQL readers take them for one.",
            )
        seen.add(name.casefold())


def _unite_columns(footers: list[_Footer]) -> tuple[dict[str, str], dict[str, tuple[Path, ...]]]:
    """Every column with its type, and which files lack it. A column of nulls alone agrees with any type."""
    counts: dict[str, Counter[str]] = {}
    for footer in footers:
        for name, kind in footer.columns:
            counts.setdefault(name, Counter())[kind] += 1
    columns = {}
    for name, kinds in counts.items():
        typed = [kind for kind, _ in kinds.most_common() if kind != "null"]
        columns[name] = typed[0] if typed else "null"
    _check_case(footers[0].path.parent, list(columns))
    for footer in footers:
        for name, kind in footer.columns:
            if kind not in (columns[name], "null"):
                raise LogError(
                    f"{footer.path}: column {name!r} has the type {kind}; expected {columns[name]}, "
                    "as in the other files of this log",
                    remedy="Rewrite the file with that type, or audit the files of each type apart.",
                )
    holders = {footer.path: {name for name, _ in footer.columns} for footer in footers}
    lacking = {
        name: tuple(path for path, names in holders.items() if name not in names)
        for name in columns
        if counts[name].total() < len(footers)
    }
    return columns, lacking
