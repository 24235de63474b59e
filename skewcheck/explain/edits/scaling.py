"""Edits found as straight lines: other statistics, another unit, another constant (room: explain)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from skewcheck.explain.edits.base import Edit, Setting, about, place_bits, say_number
from skewcheck.explain.edits.categories import CODED
from skewcheck.explain.inverting import SCALES, Node, is_constant
from skewcheck.explain.trees import Build, Frozen, InapplicableError, make, number, rebuild, with_values
from skewcheck.explain.values.bits import bits_of_choice, bits_of_number
from skewcheck.explain.values.grids import find_decimals
from skewcheck.explain.values.lines import Line, find_line, fit_band, round_shortest
from skewcheck.explain.values.units import FACTORS, LOGARITHMS, find_units
from skewcheck.language.expressions import Column, Constant, Expression
from skewcheck.language.types import FLOAT64, INT64

ROUGH = 1e-8
"""Relative noise of a value that was computed backwards."""


def propose_lines(setting: Setting) -> Iterator[Edit]:
    """Edits that put a straight line somewhere, with the line that the values ask for."""
    for node, text in setting.declared():
        wanted = setting.wanted(node)
        if isinstance(node.expression.operator, Frozen) and node.name in SCALES and wanted is not None:
            yield from _propose_statistics(setting, node, text, wanted)
        if node.expression.type not in (FLOAT64, INT64) or is_constant(node.expression):
            continue
        yield from _propose_units(setting, node, text)
        if wanted is not None:
            line = find_line(node.values.numbers(), wanted, near=ROUGH)
            if line is not None and not line.is_identity:
                yield from _propose_factor(setting, node, text, line)
                yield from _propose_constants(setting, node, text, wanted)


def _propose_statistics(setting: Setting, node: Node, text: str, wanted: np.ndarray) -> Iterator[Edit]:
    """The shift and the scale that a fitted operator would have to have."""
    operand = setting.operand(node)
    frozen = node.expression.operator
    if operand is None or not isinstance(frozen, Frozen):
        return
    line = find_line(operand.values.numbers(), wanted, near=ROUGH)
    if line is None or line.on.sum() < 0.5 * np.isfinite(wanted).sum():
        line = _fit_rounded(setting, node, operand, wanted) or line
    if line is None or line.slope == 0:
        return
    shift, scale = SCALES[node.name]
    solved = {scale: round_shortest(1.0 / line.slope)}
    if shift:
        solved[shift] = round_shortest(-line.offset / line.slope)
    elif abs(line.offset) > ROUGH * abs(line.slope):
        return
    declared = {name: frozen.values[name] for name in solved}
    for name in solved:
        if math.isclose(solved[name], declared[name], rel_tol=ROUGH, abs_tol=ROUGH * abs(declared[scale])):
            solved[name] = declared[name]
    if solved == declared:
        return
    moved = [name for name in (shift, scale) if name and solved[name] != declared[name]]
    rows = _find_ddof(solved[scale], declared[scale]) if moved == ["std"] else None
    frozen_text = ", ".join(f"{name} {say_number(declared[name])}" for name in moved)
    if shift and solved[shift] == 0.0 and solved[scale] == 1.0:
        return  # the operator is dropped, which is another kind of cause
    yield Edit(
        kind="statistics",
        target=text,
        build=lambda found: with_values(found, solved),
        says=f"Serving computes {text} with {', '.join(f'{name} {say_number(solved[name])}' for name in moved)}; "
        f"the frozen state has {frozen_text}." + (f" That is ddof 1 for ddof 0 over {rows:,} rows." if rows else ""),
        fix=f"Load {setting.state} in serving instead of other statistics.",
        root=f"statistics of {text}",
        parameters={"statistics": solved, "frozen": declared, **({"ddof": 1, "rows": rows} if rows else {})},
        bits=place_bits(setting) + (12.0 if rows else sum(bits_of_number(solved[name]) for name in moved)),
        shown=f"{node.name} with {', '.join(f'{name} {say_number(solved[name])}' for name in moved)}",
    )


def _fit_rounded(setting: Setting, node: Node, operand: Node, wanted: np.ndarray) -> Line | None:
    """The line through values that were rounded afterwards."""
    if node.parent is not None:
        return None
    decimals = find_decimals(setting.served.numbers()[setting.asked])
    if decimals is None:
        return None
    return fit_band(operand.values.numbers(), wanted, 10.0**-decimals)


def _is_scaled(node: Node) -> bool:
    """Whether a line over the node is the same as other statistics of a scaler."""
    around = [node.expression] if node.parent is None else [node.expression, node.parent]
    return any(isinstance(one.operator, Frozen) and one.operator.inner.name in SCALES for one in around)


def _find_ddof(solved: float, frozen: float) -> int | None:
    """The number of rows of which one standard deviation has ddof 1 and the other ddof 0; None where there is none."""
    if not solved > frozen:
        return None
    rows = 1.0 / (1.0 - (frozen / solved) ** 2)
    return round(rows) if 2 <= rows < 1e5 and abs(rows - round(rows)) < 0.02 else None


def _propose_units(setting: Setting, node: Node, text: str) -> Iterator[Edit]:
    """Another unit of the same dimension, for a node that has one."""
    unit = node.expression.unit or (setting.types.get(text, (None, None))[1])
    if unit is None or not isinstance(node.expression.operator, Column):
        return
    others = find_units(unit)
    for other, factor, offset in others:
        yield Edit(
            kind="unit",
            target=text,
            build=scale_node(factor, offset),
            says=f"Serving has {text} in {other} where training has {unit}.",
            fix=f"Convert {text} from {other} to {unit} in serving, or state its unit where it is read.",
            root=about(node.expression, text),
            parameters={"serving": other, "declared": unit, "factor": factor, "offset": offset},
            bits=place_bits(setting) + bits_of_choice(len(others)),
            shown=f"{text} in {other}",
        )


def _propose_factor(setting: Setting, node: Node, text: str, line: Line) -> Iterator[Edit]:
    """The line itself: a known factor is a unit, any other is a constant."""
    is_instant_length = node.name in {"seconds_since", "second_of_day"}
    known = _find_factor(FACTORS, line)
    logarithm = _find_factor(LOGARITHMS, line) if node.name.startswith("log") else None
    factor = FACTORS[known] if known else LOGARITHMS[logarithm] if logarithm else line.slope
    shown = _say_line(text, factor, line.offset)
    if known:
        kind = "epoch_unit" if is_instant_length or ("second" in known and "milli" in known) else "unit"
        what, bits = f"({known})", bits_of_choice(len(FACTORS))
    elif logarithm:
        kind, what, bits = "constant", f"({logarithm})", bits_of_choice(len(LOGARITHMS))
    else:
        if _is_scaled(node):
            return
        kind, what = "constant", ""
        bits = (bits_of_number(factor) if factor != 1.0 else 0.0) + (
            bits_of_number(line.offset) if line.offset else 0.0
        )
        # A constant out of nowhere is less likely than another value for one that is there.
        bits += 24.0 if factor != 1.0 and line.offset else 8.0
        if node.name in CODED:
            kind = "recode"
    yield Edit(
        kind=kind,
        target=text,
        build=scale_node(factor, line.offset),
        says=f"Serving has {shown} where training has {text}{f' {what}' if what else ''}.",
        fix=f"Take {text} in serving as training does.",
        root=about(node.expression, text),
        parameters={"factor": factor, "offset": line.offset, **({"unit": known} if known else {})},
        bits=place_bits(setting) + bits,
        shown=shown,
    )


def _find_factor(factors: Mapping[str, float], line: Line) -> str | None:
    """The name of the factor that a line is; None where it is none of them."""
    if line.offset:
        return None
    return next((name for name, factor in factors.items() if math.isclose(line.slope, factor, rel_tol=1e-7)), None)


def _propose_constants(setting: Setting, node: Node, text: str, wanted: np.ndarray) -> Iterator[Edit]:
    """Another value for the constant that a sum, difference, product or quotient has."""
    operands = [setting.by_id.get(id(operand)) for operand in node.expression.operands]
    if node.name not in {"add", "subtract", "multiply", "divide"} or None in operands:
        return
    left, right = (operand.values.numbers() for operand in operands if operand is not None)
    for place, other in ((0, right), (1, left)):
        operator = node.expression.operands[place].operator
        if not isinstance(operator, Constant) or operator.value is None:
            continue
        with np.errstate(all="ignore"):
            solved = {
                "add": wanted - other,
                "subtract": other - wanted if place else wanted + other,
                "multiply": wanted / other,
                "divide": other / wanted if place else wanted * other,
            }[node.name]
        finite = np.sort(solved[np.isfinite(solved)])
        if not len(finite):
            continue
        value = round_shortest(float(np.median(finite)), near=ROUGH)
        if value == operator.value:
            continue
        yield Edit(
            kind="constant",
            target=text,
            build=set_constant(place, value),
            says=f"Serving has {say_number(value)} in {text} where training has {say_number(operator.value)}.",
            fix=f"Use {say_number(operator.value)} in serving.",
            root=text,
            parameters={"serving": value, "declared": operator.value},
            bits=place_bits(setting) + bits_of_number(value),
            shown=f"{text} with {say_number(value)} for {say_number(operator.value)}",
        )


def set_constant(place: int, value: float) -> Build:
    """A node with another constant at a place."""

    def build(node: Expression) -> Expression:
        operands = list(node.operands)
        whole = operands[place].type == INT64 and value == int(value)
        operands[place] = Expression(Constant(int(value), INT64), (), INT64) if whole else number(value)
        return rebuild(node.operator, tuple(operands))

    return build


def scale_node(factor: float, offset: float) -> Build:
    """A node times a factor plus an offset; an Int64 stays one where both are whole."""

    def build(node: Expression) -> Expression:
        if node.type == INT64 and factor == int(factor) and offset == int(offset):
            made = node
            if factor != 1:
                made = make("multiply", made, Expression(Constant(int(factor), INT64), (), INT64))
            if offset:
                made = make("add", made, Expression(Constant(int(offset), INT64), (), INT64))
            return made
        if node.type not in (FLOAT64, INT64):
            raise InapplicableError(f"{node.type} is no number")
        made = node if factor == 1.0 else make("multiply", node, number(factor))
        return make("add", made, number(offset)) if offset else made

    return build


def _say_line(text: str, factor: float, offset: float) -> str:
    scaled = text if factor == 1.0 else f"{text} × {say_number(factor)}"
    if not offset:
        return scaled
    return f"{scaled} {'+' if offset > 0 else '−'} {say_number(abs(offset))}"
