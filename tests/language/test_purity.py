"""What an opaque function may not do is refused where it is written; what is harmless is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from skewcheck.errors import DeclarationError
from skewcheck.language.purity import BUILTINS, MODULES
from tests.writing_modules import write_module

REFUSED = {
    "the clock": ("datetime.now().hour + n", "reads the clock", "Pass the time as an argument"),
    "today": ("date.today().day + n", "reads the clock", "Pass the time"),
    "the time": ("time.time() + n", "uses the module time", "from the arguments alone"),
    "a function of time": ("monotonic() + n", "uses the module time", "from the arguments alone"),
    "randomness": ("random.random() + n", "uses the module random", "from the arguments alone"),
    "a function of randomness": ("randint(0, n)", "uses the module random", "from the arguments alone"),
    "the environment": ("int(os.environ['N'])", "uses the module os", "from the arguments alone"),
    "a file": ("len(open('f').read())", "uses open, which does input or output", "from the arguments alone"),
    "printing": ("print(n)", "uses print, which does input or output", "from the arguments alone"),
    "eval": ("eval('n')", "uses eval, which runs code", "from the arguments alone"),
    "an import by name": ("__import__('os').getpid()", "uses __import__", "the value itself"),
    "hash": ("hash(n)", "uses hash, which differs from process to process", "from the arguments alone"),
    "id": ("id(n)", "uses id, which differs from process to process", "from the arguments alone"),
    "globals": ("globals()['n']", "uses globals, which reaches what can change", "from the arguments alone"),
    "getattr": ("getattr(n, 'real')", "uses getattr", "from the arguments alone"),
    "type": ("type(n)(3)", "uses type", "from the arguments alone"),
    "a class of a value": ("n.__class__(3)", "reaches .__class__", "insides"),
    "what is private": ("string._string.formatter_parser('x')", "reaches ._string", "insides"),
    "a module through another": ("len(json.codecs.open('f').read())", "uses the module codecs through json", "alone"),
    "settings of decimal": ("getcontext().prec + n", "uses getcontext, which reads settings", "from the arguments"),
    "settings of decimal by its module": ("decimal.getcontext().prec", "uses getcontext", "from the arguments alone"),
    "shared settings of decimal": ("decimal.DefaultContext.prec", "uses DefaultContext", "from the arguments alone"),
    "a cache": ("functools.lru_cache(abs)(n)", "uses lru_cache, which keeps state", "from the arguments alone"),
    "a list outside": ("NUMBERS[0]", "refers to NUMBERS, a list", "tuples"),
    "a set outside": ("n in CHOSEN", "refers to CHOSEN, a set", "frozensets"),
    "a list in a tuple outside": ("len(MIXED)", "refers to MIXED, a tuple", "tuples"),
    "an object outside": ("THING.value", "refers to THING, a Thing", "plain functions"),
    "a class outside": ("Thing().value", "refers to Thing, a class", "plain functions"),
    "a lambda outside": ("twice(n)", "lambda", "Write it with def"),
    "a decorated helper": ("kept(n)", "refers to kept", "plain functions"),
    "a wrapped helper": ("wrapped(n)", "another decorator|cannot be read", "decorator"),
    "a helper that reads a file": ("reads(n)", "reads uses open", "from the arguments alone"),
    "a helper with a default that is made": ("collects(n)", "collects has a default", "plain constant"),
    "the module's name": ("len(__name__)", "uses __name__", "Write the value itself"),
    "an attribute of a helper": ("counted(n)", "counted changes an attribute (.calls)", "from the arguments alone"),
    "iteration over a set": ("[c for c in {n, 1}][0]", "depends on the order of a set", "sorted"),
    "a set as a list": ("list(set(str(n)))[0]", "depends on the order of a set (list)", "sorted"),
    "a set as text": ("len(','.join({str(n), 'b'}))", "depends on the order of a set (join)", "sorted"),
    "a set's first": ("{n, 2}.pop()", "depends on the order of a set (pop)", "sorted"),
    "a frozenset outside in order": ("max(c + n for c in FROZEN)", "depends on the order of a set", "sorted"),
    "a table outside that is changed": ("TABLE.setdefault('n', n)", "changes TABLE (.setdefault)", "Copy it first"),
    "the machine's zone": ("datetime.fromtimestamp(n).hour", "uses the machine's time zone", "Name the zone"),
    "the machine's zone for an instant": (
        "datetime(2024, 1, 1, tzinfo=UTC).astimezone().hour", "uses the machine's time zone", "Name the zone",
    ),
}  # fmt: skip

STATEMENTS = {
    "global": ("global N\nN = n\nreturn n", "changes what outlives the call (global", "from the arguments alone"),
    "nonlocal": (
        "m = n\ndef inner():\n    nonlocal m\n    m += 1\ninner()\nreturn m", "nonlocal", "from the arguments alone",
    ),
    "an item of a table outside": ("TABLE['n'] = n\nreturn n", "changes an item of what it did not make", "Copy"),
    "an item under another name": ("t = TABLE\nt['n'] = n\nreturn n", "changes an item of what it did", "Copy"),
    "an item that is deleted": ("del TABLE['n']\nreturn n", "changes an item of what it did not make", "Copy"),
    "an item of what a loop gives": ("for t in (TABLE,):\n    t['n'] = 1\nreturn n", "changes an item", "Copy"),
    "an attribute of a module": ("math.pi = 3\nreturn n", "changes an attribute (.pi)", "from the arguments alone"),
    "an attribute of an argument": ("n.real = 3\nreturn n", "changes an attribute (.real)", "from the arguments"),
    "a module that it imports": ("import os\nreturn n", "uses the module os", "Use none but"),
    "a clock that it imports": ("from time import time\nreturn n", "uses the module time", "Use none but"),
    "a member that it imports": ("from decimal import getcontext\nreturn n", "uses getcontext", "alone"),
    "a module through one that it imports": ("import json\nreturn len(json.codecs.open('f').read())", "codecs", ""),
    "with": ("with decimal.localcontext():\n    return n", "enters a context", "from the arguments alone"),
    "a class": ("class A:\n    pass\nreturn n", "defines a class", "plain values and functions"),
    "an assertion": ("assert n > 0\nreturn n", "asserts, which python -O leaves out", "Raise an error"),
    "a cache inside": (
        "@functools.cache\ndef inner(m):\n    return m\nreturn inner(n)", "decorates inner", "keep state",
    ),
    "a generator inside": ("def inner():\n    yield n\nreturn max(inner())", "is a generator", "Return one value"),
    "a coroutine inside": ("async def inner():\n    return n\nreturn n", "is asynchronous", "plain function"),
    "a loop over a set": ("s = set(str(n))\nfor c in s:\n    return int(c)\nreturn 0", "order of a set", "sorted"),
    "a set that is unpacked": ("a, *b = [*{n, 2}]\nreturn a", "order of a set", "sorted"),
    "a set as keys": ("return max(dict.fromkeys({n, 2}))", "order of a set", "sorted"),
    "a union of sets": ("for m in {n}.union({2}):\n    return m\nreturn 0", "order of a set", "sorted"),
    "a set in an f-string": ("return len(f'{ {str(n)} }')", "order of a set", "sorted"),
    "a module as a member": ("from json import codecs\nreturn n", "uses the module codecs through json", "alone"),
    "a set that was changed": ("s = {1}\ns = s | {n}\nreturn list(s)[0]", "order of a set", "sorted"),
    "a name that is not ASCII": ("é = n\nreturn é", "uses the name é", "ASCII"),
}  # fmt: skip

WORLD = """
    import decimal
    import functools
    import json
    import math
    import os
    import random
    import string
    import time
    from datetime import UTC, date, datetime
    from decimal import getcontext
    from random import randint
    from time import monotonic

    NUMBERS = [1, 2]
    CHOSEN = {1, 2}
    MIXED = (1, [2])
    FROZEN = frozenset({1, 2})
    TABLE = {"n": 1}
    N = 1
    twice = lambda x: 2 * x


    class Thing:
        value = 1


    THING = Thing()


    @functools.cache
    def kept(x):
        return x


    def decorator(function):
        @functools.wraps(function)
        def inner(*arguments):
            return function(*arguments)

        return inner


    @decorator
    def wrapped(x):
        return x


    def reads(x):
        return len(open("f").read())


    def collects(x, into=list()):
        return x


    def counted(x):
        counted.calls = x
        return x


    @sk.opaque
    def bad(n: int) -> int:
