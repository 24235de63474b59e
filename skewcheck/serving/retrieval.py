"""A thin wrapper around Feast's online retrieval that logs for the replay (room: serving)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from skewcheck.serving.rows import LoggedRequest
from skewcheck.serving.schema import DEFINITION_TAG, STATE_TAG
from skewcheck.serving.writer import UNLOGGABLE, LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from feast import FeatureStore

    from skewcheck.serving.schema import LogSchema


class ServingStore:
    """Serves one feature service from a Feast online store and logs every row that it serves.

    The feature service must return the raw store fields beside the features, under the names in `schema`.
    It is looked up once, and with it the hashes of what is registered, which every row of the log carries: after a new
    registration, make a new `ServingStore`.

    Args:
        store: The Feast store.
        service: Name of the feature service.
        schema: What is served and logged.
        writer: Takes the log rows; None to serve without a log.
        model_version: Version of the model that the features go to.
        clock: Gives the time of a request, with time zone. Default: the system's.
    """

    def __init__(
        self,
        store: FeatureStore,
        service: str,
        schema: LogSchema,
        writer: LogWriter | None,
        model_version: str | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        from feast.protos.feast.serving.ServingService_pb2 import FieldStatus

        self._store = store
        self._feature_service = store.get_feature_service(service)
        self._schema = schema
        self._writer = writer
        self._clock = clock or _read_system_clock
        self._stamps = {
            "definition_hash": self._feature_service.tags.get(DEFINITION_TAG),
            "state_hash": self._feature_service.tags.get(STATE_TAG),
            "model_version": model_version,
        }
        self._status_names = {value: name for name, value in FieldStatus.items()}

    def get_features(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        request_ids: Sequence[str] | None = None,
        requested_at: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Serve features and log one row for each row asked for.

        Args:
            rows: Entity join keys and request inputs, by name.
            request_ids: One for each row. Default: random ones.
            requested_at: The time of the request, with time zone. Default: the clock's.

        Returns:
            For each row the features of the schema, by name; None is missing.

        Raises:
            Exception: Whatever Feast raises. Logging raises nothing.
        """
        answer = self._fetch(rows)
        self._log(answer, request_ids, requested_at, [])
        return answer.list_features(self._schema.features)

    def get_predictions(
        self,
        rows: Sequence[Mapping[str, Any]],
        predict: Callable[[list[dict[str, Any]]], Sequence[float]],
        *,
        request_ids: Sequence[str] | None = None,
        requested_at: datetime | None = None,
    ) -> list[float]:
        """Serve features, let the model answer, and log each prediction in the row of its features.

        Args:
            rows: Entity join keys and request inputs, by name.
            predict: The model: a list of features by name to one number for each.
            request_ids: One for each row. Default: random ones.
            requested_at: The time of the request, with time zone. Default: the clock's.

        Returns:
            One prediction for each row.

        Raises:
            Exception: Whatever Feast or the model raises; when the model does, the rows are logged without
                prediction.
        """
        answer = self._fetch(rows)
        predictions: list[float] = []
        try:
            predictions = list(predict(answer.list_features(self._schema.features)))
        finally:
            self._log(answer, request_ids, requested_at, predictions)
        return predictions

    def _fetch(self, rows: Sequence[Mapping[str, Any]]) -> _Answer:
        asked = [dict(row) for row in rows]
        response = self._store.get_online_features(features=self._feature_service, entity_rows=asked)
        return _Answer(asked, response.to_dict(), response.proto)

    def _log(
        self,
        answer: _Answer,
        request_ids: Sequence[str] | None,
        requested_at: datetime | None,
        predictions: list[float],
    ) -> None:
        if self._writer is None:
            return
        logged = 0
        try:
            when = requested_at or self._clock()
            for index in range(len(answer.asked)):
                request_id = uuid.uuid4().hex if request_ids is None else request_ids[index]
                prediction = predictions[index] if index < len(predictions) else None
                self._writer.log_later(partial(self._describe, answer, index, request_id, when, prediction))
                logged += 1
        except Exception as error:  # the log must never break serving
            lost = len(answer.asked) - logged
            self._writer.drop(lost, UNLOGGABLE, example=f"{type(error).__name__}: {error}")

    def _describe(
        self, answer: _Answer, index: int, request_id: str, requested_at: datetime, prediction: float | None
    ) -> LoggedRequest:
        """One row of the log, from one row of an answer. Runs behind the request path."""
        row, values = answer.asked[index], answer.values
        results = answer.results
        served_views = {
            view: next((results[name] for name in fields if name in results), None)
            for view, fields in self._schema.views.items()
        }
        return LoggedRequest(
            request_id,
            requested_at,
            **self._stamps,
            prediction=prediction,
            keys={name: row.get(name) for name in self._schema.keys},
            request={name: row.get(name) for name in self._schema.request},
            store={name: values[name][index] for name in self._schema.store if name in values},
            event_times={
                view: _read_time(result.event_timestamps[index])
                for view, result in served_views.items()
                if result is not None
            },
            statuses={
                name: self._status_names.get(results[name].statuses[index])
                for name in self._schema.store
                if name in results
            },
            features={name: values[name][index] for name in self._schema.features if name in values},
        )


class _Answer:
    """One answer of Feast's: what was asked, and values by name, each a list over the rows."""

    def __init__(self, asked: list[dict[str, Any]], values: dict[str, list[Any]], proto: Any) -> None:
        self.asked = asked
        self.values = values
        self._proto = proto

    @cached_property
    def results(self) -> dict[str, Any]:
        """Statuses and event times by name, each a list over the rows."""
        return dict(zip(self._proto.metadata.feature_names.val, self._proto.results, strict=True))

    def list_features(self, names: Iterable[str]) -> list[dict[str, Any]]:
        """Features for the caller to keep, a dictionary for each row; lists in them are copies."""
        absent = [None] * len(self.asked)
        columns = {name: self.values.get(name, absent) for name in names}
        return [
            {
                name: list(column[index]) if isinstance(column[index], list) else column[index]
                for name, column in columns.items()
            }
            for index in range(len(self.asked))
        ]


def _read_time(stamp: Any) -> datetime | None:
    """A protobuf timestamp; None for the epoch, which Feast gives when it knows no time."""
    if not stamp.seconds and not stamp.nanos:
        return None
    time: datetime = stamp.ToDatetime(tzinfo=UTC)
    return time


def _read_system_clock() -> datetime:
    return datetime.now(UTC)
