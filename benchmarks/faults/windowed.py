"""A service that reads windows over events from its store, which a job by hand refreshes, with faults in that job.

The windows are computed by hand: an event counts from when it was known, for as long as the window is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.faults.retrieval_world import BEGIN, DAY, HOUR, INSTANT, SECOND, STORE
from skewcheck.audit import Options, audit
from skewcheck.fit.state import State
from skewcheck.generate.generation import generate
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.verdict import ColumnVerdict

CUSTOMERS = 30
DAYS = 12

FEATURES = '''
from feast import Entity, Field, FileSource, RequestSource, ValueType
from feast.types import Bool, Float64

import skewcheck as sk

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)

payments = sk.events(
    "payments",
    source=FileSource(path="data/payments.parquet", timestamp_field="paid_at", created_timestamp_column="created"),
    by=customer,
    schema=[Field(name="amount", dtype=Float64), Field(name="refund", dtype=Bool)],
)

activity = sk.windows("activity", payments)


@activity.feature
def payments_1d():
    """How often the customer paid in a day."""
    return payments.count("1d")


@activity.feature
def spent_3d(amount):
    """What the customer paid in three days."""
    return amount.sum("3d")


request = RequestSource(name="request", schema=[Field(name="asked", dtype=Float64)])
shop = sk.features("shop", sources=[activity, request])


@shop.feature
def count_read(payments_1d):
    return payments_1d


@shop.feature
def spent_read(spent_3d):
    return spent_3d
'''


@dataclass(frozen=True)
class WindowFault:
    """What the job does wrong.

    Attributes:
        name: In words.
        kind: The kind of cause that it is.
        delay: Seconds by which the windows are behind.
        refreshed: Seconds between two runs of the job, which runs on full multiples of them.
        length: Its length against the declared one.
        without_refunds: Leave refunds out.
        closed: Count the event that is just as old as the window.
        never_late: Leave out events that were known more than an hour after they happened.
    """

    name: str
    kind: str
    delay: int = 0
    refreshed: int = 0
    length: float = 1.0
    without_refunds: bool = False
    closed: bool = False
    never_late: bool = False


NO_FAULT = WindowFault("none", "")

WINDOW_FAULTS: tuple[WindowFault, ...] = (
    *(WindowFault(f"{hours} h behind", "stale", delay=hours * 3600) for hours in (1, 6, 30)),
    WindowFault("refreshed every 6 h", "stale", refreshed=6 * 3600),
    WindowFault("refreshed once a day", "stale", refreshed=86_400),
    WindowFault("half as long", "window", length=0.5),
    WindowFault("twice as long", "window", length=2.0),
    WindowFault("without refunds", "filter", without_refunds=True),
    WindowFault("closed on both ends", "window", closed=True),
    WindowFault("late events never added", "filter", never_late=True),
)


@dataclass(frozen=True, eq=False)
class Payments:
    """Events in no order; times in microseconds."""

    customers: np.ndarray
    events: np.ndarray
    created: np.ndarray
    amounts: np.ndarray
    refunds: np.ndarray


def make_payments(seed: int) -> Payments:
    """A payment of every customer every two hours or so, on full minutes, one in ten known hours later."""
    random = np.random.default_rng(seed)
    count = CUSTOMERS * DAYS * 12
    events = BEGIN + random.integers(0, DAYS * 24 * 60, count) * 60 * SECOND
    late = np.where(random.random(count) < 0.1, random.integers(2, 30, count) * HOUR, 30 * SECOND)
    return Payments(
        random.integers(1, CUSTOMERS + 1, count),
        events,
        events + late,
        # Quarters: their sums are exact in any order.
        random.integers(4, 400, count) / 4,
        random.random(count) < 0.15,
    )


def serve_windows(
    payments: Payments, users: Sequence[int], times: Sequence[int], fault: WindowFault
) -> list[tuple[int, int, float | None]]:
    """For every request the instant that the windows are of, and their values."""
    kept = np.ones(len(payments.events), dtype=bool)
    if fault.without_refunds:
        kept &= ~payments.refunds
    if fault.never_late:
        kept &= payments.created - payments.events <= HOUR
    places = {user: np.flatnonzero(kept & (payments.customers == user)) for user in set(users)}
    found = []
    for user, when in zip(users, times, strict=True):
        instant = when - fault.delay * SECOND
        if fault.refreshed:
            instant = instant // (fault.refreshed * SECOND) * fault.refreshed * SECOND
        mine = places[user]
        mine = mine[(payments.created[mine] <= instant) & (payments.events[mine] <= instant)]
        count, spent = (
            mine[_within(payments.events[mine], instant, round(days * DAY * fault.length), fault)] for days in (1, 3)
        )
        found.append((instant, len(count), float(payments.amounts[spent].sum()) if len(spent) else None))
    return found


def _within(events: np.ndarray, instant: int, length: int, fault: WindowFault) -> np.ndarray:
    since = events - (instant - length)
    return np.asarray(since >= 0 if fault.closed else since > 0)


@dataclass(frozen=True)
class WindowOutcome:
    """What the audit says to one fault of the job.

    Attributes:
        fault: The fault.
        touched: For each column the requests whose value it changed.
        columns: What was found about each column.
    """

    fault: WindowFault
    touched: dict[str, int]
    columns: dict[str, ColumnVerdict]

    @property
    def detected(self) -> bool:
        """Whether every value that was touched is counted, and no other."""
        counted = {name: column.comparison.mismatched for name, column in self.columns.items()}
        return counted == self.touched and sum(self.touched.values()) > 0

    @property
    def named(self) -> tuple[str, ...]:
        """The kinds of the causes of either column, those that explain most first."""
        causes = [cause for column in self.columns.values() for cause in column.causes]
        causes.sort(key=lambda cause: -cause["explains"])
        return tuple(dict.fromkeys(cause["kind"] for cause in causes))


def run_windows(requests: int, seed: int) -> list[WindowOutcome]:
    """Audit a log for each fault.

    Raises:
        AssertionError: A log without a fault has a mismatch or a cause.
    """
    random = np.random.default_rng(seed)
    users = random.integers(1, CUSTOMERS + 1, requests).tolist()
    # On full minutes, so that an event may be just as old as a window.
    times = (BEGIN + 6 * DAY + np.sort(random.integers(0, 6 * 24 * 60, requests)) * 60 * SECOND).tolist()
    payments = make_payments(seed)
    right = serve_windows(payments, users, times, NO_FAULT)
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        repository = _write_repository(Path(folder, "repo"), payments)
        for fault in (NO_FAULT, *WINDOW_FAULTS):
            served = serve_windows(payments, users, times, fault)
            log = _write_log(Path(folder, "log.parquet"), users, times, served)
            directory = generated_directory(repository.root, "shop")
            verdict = audit(log, directory, lambda: repository, Options(stages=("retrieval",)))
            touched = {
                name: sum(one[place] != other[place] for one, other in zip(right, served, strict=True))
                for place, name in ((1, "payments_1d"), (2, "spent_3d"))
            }
            outcomes.append(WindowOutcome(fault, touched, {column.name: column for column in verdict.columns}))
    clean, *faulty = outcomes
    assert not clean.named, "windows without a fault have a cause"
    assert not sum(column.comparison.mismatched for column in clean.columns.values()), "they have a mismatch"
    return faulty


def _write_repository(root: Path, payments: Payments) -> Repository:
    (root / "features").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "feature_store.yaml").write_text(STORE)
    (root / "features" / "shop.py").write_text(FEATURES)
    columns = {
        "customer_id": pa.array(payments.customers, pa.int64()),
        "paid_at": pa.array(payments.events, pa.int64()).cast(INSTANT),
        "created": pa.array(payments.created, pa.int64()).cast(INSTANT),
        "amount": pa.array(payments.amounts),
        "refund": pa.array(payments.refunds),
    }
    pq.write_table(pa.table(columns), root / "data" / "payments.parquet")
    repository = load_repository(root)
    service = repository.service("shop")
    directory = generated_directory(root, "shop")
    state = State(service.name, fingerprint_fit(service), {}, {})
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    return repository


def _write_log(
    path: Path, users: Sequence[int], times: Sequence[int], served: Sequence[tuple[int, int, float | None]]
) -> Path:
    instants, counts, sums = zip(*served, strict=True)
    asked = pa.array([float(number) for number in range(len(users))])
    columns = {
        "request_id": pa.array([f"r{number:06d}" for number in range(len(users))]),
        "requested_at": pa.array(times, pa.int64()).cast(INSTANT),
        "key.customer_id": pa.array(users, pa.int64()),
        "request.asked": asked,
        "store.payments_1d": pa.array(counts, pa.int64()),
        "store.spent_3d": pa.array(sums, pa.float64()),
        "event_time.activity": pa.array([one // SECOND * SECOND for one in instants], pa.int64()).cast(INSTANT),
        "feature.count_read": pa.array(counts, pa.int64()),
        "feature.spent_read": pa.array(sums, pa.float64()),
    }
    pq.write_table(pa.table(columns), path)
    return path
