"""The base of every operator.

An operator is one small class: which types it takes and gives, its meaning in words, the statistics it needs, and its
expansion into primitives. The class is the only place that knows it; expressions, engines, documentation and tests
follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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

    def by_key(self) -> Statistic:
        """The table of the same statistic for each key, in the ascending order of the keys."""
        parameters = (("statistic", self.kind), *self.parameters)
        return Statistic(f"{self.name}_by_key", "by_key", type=None, parameters=parameters)


@dataclass(frozen=True, slots=True)
class Example:
    """One use of an operator, tested on every engine.

    Attributes:
        build: The expression, given its operands.
        rows: Values of the operands, and what comes out; None is missing.
        training: For a fitted operator the values of its operand in training, or tuples of them if it has several.
        units: The operands' units, where it needs them.
    """

    build: Callable[..., Expression]
    rows: tuple[tuple[tuple[Any, ...], Any], ...]
    training: tuple[Any, ...] = ()
    units: tuple[str | None, ...] = ()

    def training_rows(self) -> tuple[tuple[Any, ...], ...]:
        """The operands' values in training, row by row."""
        return tuple(row if isinstance(row, tuple) else (row,) for row in self.training)


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
        tolerance: How far engines may differ, relative; 0 for the same bits, as for all that use primitives alone.
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
    tolerance: ClassVar[float] = 0.0
    examples: ClassVar[tuple[Example, ...]] = ()

    @property
    def called(self) -> str | None:
        """The name of the function that it is written as a call of, where it is."""
        return None

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
    """The base of an operator whose statistics are fitted over the rows that training keeps.

    Class attributes:
        roles: What each operand is to the statistics: "value" for what they are statistics of, whose missing values are
            left out, and "key" for what tells groups of rows apart.
    """

    roles: ClassVar[tuple[str, ...]] = ("value",)

    def label_column(self) -> str | None:
        """The column of the training set, by its name, that its statistics read beside the operands."""
        return None

    def statistics(self) -> tuple[Statistic, ...]:
        """The statistics that it needs."""
        raise NotImplementedError(type(self).__name__)

    def expand_fitted(self, fitted: Fitted, *operands: Any, **named: Any) -> Term:
        """Its meaning in primitives, given its statistics and its operands; a subclass names them."""
        raise NotImplementedError(type(self).__name__)


class Fitted:
    """Where an expansion finds the statistics of one operator: `fitted.term("mean")`, `fitted.table("edges")`.

    Given no values, it stands placeholders in their place: the shape of the computation before it is fitted.
    """

    def __init__(self, key: str, kinds: Sequence[Statistic], values: dict[str, Any] | None) -> None:
        self._key = key
        self._types = {kind.name: kind.type for kind in kinds}
        self._values = values

    def term(self, name: str, gives: Type | None = None) -> Term:
        """A scalar statistic as a constant.

        Args:
            name: The statistic's name.
            gives: Its type, where that is its operand's and not fixed.

        Raises:
            KeyError: The operator asks for no statistic of this name, or the state does not have it.
            TypeError: The statistic is a table.
        """
        type_ = self._types[name]
        if type_ is None:
            raise TypeError(f"statistic {name} of {self._key} is a table")
        if self._values is None:
            return terms.statistic(self._key, name, gives or type_)
        return terms.literal(self._values[name])

    def table(
        self,
        name: str,
        arrange: Callable[[tuple[Any, ...]], Iterable[Any]] = tuple,
        *,
        gives: Type = INT64,
    ) -> tuple[Any, ...] | Placeholder:
        """A table statistic (edges, a vocabulary) as a constant parameter.

        Args:
            name: The statistic's name.
            arrange: Makes the parameter of the entries; an entry that is a list in the state is a tuple.
            gives: The type of the values that the table gives.

        Raises:
            KeyError: The operator asks for no statistic of this name, or the state does not have it.
        """
        if self._values is None:
            return Placeholder(self._key, name, gives)
        return tuple(arrange(tuple(tuple(row) if isinstance(row, list) else row for row in self._values[name])))

    def entry(self, name: str, place: int) -> Term:
        """One Float64 of a table statistic as a constant, by its place (0 is the first).

        Raises:
            KeyError: The operator asks for no statistic of this name, or the state does not have it.
        """
        if self._values is None:
            return terms.statistic(self._key, f"{name}[{place}]", FLOAT64)
        return terms.literal(self._values[name][place])

    def by(self, key: Term) -> Fitted:
        """The same statistics for a row's own key; those of all rows for a key that is missing or was not in training.

        The operator asks for `Statistic.by_key` of each statistic that is read so.
        """
        return _FittedByKey(self, key)


class _FittedByKey(Fitted):
    """The scalar statistics of a row's own key."""

    def __init__(self, overall: Fitted, key: Term) -> None:
        self._overall = overall
        self._row_key = key

    def term(self, name: str, gives: Type | None = None) -> Term:
        """The key's own statistic, or that of all rows."""
        table = self._overall.table(f"{name}_by_key", gives=gives or FLOAT64)
        return terms.call(
            "coalesce", terms.call("lookup", self._row_key, parameter=table), self._overall.term(name, gives)
        )


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A table statistic that is not known yet; `type` is that of the values it gives."""

    key: str
    name: str
    type: Type = INT64


REGISTRY: dict[str, type[Operator]] = {}
"""Every operator by its name."""
