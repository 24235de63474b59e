"""The verdict as the terminal shows it: narrow, wide, piped, and with hostile strings in it."""

from __future__ import annotations

import io
import subprocess
import sys
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from skewcheck.contracts import Problem
from skewcheck.report.terminal import print_verdict
from skewcheck.report.wording import rate_of, say_counts, say_headline
from skewcheck.verdict import ColumnVerdict, Comparison, FeatureVerdict, Filter, Pair, Rows, Verdict, Version


def show(verdict: Verdict, width: int = 80, **console: object) -> str:
    file = io.StringIO()
    print_verdict(verdict, Console(file=file, width=width, **console), report_path=Path("out/audit.html"))
    return file.getvalue()


def test_a_pass_is_short(passed: Verdict) -> None:
    assert show(passed, 100) == (
        "PASS departure_delay: all 24 features match in 29,425 requests (2013-07-01 … 2013-07-31)\n"
        "Rows: 29,425 logged, 29,425 replayed, 0 duplicated, 12 unmatched, 940 outside the training filter\n"
        "\n"
        "Full report: out/audit.html\n"
    )


def test_a_fail_at_80_columns(fail: Verdict) -> None:
    small = replace(fail, features=tuple(item for item in fail.features if item.name in ("distance_z", "month")))
    small = replace(small, columns=(), versions=(), problems=())
    lines = [line.rstrip() for line in show(small).splitlines()]
    assert lines == [
        "FAIL departure_delay: 1 of 2 features skewed in 29,425 requests",
        "(2013-07-01 … 2013-07-31)",
        "",
        "skewed feature             mismatched        difference    served → replayed",
        "─" * len("skewed feature             mismatched        difference    served → replayed"),
        "distance_z                 29,424 of 29,425  max 1,204     1.3101 → 0.8214",
        "  transform                99.997%           mean 3.2e-05",
        "  2013-07-01 … 2013-08-01",
        "",
        "Cause: statistics, transform stage: distance_z",
        "  Serving has mean 6.412; the frozen state has 6.58. Explains 98.2% of the",
        '  mismatches. Only where host is one of "blue-1", "blue-2". Since 2013-07-04',
        "  09:14:00 UTC.",
        "  No request that matches would differ with it.",
        "  By hand, r-1 at 2013-07-04 09:14:00 UTC: distance = 529; served 0.1, training",
        "  gives 0.2",
        "  Change: Read mean and deviation from the frozen state, not from recent",
        "  requests.",
        "",
        "Match (1): month",
        "",
        "Rows",
        "  logged                        29,425",
        "  replayed                      29,425",
        "  duplicated                         0",
        "  unmatched                         12",
        "  outside the training filter      940",
        "    flown                          940",
        "    has_seats                  unknown  the log has no column 'seats_sold'",
        "",
        "Full report: out/audit.html",
    ]


@pytest.mark.parametrize("width", [80, 100, 120, 140, 200])
def test_every_width_shows_every_number_and_name_and_fits(fail: Verdict, width: int) -> None:
    text = show(fail, width)
    assert max(map(len, text.splitlines())) <= width
    for feature in fail.features:
        assert feature.name in text
    for words in (
        "29,424 of 29,425",
        "99.997%",
        "0.0034%",
        "311 served missing",
        "4 replayed missing",
        "max 22.5",
    ):
        assert words in text
    for words in (
        "weather.temp",
        "9be21d70c45f",
        "not logged",
        "not current",
        "Warning state:",
        "→ Log through",
    ):
        assert words in text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_numbers_too_wide_for_their_column_are_folded_and_never_cut(fail: Verdict, width: int) -> None:
    many = Comparison(9_876_543_210_123, 9_876_543_210_122, samples=(Pair(None, None, "a" * 40, "b" * 40),))
    feature = replace(fail.features[0], name="n" * 50, stages={"transform": many})
    verdict = replace(fail, features=(feature,), columns=(ColumnVerdict("c" * 30, "v" * 30, many),))
    text = show(verdict, width).partition("Rows")[0]
    assert max(map(len, text.splitlines())) <= width
    expected = say_headline(verdict) + 2 * (say_counts(many) + rate_of(many))
    assert sorted(filter(str.isdigit, text)) == sorted(filter(str.isdigit, expected))


def test_a_wide_terminal_shows_the_clock_of_first_and_last_mismatch(fail: Verdict) -> None:
    assert "2013-07-01 04:00" in show(fail, 120)
    assert "2013-08-01 03:59" in show(fail, 120)


