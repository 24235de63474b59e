"""A feature repo in git that loads without Feast: its sources are plain classes with the attributes of Feast's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from skewcheck.fit.fitting import fit
from skewcheck.generate.generation import generate
from skewcheck.store.repository import generated_directory, load_repository

STAND_INS = '''
"""What this repo uses of Feast."""

from types import SimpleNamespace

INT64 = SimpleNamespace(name="INT64")
STRING = SimpleNamespace(name="STRING")


class Field:
    def __init__(self, name, dtype, tags=None, description=""):
        self.name, self.dtype, self.tags, self.description = name, dtype, tags or {}, description


class Entity:
    def __init__(self, name, join_keys, value_type):
        self.name, self.join_key, self.value_type = name, join_keys[0], value_type


class RequestSource:
    def __init__(self, name, schema, description="", tags=None, owner=""):
        self.name, self.schema, self.description, self.tags, self.owner = name, schema, description, tags or {}, owner


class FileSource:
    def __init__(self, path, timestamp_field, created_timestamp_column="", field_mapping=None, tags=None):
        self.path, self.timestamp_field = path, timestamp_field
        self.created_timestamp_column, self.field_mapping, self.tags = created_timestamp_column, field_mapping, tags


class FeatureView:
    def __init__(self, name, entities, schema, source, ttl, online=True, description="", tags=None, owner=""):
        self.name, self.entities, self.features = name, [entity.name for entity in entities], schema
        self.batch_source, self.ttl, self.online, self.entity_columns = source, ttl, online, []
        self.description, self.tags, self.owner = description, tags or {}, owner
'''

CONSTANTS = """
import json
from pathlib import Path

LARGE = 500
RATES = json.loads((Path(__file__).parent / "rates.json").read_text())
PARIS = "Europe/Paris"
"""

HELPERS = """
def scaled(value):
    return value.log1p()
"""

FEATURES = '''
from datetime import timedelta

import skewcheck as sk
from features.constants import LARGE, PARIS, RATES
from features.helpers import scaled
from features.stand_ins import INT64, Entity, FeatureView, Field, FileSource, RequestSource

customer = Entity(name="customer", join_keys=["customer_id"], value_type=INT64)

account = FeatureView(
    name="account",
    entities=[customer],
    schema=[
        Field(name="usual", dtype="Float64", tags={"unit": "EUR"}),
        Field(name="tier", dtype="String"),
        Field(name="orders", dtype="Int64"),
    ],
    source=FileSource(path="account.parquet", timestamp_field="event_timestamp", created_timestamp_column="created"),
    ttl=timedelta(days=7),
)

payment = RequestSource(
    name="payment",
    schema=[
        Field(name="amount", dtype="Float64", tags={"unit": "EUR"}),
        Field(name="country", dtype="String"),
        Field(name="distance", dtype="Float64", tags={"unit": "mile"}),
        Field(name="paid_at", dtype="UnixTimestamp"),
        Field(name="channel", dtype="String"),
    ],
)

rows = sk.TrainingSet("payments.parquet", labels=[Field(name="settled", dtype="Bool")], end="2024-03-20")
shop = sk.features("shop", sources=[payment, account], training=rows)


@shop.trained_on
def has_an_amount(amount):
    return amount > 0


@shop.feature
def large(amount):
    """Whether it is a large one."""
    return amount >= LARGE


@shop.feature
def amount_log(amount):
    return scaled(amount)


@shop.feature
def amount_z(amount):
    return amount.log1p().standardize()


@shop.feature
def double_log(amount_log):
    return amount_log * 2


@shop.feature
def usual_ratio(amount, usual):
    return amount / usual


@shop.feature
def tier_gold(tier):
    return tier == "gold"


@shop.feature
def tax(country):
    return country.lookup(RATES)


@shop.feature
def hour(paid_at):
    return paid_at.hour(PARIS)


@shop.feature
def usual_filled(usual):
    return usual.fill(0.0)


@shop.feature
def kilometres(distance):
    return distance.to("kilometer")


@shop.feature
def band(amount):
    return amount.bucket([10, 100, 1000])


@shop.feature
def orders_v1(orders):
    return orders + 1


BASE = 2.0


def weight(amount):
    return amount * BASE


@sk.opaque
def risk_of(amount: float, country: str) -> float:
    # a comment
    total = weight(amount)
    return total if country == "FR" else total + 1


@shop.feature
def risk(amount, country):
    return risk_of(amount, country)
'''

RATES = '{"FR": 0.2, "DE": 0.19}\n'


def write_repository(root: Path, *, units: bool = True) -> Path:
    """Write the repo, fit and generate it, and commit it on the branch main; without units it loads in a moment."""
    folder = root / "features"
    folder.mkdir(parents=True)
    for name, text in {
        "stand_ins.py": STAND_INS, "constants.py": CONSTANTS, "helpers.py": HELPERS, "shop.py": FEATURES,
        "rates.json": RATES,
    }.items():  # fmt: skip
        (folder / name).write_text(text)
    if not units:
        path = folder / "shop.py"
        path.write_text(
            re.sub(r', tags=\{"unit": "\w+"\}', "", path.read_text()).replace('.to("kilometer")', " * 1.609344")
        )
    (root / "feature_store.yaml").write_text("project: shop\n")
    (root / "requirements.txt").write_text("skewcheck\ntzdata==2025.1\npint==0.24\n")
    (root / ".gitignore").write_text("__pycache__/\n*.parquet\n")
    write_training(root / "payments.parquet")
    fit_and_generate(root)
    run_git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "The shop")
    return root


def write_training(path: Path) -> None:
    """Training rows: forty payments."""
    places = range(40)
    columns = {
        "amount": [float(place * place) for place in places],
        "country": [("FR", "DE")[place % 2] for place in places],
        "distance": [1.0] * 40,
        "paid_at": pa.array([1_700_000_000_000_000 + place for place in places], pa.timestamp("us", tz="UTC")),
        "channel": ["web"] * 40,
        "usual": [50.0] * 40,
        "tier": ["gold"] * 40,
        "orders": [*places],
        "settled": [place % 3 > 0 for place in places],
    }
    pq.write_table(pa.table(columns), path)


def fit_and_generate(root: Path) -> None:
    """Fit the service to the training rows as they lie there, and generate its code."""
    repository = load_repository(root)
    service = repository.service("shop")
    state = fit(service, root / "payments.parquet")
    directory = generated_directory(root, "shop")
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)


def edit(root: Path, *changes: tuple[str, str, str]) -> None:
    """Replace text in files; each text must be there."""
    for name, old, new in changes:
        path = root / name
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new))


def commit(root: Path, message: str) -> str:
    """Commit everything and give the commit."""
    run_git(root, "add", "--all")
    run_git(root, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return run_git(root, "rev-parse", "HEAD").strip()


def run_git(root: Path, *arguments: str) -> str:
    """What git answers."""
    names = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(root), *names, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
