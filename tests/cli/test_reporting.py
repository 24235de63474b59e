"""The forms of a verdict on the command line, and the command that prints one again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from tests.changes.small_repository import write_repository
from tests.cli.conftest import Run
from tests.github_server import Comments, serve_comments


@pytest.fixture
def comments() -> Iterator[Comments]:
    with serve_comments() as server:
        yield server


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_repository(tmp_path_factory.mktemp("reporting") / "shop", units=False)


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("table", "FAIL payments"),
        ("json", '{\n  "schema": "skewcheck/audit/1"'),
        ("markdown", "<!-- skewcheck:audit:payments -->\n"),
        ("github", "::error title=LOG_MATCHES::doubled differs in 3 of"),
        ("sarif", '{\n  "$schema"'),
        ("junit", "<?xml"),
    ],
)
def test_an_audit_has_every_form_and_fails_in_each(repo: Path, run: Run, form: str, begins: str) -> None:
    done = run("audit", "log", "--format", form)
    assert done.exit_code == 1
    assert done.out.startswith(begins)


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (
            ("diff", "HEAD", "--static-only", "--format", "markdown"),
            "<!-- skewcheck:diff -->\n### ✅ skewcheck diff",
        ),
        (("diff", "HEAD", "--static-only", "--format", "github"), "::warning title=diff%3A --static-only::"),
        (("check", "--against", "HEAD", "--rows", "50", "--format", "markdown"), "<!-- skewcheck:check -->\n### ✅"),
        (("check", "--against", "HEAD", "--rows", "50", "--format", "junit"), "<?xml"),
    ],
)
def test_a_diff_and_the_gate_have_every_form(
    shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], begins: str
) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setenv("XDG_CACHE_HOME", str(shop.parent / "cache"))
    done = run(*arguments)
    assert done.exit_code == 0
    assert done.out.startswith(begins)


def test_a_form_that_is_not_there_is_wrong_usage(repo: Path, run: Run) -> None:
    done = run("audit", "log", "--format", "xml")
    assert done.exit_code == 2
    assert "Give table, json, markdown, github, sarif or junit." in done.said


def test_a_verdict_is_printed_again(repo: Path, run: Run) -> None:
    Path("verdict.json").write_text(run("audit", "log", "--format", "json").out, encoding="utf-8")
    shown = run("report", "verdict.json")
    assert shown.exit_code == 0
    assert shown.out.startswith("FAIL payments")
    quiet = run("report", "verdict.json", "--format", "junit", "--out", "reports/junit.xml")
    assert (quiet.exit_code, quiet.out) == (0, "")
    assert Xml.parse("reports/junit.xml").getroot().tag == "testsuites"


def test_what_is_no_verdict_is_wrong_usage(repo: Path, run: Run) -> None:
    assert run("report", "absent.json").exit_code == 2
    Path("verdict.json").write_text("")
    assert run("report", "verdict.json").exit_code == 3


def test_a_verdict_becomes_a_comment(repo: Path, run: Run, comments: Comments, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("verdict.json").write_text(run("audit", "log", "--format", "json").out, encoding="utf-8")
    Path("event.json").write_text(json.dumps({"pull_request": {"number": 7}}))
    for name, value in {
        "GITHUB_API_URL": comments.address,
        "GITHUB_REPOSITORY": "me/shop",
        "GITHUB_EVENT_PATH": "event.json",
        "GITHUB_TOKEN": comments.token,
    }.items():
        monkeypatch.setenv(name, value)
    assert run("report", "verdict.json", "--comment").out == "https://github.example/0\n"
    assert comments.bodies[0].startswith("<!-- skewcheck:audit:payments -->")