"""


FIRST_LINE = WORLD.rstrip().count("\n") + 3
"""The line on which the body begins."""


def declare(folder: Path, body: str) -> None:
    """Declare a function with a body."""
    write_module(folder, WORLD.rstrip() + "\n" + "\n".join(f"        {line}" for line in body.split("\n")) + "\n")


@pytest.mark.parametrize("case", [*REFUSED, *STATEMENTS])
def test_what_is_not_pure_is_refused_with_its_line_and_a_remedy(case: str, tmp_path: Path) -> None:
    body, expected, remedy = STATEMENTS[case] if case in STATEMENTS else REFUSED[case]
    body = body if case in STATEMENTS else f"return {body}"
    with pytest.raises(DeclarationError) as caught:
        declare(tmp_path, body)
    assert any(words in caught.value.message for words in expected.split("|")), caught.value.message
    assert caught.value.message.startswith(f"opaque function bad ({tmp_path}")
    assert remedy in str(caught.value.remedy)


@pytest.mark.parametrize(
    ("body", "offset"),
    [("return open('f')", 0), ("m = 1\nm += 2\nreturn hash(m)", 2), ("m = (\n  1,\n  id(n),\n)\nreturn n", 2)],
)
def test_the_line_is_that_of_what_is_wrong(body: str, offset: int, tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=rf"\.py:{FIRST_LINE + offset}\)"):
        declare(tmp_path, body)


ALLOWED = [
    "return len({n, 2}) + sum(sorted({n, 3})) + (n in FROZEN) + int({1} <= {1, 2})",
    "counts = {}\nfor c in str(n):\n    counts[c] = counts.get(c, 0) + 1\nreturn max(counts.values())",
    "rows = [[0] * 3 for _ in range(3)]\nrows[0][1] = n\nrows[0][1] += 1\ndel rows[2]\nreturn rows[0][1]",
    "own = dict(TABLE)\nown['n'] = n\nown.update(a=1)\nreturn own['n'] + TABLE['n']",
    "context = decimal.Context()\ncontext.prec = 5\nreturn int(context.divide(decimal.Decimal(n), decimal.Decimal(3)))",
    "import re\nfrom itertools import groupby\nreturn len(re.findall('1', str(n))) + len(list(groupby(str(n))))",
    "def inner(m):\n    return m * 2\nreturn max([n, 2], key=lambda m: -inner(m))",
    "try:\n    return 10 // n\nexcept ZeroDivisionError:\n    return 0",
    "if n < 2:\n    return 1\nreturn bad(n - 1) * n % 1000",
    "while (m := n // 2) > 3:\n    n = m\nmatch n:\n    case 1:\n        return 1\n    case _:\n        return n",
    "then = datetime.fromtimestamp(n % 1000, UTC)\nreturn then.astimezone(UTC).hour + math.floor(math.pi)",
    "return int(functools.reduce(lambda a, b: a * b, [n, 2])) + len(string.digits) + len(json.dumps([n]))",
]


@pytest.mark.parametrize("body", ALLOWED)
def test_what_is_harmless_is_allowed(body: str, tmp_path: Path) -> None:
    declare(tmp_path, body)


def test_what_is_allowed_is_there() -> None:
    import builtins
    import importlib

    assert all(hasattr(builtins, name) for name in BUILTINS)
    assert all(importlib.import_module(name) for name in MODULES)
    assert not BUILTINS & {"open", "print", "eval", "exec", "input", "globals", "vars", "id", "hash", "getattr"}
