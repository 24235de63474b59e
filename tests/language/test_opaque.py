"""Opaque functions: what can be declared, what its source becomes, and what moves the fingerprint."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import skewcheck as sk
from skewcheck.errors import DeclarationError
from skewcheck.language.expressions import expand, render
from skewcheck.language.fingerprint import fingerprint
from skewcheck.language.opaque import find_functions, name_functions
from skewcheck.language.types import BOOL, FLOAT64, INT64, STRING, TIMESTAMP
from tests.both_engines import column
from tests.declaring import make_service
from tests.writing_modules import write_module

FACTOR = 3


@sk.opaque
def digits(text: str) -> int:
    """How many digits there are."""
    return sum(c.isdigit() for c in text)


@sk.opaque
def scale(x: float, n: int, flag: bool, at: datetime | None) -> float | None:
    return x * n * FACTOR if flag and at else None


class TestCalls:
    """What a call gives."""

    def test_plain_values_run_the_function_itself(self) -> None:
        assert digits("a1b2") == 2
        assert scale(0.5, 2, True, at=datetime(2024, 1, 1, tzinfo=UTC)) == 3.0
        assert digits.__name__ == "digits"
        assert digits.__doc__ == "How many digits there are."

    def test_an_expression_gives_one_of_the_declared_type(self) -> None:
        call = digits(column("s", STRING))
        assert call.type == INT64
        assert render(call + 1) == "(digits(s) + 1)"
        assert name_functions(call + digits(column("t", STRING))) == ("digits",)

    def test_constants_and_names_of_parameters_can_be_given(self) -> None:
        call = scale(column("x", FLOAT64), 2, at=None, flag=column("b", BOOL))
        assert render(call) == "scale(x, 2, b, missing('Timestamp'))"
        assert render(scale(1, n=column("n", INT64), flag=True, at=None)) == "scale(1.0, n, True, missing('Timestamp'))"

    def test_an_int_is_widened_for_a_float(self) -> None:
        assert render(scale(column("n", INT64), 1, True, None)).startswith("scale(n.to_float(), 1")

    @pytest.mark.parametrize(
        ("build", "expected"),
        [
            (lambda s, x: digits(x), "digits takes String for text, and `x` is Float64"),
            (lambda s, x: scale(x, x, True, None), "scale takes Int64 for n, and `x` is Float64"),
            (lambda s, x: scale(x, 1, True, s), "scale takes Timestamp for at, and `s` is String"),
            (lambda s, x: digits(s, s), "digits: too many positional arguments"),
            (lambda s, x: scale(x), "scale: missing a required argument: 'n'"),
            (lambda s, x: digits(text=s, other=s), "digits: got an unexpected keyword argument 'other'"),
            (lambda s, x: scale(x, 2**64, True, None), "does not fit an Int64"),
        ],
    )
    def test_a_wrong_call_is_refused_with_the_features_line(self, build: Any, expected: str) -> None:
        with pytest.raises(DeclarationError) as caught:
            make_service({"s": STRING, "x": FLOAT64}, wrong=build)
        assert expected in caught.value.message
        assert f"wrong ({__file__}:" in caught.value.message
        assert caught.value.remedy


BAD_SIGNATURES = {
    "def f(x) -> int:\n    return 1": "parameter x has no type",
    "def f(x: int):\n    return 1": "does not say what it returns",
    "def f(x: list) -> int:\n    return 1": "parameter x is list, which is no type of a column",
    "def f(x: list[int]) -> int:\n    return 1": "parameter x is list[int], which is no type",
    "def f(x: int | str) -> int:\n    return 1": "parameter x is int | str, which is no type",
    "def f(x: None) -> int:\n    return 1": "parameter x is None, which is no type",
    "def f(x: int) -> None:\n    return None": "returns None, which is no type",
    "def f(x: int) -> 'nowhere':\n    return 1": "has an annotation that cannot be read",
    "def f(x: int = 1) -> int:\n    return 1": "parameter x: int = 1 is not a plain name",
    "def f(*x: int) -> int:\n    return 1": "parameter *x: int is not a plain name",
    "def f(**x: int) -> int:\n    return 1": "parameter **x: int is not a plain name",
    "def f(*, x: int) -> int:\n    return 1": "parameter x: int is not a plain name",
    "def f(x: int, /) -> int:\n    return 1": "parameter x: int is not a plain name",
    "def f() -> int:\n    return 1": "takes no argument",
    "def f(x: int) -> int:\n    yield 1": "is a generator",
    "async def f(x: int) -> int:\n    return 1": "is asynchronous",
    "def é(x: int) -> int:\n    return 1": "has a name that is not ASCII",
}


class TestDeclarations:
    """What can be declared."""

    @pytest.mark.parametrize("source", BAD_SIGNATURES)
    def test_a_signature_without_clear_types_is_refused_with_its_place(self, source: str, tmp_path: Path) -> None:
        with pytest.raises(DeclarationError) as caught:
            write_module(tmp_path, f"@sk.opaque\n{source}\n")
        assert BAD_SIGNATURES[source] in caught.value.message
        assert ".py:2)" in caught.value.message
        assert caught.value.remedy

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("f = sk.opaque(lambda x: x)", "is a lambda"),
            ("class A:\n    @sk.opaque\n    def f(x: int) -> int:\n        return x", "is a method"),
            ("@sk.opaque\nclass A:\n    pass", "is not a plain function"),
            ("f = sk.opaque(len)", "is not a plain function"),
            ("f = sk.opaque(3)", "is not a plain function"),
            ("@sk.opaque\n@staticmethod\ndef f(x: int) -> int:\n    return x", "is not a plain function"),
            (
                "import functools\n@sk.opaque\n@functools.cache\ndef f(x: int) -> int:\n    return x",
                "is not a plain function",
            ),
            (
                "import functools as t\nd = lambda g: t.wraps(g)(lambda x: g(x))\n@sk.opaque\n@d\ndef f(x: int): pass",
                "has another decorator",
            ),
            (
                "def d(g): return g\n@d\n@sk.opaque\ndef f(x: int) -> int:\n    return x",
                "has another decorator",
            ),
        ],
    )
    def test_what_is_no_plain_function_is_refused(self, source: str, expected: str, tmp_path: Path) -> None:
        with pytest.raises(DeclarationError, match=expected) as caught:
            write_module(tmp_path, source + "\n")
        assert caught.value.remedy

    def test_a_function_without_a_file_is_refused(self) -> None:
        names: dict[str, Any] = {"sk": sk}
        with pytest.raises(DeclarationError, match="its file does not hold what was loaded"):
            exec("@sk.opaque\ndef f(x: int) -> int:\n    return x\n", names)

    def test_a_file_that_was_changed_since_it_was_loaded_is_refused(self, tmp_path: Path) -> None:
        text = "def f(x: int) -> int:\n    return x + {}\n"
        module = write_module(tmp_path, text.format(1))
        path = Path(str(module.__file__))
        path.write_text(path.read_text().replace("x + 1", "x + 22"))
        with pytest.raises(DeclarationError, match="does not hold what was loaded"):
            sk.opaque(module.f)

    def test_what_it_uses_may_be_defined_below_it_but_above_the_feature(self, tmp_path: Path) -> None:
        module = write_module(
            tmp_path, "@sk.opaque\ndef f(x: int) -> int:\n    return later(x)\ndef later(x):\n    return x\n"
        )
        assert "def later" in module.f.definition.source
        with pytest.raises(DeclarationError, match=r"\.py:4\): there is no later") as caught:
            write_module(tmp_path, "@sk.opaque\ndef f(x: int) -> int:\n    return later(x)\nf.definition\n")
        assert caught.value.remedy == "Define it above the first feature that calls the function."

    def test_a_name_that_means_two_things_is_refused(self, tmp_path: Path) -> None:
        other = write_module(tmp_path, "LIMIT = 1\ndef helper(x):\n    return x + LIMIT\n")
        sys.modules["other_helpers"] = other
        try:
            with pytest.raises(DeclarationError, match="LIMIT means different things"):
                write_module(
                    tmp_path,
                    "from other_helpers import helper\nLIMIT = 2\n"
                    "@sk.opaque\ndef f(x: int) -> int:\n    return helper(x) + LIMIT\n",
                )
            same = write_module(
                tmp_path,
                "from other_helpers import helper as help_out\nLIMIT = 1\n"
                "@sk.opaque\ndef f(x: int) -> int:\n    return help_out(x) + LIMIT\n",
            )
        finally:
            del sys.modules["other_helpers"]
        assert "help_out = helper" in same.f.definition.source

    def test_two_functions_of_one_name_are_refused_where_they_meet(self, tmp_path: Path) -> None:
        one, two = (write_module(tmp_path, f"@sk.opaque\ndef f(x: int) -> int:\n    return x + {n}\n") for n in (1, 2))
        x = column("x", INT64)
        assert len(find_functions([expand(one.f(x) + one.f(x), {})])) == 1
        with pytest.raises(DeclarationError, match="two different opaque functions are called f"):
            find_functions([expand(one.f(x) + two.f(x), {})])


SOURCE = '''
    import math
    from math import floor as down
    LIMIT = 5
    WIDTHS = {"a": (1, 2.5), "é": (None, -1.0)}

    def helper(x, most=3):
        """Helps."""
        return min(x, LIMIT, most)

    @sk.opaque
    def f(x: float, s: str) -> str | None:
        """Says."""
        # why
        total = helper(x) + down(x) + math.pi
        if total > 3: return f"{total:.{LIMIT}f} {s!r:>10} {{é}}"
        return None
'''

CANONICAL = r"""def _make():
    from math import floor as down
    from types import MappingProxyType
    import math
    LIMIT = 5
    WIDTHS = MappingProxyType({'a': (1, 2.5), '\xe9': (None, -1.0)})
    def f(x, s):
        total = helper(x) + down(x) + math.pi
        if total > len(WIDTHS):
            return '{:.{}f} {!r:>10} {{\xe9}}'.format(total, LIMIT, s)
        return None
    def helper(x, most=3):
        return min(x, LIMIT, most)
    return f
