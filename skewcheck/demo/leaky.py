"""The demo's leak: the same windows by the schedule alone, what they promise offline and what they deliver.

A flight of the last 24 hours counts whether or not it has landed. It is what comes of a window over a table of
finished flights: offline the delay of a plane that is still in the air stands in the same row as its schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from rich.console import Console

from skewcheck.demo.model import LABEL, Model, fit_model, make_matrix
from skewcheck.demo.narration import Narrator
from skewcheck.demo.serving import JULY, WINDOWED_VIEWS
from skewcheck.demo.world import make_world
from skewcheck.engines.session import open_session
from skewcheck.engines.sql import quote_name
from skewcheck.errors import LeakageError
from skewcheck.generate.manifest import Manifest, read_manifest
from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set
from skewcheck.store.training_set import write_training_set

if TYPE_CHECKING:
    from skewcheck.language.declaration import Service

SERVICE = "departure_delay"
TIMESTAMP = "event_timestamp"


@dataclass(frozen=True, slots=True)
class Promise:
    """Areas under the ROC curve over July's flights that arrived.

    Attributes:
        offline: Of the model with the leak, on values that leak too: what its team is promised.
        delivered: Of the same model, on what was known: what its users get.
        honest: Of the model that was trained on what was known, on what was known.
        flights: How many flights.
    """

    offline: float
    delivered: float
    honest: float
    flights: int


def run_leaky(root: Path, console: Console) -> int:
    """Let the guard refuse the leak, and measure what it is worth.

    Args:
        root: The repo, which is the working directory.
        console: Where to tell it.

    Returns:
        0 where the guard refused exactly the features of the windows, otherwise 1.

    Raises:
        SkewcheckError: A step could not be completed.
    """
    narrator = Narrator(console, 3)
    narrator.say("What if the windows counted flights that have not landed yet?\n", style="bold")
    with narrator.step("Read January to July with both kinds of windows") as results:
        make_world(root / "data")
        repository = load_repository(root)
        service = repository.service(SERVICE)
        known = read_known(repository, service)
        leaking = read_by_schedule(repository, service, known)
        results.append(f"{known.num_rows:,} flights")
    with narrator.step("Ask for the training set with the windows by the schedule") as results:
        refusal = ask_for_training_set(repository, service, leaking)
        results += ["refused"] if refusal else ["not refused"]
    narrator.say(f"\n{refusal}\n" if refusal else "\nThe leakage guard let it pass.\n")
    with narrator.step("Train with it all the same, and without it") as results:
        manifest = read_manifest(generated_directory(root, SERVICE) / "manifest.json")
        promise = measure_promise(root, manifest, known, leaking)
        results.append(f"AUC over the {promise.flights:,} flights of July that arrived")
    narrator.say()
    narrator.say(f"  promised   {promise.offline:.3f}   with the leak, measured offline")
    narrator.say(f"  delivered  {promise.delivered:.3f}   the same model on what is known when it is asked")
    narrator.say(f"  honest     {promise.honest:.3f}   trained on what was known, on what is known")
    narrator.say(f"\n{narrator.seconds:.0f} s in all")
    return 0 if refusal else 1


def read_known(repository: Repository, service: Service) -> pa.Table:
    """The flights from January to July that arrived, with what the store knew when each was asked about."""
    with TemporaryDirectory() as folder:
        rows = retrieve_training_set(repository, service, Path(folder) / "rows.parquet", end=JULY[1]).table
    return rows.filter(rows.column(LABEL).is_valid())


def read_by_schedule(repository: Repository, service: Service, known: pa.Table) -> pa.Table:
    """The same flights with windows in which a flight counts from its scheduled hour on, landed or not."""
    columns = {
        view: [feature.name for feature in service.sources.windows[view].features if feature.name in known.column_names]
        for view in WINDOWED_VIEWS
    }
    values, _ = retrieve(repository, service, columns, known, TIMESTAMP, as_of="event")
    rows = known
    for name in (name for names in columns.values() for name in names):
        rows = rows.set_column(rows.column_names.index(name), name, values.column(name))
    return rows


def ask_for_training_set(repository: Repository, service: Service, leaking: pa.Table) -> str | None:
    """What the leakage guard says of training rows that have the windows already; None where it lets them pass."""
    stored = {name for name, column in service.sources.columns.items() if column.role == "store"}
    windows = {feature.name for view in WINDOWED_VIEWS for feature in service.sources.windows[view].features}
    with TemporaryDirectory() as folder:
        rows = Path(folder) / "flights_with_windows.parquet"
        pq.write_table(leaking.drop_columns([name for name in leaking.column_names if name in stored - windows]), rows)
        try:
            write_training_set(repository, service, Path(folder) / "set", entities=str(rows), row_id="request_id")
        except LeakageError as error:
            return str(error).replace(str(rows), rows.name)
    return None


def measure_promise(root: Path, manifest: Manifest, known: pa.Table, leaking: pa.Table) -> Promise:
    """Train on January to June with the leak and without it, and measure both in July.

    Args:
        root: The repo.
        manifest: The service, whose generated query computes the features.
        known: The flights, with what was known.
        leaking: The same flights, with the leak.
    """
    query = (generated_directory(root, manifest.service) / "features.sql").read_text(encoding="utf-8")
    with_leak, without = (_compute_features(query, manifest, rows) for rows in (leaking, known))
    names = tuple(feature.name for feature in manifest.features)
    models = [
        fit_model(training, training.column(LABEL), names, version)
        for version, training in (("leaky", _in_july(with_leak, False)), ("honest", _in_july(without, False)))
    ]
    july_with_leak, july = _in_july(with_leak, True), _in_july(without, True)
    return Promise(
        offline=_auc(models[0], july_with_leak),
        delivered=_auc(models[0], july),
        honest=_auc(models[1], july),
        flights=july.num_rows,
    )


def _compute_features(query: str, manifest: Manifest, rows: pa.Table) -> pa.Table:
    names = ", ".join(quote_name(name) for name in (TIMESTAMP, LABEL, *(item.name for item in manifest.features)))
    with open_session() as connection:
        connection.register("inputs", rows)
        return connection.execute(f"SELECT {names} FROM ({query}) ORDER BY request_id").to_arrow_table()


def _in_july(rows: pa.Table, inside: bool) -> pa.Table:
    first = pa.scalar(f"{JULY[0]}T00:00:00Z").cast(pa.timestamp("us", tz="UTC"))
    july = pc.greater_equal(rows.column(TIMESTAMP), first)
    return rows.filter(july if inside else pc.invert(july))


def _auc(model: Model, rows: pa.Table) -> float:
    from sklearn.metrics import roc_auc_score

    matrix = make_matrix({name: rows.column(name).to_pylist() for name in model.features}, model.features)
    return float(roc_auc_score(rows.column(LABEL).to_numpy(), model.classifier.predict_proba(matrix)[:, 1]))
