"""Where statistics that serving uses come from: an earlier state, the log itself, or nobody knows."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.faults.world import Rides, compute_features, make_log, make_rides, write_generated, write_log
from skewcheck.audit import Options, audit
from skewcheck.fit.history import read_earlier_states
from skewcheck.fit.state import State, read_state

OPERATOR = "distance.log1p().standardize()"
VOCABULARY = "city.strip().lower().vocabulary(size=20)"


@pytest.fixture(scope="module")
def rides() -> Rides:
    return make_rides(1500, seed=31)


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    return Path(shutil.copytree(write_generated(), tmp_path / "codegen" / "rides"))


def commit(folder: Path, message: str) -> None:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), "init", "-q"], check=True)
    subprocess.run(["git", "-C", str(folder), "add", "-A"], check=True)
    subprocess.run(["git", "-C", str(folder), *identity, "commit", "-q", "-m", message], check=True)


def with_statistics(state: State, mean: float, std: float) -> State:
    statistics = {**state.statistics, OPERATOR: {"mean": mean, "std": std}}
    return State(state.service, state.fit, statistics, state.training)


def explain(rides: Rides, generated: Path, mean: float, std: float) -> dict[str, Any]:
    """The cause of a feature that is served with other statistics."""
    frozen = read_state(generated / "state.json").statistics[OPERATOR]
    clean = compute_features(rides)
    right = clean["distance_z"].to_pylist()
    wrong = [None if z is None else (z * frozen["std"] + frozen["mean"] - mean) / std for z in right]
    log = write_log(generated.parent / "log.parquet", make_log(rides, clean | {"distance_z": pa.array(wrong)}))
    verdict = audit(log, generated, None, Options(stages=("transform",)))
    (cause,) = next(feature.causes for feature in verdict.features if feature.name == "distance_z")
    assert cause["kind"] == "statistics"
    return dict(cause)


def test_the_state_of_an_earlier_commit_is_named(rides: Rides, generated: Path) -> None:
    path = generated / "state.json"
    state = read_state(path)
    earlier = with_statistics(state, 1.25, 0.75)
    for number, one in enumerate((earlier, with_statistics(state, 9.0, 3.0), state)):
        one.write(path)
        commit(generated.parent, f"state {number}")
    cause = explain(rides, generated, 1.25, 0.75)
    assert cause["parameters"]["source"]["state"] == earlier.hash
    assert f"That is the state {earlier.hash[:12]} of commit" in cause["says"]
    assert cause["fix"].startswith("Serving still has that state.")


def test_the_vocabulary_of_an_earlier_commit_is_named(rides: Rides, generated: Path) -> None:
    path = generated / "state.json"
    state = read_state(path)
    entries = state.statistics[VOCABULARY]["entries"]
    older = [*entries[3:], *entries[:3]]
    earlier = State(state.service, state.fit, {**state.statistics, VOCABULARY: {"entries": older}}, state.training)
    for number, one in enumerate((earlier, state)):
        one.write(path)
        commit(generated.parent, f"state {number}")
    clean = compute_features(rides)
    code = {place: older.index(entry) for place, entry in enumerate(entries)}
    first = min(number for number in clean["city_code"].to_pylist() if number)
    served = pa.array([code[x - first] + first if x else x for x in clean["city_code"].to_pylist()], pa.int64())
    log = write_log(generated.parent / "log.parquet", make_log(rides, clean | {"city_code": served}))
    verdict = audit(log, generated, None, Options(stages=("transform",)))
    (cause,) = next(feature.causes for feature in verdict.features if feature.name == "city_code")
    assert cause["kind"] == "recode"
    assert cause["parameters"]["source"]["state"] == earlier.hash


def test_the_statistics_of_the_whole_log_are_recognised(rides: Rides, generated: Path) -> None:
    frozen = read_state(generated / "state.json").statistics[OPERATOR]
    z = np.array([one for one in compute_features(rides)["distance_z"].to_pylist() if one is not None])
    logarithms = z * frozen["std"] + frozen["mean"]
    cause = explain(rides, generated, float(logarithms.mean()), float(logarithms.std()))
    assert cause["parameters"]["source"] == {"log": True, "requests": len(z)}
    assert f"Those are the statistics of the {len(z):,} requests of this log together." in cause["says"]


def test_statistics_of_nowhere_have_no_source(rides: Rides, generated: Path) -> None:
    commit(generated.parent, "the state")
    cause = explain(rides, generated, 1.25, 0.75)
    assert "source" not in cause["parameters"]


def test_earlier_states_are_each_once_and_what_is_none_is_passed_over(generated: Path) -> None:
    path = generated / "state.json"
    state = read_state(path)
    other = with_statistics(state, 1.25, 0.75)
    edited = json.dumps({**json.loads(state.to_json()), "hash": "0"})
    for number, text in enumerate((state.to_json(), "no state", other.to_json(), edited, state.to_json())):
        path.write_text(text, encoding="utf-8")
        commit(generated.parent, f"version {number}")
    assert [one.state.hash for one in read_earlier_states(path)] == [state.hash, other.hash]


def test_without_a_repository_there_is_no_earlier_state(generated: Path) -> None:
    assert list(read_earlier_states(generated / "state.json")) == []
