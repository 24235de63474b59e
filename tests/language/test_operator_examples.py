"""Every operator does what its own examples say, fitted, generated and run on every engine."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skewcheck.errors import DeclarationError
from skewcheck.fit.fitting import fit
from skewcheck.generate.golden import same_value
from skewcheck.language import operators
from skewcheck.language.operator import REGISTRY, Example, Operator
from skewcheck.language.types import BOOL, SCALARS, Type
from tests.adversarial import VALUES
from tests.both_engines import evaluate, type_of
from tests.declaring import make_service, write_rows

CHAPTERS = ["numbers", "choice", "text", "time", "categories", "vectors", "fitted"]

CASES = [
    pytest.param(cls, example, id=f"{cls.group}-{name}-{number}")
    for name, cls in sorted(REGISTRY.items())
    for number, example in enumerate(cls.examples)
]


def declare_example(example: Example) -> tuple[Any, dict[str, Type]]:
    """A service with the example as its one feature, and the types of its columns."""
    names = list(inspect.signature(example.build).parameters)
    columns = {}
    for place, name in enumerate(names):
        seen = [row[place] for row, _ in example.rows]
        columns[name] = type_of([*seen, *(row[place] for row in example.training_rows())])
    units = dict(zip(names, example.units, strict=True)) if example.units else None
    return make_service(columns, units, result=example.build), columns


def fit_example(example: Example, folder: Path) -> tuple[Any, dict[str, Type], Any]:
    service, columns = declare_example(example)
    if not example.training:
        return service, columns, {}
    rows = [dict(zip(columns, values, strict=True)) for values in example.training_rows()]
    path = write_rows(folder / "training.parquet", service, rows)
    return service, columns, fit(service, path).statistics


def other_types() -> Iterator[Any]:
    """Each operator's first example with columns of other types that it takes."""
    for name, cls in sorted(REGISTRY.items()):
        example = cls.examples[0]
        names = list(inspect.signature(example.build).parameters)
        for type_ in SCALARS.values():
            wanted = [cls.takes[min(place, len(cls.takes) - 1)] for place in range(len(names))]
            accepted = [not types or type_ in types for types in wanted]
            columns = {n: type_ if a else BOOL for n, a in zip(names, accepted, strict=True)}
            if sum(accepted) >= len(names) - 1 and not example.training and columns != declare_example(example)[1]:
                with contextlib.suppress(DeclarationError):  # constants of the example are of another type
                    make_service(columns, result=example.build)
                    yield pytest.param(cls, example, columns, id=f"{cls.group}-{name}-{type_}")


@pytest.mark.parametrize(("cls", "example"), CASES)
def test_gives_what_its_examples_say(cls: type[Operator], example: Example, tmp_path: Path) -> None:
    service, columns, state = fit_example(example, tmp_path)
    rows = [dict(zip(columns, values, strict=True)) for values, _ in example.rows]
    (feature,) = service.features
    found = [row["result"] for row in evaluate({"result": feature.expression}, rows, state)]
    expected = [value for _, value in example.rows]
    assert all(same_value(a, b) for a, b in zip(found, expected, strict=True)), f"{found} is not {expected}"


def meet_everything(columns: dict[str, Type]) -> list[dict[str, Any]]:
    """Rows in which every hard value of each column meets every hard value of the others, thinned out from 300 on."""
    rows: list[dict[str, Any]] = [{}]
    for name, type_ in columns.items():
        values = VALUES[type_][:: 1 if len(rows) < 300 else 7]
        rows = [{**row, name: value} for row in rows for value in values]
    return rows


@pytest.mark.parametrize(("cls", "example"), CASES)
def test_means_the_same_on_both_engines_for_every_hard_value(
    cls: type[Operator], example: Example, tmp_path: Path
) -> None:
    service, columns, state = fit_example(example, tmp_path)
    (feature,) = service.features
    evaluate({"result": feature.expression}, meet_everything(columns), state)


@pytest.mark.parametrize(("cls", "example", "columns"), list(other_types()))
def test_means_the_same_on_both_engines_for_every_type_that_it_takes(
    cls: type[Operator], example: Example, columns: dict[str, Type]
) -> None:
    (feature,) = make_service(columns, result=example.build).features
    evaluate({"result": feature.expression}, meet_everything(columns))


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_operator_has_examples_a_meaning_and_a_chapter(name: str) -> None:
    cls = REGISTRY[name]
    assert cls.examples, "every operator shows how it is used"
    assert (cls.__doc__ or "").strip()
    assert cls.group in CHAPTERS
    built = [example.build for example in cls.examples]
    assert len(built) == len(set(built))


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_operator_says_what_a_missing_operand_gives(name: str) -> None:
    rows = [values for example in REGISTRY[name].examples for values, _ in example.rows]
    assert any(None in values for values in rows), f"no example of {name} has a missing operand"


def test_every_chapter_is_a_module_of_operators() -> None:
    assert {cls.group for cls in REGISTRY.values()} == set(CHAPTERS)
    assert set(operators.__all__) >= set(CHAPTERS) - {"fitted"}
