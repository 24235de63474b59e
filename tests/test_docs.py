"""The pages under docs/: their examples run, and what they list is what there is."""

from __future__ import annotations

import dataclasses
import doctest
import re
from pathlib import Path

import pytest

from skewcheck import verdict as contract
from skewcheck.language.operator import REGISTRY
from skewcheck.reference import list_operators, print_markdown
from skewcheck.serving.schema import LogSchema
from tests.documents import ROOT, read_blocks

PAGES = sorted((ROOT / "docs").glob("*.md"))
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


def table_names(page: str) -> set[str]:
    """What the first cells of a page's tables name in code."""
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "docs" / page).read_text(encoding="utf-8"), re.MULTILINE)
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_run_and_print_what_they_say(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": page.stem}
    runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
    printed: list[str] = []
    for block in read_blocks(page):
        if block.language != "python":
            continue
        if block.text.startswith(">>>"):
            examples = doctest.DocTestParser().get_doctest(block.text, names, page.name, str(page), block.line)
            runner.run(examples, out=printed.append, clear_globs=False)
            names.update(examples.globs)
        else:
            exec(compile(block.text, str(page), "exec"), names)
    assert not runner.failures, "".join(printed)


def test_every_field_of_the_verdict_is_explained() -> None:
    kinds = (
        contract.Verdict,
        contract.FeatureVerdict,
        contract.ColumnVerdict,
        contract.Comparison,
        contract.Rows,
        contract.Filter,
        contract.Version,
        contract.Problem,
        contract.Pair,
    )
    fields = {field.name for kind in kinds for field in dataclasses.fields(kind)} - {"comparison", "row"}
    text = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    assert fields <= set(re.findall(r"`(\w+)`", text))
    assert contract.SCHEMA in text
    assert set(contract.STAGES) <= table_names("audit.md")


def test_every_column_of_the_log_is_explained() -> None:
    schema = LogSchema("s", {"n": "String"}, {"n": "String"}, {"n": "String"}, {"n": "String"}, {"v": ["n"]})
    columns = {re.sub(r"\.(n|v)$", r".<\1>", name) for name in schema.columns()}
    named = {name.replace("<name>", "<n>").replace("<view>", "<v>") for name in table_names("log.md")}
    assert columns == named


def test_the_page_of_operators_is_made_of_the_operators_themselves() -> None:
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert page == print_markdown(list_operators()), "stale: run `make docs`"
    assert set(re.findall(r"^### (\w+)$", page, re.MULTILINE)) == {*REGISTRY, "opaque"}
