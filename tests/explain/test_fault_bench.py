"""The fault bench beyond single features: what it counts, and small parts of its other logs."""

from __future__ import annotations

import itertools

import pyarrow as pa
import pytest

from benchmarks.faults.catalogue import SHARED, SINGLES, VERSIONS
from benchmarks.faults.clean import serve_clean
from benchmarks.faults.flights_catalogue import FLIGHT_FAULTS
from benchmarks.faults.leaking import LEAKS
from benchmarks.faults.peers import ask_peers
from benchmarks.faults.retrieval import PAIRS, RETRIEVAL, PlantedRetrieval, RetrievalOutcome, run_retrieval
from benchmarks.faults.retrieval_store import RetrievalFault, answer_right, serve_feed
from benchmarks.faults.retrieval_world import HOUR, SECOND, Answer, Reading, Requests, make_readings, make_requests
from benchmarks.faults.running import Planted, run, run_shared
from benchmarks.faults.tables import TABLE_FAULTS, THREE, Rolling, compare_windows, make_purchases, roll
from benchmarks.faults.tally import Judged, find_failed, find_worst, keep_counted, say_error
from benchmarks.faults.windowed import WINDOW_FAULTS
from benchmarks.faults.world import compute_features, make_rides
from skewcheck.causes import KINDS, UNEXPLAINED
from skewcheck.generate.manifest import read_manifest
from tests.documents import ROOT


def judged(*named: str, kinds: tuple[tuple[str, ...], ...] = (("unit",),), touched: float = 1.0) -> Judged:
    return Judged("rides", kinds, "a fault", touched, detected=True, named=named)


def test_every_kind_of_cause_is_planted() -> None:
    planted = {fault.kind for fault in (*SINGLES, *VERSIONS, *RETRIEVAL, *WINDOW_FAULTS, *FLIGHT_FAULTS)}
    planted |= {kind for fault in TABLE_FAULTS for kind in fault.kinds} | {"sampling"}
    planted |= {"leakage"} if LEAKS else set()
    assert planted == set(KINDS) - {UNEXPLAINED}


def test_nearly_every_feature_of_the_flights_has_a_fault() -> None:
    features = {feature.name for feature in read_manifest(ROOT / "codegen/departure_delay/manifest.json").features}
    assert features - {fault.feature for fault in FLIGHT_FAULTS} == {"departure_hour_cosine"}


def test_a_kind_counts_where_it_is_named_first_and_of_a_pair_both() -> None:
    assert judged("unit", "default").first
    assert not judged("default", "unit").first
    assert judged("default", "unit").within(3)
    assert not judged("a", "b", "c", "unit").within(3)
    assert judged("default", "unit", kinds=(("unit",), ("default",))).first
    assert not judged("window", kinds=(("window",), ("window",))).first
    assert judged("cast", kinds=(("rounding", "cast"),)).first
    assert not judged().first


def test_floors_fail_below_them_only() -> None:
    good, bad = judged("unit"), judged("default")
    assert find_failed("here", [good] * 19 + [bad]) == []
    assert find_failed("here", [good] * 18 + [bad] * 2) == ["here: kind first"]
    unseen = Judged("rides", (("unit",),), "a fault", 1.0, detected=False, named=("unit",))
    assert find_failed("here", [good] * 20 + [unseen]) == ["here: 1 not detected"]
    assert keep_counted([judged(touched=0.0009), good]) == [good]


def test_errors_are_those_of_faults_that_were_named() -> None:
    faults = [
        Judged("rides", (("unit",),), "one", 1.0, True, named, error)
        for named, error in ((("unit",), 1e-9), (("unit",), 1e-12), (("default",), 5.0), (("unit",), None))
    ]
    assert find_worst(faults) == 1e-9
    assert find_worst(faults[2:]) is None
    assert [say_error("stale", 0.5), say_error("residual", 0.01), say_error("unit", 1e-9)] == [
        "0.50 steps",
        "1.0 points",
        "1.0e-09",
    ]


def test_the_clean_service_has_the_bits_of_training() -> None:
    rides = make_rides(3000, seed=21)
    trained = compute_features(rides)
    for name, served in serve_clean(rides).items():
        assert served.to_pylist() == trained[name].to_pylist(), name


