"""docs/ci.md: what it tells people to copy runs, and names what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from skewcheck.report.digest import AUDIT_RULES
from skewcheck.report.formats import FORMATS
from tests.changes.small_repository import commit, edit, write_repository
from tests.documents import ROOT, read_blocks, run_blocks

PAGE = ROOT / "docs" / "ci.md"
TEXT = PAGE.read_text(encoding="utf-8")
FILES: dict[str, Any] = {
    block.file: yaml.safe_load(block.text) for block in read_blocks(PAGE) if block.file is not None
}
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}


def read_table(head: str) -> dict[str, str]:
    """The first cells of a table with the second ones, by the name of its first column; several names stand alone."""
    body = TEXT.split(f"| {head} |", 1)[1].split("\n\n", 1)[0]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", body, re.MULTILINE)
    return {name: cell for names, cell in rows for name in re.findall(r"`([^`]+)`", names)}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_repository(tmp_path_factory.mktemp("ci") / "repo", units=False)
    edit(root, ("features/shop.py", "amount >= LARGE", "amount > LARGE"))
    commit(root, "edge")
    return root


def test_a_verdict_is_printed_in_every_form(shop: Path) -> None:
    run_blocks(PAGE, "forms", shop)
    assert (shop / "skewcheck.sarif").is_file()
    assert (shop / "skewcheck.xml").is_file()


def test_the_plugin_runs_as_it_is_shown(shop: Path) -> None:
    run_blocks(PAGE, "pytest", shop)


def test_the_forms_are_those_that_there_are() -> None:
    assert list(read_table("form")) == list(FORMATS)


def test_the_rules_of_an_audit_are_those_that_there_are() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| \w+ \| (.*?) \|$", TEXT, re.MULTILINE)
    assert dict(rows) == AUDIT_RULES


def test_a_workflow_gives_the_action_what_it_takes() -> None:
    steps = [*FILES["skewcheck.yml"]["jobs"]["features"]["steps"], *FILES["fork.yml"]]
    ours = [step for step in steps if step.get("uses", "").startswith("OWNER/skewcheck@")]
    assert len(ours) == 2
    for step in ours:
        assert set(step["with"]) <= set(ACTION["inputs"])
    upload = steps[steps.index(ours[0]) + 1]
    assert upload["with"]["sarif_file"] == ours[0]["with"]["sarif"]
    assert ours[1]["with"]["arguments"].splitlines() == ["origin/main...HEAD", "--static-only"]


def test_every_input_and_output_of_the_action_is_explained() -> None:
    shown = read_table("input")
    assert set(shown) == set(ACTION["inputs"])
    assert all(f"`{name}`" in TEXT for name in ACTION["outputs"])


def test_the_hooks_are_those_that_there_are() -> None:
    assert {name: command.strip("`") for name, command in read_table("hook").items()} == {
        name: hook["entry"] for name, hook in HOOKS.items()
    }
    (repo,) = FILES[".pre-commit-config.yaml"]["repos"]
    assert {hook["id"] for hook in repo["hooks"]} <= set(HOOKS)


def test_the_job_elsewhere_reads_the_file_that_the_gate_writes() -> None:
    job = FILES["gitlab.yml"]["skewcheck"]
    assert job["script"][-1].endswith(f"> {job['artifacts']['reports']['junit']}")
