"""Fitting a service: from the rows that its filter keeps, the same state on every run."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Field
from feast.types import Bool

import skewcheck as sk
from skewcheck.errors import StateError
from skewcheck.fit.fitting import fit
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING
from tests.declaring import make_service, request_source, write_rows

COLUMNS = {"x": FLOAT64, "n": INT64, "s": STRING, "keep": BOOL}


def every_statistic() -> sk.Service:
    return make_service(
        COLUMNS,
        standardized=lambda x: x.log1p().standardize(),
        scaled=lambda n: n.min_max(),
        imputed=lambda x: x.impute("median").impute("mean").standardize(),
        bucket=lambda x: x.quantile_bucket(7),
        code=lambda s: s.lower().vocabulary(size=5),
        by_text=lambda x, s: x.robust_scale(by=s),
        by_number=lambda x, n: x.standardize(by=n.minimum(0)),
        uniform=lambda x: x.quantile_transform(quantiles=50),
        shaped=lambda n: n.yeo_johnson(),
        clipped=lambda x: x.winsorize(),
        width=lambda n: n.equal_width_bucket(9),
        mode=lambda s: s.impute("mode").frequency_encode(),
        place=lambda s: s.ordinal(),
        weights=lambda s: s.tf_idf(("a", "b")),
        encoded=lambda s: s.target_encode("n"),
    )


def some_rows(count: int) -> list[dict[str, Any]]:
    chance = random.Random(1)
    return [
        {
            "x": None
            if chance.random() < 0.05
            else chance.choice([chance.gauss(0, 1), 10 ** chance.uniform(-300, 300)]),
            "n": chance.randrange(-1000, 1000),
            "s": chance.choice(["a", "A", "b", "c", "d", "e", "f", None]),
            "keep": chance.choice([True, True, False, None]),
        }
        for _ in range(count)
    ]


def test_the_state_is_the_same_for_any_order_of_the_rows_and_any_number_of_threads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, rows = every_statistic(), some_rows(20_000)
    shuffled = random.Random(2).sample(rows, len(rows))
    connect = duckdb.connect
    hashes = set()
    for number, given in enumerate([rows, shuffled, rows[::-1]]):
        path = write_rows(tmp_path / f"{number}.parquet", service, given)
        # Row groups of another size are read by other threads.
        pq.write_table(pq.read_table(path), path, row_group_size=[100_000, 2048, 777][number])
        for threads in (1, 4):
            monkeypatch.setattr(duckdb, "connect", lambda threads=threads: connect(config={"threads": threads}))
            hashes.add(fit(service, path).hash)
    assert len(hashes) == 1


def test_a_fitted_operator_reads_the_statistics_of_those_below_it(tmp_path: Path) -> None:
    service = make_service({"x": FLOAT64}, z=lambda x: x.impute("median").standardize())
    path = write_rows(tmp_path / "rows.parquet", service, [{"x": 1.0}, {"x": None}, {"x": 3.0}, {"x": 5.0}])
    below, above = fit(service, path).statistics.values()
    assert below == {"median": 3.0}
    assert above["mean"] == 3.0  # of 1, 3, 3 and 5, the second one imputed
    assert above["std"] == 2**0.5


def test_one_operator_in_two_features_is_fitted_once(tmp_path: Path) -> None:
    service = make_service({"x": FLOAT64}, z=lambda x: x.standardize(), doubled=lambda x: x.standardize() * 2)
    path = write_rows(tmp_path / "rows.parquet", service, [{"x": 1.0}, {"x": 3.0}])
    assert fit(service, path).statistics == {"x.standardize()": {"mean": 2.0, "std": 1.0}}


def filtered_service() -> sk.Service:
    training = sk.TrainingSet(entities="rows.parquet", timestamp="at", labels=[Field(name="cancelled", dtype=Bool)])
    service = sk.features("trial", sources=[request_source({"x": FLOAT64})], training=training)

    @service.feature
    def scaled(x):
        return x.min_max()

    @service.trained_on
    def took_off(cancelled):
        return ~cancelled

    @service.trained_on
    def far(x):
        return x > 1

    return service


def filtered_rows() -> pa.Table:
    at = [datetime(2013, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(6)]
    return pa.table(
        {
            "x": [0.5, 2.0, 3.0, 4.0, None, 5.0],
            "cancelled": [False, True, None, False, False, False],
            "at": pa.array(at, pa.timestamp("us", tz="UTC")),
        }
    )


def test_a_row_counts_only_where_every_rule_is_true_and_a_missing_result_drops_it(tmp_path: Path) -> None:
    pq.write_table(filtered_rows(), tmp_path / "rows.parquet")
    state = fit(filtered_service(), tmp_path / "rows.parquet", {"weather": "abc", "flight": "def"})
    assert state.statistics == {"x.min_max()": {"minimum": 4.0, "range": 1.0}}
    assert state.training == {
        "rows": 6,
        "kept": 2,
        "first": "2013-01-04T00:00:00Z",
        "last": "2013-01-06T00:00:00Z",
        "sources": {"flight": "def", "weather": "abc"},
    }


def test_a_training_set_of_which_nothing_is_kept_is_an_error(tmp_path: Path) -> None:
    pq.write_table(filtered_rows().slice(0, 3), tmp_path / "rows.parquet")
    with pytest.raises(StateError, match="keeps none of 3 rows") as caught:
        fit(filtered_service(), tmp_path / "rows.parquet")
    assert "filter" in caught.value.remedy


def test_a_training_set_without_a_column_is_an_error_that_names_it(tmp_path: Path) -> None:
    pq.write_table(filtered_rows().drop_columns(["x", "cancelled"]), tmp_path / "rows.parquet")
    with pytest.raises(StateError, match="lacks the columns cancelled, x"):
        fit(filtered_service(), tmp_path / "rows.parquet")


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    service = make_service({"x": FLOAT64}, scaled=lambda x: x.min_max())
    (tmp_path / "rows.parquet").write_text("not Parquet")
    for path in (tmp_path / "rows.parquet", tmp_path / "nowhere.parquet"):
        with pytest.raises(StateError, match="cannot be read") as caught:
            fit(service, path)
        assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "feature",
    [
        lambda x: x.standardize(),
        lambda x: x.min_max(),
        lambda x: x.impute("mean"),
        lambda x: x.impute("median"),
        lambda x: x.quantile_bucket(3),
        lambda s: s.vocabulary(),
        lambda x: x.max_abs(),
        lambda x: x.robust_scale(),
        lambda x: x.winsorize(),
        lambda x: x.equal_width_bucket(3),
        lambda x: x.quantile_transform(),
        lambda x: x.yeo_johnson(),
        lambda x: x.impute("mode"),
        lambda s: s.impute("mode"),
        lambda s: s.ordinal(),
        lambda s: s.frequency_encode(),
        lambda s: s.one_hot_encode(3),
        lambda s: s.tf_idf(("a",)),
        lambda s: s.target_encode("x"),
        lambda x, s: x.standardize(by=s),
    ],
)
def test_a_column_without_any_value_is_an_error_that_names_the_feature(feature: Any, tmp_path: Path) -> None:
    service = make_service({"x": FLOAT64, "s": STRING}, hopeless=feature)
    path = write_rows(tmp_path / "rows.parquet", service, [{"x": None, "s": None}, {"x": float("nan"), "s": None}])
    with pytest.raises(StateError, match="no value") as caught:
        fit(service, path)
    assert caught.value.message.startswith(f"feature hopeless ({__file__}:")
    assert caught.value.remedy is not None


def test_values_too_far_apart_are_an_error(tmp_path: Path) -> None:
    service = make_service({"x": FLOAT64}, scaled=lambda x: x.min_max())
    path = write_rows(tmp_path / "rows.parquet", service, [{"x": -1.7e308}, {"x": 1.7e308}])
    with pytest.raises(StateError, match="too far apart"):
        fit(service, path)


def test_a_path_is_only_a_path(tmp_path: Path) -> None:
    service = make_service({"x": FLOAT64}, scaled=lambda x: x.min_max())
    folder = tmp_path / 'it\'s a "folder" [1-3] *?'
    folder.mkdir()
    path = write_rows(folder / "rows.parquet", service, [{"x": 1.0}])
    assert fit(service, path).training["rows"] == 1


def test_a_column_of_another_type_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    service = make_service({"x": FLOAT64}, scaled=lambda x: x.min_max())
    pq.write_table(pa.table({"x": ["one", "two"]}), tmp_path / "rows.parquet")
    with pytest.raises(StateError, match="cannot be read") as caught:
        fit(service, tmp_path / "rows.parquet")
    assert str(tmp_path / "rows.parquet") in caught.value.message
