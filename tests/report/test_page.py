"""The page: whole in itself, readable without a script, and never made of what a string says."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import cycle, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skewcheck.contracts import Problem
from skewcheck.report.page import render_page
from skewcheck.report.wording import say_findings
from skewcheck.verdict import ColumnVerdict, Comparison, FeatureVerdict, Filter, Pair, Rows, Verdict, Version

HOSTILE = (
    "</code><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' style='x",
    "</style></title><!-- -->",
    "{{ 7 * 7 }}{% raw %}{#",
    "&lt;b&gt;&#60;",
    "nul\0 \x1b[31m \u202egnp.exe",
    "]]><![CDATA[<b>",
)


class Page(HTMLParser):
    """The tags with their attributes, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[object] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(tag)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.tags.append(("declaration", decl))

    def handle_pi(self, data: str) -> None:
        self.tags.append(("instruction", data))

    def unknown_decl(self, data: str) -> None:
        self.tags.append(("unknown", data))

    def handle_data(self, data: str) -> None:
        self.text += data


def verdict_of(*texts: str) -> Verdict:
    """A verdict with the texts, in turn, in every field that holds text."""
    turn = cycle(texts)

    def text() -> str:
        return next(turn)

    def comparison() -> Comparison:
        pair = Pair(text(), text(), text(), [text(), 1.0], {"distance": text()})
        return Comparison(2, 1, 1, 0, 1.5, 1.5, text(), text(), (pair, replace(pair, served={text(): text()})))

    def skew() -> FeatureVerdict:
        stages = {stage: comparison() for stage in ("retrieval", "transform")}
        cause = {"kind": text(), "explains": text(), "fix": text(), "also" + text(): text()}
        reads = (text(), text())
        return FeatureVerdict("a" + text(), "skew", "transform", stages, reads, 0.5, "n" + text(), (cause,))

    return Verdict(
        text(),
        "fail",
        Rows(2, 2, filters=(Filter(text(), 1, text()),), first=text(), last=text()),
        (
            skew(),
            skew(),
            FeatureVerdict("b" + text(), "not-compared", note="x" + text()),
            FeatureVerdict("c" + text(), "match", stages={"transform": Comparison(2, 0)}),
        ),
        "l" + text(),
        "d" + text(),
        "s" + text(),
        (ColumnVerdict(text(), text(), comparison()),),
        (Version(text(), text(), 2, current=False),),
        (Problem("error", text(), text(), "r" + text()), Problem("warning", text(), text(), None)),
        {"transform": text()},
    )


PLAIN = Page(render_page(verdict_of("plain")))


@given(
    st.lists(
        st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), max_size=12),
        min_size=1,
        max_size=5,
    )
)
def test_no_string_of_the_verdict_changes_a_tag_or_an_attribute(texts: list[str]) -> None:
    html = render_page(verdict_of(*texts))
    page = Page(html)
    assert page.tags == PLAIN.tags
    html.encode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", html)


@pytest.mark.parametrize("text", ["<b>bold</b>", "{{ 7 * 7 }}", "a & b", "it's"])
def test_a_string_reads_on_the_page_as_it_is(text: str) -> None:
    assert Page(render_page(verdict_of(text))).text.count(text) > 30


