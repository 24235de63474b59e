"""Plant every fault, print what the audit says, and exit 1 where a floor is not reached.

Arguments: rows of a log with faults, rows of a clean log, number of clean logs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.faults.catalogue import PAIRS, SINGLES
from benchmarks.faults.flights import run_flights
from benchmarks.faults.peers import HAS_DATACOMPY, say_peers
from benchmarks.faults.running import Outcome, Planted, plant, run, run_clean
from benchmarks.faults.truth import measure_error
from benchmarks.faults.world import compute_features, make_rides

FAULTY_ROWS, CLEAN_ROWS, CLEAN_LOGS = 20_000, 1_000_000, 20
LEAST_TOUCHED = 0.001
"""Share of the rows that a fault must touch to be counted."""

SINGLE_FLOOR, PAIR_FLOOR, ERROR_LIMIT = 0.95, 0.8, 1e-6

SCENARIOS: tuple[tuple[str, dict[str, float]], ...] = (
    ("everywhere", {}),
    ("with 1 % noise", {"noise": 0.01}),
    ("on 50 % of hosts", {"pods": 50}),
    ("on 10 % of hosts", {"pods": 10}),
    ("on 1 % of hosts", {"pods": 1}),
    ("from the middle on", {"since": 0.5}),
)


def main() -> int:
    """Print the tables; the exit code says whether every floor holds."""
    sizes = [int(text) for text in sys.argv[1:]]
    rows, clean_rows, clean_logs = (*sizes, *(FAULTY_ROWS, CLEAN_ROWS, CLEAN_LOGS)[len(sizes) :])
    failed: list[str] = []
    first: list[Outcome] = []
    for place, (name, how) in enumerate(SCENARIOS):
        outcomes = run([Planted((fault,), **how) for fault in SINGLES], rows, seed=100 + place)  # type: ignore[arg-type]
        first = first or outcomes
        failed += _say_singles(name, outcomes, rows)
    failed += _say_kinds(first)
    failed += _say_pairs(run([Planted(pair) for pair in PAIRS], rows, seed=200))
    failed += _say_flights()
    _say_peers(rows)
    failed += _say_clean(clean_rows, clean_logs)
    print("\nEvery floor holds." if not failed else "\nBelow a floor: " + "; ".join(failed))
    return 1 if failed else 0


def _counted(outcomes: Iterable[Outcome], rows: int) -> list[Outcome]:
    return [one for one in outcomes if one.touched >= LEAST_TOUCHED * rows]


def _say_singles(name: str, outcomes: Sequence[Outcome], rows: int) -> list[str]:
    counted = _counted(outcomes, rows)
    detected = sum(one.detected for one in counted)
    right = sum(one.right for one in counted)
    located = [one.located for one in counted if one.located is not None]
    where = f", where and when told {sum(located)} of {len(located)}" if located else ""
    print(f"single faults {name}: detected {detected} of {len(counted)}, kind first {right} of {len(counted)}{where}")
    for one in counted:
        if not one.right:
            print(f"    {_say_fault(one)}: named {', '.join(one.named) or 'nothing'}")
    failed = [f"{name}: not every fault detected"] if detected < len(counted) else []
    return failed + ([f"{name}: kind first"] if right < SINGLE_FLOOR * len(counted) else [])


def _say_kinds(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each kind: how many faults, how many named first, and the error of numbers that were solved."""
    print(f"\n{'kind':20} {'faults':>6} {'first':>6} {'largest error':>14}")
    failed = []
    for kind in dict.fromkeys(one.planted.faults[0].kind for one in outcomes):
        of_kind = [one for one in outcomes if one.planted.faults[0].kind == kind]
        right = [one for one in of_kind if one.right]
        errors = [measure_error(one.planted.faults[0], one.causes[0]["parameters"]) for one in right]
        solved = [error for error in errors if error is not None]
        worst = max(solved, default=None)
        said = "" if worst is None else f"{worst:.1e}"
        print(f"{kind:20} {len(of_kind):6} {len(right):6} {said:>14}")
        if worst is not None and worst > ERROR_LIMIT and kind in {"statistics", "unit"}:
            failed.append(f"error of {kind}")
    return failed


def _say_pairs(outcomes: Sequence[Outcome]) -> list[str]:
    right = sum(one.right for one in outcomes)
    print(f"\npairs of faults on one feature: both named {right} of {len(outcomes)}")
    for one in outcomes:
        if not one.right:
            print(f"    {_say_fault(one)}: named {', '.join(one.named)}")
    return ["pairs"] if right < PAIR_FLOOR * len(outcomes) else []


def _say_flights() -> list[str]:
    if not Path("log/legacy").is_dir():
        print("\nflights: no log; `make demo` writes one")
        return []
    found = run_flights(Path("log/legacy"), Path("codegen/departure_delay"))
    print("\nflights, the legacy service of the demo:")
    for fault, kinds, right in found:
        print(f"    {fault}: {', '.join(kinds)}{'' if right else '  WRONG'}")
    return [] if all(right for *_, right in found) else ["flights"]


def _say_peers(rows: int) -> None:
    """What others say to some of the faults."""
    rides = make_rides(rows, seed=100)
    clean = compute_features(rides)
    print("\nwhat others see" + ("" if HAS_DATACOMPY else " (datacompy: pip install skewcheck[bench])"))
    told: set[str] = set()
    for fault in SINGLES:
        if fault.kind in told:
            continue
        told.add(fault.kind)
        served, _ = plant(rides, clean[fault.feature], Planted((fault,)), seed=100)
        print(f"    {fault.kind:20} {fault.feature} {fault.name}: {say_peers(served, clean[fault.feature])}")


def _say_clean(rows: int, logs: int) -> list[str]:
    start = time.perf_counter()
    alarms = 0
    for seed in range(logs):
        verdict = run_clean(rows, seed=1000 + seed)
        alarms += sum(feature.verdict == "skew" for feature in verdict.features) + len(verdict.findings)
    took = time.perf_counter() - start
    print(f"\nclean: {logs} logs × {rows:,} rows × 20 features: {alarms} false alarms ({took:.0f} s)")
    return ["false alarms"] if alarms else []


def _say_fault(outcome: Outcome) -> str:
    names = " and ".join(f"{fault.kind} ({fault.name} {fault.size:g})" for fault in outcome.planted.faults)
    return f"{outcome.planted.feature}, {names}, {outcome.touched:,} rows"


if __name__ == "__main__":
    sys.exit(main())
