"""Markdown: what a person reads of it, found again by its marker, and never longer than GitHub takes."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from skewcheck.contracts import Problem
from skewcheck.diff_verdict import Stage
from skewcheck.report.markdown import COMMENT_LIMIT, escape, find_marker, render_markdown
from skewcheck.report.values import flow_text
from skewcheck.verdict import Verdict
from tests.test_diff_verdict import ERROR, WHOLE

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def read(markdown: str) -> str:
    """What a person sees: the text without its elements, each run of spaces as one."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", PARSER.render(markdown))).split())


def test_the_first_line_is_a_hidden_marker(fail: Verdict) -> None:
    assert render_markdown(WHOLE).splitlines()[0] == find_marker(WHOLE) == "<!-- skewcheck:check -->"
    assert find_marker(replace(WHOLE, stages=())) == "<!-- skewcheck:diff -->"
    assert find_marker(fail) == "<!-- skewcheck:audit:departure_delay -->"
    assert find_marker(replace(fail, service="a --> b")) == "<!-- skewcheck:audit:a-b -->"


def test_an_audit_is_told_whole(fail: Verdict) -> None:
    said = read(render_markdown(fail))
    for part in (
        "❌ skewcheck audit: FAIL departure_delay: 6 of 24 features skewed in 29,425 requests",
        "distance_z transform 29,424 of 29,425 99.997% 1.3101 → 0.8214",
        "statistics, transform stage: distance_z Serving has mean 6.412; the frozen state has 6.58. Explains 98.2%",
        "Change: Read mean and deviation from the frozen state",
        "warning state : 425 rows were logged without a state hash",
    ):
        assert part in said


def test_a_diff_is_told_whole() -> None:
    said = read(render_markdown(WHOLE))
    for part in (
        "❌ skewcheck check: FAIL main → the working folder: 1 equal, 1 values-changed",
        "error VALUES_SAME it changed ( a.py:3 )",
        "waived until 2027-01-31: agreed with the team",
        "retrain the models that read what changed",
        "pinned models: fraud 3 (models.json)",
        "shop.amount_z values-changed amount=1.0, vector=[1.0, None] 1.0 → [2.0, 3.0] log: 4 of 10 rows change",
        "stored: key=1",
        "new: (amount + 1.0) = [2.0, 3.0]",
        "Equal, tested on 10,000 rows: shop.other",
        "fail diff: 1 values-changed",
    ):
        assert part in said


def test_what_could_not_be_done_comes_first(incomplete: Verdict) -> None:
    said = read(render_markdown(incomplete))
    assert said.startswith("⚠️ skewcheck audit: INCOMPLETE departure_delay: 23 of 24 features match")
    assert said.index("truncated: no Parquet footer") < said.index("Not compared")
    assert "seats : the log has no column 'seats'" in said


def test_a_pass_is_short(passed: Verdict) -> None:
    assert len(render_markdown(passed).splitlines()) == 2


@pytest.mark.parametrize("limit", [2_000, COMMENT_LIMIT])
@pytest.mark.parametrize("letter", ["a", "@", "é", "😀"])
def test_what_does_not_fit_is_counted(limit: int, letter: str) -> None:
    findings = tuple(replace(ERROR, subject=str(n), message=f"number {n} {letter * 300}") for n in range(700))
    text = render_markdown(replace(WHOLE, findings=findings, features=(), problems=(), stages=()), limit=limit)
    assert len(text.encode()) <= limit
    shown = text.count("- **error**")
    more = re.search(r"_([\d,]+) more do not fit here", text.splitlines()[-1])
    assert more is not None
    # The impact has five lines, which come after the findings.
    assert int(more[1].replace(",", "")) == 700 + 5 - shown


def test_one_entry_never_fills_the_comment() -> None:
    long = replace(ERROR, message="@" * 100_000, subject="x" * 100_000)
    problem = Problem("error", "w" * 100_000, "<" * 100_000)
    stages = (Stage("s" * 100_000, "fail", "#" * 100_000),)
    text = render_markdown(replace(WHOLE, findings=(long, ERROR), problems=(problem,), stages=stages))
    assert "- **error** <code>VALUES&#95;SAME</code> it changed" in text
    assert len(text.encode()) <= COMMENT_LIMIT


@given(st.text(max_size=200))
@example("<script>alert(1)</script> <!-- --> &amp; &#64;")
@example("**bold** _a_ `code` [x](http://x.y) ![i](j) ~~s~~ | cell | \\| a\\")
@example("# head\n- item\n1. one\n> quote\n```\n")
@example("www.example.com https://example.com a@b.example $x$ :smile: @everyone #12")
def test_text_reads_as_it_is_and_means_nothing(text: str) -> None:
    written = escape(text)
    expected = " ".join(flow_text(text).split())
    assert "\n" not in written
    for frame, before, after in (
        ("a {} b", "<p>a ", " b</p>"),
        ("- **k** <code>{}</code>", "<li><strong>k</strong> <code>", "</code></li>"),
        ("| a | b |\n| --- | --- |\n| x{}y | <code>{}</code> |", "<td>x", "</code></td>"),
    ):
        rendered = PARSER.render(frame.replace("{}", written))
        assert before in rendered
        assert after in rendered
        inside = rendered.split(before, 1)[1].split("</td>", 1)[0].rsplit(after.removesuffix("</td>"), 1)[0]
        inside = inside.removesuffix("y") if before == "<td>x" else inside
        assert set(re.findall(r"<[^>]*>", inside)) <= {"<span>", "</span>"}
        assert " ".join(html.unescape(re.sub("</?span>", "", inside)).split()) == expected


def test_nobody_is_called_and_nothing_is_linked() -> None:
    written = escape("ask @team in #12 or at http://x.example or www.x.example")
    assert "@" not in written
    assert not re.search(r"(?<!&)#", written)
    assert "http:" not in written
    assert "www." not in written
