"""Every log of the bench, run and judged alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.faults.catalogue import PAIRS, SINGLES, VERSIONS
from benchmarks.faults.flights import run_flight_faults
from benchmarks.faults.flights_world import serve_flights
from benchmarks.faults.leaking import run_leaks
from benchmarks.faults.retrieval import PAIRS as RETRIEVAL_PAIRS
from benchmarks.faults.retrieval import RETRIEVAL, PlantedRetrieval, run_retrieval
from benchmarks.faults.running import Outcome, Planted, run
from benchmarks.faults.tables import (
    SAMPLES,
    TABLE_FAULTS,
    TABLE_PAIRS,
    THREE,
    TableFault,
    compare_sample,
    compare_windows,
)
from benchmarks.faults.tally import Judged
from benchmarks.faults.truth import measure_error
from benchmarks.faults.windowed import run_windows

RIDES, READINGS, FLIGHTS, WINDOWS, TABLES, GUARD = (
    *("rides", "readings", "flights", "windows", "two tables", "training rows"),
)


def judge_rides(rows: int, seed: int, **how: Any) -> list[Judged]:
    """Single faults in rides."""
    outcomes = run([Planted((fault,), **how) for fault in SINGLES], rows, seed)
    return [_judge_ride(one, rows, exact=not how.get("noise")) for one in outcomes]


def judge_versions(rows: int, seed: int, share: float) -> list[Judged]:
    """Faults of another version of the service, which serves some of the rides."""
    outcomes = run([Planted((fault,), version=share) for fault in VERSIONS], rows, seed)
    return [_judge_ride(one, rows, exact=False) for one in outcomes]


def judge_pairs(rows: int, seed: int) -> list[Judged]:
    """Two faults on one feature of the rides."""
    return [_judge_ride(one, rows, exact=False) for one in run([Planted(pair) for pair in PAIRS], rows, seed)]


def _judge_ride(one: Outcome, rows: int, *, exact: bool) -> Judged:
    faults = one.planted.faults
    error = measure_error(faults[0], one.causes[0]["parameters"]) if exact and len(faults) == 1 and one.right else None
    return Judged(
        RIDES,
        tuple((fault.kind, *fault.also) for fault in faults),
        f"{one.planted.feature} {' and '.join(f'{fault.name} {fault.size:g}' for fault in faults)}",
        one.touched / rows,
        one.detected,
        one.named,
        error,
        one.located,
    )


def judge_readings(requests: int, seed: int, **how: Any) -> list[Judged]:
    """Single faults of retrieval."""
    faults = [fault for fault in RETRIEVAL if how.get("timed", True) or not fault.timed]
    return _judge_readings([PlantedRetrieval((fault,), **how) for fault in faults], requests, seed)


def judge_retrieval_pairs(requests: int, seed: int) -> list[Judged]:
    """Two faults of one view."""
    return _judge_readings([PlantedRetrieval(pair) for pair in RETRIEVAL_PAIRS], requests, seed)


def _judge_readings(plantings: Sequence[PlantedRetrieval], requests: int, seed: int) -> list[Judged]:
    return [
        Judged(
            READINGS,
            tuple((fault.kind, *fault.also) for fault in one.planted.faults),
            " and ".join(f"{fault.name} {fault.size:g}" for fault in one.planted.faults),
            one.touched / requests,
            one.detected,
            one.named,
            one.error,
        )
        for one in run_retrieval(plantings, requests, seed)
    ]


def judge_flights(pods: int) -> list[Judged]:
    """Single faults in July's flights."""
    flights = serve_flights()
    return [
        Judged(
            FLIGHTS,
            ((one.fault.kind, *one.fault.also),),
            f"{one.fault.feature} {one.fault.name}",
            one.touched / len(flights),
            one.detected,
            one.named,
            one.error,
            one.located,
        )
        for one in run_flight_faults(flights, pods)
    ]


def judge_windows(requests: int, seed: int) -> list[Judged]:
    """Faults of the job that keeps windows fresh: it is late, or computes other windows."""
    return [
        Judged(
            WINDOWS,
            ((one.fault.kind,),),
            one.fault.name,
            max(one.touched.values()) / requests,
            one.detected,
            one.named,
        )
        for one in run_windows(requests, seed)
    ]


def judge_tables(rows: int, seed: int) -> list[Judged]:
    """Windows that serving computes otherwise, as two tables show them, and rows that training lacks."""
    return [
        *(_judge_table(fault, rows, seed) for fault in TABLE_FAULTS),
        *(_judge_sample(share, rows, seed) for share in SAMPLES),
    ]


def _judge_sample(share: float, rows: int, seed: int) -> Judged:
    absent, findings = compare_sample(rows, seed, share)
    seen = findings.a.rows + absent == findings.b.rows and findings.b.unmatched_rows == absent > 0
    named = tuple(cause["kind"] for cause in findings.causes)
    located = any(cause["where"] == {"country": "IT"} for cause in findings.causes)
    what = f"training lacks {share:.0%} of the rows of one country"
    return Judged(TABLES, (("sampling",),), what, absent / rows, seen, named, located=located)


def judge_table_pairs(rows: int, seed: int) -> list[Judged]:
    """Two and three differences of one window."""
    return [_judge_table(fault, rows, seed) for fault in (*TABLE_PAIRS, THREE)]


def _judge_table(fault: TableFault, rows: int, seed: int) -> Judged:
    touched, column = compare_windows(fault, rows, seed)
    named = tuple(cause["kind"] for cause in column.causes) if column is not None else ()
    seen = column is not None and column.mismatched == touched
    return Judged(TABLES, tuple((kind,) for kind in fault.kinds), fault.name, touched / rows, seen, named)


def judge_leaks(rows: int, seed: int) -> list[Judged]:
    """Training rows that know the future: the guard refuses the feature, and that is its name for it."""
    return [
        Judged(
            GUARD,
            (("leakage",),),
            f"{one.leak.how} {one.leak.size:g}",
            one.touched / rows,
            one.detected,
            ("leakage",) if one.detected else (),
        )
        for one in run_leaks(rows, seed)
    ]