def test_what_was_known_by_hand() -> None:
    rows = [Reading(1, 0, 10, 1.0), Reading(1, 5, 50, 2.0), Reading(1, 20, 20, 3.0)]
    asked = Requests([1] * 5 + [2], [2] * 6, [9, 10, 19, 20, 25 * HOUR, 30], [0] * 6)
    first, third, none = Answer(1.0, 0), Answer(3.0, 20), Answer(None, None)
    assert answer_right(rows, asked) == [none, first, first, third, none, none]


def test_a_store_that_is_behind_answers_what_was_known_before() -> None:
    rows, asked = make_readings(3), make_requests(200, 3)
    delay = RetrievalFault("delay", "stale", 7200.0)
    before = Requests(asked.users, asked.friends, [when - 7200 * SECOND for when in asked.times], asked.pods)
    assert serve_feed(rows, asked, (delay,)).served == answer_right(rows, before)
    assert serve_feed(rows, asked, ()).touched == 0
    some = serve_feed(rows, asked, (delay,), pods=50)
    assert {pod < 50 for pod, one, other in zip(asked.pods, some.served, some.right, strict=True) if one != other} == {
        True
    }


CHOSEN = ("delay", "silent", "dated_ahead", "tie", "lost", "filled", "friend")


@pytest.fixture(scope="module")
def retrieved() -> dict[str, RetrievalOutcome]:
    faults = [next(fault for fault in RETRIEVAL if fault.name == name and fault.size != 1800.0) for name in CHOSEN]
    outcomes = run_retrieval([PlantedRetrieval((fault,)) for fault in faults], 600, seed=31)
    return {one.planted.faults[0].name: one for one in outcomes}


@pytest.mark.parametrize("name", CHOSEN)
def test_a_fault_of_retrieval_is_counted_and_named_first(retrieved: dict[str, RetrievalOutcome], name: str) -> None:
    assert retrieved[name].detected
    assert retrieved[name].right, retrieved[name].named


def test_delay_and_residuals_are_measured(retrieved: dict[str, RetrievalOutcome]) -> None:
    assert retrieved["delay"].error == 0.0
    assert retrieved["silent"].error == pytest.approx(0.0, abs=1e-3)


def test_two_faults_of_one_view_are_both_named() -> None:
    (outcome,) = run_retrieval([PlantedRetrieval(PAIRS[0])], 600, seed=32)
    assert outcome.right, outcome.named


def test_one_fault_of_several_features_is_one_finding() -> None:
    right, said = run_shared(SHARED[:2], 2000, seed=33)
    assert right, said


def test_another_version_is_told_by_the_log_whatever_it_does() -> None:
    unknown, known = VERSIONS[1], VERSIONS[3]
    for outcome in run([Planted((fault,), version=0.2) for fault in (unknown, known)], 2000, seed=34):
        assert outcome.right, outcome.named
        assert outcome.located


def test_a_window_by_hand() -> None:
    purchases = make_purchases(50, seed=1)
    amounts = purchases.amounts.tolist()
    sums = [amounts[0], *(one + other for one, other in itertools.pairwise(amounts))]
    assert roll(purchases, Rolling(rows=2)) == pytest.approx(sums)
    assert roll(purchases, Rolling(rows=2, with_own=False))[:3] == [None, amounts[0], pytest.approx(sums[1])]
    kept = roll(purchases, Rolling("count", rows=1, only="kept"))
    assert kept == [0.0 if refunded else 1.0 for refunded in purchases.refunded]


@pytest.mark.parametrize("name", ["6 rows for 7", "refunds count, 7 rows"])
def test_a_window_that_serving_computes_otherwise_is_named(name: str) -> None:
    fault = next(fault for fault in TABLE_FAULTS if fault.name == name)
    touched, column = compare_windows(fault, 400, seed=35)
    assert column is not None
    assert column.mismatched == touched
    assert column.causes[0]["kind"] == fault.kinds[0]


def test_three_differences_of_one_window_are_all_named() -> None:
    _, column = compare_windows(THREE, 400, seed=36)
    assert column is not None
    assert sorted(cause["kind"] for cause in column.causes) == ["rounding", "window", "window"]


def test_others_see_rows_and_distributions() -> None:
    trained = pa.array([float(number) for number in range(1000)])
    seen = ask_peers(pa.array([number + 500.0 for number in range(1000)]), trained)
    assert seen.rows == 1.0
    assert seen.psi is not None
    assert seen.psi > 0.2
    assert seen.ks is not None
    assert seen.ks < 0.01
    assert ask_peers(trained, trained).rows == 0.0
    assert ask_peers(pa.array(["a"]), pa.array(["b"])).psi is None
