"""July, served twice with the clock of the data: through Feast, and by the legacy service. Part of the demo.

Time is the data's own. On every full hour jobs load the weather that has just been published and refresh the windows of
arrivals; requests of one minute come together; each is logged under the time at which it was made.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from skewcheck.demo.faults import Fault
from skewcheck.demo.legacy import REQUEST_FIELDS, LegacyService, read_handover
from skewcheck.demo.refreshing import WINDOW, WindowJob
from skewcheck.engines.sql import quote_text
from skewcheck.errors import SkewcheckError
from skewcheck.generate.log_schema import log_schema
from skewcheck.generate.manifest import Manifest
from skewcheck.serving.retrieval import ServingStore
from skewcheck.serving.writer import LogWriter

if TYPE_CHECKING:
    from feast import FeatureStore

    from skewcheck.demo.model import Model
    from skewcheck.demo.world import World

Row = dict[str, Any]
Advance = Callable[[int], None]
"""Told how many more requests have been served."""

JUNE = ("2013-06-01", "2013-07-01")
JULY = ("2013-07-01", "2013-08-01")
AFTER = "2013-08-02"
"""By when every flight of July has been asked about."""
WINDOWED_VIEWS = ("airline_arrivals", "plane_arrivals")


def read_requests(world: World, span: tuple[str, str]) -> list[Row]:
    """The requests for flights of a span, in the order of their time.

    Args:
        world: Where they are.
        span: The first day by the schedule in New York, and the first day after it.
    """
    scheduled = "timezone('America/New_York', scheduled_departure)"
    first, after = (quote_text(day) for day in span)
    return _read(
        world.departures, f"WHERE {scheduled} >= {first} AND {scheduled} < {after} ORDER BY event_timestamp, request_id"
    )


def serve_generated(
    store: FeatureStore,
    manifest: Manifest,
    generated: Path,
    world: World,
    requests: Sequence[Row],
    model: Model,
    folder: Path,
    advance: Advance,
) -> None:
    """Serve requests through Feast's online store, where the generated transform is registered.

    Args:
        store: The store, with the service registered.
        manifest: The service.
        generated: The folder with the generated updaters.
        world: Where the planes, the weather and the arrivals come from.
        requests: What is asked, in the order of time.
        model: Answers each request.
        folder: Where the log goes.
        advance: Told of progress.

    Raises:
        SkewcheckError: A row was dropped from the log.
    """
    import pandas as pd

    store.write_to_online_store("plane", pd.read_parquet(world.planes))
    readings = dict(iter(pd.read_parquet(world.weather).groupby("created")))
    jobs = make_window_jobs(store, manifest, generated, world, requests)
    with LogWriter(log_schema(manifest), folder) as writer:
        serving = ServingStore(store, manifest.service, writer.schema, writer, model_version=model.version)
        for hour, in_hour in groupby(requests, key=lambda row: row["event_timestamp"].replace(minute=0)):
            store.write_to_online_store("weather", readings[pd.Timestamp(hour)])
            for job in jobs:
                job.refresh(hour)
            for minute, rows in _by_minute(in_hour):
                serving.get_predictions(
                    [_select(row, (*manifest.keys, *REQUEST_FIELDS)) for row in rows],
                    model.predict,
                    request_ids=[row["request_id"] for row in rows],
                    requested_at=minute,
                )
                advance(len(rows))
    _check_log(writer, len(requests))


def make_window_jobs(
    store: FeatureStore, manifest: Manifest, generated: Path, world: World, requests: Sequence[Row]
) -> list[WindowJob]:
    """The jobs that keep the windows fresh while requests are served.

    Args:
        store: The store, with the service registered.
        manifest: The service.
        generated: The folder with the generated updaters.
        world: Where the arrivals come from.
        requests: What will be asked, in the order of time. The schedule is known, so all its keys are.
    """
    first, last = (requests[place]["event_timestamp"].astimezone(UTC) for place in (0, -1))
    span = (
        f"event_timestamp >= {quote_text((first - WINDOW).isoformat())} AND created <= {quote_text(last.isoformat())}"
    )
    landings = _read(world.arrivals, f"WHERE {span} ORDER BY created")
    keys = {view.name: tuple(view.keys) for view in manifest.views}
    return [WindowJob(store, generated, view, keys[view], landings, requests) for view in WINDOWED_VIEWS]


def serve_legacy(
    service: LegacyService,
    manifest: Manifest,
    requests: Sequence[Row],
    model: Model,
    folder: Path,
    advance: Advance,
) -> None:
    """Serve requests by the legacy service, for the same model; it logs inputs, what it read, and what it served.

    Args:
        service: The service.
        manifest: What it is meant to serve.
        requests: What is asked, in the order of time.
        model: Answers each request.
        folder: Where the log goes.
        advance: Told of progress.

    Raises:
        SkewcheckError: A row was dropped from the log.
    """
    with LogWriter(log_schema(manifest), folder) as writer:
        for minute, rows in _by_minute(requests):
            answers = [service.answer(row, minute) for row in rows]
            predictions = model.predict([answer.features for answer in answers])
            for row, answer, prediction in zip(rows, answers, predictions, strict=True):
                writer.log_request(
                    request_id=row["request_id"],
                    requested_at=minute,
                    model_version=model.version,
                    keys=_select(row, manifest.keys),
                    request=_select(row, REQUEST_FIELDS),
                    store=answer.store,
                    event_times=answer.event_times,
                    features=answer.features,
                    prediction=prediction,
                )
            advance(len(rows))
    _check_log(writer, len(requests))


def make_legacy_service(world: World, generated: Path, faults: Collection[Fault] = frozenset(Fault)) -> LegacyService:
    """The legacy service with its caches filled.

    Args:
        world: Where its weather, planes, flights and arrivals come from.
        generated: The folder with the frozen state, which holds the numbers that it was given.
        faults: Which faults are in it.
    """
    return LegacyService(
        read_handover(generated / "state.json"),
        _read(world.weather),
        _read(world.planes),
        _read(world.arrivals, f"WHERE created >= {quote_text(JUNE[0])} AND created < {quote_text(AFTER)}"),
        [row["dest"] for row in read_requests(world, JUNE)],
        faults,
    )


def _read(path: Path, rest: str = "") -> list[Row]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.sql(f"SELECT * FROM read_parquet({quote_text(str(path))}) {rest}").to_arrow_table()
    return rows.to_pylist()


def _by_minute(rows: Any) -> Iterator[tuple[datetime, list[Row]]]:
    for minute, together in groupby(rows, key=lambda row: row["event_timestamp"]):
        yield minute, list(together)


def _select(row: Mapping[str, Any], names: Collection[str]) -> Row:
    return {name: row[name] for name in names}


def _check_log(writer: LogWriter, served: int) -> None:
    counts = writer.statistics()
    if counts["written"] != served or counts["unknown_columns"]:
        raise SkewcheckError(
            f"the log in {writer.root} holds {counts['written']:,} of {served:,} requests: {counts}",
            remedy="Free space on the disk, or run the demo while the machine does less.",
        )
