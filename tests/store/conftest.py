"""A shop that tests may read, and one that each test may spoil."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from skewcheck.store.repository import Repository, load_repository
from tests.shop import build_shop


def leave_to_feast(root: Path) -> None:
    """Give the shop's view a path that is a URI: Feast joins it then."""
    path = root / "features" / "shop.py"
    uri = (root.resolve() / "data" / "account.parquet").as_uri()
    path.write_text(path.read_text().replace('path="data/account.parquet"', f'path="{uri}"'))


@pytest.fixture(scope="session")
def shop_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_shop(tmp_path_factory.mktemp("shop")).root


@pytest.fixture
def shop(shop_root: Path, tmp_path: Path) -> Repository:
    shutil.copytree(shop_root, tmp_path / "shop")
    return load_repository(tmp_path / "shop")