def test_the_page_loads_nothing_and_its_policy_admits_only_its_own_style_and_script(fail: Verdict) -> None:
    html = render_page(fail)
    attributes = [
        pair for tag in Page(html).tags if isinstance(tag, tuple) and isinstance(tag[1], tuple) for pair in tag[1]
    ]
    assert not {name for name, _ in attributes} & {
        "src",
        "srcset",
        "action",
        "style",
        "data",
        "poster",
        "background",
    }
    assert all(value.startswith("#") for name, value in attributes if name == "href")
    assert not [name for name, _ in attributes if name.startswith("on")]
    assert "url(" not in html
    assert "@import" not in html
    policy = next(value for name, value in attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; ")
    for element in ("style", "script"):
        found = re.findall(f"<{element}>(.*?)</{element}>", html, re.DOTALL)
        assert len(found) == 1
        digest = base64.b64encode(hashlib.sha256(found[0].encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("name", ["fail", "passed", "incomplete"])
def test_the_page_says_what_the_terminal_says(name: str, request: pytest.FixtureRequest) -> None:
    verdict = request.getfixturevalue(name)
    page = Page(render_page(verdict))
    text = " ".join(page.text.split())
    assert verdict.verdict.upper() in text
    assert say_findings(verdict) in text
    for feature in verdict.features:
        assert feature.name in text
    for problem in verdict.problems:
        assert problem.message in text
        assert str(problem.remedy) in text


def test_a_fail_shows_stages_samples_inputs_causes_columns_and_versions(fail: Verdict) -> None:
    text = " ".join(Page(render_page(fail)).text.split())
    for words in (
        "29,424 of 29,425",
        "99.997%",
        "0.0034%",
        "arises here",
        "2.0134000000000003",
        "scheduled_departure",
        '"EGE\\xa0"',
        "[40]: 1 (2 of 64 values differ)",
        "98.2% of the mismatches",
        "Store columns that differ",
        "4c1f0e9ad7b2",
        "not logged",
        "outside the training filter",
        "the log has no column 'seats_sold'",
        "skewcheck/audit/1",
    ):
        assert words in text


def test_what_there_is_nothing_to_say_about_is_left_out(passed: Verdict, fail: Verdict) -> None:
    quiet, full = render_page(replace(passed, versions=())), render_page(fail)
    for part in ('id="skewed"', 'id="problems"', 'id="columns"', 'id="versions"', 'class="cause"'):
        assert part in full
        assert part not in quiet


def test_a_stage_that_was_not_compared_says_why(incomplete: Verdict) -> None:
    assert Page(render_page(incomplete)).text.count("Not compared: the log has no entity keys.") == 2


def test_a_verdict_with_nothing_in_it_has_a_page() -> None:
    assert "nothing was compared" in render_page(Verdict("rides", "incomplete", Rows(0, 0), ()))


def test_a_rate_above_zero_has_a_visible_bar(fail: Verdict) -> None:
    widths = [float(width) for width in re.findall(r'class="fill" width="([^"]*)"', render_page(fail))]
    assert min(widths) == 1.0
    assert max(widths) == 100.0


def test_links_lead_to_sections_of_the_page(fail: Verdict) -> None:
    html = render_page(fail)
    ids = re.findall(r' id="([^"]*)"', html)
    assert len(ids) == len(set(ids))
    used = re.findall(r'(?:href="#|aria-labelledby=")([^"]*)"', html)
    assert len(used) > 12
    assert set(used) <= set(ids)


def test_headings_do_not_skip_a_level_and_headers_have_a_scope(fail: Verdict) -> None:
    tags = [tag for tag in Page(render_page(fail)).tags if isinstance(tag, tuple)]
    levels = [int(tag[0][1]) for tag in tags if re.fullmatch("h[1-6]", tag[0])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(dict(tag[1]).get("scope") in ("col", "row") for tag in tags if tag[0] == "th")


def test_the_same_verdict_gives_the_same_page_before_and_after_it_was_written(fail: Verdict) -> None:
    assert render_page(fail) == render_page(fail) == render_page(Verdict.from_json(fail.to_json()))


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_text_stands_out_from_its_ground_in_light_and_dark(fail: Verdict) -> None:
    blocks = re.findall(r":root \{(.*?)\}", render_page(fail), re.DOTALL)[:2]
    assert len(blocks) == 2
    for block in blocks:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))
        for ground in ("page", "card", "soft"):
            for ink in ("ink", "quiet", "fail", "pass", "incomplete", "link"):
                low, high = sorted((_luminance(colours[ground]), _luminance(colours[ink])))
                assert (high + 0.05) / (low + 0.05) >= 4.5, (ink, ground)


def test_an_instant_among_the_inputs_reads_like_the_time_of_the_request(fail: Verdict) -> None:
    text = Page(render_page(fail)).text
    assert "2013-07-01 05:00:00" in text
    assert "2013-07-01T05:00:00" not in text


def test_a_second_stage_that_differs_is_named(fail: Verdict) -> None:
    assert 'class="also"' not in render_page(fail)
    feature = fail.features[0]
    both = replace(feature, stages={**feature.stages, "retrieval": Comparison(29_425, 1_142)})
    html = render_page(replace(fail, features=(both, *fail.features[1:])))
    assert '<span class="also">also retrieval: 1,142</span>' in html


def test_the_page_says_when_two_values_are_equal(passed: Verdict) -> None:
    text = Page(render_page(passed)).text
    assert "the same value (zero has one value), or two numbers within the relative tolerance that was given" in text
