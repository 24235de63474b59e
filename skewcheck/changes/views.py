"""Feature views of two versions: what their settings do to the values that are retrieved (room: changes).

A change that moves the answer of the point-in-time join is shown on the smallest source that tells the versions apart,
through the join itself.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.changes.snapshot import DeclaredService, Snapshot
from skewcheck.engines.execution import ARROW_TYPES
from skewcheck.engines.session import open_session
from skewcheck.language.types import parse_type
from skewcheck.store.as_of import join_as_of, read_answers
from skewcheck.store.repository import Repository

Settings = Mapping[str, Any]

START = datetime(2024, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LENGTHS = {"day": 86_400_000_000, "hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000, "µs": 1}
_MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class Scenario:
    """The smallest source on which two versions of a view answer differently.

    Attributes:
        times: The times of its one row, by the column.
        requested_at: When the view is asked.
        columns: The columns of the view that one version answers and the other does not.
        missing_in: "old" or "new": the version that answers nothing.
    """

    times: dict[str, datetime]
    requested_at: datetime
    columns: tuple[str, ...]
    missing_in: str


@dataclass(frozen=True, slots=True)
class ViewChange:
    """One way in which a view is not what it was.

    Attributes:
        rule: The rule that it breaks.
        view: The view's new name.
        message: What changed, in one sentence.
        columns: The columns whose values may be others.
        scenario: The source that shows it, where it moves the answer of the join.
        verdict: What it makes of the features that read those columns, where there is no scenario.
        rematerialise: Whether the online store holds what is no longer true.
    """

    rule: str
    view: str
    message: str
    columns: tuple[str, ...]
    scenario: Scenario | None = None
    verdict: str = "unknown"
    rematerialise: bool = True


@dataclass
class ViewComparison:
    """The changes of a service's views, and the old name of every view that was renamed."""

    changes: list[ViewChange] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)


def compare_views(old: DeclaredService, new: DeclaredService, before: Snapshot, after: Snapshot) -> ViewComparison:
    """How the views of a service differ between two versions, as far as both have their columns."""
    found = ViewComparison()
    pairs: dict[tuple[str, str], list[str]] = {}
    for name, column in new.columns.items():
        known = old.columns.get(name)
        if known is not None and column.source in new.views and known.source in old.views:
            pairs.setdefault((known.source, column.source), []).append(name)
    for (was, now), names in pairs.items():
        columns = tuple(names)
        changes = list(_compare(now, columns, old.views[was], new.views[now], before, after))
        if old.keys.get(was) != new.keys.get(now):
            keys = [", ".join(f"{k} ({t})" for k, t in s.keys.get(v, {}).items()) for s, v in ((old, was), (new, now))]
            said = f"view {now} is looked up by {keys[1]} instead of {keys[0]}"
            changes.append(ViewChange("VIEW_SAME_KEYS", now, said, columns, verdict="breaking"))
        if was != now:
            if changes or was in new.views:
                said = f"{', '.join(columns)} come from view {now} instead of {was}"
                changes.append(ViewChange("COLUMN_SAME_SOURCE", now, said, columns))
            else:
                said = f"view {was} is called {now}, and is the same otherwise"
                changes.append(ViewChange("VIEW_SAME_NAME", now, said, columns, verdict="equal"))
                found.renamed[now] = was
        found.changes += changes
    return found


def _compare(
    view: str, columns: tuple[str, ...], old: Settings, new: Settings, before: Snapshot, after: Snapshot
) -> Iterable[ViewChange]:
    timed = [key for key in ("ttl", "timestamp", "created") if old[key] != new[key]]
    scenario = _find_scenario(columns, old, new) if timed else None
    for key in timed:
        rule = f"VIEW_SAME_{key.upper()}"
        said = _SAYINGS[key].format(view=view, old=_say_setting(key, old[key]), new=_say_setting(key, new[key]))
        yield ViewChange(rule, view, said, columns, scenario, rematerialise=key == "timestamp")
    if moved := tuple(name for name in columns if _stored_name(old, name) != _stored_name(new, name)):
        said = f"view {view} reads {', '.join(moved)} from {', '.join(_stored_name(new, name) for name in moved)}"
        yield ViewChange("VIEW_SAME_COLUMNS", view, said, moved, Scenario({}, START + _MICROSECOND, moved, "new"))
    if (found := _compare_sources(view, old, new, before, after)) is not None:
        yield ViewChange("VIEW_SAME_SOURCE", view, found, columns)
    differing = sorted(
        key for key in {*old["settings"], *new["settings"]} if old["settings"].get(key) != new["settings"].get(key)
    )
    if differing:
        each = ", ".join(f"{key} {old['settings'].get(key)!r} → {new['settings'].get(key)!r}" for key in differing)
        yield ViewChange("VIEW_SAME_SETTINGS", view, f"view {view} has other settings: {each}", columns)


_SAYINGS = {
    "ttl": "view {view} keeps its rows for {new} instead of {old}",
    "timestamp": "view {view} takes the time of its rows from {new} instead of {old}",
    "created": "view {view} takes from {new} when its rows were known, instead of {old}",
}


def _say_setting(key: str, value: Any) -> str:
    return say_duration(value) if key == "ttl" else str(value or "no column")


def _find_scenario(columns: tuple[str, ...], old: Settings, new: Settings) -> Scenario | None:
    """The earliest request, and the times of one row, at which one version answers and the other does not."""
    names = list(dict.fromkeys(str(s[key]) for s in (old, new) for key in ("timestamp", "created") if s[key]))
    ttls = [settings["ttl"] for settings in (old, new) if settings["ttl"] is not None]
    for asked in sorted({1, *(ttl + more for ttl in ttls for more in (1, 3))}):
        for offsets in itertools.product((0, 2), repeat=len(names)):
            times = dict(zip(names, offsets, strict=True))
            answers = [_counts(settings, times, asked) for settings in (old, new)]
            if answers[0] != answers[1]:
                moments = {name: START + offset * _MICROSECOND for name, offset in times.items()}
                return Scenario(moments, START + asked * _MICROSECOND, columns, "new" if answers[0] else "old")
    return None


