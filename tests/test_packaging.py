"""What is shipped: the import package alone, with its templates, and a top level that holds little else."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import zipfile
from pathlib import Path

import hatchling.build
import pytest

ROOT = Path(__file__).parent.parent

TOP_LEVEL = {
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "action.yml",
    "benchmarks",
    "codegen",
    "docs",
    "feature_store.yaml",
    "features",
    "pyproject.toml",
    "skewcheck",
    "tests",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    with contextlib.chdir(ROOT):
        name = hatchling.build.build_wheel(str(folder))
    return set(zipfile.ZipFile(folder / name).namelist())


def test_the_wheel_installs_the_import_package_alone(wheel: set[str]) -> None:
    assert {name.partition("/")[0] for name in wheel if ".dist-info/" not in name} == {"skewcheck"}


def test_the_wheel_has_everything_that_the_package_reads(wheel: set[str]) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "skewcheck"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(tracked) <= wheel
    assert any(name.endswith(".jinja") for name in tracked)


def test_the_top_level_holds_what_belongs_there() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = {line.partition("/")[0] for line in tracked.splitlines()}
    assert {name for name in names if not name.startswith(".")} <= TOP_LEVEL


def test_the_command_and_the_module_are_the_same_program() -> None:
    command = Path(sys.executable).with_name("skewcheck")
    printed = [
        subprocess.run([*start, "--help"], capture_output=True, text=True, check=True).stdout
        for start in ([str(command)], [sys.executable, "-m", "skewcheck"])
    ]
    assert "audit" in printed[0]
    assert "audit" in printed[1]
