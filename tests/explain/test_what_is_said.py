"""A cause is named where the rows prove it, and nothing is where many changes would give the same."""

from __future__ import annotations

import bisect
import math
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import skewcheck as sk
from skewcheck.explain.choosing import share_edits
from skewcheck.explain.edits.base import say_number
from skewcheck.explain.edits.digits import find_last_digits
from skewcheck.language.expressions import render
from tests.explain.searching_rows import column, find_rows, name_edits, search_rows

ROWS = 600
DRAWN = random.Random(5)
TIMES = [datetime(2025, 3, 1, tzinfo=UTC) + timedelta(seconds=400 * n, microseconds=37 * n) for n in range(ROWS)]


def numbers(**columns: Any) -> list[dict[str, Any]]:
    """Rows of drawn values."""
    return [{name: draw(DRAWN) for name, draw in columns.items()} for _ in range(ROWS)]


def test_a_line_through_two_of_few_values_is_no_cause() -> None:
    hour = column("at", "Timestamp").hour().cyclic_sine(24)
    rows = [{"at": at} for at in TIMES]
    assert (
        search_rows(hour, {"at": "Timestamp"}, rows, lambda row, _: math.sin(2 * math.pi * row["at"].hour / 23)) == []
    )


def test_an_edit_that_would_change_as_many_rows_that_match_is_no_cause_of_a_whole_number() -> None:
    rows = numbers(x=lambda draw: draw.randint(0, 400))
    for number, row in enumerate(rows):
        row["odd"] = number
    served = search_rows(
        column("x", "Int64").to_float().bucket([100, 200, 300]),
        {"x": "Int64", "odd": "Int64"},
        rows,
        lambda row, trained: trained + (row["odd"] * 7919 % 5 == 0),
    )
    assert served == []


def test_where_all_that_is_known_is_one_value_the_value_is_said() -> None:
    rows = numbers(job=lambda draw: draw.choice(["nurse", "clerk", "cook", "baker", "driver"]))
    encoded = column("job", "String").lower().one_hot(["nurse", "clerk", "cook"])
    found = search_rows(
        encoded, {"job": "String"}, rows, lambda row, trained: [0.0] * 3 if row["job"] == "nurse" else list(trained)
    )
    assert name_edits(found) == [("constant", {"serving": [0.0, 0.0, 0.0], "instead": True})]
    assert found[0].where is not None
    assert found[0].where.conditions[0].values == ("nurse",)


def test_one_value_for_every_row_of_a_slice_does_not_hide_a_default() -> None:
    rows = numbers(x=lambda draw: draw.choice([None, 1.5, 2.5, 8.0, 9.25]))
    found = search_rows(
        column("x", "Float64"), {"x": "Float64"}, rows, lambda _, trained: 0.0 if trained is None else trained
    )
    assert name_edits(found) == [("default", {"serving": 0.0, "declared": None})]


@pytest.mark.parametrize("serving", [30.0, 28.0])
def test_a_constant_under_a_floor_is_found_from_its_bounds(serving: float) -> None:
    rows = numbers(days=lambda draw: float(draw.randint(0, 3000)))
    found = search_rows(
        (column("days", "Float64") / 30.4375).floor().to_integer(),
        {"days": "Float64"},
        rows,
        lambda row, _: math.floor(row["days"] / serving),
    )
    assert name_edits(found) == [("constant", {"serving": serving, "declared": 30.4375})]


def test_rounding_another_way_is_told_from_adding_one() -> None:
    rows = numbers(x=lambda draw: round(draw.uniform(0, 90), 3))
    x = column("x", "Float64")
    up = search_rows(x.floor().to_integer(), {"x": "Float64"}, rows, lambda row, _: math.ceil(row["x"]))
    assert [(kind, given["mode"]) for kind, given in name_edits(up)] == [("rounding", "ceil")]
    python = search_rows(x.round(2), {"x": "Float64"}, rows, lambda row, _: round(row["x"], 2))
    assert [(kind, given["mode"]) for kind, given in name_edits(python)] == [("rounding", "exact")]


