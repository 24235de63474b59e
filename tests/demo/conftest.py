"""One world for all tests of the demo: it takes two seconds to make."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_limits

from skewcheck.demo.world import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("repo") / "data")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """What the demo sets for its model, whose threads wait for each other longer than they work on a busy machine."""
    # A limit is set for the libraries that are loaded.
    import sklearn.ensemble  # noqa: F401

    with threadpool_limits(1):
        yield
