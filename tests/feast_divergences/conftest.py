"""One repo for all divergences; every test has users of its own in the online store, and a log of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from skewcheck.generate.manifest import Manifest
from skewcheck.store.repository import Repository
from tests.feast_divergences.world import World, build, open_world

_USERS = itertools.count(1_000, 1_000)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repository, Manifest]:
    return build(tmp_path_factory.mktemp("divergences") / "repo")


@pytest.fixture
def world(built: tuple[Repository, Manifest], tmp_path: Path) -> Iterator[World]:
    with open_world(*built, tmp_path) as opened:
        yield opened


@pytest.fixture
def user() -> int:
    """The first of a thousand users that no other test has."""
    return next(_USERS)
