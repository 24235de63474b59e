"""Report files: written whole or not at all, and clear about what is in the way."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.errors import UsageError
from skewcheck.report.machine import ReportPaths, write_json, write_page, write_reports
from skewcheck.report.page import render_page
from skewcheck.verdict import Rows, Verdict

EMPTY = Verdict("rides", "incomplete", Rows(0, 0), ())


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_reports_are_written_into_directories_that_are_made(tmp_path: Path, fail: Verdict) -> None:
    paths = write_reports(fail, tmp_path / "a" / "b", name="legacy")
    assert paths == ReportPaths(tmp_path / "a/b/legacy.json", tmp_path / "a/b/legacy.html")
    assert Verdict.from_json(paths.json.read_text(encoding="utf-8")).to_json() == fail.to_json()
    assert paths.page.read_text(encoding="utf-8") == render_page(fail)
    assert names_in(tmp_path / "a" / "b") == ["legacy.html", "legacy.json"]


def test_an_older_report_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text("x" * 100_000)
    assert write_json(EMPTY, path) == path
    assert path.read_bytes() == EMPTY.to_json().encode()


def test_line_ends_are_the_same_everywhere(tmp_path: Path) -> None:
    assert b"\r" not in write_page(EMPTY, tmp_path / "audit.html").read_bytes()


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    link = tmp_path / "audit.json"
    link.symlink_to(tmp_path / "kept" / "audit.json")
    write_json(EMPTY, link)
    assert link.is_symlink()
    assert (tmp_path / "kept" / "audit.json").is_file()


def test_a_file_where_a_directory_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UsageError, match=r"cannot write .*file/audit\.json") as raised:
        write_json(EMPTY, tmp_path / "file" / "audit.json")
    assert raised.value.remedy
    assert raised.value.exit_code == 2
    assert (tmp_path / "file").read_text() == "mine"


def test_a_directory_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is a directory"):
        write_page(EMPTY, tmp_path)
    assert names_in(tmp_path) == []


def test_a_device_is_not_replaced_by_a_file() -> None:
    with pytest.raises(UsageError, match="/dev/null: it is not a regular file"):
        write_json(EMPTY, Path("/dev/null"))


@pytest.mark.parametrize("name", ["nul\0", "x" * 300])
def test_a_name_that_no_file_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_json(EMPTY, tmp_path / name)
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a"])
def test_a_name_with_a_directory_in_it_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a report"):
        write_reports(EMPTY, tmp_path / "out", name=name)
    assert not (tmp_path / "out").exists()


def test_a_write_that_fails_half_way_leaves_the_older_report_alone(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text("older")
    code = f"""
import resource, pathlib
from skewcheck.report.machine import write_json
from skewcheck.verdict import Rows, Verdict
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
write_json(Verdict("rides", "incomplete", Rows(0, 0), ()), pathlib.Path({str(path)!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"UsageError: cannot write {path}: File too large" in done.stderr
    assert path.read_text() == "older"
    assert names_in(tmp_path) == ["audit.json"]


def test_a_link_that_leads_to_itself_is_refused(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(UsageError, match="cannot write"):
        write_json(EMPTY, loop / "audit.json")


@given(service=st.text(max_size=300) | st.sampled_from(["../../x", "..", ".hidden", "a/b\\c"]))
def test_any_service_gives_a_file_name_inside_the_directory(
    tmp_path_factory: pytest.TempPathFactory, service: str
) -> None:
    directory = tmp_path_factory.mktemp("reports")
    paths = write_reports(replace(EMPTY, service=service), directory)
    assert names_in(directory) == sorted((paths.json.name, paths.page.name))
    assert not paths.json.name.startswith(".")
