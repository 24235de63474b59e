"""Which versions a range names, and that a checkout leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from skewcheck.changes.references import WORKTREE, Git, Reference
from skewcheck.errors import SkewcheckError, UsageError
from tests.changes.small_repository import commit, run_git


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """main: one, two; side: from one, three."""
    root = tmp_path.resolve() / "history"
    root.mkdir()
    run_git(root, "init", "--quiet", "--initial-branch=main")
    for name in ("one", "two"):
        (root / "file").write_text(name)
        commit(root, name)
        run_git(root, "tag", name)
    run_git(root, "checkout", "--quiet", "-b", "side", "one")
    (root / "file").write_text("three")
    commit(root, "three")
    return root


def names(root: Path, text: str) -> list[str | None]:
    return [reference.commit and run_git(root, "log", "-1", "--format=%s", reference.commit).strip()
            for reference in Git(root).read_range(text)]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("main..side", ["two", "three"]),
        ("main...side", ["one", "three"]),
        ("main..", ["two", "three"]),
        ("..main", ["three", "two"]),
        ("main", ["two", None]),
        ("one", ["one", None]),
    ],
)
def test_a_range_names_two_versions(history: Path, text: str, expected: list[str | None]) -> None:
    assert names(history, text) == expected


def test_one_version_is_compared_with_the_working_folder(history: Path) -> None:
    assert Git(history).read_range("main")[1] == Reference(WORKTREE, None)


@pytest.mark.parametrize("text", ["nowhere", "main..nowhere", "--all", "main..-x"])
def test_a_name_that_is_no_commit_is_refused(history: Path, text: str) -> None:
    with pytest.raises(UsageError, match="there is no commit"):
        Git(history).read_range(text)


def test_a_folder_outside_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no git repository"):
        Git(tmp_path)


@pytest.mark.parametrize("text", ["one..HEAD", "HEAD...origin/main"])
def test_a_shallow_clone_names_the_depth_to_fetch(history: Path, tmp_path: Path, text: str) -> None:
    shallow = tmp_path / "shallow"
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", "--no-single-branch", "--no-tags", f"file://{history}", str(shallow)],
        check=True,
    )
    with pytest.raises(SkewcheckError, match="git fetch --depth") as refused:
        Git(shallow).read_range(text)
    assert "fetch-depth: 0" in str(refused.value)
    assert refused.value.exit_code == 3


def test_versions_that_share_no_commit_have_no_parting(history: Path) -> None:
    run_git(history, "checkout", "--quiet", "--orphan", "alone")
    commit(history, "alone")
    with pytest.raises(SkewcheckError, match="share no commit"):
        Git(history).read_range("main...alone")


def test_the_default_branch_is_found(history: Path) -> None:
    assert Git(history).find_default_branch() == "main"
    run_git(history, "branch", "--move", "main", "trunk")
    with pytest.raises(UsageError, match="--against"):
        Git(history).find_default_branch()


def test_a_checkout_has_the_files_and_is_removed(history: Path) -> None:
    git = Git(history)
    with git.check_out(git.read_commit("two").commit or "") as place:
        assert (place / "file").read_text() == "two"
    assert not place.parent.exists()
    assert len(run_git(history, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_checkout_is_removed_whatever_happens(history: Path, error: type[BaseException]) -> None:
    git = Git(history)
    with pytest.raises(error), git.check_out("HEAD") as place:
        raise error
    assert not place.parent.exists()
    assert len(run_git(history, "worktree", "list").splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_checkout_behind(committed_plainly: Path, tmp_path: Path, number: signal.Signals) -> None:
    done = subprocess.Popen(
        [sys.executable, "-m", "skewcheck", "diff", "HEAD..HEAD", "--repo", str(committed_plainly)],
        env={**os.environ, "TMPDIR": str(tmp_path)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # Whoever runs these tests in the background may have told its children to ignore the signal.
        preexec_fn=partial(signal.signal, number, signal.SIG_DFL),
    )  # fmt: skip
    until = time.monotonic() + 120
    while not list(tmp_path.glob("skewcheck-*/tree/features")) and time.monotonic() < until:
        time.sleep(0.02)
    assert list(tmp_path.glob("skewcheck-*"))
    done.send_signal(number)
    done.communicate(timeout=120)
    assert done.returncode > 128
    assert list(tmp_path.glob("skewcheck-*")) == []
    assert len(run_git(committed_plainly, "worktree", "list").splitlines()) == 1


def test_hooks_of_the_repository_are_not_run(history: Path) -> None:
    hook = history / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {history}/ran\n")
    hook.chmod(0o755)
    with Git(history).check_out("HEAD"):
        pass
    assert not (history / "ran").exists()


def test_files_of_a_commit_are_read_without_a_checkout(history: Path) -> None:
    git = Git(history)
    (history / "binary").write_bytes(b"\xff\xfe\x00")
    commit(history, "binary")
    assert set(git.list_files("HEAD")) == {"file", "binary"}
    assert git.list_files("one")["file"] != git.list_files("two")["file"]
    assert git.read_file("one", "file") == "one"
    assert git.read_file("HEAD", "binary") is None
    assert git.read_file("HEAD", "absent") is None
