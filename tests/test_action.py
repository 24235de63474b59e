"""The GitHub Action: its steps run as the shell scripts that they are, with the variables that a runner sets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.changes.small_repository import commit, edit, run_git, write_repository
from tests.github_server import serve_comments

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
GATE = "Run the gate"
COMMENT = "Comment on the pull request"


@dataclass(frozen=True)
class Done:
    """What a step did. `outputs` is what it wrote for later steps."""

    exit_code: int
    out: str
    err: str
    outputs: dict[str, str]
    summary: str


class Runner:
    """What of a GitHub runner a step sees: bash as it is started there, inputs as variables, files for what is said."""

    def __init__(self, repo: Path, folder: Path) -> None:
        self.repo = repo
        self.folder = folder
        folder.mkdir()

    def run(self, name: str, inputs: Mapping[str, str] | None = None, **variables: str) -> Done:
        step = STEPS[name]
        assert step["shell"] == "bash"
        known = {key: str(value["default"]) for key, value in ACTION["inputs"].items()} | dict(inputs or {})
        values = {f"inputs.{key}": value for key, value in known.items()} | {"github.action_path": str(ROOT)}
        values |= {f"steps.gate.outputs.{key}": value for key, value in self.read_outputs().items()}
        given = {
            key: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values.get(found[1], ""), str(text))
            for key, text in step["env"].items()
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        files = {f"GITHUB_{kind}": str(self.folder / kind.lower()) for kind in ("OUTPUT", "STEP_SUMMARY")}
        runner = {"RUNNER_TEMP": str(self.folder), "XDG_CACHE_HOME": str(self.folder / "cache"), **files}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.repo,
            env={**os.environ, "PATH": path, "COLUMNS": "200", **runner, **given, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        summary = self.folder / "step_summary"
        said = summary.read_text(encoding="utf-8") if summary.exists() else ""
        return Done(done.returncode, done.stdout, done.stderr, self.read_outputs(), said)

    def read_outputs(self) -> dict[str, str]:
        path = self.folder / "output"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repo whose last commit moves an edge."""
    root = write_repository(tmp_path_factory.mktemp("action") / "repo", units=False)
    edit(root, ("features/shop.py", "amount >= LARGE", "amount > LARGE"))
    commit(root, "edge")
    return root


@pytest.fixture
def runner(written: Path, tmp_path: Path) -> Runner:
    root = tmp_path.resolve() / "repo"
    shutil.copytree(written, root, ignore=shutil.ignore_patterns("__pycache__"))
    return Runner(root, tmp_path / "runner")


@pytest.fixture(scope="module")
def failed(written: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Runner, Done]:
    """A gate that has failed, with every file that it can write."""
    runner = Runner(written, tmp_path_factory.mktemp("failed") / "runner")
    files = {"sarif": str(runner.folder / "a.sarif"), "junit": str(runner.folder / "junit.xml")}
    return runner, runner.run(GATE, {"command": "diff", "arguments": "HEAD~1..HEAD\n--rows=100\n", **files})


def test_a_failed_gate_says_so_on_every_surface_and_fails_the_step(failed: tuple[Runner, Done]) -> None:
    runner, done = failed
    assert done.exit_code == 1, done.err
    assert done.outputs["exit-code"] == "1"
    assert json.loads(Path(done.outputs["verdict"]).read_text(encoding="utf-8"))["verdict"] == "fail"
    assert "::error file=features/shop.py,line=" in done.out
    assert done.summary.startswith("<!-- skewcheck:diff -->")
    assert json.loads((runner.folder / "a.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert (runner.folder / "junit.xml").read_text(encoding="utf-8").startswith("<?xml")


def test_what_a_person_reads_is_not_read_as_commands(failed: tuple[Runner, Done]) -> None:
    said = failed[1].out
    pause = re.search(r"^::stop-commands::(\S+)$", said, re.MULTILINE)
    assert pause is not None
    shown = said[pause.end() : said.index(f"::{pause[1]}::", pause.end())]
    assert shown.strip().startswith("FAIL HEAD~1 → HEAD")


def test_the_clone_is_left_as_it_was(failed: tuple[Runner, Done]) -> None:
    assert run_git(failed[0].repo, "status", "--porcelain") == ""
    assert len(run_git(failed[0].repo, "worktree", "list").splitlines()) == 1


def test_a_clean_gate_passes_the_step(runner: Runner) -> None:
    done = runner.run(GATE, {"command": "diff", "arguments": "HEAD~1..HEAD~1\n--static-only"})
    assert (done.exit_code, done.outputs["exit-code"]) == (0, "0"), done.err
    assert "::error" not in done.out


@pytest.mark.parametrize(
    ("inputs", "code", "said"),
    [
        ({"command": "diff", "arguments": "nowhere..HEAD"}, 2, "ended with 2 and no verdict"),
        ({"command": "init"}, 2, "command must be check, diff or audit"),
        ({"command": "diff", "arguments": "HEAD; echo HACKED > hacked"}, 2, "ended with 2 and no verdict"),
        ({"command": "diff", "arguments": "$(touch hacked)"}, 2, "ended with 2 and no verdict"),
    ],
)
def test_what_has_no_verdict_never_passes(runner: Runner, inputs: dict[str, str], code: int, said: str) -> None:
    done = runner.run(GATE, inputs)
    assert done.exit_code == code
    assert said in done.out
    assert "verdict" not in done.outputs
    assert not (runner.repo / "hacked").exists()


def test_a_version_that_cannot_be_loaded_ends_with_three(runner: Runner) -> None:
    (runner.repo / "features" / "broken.py").write_text("raise RuntimeError('broken')")
    done = runner.run(GATE, {"command": "diff", "arguments": "HEAD"})
    assert (done.exit_code, done.outputs["exit-code"]) == (3, "3")
    assert "ended with 3 and no verdict" in done.out
    assert "features/broken.py:1: RuntimeError: broken" in done.err


def test_the_pull_request_has_one_comment(failed: tuple[Runner, Done]) -> None:
    runner = failed[0]
    event = runner.folder / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    with serve_comments() as comments:
        known = {
            "GITHUB_API_URL": comments.address,
            "GITHUB_REPOSITORY": "me/shop",
            "GITHUB_EVENT_PATH": str(event),
        }
        for _ in range(2):
            done = runner.run(COMMENT, {"token": comments.token}, **known)
            assert (done.exit_code, done.out.strip()) == (0, "https://github.example/0"), done.err
        assert len(comments.bodies) == 1
        refused = runner.run(COMMENT, {"token": "read-only"}, **known)
    assert refused.exit_code == 0
    assert "::warning title=skewcheck::the comment could not be written" in refused.out


def test_the_action_installs_itself(runner: Runner, tmp_path: Path) -> None:
    options = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_TARGET": str(tmp_path / "site")}
    done = runner.run("Install skewcheck", **options)
    assert done.exit_code == 0, done.err
    assert (tmp_path / "site" / "skewcheck" / "cli" / "__init__.py").is_file()


def test_no_input_is_part_of_a_script() -> None:
    assert [name for name, step in STEPS.items() if "${{" in step.get("run", "")] == []
    assert "GITHUB_TOKEN" not in STEPS[GATE]["env"]


def test_every_input_is_used_and_explained() -> None:
    text = json.dumps(ACTION["runs"])
    for name, known in ACTION["inputs"].items():
        assert known["description"]
        assert f"inputs.{name}" in text
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
