"""The demo's model: trained through the feature store on half a year, asked in July. Part of the demo."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from skewcheck.engines.sql import literal_text, quote_name, quote_text
from skewcheck.errors import SkewcheckError
from skewcheck.serving.reader import open_log

if TYPE_CHECKING:
    import numpy as np
    from feast import FeatureStore
    from sklearn.ensemble import HistGradientBoostingClassifier

    from skewcheck.generate.manifest import Manifest
    from skewcheck.language.declaration import Service

LABEL = "arrived_late"
_ROW = "training_row"


@dataclass(frozen=True)
class Model:
    """A fitted classifier with the features that it reads, in their order.

    Attributes:
        classifier: Gives the probability that a flight arrives late.
        features: The names of the features.
        version: What it was trained on: the hashes of the definition and the state.
        rows: How many flights it was trained on.
    """

    classifier: HistGradientBoostingClassifier
    features: tuple[str, ...]
    version: str
    rows: int

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> list[float]:
        """The probability of a late arrival for the features of each request."""
        matrix = make_matrix({name: [row[name] for row in rows] for name in self.features}, self.features)
        return self.classifier.predict_proba(matrix)[:, 1].tolist()


def make_matrix(columns: Mapping[str, Sequence[Any]], names: Sequence[str]) -> np.ndarray:
    """What the classifier reads, made the same way for training and for serving.

    A number is a column, true and false are 1 and 0, a vector is a column for each element, and what is missing is NaN,
    which the classifier knows how to treat.

    Args:
        columns: For each feature its values, one for each row.
        names: The features in the order of the columns.
    """
    import numpy as np

    return np.column_stack([np.array(columns[name], dtype=np.float64) for name in names])


def train(store: FeatureStore, service: Service, manifest: Manifest, root: Path) -> Model:
    """Train on the declared training rows, with features from the registered on-demand view.

    Feast joins what was known at the time of each flight and runs the generated transform on it. The rows are those
    that the declared filter keeps and that have an outcome: a diverted flight arrives nowhere.

    Raises:
        SkewcheckError: The store did not return exactly the rows that were asked for.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    flights = _read_training_flights(service, manifest, root)
    asked = flights.drop_columns([LABEL]).append_column(_ROW, pa.array(range(flights.num_rows))).to_pandas()
    with contextlib.chdir(root):  # Feast's DuckDB store looks for relative paths here
        job = store.get_historical_features(
            asked, features=store.get_feature_service(service.name), filter_by_created_timestamp=True
        )
        found = job.to_arrow().sort_by(_ROW)
    if found.column(_ROW).to_pylist() != list(range(flights.num_rows)):
        raise SkewcheckError(
            f"the store returned {found.num_rows:,} rows for {flights.num_rows:,} flights",
            remedy="Remove the folder data/ and run the demo again.",
        )
    names = tuple(feature.name for feature in manifest.features)
    matrix = make_matrix({name: found.column(name).to_pylist() for name in names}, names)
    classifier = HistGradientBoostingClassifier(max_iter=50, random_state=0, early_stopping=False)
    classifier.fit(matrix, flights.column(LABEL).to_numpy(zero_copy_only=False))
    return Model(classifier, names, f"{manifest.definition[:12]}-{manifest.state[:12]}", flights.num_rows)


def measure_auc(log: Path, departures: Path) -> tuple[float, int]:
    """How well the predictions in a log tell late flights from others.

    Args:
        log: The folder of the log.
        departures: The file with the outcomes.

    Returns:
        The area under the ROC curve over the flights that arrived (cancelled and diverted ones have no outcome), and
        the number of these.
    """
    from sklearn.metrics import roc_auc_score

    with duckdb.connect() as connection:
        outcomes = connection.execute(
            f"SELECT {LABEL}, prediction FROM read_parquet($files, hive_partitioning = false) "
            f"JOIN read_parquet({quote_text(str(departures))}) USING (request_id) WHERE {LABEL} IS NOT NULL",
            {"files": [str(file) for file in open_log(log).files]},
        ).fetchnumpy()
    return float(roc_auc_score(outcomes[LABEL], outcomes["prediction"])), len(outcomes[LABEL])


def _read_training_flights(service: Service, manifest: Manifest, root: Path) -> pa.Table:
    """The declared training rows that every rule of the filter keeps and that have an outcome."""
    training = service.training
    if training is None:
        raise SkewcheckError(f"service {service.name} declares no training rows", remedy="Restore features/.")
    request = [column.name for column in manifest.columns if column.role == "request"]
    names = ", ".join(quote_name(name) for name in (*manifest.keys, training.timestamp, *request, LABEL))
    rows = (
        f"SELECT * FROM read_parquet({quote_text(str(root / training.entities))}) WHERE {LABEL} IS NOT NULL "
        f"AND {quote_name(training.timestamp)} >= {literal_text(training.start)}::TIMESTAMPTZ "
        f"AND {quote_name(training.timestamp)} < {literal_text(training.end)}::TIMESTAMPTZ"
    )
    for rule in manifest.filters:
        rows = f'SELECT * EXCLUDE ("$kept") FROM (WITH inputs AS ({rows}) SELECT * FROM ({rule.query})) WHERE "$kept"'
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(f"SELECT {names} FROM ({rows})").to_arrow_table()
