"""Edits of how numbers are kept: rounded, in 32 bits, as whole numbers, between bounds (room: explain)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, about, place_bits, say_number
from skewcheck.explain.inverting import Node, is_constant
from skewcheck.explain.trees import Build, Frozen, make, number, rebuild, with_parameters, with_values
from skewcheck.explain.values.bits import bits_of_number
from skewcheck.explain.values.grids import MODES, find_grid
from skewcheck.explain.values.lines import round_shortest
from skewcheck.language.expressions import Column, Expression
from skewcheck.language.operator import Operator
from skewcheck.language.terms import Term, call, choose, restrict
from skewcheck.language.types import FLOAT64, INT64, Type

SPLIT = 2.0**29 + 1.0
"""Veltkamp's constant: what a product with it leaves is a Float64 rounded to 24 digits of two."""

HALVES = 2.0**27 + 1.0
"""The same for 26 digits: a product of such a half with a power of ten up to 10^11 is exact."""

UNBOUNDED = 1.7e308


@dataclass(frozen=True)
class Narrow(Operator):
    """x rounded to 24 binary digits, as a 32-bit float holds it; its range is that of a Float64."""

    name: ClassVar[str] = "narrow"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((FLOAT64,),)
    gives: ClassVar[Type | None] = FLOAT64

    def expand(self, x: Term) -> Term:
        """Veltkamp's splitting."""
        stretched = x * SPLIT
        return stretched - (stretched - x)


@dataclass(frozen=True)
class Truncate(Operator):
    """x without what is behind the decimals, towards zero."""

    decimals: int = 0
    name: ClassVar[str] = "cut"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((FLOAT64,),)
    gives: ClassVar[Type | None] = FLOAT64

    def expand(self, x: Term) -> Term:
        """The floor of the size, with the sign."""
        power = float(10**self.decimals)
        size = call("floor", choose(x < 0.0, x * -1.0, x) * power) / power
        return restrict(choose(x < 0.0, size * -1.0, size), ~call("is_missing", x))


@dataclass(frozen=True)
class RoundHalfEven(Operator):
    """x rounded to so many decimals, a half to the even neighbour: as Python, NumPy and IEEE 754 do."""

    decimals: int = 0
    name: ClassVar[str] = "round_half_even"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((FLOAT64,),)
    gives: ClassVar[Type | None] = FLOAT64

    def expand(self, x: Term) -> Term:
        """The floor, one more above a half, and at a half whichever is even."""
        power = float(10**self.decimals)
        scaled = x * power
        below = call("floor", scaled)
        odd = below - call("floor", below / 2.0) * 2.0
        rest = scaled - below
        return choose(rest > 0.5, below + 1.0, choose(rest < 0.5, below, below + odd)) / power


@dataclass(frozen=True)
class RoundExactly(Operator):
    """x rounded to the decimal that is nearest to what the float really is, as Python's `round` does.

    1.005 is a little below what is written, and so gives 1.0 to two places; a half is a half only where it is exactly
    one, and goes to the even neighbour.
    """

    decimals: int = 0
    name: ClassVar[str] = "round_exactly"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((FLOAT64,),)
    gives: ClassVar[Type | None] = FLOAT64

    def expand(self, x: Term) -> Term:
        """Half to even, but where the product is a half and its rounding error says on which side of it."""
        power = float(10**self.decimals)
        scaled = x * power
        below = call("floor", scaled)
        odd = below - call("floor", below / 2.0) * 2.0
        rest = scaled - below
        stretched = x * HALVES
        high = stretched - (stretched - x)
        error = (high * power - scaled) + (x - high) * power
        side = choose(error > 0.0, below + 1.0, choose(error < 0.0, below, below + odd))
        return choose(rest > 0.5, below + 1.0, choose(rest < 0.5, below, side)) / power


@dataclass(frozen=True)
class Wrap(Operator):
    """An Int64 in fewer bits, as a machine keeps it: what does not fit begins again at the other end."""

    bits: int = 32
    name: ClassVar[str] = "wrap"
    group: ClassVar[str] = "explain"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ((INT64,),)
    gives: ClassVar[Type | None] = INT64

    def expand(self, x: Term) -> Term:
        """A remainder, shifted."""
        half = 2 ** (self.bits - 1)
        return (x + half) % (2 * half) - half


