"""Opaque functions give the same on Python and DuckDB, and their results are checked alike."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import skewcheck as sk
from skewcheck.engines import duckdb as duckdb_engine
from skewcheck.engines import spark
from skewcheck.engines.duckdb import write_query
from skewcheck.engines.execution import run_query
from skewcheck.engines.opaque import find_failure, load_functions, register_functions
from skewcheck.engines.python import write_source
from skewcheck.engines.query import write_query as write_dialect
from skewcheck.errors import EngineError, OpaqueError
from skewcheck.generate.row_module import render_row_module
from skewcheck.language.expressions import expand
from skewcheck.language.opaque import Opaque, find_functions
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP, Type
from tests.adversarial import VALUES
from tests.both_engines import column, evaluate, load_terms
from tests.writing_modules import write_module

ROOT = str(Path(__file__).resolve().parents[2])


@sk.opaque
def show_float(x: float) -> str:
    return x.hex()


@sk.opaque
def halve(x: float) -> float:
    return x / 2


@sk.opaque
def step(n: int) -> int:
    return n - 1 if n > 0 else n + 1


@sk.opaque
def invert(b: bool) -> bool:
    return not b


@sk.opaque
def reverse(s: str) -> str:
    return s[::-1]


@sk.opaque
def next_day(at: datetime) -> datetime | None:
    return at + timedelta(days=1) if at.year < 9999 else None


@sk.opaque
def say_zone(at: datetime) -> str:
    return f"{at.isoformat()} {at.utcoffset()}"


@sk.opaque
def describe(x: float | None, n: int | None, b: bool | None, s: str | None, at: datetime | None) -> str:
    return f"{x!r} {n!r} {b!r} {s!r} {at!r}"


@sk.opaque
def first_known(x: float | None, y: float | None) -> float | None:
    return y if x is None else x


SAME = {
    FLOAT64: (show_float, halve),
    INT64: (step,),
    BOOL: (invert,),
    STRING: (reverse,),
    TIMESTAMP: (next_day, say_zone),
}


@pytest.mark.parametrize(("type_", "function"), [(t, f) for t, functions in SAME.items() for f in functions])
def test_both_engines_give_the_same_for_every_hard_value(type_: Type, function: Opaque) -> None:
    values = VALUES[type_]
    found = evaluate({"result": function(column("x", type_))}, [{"x": value} for value in values])
    for given, row in zip(values, found, strict=True):
        readable = given is not None and not (type_ == FLOAT64 and not math.isfinite(given))
        expected = function.function(given) if readable else None
        assert row["result"] == expected or (isinstance(expected, float) and math.isinf(expected))


def test_missing_arguments_are_passed_on_only_where_the_function_takes_them() -> None:
    columns = {"x": FLOAT64, "n": INT64, "b": BOOL, "s": STRING, "t": TIMESTAMP}
    operands = [column(name, type_) for name, type_ in columns.items()]
    last = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    values = [
        (None, None, None, None, None),
        (0.1, -(2**63), True, "é😀", datetime(1, 1, 1, tzinfo=UTC)),
        (None, 2**63 - 1, False, "\x00", None),
        (math.inf, None, None, "", last),
        (-1e300, 0, True, None, None),
    ]
    rows = [dict(zip(columns, row, strict=True)) for row in values]
    found = evaluate({"told": describe(*operands), "first": first_known(operands[0], 2.5)}, rows)
    assert all(row["told"] is not None for row in found)
    assert found[0]["told"] == "None None None None None"
    assert found[0]["first"] == 2.5
    assert evaluate({"none": first_known(operands[0], None)}, [{"x": None}]) == [{"none": None}]


def test_a_result_can_be_read_by_every_other_operator() -> None:
    x, t = column("x", FLOAT64), column("t", TIMESTAMP)
    half = halve(x + 1)
    rows = [{"x": v, "t": a} for v in (None, 0.0, 3.0, -1.0) for a in (None, datetime(2024, 2, 28, 22, tzinfo=UTC))]
    found = evaluate(
        {
            "sum": half + half * half,
            "chosen": sk.when(half > 1).then(halve(half)).otherwise(halve(x)),
            "filled": half.fill(-1.0),
            "month": next_day(t).month("Europe/Paris"),
            "since": next_day(t) - t,
            "nested": halve(halve(half)),
            "missing": halve(x).is_missing(),
        },
        rows,
    )
    assert found[5] == {
        "sum": 6.0, "chosen": 1.0, "filled": 2.0, "month": 2, "since": 86400.0, "nested": 0.5, "missing": False,
    }  # fmt: skip


class Kind(IntEnum):
    """A subclass of int."""

    ONE = 1


class Word(StrEnum):
    """A subclass of str."""

    ONE = "one"


RESULTS: list[tuple[str, Any, Any]] = [
    ("float", math.nan, None),
    ("float", math.inf, None),
    ("float", -math.inf, None),
    ("float", 3, 3.0),
    ("float", 2**53 + 1, float(2**53)),
    ("float", -(2**63), -(2.0**63)),
    ("int", 2**63 - 1, 2**63 - 1),
    ("int", Kind.ONE, 1),
    ("str", Word.ONE, "one"),
    ("str", "é😀\x00", "é😀\x00"),
    ("datetime", datetime(2024, 1, 1, 5, tzinfo=timezone(timedelta(hours=5))), datetime(2024, 1, 1, tzinfo=UTC)),
    ("float | None", None, None),
    ("bool | None", None, None),
    ("datetime | None", None, None),
]

WRONG: list[tuple[str, Any, type[Exception], str]] = [
    ("float", True, TypeError, "gave bool True, expected a float"),
    ("float", "1.5", TypeError, "gave str '1.5', expected a float"),
    ("float", None, TypeError, "gave NoneType None, expected a float"),
    ("float", 10**400, OverflowError, "gave an int that is too large for a float"),
    ("int", 1.0, TypeError, "gave float 1.0, expected an int"),
    ("int", True, TypeError, "gave bool True, expected an int"),
    ("int", 2**63, OverflowError, "gave an int that does not fit 64 bits"),
    ("int", -(2**63) - 1, OverflowError, "gave an int that does not fit 64 bits"),
    ("bool", 1, TypeError, "gave int 1, expected a bool"),
    ("bool", None, TypeError, "gave NoneType None, expected a bool"),
    ("str", b"a", TypeError, "gave bytes b'a', expected a str"),
    ("str", "\ud800", ValueError, "gave a lone surrogate"),
    ("datetime", 3, TypeError, "gave int 3, expected a datetime"),
    ("datetime", datetime(2024, 1, 1), ValueError, "has no time zone"),  # noqa: DTZ001
    (
        "datetime",
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5))),
        OverflowError,
        "outside the years 1 to 9999 in UTC",
    ),
    ("float | None", [1.0], TypeError, "gave list [1.0], expected a float"),
]


def call_giving(folder: Path, annotation: str) -> tuple[Any, str]:
    """A call of a function with a result annotation, and the text of its definition; it gives what `GIVE` holds."""
    module = write_module(
        folder,
        f"from datetime import datetime\n@sk.opaque\ndef give(n: int) -> {annotation}:\n    return n\n",
    )
    definition = module.give.definition
    source = definition.source.replace("return n\n", "return GIVE\n", 1)
    call = module.give(column("n", INT64))
    term = expand(call, {})
    return replace(term, parameter=definition._replace(source=source)), source


def run_python(term: Any, value: Any) -> Any:
    module = load_terms({"result": term})
    module["GIVE"] = value
    return module["transform_row"]({"n": 1})["result"]


def run_duckdb(term: Any, value: Any) -> Any:
    loaded = load_functions(find_functions([term]))
    next(iter(loaded.values()))[0].__globals__["GIVE"] = value
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("inputs", pa.table({"n": [1]}))
        register_functions(connection, loaded)
        return connection.execute(write_query({"result": term})).to_arrow_table().to_pylist()[0]["result"]


@pytest.mark.parametrize(("annotation", "value", "expected"), RESULTS)
@pytest.mark.parametrize("run", [run_python, run_duckdb])
def test_what_a_result_becomes(
    run: Callable[[Any, Any], Any], annotation: str, value: Any, expected: Any, tmp_path: Path
) -> None:
    term, _ = call_giving(tmp_path, annotation)
    found = run(term, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("annotation", "value", "error", "expected"), WRONG)
def test_a_result_of_another_type_is_refused_by_both_engines(
    annotation: str, value: Any, error: type[Exception], expected: str, tmp_path: Path
) -> None:
    term, _ = call_giving(tmp_path, annotation)
    with pytest.raises(error, match=r"^opaque function give gave ") as in_python:
        run_python(term, value)
    assert expected in str(in_python.value)
    with pytest.raises(duckdb.Error) as in_duckdb:
        run_duckdb(term, value)
    failure = find_failure(in_duckdb.value)
    assert isinstance(failure, OpaqueError)
    assert failure.message == str(in_python.value)


@sk.opaque
def ratio(n: int) -> float:
    if n == 7:
        raise ValueError("seven\n\nand more")
    return 1 / n


def test_an_exception_inside_names_the_function_and_never_becomes_a_value() -> None:
    call = ratio(column("n", INT64))
    term = expand(call, {})
    for given, expected in ((0, "ZeroDivisionError: division by zero (for 0)"), (7, "ValueError: seven\n\nand more")):
        with pytest.raises(RuntimeError) as in_python:
            load_terms({"result": term})["transform_row"]({"n": given})
        assert str(in_python.value).startswith(f"opaque function ratio raised {expected}")
        assert isinstance(in_python.value.__cause__, (ValueError, ZeroDivisionError))
        rows = [{"n": n} for n in (1, 2, given, 3)]
        with pytest.raises(OpaqueError) as in_duckdb:
            run_query(write_query({"result": term}), {"n": INT64}, rows, ["result"], find_functions([term]))
        assert in_duckdb.value.message == str(in_python.value)
        assert in_duckdb.value.remedy


def test_a_failure_of_the_engine_itself_is_not_the_functions() -> None:
    with pytest.raises(duckdb.ParserException) as caught, duckdb.connect() as connection:
        connection.execute("SELECT opaque function FROM")
    assert find_failure(caught.value) is None


def test_a_function_is_called_once_for_each_row_that_has_its_arguments() -> None:
    loaded = load_functions([halve.definition])
    ((identifier, (function, takes, gives)),) = loaded.items()
    called: list[float] = []

    def count(x: float | None) -> Any:
        called.append(x)
        return function(x)

    half = halve(column("x", FLOAT64))
    term = expand(half + half * half, {})
    with duckdb.connect() as connection:
        register_functions(connection, {identifier: (count, takes, gives)})
        connection.register("inputs", pa.table({"x": [1.0, 2.0, None, 3.0]}))
        connection.execute(write_query({"result": term})).fetchall()
    assert sorted(x for x in called if x is not None) == [1.0, 2.0, 3.0]


def test_an_engine_that_cannot_run_it_refuses_it_by_name() -> None:
    spellings = {name: text for name, text in duckdb_engine.SPELLINGS.items() if name != "lower"}
    dialect = replace(duckdb_engine.DIALECT, spellings=spellings)
    with pytest.raises(EngineError, match=r"^Spark cannot run the opaque function reverse") as caught:
        spark.write_query({"result": expand(reverse(column("s", STRING)), {})})
    assert caught.value.remedy
    with pytest.raises(EngineError, match=r"^DuckDB cannot run the primitive lower"):
        write_dialect(dialect, {"result": expand(column("s", STRING).lower(), {})}, source="inputs")


def test_a_row_module_with_functions_needs_the_standard_library_only(tmp_path: Path) -> None:
    term = expand(say_zone(next_day(column("t", TIMESTAMP))), {})
    text = render_row_module(
        write_source({"told": term}), service="s", definition="0", state="0", expressions={"told": "told"}
    )
    (tmp_path / "row.py").write_text(text, encoding="utf-8")
    script = (
        "import sys\nnames = {'__name__': 'row'}\nexec(open(sys.argv[1]).read(), names)\n"
        "from datetime import datetime, timezone\n"
        "print(names['transform_row']({'t': datetime(2024, 1, 1, tzinfo=timezone.utc)})['told'])\n"
        "print({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(tmp_path / "row.py")], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["2024-01-02T00:00:00+00:00 0:00:00", "{'__main__'}"]


WITHOUT_NUMPY = """
import sys
sys.modules["numpy"] = None
import duckdb
from skewcheck.engines.opaque import register_functions
from skewcheck.errors import UsageError
with duckdb.connect() as connection:
    try:
        register_functions(connection, {"skewcheck_f_0": (abs, ("Int64",), "Int64")})
    except UsageError as error:
        print(error.message)
"""


def test_where_numpy_is_not_installed_that_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NUMPY],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": ROOT},
    )  # fmt: skip
    assert done.stdout.strip() == "DuckDB calls opaque functions through NumPy, which is not installed", done.stderr