@pytest.mark.parametrize("width", [80, 140])
def test_a_long_name_is_folded_and_never_cut(fail: Verdict, width: int) -> None:
    name = "".join(f"part{at:03}_" for at in range(20))
    text = show(replace(fail, features=(replace(fail.features[0], name=name),)), width)
    first_column = "".join(line[:32].strip() for line in text.splitlines())
    assert name in first_column
    assert "part…" not in text


def test_an_incomplete_audit_says_what_is_missing_and_what_to_do(incomplete: Verdict) -> None:
    text = show(incomplete, 100)
    assert "Not compared: seats (the log has no column 'seats')\n" in text
    assert "Stage not compared: retrieval, end to end (the log has no entity keys)\n" in text
    assert "duplicated                   unknown  no request ids logged" in text
    assert "part-01.parquet: truncated: no Parquet footer\n  → Copy the file again, or move it away.\n" in text


def test_piped_output_has_no_escapes_and_a_terminal_has_colour(fail: Verdict) -> None:
    assert "\x1b" not in show(fail)
    assert "\x1b[1;31mFAIL\x1b[0m" in show(fail, force_terminal=True, color_system="standard")


def test_the_same_verdict_prints_the_same_before_and_after_it_was_written(fail: Verdict) -> None:
    assert show(fail) == show(fail) == show(Verdict.from_json(fail.to_json()))


@pytest.mark.parametrize("width", [80, 140])
def test_a_second_stage_that_differs_is_named(fail: Verdict, width: int) -> None:
    feature = fail.features[0]
    assert "also" not in show(fail, width)
    both = replace(feature, stages={**feature.stages, "retrieval": Comparison(29_425, 1_142)})
    assert "also retrieval: 1,142" in show(replace(fail, features=(both, *fail.features[1:])), width)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_an_encoding_without_the_characters_gets_others(fail: Verdict, encoding: str) -> None:
    raw = io.BytesIO()
    hostile = replace(fail, service="東京")
    with io.TextIOWrapper(raw, encoding=encoding) as file:
        print_verdict(hostile, Console(file=file, width=80))
        file.flush()
        text = raw.getvalue().decode(encoding)
    assert text.startswith("FAIL \\u6771\\u4eac: 6 of 24 features")
    assert "->" in text


def hostile_verdict(text: str) -> Verdict:
    pair = Pair(text, text, text, [text], {text: text})
    comparison = Comparison(2, 1, first_mismatch=text, last_mismatch=text, samples=(pair,))
    return Verdict(
        text,
        "incomplete",
        Rows(2, 2, filters=(Filter(text, None, text),), first=text, last=text),
        (
            FeatureVerdict(
                text,
                "skew",
                text,
                {text: comparison},
                (text,),
                note=text,
                causes=({text: text, "fix": text},),
            ),
            FeatureVerdict(text, "not-compared", note=text),
            FeatureVerdict(text, "match"),
        ),
        text,
        text,
        text,
        (ColumnVerdict(text, text, comparison),),
        (Version(text, text, 2, current=False),),
        (Problem("error", text, text, text),),
        {"transform": text},
    )


@given(
    st.text(st.characters(exclude_categories=()), max_size=20)
    | st.sampled_from(["[red]x[/red]", "[/]", ":smile:", "\x1b]0;title\x07", "[link=file:///]a[/link]", "\u202eabc"]),
    st.sampled_from([80, 140]),
)
def test_no_string_is_markup_or_a_control(text: str, width: int) -> None:
    for line in show(hostile_verdict(text), width).split("\n"):
        for character in line:
            assert character == " " or unicodedata.category(character) not in {
                "Cc",
                "Cf",
                "Cs",
                "Zl",
                "Zp",
                "Zs",
            }


@pytest.mark.parametrize("text", ["[red]", "[/]", "[bold]x[/bold]", ":smile:"])
def test_what_looks_like_markup_is_printed_as_it_is(text: str) -> None:
    shown = show(hostile_verdict(text))
    assert shown.startswith(f"INCOMPLETE {text}: ")
    assert f"Error {text}: {text}\n  → {text}\n" in shown


def test_the_terminal_report_loads_no_data_engine_and_no_template_engine() -> None:
    code = "import sys, skewcheck.report.terminal, skewcheck.report.machine; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert "rich.table" in loaded
    assert not loaded & {"pandas", "pyarrow", "duckdb", "feast", "jinja2", "numpy"}
