"""A feature repo whose service reads windows: payments of a shop's customers, some of them known late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.fit.fitting import fit
from skewcheck.generate.generation import generate, load_row_module
from skewcheck.language.windows.declaration import Windows
from skewcheck.language.windows.meaning import Event, evaluate
from skewcheck.store.as_of import AsOf
from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set

START = datetime(2024, 3, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")

STORE = """
project: shop
provider: local
registry: {registry_type: file, path: data/registry.db}
online_store: {type: sqlite, path: data/online.db}
offline_store: {type: duckdb}
entity_key_serialization_version: 3
"""

FEATURES = '''
from feast import Entity, Field, FileSource, RequestSource, ValueType
from feast.types import Float64, Int64, String, UnixTimestamp

import skewcheck as sk

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)

payments = sk.events(
    "payments",
    source=FileSource(
        path="data/paid/*.parquet", timestamp_field="paid_at", created_timestamp_column="created",
        field_mapping={"paid": "amount"},
    ),
    by=customer,
    schema=[Field(name="amount", dtype=Float64, tags={"unit": "EUR"}), Field(name="country", dtype=String)],
)

activity = sk.windows("customer_activity", payments)


@activity.feature
def payments_1h():
    """How often the customer paid in the last hour."""
    return payments.count("1h")


@activity.feature
def spent_7d(amount):
    """What the customer paid in the last seven days."""
    return amount.sum("7d")


@activity.feature
def spread_7d(amount):
    return amount.standard_deviation("7d")


@activity.feature
def last_country(country):
    return country.last("unbounded")


@activity.feature
def last_two(amount):
    return amount.last_k(2, "30d", fill=0.0)


payment = RequestSource(name="payment", schema=[Field(name="asked", dtype=Float64)])
rows = sk.TrainingSet("data/requests.parquet")
shop = sk.features("shop", sources=[activity, payment], training=rows)


@shop.feature
def share_of_week(asked, spent_7d):
    """The payment as a share of the last seven days."""
    return asked / spent_7d


@shop.feature
def paid_1h(payments_1h):
    return payments_1h


@shop.feature
def spread_z(spread_7d):
    return spread_7d.standardize()


@shop.feature
def country_code(last_country):
    return last_country.lower()


@shop.feature
def latest(last_two):
    return last_two.element(0)
'''


def day_file(root: Path, day: int) -> Path:
    """The file of the payments of a day."""
    return root / "data" / "paid" / f"{day:03}.parquet"


def payments_of(day: int, late: timedelta = timedelta(0)) -> list[dict[str, Any]]:
    """The payments of a day: each customer's every few hours, every fifth of them known a day later."""
    found = []
    for number in range(24):
        at = START + timedelta(days=day, hours=number, minutes=number)
        found.append(
            {
                "customer_id": number % 5,
                "paid_at": at,
                "created": at + (timedelta(days=1) if number % 5 == 2 else timedelta(seconds=number)) + late,
                "paid": None if number % 7 == 0 else 0.1 * number + day,
                "country": ("FR", "DE", None)[(number + day) % 3],
            }
        )
    return found


def write_day(root: Path, day: int, rows: Sequence[dict[str, Any]]) -> None:
    """Write the payments of a day."""
    columns = {
        "customer_id": pa.int64(),
        "paid_at": INSTANT,
        "created": INSTANT,
        "paid": pa.float64(),
        "country": pa.string(),
    }
    table = {name: pa.array([row[name] for row in rows], type_) for name, type_ in columns.items()}
    day_file(root, day).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(table), day_file(root, day))


def requests(count: int = 60) -> pa.Table:
    """Requests of customers, one of whom never paid, at odd hours."""
    places = range(count)
    return pa.table(
        {
            "customer_id": pa.array([place % 7 for place in places], pa.int64()),
            "event_timestamp": pa.array([START + timedelta(hours=5 * place, minutes=3) for place in places], INSTANT),
            "asked": pa.array([float(place) for place in places]),
        }
    )


