"""Opaque functions: the language's escape hatch (language floor).

A plain typed Python function becomes an operator. Its canonical source stands in the declaration's fingerprint, in the
row function, and in the batch path, so that both paths run the same text. Nothing is known of its meaning, hence the
name; and an engine that cannot run Python refuses it.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import FunctionType
from typing import Any, ClassVar, NamedTuple, NoReturn

from skewcheck.errors import DeclarationError
from skewcheck.language import terms
from skewcheck.language.canonical import UndefinedNameError, Wrapped, place_of, write_factory
from skewcheck.language.expressions import Constant, Expression, constant, walk, widen
from skewcheck.language.operator import Operator
from skewcheck.language.terms import Term
from skewcheck.language.terms import walk as walk_terms
from skewcheck.language.types import FLOAT64, INT64, SCALARS, Type

ANNOTATIONS = {float: "Float64", int: "Int64", bool: "Bool", str: "String", datetime: "Timestamp"}
"""What annotations mean."""

_TYPES_REMEDY = "Annotate with float, int, bool, str or datetime, or one of these | None."


class Definition(NamedTuple):
    """An opaque function as plain data: the constant parameter of the primitive `opaque`.

    Attributes:
        name: The function's name.
        source: The text of a factory that makes it.
        takes: The type of every parameter, followed by "?" where a missing value is passed on as None.
        gives: The type of the result, followed by "?" where None may be returned.
    """

    name: str
    source: str
    takes: tuple[str, ...]
    gives: str

    @property
    def type(self) -> Type:
        """The type of the result."""
        return SCALARS[self.gives.rstrip("?")]

    @property
    def identifier(self) -> str:
        """A name that no other function has."""
        return f"skewcheck_{self.name}_{hashlib.sha256(repr(tuple(self)).encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class OpaqueCall(Operator):
    """A call of an opaque function."""

    definition: Definition
    name: ClassVar[str] = "opaque"
    group: ClassVar[str] = "opaque"
    takes: ClassVar[tuple[tuple[Type, ...], ...]] = ()

    @property
    def called(self) -> str:
        """The function's name."""
        return self.definition.name

    def expand(self, *operands: Term) -> Term:
        """One primitive: nothing else is known of it."""
        return terms.call("opaque", *operands, parameter=self.definition)


class Opaque(Wrapped):
    """A function that was declared opaque: an operator for expressions, itself for plain values."""

    def __init__(self, function: FunctionType) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.parameters, self.gives = _read_annotations(function)
        self._definition: Definition | None = None
        try:
            write_factory(function)
        except UndefinedNameError:
            # What it uses may be defined below it.
            return

    @property
    def definition(self) -> Definition:
        """The function as plain data.

        Raises:
            DeclarationError: It refers to something that is not there, or that no opaque function may use.
        """
        if self._definition is None:
            source = write_factory(self.function)
            self._definition = Definition(self.function.__name__, source, tuple(self.parameters.values()), self.gives)
        return self._definition

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The expression of the call where an argument is one; otherwise what the function itself returns."""
        if not any(isinstance(argument, Expression) for argument in (*arguments, *named.values())):
            return self.function(*arguments, **named)
        try:
            bound = inspect.signature(self.function).bind(*arguments, **named).arguments
        except TypeError as error:
            raise DeclarationError(
                f"{self.function.__name__}: {error}", remedy=f"It takes {', '.join(self.parameters)}."
            ) from error
        operands = tuple(self._operand(name, value) for name, value in bound.items())
        call = OpaqueCall(self.definition)
        return Expression(call, operands, call.definition.type)

    def _operand(self, name: str, value: Any) -> Expression:
        """An argument as an expression of the parameter's type."""
        wanted = SCALARS[self.parameters[name].rstrip("?")]
        if value is None:
            return Expression(Constant(None, wanted), (), wanted)
        expression = value if isinstance(value, Expression) else constant(value, wanted)
        if expression.type == INT64 and wanted == FLOAT64:
            expression = widen(expression)
        if expression.type != wanted:
            raise DeclarationError(
                f"{self.function.__name__} takes {wanted} for {name}, and `{expression}` is {expression.type}",
                remedy="Convert it first, or read another column.",
            )
        return expression


