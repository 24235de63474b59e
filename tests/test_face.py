"""`import skewcheck as sk`: every name of the language, and nothing loaded before one is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import skewcheck as sk

OURS = "import sys, skewcheck{}; print(*sorted(n for n in sys.modules if n.split('.')[0] == 'skewcheck'))"


@pytest.mark.parametrize("name", sk.__all__)
def test_every_name_is_there_and_is_the_same_each_time(name: str) -> None:
    assert callable(getattr(sk, name))
    assert getattr(sk, name) is getattr(sk, name)
    assert name in dir(sk)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'feature'"):
        _ = sk.feature


@pytest.mark.parametrize(
    ("asked", "loaded"), [("", {"skewcheck"}), (".serving.schema", {"skewcheck.errors", "skewcheck.serving.schema"})]
)
def test_nothing_is_loaded_before_it_is_asked_for(asked: str, loaded: set[str]) -> None:
    done = subprocess.run([sys.executable, "-c", OURS.format(asked)], capture_output=True, text=True, check=True)
    found = set(done.stdout.split())
    assert loaded <= found
    assert not any(name.startswith("skewcheck.language") for name in found)
