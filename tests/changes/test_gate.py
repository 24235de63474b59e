"""The gate: every stage says what it found, and what could not be completed has not passed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.changes.diffing import Options
from skewcheck.changes.gate import STAGES, check
from skewcheck.diff_verdict import DiffVerdict
from skewcheck.errors import UsageError
from skewcheck.store.repository import load_repository
from tests.changes.small_repository import commit, edit, fit_and_generate, run_git

SHOP = "features/shop.py"
OPTIONS = Options(rows=200, today=date(2026, 11, 23))


def run(root: Path, options: Options = OPTIONS, against: str | None = None) -> DiffVerdict:
    return check(root, lambda: load_repository(root), options, against)


def outcomes(verdict: DiffVerdict) -> dict[str, str]:
    return {stage.name: stage.outcome for stage in verdict.stages}


CLEAN = {"statistics": "pass", "generated code": "pass", "diff": "pass", "parity": "pass", "audit": "skipped"}


def test_a_clean_branch_passes(plain_repo: Path) -> None:
    run_git(plain_repo, "checkout", "--quiet", "-b", "work")
    edit(plain_repo, (SHOP, "BASE = 2.0", "BASE = 2.0  # a comment"))
    commit(plain_repo, "comment")
    verdict = run(plain_repo)
    assert outcomes(verdict) == CLEAN
    assert list(outcomes(verdict)) == list(STAGES)
    assert verdict.counts == {"unchanged": 13}
    assert verdict.exit_code == 0


def test_a_change_that_was_generated_fails_the_diff_alone(plain_repo: Path) -> None:
    run_git(plain_repo, "checkout", "--quiet", "-b", "work")
    edit(plain_repo, (SHOP, "amount >= LARGE", "amount > LARGE"))
    fit_and_generate(plain_repo)
    verdict = run(plain_repo)
    assert outcomes(verdict) == {**CLEAN, "diff": "fail"}
    assert verdict.exit_code == 1


def test_code_that_is_not_fresh_is_seen_and_so_are_statistics_that_do_not_belong(plain_repo: Path) -> None:
    edit(plain_repo, (SHOP, "amount.log1p().standardize()", "amount.standardize()"))
    verdict = run(plain_repo)
    assert outcomes(verdict) == {**CLEAN, "diff": "fail", "generated code": "fail", "statistics": "fail"}
    assert str(plain_repo) not in verdict.to_json()


def test_a_waiver_lets_a_change_through(plain_repo: Path) -> None:
    edit(plain_repo, (SHOP, "amount >= LARGE", "amount > LARGE"))
    fit_and_generate(plain_repo)
    (plain_repo / "pyproject.toml").write_text(
        "[[tool.skewcheck.waivers]]\nrule = 'VALUES_SAME'\nsubject = 'large'\n"
        "reason = 'agreed with the fraud team'\nexpires = 2026-12-31\n"
    )
    verdict = run(plain_repo)
    assert outcomes(verdict) == CLEAN
    assert verdict.findings[0].waiver is not None


def test_a_waiver_without_a_reason_is_refused(plain_repo: Path) -> None:
    (plain_repo / "pyproject.toml").write_text(
        "[[tool.skewcheck.waivers]]\nrule = 'VALUES_SAME'\nexpires = 2026-12-31\n"
    )
    with pytest.raises(UsageError, match="gives no reason"):
        run(plain_repo)


def test_a_log_is_audited(plain_repo: Path, tmp_path: Path) -> None:
    verdict = run(plain_repo, Options(rows=200, log=str(tmp_path / "absent")))
    assert outcomes(verdict)["audit"] == "incomplete"
    assert verdict.exit_code == 3


def test_what_a_log_lacks_is_named(plain_repo: Path, tmp_path: Path) -> None:
    inputs = {"amount": 600.0, "country": "FR", "distance": 1.0, "channel": "app", "usual": 2.0, "tier": "a"}
    times = pa.array([datetime(2024, 3, 9, tzinfo=UTC)], pa.timestamp("us", tz="UTC"))
    log = pa.table({name: [value] for name, value in inputs.items()} | {"paid_at": times, "orders": [1]})
    pq.write_table(log.append_column("large", pa.array([True])), tmp_path / "log.parquet")
    verdict = run(plain_repo, Options(rows=200, log=str(tmp_path / "log.parquet")))
    (audited,) = (stage for stage in verdict.stages if stage.name == "audit")
    assert audited.outcome == "incomplete"
    assert "feature amount_log was not compared: the log does not have it" in audited.message


def test_declarations_that_cannot_be_loaded_are_no_pass(plain_repo: Path) -> None:
    (plain_repo / "features" / "broken.py").write_text("raise RuntimeError('broken')")
    verdict = run(plain_repo)
    assert set(outcomes(verdict).values()) == {"incomplete"}
    assert verdict.exit_code == 3


def test_a_base_that_cannot_be_loaded_is_no_pass(plain_repo: Path) -> None:
    (plain_repo / "features" / "broken.py").write_text("raise RuntimeError('broken')")
    commit(plain_repo, "broken")
    (plain_repo / "features" / "broken.py").unlink()
    verdict = run(plain_repo)
    assert outcomes(verdict) == {**CLEAN, "diff": "incomplete"}
    assert verdict.exit_code == 3


def test_no_default_branch_is_no_pass(plain_repo: Path) -> None:
    run_git(plain_repo, "branch", "--move", "main", "trunk")
    assert outcomes(run(plain_repo)) == {**CLEAN, "diff": "incomplete"}
    assert outcomes(run(plain_repo, against="trunk")) == CLEAN