def _counts(settings: Settings, times: Mapping[str, int], asked: int) -> bool:
    """Whether a row counts at an instant, in microseconds: it is there, known, and not too old."""
    observed = times[settings["timestamp"]]
    known = max(observed, times[settings["created"]] if settings["created"] else observed)
    return known <= asked and (settings["ttl"] is None or asked - observed <= settings["ttl"])


def _stored_name(settings: Settings, name: str) -> str:
    """The column of the source that a field is read from."""
    return next((column for column, field_ in settings["mapping"].items() if field_ == name), name)


def _compare_sources(view: str, old: Settings, new: Settings, before: Snapshot, after: Snapshot) -> str | None:
    """What is to be said where two versions do not read the same source; None where they do."""
    if old["source"] == new["source"] and old["path"] == new["path"]:
        return None
    hashes = before.data.get(str(old["path"])), after.data.get(str(new["path"]))
    if _without(old["source"], old["path"]) == _without(new["source"], new["path"]):
        if hashes[0] is not None and hashes[0] == hashes[1]:
            return None
        seen = "another file lies there" if None not in hashes else "what lies there could not be compared"
        return f"view {view} reads {new['path']} instead of {old['path']}, and {seen}"
    return f"the source of view {view} has other settings"


def _without(value: Any, path: Any) -> Any:
    """Settings without the path itself, under whatever names it stands in them."""
    if isinstance(value, dict):
        return {key: _without(item, path) for key, item in value.items() if item != path}
    return value


def say_duration(microseconds: int | None) -> str:
    """A time to live in words."""
    if microseconds is None:
        return "ever"
    parts, rest = [], microseconds
    for name, length in _LENGTHS.items():
        count, rest = divmod(rest, length)
        parts += [f"{count:,} {name}{'' if count == 1 else 's'}"] if count else []
    return " ".join(parts)


def show_scenario(
    scenario: Scenario, view: str, service: DeclaredService, settings: Settings, stored: Mapping[str, Any]
) -> dict[str, Any]:
    """What one version of a view answers in a scenario, by the point-in-time join itself.

    Args:
        scenario: The source and the request.
        view: The view's name in this version.
        service: This version of the service.
        settings: This version of the view.
        stored: The row of the source.
    """
    keys = service.keys.get(view, {})
    entities = {
        key: SimpleNamespace(join_key=key, value_type=SimpleNamespace(name=_key_type(keys[key]))) for key in keys
    }
    with tempfile.TemporaryDirectory(prefix="skewcheck-") as folder, open_session() as connection:
        path = Path(folder, "source.parquet")
        pq.write_table(_tabulate(_without_twins(stored, settings), service), path)
        asked = {"#at": pa.array([scenario.requested_at], _MOMENT)}
        connection.register("requests", pa.table({**asked, **{key: pa.array([stored[key]]) for key in keys}}))
        stand_in = SimpleNamespace(
            name=view,
            entities=list(keys),
            entity_columns=[],
            features=[SimpleNamespace(name=name) for name in scenario.columns],
            ttl=None if settings["ttl"] is None else timedelta(microseconds=settings["ttl"]),
            batch_source=SimpleNamespace(
                path=str(path),
                timestamp_field=settings["timestamp"],
                created_timestamp_column=settings["created"],
                field_mapping=settings["mapping"],
            ),
        )
        answers = read_answers(connection, Repository(Path(folder), {}, {}, entities), stand_in, scenario.columns)
        joined = join_as_of(connection, "requests", [answers], instant="#at")
        (row,) = connection.execute(f"SELECT * FROM {joined}").to_arrow_table().to_pylist()
    return dict(row)


def store_row(
    scenario: Scenario, view: str, service: DeclaredService, old: Settings, new: Settings, inputs: Mapping[str, Any]
) -> dict[str, Any]:
    """The one row of a scenario's source, with the values that a version is to retrieve."""
    keys = {key: 1 if type_ == "Int64" else "a" for key, type_ in service.keys.get(view, {}).items()}
    times = {str(name): START for s in (old, new) for name in (s["timestamp"], s["created"]) if name}
    values: dict[str, Any] = {}
    for name in scenario.columns:
        present, absent = (new, old) if scenario.missing_in == "old" else (old, new)
        values[_stored_name(absent, name)] = None
        values[_stored_name(present, name)] = inputs[name]
    return {**keys, **times, **scenario.times, **values}


def _without_twins(stored: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The row as a source of one version can have it: no column under the name that its mapping gives to another."""
    mapping = settings["mapping"]
    return {name: value for name, value in stored.items() if name in mapping or name not in mapping.values()}


def _tabulate(stored: Mapping[str, Any], service: DeclaredService) -> pa.Table:
    mapping = {column: field_ for view in service.views.values() for column, field_ in view["mapping"].items()}
    columns = {}
    for name, value in stored.items():
        known = service.columns.get(mapping.get(name, name)) or service.columns.get(name)
        if isinstance(value, datetime):
            columns[name] = pa.array([value], _MOMENT)
        elif known is not None:
            columns[name] = pa.array([value], ARROW_TYPES[known.type.name])
        else:
            columns[name] = pa.array([value]) if value is not None else pa.array([None], pa.float64())
    return pa.table(columns)


def _key_type(text: str) -> str:
    return "INT64" if parse_type(text).name == "Int64" else "STRING"
