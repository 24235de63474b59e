"""The worked cases of other systems: what their tests expect, from the file of vectors."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from skewcheck.compare.chronon import Metrics, Series, compare_like_chronon
from skewcheck.compare.distances import (
    Histogram,
    divergence,
    histogram_divergence,
    largest_difference,
    normalised_difference,
)
from skewcheck.compare.sequences import count_edits
from skewcheck.compare.tables import open_table
from skewcheck.compare.tfdv import Options, SkewPair, SkewResult, compare_like_tfdv
from skewcheck.engines.session import open_session
from skewcheck.errors import UsageError
from tests.compare.comparing import column, compare, states

VECTORS = json.loads((Path(__file__).parent / "vectors" / "skew_conformance.json").read_text(encoding="utf-8"))
ROW_CASES = {case["name"]: case for case in VECTORS["tfdv_feature_skew"]}
DISTANCES = VECTORS["tfdv_distribution"]
CHRONON = VECTORS["chronon_compare"]
EDITS = VECTORS["chronon_edit_distance"]

Example = Mapping[str, Sequence[Any]]


def test_no_vector_is_left_out() -> None:
    assert (len(ROW_CASES), len(DISTANCES), len(CHRONON["per_bucket"]), len(EDITS)) == (20, 23, 4, 11)
    known = {"expect_feature_skew", "expect_error", "expect_confusion", "expect_match_stats"}
    assert all(known & {*case} for case in ROW_CASES.values())


def tabulate(case: Mapping[str, Any], side: str) -> pa.Table:
    """Examples as a table of lists; a feature that an example lacks is null, one that all lack is no column."""
    examples: Sequence[Example] = case[side]
    names = dict.fromkeys(name for example in examples for name in example)
    if not examples:
        names = dict.fromkeys(case["identifiers"])
    types = {int: pa.int64(), float: pa.float64(), str: pa.string()}
    every = [*case["baseline"], *case["test"]]
    kinds = {name: next((type(value) for row in every for value in row.get(name, ())), int) for name in names}
    return pa.table(
        {name: pa.array([row.get(name) for row in examples], pa.list_(types[kinds[name]])) for name in names}
    )


def run_row_case(case: Mapping[str, Any], **options: Any) -> SkewResult:
    base, test = tabulate(case, "baseline"), tabulate(case, "test")
    with open_session() as connection:
        tables = [open_table(connection, rows, label, Path()) for rows, label in ((base, "a"), (test, "b"))]
        chosen = Options(
            ignored=case["ignore"],
            digits=case["float_round_ndigits"],
            allow_repeated=case["allow_duplicate_identifiers"],
            confusion=case.get("confusion_columns", ("val",) if case["name"].startswith("confusion_error") else ()),
            **options,
        )
        return compare_like_tfdv(connection, *tables, case["identifiers"], chosen)


@pytest.mark.parametrize("name", [name for name, case in ROW_CASES.items() if "expect_error" not in case])
def test_rows_are_counted_as_tfdv_counts_them(name: str) -> None:
    case = ROW_CASES[name]
    result = run_row_case(case)
    if "expect_feature_skew" in case:
        found = {feature: asdict(counts) for feature, counts in result.feature_skew.items()}
        assert found == case["expect_feature_skew"]
    if "expect_skewed_pairs" in case:
        assert result.skewed_pairs == case["expect_skewed_pairs"]
    if "expect_match_stats" in case:
        assert asdict(result.match_stats) == case["expect_match_stats"]
    if "expect_confusion" in case:
        found = [asdict(count) for count in result.confusion]
        key = json.dumps
        assert sorted(found, key=key) == sorted(case["expect_confusion"], key=key)


@pytest.mark.parametrize("name", [name for name, case in ROW_CASES.items() if "expect_error" in case])
def test_what_tfdv_refuses_is_refused(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        run_row_case(ROW_CASES[name])
    if name.startswith("confusion"):
        assert ROW_CASES[name]["expect_error"] in str(refused.value)
    else:
        assert "no column is named" in str(refused.value)


def test_as_many_pairs_are_sampled_as_asked() -> None:
    result = run_row_case(ROW_CASES["obtain_skew_sample"], samples=1)
    assert result.skew_pairs == (SkewPair(("no_skew",), ("skewed",), ("base_only",), ("test_only",)),)
    assert len(run_row_case(ROW_CASES["obtain_skew_sample"], samples=9).skew_pairs) == 2


def test_repeated_and_missing_ids_are_counted() -> None:
    assert run_row_case(ROW_CASES["duplicate_ids_not_allowed"]).match_stats.duplicate_id_count == 1
    stats = run_row_case(ROW_CASES["telemetry_missing_identifier"]).match_stats
    assert (stats.base_missing_id_count, stats.test_missing_id_count) == (0, 1)


def test_an_empty_list_against_none_is_a_difference_that_our_own_counts_show() -> None:
    empty = pa.table({"id": [1], "val": pa.array([[]], pa.list_(pa.int64()))})
    absent = pa.table({"id": [1], "val": pa.array([None], pa.list_(pa.int64()))})
    found = column(compare(empty, absent), "val")
    assert found.mismatched == 1
    assert states(found) == {("empty", "null"): 1}


MEASURES = {"linf": largest_difference, "nad": normalised_difference, "jsd_cat": divergence}


@pytest.mark.parametrize("case", DISTANCES, ids=lambda case: f"{case['metric']} {case['name']}")
def test_distances_are_those_of_tfdv(case: Mapping[str, Any]) -> None:
    sides: list[Any] = [case["a"], case["b"]]
    measure: Any = MEASURES.get(case["metric"])
    if case["metric"] == "jsd_hist":
        measure = histogram_divergence
        sides = [Histogram([tuple(bucket) for bucket in side["buckets"]], side["num_nan"]) for side in sides]
    if case.get("expect_error"):
        with pytest.raises(ValueError, match="both sides"):
            measure(*sides)
    else:
        assert measure(*sides) == pytest.approx(case["expect"], abs=case["abs_tol"])


def chronon_tables(renamed: Mapping[str, str] | None = None) -> tuple[pa.Table, pa.Table]:
    def build(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> pa.Table:
        columns = dict(zip(names, zip(*rows, strict=True), strict=True))
        times = pa.array(columns["ts"]).cast(pa.timestamp("us"))
        ds = [CHRONON["ds"]] * len(rows)
        return pa.table({name: pa.array(cells) for name, cells in columns.items()} | {"ts": times, "ds": ds})

    names = CHRONON["columns"]
    right = [(renamed or {}).get(name, name) for name in names]
    return build(CHRONON["left"], names), build(CHRONON["right"], right)


def run_chronon(left: pa.Table, right: pa.Table, on: Sequence[str], renamed: Mapping[str, str] | None = None) -> Series:
    with open_session() as connection:
        tables = [open_table(connection, rows, label, Path()) for rows, label in ((left, "a"), (right, "b"))]
        return compare_like_chronon(connection, *tables, on, renamed or {})


@pytest.mark.parametrize("renamed", [{}, CHRONON["mapping_variant"]])
def test_hours_are_measured_as_chronon_measures_them(renamed: dict[str, str]) -> None:
    series = run_chronon(*chronon_tables(renamed), CHRONON["keys"], renamed)
    assert len(series.hours) == len(CHRONON["per_bucket"])
    assert series.exit_code == 1
    for hour, expected in zip(series.hours, CHRONON["per_bucket"], strict=True):
        assert hour.start == expected["ts"].replace(" ", "T") + "Z"
        for name in ("serial", "value", "rating"):
            assert asdict(hour.columns[name]) == pytest.approx(expected[name])


def test_the_same_mismatches_are_found_without_the_mode() -> None:
    left, right = chronon_tables()
    findings = compare(left, right, *CHRONON["keys"], at="ts")
    for name in ("serial", "value", "rating"):
        buckets = {bucket.start: bucket.mismatched for bucket in column(findings, name).buckets}
        assert buckets == {
            expected["ts"].replace(" ", "T") + "Z": expected[name]["mismatch"] for expected in CHRONON["per_bucket"]
        }


def test_a_null_on_one_side_is_hidden_in_chronons_smape_and_not_in_ours() -> None:
    times = pa.array([0, 1], pa.timestamp("s"))
    left = pa.table({"ts": times, "x": [1.0, 1.0]})
    right = pa.table({"ts": times, "x": [3.0, None]})
    assert run_chronon(left, right, ["ts"]).hours[0].columns["x"] == Metrics(0, 0, 1, 1, 2, 0.5)
    assert column(compare(left, right, "ts")).smape == 1.5


def reject_chronon(case: str) -> tuple[pa.Table, pa.Table, list[str], dict[str, str]]:
    """The configuration that a line of `must_reject` speaks of."""
    left, right = chronon_tables()
    keys, renamed = list(CHRONON["keys"]), dict(CHRONON["mapping_variant"])
    other = chronon_tables(renamed)[1]
    text = right.set_column(2, "rating", right["rating"].cast(pa.string()))
    configurations: dict[str, tuple[pa.Table, pa.Table, list[str], dict[str, str]]] = {
        "key column absent on a side": (left, right.drop_columns(["keyId"]), keys, {}),
        "no time column among keys (keys=[keyId])": (left, right, ["keyId"], {}),
        'same-named column with different dtype (5.0 vs "5.0")': (left, text, keys, {}),
        "unequal column count": (left, right.drop_columns(["value"]), keys, {}),
        "mapping key absent on left": (left.drop_columns(["serial"]), other, keys, renamed),
        "mapping value absent on right": (left, other, keys, {**renamed, "serial": "nowhere"}),
        "mapping values not unique": (left, other, keys, {**renamed, "serial": "rev_value"}),
    }
    return configurations[case]


@pytest.mark.parametrize("case", CHRONON["must_reject"])
def test_what_chronon_refuses_is_refused(case: str) -> None:
    left, right, keys, renamed = reject_chronon(case)
    with pytest.raises(UsageError):
        run_chronon(left, right, keys, renamed)


@pytest.mark.parametrize("case", EDITS, ids=lambda case: f"{case['left']} {case['right']}")
def test_edits_are_counted_as_chronon_counts_them(case: Mapping[str, Any]) -> None:
    edits = count_edits(case["left"], case["right"])
    found = {"insert": edits.insert, "delete": edits.delete, "total": edits.total}
    assert found == case["full"]
    assert {name: found[name] for name in case["asserted"]} == case["asserted"]