def write_windowed_shop(root: Path, days: int = 12) -> Repository:
    """Write the repo's own files and its data."""
    (root / "features").mkdir(parents=True)
    (root / "feature_store.yaml").write_text(STORE)
    (root / "features" / "shop.py").write_text(FEATURES)
    for day in range(days):
        write_day(root, day, payments_of(day))
    pq.write_table(requests(), root / "data" / "requests.parquet")
    return load_repository(root)


def build_windowed_shop(root: Path, days: int = 12) -> Repository:
    """Write the repo, fit its service and generate its code."""
    repository = write_windowed_shop(root, days)
    service, training = repository.service("shop"), root / "data" / "training.parquet"
    sources = retrieve_training_set(repository, service, training).sources
    state = fit(service, training, sources)
    directory = generated_directory(root, "shop")
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    return repository


def serve(
    repository: Repository,
    delay: timedelta = timedelta(0),
    *,
    refresh: timedelta | None = None,
    asked: pa.Table | None = None,
    timed: bool = False,
    as_of: AsOf = "known",
) -> pa.Table:
    """A log of serving that read the windows' values of some time ago, and is faultless otherwise.

    Args:
        repository: The feature repo.
        delay: How long ago.
        refresh: How often the online store was refreshed, at whole multiples of it since 1970; all the time otherwise.
        asked: The requests.
        timed: Whether it logged as of when the values were.
        as_of: From when on an event counted.
    """
    asked, windows = requests() if asked is None else asked, windows_of(repository)
    names = [feature.name for feature in windows.features]
    instants = [instant - delay for instant in asked["event_timestamp"].to_pylist()]
    if refresh is not None:
        instants = [EPOCH + (instant - EPOCH) // refresh * refresh for instant in instants]
    served = asked.append_column("served_as_of", pa.array(instants, INSTANT))
    columns = {windows.name: names}
    stored, _ = retrieve(repository, repository.service("shop"), columns, served, "served_as_of", as_of=as_of)
    events = [instant.replace(microsecond=0) for instant in instants]
    times = {f"event_time.{windows.name}": pa.array(events, INSTANT)} if timed else {}
    text = (generated_directory(repository.root, "shop") / "row.py").read_text(encoding="utf-8")
    transform_row = load_row_module(text)["transform_row"]
    inputs = stored.append_column("asked", asked["asked"])
    features = [transform_row(row) for row in inputs.to_pylist()]
    return pa.table(
        {
            "request_id": [f"request-{place}" for place in range(asked.num_rows)],
            "requested_at": asked["event_timestamp"],
            "key.customer_id": asked["customer_id"],
            "request.asked": asked["asked"],
            **{f"store.{name}": stored[name] for name in names},
            **times,
            **{f"feature.{name}": pa.array([row[name] for row in features]) for name in features[0]},
        }
    )


def windows_of(repository: Repository) -> Windows:
    """The windows of the shop."""
    found: Windows = repository.service("shop").sources.windows["customer_activity"]
    return found


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970."""
    return (instant - EPOCH) // datetime.resolution


def expected_values(
    root: Path, windows: Windows, asked: Sequence[tuple[Any, datetime]], *, as_of: str = "known"
) -> list[dict[str, Any]]:
    """What the rule says of the events in the files, for customers and instants."""
    rows = pq.read_table(root / "data" / "paid").to_pylist()
    held: dict[int, list[Event]] = {}
    for row in rows:
        values = {"amount": row["paid"], "country": row["country"]}
        created = row["created"] if as_of == "known" else row["paid_at"]
        event = Event(microseconds(row["paid_at"]), microseconds(created), values)
        held.setdefault(row["customer_id"], []).append(event)
    return [
        {feature.name: evaluate(feature, held.get(customer, []), microseconds(at)) for feature in windows.features}
        for customer, at in asked
    ]
