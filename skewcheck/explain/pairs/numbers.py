"""Guesses about numbers: another unit or statistics, rounding, a cast, a clip, a function left out (room: explain)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from skewcheck.explain.pairs.base import Guess, Pairs, is_most, near, show
from skewcheck.explain.values.bits import bits_of_number
from skewcheck.explain.values.lines import Line, find_line, round_shortest
from skewcheck.explain.values.series import NEAR, Floats, agree_numbers
from skewcheck.explain.values.units import FACTORS, LOGARITHMS

TEMPERATURES = {
    (1.8, 32.0): "degrees Fahrenheit for Celsius",
    (1.0, 273.15): "kelvin for degrees Celsius",
    (1.0, -273.15): "degrees Celsius for kelvin",
}
"""Lines between units that have another zero."""

FUNCTIONS = {
    "the logarithm of 1 + x": "CASE WHEN {x} > -1 THEN ln(1 + {x}) END",
    "the natural logarithm": "CASE WHEN {x} > 0 THEN ln({x}) END",
    "the decimal logarithm": "CASE WHEN {x} > 0 THEN log10({x}) END",
    "the square root": "CASE WHEN {x} >= 0 THEN sqrt({x}) END",
    "the square": "{x} * {x}",
    "the absolute value": "abs({x})",
    "the reciprocal": "CASE WHEN {x} <> 0 THEN 1 / {x} END",
}
"""Functions that one side may apply and the other not."""

FEWEST_HELD = 3
"""Different numbers that must be held at a bound."""

DIGITS = range(10)

EPOCH = 1e8
"""A number from here on can be a time counted in seconds since 1970."""

_ROUNDINGS = {"rounded": "round", "rounded down": "floor", "rounded up": "ceil", "cut off": "trunc"}
_ROUND: dict[str, Callable[[Floats], Floats]] = {
    "round": np.round,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
}


def guess_numbers(pairs: Pairs, left: str) -> Iterator[Guess]:
    """Guesses about the pairs of numbers that are still to be explained.

    Args:
        pairs: The pairs.
        left: SQL text that is True for those.
    """
    a, b = pairs.draw_numbers(left)
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    if not len(a):
        return
    yield from _guess_precision(pairs)
    yield from _guess_rounding(pairs, a, b)
    yield from _guess_clip(pairs, a, b)
    yield from _guess_functions(pairs)
    yield from _guess_overflow(pairs)
    yield from _guess_turns(pairs, a, b)
    if len(np.unique(a)) == 1:
        return  # any line goes through one point
    for line in _find_lines(a, b):
        yield _name_line(pairs, line, a)


def _find_lines(a: Floats, b: Floats) -> Iterator[Line]:
    """The line on which most points lie, and beside it one with a difference alone.

    Of large numbers that are close together a ratio and a difference are hard to tell apart, and the simpler is meant.
    """
    with np.errstate(all="ignore"):  # of numbers near the largest there is, a difference is infinite
        apart, found = b - a, find_line(a, b)
    difference = round_shortest(float(np.median(apart)))
    shifted = agree_numbers(apart, np.full(len(a), difference))
    for line in (found, Line(1.0, difference, shifted)):
        if line is None or line.slope == 0 or not is_most(line.on):
            continue
        size = float(np.median(np.abs(a[line.on])))
        if abs(line.slope - 1) > NEAR or abs(line.offset) > NEAR * size:
            yield line


def _guess_turns(pairs: Pairs, a: Floats, b: Floats) -> Iterator[Guess]:
    """A number that goes round, such as an hour, a few steps off."""
    for cycle, kind, what in _CYCLES:
        if not all((x == np.floor(x)).all() and x.min() >= 0 and cycle - 3 <= x.max() < cycle for x in (a, b)):
            continue
        steps, counts = np.unique((b - a) % cycle, return_counts=True)
        step = int(steps[np.argmax(counts)])
        signed = step if step <= cycle // 2 else step - cycle
        yield Guess(
            kind,
            f"coalesce(({pairs.trained} + {step}) % {cycle} = {pairs.served}, FALSE)",
            f"Serving gives {signed:+d} for training's number, counted round {cycle}, as {what}.",
            "Count in one zone and from one start on both sides.",
            {"shift": signed, "modulo": cycle},
            # More than a line takes that explains as much, where nothing went round.
            bits=20.0,
        )


_CYCLES = ((24, "timezone", "the hour of another zone is"), (7, "recode", "a week that begins on another day is"))
"""Numbers that go round from zero, and what a few steps are then."""


def _guess_precision(pairs: Pairs) -> Iterator[Guess]:
    a, b = pairs.trained, pairs.served
    # A double that a float cannot hold would be an error.
    small = "abs({x}) < 3.4e38"
    for kept, cut, who in ((a, b, "serving"), (b, a, "training")):
        holds = f"CASE WHEN {small.format(x=kept)} THEN CAST(CAST({kept} AS FLOAT) AS DOUBLE) = {cut} ELSE FALSE END"
        yield Guess(
            "precision",
            holds,
            f"{who.capitalize()} keeps 32 bits of the number.",
            f"Keep 64 bits in {who}, or compare with --tolerance 1e-6.",
            {"side": who, "bits": 32},
            bits=6.0,
        )
    yield Guess(
        "environment",
        f"abs({a} - {b}) <= 1e-12::DOUBLE * greatest(abs({a}), abs({b}))",
        "The numbers differ in their last places: another order of operations, or another library.",
        "Compare with --tolerance 1e-12, or compute both with the same code.",
        {"relative": 1e-12},
        bits=9.0,
    )


def _guess_rounding(pairs: Pairs, a: Floats, b: Floats) -> Iterator[Guess]:
    """Rounding to some digits, on either side; the fewest digits that the rounded side shows."""
    for kept, cut, free, rounded, who in (
        (pairs.trained, pairs.served, a, b, "serving"),
        (pairs.served, pairs.trained, b, a, "training"),
    ):
        digits = _count_digits(rounded)
        if digits is None:
            continue
        for word, function in _ROUNDINGS.items():
            if _is_chance(_ROUND[function](free * 10.0**digits), rounded * 10.0**digits):
                continue
            power = f"1e{digits}::DOUBLE"
            # Near, so that 2.675 rounds as its decimal does, whichever way its 64 bits lean.
            value = f"{function}({kept} * {power}) / {power}"
            holds = (
                near(cut, value) if function != "round" else f"({near(cut, value)} OR {near(cut, _half(kept, digits))})"
            )
            whole = "a whole number" if digits == 0 else f"{digits} digits after the point"
            kind = "cast" if function == "trunc" and digits == 0 else "rounding"
            yield Guess(
                kind,
                holds,
                f"{who.capitalize()} has the number {word} to {whole}.",
                f"Round in both or in neither; {who} does.",
                {"side": who, "rounding": function, "digits": digits},
                bits=10.0 + (0.5 if function in {"ceil", "trunc"} else 0.0),
            )


def _is_chance(expected: Floats, found: Floats) -> bool:
    """Whether whole numbers next to the expected one were found about as often: then so is the expected one."""
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is no whole number
        steps = np.round(found - expected)
    return 2 * max(np.mean(steps == 1), np.mean(steps == -1)) > np.mean(steps == 0)


def _half(kept: str, digits: int) -> str:
    """Half to even, as Python and NumPy round."""
    power = f"1e{digits}::DOUBLE"
    return f"round_even({kept} * {power}, 0) / {power}"


def _count_digits(values: Floats) -> int | None:
    """The digits after the point that nine in ten of some numbers need; None where that is about all that there are."""
    for digits in DIGITS:
        with np.errstate(over="ignore", invalid="ignore"):  # what is infinite is no whole number
            scaled = values * 10.0**digits
            whole = np.abs(scaled - np.round(scaled)) <= 1e-9 * np.maximum(np.abs(scaled), 1e-300)
        if whole.mean() >= 0.9:
            return digits
    return None


def _guess_clip(pairs: Pairs, a: Floats, b: Floats) -> Iterator[Guess]:
    """One side is held between two bounds."""
    for kept, cut, free, held, who in (
        (pairs.trained, pairs.served, a, b, "serving"),
        (pairs.served, pairs.trained, b, a, "training"),
    ):
        low, high = float(held.min()), float(held.max())
        for bound, past, word, operator in (
            (high, free > high, "above", "<="),
            (low, free < low, "below", ">="),
        ):
            if not is_most((held == bound) & past):
                continue
            # One value that became another is no bound, and neither is one that serving goes beyond where it matches.
            if len(np.unique(free[(held == bound) & past])) < FEWEST_HELD:
                continue
            beyond = ">" if operator == "<=" else "<"
            yield Guess(
                "clip",
                f"coalesce({cut} = {bound!r}::DOUBLE AND {kept} {beyond} {bound!r}::DOUBLE, FALSE)",
                f"{who.capitalize()} holds the number at {show(bound)} where it would be {word} it.",
                f"Clip in both or in neither; {who} does.",
                {"side": who, "bound": bound, "past": word},
                bits=9.0,
            )


def _guess_functions(pairs: Pairs) -> Iterator[Guess]:
    for word, text in FUNCTIONS.items():
        for kept, cut, kind, who in (
            (pairs.trained, pairs.served, "operator_added", "Serving"),
            (pairs.served, pairs.trained, "operator_dropped", "Training"),
        ):
            other = "training" if who == "Serving" else "serving"
            yield Guess(
                kind,
                near(cut, text.format(x=kept)),
                f"{who} takes {word} of what {other} gives.",
                f"Take {word} in both or in neither.",
                {"operator": word, "side": who.lower()},
                bits=12.0,
            )


def _guess_overflow(pairs: Pairs) -> Iterator[Guess]:
    for bits in (8, 16, 32):
        whole, half = 2.0**bits, 2.0 ** (bits - 1)
        a = pairs.trained
        wrapped = f"(({a} + {half!r}) - {whole!r} * floor(({a} + {half!r}) / {whole!r}) - {half!r})"
        yield Guess(
            "cast",
            f"coalesce(abs({a}) < 9e15 AND {a} = trunc({a}) AND {pairs.served} = {wrapped}, FALSE)",
            f"Serving keeps {bits} bits of the integer, and the rest is lost.",
            f"Keep 64 bits; {bits} are too few for these numbers.",
            {"side": "serving", "bits": bits},
            bits=11.0,
        )


def _name_line(pairs: Pairs, line: Line, a: Floats) -> Guess:
    """A line by what betrays it: a unit, a count of time, an offset of a zone, or statistics."""
    slope, offset = line.slope, line.offset
    value = f"({slope!r}::DOUBLE * {pairs.trained} + {offset!r}::DOUBLE)"
    holds = near(pairs.served, value, f"abs({slope!r}::DOUBLE * {pairs.trained})", repr(abs(offset)))
    parameters = {"factor": slope, "offset": offset}
    formula = ("x" if slope == 1 else f"{show(slope)} · x") + (
        f" {'+' if offset > 0 else '−'} {show(abs(offset))}" if offset else ""
    )
    bits = 6.0 + (bits_of_number(slope) if slope != 1 else 0) + (bits_of_number(offset) if offset else 0)
    unit = TEMPERATURES.get((slope, offset)) or _name_inverse(slope, offset)
    if offset == 0 and unit is None:
        unit = next((word for word, factor in FACTORS.items() if abs(slope / factor - 1) <= 1e-9), None)
    times = float(np.median(np.abs(a[line.on]))) >= EPOCH if line.on.any() else False
    if unit is not None and offset == 0 and times and slope in {1e3, 1e6, 1e9, 1e-3, 1e-6, 1e-9}:
        word = f"{show(slope)} times" if slope > 1 else f"one part in {show(1 / slope)} of"
        says = f"Serving gives {word} training's number, as times counted in another unit are."
        return Guess("epoch_unit", holds, says, "Count the time in one unit on both sides.", parameters, bits)
    if unit is not None:
        says = f"Serving gives {formula} for training's x: {unit}."
        return Guess("unit", holds, says, "Convert the unit in one place, and declare it.", parameters, bits)
    if slope == 1 and times and abs(offset) % 900 == 0:
        says = f"Serving is {show(offset)} off, which is {show(offset / 3600)} hours in seconds."
        return Guess("timezone", holds, says, "Read the time in one zone on both sides.", parameters, bits)
    logarithm = next((word for word, factor in LOGARITHMS.items() if abs(slope / factor - 1) <= 1e-9), None)
    if logarithm is not None and offset == 0:
        says = f"Serving gives {formula} for training's x: {logarithm}."
        return Guess("constant", holds, says, "Take one logarithm on both sides.", parameters, bits)
    if slope == 1 and (a == np.floor(a)).all():
        says = f"Serving gives {formula} for training's x."
        return Guess("constant", holds, says, "Count from the same number on both sides.", parameters, bits)
    says = f"Serving gives {formula} for training's x, as other statistics do."
    fix = "Load the statistics that training froze in serving, in place of computing them."
    if offset:
        parameters["zero"] = -offset / slope
    return Guess("statistics", holds, says, fix, parameters, bits)


def _name_inverse(slope: float, offset: float) -> str | None:
    if abs(slope - 5 / 9) <= 1e-9 and abs(offset + 160 / 9) <= 1e-6:
        return "degrees Celsius for Fahrenheit"
    return None