def test_a_limit_inside_a_choice_is_found_at_its_shortest() -> None:
    rows = numbers(km=lambda draw: round(draw.uniform(0, 60), 3), van=lambda draw: draw.random() < 0.4)
    km, van = column("km", "Float64"), column("van", "Bool")
    tier = sk.when(van & (km > 20.0)).then("long van").when(km > 30.0).then("long").otherwise("plain")

    def serve(row: dict[str, Any], trained: str) -> str:
        return "long van" if row["van"] and row["km"] > 12 else trained

    found = search_rows(tier, {"km": "Float64", "van": "Bool"}, rows, serve)
    assert name_edits(found) == [("constant", {"serving": 12.0, "declared": 20.0})]


def test_a_range_without_its_upper_end_is_an_edge() -> None:
    rows = numbers(age=lambda draw: draw.randint(16, 30))
    young = column("age", "Int64").between(18, 25)
    found = search_rows(young, {"age": "Int64"}, rows, lambda row, _: 18 <= row["age"] < 25)
    assert [kind for kind, _ in name_edits(found)] == ["bucket_edge"]
    lower = search_rows(young, {"age": "Int64"}, rows, lambda row, _: 18 <= row["age"] <= 22)
    assert [(kind, given["serving"]) for kind, given in name_edits(lower)] == [("constant", 22.0)]


def test_latitude_and_longitude_may_be_exchanged_in_both_places() -> None:
    names = ("a", "b", "c", "d")
    rows = numbers(a=lambda draw: 48 + draw.random(), b=lambda draw: 2 + draw.random())
    rows = [{**row, "c": 48 + DRAWN.random(), "d": 2 + DRAWN.random()} for row in rows]
    places = [column(name, "Float64") for name in names]
    turned = sk.haversine(*(places[order] for order in (1, 0, 3, 2)))
    kinds = dict.fromkeys(names, "Float64")
    wanted: list[float] = []
    search_rows(turned, kinds, rows, lambda _, trained: wanted.append(trained))
    found = search_rows(sk.haversine(*places), kinds, rows, lambda row, _: wanted[rows.index(row)])
    assert name_edits(found) == [("swapped_column", {"exchanged": ["b", "a", "d", "c"]})]


def test_a_time_kept_in_whole_seconds_is_told() -> None:
    rows = [{"at": at, "since": at - timedelta(seconds=DRAWN.randint(1, 9000))} for at in TIMES]
    apart = (column("at", "Timestamp") - column("since", "Timestamp")).log1p()
    found = search_rows(
        apart,
        {"at": "Timestamp", "since": "Timestamp"},
        rows,
        lambda row, _: math.log1p((row["at"].replace(microsecond=0) - row["since"]).total_seconds()),
    )
    assert name_edits(found) == [("rounding", {"serving": "whole seconds", "declared": "microseconds"})]


def test_statistics_of_each_key_may_be_those_of_all_or_others_for_one() -> None:
    rows = numbers(x=lambda draw: round(draw.gauss(50, 9), 2), key=lambda draw: draw.choice(["a", "b", "c"]))
    scaled = column("x", "Float64").standardize(by=column("key", "String"))
    means, stds = {"a": 48.25, "b": 50.5, "c": 52.75}, {"a": 8.5, "b": 9.25, "c": 9.75}
    values = {"mean": 50.4, "std": 9.1, "mean_by_key": [[*one] for one in means.items()]}
    state = {render(scaled): {**values, "std_by_key": [[*one] for one in stds.items()]}}
    kinds = {"x": "Float64", "key": "String"}
    overall = search_rows(scaled, kinds, rows, lambda row, _: (row["x"] - 50.4) / 9.1, state)
    assert name_edits(overall) == [("statistics", {"serving": "of all rows", "declared": "of each key"})]
    stale = search_rows(
        scaled, kinds, rows, lambda row, trained: (row["x"] - 47.0) / 8.0 if row["key"] == "b" else trained, state
    )
    ((kind, given),) = name_edits(stale)
    assert kind == "statistics"
    assert given["serving"] == {"mean": 47.0, "std": 8.0}


