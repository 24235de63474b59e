"""Every form of a verdict, by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from skewcheck.diff_verdict import DiffVerdict
from skewcheck.errors import SkewcheckError, UsageError
from skewcheck.report.formats import FORMATS, print_report, read_verdict, render_report
from skewcheck.report.markdown import render_markdown
from skewcheck.verdict import Verdict
from tests.test_diff_verdict import WHOLE

FOR_MACHINES = sorted(set(FORMATS) - {"table"})


@pytest.mark.parametrize("name", FOR_MACHINES)
def test_a_form_depends_on_the_verdict_alone(name: str, fail: Verdict) -> None:
    for verdict, again in ((fail, Verdict.from_json(fail.to_json())), (WHOLE, DiffVerdict.from_json(WHOLE.to_json()))):
        written = render_report(verdict, name)
        assert written == render_report(again, name)
        assert written.endswith("\n")
        assert written.encode().decode() == written


@pytest.mark.parametrize("name", FORMATS)
def test_every_form_is_printed(
    name: str, fail: Verdict, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for verdict in (fail, WHOLE):
        print_report(verdict, name)
        printed = capfdbinary.readouterr().out
        assert printed == render_report(verdict, name).encode() if name != "table" else b"FAIL" in printed


def test_the_summary_of_a_workflow_is_added_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    print_report(WHOLE, "github")
    print_report(WHOLE, "markdown")
    assert summary.read_text(encoding="utf-8") == f"before\n{render_markdown(WHOLE)}"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    with pytest.raises(UsageError, match="cannot write the summary"):
        print_report(WHOLE, "github")


def test_a_verdict_is_read_whichever_it_is(tmp_path: Path, fail: Verdict) -> None:
    path = tmp_path / "verdict.json"
    for verdict in (fail, WHOLE):
        path.write_text(verdict.to_json(), encoding="utf-8")
        assert read_verdict(path).to_json() == verdict.to_json()


@pytest.mark.parametrize(("content", "error"), [(None, UsageError), (b"\xff", UsageError), (b"{}", SkewcheckError)])
def test_what_is_no_verdict_is_refused(tmp_path: Path, content: bytes | None, error: type[SkewcheckError]) -> None:
    path = tmp_path / "verdict.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=r"verdict\.json"):
        read_verdict(path)


def test_a_form_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no such format"):
        print_report(WHOLE, "xml")
    with pytest.raises(UsageError, match="Give table, json"):
        render_report(WHOLE, "table")
