"""Plant faults in a log, audit it, and compare what is planted with what is named."""

from __future__ import annotations

import operator
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.faults.catalogue import Shared
from benchmarks.faults.clean import serve_clean
from benchmarks.faults.serving import Fault, serve
from benchmarks.faults.world import (
    Rides,
    compute_features,
    feature_types,
    make_log,
    make_rides,
    write_generated,
    write_log,
)
from skewcheck.audit import Options, audit
from skewcheck.engines.execution import ARROW_TYPES
from skewcheck.verdict import Verdict

NEAR = 1e-9


@dataclass(frozen=True)
class Planted:
    """Faults of one feature in one log.

    Attributes:
        faults: The faults.
        pods: How many of the hundred hosts have them; 100 is all.
        since: Share of the log after which they begin, 0 for the beginning.
        noise: Share of the requests whose value is off by chance beside.
        version: Share of the requests that another version serves, which has them; 0 where the log has one version.
    """

    faults: tuple[Fault, ...]
    pods: int = 100
    since: float = 0.0
    noise: float = 0.0
    version: float = 0.0

    @property
    def feature(self) -> str:
        """The feature."""
        return self.faults[0].feature


@dataclass(frozen=True)
class Outcome:
    """What the audit says to one planting.

    Attributes:
        planted: What was planted.
        touched: Rows whose value it changed.
        detected: Whether the feature is skewed.
        named: The kinds of its causes, those that explain most first.
        right: Whether the first cause is the planted kind; of a pair, whether both are named.
        located: Whether the slice was told, None where there is none to tell.
        causes: The causes.
    """

    planted: Planted
    touched: int
    detected: bool
    named: tuple[str, ...]
    right: bool
    located: bool | None
    causes: tuple[dict[str, Any], ...]


def run(plantings: Sequence[Planted], rows: int, seed: int) -> list[Outcome]:
    """Audit logs in which each feature has at most one planting, as many logs as that takes."""
    rides = make_rides(rows, seed)
    clean = compute_features(rides)
    outcomes: list[Outcome] = []
    waiting = list(plantings)
    while waiting:
        batch: dict[str, Planted] = {}
        for planted in waiting:
            batch.setdefault(planted.feature, planted)
        waiting = [planted for planted in waiting if batch[planted.feature] is not planted]
        outcomes += _run_batch(rides, clean, list(batch.values()), seed)
    order = {id(planted): place for place, planted in enumerate(plantings)}
    return sorted(outcomes, key=lambda outcome: order[id(outcome.planted)])


def run_clean(rows: int, seed: int) -> Verdict:
    """Audit a log without a fault."""
    rides = make_rides(rows, seed)
    return _audit(make_log(rides, serve_clean(rides)))


def run_shared(groups: Sequence[Shared], rows: int, seed: int) -> tuple[bool, tuple[str, ...]]:
    """Plant faults of several features in one log: whether each gives one finding, and the findings in words."""
    rides = make_rides(rows, seed)
    clean = compute_features(rides)
    served = dict(clean)
    for group in groups:
        for fault in group.faults:
            served[fault.feature], _ = plant(rides, clean[fault.feature], Planted((fault,)), seed)
    found = _audit(make_log(rides, served)).findings
    told = {(str(finding.cause["kind"]), frozenset(finding.features)) for finding in found}
    said = tuple(f"{finding.cause['kind']} ({', '.join(sorted(finding.features))})" for finding in found)
    return len(found) == len(groups) and told == {(group.kind, group.features) for group in groups}, said


