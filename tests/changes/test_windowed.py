"""Windowed columns: an edge that moves by one microsecond is shown on one event."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from skewcheck.changes.comparing import compare_services
from skewcheck.changes.snapshot import DeclaredColumn, DeclaredFeature, DeclaredService, Snapshot
from skewcheck.changes.values import Effort
from skewcheck.diff_verdict import FeatureChange
from skewcheck.language.types import FLOAT64
from skewcheck.language.windows.declaration import events, windows
from tests.both_engines import column

CARD = SimpleNamespace(name="card", join_key="card_id", value_type=SimpleNamespace(name="INT64"))


def define(build: Any, closed: str = "right", created: str | None = "created") -> str:
    """Everything that decides the values of a windowed column."""
    source = SimpleNamespace(path="payments.parquet", timestamp_field="paid_at", created_timestamp_column=created)
    field = SimpleNamespace(name="amount", dtype="Float64", tags={})
    recent = windows("recent", events("payments", source=source, by=CARD, schema=[field]), closed=closed)

    def spent(amount: Any) -> Any:
        return build(amount)

    recent.feature(spent)
    return recent.definitions["spent"]


def compare(old: str, new: str) -> tuple[FeatureChange, list[str]]:
    views = {"recent": {"kind": "view", "ttl": None, "timestamp": "t", "created": None, "mapping": {}, "path": "p",
                        "source": {}, "settings": {}}}  # fmt: skip
    plain = DeclaredService(
        "shop",
        (DeclaredFeature("ratio", column("amount", FLOAT64) / column("spent", FLOAT64)),),
        sources=views,
        columns={"amount": DeclaredColumn("amount", FLOAT64, None, "payment", "request")},
    )
    sides = []
    for text in (old, new):
        spent = DeclaredColumn("spent", FLOAT64, None, "recent", "store", "Float64", text)
        sides.append(replace(plain, columns={**plain.columns, "spent": spent}))
    empty = Snapshot({})
    found = compare_services(sides[0], sides[1], empty, empty, Effort(rows=100))
    return found.features[0], [finding.rule for finding in found.findings]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (define(lambda a: a.sum("7d")), define(lambda a: a.sum("6d"))),
        (define(lambda a: a.sum("7d")), define(lambda a: a.sum("7d"), closed="both")),
        (define(lambda a: a.sum("7d")), define(lambda a: a.sum("7d"), closed="left")),
        (define(lambda a: a.sum("7d")), define(lambda a: a.mean("7d"))),
        (define(lambda a: a.max("7d")), define(lambda a: a.min("7d"))),
        (define(lambda a: a.sum("7d")), define(lambda a: a.sum("7d"), created=None)),
    ],
)
def test_a_window_that_changes_is_shown_on_the_fewest_events(old: str, new: str) -> None:
    change, rules = compare(old, new)
    assert change.verdict == "values-changed"
    assert rules == ["WINDOW_SAME"]
    witness = change.witness
    assert witness is not None
    assert witness.old != witness.new
    assert 1 <= len(witness.stored) <= 2
    assert set(witness.stored[0]) >= {"paid_at", "amount"}
    assert witness.old_inputs != witness.new_inputs
    assert change.action == "backfill"


def test_a_closed_edge_is_shown_at_the_edge() -> None:
    change, _ = compare(define(lambda a: a.sum("7d")), define(lambda a: a.sum("7d"), closed="both"))
    assert change.witness is not None
    (event,) = change.witness.stored
    assert event["paid_at"] == "2023-12-25T00:00:00+00:00"
    assert change.witness.requested_at == "2024-01-01T00:00:00+00:00"


def test_other_events_are_unknown() -> None:
    definition = define(lambda a: a.sum("7d"))
    change, rules = compare(definition, definition.replace('"payments"', '"refunds"'))
    assert change.verdict == "unknown"
    assert rules == ["WINDOW_SAME"]


def test_the_same_window_is_unchanged() -> None:
    definition = define(lambda a: a.sum("7d"))
    assert compare(definition, definition)[0].verdict == "unchanged"
