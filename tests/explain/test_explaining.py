"""The audit with causes: what it says, what it leaves out, and what it does where something is not there."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from benchmarks.faults.running import Planted, plant
from benchmarks.faults.serving import Fault
from benchmarks.faults.world import Rides, compute_features, make_log, make_rides, write_generated, write_log
from skewcheck.audit import Options, audit
from skewcheck.causes import KINDS, UNEXPLAINED, Cause, group_causes
from skewcheck.fit.state import read_state
from skewcheck.verdict import Verdict

ROWS = 1500
CODE = Fault("city_code", "other_month", "recode")
KILOMETRES = tuple(Fault(name, "kilometres", "unit") for name in ("distance_z", "distance_scaled", "speed"))


@pytest.fixture(scope="module")
def rides() -> Rides:
    return make_rides(ROWS, seed=31)


@pytest.fixture(scope="module")
def clean(rides: Rides) -> dict[str, pa.Array]:
    return compute_features(rides)


def serve(rides: Rides, clean: dict[str, pa.Array], *faults: Fault) -> dict[str, pa.Array]:
    return clean | {fault.feature: plant(rides, clean[fault.feature], Planted((fault,)), 1)[0] for fault in faults}


def audit_table(table: pa.Table, folder: Path, generated: Path | None = None, **options: Any) -> Verdict:
    log = write_log(folder / "log.parquet", table)
    return audit(log, generated or write_generated(), None, Options(stages=("transform",), **options))


def test_one_fault_behind_several_features_is_one_finding(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path
) -> None:
    verdict = audit_table(make_log(rides, serve(rides, clean, *KILOMETRES)), tmp_path)
    (finding,) = verdict.findings
    assert set(finding.features) == {"distance_z", "distance_scaled", "speed"}
    assert set(finding.features.values()) == {1.0}
    assert finding.cause["root"] == "column distance"
    assert finding.cause["parameters"]["serving"] == "kilometer"
    assert Verdict.from_json(verdict.to_json()) == verdict
    assert json.loads(verdict.to_json())["findings"][0]["features"] == dict(finding.features)


def test_a_run_says_what_the_run_before_said(rides: Rides, clean: dict[str, pa.Array], tmp_path: Path) -> None:
    table = make_log(rides, serve(rides, clean, CODE, *KILOMETRES))
    assert audit_table(table, tmp_path).to_json() == audit_table(table, tmp_path).to_json()


def test_a_cause_names_values_only_where_they_may_be_seen(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path
) -> None:
    table = make_log(rides, serve(rides, clean, CODE))
    open_verdict = audit_table(table, tmp_path)
    (cause,) = open_verdict.skewed[0].causes
    assert cause["parameters"]["codes"]
    assert cause["examples"]
    redacted = audit_table(table, tmp_path, redact=True)
    (cause,) = redacted.skewed[0].causes
    assert (cause["kind"], cause["explains"]) == ("recode", 1.0)
    text = redacted.to_json().lower()
    assert not any(town in text for town in ("springfield", "riverside", "salem", "dover", "ashland"))
    assert "r0000" not in text


def test_without_samples_no_row_is_worked(rides: Rides, clean: dict[str, pa.Array], tmp_path: Path) -> None:
    verdict = audit_table(make_log(rides, serve(rides, clean, CODE)), tmp_path, samples=0)
    assert verdict.skewed[0].causes[0]["examples"] == []
    assert "r0000" not in verdict.to_json()


def test_no_cause_is_sought_where_none_is_asked_for(rides: Rides, clean: dict[str, pa.Array], tmp_path: Path) -> None:
    assert audit_table(make_log(rides, serve(rides, clean, CODE)), tmp_path, explain=False).skewed[0].causes == ()


@pytest.mark.parametrize("faults", [(), (CODE,)])
@pytest.mark.parametrize("state", [None, "{}", "another"])
def test_a_state_that_is_gone_or_another_is_said(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path, faults: tuple[Fault, ...], state: str | None
) -> None:
    generated = tmp_path / "codegen" / "rides"
    shutil.copytree(write_generated(), generated)
    path = generated / "state.json"
    if state == "another":
        other = read_state(path)
        dataclasses.replace(other, training={**other.training, "rows": 1}).write(path)
    elif state is not None:
        path.write_text(state)
    else:
        path.unlink()
    verdict = audit_table(make_log(rides, serve(rides, clean, *faults)), tmp_path, generated)
    assert all(feature.causes == () for feature in verdict.skewed)
    assert [problem.severity for problem in verdict.problems if problem.where == "state"] == ["warning"]


def test_last_digits_are_no_fault_of_the_expression(rides: Rides, clean: dict[str, pa.Array], tmp_path: Path) -> None:
    tips = pa.array([None if tip is None else tip * (1 + 3e-15) for tip in clean["tip"].to_pylist()])
    (cause,) = audit_table(make_log(rides, clean | {"tip": tips}), tmp_path).skewed[0].causes
    assert cause["kind"] == "environment"
    assert 0 < cause["parameters"]["largest"] < 1e-14


def test_another_version_is_named_where_nothing_else_is(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path
) -> None:
    old = [place % 3 == 0 for place in range(ROWS)]
    tips = [
        None if tip is None else (tip * 1.7 + place**1.5 if gone else tip)
        for place, (tip, gone) in enumerate(zip(clean["tip"].to_pylist(), old, strict=True))
    ]
    beside = {"model_version": pa.array(["v1" if gone else "v2" for gone in old])}
    table = make_log(rides, clean | {"tip": pa.array(tips)}, beside)
    (cause,) = audit_table(table, tmp_path).skewed[0].causes
    assert (cause["kind"], cause["where"]) == ("mixed_versions", {"model_version": "v1"})


def test_a_log_without_times_ids_and_hosts_is_explained(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path
) -> None:
    table = make_log(rides, serve(rides, clean, KILOMETRES[2])).drop_columns(["request_id", "requested_at", "host"])
    (cause,) = audit_table(table, tmp_path).skewed[0].causes
    assert (cause["kind"], cause["since"], cause["where"]) == ("unit", None, {})


def test_a_handful_of_mismatches_is_not_explained_by_chance(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path
) -> None:
    hours = clean["pickup_hour"].to_pylist()
    hours[7] = (hours[7] + 5) % 24
    (cause,) = audit_table(make_log(rides, clean | {"pickup_hour": pa.array(hours)}), tmp_path).skewed[0].causes
    assert cause["kind"] == UNEXPLAINED
    assert cause["explains"] == 1.0


def test_a_kind_outside_the_list_is_refused() -> None:
    with pytest.raises(ValueError, match="no cause"):
        Cause("gremlins", "transform", 1.0)
    assert len(set(KINDS)) == len(KINDS) == 35


def test_findings_are_grouped_by_what_serving_does_not_by_what_training_does() -> None:
    causes = [
        Cause("default", "transform", share, {"serving": 0.0, "declared": declared}, root="column temp").to_data()
        for share, declared in ((0.9, 48.02), (1.0, None))
    ]
    other = Cause("default", "transform", 1.0, {"serving": -1.0}, root="column temp").to_data()
    alone = Cause(UNEXPLAINED, "transform", 0.1).to_data()
    found = group_causes([("a", [causes[0], alone]), ("b", [causes[1]]), ("c", [other]), ("d", [alone])])
    assert [dict(finding.features) for finding in found] == [{"b": 1.0, "a": 0.9}, {"c": 1.0}, {"a": 0.1}, {"d": 0.1}]


def test_a_value_that_serving_takes_for_a_missing_one_is_named_only_where_it_may_be_seen(
    rides: Rides, clean: dict[str, pa.Array], tmp_path: Path
) -> None:
    def lose(table: pa.Table, name: str, value: object, feature: str) -> pa.Table:
        place = table.column_names.index(feature)
        given = table.column(name).to_pylist()
        kept = [None if one == value else old for one, old in zip(given, table.column(place).to_pylist(), strict=True)]
        return table.set_column(place, feature, pa.array(kept, table.schema.field(place).type))

    table = make_log(rides, clean)
    name = next(name for name in table.column_names if name.rpartition(".")[2] == "city")
    value = next(one for one in table.column(name).to_pylist() if one is not None and len(one) > 4)
    table = lose(table, name, value, "feature.city_code")
    (cause,) = audit_table(table, tmp_path).skewed[0].causes
    assert cause["kind"] == "default"
    assert value.lower() in " ".join([cause["says"], *cause["evidence"]]).lower()
    redacted = audit_table(table, tmp_path, redact=True).to_json()
    assert "Serving takes one value of " in redacted
    assert value.lower() not in redacted.lower()
