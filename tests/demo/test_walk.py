"""The demo's own way on two days of July: register, train, serve twice, audit twice."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from skewcheck.audit import audit
from skewcheck.demo import walk
from skewcheck.demo.faults import FAULTS, check_found
from skewcheck.demo.model import Model, make_matrix, measure_auc, train
from skewcheck.demo.narration import Narrator
from skewcheck.demo.serving import make_legacy_service, read_requests, serve_generated, serve_legacy
from skewcheck.demo.world import World
from skewcheck.generate.log_schema import log_schema
from skewcheck.generate.manifest import read_manifest
from skewcheck.serving.reader import open_log
from skewcheck.store.register import register
from skewcheck.store.repository import Repository, generated_directory, load_repository

if TYPE_CHECKING:
    from feast import FeatureStore

    from skewcheck.generate.manifest import Manifest
    from skewcheck.verdict import Verdict

ROOT = Path(__file__).parents[2]
DAYS = ("2013-07-02", "2013-07-04")


class Served:
    """A repo in which both services have served two days."""

    def __init__(self, root: Path, world: World) -> None:
        self.world = world
        self.repository: Repository = load_repository(root)
        self.generated = generated_directory(root, walk.SERVICE)
        service = self.repository.service(walk.SERVICE)
        self.manifest: Manifest = register(self.repository, service)
        from feast import FeatureStore

        self.store: FeatureStore = FeatureStore(repo_path=str(root))
        training = root / "demo-output" / "training"
        self.model: Model = train(self.repository, service, self.manifest, training, end="2013-01-08")
        self.requests = read_requests(world, DAYS)
        self.advanced: list[int] = []
        serve_generated(
            self.store,
            self.manifest,
            self.generated,
            world,
            self.requests,
            self.model,
            walk.LOGS,
            self.advanced.append,
        )
        legacy = make_legacy_service(world, self.generated)
        serve_legacy(legacy, self.manifest, self.requests, self.model, walk.LEGACY_LOGS, self.advanced.append)

    def audit(self, folder: Path) -> Verdict:
        return audit(folder / walk.SERVICE, self.generated, lambda: self.repository)


@pytest.fixture(scope="module")
def served(world: World, one_thread: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("walk")
    for name in ("features", "codegen"):
        shutil.copytree(ROOT / name, root / name)
    shutil.copy(ROOT / "feature_store.yaml", root)
    shutil.copytree(world.weather.parent, root / "data", ignore=shutil.ignore_patterns("*.db*"))
    own = World(
        *(root / "data" / path.name for path in (world.weather, world.planes, world.departures, world.arrivals))
    )
    with contextlib.chdir(root):
        yield Served(root, own)


def test_what_the_generated_code_served_is_what_training_computes(served: Served) -> None:
    verdict = served.audit(walk.LOGS)
    assert check_found(verdict, ()) == []
    assert verdict.rows.logged == len(served.requests) > 1_900
    assert [(version.rows, version.current) for version in verdict.versions] == [(len(served.requests), True)]


def test_what_the_legacy_service_served_differs_exactly_where_it_was_broken(served: Served) -> None:
    verdict = served.audit(walk.LEGACY_LOGS)
    assert check_found(verdict, FAULTS) == []
    stale = {name for row in FAULTS if row.stage == "retrieval" for name in row.features}
    read = {name for feature in verdict.features if feature.name in stale for name in feature.reads}
    assert {column.name for column in verdict.columns if column.comparison.mismatched} <= read
    found = io.StringIO()
    Narrator(Console(file=found, width=80), 1).show_found(verdict)
    lines = found.getvalue().splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    for row in FAULTS:
        (line,) = (line for line in lines if line.startswith(row.fault))
        assert line.split()[-3:] == [row.stage, str(len(row.features)), str(len(row.features))]
    assert lines[-1].split()[-2:] == ["0", "skewed"]


def test_every_request_is_logged_once_under_its_own_time_with_a_prediction(served: Served) -> None:
    expected = {row["request_id"]: row["event_timestamp"] for row in served.requests}
    for folder in (walk.LOGS, walk.LEGACY_LOGS):
        rows = pq.read_table([str(file) for file in open_log(folder / walk.SERVICE).files]).to_pylist()
        assert {row["request_id"]: row["requested_at"] for row in rows} == expected
        assert len(rows) == len(expected)
        assert all(0 < row["prediction"] < 1 for row in rows)
        assert {row["model_version"] for row in rows} == {served.model.version}
    assert sum(served.advanced) == 2 * len(expected)


def test_the_legacy_service_knows_no_hashes(served: Served) -> None:
    table = pq.read_table([str(file) for file in open_log(walk.LEGACY_LOGS / walk.SERVICE).files])
    assert table.column("definition_hash").null_count == table.column("state_hash").null_count == table.num_rows


def test_the_model_is_trained_on_the_rows_that_the_filter_keeps_and_that_arrived(served: Served) -> None:
    departures = pq.read_table(served.world.departures).to_pandas()
    week = departures[(departures["event_timestamp"] < "2013-01-08") & (departures["event_timestamp"] >= "2013-01-01")]
    kept = week[~week["cancelled"] & (week["distance"] >= 50) & week["arrived_late"].notna()]
    assert served.model.rows == len(kept) > 5_000


def test_the_skew_costs_the_model_accuracy(served: Served) -> None:
    auc, flights = measure_auc(walk.LOGS / walk.SERVICE, served.world.departures)
    legacy_auc, legacy_flights = measure_auc(walk.LEGACY_LOGS / walk.SERVICE, served.world.departures)
    assert flights == legacy_flights < len(served.requests)
    assert 0.5 < legacy_auc < auc < 1


def test_the_log_holds_all_that_the_replay_needs() -> None:
    manifest = read_manifest(ROOT / "codegen" / walk.SERVICE / "manifest.json")
    schema = log_schema(manifest)
    assert schema.service == walk.SERVICE
    assert schema.keys == {"origin": "String", "tailnum": "String", "airline": "String"}
    assert {**schema.store, **schema.request} == {column.name: str(column.type) for column in manifest.columns}
    assert schema.features == {feature.name: str(feature.type) for feature in manifest.features}
    assert schema.views == {view.name: view.columns for view in manifest.views}


def test_the_matrix_has_a_column_for_each_number_and_each_element_of_a_vector() -> None:
    columns = {"late": [True, None], "code": [3, None], "place": [[1.0, 0.0], [0.0, 1.0]], "ratio": [0.5, float("nan")]}
    matrix = make_matrix(columns, ("place", "late", "code", "ratio"))
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix, [[1, 0, 1, 3, 0.5], [0, 1, np.nan, np.nan, np.nan]])


def test_a_step_tells_its_command_results_and_seconds() -> None:
    out = io.StringIO()
    narrator = Narrator(Console(file=out, width=80), 2)
    with narrator.step("Fit [it]", "skewcheck fit") as results:
        assert out.getvalue().rstrip().endswith("$ skewcheck fit")
        results.append("all [of] it")
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert lines[:2] == ["[1/2] Fit [it]", "      $ skewcheck fit"]
    assert lines[2].startswith("      all [of] it  ")
    assert lines[2].endswith(" s")


def test_progress_works_on_a_terminal() -> None:
    out = io.StringIO()
    narrator = Narrator(Console(file=out, width=80, force_terminal=True), 1)
    with narrator.step("Serve"), narrator.progress(10) as advance:
        advance(10)
    assert "10/10" in out.getvalue()


def run_in(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "skewcheck.demo"],
        cwd=folder,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_outside_a_repo_it_says_so(tmp_path: Path) -> None:
    done = run_in(tmp_path)
    assert done.returncode == 2
    assert "no feature_store.yaml" in done.stderr
    assert "Traceback" not in done.stderr


def test_in_another_repo_it_says_so_and_removes_nothing(tmp_path: Path) -> None:
    files = ("feature_store.yaml", "features/other.py", "data/registry.db", "data/online_store.db", "log/a/b.parquet")
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    done = run_in(tmp_path)
    assert done.returncode == 2
    assert "not the repo of the flights example" in done.stderr.replace("\n", " ")
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert {name for name in left if "__pycache__" not in name} == set(files)
