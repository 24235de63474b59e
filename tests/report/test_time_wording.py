"""What a report says about time."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from skewcheck.report.page import render_page
from skewcheck.report.terminal import print_verdict
from skewcheck.report.time_wording import alignment_lines, column_lines, format_duration
from skewcheck.verdict import ColumnVerdict, Comparison, Filter, Verdict

CAUSE = {
    "kind": "stale",
    "stage": "retrieval",
    "explains": 0.75,
    "parameters": {"form": "stale", "rows": 3, "looked_at": 4},
    "evidence": ["request r1 was served 1.5 (row of <b>noon</b>)"],
    "fix": "Materialise more often.",
    "says": "Serving has an older row.",
}
LAG = {
    "seconds": 7200.0,
    "share": 0.995,
    "requests": 4882,
    "by_hour": [{"hour": 0, "seconds": 3600.0}, {"hour": 23, "seconds": 86400.0}],
}
RESIDUAL = {"rows": 1841, "share": 0.25, "ttl_seconds": 108000.0, "oldest_seconds": 2245408.3}
COLUMN = ColumnVerdict("temp", "weather", Comparison(4, 4), LAG, RESIDUAL, (CAUSE,))
ALIGNMENT = (
    {
        "source": "weather",
        "what": "features",
        "training": {"delay_seconds": 0.0, "age_seconds": 5340.0},
        "serving": {"delay_seconds": 7200.0, "share": 1.0, "age_seconds": 12540.0},
    },
    {
        "source": "plane",
        "what": "features",
        "training": {"delay_seconds": 3600.0, "age_seconds": None},
        "serving": {"delay_seconds": None, "share": None, "age_seconds": None},
    },
    {
        "source": "labels.parquet",
        "what": "labels",
        "training": {"delay_seconds": 259200.0},
        "serving": {"delay_seconds": None},
    },
)


def test_a_column_says_its_delay_its_residuals_and_its_causes() -> None:
    lines = [f"{line.label}|{line.figure}|{line.note}" for line in column_lines(COLUMN)]
    assert lines == [
        (
            "lag|2 h behind|explains 99.5% of 4,882 values that were looked at"
            "; by hour of the day from 1 h (at 00:00 UTC) to 1 d (at 23:00 UTC)"
        ),
        "residual|1,841 values (25.0%)|older than the time to live of 1 d 6 h, the oldest 25 d 23 h",
        "stale|75.0% of the mismatches|Serving has an older row.",
        "||request r1 was served 1.5 (row of <b>noon</b>)",
        "||→ Materialise more often.",
    ]


def test_serving_that_is_ahead_is_not_called_behind() -> None:
    (line,) = column_lines(replace(COLUMN, lag={**LAG, "seconds": -7200.0, "by_hour": []}, residual=None, causes=()))
    assert line.figure == "2 h ahead"


def test_a_column_of_which_nothing_is_known_says_nothing() -> None:
    assert column_lines(ColumnVerdict("temp", "weather", Comparison(4, 4))) == ()


def test_every_source_has_a_line(fail: Verdict) -> None:
    lines = [f"{line.label}|{line.figure}|{line.note}" for line in alignment_lines(replace(fail, alignment=ALIGNMENT))]
    assert lines == [
        "weather|training as known at the time, rows 1 h 29 min old|serving 2 h behind (100%), rows 3 h 29 min old",
        "plane|training 1 h behind|serving with a delay that is unknown",
        (
            "labels.parquet (labels)|training knows labels 3 d after the request"
            "|serving does not log when labels are known"
        ),
    ]


@pytest.mark.parametrize("width", [80, 160])
def test_the_terminal_and_the_page_say_it_and_read_nothing_as_markup(fail: Verdict, width: int) -> None:
    rows = replace(
        fail.rows,
        filters=(
            Filter(
                "flown",
                940,
                concentrated=(
                    {"feature": "x", "stage": "transform", "share": 0.5, "rate": 1.0, "rate_elsewhere": 0.01},
                ),
            ),
        ),
    )
    verdict = replace(fail, columns=(COLUMN,), alignment=ALIGNMENT, rows=rows)
    output = StringIO()
    print_verdict(verdict, Console(file=output, width=width, force_terminal=False))
    told = " ".join(output.getvalue().split())
    assert "Time of weather: training as known at the time" in told
    assert "lag: 2 h behind; explains 99.5% of 4,882 values" in told
    assert "(row of <b>noon</b>)" in told
    assert "50.0% of its mismatches, 100% of these rows differ and 1.0% of the others" in told
    page = render_page(verdict)
    assert "2 h behind" in page
    assert "&lt;b&gt;noon&lt;/b&gt;" in page
    assert "knows labels 3 d after the request" in page


def test_a_verdict_with_time_in_it_is_read_as_it_was_written(fail: Verdict) -> None:
    verdict = replace(fail, columns=(COLUMN,), alignment=ALIGNMENT)
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.25 s"),
        (-3.0, "-3 s"),
        (45, "45 s"),
        (60, "1 min"),
        (3_599.6, "1 h"),
        (5_340, "1 h 29 min"),
        (7_200, "2 h"),
        (86_401, "1 d"),
        (97_200, "1 d 3 h"),
        (-97_200, "-1 d 3 h"),
        (400 * 86_400, "400 d"),
        (4_000 * 86_400, "4,000 d"),
    ],
)
def test_a_time_has_its_two_greatest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
