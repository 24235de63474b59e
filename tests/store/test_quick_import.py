"""Feast is imported quickly, and checks what it always checks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from typeguard import _decorators as decorators

from skewcheck.store.quick_import import importing_quickly

MODULE = """
from __future__ import annotations

from typing import TYPE_CHECKING, Iterator, Optional
from typeguard import typechecked

if TYPE_CHECKING:
    from decimal import Decimal

LIMIT: int = 3


def other(x: int) -> int:
    return x


@typechecked
def plain(x: Optional[int], y: "list[str]") -> Iterator[int]:
    yield x or LIMIT


@typechecked
class Outer:
    size: int = 1

    def __init__(self, size: int, exact: Optional[Decimal] = None) -> None:
        self.size: int = size

    @property
    def twice(self) -> int:
        return self.size * 2

    @twice.setter
    def twice(self, value: int) -> None:
        half: int = value // 2
        self.size = half

    @staticmethod
    def made(size: int) -> "Outer":
        return Outer(size)

    class Inner:
        def name(self, given: str) -> str:
            return given


def enclose(factor: int):
    @typechecked
    def scale(x: int) -> int:
        return x * factor

    return scale


scale = enclose(2)
"""


def load(path: Path, way: AbstractContextManager[None]) -> Any:
    spec = spec_from_file_location("checked_module", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["checked_module"] = module
    with way:
        spec.loader.exec_module(module)
    return module


def find_codes(module: Any) -> Iterator[tuple[Any, ...]]:
    outer = module.Outer
    found = (
        module.plain, module.other, module.scale, outer.__init__, outer.twice.fget, outer.twice.fset, outer.made,
        outer.Inner.name,
    )  # fmt: skip
    return (describe(function.__code__) for function in found)


def describe(code: CodeType) -> tuple[Any, ...]:
    constants = tuple(describe(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return code.co_code, names, code.co_qualname, tuple(code.co_lines()), constants


@pytest.fixture
def without_feast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "feast", raising=False)
    monkeypatch.delitem(sys.modules, "checked_module", raising=False)


def test_every_check_is_the_same_code(tmp_path: Path, without_feast: None) -> None:
    path = tmp_path / "checked_module.py"
    path.write_text(MODULE)
    before = decorators.TypeguardTransformer
    plainly, quickly = (list(find_codes(load(path, way))) for way in (nullcontext(), importing_quickly()))
    assert plainly == quickly
    assert any(b"check" in repr(code).encode() for code in quickly)
    assert decorators.TypeguardTransformer is before
    assert decorators.ast.__name__ == "ast"


def test_where_feast_is_there_nothing_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "feast", sys)
    before = decorators.TypeguardTransformer
    with importing_quickly():
        assert decorators.TypeguardTransformer is before


def test_feast_refuses_what_it_refused() -> None:
    script = """
from skewcheck.store.quick_import import importing_quickly
with importing_quickly():
    from feast import Entity
try:
    Entity(name=3)
except Exception as error:
    print(type(error).__name__)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "TypeCheckError\n"
