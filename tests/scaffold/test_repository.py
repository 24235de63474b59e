"""The new repo as Feast sees it; tests/test_readme.py goes the whole way through it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from skewcheck.fit.fitting import fit
from skewcheck.generate.generation import generate
from skewcheck.language.units import parse_unit
from skewcheck.scaffold import write_repository
from skewcheck.store.register import check_registered
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.store.training import retrieve_training_set


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    root = tmp_path_factory.mktemp("scaffold") / "payments"
    write_repository(root)
    return load_repository(root)


@pytest.fixture(scope="module")
def training_set(repository: Repository) -> Path:
    path = repository.root.parent / "training.parquet"
    retrieve_training_set(repository, repository.service("payments"), path)
    return path


def test_amounts_are_in_euros(repository: Repository) -> None:
    columns = repository.service("payments").sources.columns
    assert {name for name, column in columns.items() if column.unit == parse_unit("EUR")} == {
        "amount",
        "mean_amount_30d",
    }


def test_every_feature_is_documented_and_known_by_its_type(repository: Repository) -> None:
    features = repository.service("payments").features
    assert len(features) >= 8
    assert all(feature.documentation for feature in features)
    assert {feature.type.name for feature in features} == {"Float64", "Int64", "Bool", "Vector"}


def test_fitting_it_twice_gives_one_state(repository: Repository, training_set: Path) -> None:
    service = repository.service("payments")
    assert fit(service, training_set).to_json() == fit(service, training_set).to_json()


def test_serving_before_anything_is_registered_says_what_to_run(tmp_path: Path) -> None:
    write_repository(tmp_path / "pp")
    command = [sys.executable, "pp/serve.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "the service payments is not registered: run `skewcheck apply` first"
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["pp"]


def test_feast_apply_registers_what_was_generated(repository: Repository, training_set: Path) -> None:
    service = repository.service("payments")
    state = fit(service, training_set)
    directory = generated_directory(repository.root, "payments")
    state.write(directory / "state.json")
    generate(service, state, repository.places, repository.view_keys(service)).write(directory)
    command = [str(Path(sys.executable).with_name("feast")), "apply"]
    done = subprocess.run(command, cwd=repository.root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    check_registered(repository.root, "payments")
