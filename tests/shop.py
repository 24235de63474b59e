"""A small feature repo that tests can fit, register, serve and audit in a second: payments of a shop's customers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.fit.fitting import fit
from skewcheck.generate.generation import generate, load_row_module
from skewcheck.store.point_in_time import retrieve
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set

START = datetime(2024, 3, 1, tzinfo=UTC)
INSTANT = pa.timestamp("us", tz="UTC")

STORE = """
project: shop
provider: local
registry:
  registry_type: file
  path: data/registry.db
online_store:
  type: sqlite
  path: data/online.db
offline_store:
  type: duckdb
entity_key_serialization_version: 3
"""

FEATURES = '''
from datetime import timedelta

from feast import Entity, FeatureView, Field, FileSource, RequestSource, ValueType
from feast.types import Bool, Float64, Int64, String, UnixTimestamp

import skewcheck as sk

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)

account = FeatureView(
    name="account",
    entities=[customer],
    schema=[
        Field(name="balance", dtype=Float64),
        Field(name="tier", dtype=String),
        Field(name="orders", dtype=Int64),
    ],
    source=FileSource(
        path="data/account.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"
    ),
    ttl=timedelta(days=30),
)

payment = RequestSource(
    name="payment",
    schema=[
        Field(name="amount", dtype=Float64),
        Field(name="country", dtype=String),
        Field(name="paid_at", dtype=UnixTimestamp),
    ],
)

rows = sk.TrainingSet("data/payments.parquet", labels=[Field(name="refunded", dtype=Bool)], end="2024-03-20")
shop = sk.features("shop", sources=[account, payment], training=rows)


@shop.trained_on
def settled(refunded):
    return ~refunded


@shop.trained_on
def positive(amount):
    return amount > 0


@shop.feature
def amount_z(amount):
    """Log-scaled, standardised."""
    return amount.log1p().standardize()


@shop.feature
def spending(amount, balance):
    """Share of the balance."""
    return amount / balance


@shop.feature
def tier_code(tier):
    return tier.vocabulary(size=2)


@shop.feature
def many_orders(orders):
    return orders > 3


@shop.feature
def orders_filled(orders):
    return orders.fill(-1)


@shop.feature
def local_hour(paid_at):
    return paid_at.hour("Europe/Paris")


@shop.feature
def country_one_hot(country):
    return country.one_hot(["FR", "DE"])


@shop.feature
def country_code(country):
    return country.strip().lower()
'''


def at(day: float) -> datetime:
    """The instant some days after the first of March 2024."""
    return START + timedelta(seconds=round(day * 86_400))


def write_shop(root: Path) -> None:
    """Write the repo's own files and its data: 12 customers with a new account row every few days, 480 payments."""
    (root / "features").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "feature_store.yaml").write_text(STORE)
    (root / "features" / "shop.py").write_text(FEATURES)
    accounts: dict[str, list[Any]] = {
        name: [] for name in ("customer_id", "event_timestamp", "created", "balance", "tier", "orders")
    }
    for customer in range(12):
        for version in range(8):
            observed = at(version * 4 + customer / 24)
            accounts["customer_id"].append(customer)
            accounts["event_timestamp"].append(observed)
            accounts["created"].append(observed + timedelta(hours=1))
            accounts["balance"].append(None if (customer + version) % 7 == 0 else 100.0 * (customer + 1) + version)
            accounts["tier"].append(("gold", "silver", "tin")[(customer + version) % 3])
            accounts["orders"].append(None if customer == 5 else customer + version)
    pq.write_table(pa.table(accounts, account_schema()), root / "data" / "account.parquet")
    pq.write_table(payments(480), root / "data" / "payments.parquet")


def account_schema() -> pa.Schema:
    """The columns of the account view's file."""
    return pa.schema(
        [
            ("customer_id", pa.int64()),
            ("event_timestamp", INSTANT),
            ("created", INSTANT),
            ("balance", pa.float64()),
            ("tier", pa.string()),
            ("orders", pa.int64()),
        ]
    )


def payments(count: int, first_day: float = 0.0) -> pa.Table:
    """Payments every hour from a day on, with odd values among them."""
    places = range(count)
    return pa.table(
        {
            "request_id": [f"payment-{first_day}-{place}" for place in places],
            "customer_id": pa.array([place % 13 for place in places], pa.int64()),
            "event_timestamp": pa.array([at(first_day + place / 24) for place in places], INSTANT),
            "amount": pa.array([None if place % 29 == 0 else float((place * 37) % 500) for place in places]),
            "country": [("FR", " de ", "IT", "DE")[place % 4] for place in places],
            "paid_at": pa.array([at(first_day + place / 24 - 0.01) for place in places], INSTANT),
            "refunded": [place % 10 == 3 for place in places],
        }
    )


def build_shop(root: Path) -> Repository:
    """Write the shop, fit it and generate its code."""
    write_shop(root)
    return fit_and_generate(root)


def fit_and_generate(root: Path) -> Repository:
    """Fit the service that a folder declares and generate its code."""
    repository = load_repository(root)
    service = repository.service("shop")
    sources = retrieve_training_set(repository, service, root / "data" / "training.parquet").sources
    state = fit(service, root / "data" / "training.parquet", sources)
    directory = generated_directory(root, "shop")
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    return repository


def serve(repository: Repository, count: int = 120, first_day: float = 20.0) -> pa.Table:
    """A log of faultless serving: what the store held at the time, and the generated row function over it."""
    requests = payments(count, first_day)
    service = repository.service("shop")
    names = ("balance", "tier", "orders")
    stored, _ = retrieve(repository, service, {"account": names}, requests, "event_timestamp")
    text = (generated_directory(repository.root, "shop") / "row.py").read_text(encoding="utf-8")
    transform_row = load_row_module(text)["transform_row"]
    inputs = pa.table({**{n: requests.column(n) for n in ("amount", "country", "paid_at")}, **_columns(stored)})
    served = [transform_row(row) for row in inputs.to_pylist()]
    log = {
        "request_id": requests.column("request_id"),
        "requested_at": requests.column("event_timestamp"),
        "key.customer_id": requests.column("customer_id"),
        **{f"request.{name}": requests.column(name) for name in ("amount", "country", "paid_at")},
        **{f"store.{name}": stored.column(name) for name in names},
        **{f"feature.{name}": pa.array([row[name] for row in served]) for name in served[0]},
    }
    return pa.table(log)


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return {name: table.column(name) for name in table.column_names}


def change(log: pa.Table, name: str, values: list[Any]) -> pa.Table:
    """The log with other values in one column, of the same type."""
    place = log.column_names.index(name)
    return log.set_column(place, name, pa.array(values, log.schema.field(name).type))
