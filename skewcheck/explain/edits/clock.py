"""Edits of time: another zone, another count of hours, seconds for milliseconds (room: explain)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, about, place_bits
from skewcheck.explain.inverting import Node
from skewcheck.explain.trees import Build, make, with_parameters
from skewcheck.explain.values.bits import bits_of_choice
from skewcheck.explain.values.lines import find_line
from skewcheck.language.expressions import Column, Constant, Expression
from skewcheck.language.types import INT64, TIMESTAMP

ZONES = (
    *("UTC", "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Paris", "Europe/Berlin", "Europe/Athens", "Europe/Moscow", "Asia/Dubai"),
    *("Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney", "Pacific/Auckland"),
)
"""Zones in which servers stand and people live."""

CYCLES = {"hour": 24, "minute": 60, "second": 60, "day_of_week": 7, "month": 12, "quarter": 4}
"""Parts of an instant that begin again after so many."""

FIRST = {"month": 1, "quarter": 1}

MOST_HOURS = 12
HOURS_ASKED = 60
USUAL = 4e15
"""Microseconds since 1970 up to which every time has a wall clock: about the year 2096."""

OTHERS = 4

HOUR = 3_600_000_000
"""Microseconds."""


def propose_zones(setting: Setting) -> Iterator[Edit]:
    """Another time zone wherever one is named, and instants that are some hours off."""
    zones = tuple(dict.fromkeys([*setting.zones, *ZONES]))
    for node, text in setting.declared():
        declared = getattr(node.expression.operator, "zone", None)
        if isinstance(declared, str) and "zone" in {
            field.name for field in dataclasses.fields(node.expression.operator)
        }:
            for zone in _likely(setting, node, zones):
                if zone != declared:
                    yield _zone(setting, node, text, declared, zone, len(zones))
        if node.name in CYCLES:
            yield from _propose_turns(setting, node, text)
        if node.expression.type == TIMESTAMP:
            yield from _propose_shifts(setting, node, text)


def _likely(setting: Setting, node: Node, zones: tuple[str, ...]) -> tuple[str, ...]:
    """The zones worth trying: whose clock shows the hours that are wanted, where hours are what is wanted."""
    wanted, operand = setting.wanted(node), setting.operand(node)
    first = tuple(dict.fromkeys(["UTC", *setting.zones]))
    if node.name != "hour" or wanted is None or operand is None:
        return first if node.name == "hour" else tuple(dict.fromkeys([*first, *zones[: len(first) + OTHERS]]))
    usual = np.abs(operand.values.numbers()) < USUAL
    rows = np.flatnonzero(np.isfinite(wanted) & operand.values.present & usual)[:HOURS_ASKED]
    instants = [datetime.fromtimestamp(int(operand.values.data[row]) // 1_000_000, UTC) for row in rows]
    hours = np.round(wanted[rows])
    shown = {
        zone: 0.0
        if not len(rows)
        else np.mean(
            [instant.astimezone(ZoneInfo(zone)).hour == hour for instant, hour in zip(instants, hours, strict=True)]
        )
        for zone in zones
    }
    return tuple(zone for zone in zones if zone in first or shown[zone] >= 0.3)


def _zone(setting: Setting, node: Node, text: str, declared: str, zone: str, among: int) -> Edit:
    return Edit(
        kind="timezone",
        target=text,
        build=lambda found: with_parameters(found, zone=zone),
        says=f"Serving takes the {node.name.replace('_', ' ')} in {zone}; training in {declared}.",
        fix=f"Take it in {declared} in serving.",
        root=text,
        parameters={"serving": zone, "declared": declared},
        bits=place_bits(setting) + (1.0 if zone == "UTC" else bits_of_choice(among)),
        shown=f"{node.name} in {zone}",
    )


def _propose_turns(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    """A part of an instant that is off by a constant, on its circle or off it."""
    cycle, first = CYCLES[node.name], FIRST.get(node.name, 0)
    wanted = setting.wanted(node)
    if wanted is None:
        return
    values = node.values.numbers()
    part = node.name.replace("_", " ")
    for modulo in (True, False):
        with np.errstate(invalid="ignore"):
            differences = (wanted - values) % cycle if modulo else wanted - values
        differences = differences[np.isfinite(differences)]
        if not len(differences):
            continue
        steps, counts = np.unique(np.round(differences), return_counts=True)
        step = int(steps[np.argmax(counts)])
        if step == 0:
            continue
        signed = step if step <= cycle // 2 else step - cycle
        kind = "timezone" if node.name == "hour" and modulo else "recode"
        yield Edit(
            kind=kind,
            target=text,
            build=_turn(step, cycle if modulo else None, first),
            says=f"Serving's {part} is {signed:+d} from training's{', counted round' if modulo else ''}.",
            fix="Count from the same start in serving."
            if kind == "recode"
            else "Take it in training's zone in serving.",
            root=text,
            parameters={"shift": signed, "modulo": cycle if modulo else None},
            bits=place_bits(setting) + bits_of_choice(cycle) + 1.0,
            shown=f"{text} {step:+d}",
        )


def _propose_shifts(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    """An instant that is some hours off, or that was read in another unit of time since 1970."""
    wanted = setting.wanted(node)
    if wanted is None:
        # What was rounded cannot be computed backwards, so whole hours are tried.
        if isinstance(node.expression.operator, Column):
            for whole in range(-MOST_HOURS, MOST_HOURS + 1):
                if whole:
                    yield _shift(setting, node, text, float(whole))
        return
    line = find_line(node.values.numbers(), wanted, near=1e-9)
    hours = line.offset / HOUR if line is not None and line.slope == 1.0 else 0.0
    if abs(hours * 4 - round(hours * 4)) < 1e-6 and 0 < abs(hours) <= 26:
        yield _shift(setting, node, text, hours)


def _shift(setting: Setting, node: Node, text: str, hours: float) -> Edit:
    seconds = round(hours * 3600)
    much = f"{abs(hours):g} hour{'' if abs(hours) == 1 else 's'}"
    return Edit(
        kind="timezone",
        target=text,
        build=lambda found: make("shift", found, seconds=seconds),
        says=f"Serving has {text} {much} {'later' if hours > 0 else 'earlier'} than training.",
        fix=f"Read {text} with its time zone in serving.",
        root=about(node.expression, text),
        parameters={"hours": hours},
        bits=place_bits(setting) + bits_of_choice(52),
        shown=f"{text} {hours:+g} h",
    )


def _turn(step: int, cycle: int | None, first: int) -> Build:
    def build(node: Expression) -> Expression:
        def whole(value: int) -> Expression:
            return Expression(Constant(value, INT64), (), INT64)

        moved = make("add", node, whole(step - first if cycle else step))
        if cycle is None:
            return moved
        turned = make("modulo", moved, whole(cycle))
        return make("add", turned, whole(first)) if first else turned

    return build


def find_zones(trees: Any) -> tuple[str, ...]:
    """The zones that expressions name."""
    found = [
        operator.zone
        for tree in trees
        for _, node in tree.nodes()
        if isinstance(getattr(operator := node.operator, "zone", None), str)
    ]
    return tuple(dict.fromkeys(found))
