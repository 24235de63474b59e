"""A small feature repo in git, and copies of it to edit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from skewcheck.changes.describing import describe_repository
from skewcheck.changes.snapshot import Snapshot
from tests.changes.small_repository import write_repository


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repo as it was committed; nobody edits it."""
    return write_repository(tmp_path_factory.mktemp("changes") / "repo")


@pytest.fixture
def repo(committed: Path, tmp_path: Path) -> Path:
    """A copy of the repo, to edit."""
    root = tmp_path.resolve() / "repo"
    shutil.copytree(committed, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="session")
def committed_plainly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same without units, for tests that load it in processes of their own."""
    return write_repository(tmp_path_factory.mktemp("plain") / "repo", units=False)


@pytest.fixture
def plain_repo(committed_plainly: Path, tmp_path: Path) -> Path:
    """A copy of it, to edit."""
    root = tmp_path.resolve() / "plain"
    shutil.copytree(committed_plainly, root, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture(scope="session")
def before(committed: Path) -> Snapshot:
    """What the repo declares."""
    return Snapshot.from_json(describe_repository(committed, committed).to_json())
