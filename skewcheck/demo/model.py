"""The demo's model: trained on half a year, with what the store knew then, asked in July. Part of the demo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.engines.sql import quote_text
from skewcheck.serving.reader import open_log
from skewcheck.store.training_set import write_training_set

if TYPE_CHECKING:
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier

    from skewcheck.generate.manifest import Manifest
    from skewcheck.language.declaration import Service
    from skewcheck.store.repository import Repository

LABEL = "arrived_late"


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


def train(repository: Repository, service: Service, manifest: Manifest, out: Path, *, end: str | None = None) -> Model:
    """Write the service's training set, and train on its features.

    The features are those known at the time of each flight, by the same declaration and statistics as in serving. The
    rows are those that the declared filter keeps and that have an outcome: a diverted flight arrives nowhere.

    Args:
        repository: The feature repo.
        service: The service.
        manifest: What is generated of it.
        out: The folder for the training set.
        end: Another day than declared that no longer counts.

    Raises:
        SkewcheckError: The training set could not be written.
    """
    write_training_set(repository, service, out, row_id="request_id", end=end)
    labels = pq.read_table(out / "labels.parquet").column(LABEL)
    features = pq.read_table(out / "features.parquet").filter(labels.is_valid())
    names = tuple(feature.name for feature in manifest.features)
    return fit_model(features, labels.drop_null(), names, f"{manifest.definition[:12]}-{manifest.state[:12]}")


def fit_model(features: pa.Table, late: pa.ChunkedArray, names: tuple[str, ...], version: str) -> Model:
    """A classifier of rows of features.

    Args:
        features: The features, a row for each flight.
        late: Whether each arrived late.
        names: The features to learn from, in their order.
        version: What the model is called.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    matrix = make_matrix({name: features.column(name).to_pylist() for name in names}, names)
    classifier = HistGradientBoostingClassifier(max_iter=25, learning_rate=0.2, random_state=0, early_stopping=False)
    classifier.fit(matrix, late.to_numpy())
    return Model(classifier, names, version, features.num_rows)


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
