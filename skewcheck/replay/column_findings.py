"""What retrieval did to each column of the store: how far behind it is, what was too old, and why it differs.

Views on which nothing differs are only asked how old the rows are that they gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from skewcheck.causes import Cause
from skewcheck.replay.alignment import align_labels, align_view
from skewcheck.replay.comparison import REQUEST_ID, REQUESTED_AT, Sides, say_instant
from skewcheck.replay.evidence import describe_mismatch
from skewcheck.replay.forms import choose_form
from skewcheck.replay.history import find_history
from skewcheck.replay.lag import Lag, find_lag
from skewcheck.replay.retrieval_causes import classify
from skewcheck.replay.sampling import HASH, SERVED_EVENT, look_at
from skewcheck.replay.tracing import (
    ALIKE,
    SECOND,
    SOURCE,
    TRAINED,
    TracedView,
    fetch_all,
    missing,
    trace_column,
    trace_view,
)
from skewcheck.replay.window_variants import FoundVariant, find_variant
from skewcheck.store.as_of import INSTANT, name_key
from skewcheck.verdict import ColumnVerdict, FeatureVerdict

if TYPE_CHECKING:
    from skewcheck.language.windows.declaration import Windows
    from skewcheck.replay.replaying import Replay
    from skewcheck.store.repository import Repository

FIRST = say_instant(f"min({REQUESTED_AT})")

SAID = {"rows": "row of", "windows": "as of", "asked": "known since about", "unknown": "row of"}
"""What the event time of an answer is, by what its history is made of."""

MOST = 0.5
"""The share of stale values that a delay must explain to be told as theirs."""

EVIDENCE = 2
"""Mismatches of each form that are told in words."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found.

    Attributes:
        columns: Every column with its lag, residuals and causes.
        alignment: For each source one entry.
    """

    columns: tuple[ColumnVerdict, ...]
    alignment: tuple[dict[str, Any], ...]


def examine_columns(
    task: Replay,
    repository: Repository,
    retrieved: str,
    sides: Sequence[Sides],
    columns: tuple[ColumnVerdict, ...],
    rows: int,
) -> Findings:
    """Look at the columns of every view.

    Args:
        task: The replay.
        repository: The feature repo.
        retrieved: The log's rows with the store's values at the time.
        sides: The comparison of every column of the store.
        columns: What it gave.
        rows: Rows of the log.
    """
    service = repository.service(task.manifest.service)
    views = {view.name: view for view in service.sources.views}
    found: dict[str, ColumnVerdict] = {}
    alignment: list[dict[str, Any]] = []
    for view in task.manifest.views:
        ours = {column.name: column for column in columns if column.name in view.columns}
        differing = [
            (side, ours[side.name].comparison.mismatched)
            for side in sides
            if side.name in ours and ours[side.name].comparison.mismatched
        ]
        looked = look_at(task.connection, task.log, task.columns, view, retrieved, differing, rows)
        registered = views[view.name]
        history = find_history(task.connection, repository, service, view, looked)
        ttl = round(registered.ttl.total_seconds() * SECOND) if registered.ttl else None
        delay = round(task.delays.get(view.name, timedelta(0)).total_seconds() * SECOND)
        traced = trace_view(task.connection, view, history, ttl, delay)
        lags: list[Lag] = []
        # What differs most often says most surely how far behind the rows are, where a history has it.
        for side, _ in sorted(differing, key=lambda pair: (pair[0].name in history.moving, -pair[1])):
            beside = lags[0].seconds if lags else 0.0
            windows = service.sources.windows.get(view.name)
            column, lag = _examine_column(traced, repository, windows, ours[side.name], beside, task.samples > 0)
            found[side.name] = column
            lags += [lag] if lag is not None else []
        alignment.append(align_view(traced, lags, matches=not differing))
    alignment += align_labels(task.connection, task.log, task.columns, repository, service)
    return Findings(tuple(found.get(column.name, column) for column in columns), tuple(alignment))


def causes_of_reads(feature: FeatureVerdict, columns: Sequence[ColumnVerdict]) -> tuple[dict[str, Any], ...]:
    """The causes of the columns that a feature reads, where retrieval changed it; the share is that of the column."""
    retrieval = feature.stages.get("retrieval")
    if retrieval is None or not retrieval.mismatched:
        return ()
    return tuple(cause for column in columns if column.name in feature.reads for cause in column.causes)


def _examine_column(
    traced: TracedView,
    repository: Repository,
    windows: Windows | None,
    verdict: ColumnVerdict,
    beside: float,
    shown: bool,
) -> tuple[ColumnVerdict, Lag | None]:
    """One column that differs, with what was found about it."""
    column = trace_column(traced, verdict.name)
    lag = find_lag(traced, verdict.name, column, beside)
    classified = classify(traced, verdict.name, column, beside)
    variant = find_variant(traced, repository, windows, verdict.name, classified.table) if windows else None
    counted = _count_forms(traced, classified.table)
    looked_at = sum(form["rows"] for form in counted)
    evidence = _find_evidence(traced, classified.table) if shown else {}
    causes = tuple(
        _describe(
            form, verdict, looked_at, traced, classified.delay, evidence.get((form["form"], form["detail"]), []), shown
        )
        for form in counted
    )
    if variant is not None:
        # Another window has some values of the declared one by chance, and no delay comes out of these.
        lag = lag if lag is not None and lag.share >= MOST else None
        causes = tuple(_tell_variant(cause, variant, shown) for cause in causes)
    residual = _measure_residual(traced, verdict, column, counted, looked_at)
    return replace(verdict, lag=lag.plain() if lag is not None else None, residual=residual, causes=causes), lag


def _count_forms(traced: TracedView, formed: str) -> list[Mapping[str, Any]]:
    """Each form with its mismatches, the most frequent first."""
    age, known = f"{INSTANT} - coalesce({SOURCE}['event'], {SERVED_EVENT})", f"{SOURCE}['created'] - {INSTANT}"
    return fetch_all(
        traced.connection,
        f"SELECT form, detail, count(*) AS rows, count(*) FILTER (WHERE delayed = {ALIKE}) AS late, {FIRST} AS since, "
        f"median({age}) / {SECOND} AS age, max({age}) / {SECOND} AS oldest, median({known}) / {SECOND} AS known, "
        f"CAST(mode(served) AS VARCHAR) AS value FROM {formed} GROUP BY form, detail ORDER BY rows DESC, form, detail",
    )


OF_ROWS = frozenset(
    {"stale", "residual", "leakage", "late_or_tie", "latest_not_as_of", "wrong_key", "absent_row", "filter"}
)
"""Kinds that befall whole rows of a view, and so all of its columns at once."""


def _find_evidence(traced: TracedView, formed: str) -> dict[tuple[str, str | None], list[str]]:
    """The first mismatches of each form, in words."""
    keys = "".join(f", {name_key(key)}" for key in traced.keys)
    asked = (
        f"SELECT form, detail, {REQUEST_ID} AS request_id, {say_instant(REQUESTED_AT)} AS requested_at, served, "
        f"trained, {SERVED_EVENT} AS logged, {SOURCE} AS source, {TRAINED} AS trained_row{keys} FROM {formed}"
    )
    first = f"PARTITION BY form, detail ORDER BY {INSTANT}, {HASH}"
    rows = fetch_all(
        traced.connection, f"{asked} QUALIFY row_number() OVER ({first}) <= {EVIDENCE} ORDER BY {INSTANT}, {HASH}"
    )
    told: dict[tuple[str, str | None], list[str]] = {}
    for row in rows:
        told.setdefault((row["form"], row["detail"]), []).append(
            describe_mismatch(row, traced.keys, SAID[traced.basis])
        )
    return told


def _describe(
    form: Mapping[str, Any],
    verdict: ColumnVerdict,
    looked_at: int,
    traced: TracedView,
    delay: int,
    evidence: list[str],
    shown: bool,
) -> dict[str, Any]:
    """A form as a cause of the verdict."""
    share = form["rows"] / looked_at
    parameters: dict[str, Any] = {
        "form": form["form"],
        "rows": round(share * verdict.comparison.mismatched),
        "looked_at": looked_at,
    }
    # Where a delay grows through the day, none of them is that of most.
    if form["form"] == "stale" and delay and form["late"] >= MOST * form["rows"]:
        parameters["delay_seconds"] = delay / SECOND
    if form["form"] in {"stale", "expired", "out_of_order"} and form["age"] is not None:
        parameters["median_age_seconds"] = form["age"]
    if form["form"] == "expired":
        parameters |= {"oldest_seconds": form["oldest"], **_say_lifetime(traced, verdict.name)}
    if form["form"] == "future_dated" and form["age"] is not None:
        parameters["median_ahead_seconds"] = -form["age"]
    if form["form"] == "late_arrival" and form["known"] is not None:
        parameters["median_before_known_seconds"] = form["known"]
    if form["form"] in {"constant", "default", "not_found_default"} and shown:
        parameters["value"] = form["value"]
    if form["detail"] is not None:
        parameters["key"] = form["detail"]
    among = parameters["rows"] / max(verdict.comparison.compared, 1)
    chosen = choose_form(form["form"], among, windowed=traced.basis == "windows")
    kind, says = chosen.kind, chosen.says
    if "delay_seconds" in parameters:
        behind = timedelta(seconds=round(delay / SECOND))
        older = "value" if traced.basis == "windows" else "row"
        says = f"Serving is {behind} (h:mm:ss) behind: it has an older {older} than the one that was known."
    return Cause(
        kind=kind,
        stage="retrieval",
        explains=share,
        parameters=parameters,
        since=form["since"],
        evidence=tuple(evidence),
        fix=chosen.fix,
        says=says,
        root=f"view {verdict.view}" if kind in OF_ROWS else f"column {verdict.name}",
    ).to_data()


def _tell_variant(cause: dict[str, Any], found: FoundVariant, shown: bool) -> dict[str, Any]:
    """A cause with the window that serving computes, where that is its form."""
    variant = found.variant
    if cause["parameters"]["form"] != variant.form or not variant.says:
        return cause
    parameters = {**cause["parameters"], "serving": variant.serving, "declared": variant.declared}
    evidence = [found.evidence, *cause["evidence"]] if shown else []
    return {**cause, "parameters": parameters, "says": variant.says, "evidence": evidence}


def _measure_residual(
    traced: TracedView, verdict: ColumnVerdict, column: str, counted: list[Mapping[str, Any]], looked_at: int
) -> dict[str, Any] | None:
    """How many of the values that were served are older than the time to live, or than their window; None without."""
    lifetime = traced.lifetime(verdict.name)
    if lifetime is None or traced.basis == "unknown":
        return None
    served = f"NOT {missing('served', traced.kind(verdict.name))}"
    (row,) = fetch_all(
        traced.connection,
        f"SELECT count(*) AS requests, count(*) FILTER (WHERE {served}) AS served FROM {column} WHERE sampled",
    )
    expired = [form for form in counted if form["form"] == "expired"]
    rows = sum(form["rows"] for form in expired) / looked_at * verdict.comparison.mismatched
    values = verdict.comparison.compared * (row["served"] / row["requests"] if row["requests"] else 1.0)
    return {
        "rows": round(rows),
        "share": rows / values if values else 0.0,
        **_say_lifetime(traced, verdict.name),
        "oldest_seconds": max((form["oldest"] for form in expired if form["oldest"] is not None), default=None),
    }


def _say_lifetime(traced: TracedView, name: str) -> dict[str, float]:
    """When a value is too old: the time to live, or the window."""
    lifetime = (traced.lifetime(name) or 0) / SECOND
    return {"window_seconds" if traced.basis == "windows" else "ttl_seconds": lifetime}
