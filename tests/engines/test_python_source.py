"""Python source: guards once for all statements that share them, tables once for all that read them."""

from __future__ import annotations

from skewcheck.engines.python import RESERVED, write_source
from skewcheck.language import kernels
from skewcheck.language.terms import call, column, finite, literal, missing
from skewcheck.language.types import FLOAT64, INT64, STRING
from tests.both_engines import load_terms

X, Y, N, S = column("x", FLOAT64), column("y", FLOAT64), column("n", INT64), column("s", STRING)


def test_statements_with_equal_guards_share_one_test() -> None:
    source = write_source({"log": finite(kernels.log1p(X)), "floor": call("floor", X)})
    assert [block.guards for block in source.blocks].count(("x",)) == 1


def test_equal_tables_are_written_once() -> None:
    edges = (1.0, 2.0)
    source = write_source(
        {"a": call("locate", X, parameter=edges), "b": call("locate", Y, parameter=edges), "c": call("length", S)}
    )
    assert [text for _, text in source.tables] == ["(1.0, 2.0)"]


def test_what_is_never_missing_needs_no_guard() -> None:
    source = write_source({"known": call("is_missing", X), "filled": call("coalesce", X, literal(1.0)) * 0.5})
    assert {block.guards for block in source.blocks} == {()}


def test_an_output_may_be_a_column_a_constant_or_missing() -> None:
    source = write_source({"a": X, "b": literal(-0.5), "c": missing(FLOAT64)})
    assert source.outputs == (("a", "x", "Float64"), ("b", "-0.5", "Float64"), ("c", "None", "Float64"))
    assert source.blocks == ()


def test_local_names_keep_clear_of_what_the_code_calls() -> None:
    assert {"md5", "len", "float", "frexp", "ldexp", "bisect_right", "int", "sqrt"} <= RESERVED
    source = write_source({"len": call("length", column("md5", STRING)), "hash": call("digest", column("md5", STRING))})
    assert {local for _, local, _ in source.columns} == {"md5_2"}
    assert all(name != "len" for block in source.blocks for name, _ in block.statements)


def test_a_deep_kernel_over_constants_alone_is_written_once() -> None:
    result = kernels.atan2(literal(2.0), literal(1e16))
    assert load_terms({"result": result})["transform_row"]({})["result"] == 2e-16
