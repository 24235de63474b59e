"""A repo whose one service reads nothing but its requests, with a log that another program wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

DECLARATION = '''"""What is paid."""

from feast import Field, RequestSource
from feast.types import Float64, String

import skewcheck as sk

payment = RequestSource(
    name="payment",
    schema=[Field(name="amount", dtype=Float64, tags={"unit": "EUR"}), Field(name="country", dtype=String)],
)
payments = sk.features("payments", sources=[payment], training=sk.TrainingSet(entities="training.parquet"))


@payments.trained_on
def has_an_amount(amount):
    """A payment of 0 buys nothing."""
    return amount > 0


@payments.feature
def doubled(amount):
    """Twice the amount."""
    return amount * 2


@payments.feature
def country_code(country):
    """Place of the country."""
    return country.vocabulary()
'''


def write_foreign_repository(folder: Path, *, rows: int = 20, wrong: int = 0) -> Path:
    """Declare, fit, generate, and write a log in `log/`; the first `wrong` rows were served with another `doubled`."""
    from skewcheck.fit.fitting import fit
    from skewcheck.generate.generation import generate
    from skewcheck.store.repository import generated_directory, load_repository
    from skewcheck.store.training import retrieve_training_set

    root = folder / "repo"
    (root / "features").mkdir(parents=True)
    (root / "log").mkdir()
    (root / "feature_store.yaml").write_text("project: payments\nprovider: local\nregistry: registry.db\n")
    (root / "features" / "payments.py").write_text(DECLARATION)
    training = {"amount": [1.0, 2.0, 4.0], "country": ["FR", "FR", "DE"]}
    pq.write_table(pa.table(training), root / "training.parquet")
    repository = load_repository(root)
    service = repository.service("payments")
    sources = retrieve_training_set(repository, service, folder / "rows.parquet").sources
    state = fit(service, folder / "rows.parquet", sources)
    directory = generated_directory(root, "payments")
    state.write(directory / "state.json")
    generate(service, state, repository.places, {}).write(directory)
    write_log(root / "log" / "march.parquet", rows, wrong)
    return root


def write_log(path: Path, rows: int, wrong: int = 0) -> None:
    """A log with plain names, an hour between two requests."""
    start = datetime(2025, 3, 1, tzinfo=UTC)
    columns = {
        "request_id": pa.array([f"r{row}" for row in range(rows)], pa.string()),
        "requested_at": pa.array([start + timedelta(hours=row) for row in range(rows)], pa.timestamp("us", tz="UTC")),
        "amount": pa.array([float(row) for row in range(rows)], pa.float64()),
        "country": pa.array(["DE"] * rows, pa.string()),
        "doubled": pa.array([row * 2.0 + (row < wrong) for row in range(rows)], pa.float64()),
        "country_code": pa.array([2] * rows, pa.int64()),
    }
    pq.write_table(pa.table(columns), path)
