"""Windows by the schedule know landings too early: the guard refuses them, and they promise more than they deliver."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from skewcheck.demo import leaky
from skewcheck.generate.manifest import read_manifest
from skewcheck.store.repository import Repository, generated_directory, load_repository

if TYPE_CHECKING:
    from skewcheck.demo.world import World
    from skewcheck.language.declaration import Service

ROOT = Path(__file__).parents[2]
DAYS = (("2013-03-01", "2013-03-08"), ("2013-07-01", "2013-07-04"))
WINDOWS = ("airline_delay_24h", "plane_flights_24h")


@pytest.fixture(scope="module")
def repository(world: World, one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    root = tmp_path_factory.mktemp("leaky")
    for name in ("features", "codegen"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "feature_store.yaml", root)
    shutil.copytree(world.weather.parent, root / "data", ignore=shutil.ignore_patterns("*.db*"))
    with contextlib.chdir(root):
        yield load_repository(root)


@pytest.fixture(scope="module")
def service(repository: Repository) -> Service:
    return repository.service(leaky.SERVICE)


@pytest.fixture(scope="module")
def known(repository: Repository, service: Service) -> pa.Table:
    """A few days of March and of July."""
    rows = leaky.read_known(repository, service)
    days = pc.strftime(rows.column("event_timestamp"), "%Y-%m-%d")
    spans = [pc.and_(pc.greater_equal(days, first), pc.less(days, after)) for first, after in DAYS]
    return rows.filter(pc.or_(*spans))


@pytest.fixture(scope="module")
def leaking(repository: Repository, service: Service, known: pa.Table) -> pa.Table:
    return leaky.read_by_schedule(repository, service, known)


def test_only_the_windows_differ_and_count_more_flights(known: pa.Table, leaking: pa.Table) -> None:
    assert known.drop_columns(list(WINDOWS)).equals(leaking.drop_columns(list(WINDOWS)))
    landed, scheduled = (table.column("plane_flights_24h").to_numpy() for table in (known, leaking))
    assert (landed <= scheduled).all()
    assert (landed < scheduled).any()


def test_the_guard_refuses_the_features_of_the_windows_by_name(repository, service, leaking: pa.Table) -> None:
    refusal = leaky.ask_for_training_set(repository, service, leaking)
    assert refusal is not None
    assert "2 features change" in refusal
    assert "airline_delay: " in refusal
    assert "plane_flights: " in refusal


def test_the_guard_lets_what_was_known_pass(repository, service, known: pa.Table) -> None:
    assert leaky.ask_for_training_set(repository, service, known) is None


def test_the_leak_promises_more_than_it_delivers(repository, known: pa.Table, leaking: pa.Table) -> None:
    manifest = read_manifest(generated_directory(repository.root, leaky.SERVICE) / "manifest.json")
    promise = leaky.measure_promise(repository.root, manifest, known, leaking)
    assert 0.5 < promise.delivered < promise.offline < 1
    assert 0.5 < promise.honest < promise.offline
    assert 2_000 < promise.flights < known.num_rows
