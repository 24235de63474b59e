"""Annotations: what a runner reads of a line, and never more of a kind than GitHub shows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, Location, Side
from skewcheck.report.github import LIMIT, render_annotations
from skewcheck.verdict import Verdict
from tests.test_diff_verdict import ERROR, WHOLE

COMMAND = re.compile(r"::(error|warning|notice) ((?:\w+=[^,:]*)(?:,\w+=[^,:]*)*)::(.*)")


def read_line(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as the runner reads it."""
    match = COMMAND.fullmatch(line)
    assert match, line

    def restore(text: str) -> str:
        for sign, code in (("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C"), ("%", "%25")):
            text = text.replace(code, sign)
        return text

    properties = dict(part.split("=", 1) for part in match[2].split(","))
    return match[1], {name: restore(value) for name, value in properties.items()}, restore(match[3])


def read_lines(verdict: Verdict | DiffVerdict) -> list[tuple[str, dict[str, str], str]]:
    return [read_line(line) for line in render_annotations(verdict).splitlines()]


def test_a_finding_stands_beside_its_line() -> None:
    kind, properties, message = read_lines(WHOLE)[0]
    assert kind == "error"
    assert properties == {"file": "a.py", "line": "3", "title": "VALUES_SAME"}
    assert message == "it changed"


def test_a_waived_finding_is_a_notice_that_says_why() -> None:
    kind, properties, _ = read_lines(WHOLE)[-1]
    assert kind == "notice"
    assert properties["title"] == "VALUES_SAME (waived until 2027-01-31: agreed with the team)"


def test_a_problem_is_an_annotation_too() -> None:
    stopped = DiffVerdict(
        "incomplete", Side("a"), Side("b"), problems=(Problem("error", "a", "cannot be loaded", "Correct it."),)
    )
    assert read_lines(stopped) == [("error", {"title": "diff: a"}, "cannot be loaded\n→ Correct it.")]


def test_the_weightiest_come_first(fail: Verdict) -> None:
    kinds = [kind for kind, _, _ in read_lines(fail)]
    assert kinds == ["error"] * 6 + ["warning", "notice"]


@pytest.mark.parametrize(
    ("count", "shown", "last"), [(10, 10, "it changed"), (11, 10, "2 more"), (500, 10, "491 more")]
)
def test_the_last_of_a_kind_says_how_many_more(count: int, shown: int, last: str) -> None:
    findings = tuple(
        replace(ERROR, subject=str(number), level=level)
        for level in ("error", "warning", "note")
        for number in range(count)
    )
    lines = read_lines(replace(WHOLE, findings=findings, problems=()))
    for kind in ("error", "warning", "notice"):
        messages = [message for found, _, message in lines if found == kind]
        assert len(messages) == shown == LIMIT
        assert messages[-1].startswith(last)


def test_nothing_to_say_is_no_line(passed: Verdict) -> None:
    assert render_annotations(passed) == ""


@given(st.text(), st.text(), st.text())
def test_no_text_ends_a_command_or_begins_one(message: str, remedy: str, path: str) -> None:
    finding = replace(ERROR, message=message, remedy=remedy, subject=path, location=Location(path, 0))
    written = render_annotations(replace(WHOLE, findings=(finding,), problems=()))
    assert written.count("\n") == 1
    kind, properties, _ = read_line(written.removesuffix("\n"))
    assert (kind, list(properties), properties["line"]) == ("error", ["file", "line", "title"], "1")
