"""Plant every fault, print what is said of it, and exit 1 where a floor is not reached.

Arguments: rows of a log with faults, rows of a clean log, number of clean logs.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial

import pyarrow as pa

from benchmarks.faults import judging
from benchmarks.faults.catalogue import SHARED, SINGLES
from benchmarks.faults.flights import run_demo_faults
from benchmarks.faults.peers import Seen, ask_peers
from benchmarks.faults.printing import (
    Scenario,
    console,
    say_kinds,
    say_pairs,
    say_peers,
    say_scenarios,
)
from benchmarks.faults.retrieval import RETRIEVAL
from benchmarks.faults.retrieval_store import serve_feed
from benchmarks.faults.retrieval_world import make_readings, make_requests
from benchmarks.faults.running import Planted, plant, run_clean, run_shared
from benchmarks.faults.tables import TABLE_FAULTS, make_purchases, roll
from benchmarks.faults.tally import Judged
from benchmarks.faults.workers import open_pool
from benchmarks.faults.world import compute_features, make_rides
from skewcheck.causes import KINDS, UNEXPLAINED

FAULTY_ROWS, CLEAN_ROWS, CLEAN_LOGS = 20_000, 1_000_000, 20

EVERYWHERE = "everywhere"
VERSIONS = "by another version, {} % of requests"

Plant = Callable[[], list[Judged]]
"""Plants faults in a log, and judges what is said of them."""


def main() -> int:
    """Print the tables; the exit code says whether every floor holds."""
    sizes = [int(text) for text in sys.argv[1:]]
    rows, clean_rows, clean_logs = (*sizes, *(FAULTY_ROWS, CLEAN_ROWS, CLEAN_LOGS)[len(sizes) :])
    # A look-up in a store costs more than a column: logs of retrieval are shorter.
    requests = max(1000, rows * 3 // 10)
    began = time.perf_counter()
    with open_pool() as pool:
        scenarios = _run_scenarios(pool, _list_scenarios(rows, requests))
        failed = say_scenarios(scenarios)
        everywhere = [one for name, faults in scenarios if name in {EVERYWHERE, VERSIONS.format(50)} for one in faults]
        failed += say_kinds(everywhere, [kind for kind in KINDS if kind != UNEXPLAINED])
        console.print()
        failed += _say_pairs(pool, rows, requests)
        failed += _say_findings(pool, rows)
        console.print()
        say_peers(_ask_peers(rows, requests, everywhere))
        console.print(f"({time.perf_counter() - began:.0f} s)\n")
        failed += _say_clean(pool, clean_rows, clean_logs)
    console.print("Every floor holds." if not failed else "Below a floor: " + "; ".join(failed))
    return 1 if failed else 0


def _list_scenarios(rows: int, requests: int) -> dict[str, list[Plant]]:
    """Single faults in every log, and in parts of the logs."""
    scenarios: dict[str, list[Plant]] = {
        EVERYWHERE: [
            partial(judging.judge_rides, rows, 100),
            partial(judging.judge_flights, 100),
            partial(judging.judge_readings, requests, 100),
            partial(judging.judge_windows, requests, 100),
            partial(judging.judge_tables, requests, 100),
            partial(judging.judge_leaks, requests, 100),
        ],
        "with 1 % noise": [
            partial(judging.judge_rides, rows, 101, noise=0.01),
            partial(judging.judge_readings, requests, 101, noise=0.01),
        ],
        "without event times": [partial(judging.judge_readings, requests, 102, timed=False)],
        "from the middle on": [partial(judging.judge_rides, rows, 106, since=0.5)],
    }
    for pods in (50, 10, 1):
        scenarios[f"on {pods} % of hosts"] = [
            partial(judging.judge_rides, rows, 103, pods=pods),
            *([partial(judging.judge_flights, pods)] if pods == 10 else []),
            partial(judging.judge_readings, requests, 103, pods=pods),
        ]
    for share in (50, 10, 1):
        scenarios[VERSIONS.format(share)] = [partial(judging.judge_versions, rows, 107, share / 100)]
    return scenarios


def _run_scenarios(pool: Executor, scenarios: dict[str, list[Plant]]) -> list[Scenario]:
    """Every scenario, with a line when it is done: all of them take minutes."""
    began = time.perf_counter()
    running = {name: [pool.submit(part) for part in parts] for name, parts in scenarios.items()}
    found: list[Scenario] = []
    for name, parts in running.items():
        faults = [one for part in parts for one in part.result()]
        console.print(f"{len(faults)} faults {name} (after {time.perf_counter() - began:.0f} s)")
        found.append((name, faults))
    console.print()
    return found


def _say_pairs(pool: Executor, rows: int, requests: int) -> list[str]:
    pairs = {
        "pairs of faults on one feature": pool.submit(judging.judge_pairs, rows, 200),
        "pairs of faults of one view": pool.submit(judging.judge_retrieval_pairs, requests, 201),
        "two or three differences of one window": pool.submit(judging.judge_table_pairs, requests, 202),
    }
    return [failed for name, running in pairs.items() for failed in say_pairs(name, running.result())]


def _say_findings(pool: Executor, rows: int) -> list[str]:
    """Whether faults of what several features read give one finding each."""
    failed = []
    groups = [*itertools.combinations(SHARED, 1), *itertools.combinations(SHARED, 2)]
    demo = pool.submit(run_demo_faults)
    told = [running.result() for running in [pool.submit(run_shared, group, rows, 300) for group in groups]]
    right = sum(one for one, _ in told)
    console.print(f"one fault of several features, one finding: {right} of {len(told)} logs with one or two of them")
    failed += ["findings"] if right < len(told) else []
    for one, said in told:
        if not one:
            console.print(f"  {'; '.join(said)}")
    console.print("flights, each fault of the demo's legacy service alone, one finding with all its features:")
    for fault, kinds, one in demo.result():
        console.print(f"  {fault}: {', '.join(kinds)}{'' if one else '  WRONG'}")
        failed += [] if one else [f"flights, {fault}"]
    return failed


def _ask_peers(rows: int, requests: int, judged: list[Judged]) -> dict[str, tuple[str, Seen, str]]:
    """The first fault of each kind that one side has other values by, as others see it."""
    seen: dict[str, tuple[str, Seen, str]] = {}
    named = {(one.kind, one.what): one.named[0] if one.named else "" for one in judged}

    def keep(kind: str, what: str, short: str, served: pa.Array, trained: pa.Array) -> None:
        seen[kind] = (short, ask_peers(served, trained), named.get((kind, what), ""))

    rides = make_rides(rows, seed=100)
    clean = compute_features(rides)
    for fault in SINGLES:
        if fault.kind not in seen:
            served, _ = plant(rides, clean[fault.feature], Planted((fault,)), seed=100)
            what = f"{fault.feature} {fault.name} {fault.size:g}"
            keep(fault.kind, what, f"{fault.feature} {fault.name}", served, clean[fault.feature])
    asked = make_requests(requests, seed=100)
    for place, one in enumerate(RETRIEVAL):
        if one.kind not in seen:
            feed = serve_feed(make_readings(100 + place), asked, (one,))
            sides = [pa.array([answer.value for answer in side], pa.float64()) for side in (feed.served, feed.right)]
            keep(one.kind, f"{one.name} {one.size:g}", f"{one.name} {one.size:g}", *sides)
    purchases = make_purchases(requests, seed=100)
    for window in TABLE_FAULTS:
        kind = window.kinds[0]
        if kind not in seen:
            sides = [pa.array(roll(purchases, side), pa.float64()) for side in (window.served, window.trained)]
            keep(kind, window.name, window.name, *sides)
    return {kind: seen[kind] for kind in KINDS if kind in seen}


def _say_clean(pool: Executor, rows: int, logs: int) -> list[str]:
    start = time.perf_counter()
    alarms = sum(pool.map(partial(_count_alarms, rows), range(1000, 1000 + logs)))
    took = time.perf_counter() - start
    console.print(f"clean: {logs} logs × {rows:,} rows × 20 features: {alarms} false alarms ({took:.0f} s)")
    return ["false alarms"] if alarms else []


def _count_alarms(rows: int, seed: int) -> int:
    verdict = run_clean(rows, seed)
    return sum(feature.verdict == "skew" for feature in verdict.features) + len(verdict.findings)