"""


def definition_of(folder: Path, source: str) -> str:
    """The fingerprint of a service that calls the function f of a module."""
    module = write_module(folder, source)
    service = make_service({"x": FLOAT64, "s": STRING}, result=lambda x, s: module.f(x, s))
    return fingerprint(service)


class TestCanonicalSource:
    """What a function's source becomes."""

    def test_it_is_whole_plain_and_in_ascii(self, tmp_path: Path) -> None:
        module = write_module(tmp_path, SOURCE.replace("total > 3", "total > len(WIDTHS)"))
        assert module.f.definition.source == CANONICAL
        assert module.f.definition.takes == ("Float64", "String")
        assert module.f.definition.gives == "String?"

    def test_it_does_what_the_function_does(self, tmp_path: Path) -> None:
        module = write_module(tmp_path, SOURCE)
        names: dict[str, Any] = {}
        exec(module.f.definition.source, names)
        made = names["_make"]()
        for x in (-3.5, 0.0, 2.75, 1e9):
            assert made(x, "é\n'") == module.f(x, "é\n'")

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ('"""Says."""', '"""Says something else, at length."""'),
            ('"""Says."""\n', "pass\n"),
            ('"""Helps."""', ""),
            ("# why", "# for another reason\n\n"),
            ("total = ", "total: float = "),
            ("x: float, s: str", "x: 'float',\n          s: str"),
            ("if total > 3: return", "if (total > 3):\n            return"),
            ("LIMIT = 5\n", "LIMIT = (2 + 3)\n    UNUSED = 7\n"),
            ("{LIMIT}f}", "{ LIMIT }f}"),
            ("def helper(x, most=3)", "def helper(x: float, most: int = 3) -> float"),
            ("import math\n    from math import floor as down", "from math import floor as down\n    import math"),
        ],
    )  # fmt: skip
    def test_what_decides_no_result_does_not_move_the_fingerprint(self, old: str, new: str, tmp_path: Path) -> None:
        assert SOURCE.count(old) == 1
        assert definition_of(tmp_path, SOURCE.replace(old, new)) == definition_of(tmp_path, SOURCE)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("LIMIT = 5", "LIMIT = 6"),
            ("LIMIT = 5", "LIMIT = 5.0"),
            ("most=3", "most=4"),
            ("min(x, LIMIT, most)", "min(x, most)"),
            ("import floor as down", "import ceil as down"),
            ("total > 3", "total >= 3"),
            (":>10", ":>11"),
            ("{{é}}", "{{e}}"),
            ("math.pi", "math.e"),
            ("-> str | None", "-> str"),
            ("s: str", "s: str | None"),
        ],
    )
    def test_what_can_change_a_result_moves_the_fingerprint(self, old: str, new: str, tmp_path: Path) -> None:
        assert old in SOURCE
        assert definition_of(tmp_path, SOURCE.replace(old, new)) != definition_of(tmp_path, SOURCE)

    def test_constants_stay_what_they_are(self, tmp_path: Path) -> None:
        module = write_module(
            tmp_path,
            """
            import math, re
            VALUES = (1, -0.0, 1e-300, math.inf, -math.inf, True, None, b"\\xff", "\\ud800'\\"\\n\\u202e", ())
            NAN = math.nan
            CODES = frozenset({"b", "a"})
            NONE = frozenset()
            WORD = re.compile(r"(?i)^é\\d+$", re.ASCII | re.MULTILINE)
            TABLE = {("a", 1): {"b": 2}, "z": {}, "c": {}}

            @sk.opaque
            def f(x: float, s: str) -> str:
                found = (VALUES, NAN, sorted(CODES), len(NONE), bool(WORD.search(s)), [*TABLE], TABLE["a", 1]["b"])
                return ascii(found)
            """,
        )
        source = module.f.definition.source
        assert source.isascii()
        assert source.isprintable() or set(source) - {"\n"} <= set(map(chr, range(32, 127)))
        names: dict[str, Any] = {}
        exec(source, names)
        assert names["_make"]()(1.0, "é12") == module.f(1.0, "é12")

    def test_a_table_cannot_carry_anything_from_one_call_to_the_next(self, tmp_path: Path) -> None:
        module = write_module(
            tmp_path,
            """
            TABLE = {"a": 1}

            def alias(table):
                return table

            @sk.opaque
            def f(x: int) -> int:
                alias(TABLE).update(a=x)
                return TABLE["a"]
            """,
        )
        names: dict[str, Any] = {}
        exec(module.f.definition.source, names)
        with pytest.raises(AttributeError, match="update"):
            names["_make"]()(2)

    def test_helpers_may_call_each_other_and_themselves(self, tmp_path: Path) -> None:
        module = write_module(
            tmp_path,
            """
            def even(n): return True if n == 0 else odd(n - 1)
            def odd(n): return False if n == 0 else even(n - 1)

            @sk.opaque
            def half(n: int) -> int: return n if n < 2 else half(n // 2)

            @sk.opaque
            def f(x: int) -> bool: return even(half(x))
            """,
        )
        names: dict[str, Any] = {}
        exec(module.f.definition.source, names)
        assert [names["_make"]()(n) for n in (1, 4, 0)] == [False, False, True]

    def test_a_function_inside_another_sees_what_it_closes_over(self) -> None:
        factor = 7

        def twice(n: int) -> int:
            return n * 2

        @sk.opaque
        def inner(n: int) -> int:
            return twice(n) * factor

        names: dict[str, Any] = {}
        exec(inner.definition.source, names)
        assert names["_make"]()(3) == inner(3) == 42

    def test_what_it_closes_over_must_not_be_able_to_change(self) -> None:
        seen: list[int] = []
        with pytest.raises(DeclarationError, match="refers to seen, a list"):

            @sk.opaque
            def inner(n: int) -> int:
                return len(seen) + n

    def test_a_format_inside_a_format_inside_a_format_is_refused(self, tmp_path: Path) -> None:
        # Python 3.11 does not read it at all.
        with pytest.raises((DeclarationError, SyntaxError), match=r"nests formats in an f-string|nested too deeply"):
            write_module(tmp_path, "@sk.opaque\ndef f(x: float, s: str) -> str:\n    return f'{x:{s:{s}}}'\n")

    def test_every_process_and_order_of_definition_gives_the_same_text(self, tmp_path: Path) -> None:
        module = write_module(tmp_path, SOURCE)
        script = (
            "import importlib.util as u, sys\n"
            "spec = u.spec_from_file_location('m', sys.argv[1]); m = u.module_from_spec(spec)\n"
            "spec.loader.exec_module(m); print(m.f.definition.identifier)"
        )
        root = str(Path(__file__).resolve().parents[2])
        done = subprocess.run(
            [sys.executable, "-c", script, str(module.__file__)], capture_output=True, text=True, check=True, cwd=root
        )
        assert done.stdout.strip() == module.f.definition.identifier
        assert module.f.definition.identifier.startswith("skewcheck_f_")


def test_a_timestamp_result_is_a_timestamp_of_the_language(tmp_path: Path) -> None:
    module = write_module(
        tmp_path,
        "from datetime import datetime, timedelta\n@sk.opaque\n"
        "def later(at: datetime, days: int) -> datetime:\n    return at + timedelta(days=days)\n",
    )
    call = module.later(column("t", TIMESTAMP), 3)
    assert call.type == TIMESTAMP
    assert render(call.year()) == "later(t, 3).year()"