def propose_narrow(setting: Setting) -> Iterator[Edit]:
    """32-bit floats, and integers of fewer bits."""
    for node, text in setting.declared():
        if is_constant(node.expression):
            continue
        if node.expression.type == FLOAT64 and node.name != "to_float":
            yield _kept(setting, node, text, "precision", Narrow(), "a 32-bit float", {"bits": 32})
        if node.expression.type == INT64:
            for bits in (8, 16, 32):
                if _overflows(node, bits):
                    what = f"an integer of {bits} bits"
                    yield _kept(setting, node, text, "cast", Wrap(bits), what, {"bits": bits})


def _overflows(node: Node, bits: int) -> bool:
    numbers = node.values.numbers()
    return bool((np.abs(numbers[np.isfinite(numbers)]) >= 2 ** (bits - 1)).any())


def _kept(
    setting: Setting, node: Node, text: str, kind: str, operator: Operator, what: str, parameters: dict[str, Any]
) -> Edit:
    return Edit(
        kind=kind,
        target=text,
        build=_wrap(operator),
        says=f"Serving keeps {text} as {what}; training as one of 64 bits.",
        fix=f"Keep {text} in 64 bits in serving.",
        root=about(node.expression, text),
        parameters={"serving": what, **parameters},
        bits=place_bits(setting) + 1.0,
        shown=f"{text} as {what}",
    )


def propose_rounding(setting: Setting) -> Iterator[Edit]:
    """A grid on which serving's values lie and training's do not."""
    for node, text in setting.declared():
        wanted = setting.wanted(node)
        if wanted is None or node.expression.type != FLOAT64 or is_constant(node.expression) or node.name == "to_float":
            continue
        for decimals in find_grid(node.values.numbers(), wanted):
            for mode in MODES:
                yield _rounded(setting, node, text, decimals, mode)


def propose_other_rounding(setting: Setting) -> Iterator[Edit]:
    """A number rounded another way where training rounds it."""
    for node, text in setting.declared():
        if node.name not in {"round", "floor", "ceil"}:
            continue
        decimals = getattr(node.expression.operator, "decimals", 0)
        for mode in MODES:
            if mode != node.name:
                yield _rounded_otherwise(setting, node, text, decimals, mode)


def _rounded_otherwise(setting: Setting, node: Node, text: str, decimals: int, mode: str) -> Edit:
    what = _WAYS.get(mode, "to the nearest")
    return Edit(
        kind="cast" if mode == "cut" and decimals == 0 else "rounding",
        target=text,
        build=lambda found: _round(decimals, mode)(found.operands[0]),
        says=f"Serving rounds {what} in {text}; training {_WAYS.get(node.name, 'to the nearest')}.",
        fix="Round in serving as training does.",
        root=text,
        parameters={"mode": mode, "declared": node.name, "decimals": decimals},
        bits=place_bits(setting) + _LESS_USUAL[mode],
        shown=f"{text}, {what}",
    )


_HALVES = {"half_even": ", a half to the even neighbour", "exact": ", by the float's exact value as Python's round"}

_WAYS = {
    "floor": "down",
    "ceil": "up",
    "cut": "towards zero",
    "half_even": "to the nearest and a half to the even neighbour",
    "exact": "to the nearest by the float's exact value, as Python's round",
}
"""How a mode rounds, in words."""

_LESS_USUAL = {"round": 0.0, "half_even": 0.3, "exact": 0.4, "floor": 0.5, "cut": 0.6, "ceil": 1.0}
"""Bits by mode. Cutting and rounding down are the same above zero; the one that programs write more is told."""


def _rounded(setting: Setting, node: Node, text: str, decimals: int, mode: str) -> Edit:
    kind = "cast" if mode == "cut" and decimals == 0 else "rounding"
    what = {"floor": "rounds down", "ceil": "rounds up", "cut": "cuts"}.get(mode, "rounds")
    where = f" to {decimals} decimals" if decimals else " to whole numbers"
    extra = _LESS_USUAL[mode]
    return Edit(
        kind=kind,
        target=text,
        build=_round(decimals, mode),
        says=f"Serving {what} {text}{where}{_HALVES.get(mode, '')}; training does not.",
        fix=f"Leave {text} as it is in serving.",
        root=about(node.expression, text),
        parameters={"mode": mode, "decimals": decimals},
        bits=place_bits(setting) + 3.0 + extra,
        shown=f"{text} {'rounded' if what == 'rounds' else what}{where}",
    )


