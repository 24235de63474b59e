"""A small, seeded part of the fault bench: what is planted is named, where it is, and nothing else."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.faults.catalogue import PAIRS, SINGLES
from benchmarks.faults.running import Outcome, Planted, run, run_clean
from benchmarks.faults.serving import Fault

ROWS = 3000

CHOSEN = (
    ("distance_z", "statistics", "rolling", "round", "identity"),
    ("distance_scaled", "kilometres", "other_column"),
    ("speed", "exchanged", "float32"),
    ("fare_log", "bounds", "order", "log_dropped"),
    ("fare_robust", "log_first", "statistics"),
    ("temperature_z", "missing_as", "celsius"),
    ("rating_filled", "fill_dropped"),
    ("demand_root", "shuffled", "absent"),
    ("fare_bucket", "right_closed", "edge_moved"),
    ("city_code", "unseen", "alphabetical"),
    ("city_hash", "crc32", "buckets"),
    ("city_text", "not_stripped"),
    ("payment_one_hot", "rotated"),
    ("driver_code", "reversed"),
    ("pickup_hour", "utc"),
    ("pickup_weekday", "sunday_first"),
    ("account_days", "milliseconds", "local_time"),
    ("click_rate", "overflow"),
    ("tip", "share"),
    ("is_long", "inclusive"),
)

ROLLED_OUT = (("temperature_z", "celsius"), ("pickup_hour", "utc"), ("tip", "share"), ("city_code", "alphabetical"))


def find(feature: str, name: str) -> Fault:
    """The first fault of the catalogue with a name."""
    return next(fault for fault in SINGLES if (fault.feature, fault.name) == (feature, name))


def name_of(outcome: Outcome) -> str:
    return " and ".join(f"{fault.feature} {fault.name}" for fault in outcome.planted.faults)


@cache
def outcomes() -> dict[tuple[str, ...], Outcome]:
    """All audits of this file, a feature's next fault in the next log."""
    plantings = [Planted((find(feature, name),)) for feature, *names in CHOSEN for name in names]
    found = run(plantings, ROWS, seed=11)
    return {(one.planted.feature, one.planted.faults[0].name): one for one in found}


@pytest.mark.parametrize(("feature", "name"), [(feature, name) for feature, *names in CHOSEN for name in names])
def test_a_single_fault_is_named_first(feature: str, name: str) -> None:
    outcome = outcomes()[feature, name]
    assert outcome.detected
    assert outcome.right, (outcome.named, [cause["says"] for cause in outcome.causes])
    assert outcome.causes[0]["explains"] >= 0.9


def test_numbers_that_were_solved_are_right_to_six_digits() -> None:
    parameters = outcomes()["fare_robust", "statistics"].causes[0]["parameters"]
    fault = find("fare_robust", "statistics")
    frozen, solved = parameters["frozen"], parameters["statistics"]
    assert solved["median"] == pytest.approx(frozen["median"] + 0.3 * fault.size, rel=1e-6)
    assert solved["range"] == pytest.approx(frozen["range"] + 0.7 * fault.size, rel=1e-6)
    assert outcomes()["tip", "share"].causes[0]["parameters"]["serving"] == pytest.approx(0.18, rel=1e-9)
    assert outcomes()["distance_z", "rolling"].causes[0]["parameters"]["requests"] == 50


def test_two_rows_are_worked_by_hand() -> None:
    worked = outcomes()["temperature_z", "celsius"].causes[0]["examples"]
    assert len(worked) == 2
    for example in worked:
        assert example["request_id"]
        assert any(step.startswith("temperature = ") for step in example["steps"])
        assert "in serving" in example["steps"][1]
        assert example["steps"][-1].startswith("served ")


@pytest.mark.parametrize("pair", PAIRS[2:9:3], ids=lambda pair: f"{pair[0].feature} {pair[0].name} and {pair[1].name}")
def test_two_faults_on_one_feature_are_both_named(pair: tuple[Fault, Fault]) -> None:
    (outcome,) = run([Planted(pair)], ROWS, seed=12)
    assert outcome.right, (outcome.named, [cause["says"] for cause in outcome.causes])


def test_a_partial_roll_out_is_told_by_its_hosts_or_its_beginning() -> None:
    some = run([Planted((find(*fault),), pods=5) for fault in ROLLED_OUT], ROWS, seed=13)
    late = run([Planted((find(*fault),), since=0.5) for fault in ROLLED_OUT], ROWS, seed=13)
    for outcome in (*some, *late):
        assert outcome.right, (name_of(outcome), outcome.named)
        assert outcome.located, (name_of(outcome), [(one["where"], one["since"]) for one in outcome.causes])
    assert {tuple(one.causes[0]["where"]) for one in some} == {("host",)}
    assert all(one.causes[0]["since"] and not one.causes[0]["where"] for one in late)


def test_a_clean_log_has_no_cause() -> None:
    verdict = run_clean(ROWS, seed=14)
    assert verdict.verdict == "pass"
    assert verdict.findings == ()


def test_noise_is_unexplained_and_does_not_hide_a_fault() -> None:
    (noise,) = run([Planted((Fault("tip", "nothing", "unexplained"),), noise=0.2)], ROWS, seed=15)
    assert noise.named == ("unexplained",)
    (noisy,) = run([Planted((find("tip", "share"),), noise=0.02)], ROWS, seed=15)
    assert noisy.named[0] == "constant"
    assert noisy.causes[0]["explains"] > 0.95
