"""A log replayed through any function from a table to a table: no declaration, the same verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options
from skewcheck.compare.function_audit import BATCH, audit_function
from skewcheck.compare.probing import probe_function
from skewcheck.compare.training_function import FunctionError, load_function
from skewcheck.errors import LogError, UsageError
from skewcheck.serving.schema import LogSchema
from skewcheck.serving.writer import LogWriter
from skewcheck.verdict import Verdict
from tests.cli.conftest import Run, run

__all__ = ["run"]

ROWS = 40

MODULE = '''"""How training computes the features."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def build(frame):
    """In pandas, the features alone."""
    return pd.DataFrame({"doubled": frame["amount"] * 2, "shout": frame["country"].str.upper()}, index=frame.index)


def extend(frame):
    """In pandas, the inputs with the features beside them."""
    frame = frame.copy()
    frame["doubled"] = frame["amount"] * 2
    frame["shout"] = frame["country"].str.upper()
    return frame


def in_arrow(table: pa.Table) -> pa.Table:
    """In Arrow."""
    return pa.table({"doubled": pc.multiply(table["amount"], 2.0), "shout": pc.utf8_upper(table["country"])})


def drop_and_sort(frame):
    """Leaves rows out, and gives the others in another order."""
    kept = frame[frame["amount"] >= 10].sort_values("amount", ascending=False)
    return build(kept)


def leave_out_the_last(frame):
    """The index of what is left reads as if it were counted anew."""
    return build(frame[frame["amount"] < 30])


def forget_rows(frame):
    """Leaves rows out, and says of none which it was."""
    return build(frame[frame["amount"] >= 10]).reset_index(drop=True)


def by_request(frame):
    """Gives the request's id in place of an index."""
    kept = frame[frame["amount"] >= 10].sort_values("amount", ascending=False)
    return build(kept).assign(request_id=kept["request_id"]).reset_index(drop=True)


def centred(frame):
    """A row's features depend on the other rows."""
    return pd.DataFrame({"doubled": frame["amount"] - frame["amount"].mean()})


def text(frame):
    return build(frame).assign(doubled=lambda found: found["doubled"].astype(str))


def fails(frame):
    return frame["nowhere"]


def no_table(frame):
    return 3


