"""Two tables compared: what is the same, what differs, and what could not be compared."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.compare.pairing import Tolerance
from skewcheck.errors import UsageError
from tests.adversarial import FLOATS, STRINGS, texts
from tests.compare.comparing import are_equal, column, compare, is_missing, join_by_hand, smape_of, states, table

NAN, INFINITY = float("nan"), float("inf")

CELLS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "real": (pa.float64(), st.none() | st.sampled_from([*FLOATS, 0.0, 1.0, NAN]) | st.floats()),
    "whole": (pa.int64(), st.none() | st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1)),
    "text": (pa.string(), st.none() | st.sampled_from(["", "a", "A", "abc", *[s for s in STRINGS if s]]) | texts),
    "truth": (pa.bool_(), st.none() | st.booleans()),
    "list": (pa.list_(pa.float64()), st.none() | st.lists(st.sampled_from([0.0, 1.0, NAN]), max_size=2)),
}


@st.composite
def rows(draw: st.DrawFn, ids: st.SearchStrategy[Any]) -> list[dict[str, Any]]:
    """Rows of every type of column, with the ids of a strategy."""
    return [
        {"id": id_, **{name: draw(cells) for name, (_, cells) in CELLS.items()}}
        for id_ in draw(st.lists(ids, min_size=1, max_size=8))
    ]


def tabulate(found: list[dict[str, Any]]) -> pa.Table:
    types = {"id": pa.int64(), **{name: type_ for name, (type_, _) in CELLS.items()}}
    return pa.table({name: pa.array([row[name] for row in found], type_) for name, type_ in types.items()})


@given(rows(st.integers(0, 99)))
@settings(max_examples=12)
def test_a_table_matches_itself(found: list[dict[str, Any]]) -> None:
    once = list({row["id"]: row for row in found}.values())
    findings = compare(tabulate(once), tabulate(once[::-1]))
    assert findings.verdict == "pass"
    assert findings.join.compared == len(once)
    assert all(column.verdict == "match" and not column.mismatched for column in findings.columns)
    assert findings.problems == ()


@given(rows(st.none() | st.integers(0, 9)), rows(st.none() | st.integers(0, 9)))
@settings(max_examples=40)
def test_every_count_is_that_of_a_plain_reading(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> None:
    findings = compare(tabulate(a), tabulate(b))
    pairs = join_by_hand(a, b)
    assert findings.join.compared == len(pairs)
    ids_a, ids_b = ([row["id"] for row in side if row["id"] is not None] for side in (a, b))
    assert findings.a.missing_ids == len(a) - len(ids_a)
    assert findings.a.unmatched_ids == len(set(ids_a) - set(ids_b))
    assert findings.b.unmatched_rows == len([id_ for id_ in ids_b if id_ not in ids_a])
    assert findings.join.ids == len({*ids_a, *ids_b})
    assert findings.join.shared_ids == len({*ids_a} & {*ids_b})
    assert findings.join.pairs == sum(ids_a.count(id_) * ids_b.count(id_) for id_ in {*ids_a})
    assert findings.join.duplicated_ids == len({i for i in {*ids_a, *ids_b} if max(ids_a.count(i), ids_b.count(i)) > 1})
    for name in CELLS:
        if name == "list":
            continue
        cells = [(one[name], other[name]) for one, other in pairs]
        found = column(findings, name)
        assert found.mismatched == sum(not are_equal(*pair) for pair in cells)
        assert found.a_missing == sum(is_missing(one) and not is_missing(other) for one, other in cells)
        assert found.b_missing == sum(is_missing(other) and not is_missing(one) for one, other in cells)
        if found.states:
            assert sum(states(found).values()) == len(pairs)
            assert states(found).get(("null", "null"), 0) == cells.count((None, None))
        if name == "real" and found.mismatched:
            assert found.smape == pytest.approx(smape_of(cells))


@given(rows(st.integers(0, 5)), rows(st.integers(0, 5)))
@settings(max_examples=15)
def test_swapping_the_tables_swaps_the_counts(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> None:
    one, other = compare(tabulate(a), tabulate(b)), compare(tabulate(b), tabulate(a))
    assert one.verdict == other.verdict
    assert (one.a.unmatched_rows, one.b.unmatched_rows) == (other.b.unmatched_rows, other.a.unmatched_rows)
    for left, right in zip(one.columns, other.columns, strict=True):
        assert (left.mismatched, left.a_missing, left.b_missing) == (right.mismatched, right.b_missing, right.a_missing)
        assert left.smape == right.smape
        assert left.max_absolute_difference == pytest.approx(right.max_absolute_difference, nan_ok=True)
        assert states(left) == {(b, a): rows for (a, b), rows in states(right).items()}


@given(st.sets(st.integers(0, 199), max_size=50), st.integers(0, 2**32))
@settings(max_examples=10)
def test_planted_differences_are_counted_exactly(planted: set[int], seed: int) -> None:
    values = [float((seed * (row + 1)) % 1009) for row in range(200)]
    other = [value + 1 if row in planted else value for row, value in enumerate(values)]
    findings = compare(table(x=values, y=values), table(x=other, y=values))
    assert column(findings).mismatched == len(planted)
    assert column(findings, "y").verdict == "match"
    assert findings.exit_code == (1 if planted else 0)
    assert {sample.id["id"] for sample in column(findings).samples} <= planted


@given(st.lists(st.tuples(st.floats(), st.floats()), min_size=1, max_size=10), st.sampled_from([1e-9, 1e-3, 0.5]))
@settings(max_examples=20)
def test_a_tolerance_forgives_what_is_within_it(pairs: list[tuple[float, float]], size: float) -> None:
    a, b = (table(x=list(side)) for side in zip(*pairs, strict=True))
    for kind in ("relative", "absolute"):
        found = column(compare(a, b, tolerance=Tolerance(**{kind: size})))
        assert found.mismatched == sum(not are_equal(*pair, **{kind: size}) for pair in pairs)


def test_either_tolerance_is_enough() -> None:
    a, b = table(x=[1.00, 2.00, 3.00, 100.0, 0.1]), table(x=[1.005, 2.02, 2.99, 104.0, 0.099])
    assert column(compare(a, b, tolerance=Tolerance(absolute=0.0100001))).mismatched == 2
    assert column(compare(a, b, tolerance=Tolerance(relative=0.05))).mismatched == 0


def test_a_tolerance_in_last_places_counts_neighbouring_floats() -> None:
    one = math.nextafter(math.nextafter(1e10, INFINITY), INFINITY)
    a, b = table(x=[1e10, 0.1, 0.3]), table(x=[one, 0.1, 0.1 + 0.2])
    assert column(compare(a, b)).mismatched == 2
    assert column(compare(a, b)).max_ulp == 2.0
    assert column(compare(a, b, tolerance=Tolerance(ulp=1))).mismatched == 1
    assert column(compare(a, b, tolerance=Tolerance(ulp=2))).mismatched == 0


def test_a_tolerance_for_all_columns_is_not_for_identifiers() -> None:
    a, b = table(x=[1_000_000, 5]), table(x=[1_000_001, 5])
    assert column(compare(a, b, tolerance=Tolerance(relative=1e-3))).mismatched == 1
    assert column(compare(a, b, tolerances={"x": Tolerance(absolute=1)})).mismatched == 0


def test_a_tolerance_holds_for_each_element_of_a_list() -> None:
    a, b = table(x=[[1.0, 2.0], [1.0], [1.0]]), table(x=[[1.0, 2.0 + 1e-12], [1.1], [1.0, 1.0]])
    assert column(compare(a, b, tolerance=Tolerance(relative=1e-9))).mismatched == 2


def test_null_nan_empty_and_an_absent_row_are_told_apart() -> None:
    a = table(id=[1, 2, 3, 4, 5], x=[None, NAN, None, 1.0, 1.0], t=["", None, "", "a", "a"])
    b = table(id=[1, 2, 3, 4, 6], x=[NAN, NAN, 0.0, None, 1.0], t=[None, None, "", "a", "a"])
    findings = compare(a, b)
    x, t = column(findings), column(findings, "t")
    assert states(x) == {("null", "nan"): 1, ("nan", "nan"): 1, ("null", "value"): 1, ("value", "null"): 1}
    assert (x.mismatched, x.a_missing, x.b_missing) == (2, 1, 1)
    assert states(t)["empty", "null"] == 1
    assert t.mismatched == 1
    assert (findings.a.unmatched_rows, findings.b.unmatched_rows) == (1, 1)
    assert findings.join.compared == 4


def test_nan_against_null_is_a_mismatch_only_when_asked() -> None:
    a, b = table(x=[None, 1.0]), table(x=[NAN, 1.0])
    assert compare(a, b).verdict == "pass"
    assert states(column(compare(a, b)))["null", "nan"] == 1
    assert compare(a, b, nan_differs=True).verdict == "fail"


def test_text_is_never_taken_for_a_missing_number() -> None:
    a, b = table(x=["abc", "foo", "5.0"]), table(x=[None, 1.0, 5.0])
    found = column(compare(a, b))
    assert found.verdict == "type"
    assert found.mismatched == 3
    assert found.b_missing == 1
    assert "varchar in A, double in B" in str(found.note)


def test_an_infinity_matches_itself_alone() -> None:
    a, b = table(x=[INFINITY, -INFINITY, INFINITY, INFINITY]), table(x=[INFINITY, -INFINITY, -INFINITY, 1.0])
    assert column(compare(a, b)).mismatched == 2
    assert column(compare(a, b, tolerance=Tolerance(relative=0.5))).mismatched == 2


def test_truth_values_are_compared() -> None:
    found = column(compare(table(x=[True, False, None]), table(x=[True, True, False])))
    assert (found.mismatched, found.a_missing) == (2, 1)


def test_numbers_of_different_types_are_compared_as_numbers() -> None:
    whole = table(x=pa.array([1, 2, 2**53 + 1, 5]))
    real = table(x=pa.array([1.0, 2.5, float(2**53), 5.0]))
    found = column(compare(whole, real))
    assert found.verdict == "skew"
    assert found.mismatched == 2, "2**53 + 1 is not the float beside it"
    assert found.note == "bigint in A, double in B; compared as floats"


def test_a_column_without_a_value_is_of_any_type() -> None:
    found = column(compare(table(x=pa.nulls(2)), table(x=[None, "q"])))
    assert (found.verdict, found.mismatched, found.a_missing) == ("skew", 1, 1)


def test_times_are_compared_whatever_their_unit_and_zone() -> None:
    micros = [1_600_000_000_000_000, 1_600_000_000_000_001, None]
    a = table(x=pa.array(micros, pa.timestamp("us", tz="Europe/Berlin")))
    nanos = [micros[0] * 1000, micros[1] * 1000 + 5, None]
    same = table(x=pa.array(nanos, pa.timestamp("ns")))
    found = column(compare(a, same))
    assert (found.verdict, found.mismatched) == ("skew", 1)
    hours = table(x=pa.array([micros[0] + 3_600_000_000, micros[1], None], pa.timestamp("us", tz="UTC")))
    assert column(compare(a, hours)).max_absolute_difference == 3600.0


def test_maps_are_compared_whatever_the_order_of_their_keys() -> None:
    type_ = pa.map_(pa.string(), pa.int64())
    a = table(x=pa.array([[("a", 1), ("b", 2)], [], [("a", 1)]], type_))
    b = table(x=pa.array([[("b", 2), ("a", 1)], None, [("a", 2)]], type_))
    found = column(compare(a, b))
    assert found.mismatched == 2
    assert states(found)["empty", "null"] == 1


def test_lists_say_how_many_elements_were_inserted_and_deleted() -> None:
    found = column(compare(table(x=[[1, 2, 3, 4], [7]]), table(x=[[5, 6, 2], [7]])))
    assert found.edits == {"rows": 1, "insert": 3.0, "delete": 2.0}


def test_ids_of_other_types_are_joined_by_what_they_say() -> None:
    a = table(id=[1, 2, 3], x=[1.0, 2.0, 3.0])
    for ids in (["1", "2", "3"], [1.0, 2.0, 3.0]):
        findings = compare(a, table(id=ids, x=[1.0, 2.0, 3.0]))
        assert findings.verdict == "pass"
        assert findings.join.compared == 3
        assert [problem.severity for problem in findings.problems] == ["warning"]


def test_a_missing_part_of_an_id_leaves_the_row_out() -> None:
    a = table(id=[1, 1, None], day=["m", None, "m"], x=[1.0, 2.0, 3.0])
    findings = compare(a, a, "id", "day")
    assert (findings.a.missing_ids, findings.join.compared, findings.exit_code) == (2, 1, 3)
    assert compare(a, a, "id", "day", rows="shared").exit_code == 0


def test_a_float_id_that_is_nan_is_missing() -> None:
    a = table(id=[1.0, NAN], x=[1.0, 2.0])
    assert compare(a, a).a.missing_ids == 1


def test_repeated_ids_are_left_out_or_compared_in_every_pair() -> None:
    a, b = table(id=[1, 1, 2], x=[100, 50, 7]), table(id=[1, 2], x=[100, 7])
    left_out = compare(a, b)
    assert (left_out.join.compared, left_out.join.duplicated_ids, left_out.exit_code) == (1, 1, 3)
    every = compare(a, b, duplicates="pairs")
    assert (every.join.compared, column(every).mismatched, every.exit_code) == (3, 1, 1)


def test_an_absent_row_fails_unless_only_shared_rows_are_asked_for() -> None:
    a, b = table(id=[1, 2, 3], x=[1, 2, 3]), table(id=[2, 3, 4], x=[2, 3, 4])
    assert compare(a, b).exit_code == 1
    assert compare(a, b, rows="shared").exit_code == 0


@pytest.mark.parametrize(
    ("a", "b", "where"),
    [
        (table(id=[1], x=[1]), table(id=[2], x=[1]), "--on id"),
        (table(id=[1], x=[1]), table(id=[1], y=[1]), "columns"),
        (table(id=[1, 1], x=[1, 1]), table(id=[1], x=[1]), "--on id"),
        (table(id=pa.array([], pa.int64()), x=pa.array([], pa.int64())), table(id=[1], x=[1]), "--on id"),
    ],
)
def test_nothing_compared_is_never_clean(a: pa.Table, b: pa.Table, where: str) -> None:
    findings = compare(a, b)
    assert findings.exit_code == 3
    assert where in {problem.where for problem in findings.problems if problem.severity == "error"}


def test_columns_can_be_chosen_left_out_and_renamed() -> None:
    a, b = table(x=[1, 2], y=[1, 2], old=[3, 4]), table(x=[1, 2], y=[1, 3], new=[3, 4], z=[0, 0])
    assert compare(a, b, columns=["x"]).exit_code == 0
    assert compare(a, b, ignored=["y"]).exit_code == 0
    assert [found.name for found in compare(a, b, renamed={"old": "new"}).columns] == ["x", "y", "old"]
    assert (compare(a, b).a.only, compare(a, b).b.only) == (("old",), ("new", "z"))
    assert compare(a, b, columns=["x", "old"]).exit_code == 3, "a column that was asked for was not compared"


@pytest.mark.parametrize(
    "options",
    [
        {"columns": ["nowhere"]},
        {"ignored": ["nowhere"]},
        {"at": "nowhere"},
        {"at": "x"},
        {"by": ["nowhere"]},
        {"renamed": {"x": "nowhere"}},
        {"renamed": {"x": "y"}},
        {"tolerances": {"nowhere": Tolerance(ulp=1)}},
    ],
)
def test_a_name_that_no_table_has_is_refused(options: dict[str, Any]) -> None:
    a = table(x=[1, 2], y=[1, 2])
    with pytest.raises(UsageError):
        compare(a, a, **options)


def test_an_id_is_required_and_must_be_in_both_tables() -> None:
    from skewcheck.compare.comparing import compare_tables

    a, b = table(id=[1], x=[1]), table(key=[1], id=[1])
    with pytest.raises(UsageError, match="--on"):
        compare_tables(a, a, [])
    with pytest.raises(UsageError, match="key"):
        compare(a, b, "key")


def test_names_of_columns_are_only_names() -> None:
    names = ['a "b"', "a.b", "b.x", "select", "x; drop table y", "ä€", "id.id", "at", "a"]
    a = pa.table({"id": [1, 2], **{name: [1, 2] for name in names}})
    b = pa.table({"id": [1, 2], **{name: [1, 3] for name in names}})
    findings = compare(a, b, by=["a.b", "at"])
    assert [found.name for found in findings.columns] == names
    assert all(found.mismatched == 1 for found in findings.columns)


def test_samples_are_the_same_on_every_run_and_the_earliest_first() -> None:
    count = 5000
    at = pa.array([(row * 7919) % count * 1_000_000 for row in range(count)], pa.timestamp("us", tz="UTC"))
    a, b = table(x=[0.0] * count, at=at), table(x=[1.0] * count, at=at).slice(0)
    first = column(compare(a, b, at="at", samples=3))
    assert [sample.at for sample in first.samples] == [f"1970-01-01T00:00:0{second}Z" for second in range(3)]
    shuffled = b.take([(row * 17) % count for row in range(count)])
    assert column(compare(a, shuffled, samples=7)).samples == column(compare(a, b, samples=7)).samples


def test_no_value_leaves_when_no_sample_is_asked_for() -> None:
    found = column(compare(table(x=["secret"]), table(x=["other"]), samples=0))
    assert (found.samples, found.confusions) == ((), ())
