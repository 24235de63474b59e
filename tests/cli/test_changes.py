"""The commands diff, check and rules, as they are called."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from skewcheck.diff_verdict import DiffVerdict
from tests.changes.small_repository import commit, edit, run_git, write_repository
from tests.cli.conftest import Run

SHOP = "features/shop.py"


@pytest.fixture(scope="module")
def written_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two commits: the second one moves an edge."""
    root = write_repository(tmp_path_factory.mktemp("shop") / "repo", units=False)
    edit(root, (SHOP, "amount >= LARGE", "amount > LARGE"))
    commit(root, "edge")
    return root


@pytest.fixture
def shop(written_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path.resolve() / "shop"
    shutil.copytree(written_shop, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return root


def test_diff_says_what_changed_and_on_which_input(shop: Path, run: Run) -> None:
    done = run("diff", "HEAD~1..HEAD", "--rows", "100", "--ignore", "FEATURE_ADDED")
    assert done.exit_code == 1
    assert "shop.large values-changed features/shop.py" in done.said
    assert "amount=500.0" in done.said
    assert "VALUES_SAME" in done.said
    assert "retrain" in done.said
    assert list((shop.parent / "cache" / "skewcheck" / "results").iterdir())
    assert len(run_git(shop, "worktree", "list").splitlines()) == 1


def test_diff_gives_a_verdict_that_can_be_read(shop: Path, run: Run) -> None:
    verdict = DiffVerdict.from_json(run("diff", "HEAD~1..HEAD", "--rows", "100", "--format", "json").out)
    assert verdict.counts == {"unchanged": 12, "values-changed": 1}
    assert (verdict.old.name, verdict.new.name) == ("HEAD~1", "HEAD")
    assert verdict.old.commit == run_git(shop, "rev-parse", "HEAD~1").strip()


def test_a_version_and_itself_are_the_same(shop: Path, run: Run) -> None:
    done = run("diff", "HEAD", "--no-cache")
    assert done.exit_code == 0
    assert "PASS HEAD → the working folder: 13 unchanged" in done.said


def test_a_rule_can_be_left_out(shop: Path, run: Run) -> None:
    assert run("diff", "HEAD~1..HEAD", "--static-only", "--ignore", "VALUES_KNOWN").exit_code == 0
    assert run("diff", "HEAD~1..HEAD", "--static-only", "--select", "schema").exit_code == 0


def test_a_version_that_cannot_be_loaded_ends_with_three(shop: Path, run: Run) -> None:
    (shop / "features" / "broken.py").write_text("raise RuntimeError('broken')")
    done = run("diff", "HEAD")
    assert done.exit_code == 3
    assert "the working folder cannot be loaded: features/broken.py:1: RuntimeError: broken" in done.said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere..HEAD",), "there is no commit"),
        (("HEAD", "--format", "xml"), "no such format"),
        (("HEAD", "--select", "NOTHING"), "no rule NOTHING"),
        (("features", "codegen"), "holds no generated code"),
        (("codegen", "codegen", "--static-only"), "for versions in git"),
        (("HEAD", "b"), "there is no commit 'b'"),
        (("a", "b", "c"), "3 versions"),
        (("HEAD", "--log", "a", "--data", "b"), "Give one of them"),
        (("HEAD", "--models", "absent.json"), "list of models"),
    ],
)
def test_a_wrong_call_ends_with_two(shop: Path, run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run("diff", *arguments)
    assert done.exit_code == 2
    assert said in done.said


def test_diff_runs_nothing_where_it_must_not(shop: Path, run: Run) -> None:
    done = run("diff", "HEAD~1..HEAD", "--static-only")
    assert done.exit_code == 1
    assert "nothing of either was run" in done.said
    assert "12 unchanged, 1 unknown" in done.said


def test_diff_compares_folders_of_generated_code_outside_any_repo(
    shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("diff", str(shop / "codegen"), str(shop / "codegen" / "shop"))
    assert done.exit_code == 0
    assert "13 unchanged" in done.said


def test_check_runs_the_whole_gate(shop: Path, run: Run) -> None:
    done = run("check", "--against", "HEAD~1", "--rows", "100", "--format", "json")
    verdict = DiffVerdict.from_json(done.out)
    assert {stage.name: stage.outcome for stage in verdict.stages} == {
        "statistics": "pass",
        "generated code": "fail",
        "diff": "fail",
        "parity": "pass",
        "audit": "skipped",
    }
    assert done.exit_code == 1


def test_rules_are_listed(run: Run) -> None:
    done = run("rules")
    assert done.exit_code == 0
    assert "point-in-time (with values)" in done.said
    assert "VIEW_SAME_TTL" in done.said
    listed = json.loads(run("rules", "--format", "json").out)
    assert {"id", "group", "level", "meaning", "remedy"} == set(listed[0])
