"""The fingerprint moves with everything that can change a value, and with nothing else."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from skewcheck.language.fingerprint import fingerprint, fingerprint_feature, fingerprint_fit

DECLARATION = '''
import skewcheck as sk
from feast import Field, RequestSource
from feast.types import Bool, Float64, Int64, String, UnixTimestamp

flight = RequestSource(name="flight", schema=[
    Field(name="distance", dtype=Float64, tags={"unit": "mile"}),
    Field(name="duration", dtype=Float64),
    Field(name="seats", dtype=Int64),
    Field(name="carrier", dtype=String),
    Field(name="departure", dtype=UnixTimestamp),
])
training = sk.TrainingSet(entities="rows.parquet", labels=[Field(name="cancelled", dtype=Bool)])
trial = sk.features("trial", sources=[flight], training=training)

def speed_of(distance, duration):
    return distance / duration

@trial.trained_on
def took_off(cancelled):
    """Cancelled flights do not count."""
    return ~cancelled

@trial.trained_on
def far(distance):
    return distance > 50.0

@trial.feature
def distance_z(distance):
    """How far."""
    return distance.to("km").log1p().standardize()

@trial.feature
def speed(distance, duration):
    return speed_of(distance, duration)

@trial.feature
def hour(departure):
    return departure.hour("America/New_York").cyclic_sine(24)

@trial.feature
def airline(carrier):
    return carrier.lower().vocabulary(size=60)

@trial.feature
def band(distance):
    return distance.quantile_bucket(10)

@trial.feature
def late(departure, seats):
    return sk.when(departure.hour() >= 18).then(seats * 2).otherwise(0)
'''


def declare(text: str, place: str = "features.py") -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(textwrap.dedent(text), place, "exec"), namespace)
    return namespace["trial"]


def replaced(old: str, new: str) -> str:
    assert old in DECLARATION, f"{old!r} is not in the declaration"
    return DECLARATION.replace(old, new)


def moved(start: str) -> str:
    """The declaration with the feature that begins so at the end."""
    begin = DECLARATION.index(start)
    end = DECLARATION.find("@trial", begin + 1)
    return DECLARATION[:begin] + DECLARATION[end:] + "\n" + DECLARATION[begin:end]


SAME = {
    "a comment": replaced("    return ~cancelled", "    # They never left.\n    return ~cancelled"),
    "a helper's name": DECLARATION.replace("speed_of", "pace"),
    "a helper written out": replaced("return speed_of(distance, duration)", "return distance / duration"),
    "a docstring": replaced('"""How far."""', '"""Miles and miles."""'),
    "the order of features": moved("@trial.feature\ndef speed"),
    "the order of filters": moved("@trial.trained_on\ndef took_off"),
    "a filter's name": DECLARATION.replace("took_off", "was_airborne"),
    "an intermediate value": replaced(
        'return distance.to("km").log1p()', 'kilometres = distance.to("km")\n    return kilometres.log1p()'
    ),
    "another spelling of a unit": replaced('"km"', '"kilometer"'),
    "a whole number beside floats": replaced("distance > 50.0", "distance > 50"),
    "where the training rows are": replaced("rows.parquet", "elsewhere.parquet"),
    "a column that nothing reads": replaced('Field(name="seats"', 'Field(name="x", dtype=Int64), Field(name="seats"'),
}  # fmt: skip

CHANGED = {
    "an operator": replaced("log1p", "log"),
    "an operator less": replaced(".log1p()", ""),
    "a unit": replaced('"km"', '"meter"'),
    "the unit of a column": replaced('"unit": "mile"', '"unit": "nautical_mile"'),
    "a zone": replaced("America/New_York", "America/Chicago"),
    "a constant": replaced(">= 18", ">= 19"),
    "a constant in the last bit": replaced("distance > 50.0", "distance > 50.00000000000001"),
    "a comparison": replaced(">= 18", "> 18"),
    "a factor": replaced("seats * 2", "seats * 3"),
    "a default": replaced("otherwise(0)", "otherwise(1)"),
    "a period": replaced("cyclic_sine(24)", "cyclic_sine(12)"),
    "sine and cosine": replaced("cyclic_sine", "cyclic_cosine"),
    "a bucket count": replaced("quantile_bucket(10)", "quantile_bucket(11)"),
    "a vocabulary's size": replaced("size=60", "size=61"),
    "the case of a text": replaced(".lower()", ""),
    "the order of operands": replaced("distance / duration", "duration / distance"),
    "a column": replaced("return speed_of(distance, duration)", "return speed_of(distance, distance)"),
    "a column's type": replaced('Field(name="duration", dtype=Float64)', 'Field(name="duration", dtype=Int64)'),
    "where a column comes from": replaced('name="flight"', 'name="journey"'),
    "a feature's name": replaced("def speed(", "def pace("),
    "a feature less": DECLARATION[: DECLARATION.index("@trial.feature\ndef late")],
    "a filter": replaced("distance > 50.0", "distance > 51.0"),
    "a filter less": replaced("@trial.trained_on\ndef far", "def far"),
}


@pytest.mark.parametrize("change", SAME)
def test_stays_where_no_value_can_change(change: str) -> None:
    assert SAME[change] != DECLARATION
    assert fingerprint(declare(SAME[change])) == fingerprint(declare(DECLARATION))
    assert fingerprint_fit(declare(SAME[change])) == fingerprint_fit(declare(DECLARATION))


@pytest.mark.parametrize("change", CHANGED)
def test_moves_where_a_value_can_change(change: str) -> None:
    assert CHANGED[change] != DECLARATION
    assert fingerprint(declare(CHANGED[change])) != fingerprint(declare(DECLARATION))


def test_all_these_changes_have_fingerprints_of_their_own() -> None:
    assert len({fingerprint(declare(text)) for text in CHANGED.values()}) == len(CHANGED)


def test_stays_where_the_file_moves() -> None:
    assert fingerprint(declare(DECLARATION, "/elsewhere/flights.py")) == fingerprint(declare(DECLARATION))


FITTED = {"an operator", "an operator less", "a unit", "the unit of a column", "a bucket count", "a vocabulary's size"}
FITTED |= {"the case of a text", "a filter", "a filter less", "a constant in the last bit"}


@pytest.mark.parametrize("change", CHANGED)
def test_the_fit_moves_only_with_what_decides_a_statistic(change: str) -> None:
    same = fingerprint_fit(declare(CHANGED[change])) == fingerprint_fit(declare(DECLARATION))
    assert same == (change not in FITTED)


def test_a_feature_has_a_fingerprint_of_its_own() -> None:
    before = {feature.name: fingerprint_feature(feature) for feature in declare(DECLARATION).features}
    after = {feature.name: fingerprint_feature(feature) for feature in declare(CHANGED["a zone"]).features}
    assert {name for name in before if before[name] != after[name]} == {"hour"}


def test_is_the_same_in_every_process(tmp_path: Path) -> None:
    import subprocess
    import sys

    quickly = (
        "from skewcheck.store.quick_import import importing_quickly\nwith importing_quickly():\n    import feast\n"
    )
    script = (
        f"{quickly}{DECLARATION}\nfrom skewcheck.language.fingerprint import fingerprint\nprint(fingerprint(trial))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {fingerprint(declare(DECLARATION))}
