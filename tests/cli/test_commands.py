"""What the commands do, write and answer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.verdict import Verdict
from tests.cli.conftest import Run
from tests.scaffold.foreign_log import write_log


def edit_declaration(repo: Path) -> None:
    path = repo / "features" / "payments.py"
    path.write_text(path.read_text().replace("amount * 2", "amount * 3"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_fitting_again_changes_nothing(run: Run, repo: Path) -> None:
    before = contents(repo / "codegen")
    outcome = run("fit")
    assert outcome.exit_code == 0
    assert outcome.out.startswith(
        "payments: fitted 1 operator to 3 of 3 training rows\n  wrote codegen/payments/state.json"
    )
    assert contents(repo / "codegen") == before


def test_fit_takes_other_training_rows_and_keeps_them(run: Run, repo: Path) -> None:
    table = pq.read_table(repo / "training.parquet")
    pq.write_table(table.slice(0, 2), repo / "fewer.parquet")
    outcome = run("fit", "--entities", "fewer.parquet", "--training-set", "kept/rows.parquet")
    assert "to 2 of 2 training rows" in outcome.out
    assert pq.read_table(repo / "kept" / "rows.parquet").num_rows == 2


def test_fit_without_training_rows_names_the_file(run: Run, repo: Path) -> None:
    (repo / "training.parquet").unlink()
    before = contents(repo / "codegen")
    outcome = run("fit")
    assert outcome.exit_code == 2
    assert f"the training rows {repo / 'training.parquet'} are not there" in outcome.said
    assert contents(repo / "codegen") == before


def test_fit_on_rows_that_are_all_dropped_writes_nothing(run: Run, repo: Path) -> None:
    table = pq.read_table(repo / "training.parquet").to_pydict()
    table["amount"] = [0.0] * len(table["amount"])
    pq.write_table(pa.table(table), repo / "training.parquet")
    before = contents(repo / "codegen")
    outcome = run("fit")
    assert outcome.exit_code == 3
    assert "training keeps none of 3 rows" in outcome.said
    assert contents(repo / "codegen") == before


def test_generating_again_changes_nothing(run: Run, repo: Path) -> None:
    before = contents(repo / "codegen")
    outcome = run("generate")
    assert (outcome.exit_code, outcome.out) == (0, "payments: up to date\n")
    assert contents(repo / "codegen") == before


def test_check_finds_stale_code_and_writes_nothing(run: Run, repo: Path) -> None:
    assert run("generate", "--check").exit_code == 0
    edit_declaration(repo)
    before = contents(repo / "codegen")
    outcome = run("generate", "--check")
    assert outcome.exit_code == 1
    assert "codegen/payments/row.py is stale" in outcome.out
    assert "Run `skewcheck generate` and commit what it writes." in outcome.err
    assert contents(repo / "codegen") == before
    assert run("generate").exit_code == 0
    assert run("generate", "--check").exit_code == 0


@pytest.mark.parametrize("name", ["row.py", "features.sql", "feast_objects.py", "manifest.json", "golden.json"])
def test_check_finds_code_that_was_edited_or_is_gone(run: Run, repo: Path, name: str) -> None:
    path = repo / "codegen" / "payments" / name
    path.write_text(path.read_text() + "\n")
    outcome = run("generate", "--check")
    assert (outcome.exit_code, outcome.out) == (1, f"payments:\n  codegen/payments/{name} is stale\n")
    path.unlink()
    assert run("generate", "--check").exit_code == 1


@pytest.mark.parametrize("command", [("generate",), ("generate", "--check"), ("apply",)])
def test_without_a_state_nothing_can_be_generated(run: Run, repo: Path, command: tuple[str, ...]) -> None:
    (repo / "codegen" / "payments" / "state.json").unlink()
    outcome = run(*command)
    assert outcome.exit_code == 3
    assert "state.json" in outcome.said
    assert "skewcheck fit" in outcome.said


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"format": "skewcheck/state/99"}'])
def test_a_broken_state_is_named(run: Run, repo: Path, text: str) -> None:
    (repo / "codegen" / "payments" / "state.json").write_text(text)
    outcome = run("generate")
    assert outcome.exit_code == 3
    assert str(repo / "codegen" / "payments" / "state.json") in outcome.said


def test_a_state_of_another_declaration_is_refused(run: Run, repo: Path) -> None:
    path = repo / "features" / "payments.py"
    path.write_text(path.read_text().replace("country.vocabulary()", "country.lower().vocabulary()"))
    outcome = run("generate")
    assert outcome.exit_code == 3
    assert "skewcheck fit" in outcome.said


def test_stale_code_is_not_registered(run: Run, repo: Path) -> None:
    edit_declaration(repo)
    outcome = run("apply")
    assert outcome.exit_code == 3
    assert "the generated code of payments is stale" in outcome.said
    assert not (repo / "registry.db").exists()


def test_what_was_registered_is_counted(run: Run, repo: Path) -> None:
    path = repo / "features" / "payments.py"
    path.write_text(path.read_text().partition("@payments.feature\ndef country_code")[0])
    for command in ("fit", "generate"):
        assert run(command).exit_code == 0
    outcome = run("apply")
    assert outcome.exit_code == 0
    assert outcome.out.startswith("payments: registered 1 feature, read back")


def test_an_audit_prints_a_table_and_fails(run: Run, repo: Path) -> None:
    outcome = run("audit", "log")
    assert outcome.exit_code == 1
    assert outcome.out.startswith("FAIL payments: 1 of 2 features skewed in 20 requests")
    assert "doubled" in outcome.out
    assert "3 of 20" in outcome.out


def test_an_audit_prints_its_verdict_as_json_and_nothing_else(run: Run, repo: Path) -> None:
    outcome = run("audit", "log", "--format", "json")
    verdict = Verdict.from_json(outcome.out)
    assert outcome.exit_code == verdict.exit_code == 1
    assert [feature.name for feature in verdict.skewed] == ["doubled"]
    assert json.loads(outcome.out)["features"][0]["mismatched"] == 3
    assert outcome.err == ""


def test_the_files_hold_the_verdict_that_is_printed(run: Run, repo: Path) -> None:
    outcome = run("audit", "log", "--format", "json", "--out", "a/report")
    assert (repo / "a" / "report" / "payments.json").read_text() == outcome.out
    assert "doubled" in (repo / "a" / "report" / "payments.html").read_text()
    assert sorted(path.name for path in (repo / "a" / "report").iterdir()) == ["payments.html", "payments.json"]


def test_a_clean_log_passes(run: Run, repo: Path) -> None:
    write_log(repo / "log" / "march.parquet", 20)
    outcome = run("audit", "log")
    assert outcome.exit_code == 0
    assert outcome.out.startswith("PASS payments: all 2 features match in 20 requests")


def test_no_samples_are_shown_where_none_are_wanted(run: Run, repo: Path) -> None:
    counts = {
        number: len(
            Verdict.from_json(run("audit", "log", "--format", "json", "--samples", number).out).skewed[0].shown.samples
        )
        for number in ("0", "2", "9")
    }
    assert counts == {"0": 0, "2": 2, "9": 3}


def test_a_renamed_column_is_found(run: Run, repo: Path) -> None:
    path = repo / "log" / "march.parquet"
    table = pq.read_table(path)
    pq.write_table(table.rename_columns({"amount": "amt", "doubled": "f1"}), path)
    outcome = run("audit", "log", "--format", "json", "--rename", "request.amount=amt", "--rename", "doubled=f1")
    assert outcome.exit_code == 1
    outcome = run("audit", "log")
    assert outcome.exit_code == 3
    assert "the log lacks 1 of 2 inputs of service payments: amount" in outcome.said


def test_a_log_without_rows_or_files_is_no_clean_log(run: Run, repo: Path) -> None:
    write_log(repo / "log" / "march.parquet", 0)
    outcome = run("audit", "log")
    assert outcome.exit_code == 3
    assert "the log log has no rows in 1 file(s)" in outcome.said
    shutil.rmtree(repo / "log")
    (repo / "log").mkdir()
    for place in ("log", "nowhere", "log/*.parquet"):
        outcome = run("audit", place)
        assert outcome.exit_code == 3
        assert f"there is no log at {place}" in outcome.said


def test_a_broken_file_makes_the_verdict_incomplete_unless_it_may_be_ignored(run: Run, repo: Path) -> None:
    write_log(repo / "log" / "march.parquet", 20)
    (repo / "log" / "torn.parquet").write_bytes((repo / "log" / "march.parquet").read_bytes()[:500])
    outcome = run("audit", "log")
    assert outcome.exit_code == 3
    assert outcome.out.startswith("INCOMPLETE")
    assert "torn.parquet" in outcome.out
    assert run("audit", "log", "--ignore-unreadable").exit_code == 0


def test_an_audit_before_anything_was_generated_says_what_to_run(run: Run, repo: Path) -> None:
    shutil.rmtree(repo / "codegen")
    outcome = run("audit", "log")
    assert outcome.exit_code == 3
    assert "there is no generated code under" in outcome.said
    assert "Run `skewcheck fit` and `skewcheck generate` first." in outcome.said


def test_generated_code_that_lacks_its_query_is_reported(run: Run, repo: Path) -> None:
    (repo / "codegen" / "payments" / "features.sql").unlink()
    outcome = run("audit", "log")
    assert outcome.exit_code == 3
    assert "features.sql cannot be read" in outcome.said


@pytest.mark.parametrize(
    "command", [[sys.executable, "-m", "skewcheck"], [str(Path(sys.executable).with_name("skewcheck"))]]
)
def test_the_shell_gets_the_exit_code(repo: Path, command: list[str]) -> None:
    done = subprocess.run([*command, "audit", "log"], cwd=repo, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("FAIL payments")
    assert done.stderr == ""


def test_init_writes_a_repo_and_says_what_to_read(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run("init", "new")
    assert outcome.exit_code == 0
    assert "wrote new/features/payments.py" in outcome.out
    assert outcome.out.endswith("Next: cd new, and read README.md there.\n")
    assert (tmp_path / "new" / "README.md").is_file()
