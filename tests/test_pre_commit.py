"""The hooks for pre-commit: run by pre-commit itself, as a process, when somebody commits."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.changes.small_repository import commit, edit, run_git, write_repository

ROOT = Path(__file__).parent.parent
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
}
EDGE = ("features/shop.py", "amount >= LARGE", "amount > LARGE")


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repo with the hooks, as pre-commit would clone this project."""
    root = tmp_path_factory.mktemp("hooks") / "skewcheck"
    root.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", root)
    run_git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, "The hooks")
    return root


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("pre-commit") / "repo", units=False)


@pytest.fixture
def shop(written: Path, hooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A feature repo whose commits run the two hooks that need its environment."""
    root = tmp_path.resolve() / "repo"
    shutil.copytree(written, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.file.allow")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "always")
    chosen = [{"id": "skewcheck-generate"}, {"id": "skewcheck-diff", "args": ["--rows", "100"]}]
    config = {"repos": [{"repo": str(hooks), "rev": run_git(hooks, "rev-parse", "HEAD").strip(), "hooks": chosen}]}
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    commit(root, "Hooks")
    subprocess.run([sys.executable, "-m", "pre_commit", "install"], cwd=root, check=True, capture_output=True)
    return root


def try_commit(root: Path, *arguments: str) -> tuple[int, str]:
    """`git commit` as a person does it, with what the hooks said."""
    names = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *names, "commit", "--message=An edit", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_commit_that_changes_values_is_stopped_and_nothing_else_is_touched(shop: Path) -> None:
    head = run_git(shop, "rev-parse", "HEAD")
    edit(shop, EDGE)
    code, said = try_commit(shop, "--all")
    assert code == 1
    assert "skewcheck generate --check" in said
    assert "shop.large  values-changed  features/shop.py" in said
    assert "VALUES_SAME" in said
    assert run_git(shop, "rev-parse", "HEAD") == head
    assert run_git(shop, "status", "--porcelain").split() == ["M", "features/shop.py"]
    assert len(run_git(shop, "worktree", "list").splitlines()) == 1


def test_a_harmless_edit_is_committed_as_it_is(shop: Path) -> None:
    edit(shop, ("features/shop.py", "def large(amount):", "def large(amount):  # it is large"))
    code, said = try_commit(shop, "--all")
    assert code == 0, said
    assert len(re.findall(r"\.Passed", said)) == 2
    assert run_git(shop, "status", "--porcelain") == ""
    assert run_git(shop, "show", "--stat", "--format=").split()[0] == "features/shop.py"


def test_a_commit_of_other_files_runs_nothing(shop: Path) -> None:
    (shop / "notes.txt").write_text("a note")
    run_git(shop, "add", "notes.txt")
    code, said = try_commit(shop)
    assert code == 0
    assert said.count("(no files to check)") == 2


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_is_a_command_that_exists(hook: str) -> None:
    entry = HOOKS[hook]["entry"].split()
    assert entry[0] == "skewcheck"
    done = subprocess.run(
        [sys.executable, "-m", "skewcheck", entry[1], "--help"], capture_output=True, text=True, check=True
    )
    assert all(option in done.stdout for option in entry if option.startswith("--"))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_looks_at_the_whole_repo_and_only_where_features_change(hook: str) -> None:
    known = HOOKS[hook]
    assert known["pass_filenames"] is False
    assert known["require_serial"] is True
    pattern = re.compile(known["files"])
    for path in ("features/shop.py", "codegen/shop/state.json", "team/features/a/b.json", "feature_store.yaml"):
        assert pattern.search(path)
    for path in ("README.md", "src/features.py", "my_features/x.py"):
        assert not pattern.search(path)
