"""The diff that runs nothing: it never calls safe what is not, and stays silent on what plainly is no change."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from skewcheck.changes.diffing import Options
from skewcheck.changes.static_diff import diff_statically
from skewcheck.changes.static_reading import read_statically
from skewcheck.diff_verdict import DiffVerdict
from skewcheck.errors import SkewcheckError
from tests.changes.small_repository import commit, edit
from tests.changes.test_classification import EDITS, SHOP, Edit

HARMFUL = [case for case in EDITS if case.rules and not case.fitted]
SILENT = {
    "nothing", "comment", "comment in an opaque function", "formatting", "annotation", "renamed helper",
    "renamed helper of an opaque function", "renamed constant of an opaque function",
    "renamed local of an opaque function", "renamed constant", "order of fields", "unused column",
    "unused constant",
}  # fmt: skip

SAFE = {"unchanged", "metadata", "equal"}


def compare(root: Path, text: str = "main", options: Options | None = None) -> DiffVerdict:
    return diff_statically(root, text, options or Options())


def test_nothing_that_changes_a_value_is_called_safe(repo: Path) -> None:
    assert len(HARMFUL) > 35
    for case in HARMFUL:
        kept = {name: (repo / name).read_text() for name, _, _ in case.changes}
        edit(repo, *case.changes)
        found = {feature.name: feature.verdict for feature in compare(repo).features}
        unsafe = [name for name, verdict in case.verdicts.items() if verdict not in SAFE]
        assert [name for name in unsafe if found[name] in SAFE] == [], case.name
        for name, text in kept.items():
            (repo / name).write_text(text)


@pytest.mark.parametrize("case", [case for case in EDITS if case.name in SILENT], ids=lambda case: case.name)
def test_what_plainly_is_no_change_is_passed_in_silence(case: Edit, repo: Path) -> None:
    edit(repo, *case.changes)
    verdict = compare(repo)
    assert {feature.verdict for feature in verdict.features} == {"unchanged"}
    assert verdict.findings == ()
    assert verdict.exit_code == 0


def test_every_silent_edit_is_one_of_the_list() -> None:
    assert {case.name for case in EDITS} >= SILENT


def test_a_docstring_is_documentation(repo: Path) -> None:
    edit(repo, (SHOP, "Whether it is a large one.", "At least five hundred."))
    assert compare(repo).counts == {"unchanged": 12, "metadata": 1}


def test_a_deleted_feature_is_seen_and_a_new_one(repo: Path) -> None:
    edit(repo, (SHOP, "def band(", "def width("))
    verdict = compare(repo)
    assert {f.name: f.verdict for f in verdict.features if f.verdict != "unchanged"} == {
        "band": "breaking",
        "width": "additive",
    }
    assert [finding.rule for finding in verdict.findings] == ["FEATURE_NO_DELETE", "FEATURE_ADDED"]


def test_the_setting_of_a_view_has_its_own_rule(repo: Path) -> None:
    edit(repo, (SHOP, "days=7", "days=8"))
    assert {finding.rule for finding in compare(repo).findings} == {"VIEW_SAME_TTL", "VALUES_KNOWN"}


def test_nothing_of_the_branch_is_run(repo: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    hostile = f"open({str(mark)!r}, 'w').write('ran')\n"
    (repo / "features" / "evil.py").write_text(hostile)
    (repo / "features" / "__init__.py").write_text(hostile)
    edit(repo, (SHOP, "import skewcheck as sk", f"import skewcheck as sk\n{hostile}"))
    commit(repo, "hostile")
    verdict = compare(repo, "HEAD~1..HEAD")
    assert not mark.exists()
    assert verdict.static
    assert {feature.verdict for feature in verdict.features} == {"unknown"}
    assert verdict.exit_code == 1


def test_it_says_what_it_did_not_see(repo: Path) -> None:
    edit(repo, ("features/helpers.py", "def scaled", "from team_package import rate\n\n\ndef scaled"),
         ("features/helpers.py", "value.log1p()", "value.log1p() * rate"))  # fmt: skip
    said = " ".join(problem.message for problem in compare(repo).problems)
    assert "nothing of either version was run" in said
    assert "team_package" in said
    assert "tax" in said


def test_a_branch_does_not_waive_its_own_findings(repo: Path) -> None:
    edit(repo, (SHOP, "amount >= LARGE", "amount > LARGE"))
    (repo / "pyproject.toml").write_text(
        "[[tool.skewcheck.waivers]]\nrule = 'VALUES_KNOWN'\nreason = 'because I say'\nexpires = 2099-01-01\n"
    )
    assert compare(repo).exit_code == 1
    commit(repo, "waived")
    assert compare(repo, "HEAD").exit_code == 0


def test_a_file_that_is_no_python_is_no_pass(repo: Path) -> None:
    (repo / "features" / "broken.py").write_text("def (")
    with pytest.raises(SkewcheckError, match=r"broken\.py"):
        compare(repo)


def test_no_feature_is_no_pass(repo: Path) -> None:
    for path in (repo / "features").glob("*.py"):
        path.write_text("")
    assert compare(repo).exit_code == 3


def test_two_hundred_features_take_less_than_two_seconds_of_work() -> None:
    body = "import skewcheck as sk\nfrom features.helpers import scaled\nshop = sk.features('shop', sources=[])\n"
    body += "".join(f"@shop.feature\ndef feature_{n}(amount):\n    return scaled(amount) * {n}\n" for n in range(200))
    files = {"features/shop.py": body, "features/helpers.py": "def scaled(value):\n    return value.log1p()\n"}
    start = time.process_time()
    assert len(read_statically(files, "").features) == 200
    assert time.process_time() - start < 2


WINDOWED = """
import skewcheck as sk

payments = sk.events("payments", source=None, by=None, schema=[])
recent = sk.windows("recent", payments, closed="right")


@recent.feature
def spent(amount):
    return amount.sum("7d")


shop = sk.features("shop", sources=[recent])


@shop.feature
def doubled(spent):
    return spent * 2
"""


@pytest.mark.parametrize(
    ("old", "new"), [('"7d"', '"6d"'), ('"right"', '"left"'), ("schema=[]", "schema=[1]"), (".sum(", ".mean(")]
)
def test_an_edge_of_a_window_is_seen(repo: Path, old: str, new: str) -> None:
    (repo / "features" / "shop.py").write_text(WINDOWED)
    commit(repo, "windows")
    edit(repo, (SHOP, old, new))
    verdict = compare(repo, "HEAD")
    assert {feature.name: feature.verdict for feature in verdict.features} == {"doubled": "unknown"}
