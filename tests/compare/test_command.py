"""`skewcheck compare` on the command line: what it prints, writes and answers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.compare.findings import Findings
from tests.cli.conftest import Run, run
from tests.documents import ROOT, read_blocks, run_blocks

__all__ = ["run"]


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    """Two tables of which the second has other prices from the second hour on, on one host."""
    at = pa.array([row * 60_000_000 for row in range(120)], pa.timestamp("us", tz="UTC"))
    host = [f"host-{row % 3}" for row in range(120)]
    price = [float(row + 1) for row in range(120)]
    served = [value * 100 if row >= 60 and row % 3 == 1 else value for row, value in enumerate(price)]
    for name, values in (("a", price), ("b", served)):
        columns = {"request": range(120), "at": at, "host": host, "price": values, "size": [1.0] * 120}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    return str(tmp_path / "a.parquet"), str(tmp_path / "b.parquet")


def test_the_table_says_what_differs_where_and_since_when(run: Run, tables: tuple[str, str]) -> None:
    outcome = run("compare", *tables, "--on", "request", "--at", "at", "--by", "host")
    assert outcome.exit_code == 1
    assert "FAIL 1 of 4 columns differ in 120 pairs of rows (1970-01-01 00:00 … 01:59 UTC)" in outcome.said
    assert "20 of 120" in outcome.said
    assert 'price: host "host-1" differs in 20 of 40' in outcome.said
    assert "1970-01-01 01:01 … 01:58 UTC" in outcome.said
    assert "Match (3): at, host, size" in outcome.said


def test_json_holds_the_findings_and_nothing_else(run: Run, tables: tuple[str, str]) -> None:
    outcome = run("compare", *tables, "--on", "request", "--at", "at", "--format", "json")
    data = json.loads(outcome.out)
    assert data["schema"] == "skewcheck/compare/1"
    assert [bucket["mismatched"] for bucket in data["columns"][2]["buckets"]] == [0, 20]
    assert Findings.from_json(outcome.out).to_json() == outcome.out


def test_the_same_tables_are_clean(run: Run, tables: tuple[str, str]) -> None:
    outcome = run("compare", tables[0], tables[0], "--on", "request")
    assert outcome.exit_code == 0
    assert "PASS all 4 columns match in 120 pairs of rows" in outcome.said


def test_reports_are_written(run: Run, tables: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "reports"
    outcome = run("compare", *tables, "--on", "request", "--by", "host", "--out", str(out), "--distributions")
    page = (out / "compare.html").read_text(encoding="utf-8")
    assert "Full report:" in outcome.said
    assert "1 of 4 columns differ" in page
    assert "PSI" in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page), "the page fetches nothing"
    assert Findings.from_json((out / "compare.json").read_text(encoding="utf-8")).verdict == "fail"


def test_tolerances_are_for_all_columns_or_for_one(run: Run, tables: tuple[str, str]) -> None:
    exact = ("compare", *tables, "--on", "request")
    assert run(*exact, "--tolerance", "0.995").exit_code == 0
    assert run(*exact, "--absolute", "price=1e5").exit_code == 0
    assert run(*exact, "--absolute", "size=1e5").exit_code == 1
    assert run(*exact, "--ulp", "4").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--on", "nowhere"),
        ("--on", "request", "--rows", "some"),
        ("--on", "request", "--duplicates", "first"),
        ("--on", "request", "--format", "xml"),
        ("--on", "request", "--tolerance", "little"),
        ("--on", "request", "--tolerance", "-1"),
        ("--on", "request", "--rename", "price"),
        ("--on", "request", "--compatibility", "spark"),
        ("--on", "request", "--at", "host"),
    ],
)
def test_what_cannot_work_is_refused(run: Run, tables: tuple[str, str], arguments: tuple[str, ...]) -> None:
    assert run("compare", *tables, *arguments).exit_code == 2


def test_a_table_that_is_not_there_is_named(run: Run, tables: tuple[str, str]) -> None:
    outcome = run("compare", tables[0], "nowhere.parquet", "--on", "request")
    assert (outcome.exit_code, "nowhere.parquet" in outcome.err) == (2, True)


def test_tfdv_figures_are_printed_on_request(run: Run, tables: tuple[str, str]) -> None:
    mode = ("--compatibility", "tfdv", "--on", "request", "--ignore", "at")
    outcome = run("compare", *tables, *mode, "--confusion", "host", "--round", "2", "--samples", "1")
    data = json.loads(outcome.out)
    assert outcome.exit_code == 1
    assert data["feature_skew"]["price"]["mismatch_count"] == 20
    assert data["match_stats"]["matching_pairs_count"] == 120
    assert [count["count"] for count in data["confusion"]] == [40, 40, 40]
    assert len(data["skew_pairs"]) == 1
    assert run("compare", tables[0], tables[0], *mode).exit_code == 0


def test_chronon_figures_are_printed_on_request(run: Run, tables: tuple[str, str]) -> None:
    mode = ("--compatibility", "chronon", "--on", "request,at")
    outcome = run("compare", *tables, *mode)
    hours = json.loads(outcome.out)["hours"]
    assert outcome.exit_code == 1
    assert [hour["columns"]["price"]["mismatch"] for hour in hours] == [0, 20]
    assert run("compare", tables[0], tables[0], *mode).exit_code == 0


def test_the_page_of_the_command_says_what_it_prints(tmp_path: Path) -> None:
    page = ROOT / "docs" / "compare.md"
    assert {block.group for block in read_blocks(page)} >= {"compare"}
    run_blocks(page, "compare", tmp_path)


def test_every_field_of_the_findings_is_explained() -> None:
    from dataclasses import fields

    from skewcheck.compare import findings as contract

    text = (ROOT / "docs" / "compare.md").read_text(encoding="utf-8")
    kinds = (
        *(contract.Findings, contract.TableRows, contract.Join, contract.ColumnFinding, contract.States),
        *(contract.Sample, contract.Confusion, contract.Bucket, contract.Slice),
    )
    assert [item.name for kind in kinds for item in fields(kind) if f"`{item.name}`" not in text] == []
