"""Causes in words and in data, with rows worked by hand (room: explain)."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from skewcheck.causes import UNEXPLAINED, Cause
from skewcheck.explain.confirming import Confirmed
from skewcheck.explain.edits.base import Edit
from skewcheck.explain.evaluating import PLACE
from skewcheck.explain.searching import Subject, Trial, without
from skewcheck.explain.trees import InapplicableError
from skewcheck.explain.values.series import Series, agree
from skewcheck.language.constants import EPOCH
from skewcheck.language.expressions import Column, Expression, expand
from skewcheck.language.terms import finite

LISTED = "codes"
"""The parameter that lists values of the log."""

EXAMPLES = 2
"""Rows that are worked by hand."""

ALTERNATIVES = 3
"""Other explanations of the same rows that are named."""


def describe_edit(
    subject: Subject,
    trial: Trial,
    place: int,
    confirmed: Confirmed,
    alike: Sequence[Edit] = (),
    *,
    where: Mapping[str, Any] | None = None,
    since: str | None = None,
    examples: int = EXAMPLES,
    redact: bool = False,
) -> Cause:
    """One edit of a trial as a cause."""
    edit = trial.edits[place]
    parts = confirmed.taking_part[place] if confirmed.taking_part else confirmed.reproduced
    hidden = {LISTED, "serving", "declared"} if edit.discreet else {LISTED}
    together = "" if len(trial.edits) == 1 else f" together with {_and_list(trial.edits, place)}"
    evidence = [
        f"{parts:,} of {confirmed.mismatched:,} mismatches are what training's expression gives with this{together}."
        if parts
        else f"No mismatch needs it, but without it requests that match would differ{together}.",
        _say_support(confirmed),
    ]
    if edit.detail and not redact:
        evidence.append(edit.detail)
    if others := [other for other in alike if (other.kind, other.root) != (edit.kind, edit.root)][:ALTERNATIVES]:
        evidence.append("The same would come of: " + " ".join(_say(other, redact=redact) for other in others))
    return Cause(
        kind=edit.kind,
        stage=subject.stage,
        explains=parts / confirmed.mismatched if confirmed.mismatched else 0.0,
        parameters={name: value for name, value in edit.parameters.items() if not (redact and name in hidden)},
        where=dict(where or {}),
        since=since,
        evidence=tuple(evidence),
        fix=edit.fix,
        says=_say(edit, redact=redact),
        root=edit.root,
        bits=round(edit.bits, 1),
        examples=work_examples(subject, trial, place, examples),
    )


def _say(edit: Edit, *, redact: bool) -> str:
    return edit.discreet if redact and edit.discreet else edit.says


def _say_support(confirmed: Confirmed) -> str:
    """How exactly the slice is the one in which it holds; or that it holds everywhere."""
    if not confirmed.against:
        return "No request that matches would differ with it."
    if not confirmed.inside:
        return (
            f"{confirmed.against:,} requests that match would not match with it; no slice of the log tells them apart."
        )
    rest = confirmed.reproduced - confirmed.reproduced_inside
    return (
        f"It holds in a slice of {confirmed.inside:,} requests, of which {confirmed.differing_inside:,} differ; "
        f"{confirmed.against_inside:,} others there would differ with it, and {rest:,} of its mismatches lie outside."
    )


def describe_rest(mismatched: int, left: int, stage: str, evidence: Sequence[str] = ()) -> Cause:
    """Mismatches that nothing explains."""
    return Cause(
        kind=UNEXPLAINED,
        stage=stage,
        explains=left / mismatched if mismatched else 0.0,
        evidence=(
            f"{left:,} of {mismatched:,} mismatches are not what any change that was tried would give.",
            *evidence,
        ),
        fix="Compare the rows shown with the code that serves them.",
        says="No change of the declaration that was tried gives what was served.",
    )


def work_examples(subject: Subject, trial: Trial, place: int, count: int) -> tuple[dict[str, Any], ...]:
    """Rows worked by hand: the inputs, what serving makes of them step by step, and what training makes."""
    edit, sample = trial.edits[place], subject.sample
    rows = np.flatnonzero(trial.reproduced)
    lacking = without(trial, place, subject)
    if len(trial.edits) > 1 and lacking is not None:
        (others,) = sample.evaluator.evaluate([lacking])
        if others is not None:
            needed = rows[~agree(others, trial.values)[rows]]
            rows = needed if len(needed) else rows
    rows = rows[:count]
    if not len(rows):
        return ()
    steps = _find_steps(subject, trial, edit)
    identified = _identify(subject, rows)
    found = []
    for row in rows.tolist():
        lines = [f"{name} = {show(series, row)}" for name, series in steps["inputs"]]
        lines += [
            f"{text}: {show(after, row)} in serving, {show(before, row)} in training"
            for text, before, after in steps["changed"]
        ]
        lines.append(f"served {show(sample.served, row)}, training gives {show(sample.replayed, row)}")
        found.append({**identified[row], "steps": lines})
    return tuple(found)


def _find_steps(subject: Subject, trial: Trial, edit: Edit) -> dict[str, list[Any]]:
    """The inputs, and every node on the way with what training and serving make of it."""
    sample = subject.sample
    inputs = [(name, sample.inputs[name]) for name in trial.tree.columns if name in sample.inputs]
    pairs: list[tuple[str, Expression, Expression]] = []
    node = subject.tree.find(edit.target)
    if node is not None:
        with contextlib.suppress(InapplicableError, ValueError):
            pairs.append((edit.shown or edit.target, node, edit.build(node)))
    declared = dict(subject.tree.nodes())
    for text, found in trial.tree.nodes():
        if text in declared and text != edit.target and not isinstance(found.operator, Column):
            pairs.append((text, declared[text], found))
    before = sample.evaluator.evaluate_terms([_term(old) for _, old, _ in pairs])
    after = sample.evaluator.evaluate_terms([_term(new) for _, _, new in pairs])
    changed = [
        (text, old, new)
        for (text, _, _), old, new in zip(pairs, before, after, strict=True)
        if old is not None and new is not None and not agree(old, new, near=0.0).all()
    ]
    return {"inputs": inputs, "changed": changed}


def _term(node: Expression) -> Any:
    return finite(expand(node, {}))


def _identify(subject: Subject, rows: np.ndarray) -> dict[int, dict[str, Any]]:
    """Request id and time of some rows."""
    connection = subject.sample.evaluator.connection
    found = connection.execute(
        f'SELECT "log.request_id", epoch_us("log.requested_at") FROM {subject.sample.relation} ORDER BY {PLACE}'
    ).fetchall()
    return {
        row: {"request_id": found[row][0], "requested_at": None if found[row][1] is None else iso(found[row][1])}
        for row in rows.tolist()
    }


def iso(microseconds: float) -> str:
    """An instant, given in microseconds since 1970, in ISO 8601."""
    return (EPOCH + timedelta(microseconds=int(microseconds))).isoformat().replace("+00:00", "Z")


def show(series: Series, row: int) -> str:
    """One value in a sentence."""
    if series.missing[row]:
        return "missing"
    value = series.data[row]
    if series.kind == "Float64":
        return f"{float(value):.9g}"
    if series.kind == "Timestamp":
        return iso(float(value))
    if series.kind == "Vector":
        return "[" + ", ".join(f"{item:.6g}" for item in value[:8]) + (", …]" if len(value) > 8 else "]")
    if series.kind == "Bool":
        return "true" if value else "false"
    return repr(str(value)) if series.kind == "String" else str(value)


def _and_list(edits: Sequence[Edit], place: int) -> str:
    return " and ".join(edit.kind for number, edit in enumerate(edits) if number != place)
