"""Expressions as plain JSON, and back: what one process tells another of a declaration (room: changes).

A graph is a list of nodes, each after those that it reads: the operator's name, its parameters, the places of its
operands, its type and its unit. Reading one runs no code of whoever wrote it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from skewcheck.errors import SkewcheckError
from skewcheck.language import operators  # noqa: F401 (registers the operators)
from skewcheck.language.constants import EPOCH, microseconds_since_1970
from skewcheck.language.expressions import Column, Constant, Expression, walk
from skewcheck.language.opaque import Definition, OpaqueCall
from skewcheck.language.operator import REGISTRY, Operator
from skewcheck.language.types import Type, parse_type

_LEAVES: dict[str, type[Operator]] = {"column": Column, "constant": Constant, "opaque": OpaqueCall}


def write_expression(expression: Expression) -> list[Any]:
    """The nodes of an expression as JSON."""
    places: dict[int, int] = {}
    rows = []
    for node in walk(expression):
        places[id(node)] = len(places)
        parameters = {
            item.name: write_value(getattr(node.operator, item.name)) for item in dataclasses.fields(node.operator)
        }
        operands = [places[id(operand)] for operand in node.operands]
        rows.append([node.operator.name, parameters, operands, str(node.type), node.unit])
    return rows


def read_expression(rows: list[Any]) -> Expression:
    """The inverse of `write_expression`.

    Raises:
        SkewcheckError: It uses an operator that this version does not know, or is broken.
    """
    nodes: list[Expression] = []
    try:
        for name, parameters, operands, type_, unit in rows:
            chosen = {**REGISTRY, **_LEAVES}[name](**{key: read_value(value) for key, value in parameters.items()})
            nodes.append(Expression(chosen, tuple(nodes[place] for place in operands), parse_type(type_), unit))
        return nodes[-1]
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise SkewcheckError(
            f"an expression cannot be read: {error!r}", remedy="Compare versions with one version of skewcheck."
        ) from error


def write_value(value: Any) -> Any:
    """A parameter as JSON that keeps every bit and every type."""
    if value is None or type(value) in {bool, int, str}:
        return value
    if isinstance(value, float):
        return {"float": value.hex()}
    if isinstance(value, datetime):
        return {"instant": microseconds_since_1970(value)}
    if isinstance(value, Type):
        return {"type": str(value)}
    if isinstance(value, Definition):
        return {"function": [write_value(part) for part in value]}
    if isinstance(value, (tuple, list)):
        return {"tuple" if isinstance(value, tuple) else "list": [write_value(item) for item in value]}
    if isinstance(value, Mapping):
        return {"table": [[write_value(key), write_value(item)] for key, item in value.items()]}
    raise SkewcheckError(
        f"a {type(value).__name__} ({value!r}) is a parameter of an operator and cannot be written down",
        remedy="Report this: an operator's parameters are plain data.",
    )


def read_value(value: Any) -> Any:
    """The inverse of `write_value`."""
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    if kind == "float":
        return float.fromhex(held)
    if kind == "instant":
        return EPOCH + timedelta(microseconds=held)
    if kind == "type":
        return parse_type(held)
    if kind == "function":
        return Definition(*(read_value(part) for part in held))
    if kind == "table":
        return {read_value(key): read_value(item) for key, item in held}
    items = [read_value(item) for item in held]
    return tuple(items) if kind == "tuple" else items