TRAINED = pd.DataFrame({"amount": [0.0, 10.0, 20.0, 30.0], "country": ["de", "fr", "de", "fr"]})
COLUMNS = ColumnTransformer([("scaled", StandardScaler(), ["amount"]), ("shout", OneHotEncoder(), ["country"])])
fitted = Pipeline([("columns", COLUMNS), ("model", LinearRegression())]).fit(TRAINED, [1, 2, 3, 4])
nameless = StandardScaler().fit(np.zeros((2, 1)))
number = 3
'''


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The module `how_training_computes`, in the working directory."""
    (tmp_path / "how_training_computes.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield
    sys.modules.pop("how_training_computes", None)


def rows_of(wrong: int) -> dict[str, Any]:
    """Requests, of which the first were served with another `doubled`."""
    amounts = [float(row) for row in range(ROWS)]
    countries = ["de" if row % 2 else "fr" for row in range(ROWS)]
    return {
        "request_id": [f"r{row}" for row in range(ROWS)],
        "requested_at": [datetime(2025, 3, 1, tzinfo=UTC) + timedelta(hours=row) for row in range(ROWS)],
        "amount": amounts,
        "country": countries,
        "doubled": [amount * 2 + (row < wrong) for row, amount in enumerate(amounts)],
        "shout": [country.upper() for country in countries],
    }


def write_foreign_log(folder: Path, wrong: int = 0, **changed: Any) -> Path:
    folder.mkdir()
    pq.write_table(pa.table({**rows_of(wrong), **changed}), folder / "log.parquet")
    return folder


def write_own_log(folder: Path, wrong: int = 0) -> Path:
    schema = LogSchema(
        service="payments",
        request={"amount": "Float64"},
        store={"country": "String"},
        features={"doubled": "Float64", "shout": "String"},
        views={"accounts": ("country",)},
    )
    rows = rows_of(wrong)
    with LogWriter(schema, folder) as writer:
        for row in range(ROWS):
            writer.log_request(
                request_id=rows["request_id"][row],
                requested_at=rows["requested_at"][row],
                request={"amount": rows["amount"][row]},
                store={"country": rows["country"][row]},
                features={name: rows[name][row] for name in ("doubled", "shout")},
            )
    return folder


def audit(log: Path, function: str, *features: str, **options: Any) -> Verdict:
    return audit_function(
        log, load_function(f"how_training_computes:{function}"), Options(**options), features=features
    )


@pytest.mark.usefixtures("training")
@pytest.mark.parametrize("function", ["build", "extend", "in_arrow"])
@pytest.mark.parametrize("write", [write_foreign_log, write_own_log])
def test_what_serving_computes_otherwise_is_skew(tmp_path: Path, function: str, write: Any) -> None:
    assert audit(write(tmp_path / "clean"), function).exit_code == 0
    verdict = audit(write(tmp_path / "skewed", wrong=3), function)
    assert verdict.exit_code == 1
    assert [feature.name for feature in verdict.features] == ["doubled", "shout"]
    doubled, shout = verdict.features
    assert (doubled.verdict, doubled.stage, doubled.shown.mismatched) == ("skew", "transform", 3)
    assert (doubled.reads, shout.reads) == (("amount",), ("country",))
    assert shout.verdict == "match"
    sample = doubled.shown.samples[0]
    assert (sample.request_id, sample.served, sample.replayed, sample.row) == ("r0", 1.0, 0.0, {"amount": 0.0})
    assert (verdict.rows.logged, verdict.rows.replayed, verdict.rows.duplicated) == (ROWS, ROWS, 0)
    assert (verdict.rows.first, verdict.rows.last) == ("2025-03-01T00:00:00Z", "2025-03-02T15:00:00Z")
    assert Verdict.from_json(verdict.to_json()) == verdict


@pytest.mark.usefixtures("training")
@pytest.mark.parametrize("function", ["drop_and_sort", "by_request"])
def test_rows_that_training_leaves_out_are_counted_and_the_others_found_again(tmp_path: Path, function: str) -> None:
    verdict = audit(write_foreign_log(tmp_path / "log", wrong=13), function, "doubled", "shout")
    assert verdict.features[0].shown.mismatched == 3
    assert (verdict.rows.replayed, verdict.rows.outside_training_filter) == (30, 10)


@pytest.mark.usefixtures("training")
def test_rows_left_out_at_the_end_are_told_from_rows_counted_anew(tmp_path: Path) -> None:
    verdict = audit(write_foreign_log(tmp_path / "log", wrong=3), "leave_out_the_last", "doubled", "shout")
    assert (verdict.features[0].shown.mismatched, verdict.rows.replayed) == (3, 30)


@pytest.mark.usefixtures("training")
def test_a_pipeline_gives_its_features_by_the_names_of_its_columns(tmp_path: Path) -> None:
    scaled = [(row - 15.0) / (500.0 / 4) ** 0.5 for row in range(ROWS)]
    log = write_foreign_log(tmp_path / "log", scaled__amount=scaled, country_de=[float(row % 2) for row in range(ROWS)])
    verdict = audit(log, "fitted", tolerance=1e-12)
    assert {feature.name: feature.verdict for feature in verdict.features} == {
        "scaled__amount": "match",
        "country_de": "match",
    }


@pytest.mark.usefixtures("training")
def test_a_function_of_many_rows_is_given_the_whole_log_and_said_to_be_one(tmp_path: Path) -> None:
    centred = [row - (ROWS - 1) / 2 for row in range(ROWS)]
    verdict = audit(write_foreign_log(tmp_path / "log", doubled=centred), "centred")
    assert verdict.features[0].verdict == "match"
    assert "other features beside other rows" in verdict.problems[0].message


@pytest.mark.usefixtures("training")
def test_what_serving_does_otherwise_is_named(tmp_path: Path) -> None:
    rows = rows_of(0)
    (tmp_path / "log").mkdir()
    table = {**rows, "doubled": [value * 60 for value in rows["doubled"]], "shout": rows["country"]}
    pq.write_table(pa.table(table), tmp_path / "log" / "a.parquet")
    verdict = audit(tmp_path / "log", "build")
    causes = {feature.name: feature.causes[0] for feature in verdict.features}
    assert (causes["doubled"]["kind"], causes["doubled"]["parameters"]["factor"]) == ("unit", 60.0)
    assert (causes["shout"]["kind"], causes["shout"]["parameters"]["form"]) == ("normalization_text", "in lower case")
    assert all(cause["stage"] == "transform" and cause["explains"] == 1.0 for cause in causes.values())
    assert not any(feature.causes for feature in audit(tmp_path / "log", "build", explain=False).features)


@pytest.mark.usefixtures("training")
def test_a_log_of_several_batches_is_replayed_in_its_own_rows(tmp_path: Path) -> None:
    count = BATCH * 2 + 1
    table = pa.table(
        {
            "request_id": pa.array(range(count)),
            "amount": pa.array(range(count), pa.float64()),
            "country": pa.array(["de"] * count),
            "doubled": pa.array([row * 2.0 + (row % 1000 == 7) for row in range(count)]),
        }
    )
    (tmp_path / "log").mkdir()
    pq.write_table(table, tmp_path / "log" / "a.parquet", row_group_size=9999)
    verdict = audit(tmp_path / "log", "in_arrow")
    assert (verdict.rows.replayed, verdict.features[0].shown.mismatched) == (count, 100)
    assert (verdict.rows.first, verdict.rows.duplicated) == (None, 0)


@pytest.mark.usefixtures("training")
def test_a_difference_of_type_is_no_match(tmp_path: Path) -> None:
    verdict = audit(write_foreign_log(tmp_path / "log"), "text")
    assert verdict.features[0].verdict == "not-compared"
    assert verdict.features[0].note == "types differ: double served, varchar replayed"
    assert verdict.exit_code == 3


@pytest.mark.usefixtures("training")
def test_features_that_the_function_does_not_give_leave_the_verdict_open(tmp_path: Path) -> None:
    log = write_foreign_log(tmp_path / "log", other=[1.0] * ROWS)
    assert audit(log, "build", "doubled", "shout").exit_code == 0
    verdict = audit(log, "build", "doubled", "other")
    assert [problem.severity for problem in verdict.problems] == ["error"]
    assert verdict.exit_code == 3


@pytest.mark.usefixtures("training")
def test_columns_of_other_names_are_renamed(tmp_path: Path) -> None:
    rows = rows_of(2)
    table = pa.table({**{name: rows[name] for name in ("request_id", "country", "doubled")}, "amt": rows["amount"]})
    (tmp_path / "log").mkdir()
    pq.write_table(table, tmp_path / "log" / "a.parquet")
    verdict = audit(tmp_path / "log", "build", renamed={"amount": "amt"})
    assert verdict.features[0].shown.mismatched == 2


@pytest.mark.usefixtures("training")
@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("fails", "raised KeyError: 'nowhere' (how_training_computes.py"),
        ("no_table", "gave int, expected a table"),
        ("forget_rows", "gave 30 rows for 40, and nothing says which they are"),
    ],
)
def test_a_function_that_cannot_be_used_is_named_with_the_reason(tmp_path: Path, function: str, message: str) -> None:
    with pytest.raises(FunctionError) as raised:
        audit(write_foreign_log(tmp_path / "log"), function)
    assert message in str(raised.value)


@pytest.mark.usefixtures("training")
def test_a_log_without_a_feature_of_the_function_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    pq.write_table(pa.table({"amount": [1.0], "country": ["de"]}), folder / "a.parquet")
    with pytest.raises(LogError, match="none of the features"):
        audit(folder, "build")


@pytest.mark.usefixtures("training")
@pytest.mark.parametrize(
    "name",
    [
        "how_training_computes",
        "how_training_computes:",
        "nowhere:build",
        "how_training_computes:nowhere",
        "how_training_computes:number",
        "how_training_computes:nameless",
    ],
)
def test_what_is_no_training_path_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="--replay"):
        load_function(name)


@pytest.mark.usefixtures("training")
def test_inputs_are_told_from_features_by_what_the_function_can_do_without() -> None:
    rows = pa.table(rows_of(0))
    probed = probe_function(load_function("how_training_computes:extend"), rows, None)
    assert probed.features == {"doubled": "doubled", "shout": "shout"}
    assert probed.inputs == ("request_id", "requested_at", "amount", "country")
    assert probed.row_by_row


@pytest.mark.usefixtures("training")
def test_the_command_audits_a_log_through_a_function(run: Run, tmp_path: Path) -> None:
    log = str(write_foreign_log(tmp_path / "log", wrong=3))
    outcome = run("audit", "--log", log, "--replay", "how_training_computes:build", "--format", "json")
    assert outcome.exit_code == 1
    assert json.loads(outcome.out)["schema"] == "skewcheck/audit/1"
    table = run("audit", log, "--replay", "how_training_computes:build", "--out", "report")
    assert "FAIL how_training_computes:build: 1 of 2 features skewed in 40 requests" in table.said
    assert (tmp_path / "report" / "how_training_computes_build.html").is_file()
    assert run("audit", log, "--log", log, "--replay", "how_training_computes:build").exit_code == 2
    assert run("audit", log, "--replay", "how_training_computes:build", "--frame", "polars").exit_code == 2
    assert run("audit").exit_code == 2
