"""Read an expression from its text, which a manifest holds for every feature (room: changes).

Nothing of the text is run: it is parsed, and rebuilt from the operators that it names. What is rebuilt is compared with
the text again, so that nothing can be read as something else.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from skewcheck.errors import DeclarationError, SkewcheckError
from skewcheck.language import operators  # noqa: F401 (registers the operators)
from skewcheck.language.expressions import Constant, Expression, apply, constant, render
from skewcheck.language.opaque import Definition, OpaqueCall
from skewcheck.language.operator import REGISTRY
from skewcheck.language.types import parse_type

DEEPEST = 150
"""How deep an expression may nest."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
    ast.BitAnd: lambda a, b: a & b,
    ast.BitOr: lambda a, b: a | b,
}
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.Invert: lambda a: ~a, ast.USub: lambda a: -a}


def parse_expression(text: str, columns: Mapping[str, Expression], functions: Mapping[str, Definition]) -> Expression:
    """The expression that `render` printed.

    Args:
        text: What it printed.
        columns: The columns that it may read.
        functions: The opaque functions that it may call.

    Raises:
        SkewcheckError: The text cannot be read, or reading it gives another expression.
    """
    try:
        found = _Reader(columns, functions).read(ast.parse(text, mode="eval").body, 0)
    except (DeclarationError, KeyError, SyntaxError, TypeError, ValueError) as error:
        raise _refuse(text, str(error)) from error
    expression = found if isinstance(found, Expression) else constant(found)
    if render(expression) != text:
        raise _refuse(text, f"it reads as {render(expression)[:200]}")
    return expression


def _refuse(text: str, reason: str) -> SkewcheckError:
    return SkewcheckError(
        f"the expression {text[:200]} cannot be read: {reason}",
        remedy="Compare two versions in git instead of folders of generated code.",
    )


def _time_of_day(hour: int = 0, minute: int = 0, second: int = 0, microsecond: int = 0) -> timedelta:
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)


class _Reader:
    """Rebuilds one expression, node by node."""

    def __init__(self, columns: Mapping[str, Expression], functions: Mapping[str, Definition]) -> None:
        self.columns = columns
        self.functions = functions

    def read(self, node: ast.expr, depth: int) -> Any:
        """An expression, or a Python constant."""
        if depth > DEEPEST:
            raise ValueError("it nests too deep")
        below = depth + 1
        if isinstance(node, ast.Name):
            return self.columns[node.id]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.UnaryOp):
            return _UNARY[type(node.op)](self.read(node.operand, below))
        if isinstance(node, ast.BinOp):
            return _BINARY[type(node.op)](self.read(node.left, below), self.read(node.right, below))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return _COMPARED[type(node.ops[0])](self.read(node.left, below), self.read(node.comparators[0], below))
        if isinstance(node, ast.Call):
            return self.read_call(node, below)
        raise ValueError(f"{ast.unparse(node)[:80]} is no expression")

    def read_call(self, node: ast.Call, depth: int) -> Any:
        name = ast.unparse(node.func)
        if name == "missing":
            type_ = parse_type(ast.literal_eval(node.args[0]))
            return Expression(Constant(None, type_), (), type_)
        if name == "datetime.datetime":
            year, month, day, *rest = (int(ast.literal_eval(argument)) for argument in node.args)
            return datetime(year, month, day, tzinfo=UTC) + _time_of_day(*rest)
        arguments = [self.read(argument, depth) for argument in node.args]
        if isinstance(node.func, ast.Attribute):
            parameters = {str(item.arg): ast.literal_eval(item.value) for item in node.keywords}
            return apply(REGISTRY[node.func.attr], self.read(node.func.value, depth), *arguments, **parameters)
        definition = self.functions[name]
        operands = tuple(
            item if isinstance(item, Expression) else constant(item, parse_type(takes.rstrip("?")))
            for item, takes in zip(arguments, definition.takes, strict=True)
        )
        return Expression(OpaqueCall(definition), operands, definition.type)
