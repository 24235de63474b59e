"""The page of divergences lists every one, and every one has a test."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parent.parent / "docs" / "divergences.md").read_text(encoding="utf-8")


def test_the_page_lists_every_divergence_and_each_has_a_test() -> None:
    rows = re.findall(r"^\| (\d+) \|.*\| `divergence_(\d\d)` \|$", PAGE, re.MULTILINE)
    assert sorted(int(number) for number, _ in rows) == list(range(1, 28))
    assert all(int(number) == int(named) for number, named in rows)
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    assert {named for _, named in rows} == set(re.findall(r"def test_feast_divergence_(\d\d)_", tests))


def test_what_the_page_says_is_flagged_is_flagged_in_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    for number, told in re.findall(r"^\| (\d+) \|[^|]*\|([^|]*)\|", PAGE, re.MULTILINE):
        of_number = "".join(re.findall(rf"(?s)def test_feast_divergence_{int(number):02}_.*?(?=\n\n\n|\Z)", tests))
        for form in re.findall(r"`([a-z0-9_]+)`", told.partition("avoided")[0] or told):
            if "flagged" in told and form != "incomplete":
                assert f'"{form}"' in of_number, (number, form)
