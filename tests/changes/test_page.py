"""The page on changes says what there is."""

from __future__ import annotations

import dataclasses
import re

from skewcheck import diff_verdict as contract
from skewcheck.changes.rules import RULES
from tests.documents import ROOT

PAGE = (ROOT / "docs" / "changes.md").read_text(encoding="utf-8")


def test_every_field_of_the_verdict_is_explained() -> None:
    kinds = (
        contract.DiffVerdict, contract.FeatureChange, contract.Finding, contract.Impact, contract.PinnedModel,
        contract.Side, contract.Stage, contract.Problem, contract.Witness, contract.Size, contract.Sample,
        contract.Step, contract.Waiver, contract.Location,
    )  # fmt: skip
    named = {field.name for kind in kinds for field in dataclasses.fields(kind)}
    assert named <= set(re.findall(r"`(\w+)`", PAGE))
    assert contract.SCHEMA in PAGE


def test_every_verdict_action_and_rule_is_listed() -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (.*?) \|?$", PAGE, re.MULTILINE))
    assert set(contract.VERDICTS) | set(contract.ACTIONS) <= set(rows)
    listed = {name: cells for name, cells in rows.items() if name.isupper()}
    assert listed == {rule.id: f"{rule.group} | {rule.level}" for rule in RULES.values()}