def test_an_edit_that_only_keeps_rows_that_match_is_part_of_the_cause() -> None:
    edges = [18.0, 25.0, 35.0, 50.0, 65.0]
    rows = numbers(age=lambda draw: draw.randint(16, 80))
    found = search_rows(
        column("age", "Int64").to_float().bucket(edges),
        {"age": "Int64"},
        rows,
        lambda row, _: bisect.bisect_left(edges, row["age"]) + 1,
    )
    assert sorted(kind for kind, _ in name_edits(found)) == ["bucket_edge", "constant"]


def test_a_number_that_is_no_whole_one_is_not_shown_as_one() -> None:
    assert say_number(1.000001381258829) == "1.000001381"
    assert say_number(60.0) == "60"
    assert say_number(0.1571234567) == "0.157123"
    assert say_number(float("inf")) == "inf"


def test_what_explains_one_feature_is_tried_on_one_for_which_nothing_was_found() -> None:
    rows = numbers(x=lambda draw: draw.choice([None, round(draw.uniform(0, 9), 2)]), y=lambda draw: draw.random())
    kinds = {"x": "Float64", "y": "Float64"}
    x, y = column("x", "Float64"), column("y", "Float64")
    packed = sk.pack(x.fill(4.5), y)
    one = find_rows(x.fill(4.5), kinds, rows, lambda row, _: 4.37 if row["x"] is None else row["x"])
    other = find_rows(packed, kinds, rows, lambda row, _: [4.37 if row["x"] is None else row["x"], row["y"]])
    assert other.steps == ()
    shared = share_edits([one, other])
    assert [[edit.parameters["serving"] for edit in found.chosen[0].edits] for found in shared] == [[4.37], [4.37]]
    assert shared[1].chosen[0].rows == sum(row["x"] is None for row in rows)


def test_values_next_to_zero_are_last_digits_that_a_relative_tolerance_does_not_forgive() -> None:
    rows = numbers(x=lambda draw: float(draw.choice([0, 12, 6, 6, 6])))
    wave = column("x", "Float64").to_integer().cyclic_sine(24)
    found = find_rows(wave, {"x": "Float64"}, rows, lambda row, _: math.sin(2 * math.pi * row["x"] / 24))
    edit = find_last_digits(found.search.subject)
    assert edit.kind == "environment"
    assert 1e-17 < edit.parameters["farthest"] < 1e-15
    assert "tolerance 1e-9" not in edit.fix


def test_another_logarithm_is_called_by_its_name() -> None:
    rows = numbers(x=lambda draw: draw.uniform(1, 900))
    found = search_rows(column("x", "Float64").log(), {"x": "Float64"}, rows, lambda row, _: math.log10(row["x"]))
    assert [edit.says for edit in found[0].edits] == [
        "Serving has x.log() × 0.434294 where training has x.log() (the decimal logarithm for the natural one)."
    ]


def test_conditions_of_a_choice_may_be_asked_in_another_order() -> None:
    rows = numbers(km=lambda draw: draw.uniform(0, 60), fare=lambda draw: draw.uniform(0, 99))
    km, fare = column("km", "Float64"), column("fare", "Float64")
    tier = sk.when(km > 50.0).then("far").when(km > 30.0).then("long").when(fare > 50.0).then("care").otherwise("plain")
    kinds = {"km": "Float64", "fare": "Float64"}
    found = search_rows(tier, kinds, rows, lambda row, trained: "care" if row["fare"] > 50 else trained)
    assert name_edits(found) == [("operator_order", {"condition": 3, "serving": 1, "declared": 3})]
