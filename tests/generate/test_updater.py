"""The generated updater against the rule: at any instant, whatever the order in which events were added."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.generate.updater import render_updater
from skewcheck.language.windows.declaration import Windows
from skewcheck.language.windows.durations import SECOND
from skewcheck.language.windows.meaning import Event
from skewcheck.language.windows.window import CLOSED
from tests.windowed import (
    ARROW,
    BUILDERS,
    GRID,
    START,
    WILD_AMOUNTS,
    Row,
    answer,
    declare,
    events,
    payments,
    requests,
    same,
    to_instant,
)


def open_updater(windows: Windows) -> Any:
    """A new updater, of a module that is loaded as an import loads it."""
    module = sys.modules["an_updater"] = ModuleType("an_updater")
    exec(compile(render_updater(windows), "updater.py", "exec"), vars(module))
    return module.open_updater()


WINDOWS = {closed: declare(closed) for closed in CLOSED}
EMPTY = {closed: open_updater(windows) for closed, windows in WINDOWS.items()}


def new_updater(closed: str = "right") -> Any:
    """An updater of all features that holds nothing."""
    return copy.deepcopy(EMPTY[closed])


NOTHING: dict[str, Any] = dict.fromkeys(ARROW)


def to_event(row: Row) -> dict[str, Any]:
    values = {**row.event.values, "due": to_instant(row.event.values["due"])}
    times = {"paid_at": to_instant(row.event.time), "created": to_instant(row.event.created)}
    return {"customer_id": row.customer, **times, **values}


def check(updater: Any, windows: Windows, rows: Sequence[Row], asked: Sequence[tuple[int, int]]) -> None:
    for customer, at in asked:
        found = updater.values_at({"customer_id": customer}, to_instant(at))
        for feature in windows.features:
            expected = answer(feature, rows, customer, at)
            expected = to_instant(expected) if feature.type.name == "Timestamp" else expected
            assert same(found[feature.name], expected), (feature.name, customer, at - START, found[feature.name])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CLOSED), events(WILD_AMOUNTS), requests(), st.data())
def test_values_are_what_the_rule_says_after_every_event(
    closed: str, rows: list[Row], asked: list[tuple[int, int]], data: Any
) -> None:
    updater, cut = new_updater(closed), data.draw(st.integers(0, len(rows)))
    for row in rows[:cut]:
        updater.add(to_event(row))
    check(updater, WINDOWS[closed], rows[:cut], asked)
    for row in rows[cut:]:
        updater.add(to_event(row))
    check(updater, WINDOWS[closed], rows, asked)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CLOSED), events(), requests(), st.data())
def test_neither_forgetting_nor_a_snapshot_moves_a_value(
    closed: str, rows: list[Row], asked: list[tuple[int, int]], data: Any
) -> None:
    cut, horizon = data.draw(st.integers(0, len(rows))), data.draw(st.sampled_from(GRID))
    updater = new_updater(closed)
    for row in rows[:cut]:
        updater.add(to_event(row))
    updater.advance(to_instant(data.draw(st.sampled_from(GRID))))
    updater.advance(to_instant(horizon))
    restored = new_updater(closed)
    restored.load_json(updater.to_json())
    for row in rows[cut:]:
        updater.add(to_event(row))
        restored.add(to_event(row))
    later = [(customer, at) for customer, at in asked if at >= max(GRID)] or [(1, max(GRID)), (2, max(GRID))]
    check(updater, WINDOWS[closed], rows, later)
    check(restored, WINDOWS[closed], rows, later)


def fill(updater: Any, seconds: int) -> None:
    for second in range(seconds):
        row = Row(1, Event(START + second * SECOND, START + second * SECOND, {**NOTHING, "amount": 0.1, "items": 3}))
        updater.add(to_event(row))
        updater.advance(to_instant(START + second * SECOND))


def test_what_is_held_is_bounded_by_the_longest_window() -> None:
    windows = declare(names=["sum_3s", "sum_1s", "events_1s", "sum_ever", "items_variance_3s"])
    updater = open_updater(windows)
    fill(updater, 20)
    size = len(updater.to_json())
    fill(updater, 400)
    assert len(updater.to_json()) < 1.2 * size
    values = updater.values_at({"customer_id": 1}, to_instant(START + 399 * SECOND))
    assert (values["sum_1s"], values["events_1s"], values["sum_ever"]) == (0.1, 1, 42.0)


def test_a_key_whose_events_are_all_too_old_is_forgotten() -> None:
    updater = open_updater(declare(names=["sum_3s"]))
    fill(updater, 2)
    updater.advance(to_instant(START + 1 * SECOND + 3 * SECOND - 1))
    assert len(json.loads(updater.to_json())["held"]) == 1
    updater.advance(to_instant(START + 5 * SECOND))
    assert json.loads(updater.to_json())["held"] == []


def test_an_event_that_is_not_yet_known_is_not_summed_up_early() -> None:
    updater = open_updater(declare(names=["events_ever", "sum_3s"]))
    row = Row(1, Event(START, START + 100 * SECOND, {**NOTHING, "amount": 0.5}))
    updater.add(to_event(row))
    for second, count in ((10, 0), (99, 0), (100, 1), (200, 1)):
        updater.advance(to_instant(START + second * SECOND))
        found = updater.values_at({"customer_id": 1}, to_instant(START + second * SECOND))
        assert found == {"events_ever": count, "sum_3s": None}


def test_an_instant_that_was_given_up_is_refused() -> None:
    updater = new_updater()
    updater.advance(to_instant(START))
    updater.values_at({"customer_id": 1}, to_instant(START))
    with pytest.raises(ValueError, match="is before 2024-03-01"):
        updater.values_at({"customer_id": 1}, to_instant(START - 1))


def test_what_is_missing_never_counts() -> None:
    updater = new_updater()
    whole = to_event(Row(1, Event(START, START, NOTHING)))
    for name in ("customer_id", "paid_at", "created"):
        updater.add({**whole, name: None})
    assert updater.values_at({"customer_id": 1}, to_instant(START))["events_ever"] == 0
    assert set(updater.values_at({"customer_id": None}, to_instant(START)).values()) == {None}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amount", "12"),
        ("amount", True),
        ("items", 1.5),
        ("items", 2**63),
        ("country", b"FR"),
        ("refunded", 1),
        ("due", 17),
        ("paid_at", datetime(2024, 3, 1)),  # noqa: DTZ001
        ("customer_id", "1"),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    event = {**to_event(Row(1, Event(START, START, NOTHING))), name: value}
    with pytest.raises(TypeError, match=name):
        new_updater().add(event)


def test_a_snapshot_of_another_declaration_is_refused() -> None:
    updater = new_updater()
    with pytest.raises(ValueError, match="definition"):
        updater.load_json(new_updater("left").to_json())
    with pytest.raises(ValueError, match="this is not"):
        updater.load_json("[]")


def test_the_module_needs_the_standard_library_alone(tmp_path: Path) -> None:
    (tmp_path / "updater.py").write_text(render_updater(declare()), encoding="utf-8")
    code = (
        "import sys, updater; u = updater.open_updater(); "
        "assert not [name for name in sys.modules if name.split('.')[0] in ('skewcheck', 'feast', 'numpy', 'duckdb')]; "
        "from datetime import datetime, timezone; "
        "print(u.values_at({'customer_id': 1}, datetime(2024, 1, 1, tzinfo=timezone.utc))['events_ever'])"
    )
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_events_without_a_created_time_are_known_at_once() -> None:
    windows = declare(names=["sum_3s"], events=payments(created=False))
    updater = open_updater(windows)
    now = datetime(2024, 3, 1, tzinfo=UTC)
    updater.add({"customer_id": 1, "paid_at": now, "amount": 2.5})
    assert updater.values_at({"customer_id": 1}, now) == {"sum_3s": 2.5}
    assert updater.values_at({"customer_id": 1}, now + timedelta(seconds=3)) == {"sum_3s": None}


def test_the_same_declaration_gives_the_same_text() -> None:
    assert render_updater(declare()) == render_updater(declare())
    assert all(name in render_updater(declare()) for name in BUILDERS)
