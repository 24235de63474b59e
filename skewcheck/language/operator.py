"""The base of every operator.

An operator is one small class: which types it takes and gives, its meaning in words, the statistics it needs, and its
expansion into primitives. The class is the only place that knows it; expressions, engines, documentation and tests
follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from skewcheck.language import terms
from skewcheck.language.terms import Term
from skewcheck.language.types import FLOAT64, INT64, Type

if TYPE_CHECKING:
    from skewcheck.language.expressions import Expression


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic that a fitted operator needs.

    Attributes:
        name: What the operator and the state call it, such as "mean".
        kind: How it is computed (see `skewcheck.fit.statistics`), such as "median".
        type: The type of a scalar statistic, None for a table.
        parameters: Constants of the computation, such as the number of buckets.
    """

    name: str
    kind: str
    type: Type | None = FLOAT64
    parameters: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Example:
    """One use of an operator, tested on every engine.

    Attributes:
        build: The expression, given its operands.
        rows: Values of the operands, and what comes out; None is missing.
        training: For a fitted operator the values of its operand in training.
        units: The operands' units, where it needs them.
    """

    build: Callable[..., Expression]
    rows: tuple[tuple[tuple[Any, ...], Any], ...]
    training: tuple[Any, ...] = ()
    units: tuple[str | None, ...] = ()


@dataclass(frozen=True)
class Operator:
    """The base of every operator. A subclass's dataclass fields are its constant parameters.

    Class attributes:
        name: What the language, the documentation and the fingerprint call it.
        group: The chapter it stands in.
        takes: For each operand the types it accepts. An Int64 given where only Float64 is accepted is widened.
        variadic: The last entry of `takes` repeats.
        gives: The type of the result, where it does not depend on the operands.
        symbol: The infix or prefix sign that prints it, where it has one.
        keeps_unit: The result has the unit of the first operand; otherwise it has no unit.
        same_unit: All operands must have one unit.
        examples: Uses with their values, tested on every engine.
    """

    name: ClassVar[str]
    group: ClassVar[str]
    takes: ClassVar[tuple[tuple[Type, ...], ...]]
    variadic: ClassVar[bool] = False
    gives: ClassVar[Type | None] = None
    symbol: ClassVar[str | None] = None
    keeps_unit: ClassVar[bool] = False
    same_unit: ClassVar[bool] = False
    examples: ClassVar[tuple[Example, ...]] = ()

    def check(self) -> None:
        """Refuse parameters that cannot be meant.

        Raises:
            ValueError: With what was expected.
        """

    def bind(self, *_units: str | None) -> Operator:
        """The operator with what it takes from its operands' units filled in.

        Raises:
            ValueError: The units do not allow it.
        """
        return self

    def result_type(self, *types: Type) -> Type:
        """The type of the result, given the operands' types; the first operand's unless `gives` is set."""
        return self.gives or types[0]

    def result_unit(self, *units: str | None) -> str | None:
        """The unit of the result, given the operands' units.

        Raises:
            ValueError: The units do not go together.
        """
        return next((unit for unit in units if unit is not None), None) if self.keeps_unit else None

    def expand(self, *operands: Any, **named: Any) -> Term:
        """Its meaning in primitives, given its operands; a subclass names them."""
        raise NotImplementedError(type(self).__name__)


@dataclass(frozen=True)
class FittedOperator(Operator):
    """The base of an operator of one operand whose statistics are fitted over the rows that training keeps."""

    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics of its operand that it needs."""
        raise NotImplementedError(type(self).__name__)

    def expand_fitted(self, fitted: Fitted, x: Term) -> Term:
        """Its meaning in primitives, given its statistics and its operand."""
        raise NotImplementedError(type(self).__name__)


class Fitted:
    """Where an expansion finds the statistics of one operator: `fitted.term("mean")`, `fitted.table("edges")`.

    Given no values, it stands placeholders in their place: the shape of the computation before it is fitted.
    """

    def __init__(self, key: str, kinds: Sequence[Statistic], values: dict[str, Any] | None) -> None:
        self._key = key
        self._types = {kind.name: kind.type for kind in kinds}
        self._values = values

    def term(self, name: str) -> Term:
        """A scalar statistic as a constant.

        Raises:
            KeyError: The operator asks for no statistic of this name, or the state does not have it.
            TypeError: The statistic is a table.
        """
        type_ = self._types[name]
        if type_ is None:
            raise TypeError(f"statistic {name} of {self._key} is a table")
        return terms.statistic(self._key, name, type_) if self._values is None else terms.literal(self._values[name])

    def table(self, name: str) -> tuple[Any, ...] | Placeholder:
        """A table statistic (edges, a vocabulary) as a constant parameter."""
        return Placeholder(self._key, name) if self._values is None else tuple(self._values[name])


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A table statistic that is not known yet."""

    key: str
    name: str
    type: Type = INT64


REGISTRY: dict[str, type[Operator]] = {}
"""Every operator by its name."""
