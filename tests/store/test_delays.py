"""Delays as they are written on a command line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from skewcheck.errors import UsageError
from skewcheck.store.delays import parse_delays


def test_every_view_has_its_own_delay() -> None:
    found = parse_delays(["weather=2h", "plane=90s"])
    assert found == {"weather": timedelta(hours=2), "plane": timedelta(seconds=90)}
    assert parse_delays([]) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("weather", "--delay weather: expected VIEW=TIME"),
        ("=2h", "--delay =2h: expected VIEW=TIME"),
        ("weather=", "--delay weather=: '' is not a duration"),
        ("weather=-2h", "--delay weather=-2h: a delay is not negative"),
        ("weather=2furlongs", "--delay weather=2furlongs: '2furlongs' is not a duration"),
        ("weather=2", "'2' is not a duration"),
        ("weather=1e400h", "is not a duration"),
    ],
)
def test_what_is_no_delay_is_refused_with_an_example(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_delays([text])
    assert message in caught.value.message
    assert caught.value.remedy


def test_a_view_has_one_delay() -> None:
    with pytest.raises(UsageError, match="view weather has a delay already"):
        parse_delays(["weather=2h", "weather=3h"])
