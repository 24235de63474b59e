"""The suite: every operator and the committed service, on hard rows; `skewcheck parity` runs more of them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from skewcheck.cli import app
from skewcheck.errors import UsageError
from skewcheck.generate.manifest import hash_text
from skewcheck.language.operator import REGISTRY
from skewcheck.parity import suite
from skewcheck.parity.running import Difference, run_python
from skewcheck.parity.subjects import Subject
from skewcheck.parity.suite import Settings, run_suite

GENERATED = Path(__file__).parent.parent.parent / "codegen" / "departure_delay"


def test_every_operator_and_the_flights_service_agree_on_seeded_rows() -> None:
    findings = list(run_suite(Settings(rows=2_000, seed=20, services=(GENERATED,))))
    assert {finding.name for finding in findings} == {*REGISTRY, "departure_delay"}
    assert [finding for finding in findings if any(d.differing for d in finding.differences.values())] == []
    assert all(finding.differences["duckdb"].rows >= 2_000 for finding in findings)


def test_every_piece_of_a_long_table_is_compared_and_the_first_rows_with_spark_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(suite, "CHUNK", 100)

    def compute(subject: Subject, folder: Path) -> pa.Table:
        return run_python(subject, pq.read_table(folder).sort_by("$row"))

    def compute_backwards(subject: Subject, folder: Path) -> pa.Table:
        return compute(subject, folder)[::-1]

    settings = Settings(rows=250, spark_rows=120, operators=("log1p",))
    examples = len(REGISTRY["log1p"].examples)
    (finding,) = run_suite(settings, compute)
    assert finding.differences == {"duckdb": Difference(250 * examples), "spark": Difference(120 * examples)}
    (finding,) = run_suite(settings, compute_backwards)
    assert finding.differences["spark"].differing > 50


def test_the_command_prints_a_line_for_each_and_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GENERATED.parent.parent)
    outcome = CliRunner().invoke(
        app, ["parity", "hour", "departure_delay", "--rows", "100", "--engines", "duckdb"], catch_exceptions=False
    )
    lines = [re.sub(r"\s+", " ", line).strip() for line in outcome.stdout.splitlines()]
    assert lines == [
        "hour duckdb 200 rows 0 differing 0 ulp",
        "departure_delay duckdb 100 rows 0 differing 0 ulp",
        "every engine agrees with Python",
    ]
    assert outcome.exit_code == 0


def test_the_command_ends_with_1_where_an_engine_differs(tmp_path: Path) -> None:
    copy = tmp_path / "codegen" / "departure_delay"
    shutil.copytree(GENERATED, copy)
    (tmp_path / "feature_store.yaml").write_text("project: copy\n")
    query = (copy / "features.sql").read_text(encoding="utf-8").replace("1.609344e0", "1.6093440000000003e0")
    (copy / "features.sql").write_text(query, encoding="utf-8")
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["features.sql"] = hash_text(query)
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    outcome = CliRunner().invoke(
        app, ["parity", "departure_delay", "--rows", "500", "--engines", "duckdb", "--repo", str(tmp_path)]
    )
    assert outcome.exit_code == 1
    service, example, count = outcome.stdout.splitlines()
    assert service.startswith("departure_delay ")
    assert example.startswith("  for example ")
    assert count == "1 differ"


@pytest.mark.parametrize(
    ("arguments", "said"), [(["nope"], "no operator or service nope"), (["hour", "--engines", "x"], "no engine x")]
)
def test_what_is_not_there_is_refused(arguments: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        CliRunner().invoke(app, ["parity", *arguments], catch_exceptions=False)