def propose_bounds(setting: Setting) -> Iterator[Edit]:
    """Bounds that serving sets, or sets elsewhere: where they hold, it gives the bound itself."""
    for node, text in setting.declared():
        wanted = setting.wanted(node)
        # Whole numbers that are computed are mostly codes; one that is read may be a count.
        bounded = node.expression.type == FLOAT64 or _is_whole_input(node)
        if wanted is None or not bounded or is_constant(node.expression):
            continue
        clips = node.name in {"clip", "winsorize"}
        below = setting.operand(node) if clips else node
        if below is None:
            continue
        values = below.values.numbers()
        low, high = _find_bound(values, wanted, upper=False), _find_bound(values, wanted, upper=True)
        for pair in dict.fromkeys(((low, high), (low, None), (None, high))):
            if pair != (None, None):
                yield _bounded(setting, node, text, *pair)


def _is_whole_input(node: Node) -> bool:
    return node.expression.type == INT64 and isinstance(node.expression.operator, Column)


def _find_bound(values: Any, wanted: Any, *, upper: bool) -> float | None:
    """The value that all have that would have been beyond it."""
    with np.errstate(invalid="ignore"):
        held = np.isfinite(wanted) & ((values > wanted) if upper else (values < wanted))
    beyond = wanted[held]
    if len(beyond) < 2:
        return None
    near, count = Counter(float(f"{value:.8g}") for value in beyond.tolist()).most_common(1)[0]
    if count < max(2, 0.05 * len(beyond)):
        return None
    at_bound = np.abs(beyond - near) <= 1e-7 * max(1e-300, abs(near))
    # One value that became another is no bound: several have to be held at it, where several are beyond it.
    if len(np.unique(values[held][at_bound])) < min(3, len(np.unique(values[held]))):
        return None
    return round_shortest(float(np.median(beyond[at_bound])), near=1e-8)


def _bounded(setting: Setting, node: Node, text: str, low: float | None, high: float | None) -> Edit:
    said = " and ".join(
        f"{what} {say_number(bound)}" for what, bound in (("not below", low), ("not above", high)) if bound is not None
    )
    operator = node.expression.operator
    declared: dict[str, Any] = {}
    if node.name == "clip":
        declared = {"low": operator.low, "high": operator.high}  # type: ignore[attr-defined]
    elif isinstance(operator, Frozen) and node.name == "winsorize":
        declared = {name: operator.values[name] for name in ("low", "high")}
    return Edit(
        kind="clip",
        target=text,
        build=_bound(low, high),
        says=f"Serving keeps {text} {said}; training {_say_bounds(declared)}.",
        fix=f"Leave {text} unbounded in serving." if not declared else "Use training's bounds in serving.",
        root=about(node.expression, text),
        parameters={"low": low, "high": high, **({"declared": declared} if declared else {})},
        # Where training has bounds, other bounds there are meant, and not some beside them.
        bits=place_bits(setting)
        + sum(bits_of_number(bound) for bound in (low, high) if bound is not None)
        - (2.0 if declared else 0.0),
        shown=f"{text} {said}",
    )


def _say_bounds(declared: dict[str, Any]) -> str:
    if not declared:
        return "sets no bound"
    return f"from {say_number(declared['low'])} to {say_number(declared['high'])}"


def _bound(low: float | None, high: float | None) -> Build:
    def build(node: Expression) -> Expression:
        moved = {name: bound for name, bound in (("low", low), ("high", high)) if bound is not None}
        if node.operator.name == "clip":
            return with_parameters(node, **moved)
        if isinstance(node.operator, Frozen) and node.operator.inner.name == "winsorize":
            return with_values(node, moved)
        bounds = {"low": -UNBOUNDED if low is None else low, "high": UNBOUNDED if high is None else high}
        if node.type == INT64:
            return make("to_integer", make("clip", make("to_float", node), **bounds))
        return make("clip", node, **bounds)

    return build


def _round(decimals: int, mode: str) -> Build:
    def build(node: Expression) -> Expression:
        if mode == "round":
            return make("round", node, decimals=decimals)
        if mode in _OWN:
            return _wrap(_OWN[mode](decimals))(node)
        if decimals == 0:
            return make(mode, node)
        power = number(float(10**decimals))
        return make("divide", make(mode, make("multiply", node, power)), power)

    return build


_OWN = {"cut": Truncate, "half_even": RoundHalfEven, "exact": RoundExactly}
"""Ways of rounding that the language does not have."""


def _wrap(operator: Operator) -> Build:
    return lambda node: rebuild(operator, (node,))
