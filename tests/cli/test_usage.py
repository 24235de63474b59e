"""Commands called in a way that cannot work: exit code 2, and a message that says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from skewcheck import cli
from tests.cli.conftest import Run

COMMANDS = tuple(command.__name__ for command in cli.COMMANDS)


def test_help_lists_the_commands_and_the_exit_codes(run: Run) -> None:
    outcome = run("--help")
    assert outcome.exit_code == 0
    assert all(command in outcome.out for command in COMMANDS)
    assert "0 clean, 1 the check failed, 2 wrong usage, 3 could not complete" in outcome.said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run: Run, command: str) -> None:
    outcome = run(command, "--help")
    assert outcome.exit_code == 0
    assert f"skewcheck {command}" in outcome.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("audit",),
        ("init",),
        ("audit", "log", "--samples", "-1"),
        ("audit", "log", "--tolerance", "little"),
        ("generate", "--nonsense"),
    ],
)
def test_what_no_command_takes_is_refused(run: Run, repo: Path, arguments: tuple[str, ...]) -> None:
    outcome = run(*arguments)
    assert outcome.exit_code == 2
    assert "Usage:" in outcome.err


@pytest.mark.parametrize("arguments", [("fit",), ("generate",), ("generate", "--check"), ("apply",), ("audit", "log")])
def test_outside_a_repo_every_command_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = run(*arguments)
    assert outcome.exit_code == 2
    assert f"no feature_store.yaml in {tmp_path.resolve()} or above it" in outcome.said
    assert "skewcheck init DIR" in outcome.said


@pytest.mark.parametrize("command", ["fit", "generate", "apply"])
def test_an_unknown_service_is_named_beside_those_there_are(run: Run, repo: Path, command: str) -> None:
    outcome = run(command, "refunds")
    assert outcome.exit_code == 2
    assert f"there is no service 'refunds'; {repo / 'features'} declares: payments" in outcome.said


def test_an_unknown_service_cannot_be_audited(run: Run, repo: Path) -> None:
    outcome = run("audit", "log", "--service", "refunds")
    assert outcome.exit_code == 2
    assert f"service 'refunds' has no generated code; {repo / 'codegen'} has: payments" in outcome.said


def test_a_repo_can_be_named_from_elsewhere(run: Run, repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.parent)
    assert run("generate", "--check", "--repo", "repo/features").exit_code == 0
    outcome = run("generate", "--check", "--repo", "nowhere")
    assert outcome.exit_code == 2
    assert "no feature_store.yaml in" in outcome.said


def test_a_repo_without_declarations_says_what_it_lacks(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "feature_store.yaml").write_text("project: empty\n")
    outcome = run("fit")
    assert outcome.exit_code == 2
    assert "there is no folder" in outcome.said
    (tmp_path / "features").mkdir()
    outcome = run("fit")
    assert outcome.exit_code == 2
    assert "declares: none" in outcome.said


def test_a_wrong_declaration_is_reported_with_its_line(run: Run, repo: Path) -> None:
    with (repo / "features" / "payments.py").open("a") as file:
        file.write("\n\n@payments.feature\ndef tripled(amuont):\n    return amuont * 3\n")
    line = len((repo / "features" / "payments.py").read_text().splitlines()) - 2
    outcome = run("generate")
    assert outcome.exit_code == 2
    assert f"tripled ({repo / 'features' / 'payments.py'}:{line})" in outcome.said
    assert "Did you mean 'amount'?" in outcome.said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "xml"), "--format xml: there is no such format"),
        (("--stages", "transform,training"), "there is no stage training"),
        (("--tolerance", "2"), "2.0 is no relative tolerance"),
        (("--tolerance", "nan"), "nan is no relative tolerance"),
        (("--rename", "amount"), "--rename amount: expected NAME=COLUMN"),
        (("--rename", "amount="), "--rename amount=: expected NAME=COLUMN"),
        (("--rename", "price=amount"), "--rename price: there is no such column or feature"),
        (("--rename", "amount=price"), "--rename: the log has no column 'price' → It has: amount, country,"),
    ],
)
def test_an_option_of_the_audit_that_cannot_work(
    run: Run, repo: Path, arguments: tuple[str, ...], message: str
) -> None:
    outcome = run("audit", "log", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.said
    assert outcome.out == ""


def test_a_place_that_cannot_be_written_is_named(run: Run, repo: Path) -> None:
    (repo / "file").write_text("in the way")
    outcome = run("audit", "log", "--out", "file/report")
    assert outcome.exit_code == 2
    assert "cannot write into file/report: Not a directory" in outcome.said


def test_init_refuses_a_folder_with_something_in_it(run: Run, repo: Path) -> None:
    outcome = run("init", str(repo))
    assert outcome.exit_code == 2
    assert f"{repo} is not empty" in outcome.said


def test_generated_code_that_cannot_be_written_is_named(run: Run, repo: Path) -> None:
    directory = repo / "codegen" / "payments"
    (directory / "row.py").unlink()
    (directory / "row.py").mkdir()
    (directory / "row.py" / "in_the_way").write_text("")
    outcome = run("generate")
    assert outcome.exit_code == 2
    assert f"cannot write {directory / 'row.py'}" in outcome.said
    assert (directory / "row.py" / "in_the_way").is_file()


def test_an_error_that_nobody_foresaw_is_not_mistaken_for_a_check_that_failed(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(cli, "app", fail)
    outcome = run("audit", "log")
    assert outcome.exit_code == 3
    assert "OSError: no space left on device" in outcome.err