def _run_batch(rides: Rides, clean: dict[str, pa.Array], batch: Sequence[Planted], seed: int) -> list[Outcome]:
    served = dict(clean)
    touched: dict[str, int] = {}
    for planted in batch:
        served[planted.feature], touched[planted.feature] = plant(rides, clean[planted.feature], planted, seed)
    shares = {one.version for one in batch}
    assert len(shares) == 1, "a log has one mixture of versions"
    new = _pick_version(len(rides), shares.pop())
    beside = {"model_version": pa.array(np.where(new, "v2", "v1").tolist(), pa.string())} if new.any() else {}
    verdict = _audit(make_log(rides, served, beside))
    features = {feature.name: feature for feature in verdict.features}
    outcomes = []
    for planted in batch:
        feature = features[planted.feature]
        named = tuple(cause["kind"] for cause in feature.causes)
        outcomes.append(
            Outcome(
                planted,
                touched[planted.feature],
                feature.verdict == "skew",
                named,
                _is_right(planted, named),
                _is_located(planted, feature.causes, touched[planted.feature]),
                feature.causes,
            )
        )
    return outcomes


def plant(rides: Rides, clean: pa.Array, planted: Planted, seed: int) -> tuple[pa.Array, int]:
    """What is served of one feature, and how many values are not what training gives."""
    wrong = serve(planted.feature, rides, planted.faults)
    right = clean.to_pylist()
    # What differs in the last digits alone is left as it is, where just that is planted.
    same = operator.eq if any(fault.kind == "environment" for fault in planted.faults) else _same
    where = np.ones(len(rides), dtype=bool)
    if planted.pods < 100:
        where &= np.isin(rides.pods, [f"pod-{number:02d}" for number in range(planted.pods)])
    if planted.since:
        where &= np.arange(len(rides)) >= planted.since * len(rides)
    if planted.version:
        where &= _pick_version(len(rides), planted.version)
    mixed = [
        one if here and not same(one, other) else other for one, other, here in zip(wrong, right, where, strict=True)
    ]
    if planted.noise:
        random = np.random.default_rng(seed + 1)
        off = random.random(len(rides)) < planted.noise
        mixed = [
            one * (1 + random.normal()) if hit and isinstance(one, float) else one
            for one, hit in zip(mixed, off.tolist(), strict=True)
        ]
    type_ = feature_types()[planted.feature]
    touched = sum(not same(one, other) for one, other in zip(mixed, right, strict=True))
    return pa.array(mixed, ARROW_TYPES[type_.name]), touched


def _pick_version(rows: int, share: float) -> np.ndarray[Any, Any]:
    """The requests that the other version serves."""
    return np.random.default_rng(17).random(rows) < share


def _same(one: Any, other: Any) -> bool:
    """Whether two values are one and the same but for the last digits, in which code by hand may differ."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-12 * max(abs(one), abs(other), 1e-3)
    return bool(one == other)


def _audit(table: pa.Table) -> Verdict:
    with tempfile.TemporaryDirectory() as folder:
        log = write_log(Path(folder, "log.parquet"), table)
        return audit(log, write_generated(), None, Options(stages=("transform",)))


def _is_right(planted: Planted, named: Sequence[str]) -> bool:
    wanted = [{fault.kind, *fault.also} for fault in planted.faults]
    if len(wanted) == 1:
        return bool(named) and named[0] in wanted[0]
    return all(any(kind in kinds for kind in named) for kinds in wanted)


def _is_located(planted: Planted, causes: Sequence[dict[str, Any]], touched: int) -> bool | None:
    """Whether a cause names exactly the hosts or the version, and the time since when."""
    if planted.version:
        return any(cause["where"] == {"model_version": "v2"} for cause in causes)
    if planted.pods == 100 and not planted.since:
        return None
    for cause in causes:
        hosts = cause["where"].get("host")
        told = [hosts] if isinstance(hosts, str) else hosts
        wanted = None if planted.pods == 100 else [f"pod-{number:02d}" for number in range(planted.pods)]
        # A fault that touches few rows may not show on every host.
        few = told is not None and wanted is not None and set(told) <= set(wanted) and touched < 300
        if (told == wanted or few) and bool(cause["since"]) == bool(planted.since):
            return True
    return False
