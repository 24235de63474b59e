"""Where the new repo may be written, and that it is whole or not there."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from skewcheck.errors import UsageError
from skewcheck.scaffold import next_step, write_repository, writing

FILES = {
    ".feastignore",
    ".gitignore",
    "README.md",
    "data/account_history.parquet",
    "data/payments.parquet",
    "data/requests.parquet",
    "feature_store.yaml",
    "features/payments.py",
    "serve.py",
}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_new_folder_is_made_with_those_above_it(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    written = write_repository(target)
    assert files_in(target) == FILES
    assert written == sorted(target / name for name in FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = tmp_path.stat().st_ino
    assert write_repository(Path())[0] == Path(".feastignore")
    assert tmp_path.stat().st_ino == before
    assert files_in(tmp_path) == FILES


@pytest.mark.parametrize("linked", [False, True])
def test_git_alone_counts_as_nothing_and_is_left_alone(tmp_path: Path, linked: bool) -> None:
    git = tmp_path / ".git" if linked else tmp_path / ".git" / "HEAD"
    git.parent.mkdir(exist_ok=True)
    git.write_text("mine")
    write_repository(tmp_path)
    assert files_in(tmp_path) == FILES | {str(git.relative_to(tmp_path))}
    assert git.read_text() == "mine"


def test_a_failure_leaves_git_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise OSError(28, os.strerror(28))

    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(writing, "write_payments", fail)
    with pytest.raises(UsageError, match="No space left on device"):
        write_repository(tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / ".git"]


@pytest.mark.parametrize("name", ["new", "a b", "it's", "$HOME"])
def test_the_next_step_can_be_typed(name: str) -> None:
    sentence = next_step(Path(name))
    assert sentence.endswith(", and read README.md there.")
    command = sentence.removeprefix("Next: ").removesuffix(", and read README.md there.")
    assert shlex.split(command) == ["cd", name]


@pytest.mark.parametrize("absolute", [False, True])
def test_the_next_step_is_here_where_the_repo_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    assert next_step(tmp_path if absolute else Path()) == "Next: read README.md here."


def test_a_link_to_an_empty_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_repository(tmp_path / "link")
    assert files_in(tmp_path / "real") == FILES
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("name", ["notes.txt", ".gitignore"])
def test_a_folder_that_has_something_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=rf"is not empty: it has {name}") as caught:
        write_repository(tmp_path)
    assert str(tmp_path) in caught.value.message
    assert caught.value.remedy == "Give a folder that is new or empty."
    assert files_in(tmp_path) == {name}


def test_a_file_and_a_broken_link_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(UsageError, match=f"{name} is there and not a folder"):
            write_repository(tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_place_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match="cannot write a feature repo to"):
        write_repository(tmp_path / "file" / "new")


@pytest.mark.parametrize("there_before", [True, False])
def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there_before: bool) -> None:
    def fail(folder: Path) -> None:
        (folder / "half.parquet").write_text("half")
        raise OSError(28, os.strerror(28))

    target = tmp_path / "above" / "new"
    if there_before:
        target.mkdir(parents=True)
    monkeypatch.setattr(writing, "write_payments", fail)
    with pytest.raises(UsageError, match="No space left on device"):
        write_repository(target)
    assert list(tmp_path.rglob("*")) == ([target.parent, target] if there_before else [])


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing, "write_payments", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_repository(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_what_was_moved_before_a_failure_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def fail_late(path: Path, target: Path) -> Path:
        if path.name == "serve.py":
            raise PermissionError(13, os.strerror(13))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_late)
    with pytest.raises(UsageError, match="Permission denied"):
        write_repository(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_is_in_good_style(tmp_path: Path) -> None:
    write_repository(tmp_path / "new")
    config = Path(__file__).parent.parent.parent / "pyproject.toml"
    for task in (["check", "--ignore", "I"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *task, "--no-cache", "--config", str(config), "."]
        done = subprocess.run(command, cwd=tmp_path / "new", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
