"""The README: a newcomer who types what stands there, in an empty folder, sees what stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from skewcheck.verdict import Verdict
from tests.documents import ROOT, matches, pair_commands, read_blocks, run_blocks

README = ROOT / "README.md"
NEW_REPO = ROOT / "skewcheck" / "scaffold" / "template" / "README.md.template"


@pytest.fixture(scope="module")
def payments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    run_blocks(README, "payments", folder)
    return folder / "payments"


def test_the_first_route_prints_what_it_says(payments: Path) -> None:
    assert (payments / "codegen" / "payments" / "row.py").is_file()


def test_the_service_runs_from_another_folder_as_well(payments: Path) -> None:
    command = [sys.executable, "-W", "ignore", "payments/serve.py", "--cents"]
    done = subprocess.run(command, cwd=payments.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "served 408 payments, logged to log-cents/payments\n"
    assert not (payments.parent / "data").exists()
    assert not (payments.parent / "log-cents").exists()


WITHOUT_FEAST = "import sys; sys.modules['feast'] = None; from skewcheck.cli import main; main()"


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        (["init", "another"], 0),
        (["audit", "log/payments", "--stages", "transform"], 0),
        (["fit"], 2),
        (["generate"], 2),
        (["apply"], 2),
    ],
)
def test_what_does_without_feast_is_what_is_said(payments: Path, arguments: list[str], exit_code: int) -> None:
    command = [sys.executable, "-c", WITHOUT_FEAST, *arguments]
    done = subprocess.run(command, cwd=payments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == exit_code, done.stderr
    if exit_code:
        assert "Feast is not installed" in done.stderr
        assert "pip install '.[feast]'" in done.stderr
        assert "audit with --stages transform" in done.stderr


def test_the_fault_touches_exactly_the_features_that_read_the_amount(payments: Path) -> None:
    verdict = Verdict.from_json((payments / "report" / "payments.json").read_text(encoding="utf-8"))
    assert {feature.name for feature in verdict.skewed} == {
        feature.name for feature in verdict.features if "amount" in feature.reads
    }
    assert {feature.stage for feature in verdict.skewed} == {"transform"}
    assert set(verdict.stages.values()) == {"compared"}
    assert not any(column.comparison.mismatched for column in verdict.columns)
    assert not verdict.problems


def test_the_second_route_prints_what_it_says(tmp_path: Path) -> None:
    run_blocks(README, "fraud", tmp_path)


def test_the_new_repos_readme_says_what_this_one_does() -> None:
    def commands(page: Path) -> dict[str, str]:
        return {command.text: output.text for command, output in pair_commands(read_blocks(page)) if output}

    ours, theirs = commands(README), commands(NEW_REPO)
    assert len(theirs) == 4
    shown = {command: ours[command].splitlines() for command in theirs}
    # The new repo's page shows less of the last output, and nothing else.
    assert all(set(theirs[command].splitlines()) <= set(shown[command]) for command in theirs)


def test_every_folder_and_page_that_is_named_is_there() -> None:
    text = README.read_text(encoding="utf-8")
    pages = {name for names in re.findall(r"`docs/` \| (.*?) \|", text) for name in re.findall(r"`(\w+\.md)`", names)}
    assert pages == {page.name for page in (ROOT / "docs").glob("*.md")}
    assert all((ROOT / path).exists() for path in ("skewcheck", "features", "codegen", "tests", "benchmarks"))


def test_make_has_the_commands_that_are_named() -> None:
    named = set(re.findall(r"make (\w+)", README.read_text(encoding="utf-8")))
    made = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "bench", "help"} == named & made


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\n", "a\n", True),
        ("state 0123456789ab\n", "state 0123456789ab  \n", True),
        ("state 0123456789ab\n", "state ba9876543210\n", False),
        ("a\nd\n", "a\nb\nd\n", False),
        ("a\n...\nd\n", "a\nb\n", False),
    ],
)
def test_output_is_compared_line_by_line(expected: str, printed: str, same: bool) -> None:
    assert matches(expected, printed) is same
