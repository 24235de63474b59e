"""The tables of the bench."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.faults.peers import HAS_DATACOMPY, KS_ALARM, PSI_ALARM, Seen
from benchmarks.faults.tally import ERROR_LIMITS, PAIR_FLOOR, Judged, find_failed, find_worst, keep_counted, say_error

console = Console(highlight=False, width=118)

Scenario = tuple[str, Sequence[Judged]]


def say_scenarios(scenarios: Sequence[Scenario]) -> list[str]:
    """A line for each scenario and log, the misses below; the floors that do not hold."""
    table = _table("single faults", "scenario", "log", "faults", "detected", "first", "top 3", "where and when")
    failed, missed = [], []
    for name, faults in scenarios:
        counted = keep_counted(faults)
        failed += find_failed(name, counted)
        for log in dict.fromkeys(one.log for one in counted):
            ours = [one for one in counted if one.log == log]
            table.add_row(name, log, *_count(ours), _count_located(ours))
            missed += [(name, one) for one in ours if not (one.detected and one.first)]
    console.print(table)
    for name, one in missed:
        console.print(f"  {name}, {one.log}: {_say(one)}")
    return failed


def say_kinds(faults: Sequence[Judged], order: Sequence[str]) -> list[str]:
    """A line for each kind over the faults that are everywhere; the floors that do not hold."""
    table = _table("by kind", "kind", "planted in", "faults", "detected", "first", "top 3", "worst error")
    failed = []
    for kind in order:
        ours = [one for one in keep_counted(faults) if one.kind == kind]
        worst = find_worst(ours)
        logs = ", ".join(dict.fromkeys(one.log for one in ours))
        table.add_row(kind, logs, *_count(ours), say_error(kind, worst))
        if worst is not None and worst > ERROR_LIMITS.get(kind, float("inf")):
            failed.append(f"error of {kind}")
    console.print(table)
    return failed


def say_pairs(name: str, pairs: Sequence[Judged]) -> list[str]:
    """How many of several faults at once are all named; the floor that does not hold."""
    right = sum(one.first for one in pairs)
    console.print(f"{name}: all named {right} of {len(pairs)}")
    for one in pairs:
        if not one.first:
            console.print(f"  {_say(one)}")
    return [name] if right < PAIR_FLOOR * len(pairs) else []


def say_peers(seen: Mapping[str, tuple[str, Seen, str]]) -> None:
    """For each kind one fault, what others see of it, and what is named here."""
    note = "" if HAS_DATACOMPY else " (datacompy: pip install 'skewcheck[bench]')"
    table = _table(f"what others see{note}", "kind", "fault", "rows differ", "datacompy", "PSI", "KS p", "named here")
    for kind, (fault, one, named) in seen.items():
        psi = "" if one.psi is None else f"{one.psi:.3f}{'!' if one.psi > PSI_ALARM else ' '}"
        ks = "" if one.ks is None else f"{one.ks:.1e}{'!' if one.ks < KS_ALARM else ' '}"
        compared = "" if one.datacompy is None else f"{one.datacompy:.1%}"
        table.add_row(kind, fault, f"{one.rows:.1%}", compared, psi, ks, named)
    console.print(table)
    console.print(f"  ! is an alarm: PSI above {PSI_ALARM}, KS below {KS_ALARM}. None of them names a cause.")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    numbers = {"faults", "detected", "first", "top 3", "worst error", "rows differ", "datacompy", "PSI", "KS p"}
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    return table


def _count(faults: Sequence[Judged]) -> tuple[str, ...]:
    """Faults, those detected, those whose kind is named first, and those where it is among the first three."""
    counts = (
        len(faults),
        sum(one.detected for one in faults),
        sum(one.first for one in faults),
        sum(one.within(3) for one in faults),
    )
    return tuple(map(str, counts))


def _count_located(faults: Sequence[Judged]) -> str:
    located = [one.located for one in faults if one.located is not None]
    return f"{sum(located)} of {len(located)}" if located else ""


def _say(one: Judged) -> str:
    planted = " and ".join(kinds[0] for kinds in one.kinds)
    seen = "" if one.detected else " (not all of it seen)"
    return f"{planted}: {one.what}, {one.touched:.1%} of the rows{seen}: named {', '.join(one.named) or 'nothing'}"
