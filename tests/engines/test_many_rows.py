"""A hundred thousand hard rows through both engines at once, for the operators with the most arithmetic in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from skewcheck.language.types import FLOAT64, STRING, TIMESTAMP
from tests.adversarial import CLOCK_CHANGES, STRINGS, ZONES
from tests.both_engines import column, evaluate

ROWS = 100_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def random() -> np.random.Generator:
    return np.random.default_rng(20130101)


def test_logarithms_agree_on_every_kind_of_float(random: np.random.Generator) -> None:
    bits = random.integers(0, 2**64, ROWS // 2, dtype=np.uint64).view(np.float64)
    with np.errstate(over="ignore"):
        wide = np.exp(random.uniform(-745, 709, ROWS // 4))
    near = random.choice([-1.0, 0.0, 0.5, 1.0, 2.0], ROWS // 4) + random.normal(
        0, 1, ROWS // 4
    ) * 10.0 ** -random.integers(1, 17, ROWS // 4)
    values = np.concatenate([bits, wide, near]).tolist()
    x = column("x", FLOAT64)
    found = evaluate({"log": x.log(), "log1p": x.log1p()}, [{"x": value} for value in values])
    assert sum(row["log"] is not None for row in found) > ROWS // 4


def test_parts_of_instants_agree_over_all_years_and_zones(random: np.random.Generator) -> None:
    everywhere = random.integers(-62_135_596_800_000_000, 253_402_300_799_999_999, ROWS // 8)
    two_centuries = random.integers(-2_208_988_800_000_000, 4_102_444_800_000_000, ROWS // 8)
    changes = [round((change - EPOCH).total_seconds()) * 1_000_000 for change in CLOCK_CHANGES]
    near = random.choice(changes, ROWS // 8) + random.integers(-2, 3, ROWS // 8)
    rows = [{"t": EPOCH + timedelta(microseconds=int(value))} for value in [*everywhere, *two_centuries, *near]]
    t = column("t", TIMESTAMP)
    parts = {
        f"{part}_{zone}": getattr(t, part)(zone)
        for zone in ZONES[:3]
        for part in ("year", "month", "day_of_week", "hour", "minute", "is_weekend")
    }
    parts["seconds_since_half"] = t.seconds_since(t)
    evaluate(parts, rows)


def test_text_operators_agree_on_text_of_every_plane(random: np.random.Generator) -> None:
    points = [*range(0xD800), *range(0xE000, 0x110000, 7)]
    ascii_points = random.integers(0, 128, (ROWS // 2, 6)).tolist()
    any_points = random.choice(points, (ROWS // 2, 4)).tolist()
    texts = ["".join(map(chr, codes)) for codes in (*ascii_points, *any_points)]
    texts += [text for text in STRINGS if text is not None]
    x = column("x", STRING)
    expressions: dict[str, Any] = {
        "lower": x.lower(),
        "strip": x.strip(),
        "length": x.length(),
        "bucket": x.hash_bucket(1000),
        "joined": x.concat("\x00", x).strip().lower(),
        "before": x < "m",
    }
    evaluate(expressions, [{"x": text} for text in texts])
