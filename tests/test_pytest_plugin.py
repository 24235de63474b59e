"""`pytest --skew`, run as a process in a repo that `skewcheck init` wrote."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = """
from skewcheck.cli import app
for arguments in (["init", "."], ["fit"], ["generate"]):
    app(arguments, standalone_mode=False)
"""
LOADED = """
import sys


def test_what_is_loaded():
    ours = sorted(name for name in sys.modules if name.split(".")[0] == "skewcheck")
    assert ours == ["skewcheck", "skewcheck.pytest_plugin"]
    assert not {"duckdb", "feast", "pyarrow", "pandas", "pint", "jinja2"} & set(sys.modules)
"""


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as a person does, with what is installed and nothing of this suite's settings."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("plugin") / "payments"
    root.mkdir()
    subprocess.run([sys.executable, "-c", COMMANDS], cwd=root, check=True, capture_output=True)
    return root


@pytest.fixture
def repo(written: Path, tmp_path: Path) -> Path:
    """A feature repo with a suite of its own."""
    root = tmp_path.resolve() / "payments"
    shutil.copytree(written, root, ignore=shutil.ignore_patterns("data", "__pycache__"))
    (root / "test_own.py").write_text("def test_own():\n    pass\n")
    return root


def test_every_feature_is_two_tests_beside_those_of_the_suite(repo: Path) -> None:
    done = run_pytest(repo, "--skew", "-v")
    assert done.returncode == 0, done.stdout
    manifest = json.loads((repo / "codegen" / "payments" / "manifest.json").read_text())
    passed = re.findall(r"^codegen/payments/manifest\.json::(\w+)::(\w+) PASSED", done.stdout, re.MULTILINE)
    assert set(passed) == {(feature["name"], kind) for feature in manifest["features"] for kind in ("golden", "parity")}
    assert f"{len(passed) + 1} passed" in done.stdout


def test_a_suite_that_does_not_ask_for_it_loads_nothing(repo: Path) -> None:
    (repo / "test_own.py").write_text(LOADED)
    done = run_pytest(repo)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "skewcheck" in done.stdout, "the plugin is not installed: install the project again"


def test_a_value_that_is_not_the_one_it_must_be_fails_its_test_alone(repo: Path) -> None:
    folder = repo / "codegen" / "payments"
    golden, manifest = (json.loads((folder / name).read_text()) for name in ("golden.json", "manifest.json"))
    number = next(feature["name"] for feature in manifest["features"] if feature["type"] == "Float64")
    for row in golden["rows"]:
        row["features"][number] = -12345.0
    (folder / "golden.json").write_text(json.dumps(golden))
    manifest["files"]["golden.json"] = hashlib.sha256((folder / "golden.json").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    done = run_pytest(repo, "--skew", "-m", "skew")
    assert done.returncode == 1
    assert "1 failed, 21 passed, 1 deselected" in done.stdout
    assert f"payments::{number}::golden" in done.stdout
    assert re.search(r"golden row 0: the row function gives .*, expected -12345\.0, for ", done.stdout)
    assert re.search(r"^and \d+ more$", done.stdout, re.MULTILINE)
    assert "Traceback" not in done.stdout


def test_a_changed_file_fails_and_a_repo_elsewhere_is_named(repo: Path, tmp_path: Path) -> None:
    with (repo / "codegen" / "payments" / "row.py").open("a") as file:
        file.write("# mine\n")
    done = run_pytest(tmp_path, "--skew", f"--skew-repo={repo}", "-k", "parity", "--ignore=payments")
    assert done.returncode == 1
    assert "row.py was changed after it was generated" in done.stdout
    assert "→ Run `skewcheck generate`" in done.stdout


def test_no_generated_code_is_no_success(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--skew")
    assert done.returncode == 4
    assert "has no generated code; run `skewcheck fit`" in done.stderr
    broken = tmp_path / "codegen" / "shop"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text("{}")
    done = run_pytest(tmp_path, "--skew")
    assert done.returncode == 2
    assert "is not skewcheck/manifest/1" in done.stdout
