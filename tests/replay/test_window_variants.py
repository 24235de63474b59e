"""A window that serving computes otherwise is named, and one whose events were changed since is not taken for one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options, audit
from skewcheck.language.windows.aggregate import REGISTRY
from skewcheck.language.windows.declaration import WindowFeature
from skewcheck.language.windows.durations import parse_window
from skewcheck.language.windows.meaning import Event, evaluate
from skewcheck.replay.window_changes import list_variants, say_length
from skewcheck.store.repository import Repository, generated_directory
from skewcheck.verdict import ColumnVerdict
from tests import windowed_shop
from tests.replay.feeds import forms
from tests.windowed_shop import (
    FEATURES,
    INSTANT,
    START,
    build_windowed_shop,
    day_file,
    microseconds,
    payments_of,
    serve,
    windows_of,
    write_day,
)

DAY = timedelta(days=1)
DAYS = 12
"""Of events."""

Row = dict[str, Any]


def rewrite(repository: Repository, change: Callable[[int, Row], Row]) -> None:
    """Write the events anew, each with a change that knows its number within the day."""
    for day in range(DAYS):
        write_day(repository.root, day, [change(number, row) for number, row in enumerate(payments_of(day))])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_windowed_shop(tmp_path_factory.mktemp("windowed"), DAYS)


@pytest.fixture
def shop(built: Repository) -> Repository:
    """A shop whose payments are known 30 seconds after they were made, a third of them 30 hours after."""

    def late(number: int, row: Row) -> Row:
        return {**row, "created": row["paid_at"] + timedelta(hours=30 if number % 3 == 1 else 0, seconds=30)}

    rewrite(built, late)
    return built


def ask(count: int = 400) -> pa.Table:
    """Requests at any time of the last days."""
    chance = random.Random(3)
    customers = [chance.randrange(5) for _ in range(count)]
    times = [START + timedelta(days=chance.uniform(8, 11.5)) for _ in range(count)]
    return tabulate(customers, times)


def ask_at_payments(after: timedelta) -> pa.Table:
    """Requests as long after payments, to the microsecond."""
    rows = [row for day in range(DAYS) for row in payments_of(day) if row["paid_at"] + after >= START + 7 * DAY]
    return tabulate([row["customer_id"] for row in rows], [row["paid_at"] + after for row in rows])


def tabulate(customers: list[int], times: list[Any]) -> pa.Table:
    asked = {"customer_id": pa.array(customers, pa.int64()), "event_timestamp": pa.array(times, INSTANT)}
    return pa.table({**asked, "asked": pa.array([float(place) for place in range(len(times))])})


def declared(repository: Repository, name: str = "spent_7d") -> WindowFeature:
    return next(feature for feature in windows_of(repository).features if feature.name == name)


def plant(
    repository: Repository,
    feature: WindowFeature,
    asked: pa.Table,
    *,
    kept: Callable[[Row], bool] = lambda _: True,
    timed: bool = True,
) -> pa.Table:
    """A log in which one column is another window than the declared one, by the rule in plain Python."""
    log = serve(repository, asked=asked, timed=timed)
    held: dict[int, list[Event]] = {}
    for row in pq.read_table(repository.root / "data" / "paid").to_pylist():
        if kept(row):
            event = Event(
                microseconds(row["paid_at"]),
                microseconds(row["created"]),
                {"amount": row["paid"], "country": row["country"]},
            )
            held.setdefault(row["customer_id"], []).append(event)
    pairs = zip(asked["customer_id"].to_pylist(), asked["event_timestamp"].to_pylist(), strict=True)
    values = [evaluate(feature, held.get(customer, []), microseconds(at)) for customer, at in pairs]
    place = log.column_names.index(f"store.{feature.name}")
    return log.set_column(place, f"store.{feature.name}", pa.array(values, log.schema.field(place).type))


def examine(
    repository: Repository, folder: Path, log: pa.Table, name: str = "spent_7d", **options: Any
) -> ColumnVerdict:
    pq.write_table(log, folder / "log.parquet")
    options = {"stages": ("retrieval",), **options}
    directory = generated_directory(repository.root, "shop")
    verdict = audit(folder / "log.parquet", directory, lambda: repository, Options(**options))
    return next(column for column in verdict.columns if column.name == name)


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(
    ("window", "serving"),
    # There are twelve days of events, of which fourteen days are as much as all time, and the nearer length.
    [("84h", "84 hours"), ("14d", "14 days"), ("2d", "2 days"), ("18h", "18 hours"), ("unbounded", "14 days")],
)
def test_another_length_is_named(shop: Repository, tmp_path: Path, window: str, serving: str, timed: bool) -> None:
    feature = declared(shop)
    other = replace(feature, window=replace(feature.window, length=parse_window(window)))
    found = examine(shop, tmp_path, plant(shop, other, ask(), timed=timed))
    assert found.lag is None
    (cause,) = found.causes
    assert (cause["kind"], cause["explains"]) == ("window", 1.0)
    assert cause["says"] == f"Serving computes the window over {serving}; training over 7 days."
    assert cause["parameters"]["serving"] == serving
    assert cause["parameters"]["declared"] == "7 days"
    assert "requests that were tried; as declared in 0" in cause["evidence"][0]
    assert "skewcheck materialise" in cause["fix"]


def test_an_event_as_old_as_the_window_that_counts_is_named(shop: Repository, tmp_path: Path) -> None:
    feature = declared(shop)
    other = replace(feature, window=replace(feature.window, closed="both"))
    (cause,) = examine(shop, tmp_path, plant(shop, other, ask_at_payments(7 * DAY))).causes
    assert (cause["kind"], cause["parameters"]["serving"], cause["parameters"]["declared"]) == (
        "window",
        "both",
        "right",
    )
    assert cause["says"] == "Serving counts an event that is just as old as the window; training does not."


def test_a_current_event_that_does_not_count_is_named(built: Repository, tmp_path: Path) -> None:
    rewrite(built, lambda _, row: {**row, "created": row["paid_at"]})
    feature = declared(built)
    other = replace(feature, window=replace(feature.window, closed="neither"))
    (cause,) = examine(built, tmp_path, plant(built, other, ask_at_payments(timedelta(0)))).causes
    assert (cause["kind"], cause["parameters"]["serving"]) == ("window", "neither")
    assert cause["says"] == "Serving does not count the event at the instant itself; training does."


def test_another_function_is_named(shop: Repository, tmp_path: Path) -> None:
    feature = declared(shop)
    mean = replace(feature, aggregated=replace(feature.aggregated, aggregate=REGISTRY["mean"]()))
    (cause,) = examine(shop, tmp_path, plant(shop, mean, ask())).causes
    assert cause["says"] == "Serving computes the mean over the window; training the sum."


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(
    ("kept", "serving"),
    [
        (lambda row: row["country"] != "FR", "without country is 'FR'"),
        (lambda row: row["country"] == "DE", "only country is 'DE'"),
        (lambda row: row["created"] - row["paid_at"] < DAY, "without events that are known more than 1 day after"),
    ],
)
def test_events_that_are_left_out_are_named(
    shop: Repository, tmp_path: Path, kept: Callable[[Row], bool], serving: str, timed: bool
) -> None:
    found = examine(shop, tmp_path, plant(shop, declared(shop), ask(), kept=kept, timed=timed))
    cause = found.causes[0]
    assert cause["kind"] == "filter"
    assert cause["explains"] > 0.75
    assert cause["parameters"]["serving"].startswith(serving)
    assert cause["parameters"]["declared"] == "all events"
    assert cause["root"] == "view customer_activity"


def test_few_events_that_were_changed_since_are_said_to_be_changed(shop: Repository, tmp_path: Path) -> None:
    log = serve(shop, asked=ask(1000), timed=True)
    rows = pq.read_table(day_file(shop.root, 10)).to_pylist()
    rows[11]["paid"] = 40.0
    write_day(shop.root, 10, rows)
    found = examine(shop, tmp_path, log)
    assert 20 <= found.comparison.mismatched < 50
    (cause,) = found.causes
    assert (cause["kind"], cause["parameters"]["form"]) == ("latest_not_as_of", "rewritten")
    assert "may have been changed since" in cause["says"]


def test_what_no_window_gives_is_unexplained_where_it_is_much(shop: Repository, tmp_path: Path) -> None:
    log = serve(shop, asked=ask(), timed=True)
    chance = random.Random(5)
    rewrite(shop, lambda _, row: {**row, "paid": chance.uniform(1, 9)})
    found = examine(shop, tmp_path, log)
    assert found.comparison.mismatched > 300
    assert found.causes[0]["kind"] == "unexplained"
    assert "any other that was tried" in found.causes[0]["says"]
    assert not {cause["kind"] for cause in found.causes} & {"window", "filter"}


def test_too_few_requests_prove_no_window(shop: Repository, tmp_path: Path) -> None:
    feature = declared(shop)
    other = replace(feature, window=replace(feature.window, length=parse_window("2d")))
    assert set(forms(examine(shop, tmp_path, plant(shop, other, ask(19))))) == {"rewritten"}


def test_without_samples_nothing_is_shown(shop: Repository, tmp_path: Path) -> None:
    feature = declared(shop)
    other = replace(feature, window=replace(feature.window, length=parse_window("2d")))
    (cause,) = examine(shop, tmp_path, plant(shop, other, ask()), samples=0).causes
    assert (cause["kind"], cause["evidence"]) == ("window", [])


def test_a_declared_column_that_the_files_lack_is_no_filter_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FEATURES.replace('Field(name="country", dtype=String)', 'Field(name="country", dtype=String), REFUND')
    text = text.replace("REFUND", 'Field(name="refund", dtype=Bool)').replace("import Float64", "import Bool, Float64")
    monkeypatch.setattr(windowed_shop, "FEATURES", text)
    repository = build_windowed_shop(tmp_path / "repo", DAYS)
    feature = declared(repository)
    other = replace(feature, window=replace(feature.window, length=parse_window("2d")))
    assert examine(repository, tmp_path, plant(repository, other, ask())).causes[0]["kind"] == "window"


def test_every_window_is_tried_once_after_the_declared_one(built: Repository) -> None:
    for feature in windows_of(built).features:
        first, *others = list_variants(feature, [])
        assert first.feature is feature
        changed = [(one.feature.aggregate, one.feature.window, one.kept, one.blind) for one in others]
        assert len(set(changed)) == len(changed)
        assert (feature.aggregate, feature.window, "TRUE", False) not in changed
        assert all(one.feature.type == feature.type for one in others)
        lengths = [one for one in others if one.rank[0] == 2]
        if feature.window.length is not None:
            near = min(lengths, key=lambda one: one.rank)
            far = max(lengths, key=lambda one: one.rank)
            assert abs(near.feature.window.length - feature.window.length) < feature.window.length
            assert far.feature.window.length is None


@pytest.mark.parametrize(
    ("length", "words"),
    [("1d", "1 day"), ("12h", "12 hours"), ("90m", "90 minutes"), ("45s", "45 seconds"), ("unbounded", "all time")],
)
def test_lengths_are_said_in_words(length: str, words: str) -> None:
    assert say_length(parse_window(length)) == words
