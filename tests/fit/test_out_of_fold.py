"""In the training features a label's mean never comes from the row that gets it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import Field
from feast.types import Bool, Float64

import skewcheck as sk
from skewcheck.errors import StateError, UsageError
from skewcheck.fit.fitting import fit
from skewcheck.fit.out_of_fold import write_training_features
from skewcheck.language.types import FLOAT64, STRING
from tests.declaring import request_source


def declare(**features: Any) -> sk.Service:
    training = sk.TrainingSet(
        entities="rows.parquet", labels=[Field(name="late", dtype=Bool), Field(name="delay", dtype=Float64)]
    )
    service = sk.features("trial", sources=[request_source({"s": STRING, "x": FLOAT64})], training=training)
    for name, function in features.items():
        function.__name__ = name
        service.feature(function)
    return service


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def some_rows(count: int, categories: int) -> list[dict[str, Any]]:
    chance = random.Random(4)
    return [
        {
            "s": f"c{chance.randrange(categories)}",
            "x": float(n),
            "late": chance.random() < 0.5,
            "delay": chance.gauss(0, 1),
        }
        for n in range(count)
    ]


def features_of(service: sk.Service, rows: list[dict[str, Any]], folder: Path, **options: Any) -> list[dict[str, Any]]:
    path = write(folder / "rows.parquet", rows)
    write_training_features(service, fit(service, path), path, folder / "out.parquet", **options)
    return pq.read_table(folder / "out.parquet").to_pylist()


ENCODED = {"mean": lambda s: s.target_encode("late", smoothing=0.0)}


def test_a_rows_own_label_does_not_move_its_own_value(tmp_path: Path) -> None:
    rows = some_rows(60, 5)
    before = features_of(declare(**ENCODED), rows, tmp_path)
    for place in (0, 17, 59):
        changed = [{**row, "late": row["late"] ^ (n == place)} for n, row in enumerate(rows)]
        after = features_of(declare(**ENCODED), changed, tmp_path)
        assert after[place]["mean"] == before[place]["mean"]
        assert [row["mean"] for row in after] != [row["mean"] for row in before]


def test_categories_that_occur_once_tell_nothing_of_their_label(tmp_path: Path) -> None:
    rows = [{**row, "s": f"only {n}"} for n, row in enumerate(some_rows(200, 1))]
    found = features_of(declare(**ENCODED), rows, tmp_path)
    assert len({row["mean"] for row in found}) <= 5  # the overall mean of the other folds
    serving = fit(declare(**ENCODED), tmp_path / "rows.parquet").statistics
    (means,) = (statistics["means"] for statistics in serving.values())
    assert {value for _, value in means} == {0.0, 1.0}


def test_a_row_has_the_mean_of_its_category_in_the_other_folds(tmp_path: Path) -> None:
    rows = [{"s": "a", "x": float(n), "late": n % 3 == 0, "delay": float(n)} for n in range(40)]
    service = declare(mean=lambda s: s.target_encode("delay", smoothing=0.0))
    found = features_of(service, rows, tmp_path, folds=2)
    by_mean: dict[float, list[float]] = {}
    for row in found:
        by_mean.setdefault(row["mean"], []).append(row["delay"])
    (mean_1, fold_1), (mean_2, fold_2) = by_mean.items()
    assert mean_1 == pytest.approx(sum(fold_2) / len(fold_2), rel=1e-15)
    assert mean_2 == pytest.approx(sum(fold_1) / len(fold_1), rel=1e-15)


def test_the_fold_depends_on_neither_the_order_of_the_rows_nor_the_labels(tmp_path: Path) -> None:
    rows = some_rows(50, 3)
    found = {row["x"]: row["mean"] for row in features_of(declare(**ENCODED), rows, tmp_path)}
    shuffled = random.Random(9).sample(rows, len(rows))
    again = features_of(declare(**ENCODED), shuffled, tmp_path)
    assert [row["x"] for row in again] == [row["x"] for row in shuffled]
    assert {row["x"]: row["mean"] for row in again} == found


def test_rows_that_differ_in_nothing_but_labels_are_in_one_fold(tmp_path: Path) -> None:
    rows = [{**row, "late": late} for row in some_rows(30, 30) for late in (True, False)]
    found = features_of(declare(**ENCODED), rows, tmp_path)
    assert all(first["mean"] == second["mean"] for first, second in zip(found[::2], found[1::2], strict=True))


def test_other_statistics_are_those_that_serving_has(tmp_path: Path) -> None:
    service = declare(z=lambda x: x.standardize(), plain=lambda x: x * 2, **ENCODED)
    rows = some_rows(30, 3)
    found = features_of(service, rows, tmp_path)
    (statistics,) = (s for s in fit(service, tmp_path / "rows.parquet").statistics.values() if "std" in s)
    assert [row["z"] for row in found] == [(row["x"] - statistics["mean"]) / statistics["std"] for row in rows]
    assert [row["plain"] for row in found] == [row["x"] * 2 for row in rows]
    assert list(found[0]) == ["s", "x", "late", "delay", "z", "plain", "mean"]


def test_rows_that_the_filter_drops_neither_count_nor_stay(tmp_path: Path) -> None:
    service = declare(**ENCODED)

    @service.trained_on
    def small(x):
        return x < 30.0

    rows = some_rows(40, 2)
    found = features_of(service, rows, tmp_path)
    assert found == [pytest.approx(row) for row in features_of(declare(**ENCODED), rows[:30], tmp_path)]


def test_without_a_label_nothing_is_fitted_anew(tmp_path: Path) -> None:
    service = declare(z=lambda x: x.min_max())
    found = features_of(service, some_rows(3, 1), tmp_path)
    assert [row["z"] for row in found] == [0.0, 0.5, 1.0]


def test_one_fold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least 2"):
        features_of(declare(**ENCODED), some_rows(9, 2), tmp_path, folds=1)


def test_a_state_of_another_declaration_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.parquet", some_rows(9, 2))
    state = fit(declare(**ENCODED), path)
    with pytest.raises(StateError):
        write_training_features(declare(z=lambda x: x.min_max()), state, path, tmp_path / "out.parquet")


def test_labels_that_all_lie_in_one_fold_are_an_error(tmp_path: Path) -> None:
    rows = [{**row, "late": row["late"] if n == 0 else None} for n, row in enumerate(some_rows(9, 2))]
    with pytest.raises(StateError, match=r"feature mean .*no row with both a value and a label"):
        features_of(declare(**ENCODED), rows, tmp_path)
