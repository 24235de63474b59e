"""The contract of a diff: what is written is read again, and what it adds up to."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from skewcheck.contracts import Problem
from skewcheck.diff_verdict import (
    SCHEMA,
    DiffVerdict,
    FeatureChange,
    Finding,
    Impact,
    Location,
    PinnedModel,
    Sample,
    Side,
    Size,
    Stage,
    Step,
    Waiver,
    Witness,
    decide,
    worst,
)
from skewcheck.errors import SkewcheckError

ERROR = Finding(
    "VALUES_SAME", "error", "feature", "amount_z", "it changed", service="shop", location=Location("a.py", 3)
)
WAIVED = replace(ERROR, waiver=Waiver("agreed with the team", "2027-01-31"))
STOPPED = Problem("error", "main", "cannot be loaded", "Correct it.")

WHOLE = DiffVerdict(
    "fail",
    Side("main", "0123", 2),
    Side("the working folder", None, 2),
    features=(
        FeatureChange(
            "shop",
            "amount_z",
            "values-changed",
            reasons=("its declaration gives other values",),
            location=Location("features/shop.py", 12),
            old_expression="amount",
            new_expression="(amount + 1.0)",
            through=("amount",),
            witness=Witness(
                {"amount": 1.0, "vector": [1.0, None]},
                1.0,
                [2.0, 3.0],
                (Step("amount", 1.0),),
                (Step("(amount + 1.0)", [2.0], {"mean": 0.5, "entries": ["a", "\ud800"]}),),
                stored=({"key": 1},),
                requested_at="2024-01-01T00:00:00+00:00",
                note="a note",
                case="codegen/shop/cases/amount_z.json",
            ),
            size=Size("log", 10, 4, 1, 2, 3.5, 0.25, (Sample({"request_id": "r1"}, {"amount": None}, None, 2.0),)),
            downstream=("double",),
            action="retrain",
        ),
        FeatureChange("shop", "other", "equal", evidence="tested", rows_tested=10_000, action="redeploy"),
    ),
    findings=(ERROR, replace(WAIVED, subject="other")),
    impact=Impact(
        "retrain",
        ("shop",),
        ("shop",),
        ("account",),
        (PinnedModel("fraud", "3", "shop", "models.json", ("champion",)),),
    ),
    problems=(Problem("warning", "--budget", "cut short"),),
    stages=(Stage("diff", "fail", "1 values-changed"),),
)


def test_what_is_written_is_read_again() -> None:
    assert DiffVerdict.from_json(WHOLE.to_json()) == WHOLE
    assert WHOLE.to_json() == DiffVerdict.from_json(WHOLE.to_json()).to_json()


def test_the_text_names_its_schema_and_can_be_encoded() -> None:
    assert json.loads(WHOLE.to_json().encode())["schema"] == SCHEMA


def test_fields_of_a_later_version_are_passed_over() -> None:
    data = json.loads(WHOLE.to_json())
    data["colour"] = data["features"][0]["colour"] = data["impact"]["colour"] = "blue"
    assert DiffVerdict.from_json(json.dumps(data)) == WHOLE


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "skewcheck/audit/1"}', f'{{"schema": "{SCHEMA}"}}'])
def test_what_is_no_verdict_is_refused(text: str) -> None:
    with pytest.raises(SkewcheckError):
        DiffVerdict.from_json(text)


@pytest.mark.parametrize("field", ["verdict", "features"])
def test_a_verdict_that_does_not_exist_is_refused(field: str) -> None:
    data = json.loads(WHOLE.to_json())
    target = data if field == "verdict" else data["features"][0]
    target["verdict"] = "fine"
    with pytest.raises(SkewcheckError, match="fine"):
        DiffVerdict.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("findings", "problems", "expected", "code"),
    [
        ((), (), "pass", 0),
        ((ERROR,), (), "fail", 1),
        ((WAIVED, replace(ERROR, level="warning")), (), "pass", 0),
        ((), (replace(STOPPED, severity="warning"),), "pass", 0),
        ((), (STOPPED,), "incomplete", 3),
        ((ERROR,), (STOPPED,), "incomplete", 3),
    ],
)
def test_findings_and_problems_add_up(
    findings: tuple[Finding, ...], problems: tuple[Problem, ...], expected: str, code: int
) -> None:
    verdict = decide(findings, problems)
    assert verdict == expected
    assert replace(WHOLE, verdict=verdict).exit_code == code


def test_the_worst_of_several_counts_and_unknown_is_worse_than_equal() -> None:
    assert worst(["equal", "unknown", "metadata"]) == "unknown"
    assert worst(["values-changed", "unknown"]) == "values-changed"
    assert worst([]) == "unchanged"


def test_a_fingerprint_outlives_lines_and_wording() -> None:
    moved = replace(ERROR, message="otherwise", location=Location("b.py", 99), waiver=WAIVED.waiver)
    assert moved.fingerprint == ERROR.fingerprint
    assert replace(ERROR, subject="other").fingerprint != ERROR.fingerprint


def test_counts_are_in_the_order_of_severity() -> None:
    assert list(WHOLE.counts) == ["equal", "values-changed"]


def test_the_share_of_no_rows_is_zero() -> None:
    assert Size("log", 0, 0).share == 0
    assert Size("log", 10, 4).share == 0.4
