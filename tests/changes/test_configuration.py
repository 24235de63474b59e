"""Rules, and waivers that have a reason and an end."""

from __future__ import annotations

import itertools
from datetime import date
from pathlib import Path

import pytest

from skewcheck.changes.configuration import Configuration, parse_configuration, read_configuration, waive
from skewcheck.changes.rules import GROUPS, RULES, keep_selected, make_finding, select_rules
from skewcheck.errors import UsageError

TODAY = date(2026, 11, 23)

WAIVER = """
[[tool.skewcheck.waivers]]
rule = "VALUES_SAME"
subject = "large"
reason = "agreed with the fraud team"
expires = {expires}
"""

LARGE = make_finding("VALUES_SAME", "feature", "large", "it changed", service="shop")
SMALL = make_finding("VALUES_SAME", "feature", "small", "it changed", service="shop")


def parse(text: str) -> Configuration:
    found = parse_configuration(text, "pyproject.toml")
    assert found is not None
    return found


def test_a_waiver_lets_its_finding_through_and_no_other() -> None:
    waivers = parse(WAIVER.format(expires="2026-11-23")).waivers
    kept, problems = waive([LARGE, SMALL], waivers, TODAY)
    assert [finding.counts for finding in kept] == [False, True]
    assert kept[0].waiver is not None
    assert kept[0].waiver.reason == "agreed with the fraud team"
    assert problems == []


def test_a_waiver_that_has_expired_no_longer_counts_and_says_so() -> None:
    waivers = parse(WAIVER.format(expires='"2026-11-22"')).waivers
    kept, problems = waive([LARGE], waivers, TODAY)
    assert kept[0].counts
    assert "expired on 2026-11-22" in problems[0].message


def test_a_waiver_that_lets_nothing_through_says_so() -> None:
    _, problems = waive([SMALL], parse(WAIVER.format(expires="2027-01-01")).waivers, TODAY)
    assert "lets nothing through" in problems[0].message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WAIVER.replace('reason = "agreed with the fraud team"', "").format(expires="2027-01-01"), "gives no reason"),
        (WAIVER.replace("agreed with the fraud team", "ok").format(expires="2027-01-01"), "gives no reason"),
        (WAIVER.replace("expires = {expires}", ""), "does not expire"),
        (WAIVER.format(expires='"some day"'), "does not expire"),
        (WAIVER.format(expires="2027-01-01T00:00:00"), "does not expire"),
        (WAIVER.replace("VALUES_SAME", "VALUES").format(expires="2027-01-01"), "names no rule"),
        (WAIVER.replace("subject", "feature").format(expires="2027-01-01"), "feature"),
        ("[tool.skewcheck]\nwaivers = [1]", "a waiver is 1"),
        ("[tool.skewcheck]\nselect = 'values'", "list of names"),
        ("[tool.skewcheck]\nmodels = 3", "models is 3"),
        ("[tool.skewcheck]\nignored = []", "ignored"),
        ("[tool.skewcheck", "no TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_configuration(text, "pyproject.toml")


def test_the_first_file_with_settings_counts(tmp_path: Path) -> None:
    outer, inner = tmp_path, tmp_path / "inner"
    inner.mkdir()
    assert read_configuration((inner, outer)) == Configuration()
    (outer / "pyproject.toml").write_text('[tool.skewcheck]\nselect = ["schema"]\nmodels = "models.json"\n')
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert read_configuration((inner, outer)) == Configuration(("schema",), (), (), "models.json")


def test_a_group_has_the_rules_of_those_before_it() -> None:
    chosen = [select_rules([group], []) for group in GROUPS]
    assert all(smaller < larger for smaller, larger in itertools.pairwise(chosen))
    assert chosen[-1] == set(RULES)
    assert select_rules([], []) == set(RULES)


def test_rules_are_selected_and_ignored() -> None:
    assert select_rules(["VALUES_SAME"], []) == {"VALUES_SAME"}
    assert "VALUES_SAME" not in select_rules(["values"], ["VALUES_SAME"])
    assert {RULES[rule].group for rule in select_rules([], ["values"])} == {"schema", "point-in-time", "serving"}


@pytest.mark.parametrize(
    ("select", "ignore"), [(["NOTHING"], []), ([], ["NOTHING"]), (["VALUES_SAME"], ["VALUES_SAME"])]
)
def test_a_rule_that_is_not_there_is_refused_and_so_is_none_at_all(select: list[str], ignore: list[str]) -> None:
    with pytest.raises(UsageError):
        select_rules(select, ignore)


def test_findings_are_kept_once_the_weightiest_first() -> None:
    note = make_finding("FEATURE_ADDED", "feature", "new", "it is new", service="shop")
    kept = keep_selected([note, SMALL, LARGE, LARGE], select_rules([], []))
    assert kept == [LARGE, SMALL, note]
    assert keep_selected([note, LARGE], select_rules([], ["values"])) == [note]


def test_every_rule_says_what_it_means_and_what_to_do() -> None:
    for rule in RULES.values():
        assert rule.group in GROUPS
        assert rule.meaning.endswith(".")
        assert rule.remedy.endswith(".")
