"""The shop, fitted and generated once, and a faultless log of it."""

from __future__ import annotations

import pyarrow as pa
import pytest

from skewcheck.store.repository import Repository
from tests.shop import build_shop, serve


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="session")
def clean_log(shop: Repository) -> pa.Table:
    return serve(shop)
