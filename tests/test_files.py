"""Files are whole or not there."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.files import place_file, place_folder, write_text


def test_a_file_is_written_in_utf_8_with_its_line_ends_and_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file.txt"
    write_text(path, "é\n\r\n😀\x00")
    assert path.read_bytes() == "é\n\r\n😀\x00".encode()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("mask", "file_mode", "folder_mode"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700)])
def test_what_is_written_may_be_read_by_whom_the_process_lets(
    tmp_path: Path, mask: int, file_mode: int, folder_mode: int
) -> None:
    before = os.umask(mask)
    try:
        write_text(tmp_path / "file", "text")
        fill(tmp_path / "folder", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == file_mode
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == folder_mode


def test_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_text(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


def test_a_failure_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write") as caught:
        write_text(tmp_path / "file" / "inside.txt", "text")
    assert str(tmp_path / "file" / "inside.txt") in caught.value.message
    assert "folder" in caught.value.remedy


def test_a_folder_in_the_way_is_an_error_that_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(UsageError):
        write_text(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    texts = {"a" * 200_000, "b" * 300_000}
    write_text(path, min(texts))
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for text in texts:
                write_text(path, text)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert {path.read_text() for _ in range(200)} <= texts
    finally:
        stop.set()
        writer.join()


def test_an_error_prints_its_remedy_below_its_message() -> None:
    assert str(SkewcheckError("what", remedy="Do this.")) == "what\n  → Do this."
    assert str(SkewcheckError("what")) == "what"
    assert (SkewcheckError.exit_code, UsageError.exit_code) == (3, 2)


def fill(path: Path, text: str) -> None:
    with place_folder(path) as folder:
        (folder / "file").write_text(text)


def test_a_folder_takes_the_place_of_another_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "folder"
    fill(path, "one")
    (path / "other").write_text("gone with the folder")
    fill(path, "two")
    assert [(file.name, file.read_text()) for file in path.iterdir()] == [("file", "two")]
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_is_not_finished_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    fill(path, "one")
    with pytest.raises(ZeroDivisionError), place_folder(path) as folder:
        (folder / "file").write_text(str(1 / 0))
    assert (path / "file").read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_an_empty_folder_is_taken_over_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "empty", "one")
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot write .*taken"):
        fill(tmp_path / "taken", "one")
    assert (tmp_path / "taken").read_text() == "mine"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["empty", "taken"]


def test_a_place_for_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        fill(tmp_path / "file" / "folder", "one")


def test_a_file_that_is_not_finished_leaves_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), place_file(path) as beside:
        beside.write_text(f"half {1 / 0}")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    with place_file(path) as beside:
        beside.write_text("after")
    assert path.read_text() == "after"