def opaque(function: Any) -> Opaque:
    """Declare a plain Python function opaque, so that features can call it.

    Training and serving run the same text of it. Its parameters and its result are annotated with float, int, bool, str
    or datetime. It is not called where an argument is missing, unless that parameter is annotated `| None`; the result
    is missing then. It may return None where its result is annotated `| None`. A float that is infinite or NaN is
    missing.

    It must be pure: no clock, randomness, input, output, or state. Whatever of that its source shows is refused. It
    must answer for every value of its types: what it raises is not caught.

    Raises:
        DeclarationError: It is no plain function, an annotation is missing or of no type of the language, or it is not
            pure. The message names the file and the line.
    """
    if not isinstance(function, FunctionType):
        raise DeclarationError(
            f"opaque: {function!r} is not a plain function", remedy="Put @sk.opaque directly above a def."
        )
    return Opaque(function)


def find_functions(roots: Iterable[Term]) -> tuple[Definition, ...]:
    """The opaque functions that terms call, by name.

    Raises:
        DeclarationError: Two different ones have one name.
    """
    found: dict[str, Definition] = {}
    for term in walk_terms(*roots):
        if term.name == "opaque" and term.kind == "call":
            known = found.setdefault(term.parameter.name, term.parameter)
            if known != term.parameter:
                raise DeclarationError(
                    f"two different opaque functions are called {known.name}", remedy="Rename one of them."
                )
    return tuple(definition for _, definition in sorted(found.items()))


def name_functions(expression: Expression) -> tuple[str, ...]:
    """The names of the opaque functions that an expression calls, sorted."""
    calls = (node.operator for node in walk(expression) if isinstance(node.operator, OpaqueCall))
    return tuple(sorted({call.definition.name for call in calls}))


def _read_annotations(function: FunctionType) -> tuple[dict[str, str], str]:
    """The types of the parameters and of the result."""

    def refuse(message: str, remedy: str) -> NoReturn:
        raise DeclarationError(f"opaque function {function.__name__} ({place_of(function)}): {message}", remedy=remedy)

    if hasattr(function, "__wrapped__"):
        refuse("has another decorator", "Leave it out: it could keep state between calls.")
    if function.__name__ == "<lambda>":
        refuse("is a lambda", "Write it with def, so that it has a name.")
    if not function.__name__.isascii() or not all(map(str.isascii, inspect.signature(function).parameters)):
        refuse("has a name that is not ASCII", "Use ASCII letters.")
    outer = function.__qualname__.rpartition(".")[0]
    if outer and not outer.endswith("<locals>"):
        refuse("is a method", "Write it as a function of its own.")
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        refuse("is asynchronous", "Write a plain function; it may wait for nothing.")
    if inspect.isgeneratorfunction(function):
        refuse("is a generator", "Return one value.")
    try:
        annotations = inspect.get_annotations(function, eval_str=True)
    except Exception as error:  # whatever evaluating a text raises
        refuse(f"has an annotation that cannot be read: {error}", _TYPES_REMEDY)
    parameters = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.POSITIONAL_OR_KEYWORD or parameter.default is not parameter.empty:
            refuse(f"parameter {parameter} is not a plain name", "Take plain parameters, without defaults, * or **.")
        if name not in annotations:
            refuse(f"parameter {name} has no type", _TYPES_REMEDY)
        type_ = _name_type(annotations[name])
        if type_ is None:
            refuse(f"parameter {name} is {_show(annotations[name])}, which is no type of a column", _TYPES_REMEDY)
        parameters[name] = type_
    if not parameters:
        refuse("takes no argument", "Write a constant instead.")
    if "return" not in annotations:
        refuse("does not say what it returns", _TYPES_REMEDY)
    gives = _name_type(annotations["return"])
    if gives is None:
        refuse(f"returns {_show(annotations['return'])}, which is no type of a column", _TYPES_REMEDY)
    return parameters, gives


def _name_type(annotation: Any) -> str | None:
    """The type that an annotation means, with "?" where it admits None; None where it means no type."""
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        first, *others = sorted(typing.get_args(annotation), key=lambda part: part is types.NoneType)
        return f"{ANNOTATIONS[first]}?" if others == [types.NoneType] and first in ANNOTATIONS else None
    return ANNOTATIONS.get(annotation) if isinstance(annotation, type) else None


def _show(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
