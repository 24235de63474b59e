"""A version is loaded in a process of its own, and what that process says is what this one reads."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from skewcheck.changes.loading import Checkout, load_snapshot, load_snapshots
from skewcheck.changes.snapshot import Snapshot
from skewcheck.errors import SkewcheckError
from skewcheck.language.expressions import render
from tests.changes.small_repository import edit


def test_a_version_is_described_as_it_is(committed: Path, before: Snapshot) -> None:
    loaded = load_snapshot(Checkout("main", committed))
    shop = loaded.services["shop"]
    assert [render(f.expression) for f in shop.features] == [
        render(f.expression) for f in before.services["shop"].features
    ]
    assert shop.feature("double_log") is not None
    assert {f.name: f.features_read for f in shop.features if f.features_read} == {"double_log": ("amount_log",)}
    large = shop.features[0]
    above = (committed / "features" / "shop.py").read_text().partition("def large")[0]
    assert (large.path, large.line) == ("features/shop.py", above.count("\n"))
    assert shop.columns["usual"].unit == "EUR"
    assert shop.keys == {"account": {"customer_id": "Int64"}}
    assert shop.views["account"]["ttl"] == 7 * 86_400_000_000
    assert shop.state is not None
    assert shop.state.fit == shop.fit
    assert shop.generated == shop.definition
    assert shop.places["account"][0] == "features/shop.py"
    assert list(loaded.files) == ["features/rates.json"]
    assert loaded.libraries == {"pint": "==0.24", "skewcheck": "", "tzdata": "==2025.1"}
    assert loaded.unstable == ()


def test_a_snapshot_is_the_same_once_it_was_written(before: Snapshot) -> None:
    again = Snapshot.from_json(before.to_json())
    assert again.to_json() == before.to_json()
    assert again.files == before.files


@pytest.mark.parametrize("text", ["", "[]", '{"format": "other"}', '{"format": "skewcheck/snapshot/1"}'])
def test_what_is_no_snapshot_is_refused(text: str) -> None:
    with pytest.raises(SkewcheckError, match="not a snapshot"):
        Snapshot.from_json(text)


def test_nothing_of_a_version_is_imported_here(plain_repo: Path) -> None:
    edit(
        plain_repo, ("features/helpers.py", "def scaled", "import sys\nsys.loaded_by_a_version = True\n\n\ndef scaled")
    )
    load_snapshot(Checkout("main", plain_repo))
    assert not hasattr(sys, "loaded_by_a_version")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise RuntimeError('broken')", "broken"),
        ("import no_such_module", "no_such_module"),
        ("import os\nos._exit(0)", "without an answer"),
        ("import sys\nsys.exit(0)", "without an answer"),
        ("def (", "SyntaxError"),
    ],
)
def test_a_version_that_cannot_be_loaded_is_named(plain_repo: Path, code: str, said: str) -> None:
    (plain_repo / "features" / "broken.py").write_text(code)
    with pytest.raises(SkewcheckError, match=said) as refused:
        load_snapshot(Checkout("HEAD~1", plain_repo))
    assert "HEAD~1" in str(refused.value)
    assert refused.value.exit_code == 3


def test_what_a_version_prints_disturbs_nothing(plain_repo: Path) -> None:
    (plain_repo / "features" / "loud.py").write_text("print('x' * 100_000)\n")
    assert "shop" in load_snapshot(Checkout("main", plain_repo)).services


def test_a_repo_that_moved_is_found(committed: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "repo").symlink_to(committed)
    (tmp_path / "deep" / "feature_store.yaml").write_text("")
    assert Checkout("main", tmp_path, "elsewhere").find_repository() == tmp_path / "deep"


def test_no_feature_repo_is_no_version(tmp_path: Path) -> None:
    with pytest.raises(SkewcheckError, match="no feature repo") as refused:
        load_snapshots([Checkout("main", tmp_path)])
    assert refused.value.exit_code == 3
