"""The diff as a whole: sizes, impact, libraries, budget, cache, cases, and folders of generated code."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.changes.caching import Cache
from skewcheck.changes.configuration import Configuration
from skewcheck.changes.describing import describe_repository
from skewcheck.changes.diffing import Options, Version, diff_folders, diff_versions
from skewcheck.changes.generated import read_folder
from skewcheck.changes.libraries import find_libraries, parse_libraries
from skewcheck.changes.snapshot import Snapshot
from skewcheck.diff_verdict import DiffVerdict, FeatureChange
from skewcheck.errors import SkewcheckError, UsageError
from tests.changes.small_repository import edit, fit_and_generate

SHOP = "features/shop.py"
LARGE = (SHOP, "amount >= LARGE", "amount > LARGE")


def compare(before: Snapshot, root: Path, options: Options | None = None, **changed: object) -> DiffVerdict:
    after = describe_repository(root, root)
    versions = Version("old", None, before), Version("new", None, replace(after, **changed), (root,))  # type: ignore[arg-type]
    return diff_versions(*versions, Configuration(), options or Options(rows=200))


def feature(verdict: DiffVerdict, name: str) -> FeatureChange:
    return next(change for change in verdict.features if change.name == name)


def write_log(path: Path) -> Path:
    amounts = [499.0, 500.0, 500.0, None, 501.0, 1e9]
    columns = {
        "request_id": [f"r{place}" for place in range(6)],
        "requested_at": pa.array([1_700_000_000_000_000 + p for p in range(6)], pa.timestamp("us", tz="UTC")),
        "key.customer_id": [*range(6)],
        "request.amount": pa.array(amounts, pa.float64()),
        "store.usual": pa.array([1.0, None, 2.0, 3.0, 4.0, 5.0]),
    }
    pq.write_table(pa.table(columns), path)
    return path


def test_a_change_is_measured_on_a_log(repo: Path, before: Snapshot, tmp_path: Path) -> None:
    edit(
        repo,
        LARGE,
        (SHOP, "fill(0.0)", "fill(-2.5)"),
        (SHOP, "tier == ", "~(tier == "),
        (SHOP, '"gold"\n', '"gold")\n'),
    )
    log = write_log(tmp_path / "log.parquet")
    verdict = compare(before, repo, Options(rows=200, log=str(log)))
    size = feature(verdict, "large").size
    assert size is not None
    assert (size.rows, size.changed, size.became_missing, size.became_present) == (6, 2, 0, 0)
    assert [sample.key["request_id"] for sample in size.samples] == ["r1", "r2"]
    assert (size.samples[0].old, size.samples[0].new, size.samples[0].inputs) == (True, False, {"amount": 500.0})
    assert size.psi is not None
    assert size.psi > 0.1
    filled = feature(verdict, "usual_filled").size
    assert filled is not None
    assert (filled.changed, filled.largest_change, filled.share) == (1, 2.5, 1 / 6)
    absent = feature(verdict, "tier_gold").size
    assert absent is not None
    assert "lacks tier" in (absent.note or "")
    assert feature(verdict, "hour").size is None


def test_missing_values_that_flip_are_counted(repo: Path, before: Snapshot, tmp_path: Path) -> None:
    edit(repo, (SHOP, "return amount / usual", "return usual / (amount - 500)"))
    path = tmp_path / "data.csv"
    path.write_text("amount,usual,customer_id\n500,1,7\n500,,8\n3,0,9\n3,1,9\n")
    size = feature(compare(before, repo, Options(rows=200, data=str(path))), "usual_ratio").size
    assert size is not None
    assert (size.rows, size.changed, size.became_missing, size.became_present) == (4, 3, 1, 1)
    assert size.samples[0].key == {"customer_id": 7}


def test_no_row_to_measure_on_is_no_pass(repo: Path, before: Snapshot, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("amount\n")
    with pytest.raises(SkewcheckError, match="no row") as refused:
        compare(before, repo, Options(data=str(empty)))
    assert refused.value.exit_code == 3
    with pytest.raises(UsageError, match="no file"):
        compare(before, repo, Options(data=str(tmp_path / "absent.csv")))


def test_what_retrieval_changes_is_not_measured_on_what_was_retrieved(
    repo: Path, before: Snapshot, tmp_path: Path
) -> None:
    edit(repo, (SHOP, "days=7", "days=6"))
    verdict = compare(before, repo, Options(log=str(write_log(tmp_path / "log.parquet"))))
    size = feature(verdict, "usual_filled").size
    assert size is not None
    assert "not measured" in (size.note or "")
    assert verdict.impact.action == "backfill"


def test_a_retrieval_is_shown_through_the_join(repo: Path, before: Snapshot) -> None:
    edit(repo, (SHOP, "days=7", "days=6"))
    witness = feature(compare(before, repo), "usual_filled").witness
    assert witness is not None
    assert witness.requested_at == "2024-01-07T00:00:00.000001+00:00"
    assert witness.stored[0]["event_timestamp"] == "2024-01-01T00:00:00+00:00"
    assert (witness.old_inputs, witness.new_inputs) == ({"usual": witness.old}, {"usual": None})
    assert witness.new == 0.0


@pytest.mark.parametrize(
    ("changes", "action", "rules"),
    [
        ((), "none", set()),
        (((SHOP, "return orders + 1", "return 1 + orders"),), "redeploy", set()),
        (((SHOP, "days=7", "days=6"),), "backfill", {"VIEW_SAME_TTL"}),
        (((SHOP, "return amount > 0\n", "return amount > 1\n"),), "refit", {"VALUES_KNOWN", "STATISTICS_FITTED"}),
        ((LARGE,), "retrain", {"VALUES_SAME"}),
    ],
)
def test_a_change_needs_one_thing_most(
    repo: Path, before: Snapshot, changes: tuple[tuple[str, str, str], ...], action: str, rules: set[str]
) -> None:
    edit(repo, *changes)
    verdict = compare(before, repo)
    assert verdict.impact.action == action
    assert {finding.rule for finding in verdict.findings} == rules
    assert verdict.impact.refit == (("shop",) if action == "refit" else ())


def test_what_reads_a_changed_feature_is_downstream_of_it(repo: Path, before: Snapshot) -> None:
    edit(repo, ("features/helpers.py", "value.log1p()", "value.log1p() + 1"))
    verdict = compare(before, repo)
    assert feature(verdict, "amount_log").downstream == ("double_log",)
    assert feature(verdict, "double_log").through == ("amount_log",)
    assert {finding.rule: finding.subject for finding in verdict.findings} == {
        "VALUES_SAME": "amount_log",
        "VALUES_INDIRECT": "double_log",
    }


def test_a_feature_that_changed_itself_too_is_not_excused(repo: Path, before: Snapshot) -> None:
    edit(
        repo,
        ("features/helpers.py", "value.log1p()", "value.log1p() + 1"),
        (SHOP, "return amount_log * 2", "return amount_log * 3"),
    )
    verdict = compare(before, repo)
    assert feature(verdict, "double_log").through == ()
    assert [finding.rule for finding in verdict.findings] == ["VALUES_SAME", "VALUES_SAME"]


def test_models_that_are_pinned_to_the_old_version_are_named(repo: Path, before: Snapshot, tmp_path: Path) -> None:
    shop = before.services["shop"]
    tags = {"skewcheck_definition": shop.definition, "skewcheck_state": shop.state.hash if shop.state else ""}
    models = tmp_path / "models.json"
    old = {"name": "fraud", "version": "3", "tags": tags, "aliases": ["champion"]}
    other = {"name": "risk", "version": "1", "tags": {"skewcheck_definition": "0123"}}
    models.write_text(json.dumps([old, other]))
    edit(repo, LARGE)
    verdict = compare(before, repo, Options(rows=200, models=models))
    assert [(model.name, model.aliases) for model in verdict.impact.models] == [("fraud", ("champion",))]
    pinned = next(finding for finding in verdict.findings if finding.rule == "MODEL_PINNED")
    assert "champion" in pinned.message
    edit(repo, (LARGE[0], LARGE[2], LARGE[1]))
    assert compare(before, repo, Options(rows=200, models=models)).impact.models == ()


def test_a_manifest_of_models_that_is_none_is_refused(repo: Path, before: Snapshot, tmp_path: Path) -> None:
    for text in ("", "{}", "[1]"):
        (tmp_path / "models.json").write_text(text)
        with pytest.raises(UsageError, match="list of models"):
            compare(before, repo, Options(models=tmp_path / "models.json"))


def test_a_library_whose_results_are_not_known_makes_its_features_unknown(repo: Path, before: Snapshot) -> None:
    old = before.services["shop"]
    stale = replace(before, services={"shop": replace(old, generated="0123")}, libraries={"tzdata": "==2024.1"})
    verdict = compare(stale, repo, libraries={"tzdata": "==2025.1"})
    assert {change.name: change.verdict for change in verdict.features if change.verdict != "unchanged"} == {
        "hour": "unknown"
    }
    assert [finding.rule for finding in verdict.findings] == ["LIBRARY_SAME_VERSION"]


def test_libraries_are_those_that_operators_depend_on(before: Snapshot) -> None:
    needed = {f.name: find_libraries(f.expression) for f in before.services["shop"].features}
    assert needed["large"] == ("skewcheck",)
    assert needed["hour"] == ("skewcheck", "tzdata")
    assert needed["kilometres"] == ("skewcheck", "pint")
    assert needed["risk"] == ("skewcheck", "python")


def test_a_lock_is_believed_before_a_requirement() -> None:
    files = {
        "pyproject.toml": '[project]\nrequires-python = ">=3.11"\n'
        'dependencies = ["tzdata>=2024.1", "skewcheck[feast]==0.1"]\n',
        "uv.lock": '[[package]]\nname = "tzdata"\nversion = "2025.2"\n',
        "requirements-dev.txt": "Pint == 0.24 ; python_version > '3'  # units\n-r other.txt\n",
        ".python-version": "3.12\n",
        "poetry.lock": "broken [",
    }
    assert parse_libraries(files) == {"skewcheck": "==0.1", "tzdata": "==2025.2", "pint": "==0.24", "python": "3.12"}


def test_what_a_budget_cuts_short_is_unknown_and_says_so(repo: Path, before: Snapshot) -> None:
    edit(repo, LARGE, (SHOP, "days=7", "days=6"))
    verdict = compare(before, repo, Options(budget=0))
    assert {f.name for f in verdict.features if f.verdict == "unknown"} == {
        "large", "usual_ratio", "usual_filled", "tier_gold", "orders_v1",
    }  # fmt: skip
    assert "cut short" in verdict.problems[0].message
    assert verdict.exit_code == 1


def test_a_result_that_was_found_before_is_not_sought_again(repo: Path, before: Snapshot, tmp_path: Path) -> None:
    edit(repo, LARGE)
    first = compare(before, repo, Options(rows=200, cache=tmp_path))
    again = compare(before, repo, Options(rows=200, cache=tmp_path, budget=0))
    assert feature(again, "large") == feature(first, "large")
    for path in tmp_path.glob("*.json"):
        path.write_text("broken")
    assert feature(compare(before, repo, Options(rows=200, cache=tmp_path)), "large") == feature(first, "large")
    assert Cache(None).find("key") is None


def test_witnesses_are_saved_as_cases(repo: Path, before: Snapshot) -> None:
    edit(repo, LARGE)
    witness = feature(compare(before, repo, Options(rows=200, save=repo)), "large").witness
    assert witness is not None
    assert witness.case is not None
    case = json.loads((repo / witness.case).read_text())
    assert case["format"] == "skewcheck/case/1"
    assert (case["inputs"], case["old"], case["new"]) == ({"amount": 500.0}, True, False)
    assert (repo / witness.case).parent.parent == repo / "codegen" / "shop"


def test_no_feature_in_the_old_version_is_no_pass(repo: Path) -> None:
    verdict = compare(Snapshot({}), repo)
    assert verdict.exit_code == 3
    assert {change.verdict for change in verdict.features} == {"additive"}


def test_a_service_that_is_gone_is_breaking(repo: Path, before: Snapshot) -> None:
    edit(repo, (SHOP, 'sk.features("shop"', 'sk.features("store"'))
    verdict = compare(before, repo)
    assert verdict.counts == {"additive": 13, "breaking": 13}
    assert "SERVICE_NO_DELETE" in {finding.rule for finding in verdict.findings}


def test_an_old_version_may_go_once_a_newer_one_is_there(repo: Path, before: Snapshot) -> None:
    newer = "@shop.feature\ndef orders_v2(orders):\n    return orders + 2\n\n\nBASE = 2.0"
    edit(repo, (SHOP, "BASE = 2.0", newer))
    both = describe_repository(repo, repo)
    edit(repo, (SHOP, "@shop.feature\ndef orders_v1", "def orders_v1"))
    verdict = compare(both, repo)
    assert [finding.rule for finding in verdict.findings] == ["FEATURE_VERSION_RETIRED"]
    assert verdict.exit_code == 0


def test_the_same_two_versions_give_the_same_bytes(repo: Path, before: Snapshot) -> None:
    edit(repo, LARGE, (SHOP, "days=7", "days=6"), (SHOP, "fill(0.0)", "fill(1.0)"))
    assert compare(before, repo).to_json() == compare(before, repo).to_json()


def test_folders_of_generated_code_are_compared(repo: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(repo / "codegen", old)
    edit(
        repo,
        LARGE,
        (SHOP, "amount * BASE", "amount + BASE"),
        (SHOP, "amount.log1p().standardize()", "amount.standardize()"),
    )
    fit_and_generate(repo)
    verdict = diff_folders(old, repo / "codegen", Options(rows=200))
    changed = {change.name for change in verdict.features if change.verdict == "values-changed"}
    assert changed == {"large", "risk", "amount_z"}
    assert all(feature(verdict, name).witness for name in changed)
    assert "were not compared" in verdict.problems[-1].message
    assert diff_folders(old, old / "shop", Options()).counts == {"unchanged": 13}


def test_a_generated_file_that_was_edited_is_refused(repo: Path, tmp_path: Path) -> None:
    row = repo / "codegen" / "shop" / "row.py"
    row.write_text(row.read_text() + "\n")
    with pytest.raises(SkewcheckError, match="was changed after"):
        read_folder(repo / "codegen")
    with pytest.raises(UsageError, match="no generated code"):
        read_folder(tmp_path)
