"""Whatever a string contains, in generated code it stays a string."""

from __future__ import annotations

import ast
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skewcheck.engines.execution import run_query
from skewcheck.engines.python import literal_text
from skewcheck.engines.sql import quote_name, quote_text
from skewcheck.fit.state import State
from skewcheck.generate.generation import generate, load_row_module
from skewcheck.generate.rendering import comment_text
from skewcheck.language.fingerprint import fingerprint_fit
from skewcheck.language.types import FLOAT64, STRING
from tests.declaring import PLACES, empty_state, make_service

HOSTILE = [
    "'", '"', "'''", '"""', "\\", "\\'", '\\"', '\\"""', "\n", "\r", "\r\n", "\x00", "a\x00b", "\t", "\x0c", "\x1a",
    "\x85", "\u2028", "\u2029", "{{ 1 }}", "{% raw %}", "{# c #}", "{0}", "{}", "%s", "$1", "?", ";", "--", "/*",
    "*/", "#",
    "'); import os; os.system('true') #", '"""\nimport os\n"""', "' OR 1=1 --", "\" OR \"\"=\"", "\\N{DIGIT ONE}",
    "\\x41", "\\u0041", "\\", "\\\\", "${x}", "`", "\ufeff", "\u202e", "😀", "\U0010ffff", "é", "e\u0301", "", " ",
    "None", "NaN",
]  # fmt: skip

hostile = st.lists(
    st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=4
).map("".join)


def with_examples(test: Any) -> Any:
    for text in HOSTILE:
        test = example(text)(test)
    return test


@with_examples
@given(hostile)
def test_a_string_constant_in_python_is_one_literal_of_plain_ascii(text: str) -> None:
    written = literal_text(text)
    assert ast.literal_eval(written) == text
    assert written.isascii()
    assert written.isprintable()


@pytest.mark.parametrize("value", [b"a", object(), {1, 2}, type("Text", (str,), {})("a"), type("Int", (int,), {})(1)])
def test_only_exact_types_have_literals(value: Any) -> None:
    with pytest.raises(TypeError, match="no literal"):
        literal_text(value)


@with_examples
@given(hostile)
def test_a_comment_is_one_line_that_cannot_end(text: str) -> None:
    written = comment_text(text)
    assert written.isascii()
    assert written.isprintable()
    assert '"' not in written
    assert "*/" not in written
    assert ast.parse(f'"""{written}"""').body[0].value.value is not None
    assert len(ast.parse(f'x = 1  # {written}\n"""{written}"""\n').body) == 2


@given(st.lists(hostile, min_size=1, max_size=30))
def test_sql_gives_string_constants_back(texts: list[str]) -> None:
    query = f"SELECT *, {', '.join(f'{quote_text(text)} AS c{place}' for place, text in enumerate(texts))} FROM inputs"
    (found,) = run_query(query, {"x": FLOAT64}, [{"x": 1.0}], [f"c{place}" for place in range(len(texts))])
    assert list(found.values()) == texts


def test_a_name_with_a_nul_has_no_sql() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quote_name("a\x00b")


def shape(text: str) -> str:
    """The structure of Python source, with every constant blanked out."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)


def generate_files(text: str, unit: str = "mile") -> tuple[dict[str, str], dict[str, Any]]:
    """A service with the text wherever a declaration and a state can hold one."""
    service = make_service(
        {"s": STRING, "x": FLOAT64},
        {"x": unit},
        hot=lambda s: s.one_hot(["plain", text + "!"]),
        listed=lambda s: s.is_in(["plain", text + "!"]),
        joined=lambda s: s.concat(text, "!"),
        same=lambda s: s == text + "!",
        code=lambda s: s.vocabulary(),
    )
    for feature in service._functions.values():
        feature.__doc__ = text
    statistics = {"s.vocabulary()": {"entries": ["plain", text + "!", text + "?"]}}
    state = State("trial", fingerprint_fit(service), statistics, {"sources": {text: text}})
    return generate(service, state, PLACES, {}).files, statistics


PLAIN, _ = generate_files("harmless")


@with_examples
@given(hostile)
@settings(max_examples=30)
def test_hostile_text_in_constants_vocabularies_and_documentation_changes_no_structure(text: str) -> None:
    files, _ = generate_files(text)
    for name in ("row.py", "feast_objects.py"):
        assert shape(files[name]) == shape(PLAIN[name])
        assert files[name].isascii()
    transform_row = load_row_module(files["row.py"])["transform_row"]
    rows: list[dict[str, Any]] = [{"s": text + "!"}, {"s": text + "?"}, {"s": None}]
    expected = [
        {"hot": [0.0, 1.0], "listed": True, "joined": f"{text}!{text}!", "same": True, "code": 2},
        {"hot": [0.0, 0.0], "listed": False, "joined": f"{text}?{text}!", "same": False, "code": 3},
        {"hot": [0.0, 0.0], "listed": None, "joined": None, "same": None, "code": None},
    ]
    assert [transform_row(row) for row in rows] == expected
    assert run_query(files["features.sql"], {"s": STRING}, rows, list(expected[0])) == expected


WORDS = ["select", "SELECT", "from", "order", "table", "class", "def", "None", "lambda", "len", "md5", "bisect_right"]
WORDS += ["_float64", "step_1", "COLUMNS", "INFINITY", "row", "value", "a b", 'a"b', "a'b", "1", "é", "😀", "İ", "x.y"]
WORDS += ["level_0", "inputs", "key", "__class__", "{{ x }}", "a\nb", "-- a", "*", "\\", "%", "datetime", "float", "ſ"]

column_names = st.sampled_from(WORDS) | hostile.filter(lambda n: n and not n.startswith(("$", "#")) and "\x00" not in n)


@given(st.lists(column_names, min_size=3, max_size=3, unique_by=str.casefold))
@example(["select", "class", 'a"b'])
@example(["a b", "a_b", "a.b"])
@example(["row", "kept", "value"])
@example(["step_1", "step_2", "step_3"])
@example(["{{ x }}", "a\nb", "*"])
@settings(max_examples=30)
def test_hostile_column_names_change_nothing_but_the_name(names: list[str]) -> None:
    # A parameter is a Python identifier, so such a column is read through the expression itself.
    from tests.both_engines import column, evaluate

    first, second, third = (column(name, FLOAT64) for name in names)
    expressions = {
        "total": (first + second) * third,
        "logarithm": (first + second).log1p() - (first + second),
        "either": first.fill(second).fill(third),
    }
    rows = [dict(zip(names, values, strict=True)) for values in [(1.0, 2.0, 3.0), (None, 2.0, 3.0), (None, None, 3.0)]]
    found = evaluate(expressions, rows)
    assert [row["total"] for row in found] == [9.0, None, None]
    assert [row["either"] for row in found] == [1.0, 2.0, 3.0]


def test_a_column_whose_name_is_an_sql_word_can_be_declared_and_read() -> None:
    service = make_service({"select": FLOAT64, "order": FLOAT64}, total=lambda select, order: select + order)
    files = generate(service, empty_state(service), PLACES, {}).files
    row = {"select": 1.0, "order": 2.0}
    assert load_row_module(files["row.py"])["transform_row"](row) == {"total": 3.0}
    assert run_query(files["features.sql"], {"select": FLOAT64, "order": FLOAT64}, [row], ["total"]) == [{"total": 3.0}]


@pytest.mark.parametrize("unit", ["mile", "degF", "kilometer / hour"])
def test_units_stay_in_the_manifest(unit: str) -> None:
    files, _ = generate_files("harmless", unit)
    assert shape(files["row.py"]) == shape(PLAIN["row.py"])
