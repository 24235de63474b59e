"""One world for all tests of the demo: it takes two seconds to make."""

from __future__ import annotations

import pytest

from skewcheck.demo.world import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("repo") / "data")
