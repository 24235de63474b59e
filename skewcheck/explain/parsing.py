"""Read an expression back from its text, so that explaining needs no feature repo (room: explain)."""

from __future__ import annotations

import ast
import datetime
from collections.abc import Mapping
from typing import Any

from skewcheck.errors import DeclarationError
from skewcheck.language import operators  # noqa: F401 (registers the operators)
from skewcheck.language.expressions import Column, Expression, apply, constant, render
from skewcheck.language.functions import missing
from skewcheck.language.operator import REGISTRY
from skewcheck.language.types import Type

_BINARY = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">",
    ast.GtE: ">=",
}  # fmt: skip
_UNARY = {ast.USub: "-", ast.Invert: "~"}


def parse_expression(text: str, columns: Mapping[str, tuple[Type, str | None]]) -> Expression | None:
    """The expression that `render` gave as text; None for one that text alone does not tell, as of an opaque function.

    Args:
        text: The text.
        columns: For each column its type and its unit.
    """
    try:
        parsed = ast.parse(text, mode="eval").body
        found = _Reader(columns).read(parsed)
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError, DeclarationError, RecursionError):
        return None
    expression = found if isinstance(found, Expression) else constant(found)
    return expression if render(expression) == text else None


class _Reader:
    """Reads one expression."""

    def __init__(self, columns: Mapping[str, tuple[Type, str | None]]) -> None:
        self.columns = columns
        self.symbols: dict[tuple[str, int], str] = {}
        for name, cls in REGISTRY.items():
            if cls.symbol is not None:
                self.symbols[cls.symbol, len(cls.takes)] = name

    def read(self, node: ast.expr) -> Any:
        """An expression, or a Python constant."""
        if isinstance(node, ast.Name):
            type_, unit = self.columns[node.id]
            return Expression(Column(node.id, type_), (), type_, unit)
        if isinstance(node, ast.Call):
            return self._read_call(node)
        if isinstance(node, ast.BinOp):
            return self._apply(_BINARY[type(node.op)], node.left, node.right)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._apply(_BINARY[type(node.ops[0])], node.left, node.comparators[0])
        if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY and not isinstance(node.operand, ast.Constant):
            return self._apply(_UNARY[type(node.op)], node.operand)
        return ast.literal_eval(node)

    def _apply(self, symbol: str, *operands: ast.expr) -> Expression:
        return apply(REGISTRY[self.symbols[symbol, len(operands)]], *map(self.read, operands))

    def _read_call(self, node: ast.Call) -> Any:
        if isinstance(node.func, ast.Name) and node.func.id == "missing":
            return missing(*map(self.read, node.args))
        if not isinstance(node.func, ast.Attribute):
            raise TypeError(ast.dump(node.func))
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "datetime":
            year, month, day, hour, minute, second, micro = [*map(self.read, node.args), 0, 0, 0, 0][:7]
            return datetime.datetime(year, month, day, hour, minute, second, micro, tzinfo=datetime.UTC)
        named = {keyword.arg: self.read(keyword.value) for keyword in node.keywords if keyword.arg}
        operands = [self.read(node.func.value), *map(self.read, node.args)]
        return apply(REGISTRY[node.func.attr], *operands, **named)
