"""The verdict of a diff in the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from skewcheck.contracts import Problem
from skewcheck.diff_verdict import DiffVerdict, FeatureChange, Size
from skewcheck.report.diff_terminal import print_diff
from tests.test_diff_verdict import WHOLE


def show(verdict: DiffVerdict) -> str:
    text = io.StringIO()
    print_diff(verdict, Console(file=text, width=200, highlight=False))
    return text.getvalue()


def test_the_first_line_says_all_that_somebody_in_a_hurry_needs() -> None:
    assert show(WHOLE).splitlines()[0] == "FAIL main → the working folder: 1 equal, 1 values-changed"


def test_a_changed_feature_is_worked_through() -> None:
    said = show(WHOLE)
    for part in (
        "shop.amount_z  values-changed  features/shop.py:12",
        "  through amount",
        "  - amount",
        "  + (amount + 1.0)",
        "  stored     key=1",
        "  asked at   2024-01-01T00:00:00+00:00",
        "  input      amount=1.0, vector=[1.0, None]",
        "    (amount + 1.0) = [2.0]  [mean 0.5, entries ['a', '\\ud800']]",
        "  note       a note",
        "  saved as   codegen/shop/cases/amount_z.json",
        "  log: 4 of 10 rows change (40.00%), 1 become missing, 2 no longer are missing, by at most 3.5, PSI 0.2500",
        "    request_id='r1': missing → 2.0  (amount=missing)",
        "  read by double",
    ):
        assert part in said


def test_what_is_proved_is_told_from_what_was_tested() -> None:
    proved = FeatureChange("shop", "third", "equal", evidence="proved")
    said = show(replace(WHOLE, features=(*WHOLE.features, proved, replace(proved, name="fourth", verdict="metadata"))))
    assert "Equal, tested on 10,000 rows (1): other" in said
    assert "Equal, proved by canonical form (1): third" in said
    assert "Documentation alone (1): fourth" in said


def test_a_finding_that_was_let_through_says_by_whom() -> None:
    said = show(WHOLE)
    assert "error   VALUES_SAME  it changed\n" in said
    assert "(waived until 2027-01-31: agreed with the team)" in said


def test_the_end_says_what_is_needed_and_what_could_not_be_done() -> None:
    said = show(replace(WHOLE, problems=(Problem("error", "main", "cannot be loaded", "Correct it."),)))
    assert "Needed: retrain the models that read what changed" in said
    assert "pinned models: fraud 3 (models.json)" in said
    assert "fail       diff: 1 values-changed" in said
    assert "error: main: cannot be loaded" in said
    assert "→ Correct it." in said


def test_nothing_of_a_name_is_read_as_markup_and_nothing_is_hidden() -> None:
    change = replace(WHOLE.features[0], name="[bold]x\x1b[31m", size=Size("log", 0, 0, note="[red]not measured"))
    said = show(replace(WHOLE, features=(change,)))
    assert "[bold]x" in said
    assert "[red]not measured" in said
    assert "\x1b" not in said


def test_a_verdict_of_nothing_is_one_line() -> None:
    empty = DiffVerdict("pass", WHOLE.old, WHOLE.new)
    assert show(empty) == "PASS main → the working folder: no features\n"
