"""Why two tables differ, by their values alone: each fault is planted, and has to be named first."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skewcheck.compare.findings import ColumnFinding
from tests.adversarial import FLOATS, STRINGS
from tests.compare.comparing import column, compare

ROWS = 1500
RANDOM = random.Random(7)
NUMBERS = [RANDOM.gauss(50, 20) for _ in range(ROWS)]
COUNTS = [float(RANDOM.randrange(1000)) for _ in range(ROWS)]
SECONDS = [1_700_000_000 + row * 60.5 for row in range(ROWS)]
WORDS = [RANDOM.choice(["New York", "são paulo", "Köln", " Oslo", "tokyo", "Lima ", "Bern"]) for _ in range(ROWS)]
AT = [datetime(2024, 3, 1, tzinfo=UTC) + timedelta(minutes=row) for row in range(ROWS)]

Change = Callable[[Any], Any]

HARD = {"numbers": st.none() | st.sampled_from(FLOATS) | st.floats(), "texts": st.none() | st.sampled_from(STRINGS)}


def find(trained: Sequence[Any], served: Sequence[Any], **more: Any) -> ColumnFinding:
    """What is found about a column "x"; further columns stand in both tables."""
    options = {name: more.pop(name) for name in ("at", "by") if name in more}
    a, b = (pa.table({"id": range(ROWS), "x": list(values), **more}) for values in (trained, served))
    return column(compare(a, b, explain=True, **options))


def first(finding: ColumnFinding) -> tuple[str, float]:
    return finding.causes[0]["kind"], finding.causes[0]["explains"]


def as_float32(number: float) -> float:
    return float(struct.unpack("f", struct.pack("f", number))[0])


PLANTED: list[tuple[str, list[Any], Change, dict[str, Any]]] = [
    ("unit", NUMBERS, lambda x: x * 1.609344, {"factor": 1.609344}),
    ("unit", NUMBERS, lambda x: x * 1.8 + 32, {"factor": 1.8, "offset": 32.0}),
    ("unit", NUMBERS, lambda x: x / 1000, {"factor": 0.001}),
    ("unit", NUMBERS, lambda x: -x, {"factor": -1.0}),
    ("statistics", NUMBERS, lambda x: (x - 3.1) / 1.7, {"factor": 1 / 1.7, "offset": -3.1 / 1.7}),
    ("statistics", NUMBERS, lambda x: x - 0.07, {"factor": 1.0, "offset": -0.07}),
    ("epoch_unit", SECONDS, lambda x: x * 1000, {"factor": 1000.0}),
    ("timezone", SECONDS, lambda x: x - 7200, {"offset": -7200.0}),
    ("precision", NUMBERS, as_float32, {"side": "serving", "bits": 32}),
    ("rounding", NUMBERS, lambda x: round(x, 2), {"side": "serving", "rounding": "round", "digits": 2}),
    ("rounding", NUMBERS, lambda x: math.floor(x * 10) / 10, {"rounding": "floor", "digits": 1}),
    ("cast", NUMBERS, math.trunc, {"rounding": "trunc", "digits": 0}),
    ("cast", [x * 1000 for x in COUNTS], lambda x: float((int(x) + 2**15) % 2**16 - 2**15), {"bits": 16}),
    ("clip", NUMBERS, lambda x: min(x, 60.5), {"side": "serving", "bound": 60.5}),
    ("clip", NUMBERS, lambda x: max(x, 10.25), {"side": "serving", "bound": 10.25}),
    ("operator_added", COUNTS, math.log1p, {"operator": "the logarithm of 1 + x"}),
    ("operator_dropped", [math.log1p(x) for x in COUNTS], math.expm1, {"operator": "the logarithm of 1 + x"}),
    ("constant", NUMBERS, lambda x: 0.0, {"constant": 0.0}),
    ("environment", NUMBERS, lambda x: x * (1 + 3e-16), {}),
    ("default", [None if row % 9 == 0 else x for row, x in enumerate(NUMBERS)], lambda x: -1.0 if x is None else x, {}),
    ("default", [-1.0 if row % 9 == 0 else x for row, x in enumerate(NUMBERS)], lambda x: None if x == -1.0 else x, {}),
    ("not_served", NUMBERS, lambda x: None if x > 50 else x, {}),
    ("residual", [None if x > 50 else x for x in NUMBERS], lambda x: 40 + RANDOM.random() if x is None else x, {}),
    ("normalization_text", WORDS, str.lower, {"form": "in lower case"}),
    ("normalization_text", WORDS, str.strip, {"form": "without spaces around it"}),
    ("normalization_text", WORDS, lambda x: x[:3], {"length": 3}),
    ("recode", WORDS, lambda x: f"city-{sorted(set(WORDS)).index(x) * 3 % 7}", {"values": 7}),
    ("recode", [float(row % 6) for row in range(ROWS)], lambda x: [2.0, 5.0, 1.0, 4.0, 3.0, 0.0][int(x)], {}),
    ("out_of_vocabulary", WORDS, lambda x: "unknown" if x in {"Köln", "Bern", "tokyo"} else x, {"given": "unknown"}),
    ("timezone", AT, lambda x: x + timedelta(hours=2), {"hours": 2.0}),
    ("rounding", AT, lambda x: x.replace(hour=0, minute=0), {"unit": "day"}),
    ("cast", NUMBERS, str, {}),
]


@pytest.mark.parametrize(
    ("kind", "trained", "change", "parameters"),
    PLANTED,
    ids=[f"{place} {case[0]}" for place, case in enumerate(PLANTED)],
)
def test_a_planted_fault_is_named_first(
    kind: str, trained: list[Any], change: Change, parameters: dict[str, Any]
) -> None:
    finding = find(trained, [change(value) for value in trained])
    assert first(finding) == (kind, 1.0), finding.causes
    found = finding.causes[0]["parameters"]
    for name, value in parameters.items():
        assert found[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-6))


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_a_fault_of_some_hosts_is_named_with_the_host(share: float) -> None:
    hosts = ["new" if (row * 7919) % ROWS < share * ROWS else f"old-{row % 4}" for row in range(ROWS)]
    served = [x * 100 if host == "new" else x for x, host in zip(NUMBERS, hosts, strict=True)]
    cause = find(NUMBERS, served, host=hosts).causes[0]
    assert (cause["kind"], cause["explains"]) == ("unit", 1.0)
    assert cause["where"] == ({"host": "new"} if share > 0.01 or ROWS * share >= 12 else {})


def test_a_fault_since_a_deployment_is_named_with_its_time() -> None:
    served = [x * 100 if row >= 900 else x for row, x in enumerate(NUMBERS)]
    cause = find(NUMBERS, served, when=AT, at="when").causes[0]
    assert (cause["kind"], cause["since"]) == ("unit", "2024-03-01T15:00:00Z")


def test_two_faults_are_peeled_one_after_another() -> None:
    trained = [None if row % 5 == 0 else x for row, x in enumerate(NUMBERS)]
    served = [-1.0 if x is None else x * 60 for x in trained]
    causes = find(trained, served).causes
    assert [cause["kind"] for cause in causes] == ["unit", "default"]
    assert [cause["explains"] for cause in causes] == [0.8, 0.2]


def test_another_column_is_named() -> None:
    for other in (COUNTS, [x + 1 for x in COUNTS]):
        finding = find(NUMBERS, other, near_it=[x * 3 for x in NUMBERS], wrong=other)
        assert (finding.causes[0]["kind"], finding.causes[0]["parameters"]) == ("swapped_column", {"column": "wrong"})


def test_columns_in_the_place_of_each_other_are_named() -> None:
    a = pa.table({"id": range(ROWS), "x": NUMBERS, "y": COUNTS})
    b = pa.table({"id": range(ROWS), "x": COUNTS, "y": NUMBERS})
    assert [found.causes[0]["parameters"]["column"] for found in compare(a, b, explain=True).columns] == ["y", "x"]


def test_an_earlier_value_of_the_same_entity_is_named() -> None:
    users = [f"u{row % 10}" for row in range(ROWS)]
    one = [NUMBERS[max(row - 10, row % 10)] for row in range(ROWS)]
    cause = find(NUMBERS, one, user=users, when=AT, at="when", by=["user"]).causes[0]
    assert (cause["kind"], cause["parameters"]) == ("stale", {"values": 1, "seconds": 600.0})


def test_a_delay_is_named_where_the_values_in_between_are_many() -> None:
    users = [f"u{row % 2}" for row in range(ROWS)]
    hour = [NUMBERS[row - 60] if row >= 60 else NUMBERS[row] for row in range(ROWS)]
    cause = find(NUMBERS, hour, user=users, when=AT, at="when", by=["user"]).causes[0]
    assert (cause["kind"], cause["parameters"]) == ("stale", {"seconds": 3600})


def test_text_that_is_no_number_is_named(tmp_path: Any) -> None:
    lines = [f"{row},{'n/a' if row % 4 == 0 else value}" for row, value in enumerate(NUMBERS)]
    (tmp_path / "b.csv").write_text("id,x\n" + "\n".join(lines) + "\n", encoding="utf-8")
    finding = column(compare(pa.table({"id": range(ROWS), "x": NUMBERS}), str(tmp_path / "b.csv"), explain=True))
    assert first(finding) == ("cast", 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_unexplained(seed: int) -> None:
    chance = random.Random(seed)
    noise = [x + chance.gauss(0, 1) for x in NUMBERS]
    words = [chance.choice(WORDS) for _ in WORDS]
    truth = [chance.random() < 0.5 for _ in WORDS]
    other = [value if chance.random() < 0.9 else not value for value in truth]
    for trained, served in (
        (NUMBERS, noise),
        (WORDS, words),
        (truth, other),
        (AT, AT[seed + 3 :] + AT[: seed + 3][::-1]),
    ):
        kinds = {cause["kind"] for cause in find(trained, served).causes if cause["explains"] > 0.05}
        assert "unexplained" in kinds or trained is AT


@given(st.lists(st.tuples(HARD["numbers"], HARD["numbers"], HARD["texts"], HARD["texts"]), min_size=4, max_size=12))
@settings(max_examples=10)
def test_hard_values_have_causes_that_explain_a_share(rows: list[tuple[Any, Any, Any, Any]]) -> None:
    x, y, s, t = (list(side) for side in zip(*rows, strict=True))
    ids = range(len(rows))
    user = [place % 2 for place in ids]
    a = pa.table({"id": ids, "x": pa.array(x, pa.float64()), "t": pa.array(s, pa.string()), "when": AT[: len(rows)]})
    b = pa.table({"id": ids, "x": pa.array(y, pa.float64()), "t": pa.array(t, pa.string()), "user": user})
    for found in compare(a, b, at="when", by=["user"], explain=True).columns:
        assert bool(found.causes) == bool(found.mismatched)
        assert sum(cause["explains"] for cause in found.causes) <= 1 + 1e-9
        assert all(0 < cause["explains"] <= 1 for cause in found.causes)


def test_no_value_leaves_when_no_sample_is_asked_for() -> None:
    secret = ["secret" if word == "Bern" else word for word in WORDS]
    for trained, served in ((secret, [None if x == "secret" else x for x in secret]), (secret, ["secret"] * ROWS)):
        tables = (pa.table({"id": range(ROWS), "x": values, "y": secret}) for values in (trained, served))
        assert "secret" not in compare(*tables, samples=0, explain=True).to_json()


def test_without_samples_a_place_is_named_in_the_columns_that_were_asked_for_alone() -> None:
    host = ["new" if row % 4 == 0 else "old" for row in range(ROWS)]
    x = [100.0 + 7 * (row % 50) for row in range(ROWS)]
    trained = pa.table({"id": range(ROWS), "x": x})
    y = [value * 1000 if name == "new" else value for value, name in zip(x, host, strict=True)]
    served = pa.table({"id": range(ROWS), "x": y, "host": host})
    for by, said in (([], "redacted"), (["host"], "new")):
        (cause,) = column(compare(trained, served, samples=0, by=by, explain=True)).causes
        assert cause["where"] == {"host": said}


def test_no_cause_is_given_for_a_column_that_matches_or_when_none_is_asked() -> None:
    a = pa.table({"id": range(ROWS), "x": NUMBERS, "y": COUNTS})
    b = a.set_column(1, "x", pa.array([x * 2.5 for x in NUMBERS]))
    findings = compare(a, b, explain=True)
    assert column(findings, "x").causes
    assert column(findings, "y").causes == ()
    assert column(compare(a, b, explain=False)).causes == ()


def test_whole_numbers_near_the_value_by_chance_are_no_rounding() -> None:
    source = random.Random(3)
    trained = [source.gauss(40, 10) for _ in range(ROWS)]
    served = [float(math.floor(value + source.gauss(0, 4))) for value in trained]
    assert first(find(trained, served)) == ("unexplained", 1.0)


def test_a_number_that_goes_round_is_told_from_a_table_of_its_values() -> None:
    hours = [at.hour for at in AT]
    (cause,) = find(hours, [(hour - 1) % 24 for hour in hours]).causes
    assert (cause["kind"], cause["parameters"]["shift"], cause["parameters"]["modulo"]) == ("timezone", -1, 24)
    days = [row % 7 for row in range(ROWS)]
    (cause,) = find(days, [(day + 1) % 7 for day in days]).causes
    assert (cause["kind"], cause["parameters"]["shift"], cause["parameters"]["modulo"]) == ("recode", 1, 7)


def test_a_whole_number_that_is_some_more_has_no_other_statistics() -> None:
    counts = [int(count) for count in COUNTS]
    (cause,) = find(counts, [count + 3 for count in counts]).causes
    assert cause["kind"] == "constant"
    assert cause["parameters"]["offset"] == 3.0


def test_a_factor_between_logarithms_or_speeds_is_called_by_its_name() -> None:
    (cause,) = find(NUMBERS, [number / math.log(10) for number in NUMBERS]).causes
    assert (cause["kind"], "decimal logarithm" in cause["says"]) == ("constant", True)
    (cause,) = find(NUMBERS, [number / 3.6 for number in NUMBERS]).causes
    assert (cause["kind"], "metres a second" in cause["says"]) == ("unit", True)


def test_one_number_that_became_another_is_a_default_and_no_bound() -> None:
    imputed = [0.25 if row % 6 == 0 else number for row, number in enumerate(NUMBERS)]
    (cause,) = find(imputed, [-8.866503 if number == 0.25 else number for number in imputed]).causes
    assert (cause["kind"], cause["parameters"]["default"]) == ("default", -8.866503)
