"""Every strategy of imputation, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from skewcheck.errors import DeclarationError, StateError
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type
from tests.both_engines import apply, column
from tests.fitted import fit_and_apply


@pytest.mark.parametrize(
    ("training", "mode"),
    [
        ([3, 1, 3, 1, 9], 1),
        ([True, False, True], True),
        ([2.5, -1.0], -1.0),
        ([-0.0, 0.0, 1.0], 0.0),
        ([2**63 - 1], 2**63 - 1),
        (["b", "a", None, None], "a"),
    ],
)
def test_the_mode_has_the_type_of_its_column(training: list[Any], mode: Any) -> None:
    (found,) = fit_and_apply(lambda x: x.impute("mode"), training, [None])
    assert repr(found) == repr(mode)


@pytest.mark.parametrize(("type_", "value"), [(FLOAT64, 0.5), (INT64, 3), (STRING, "x"), (BOOL, True)])
def test_a_constant_is_what_fill_gives(type_: Type, value: Any) -> None:
    x = column("x", type_)
    assert str(x.impute("constant", value)) == str(x.fill(value))
    assert apply(lambda x: x.impute("constant", value), [(None,), (value,)]) == [value, value]


def test_a_column_without_values_has_no_mode() -> None:
    with pytest.raises(StateError, match="no value"):
        fit_and_apply(lambda x: x.impute("mode"), [None], [])


@pytest.mark.parametrize("arguments", [("middle",), (None,), ("constant",), ("mean", 3.0), ("mode", 1.0), (["mean"],)])
def test_other_strategies_are_refused(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(DeclarationError, match="impute"):
        column("x", FLOAT64).impute(*arguments)


def test_an_instant_has_no_mode() -> None:
    with pytest.raises(DeclarationError, match="impute_mode takes"):
        column("t", TIMESTAMP).impute("mode")


@pytest.mark.parametrize("strategy", ["mean", "median", "mode"])
def test_the_unit_stays(strategy: str) -> None:
    assert column("x", FLOAT64, "meter").impute(strategy).unit == "meter"
