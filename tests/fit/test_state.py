"""The frozen state: exact, hashed, and refused unless it is the declaration's own."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skewcheck as sk
from skewcheck.errors import StateError, UsageError
from skewcheck.fit.fitting import fit
from skewcheck.fit.state import State, check_state, read_state
from skewcheck.language.types import FLOAT64, INT64, STRING
from tests.adversarial import texts
from tests.declaring import make_service, write_rows

COLUMNS = {"x": FLOAT64, "s": STRING}


def declare(**features: Any) -> sk.Service:
    return make_service(COLUMNS, **(features or {"z": lambda x: x.standardize(), "code": lambda s: s.vocabulary()}))


@pytest.fixture
def state(tmp_path: Path) -> State:
    service = declare()
    return fit(service, write_rows(tmp_path / "rows.parquet", service, [{"x": 0.1, "s": "a"}, {"x": 0.2, "s": "b"}]))


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1)
statistics = st.dictionaries(texts, st.dictionaries(texts, numbers | st.lists(numbers) | st.lists(texts)))


@given(statistics)
def test_what_is_written_is_read_back_exactly(tmp_path_factory: pytest.TempPathFactory, given_statistics: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.json"
    state = State("trial", "fit", given_statistics, {"rows": 1})
    state.write(path)
    again = read_state(path)
    assert repr(again) == repr(state)
    assert again.hash == state.hash


def test_the_hash_moves_with_the_last_bit_of_a_statistic() -> None:
    states = [State("trial", "fit", {"a": {"mean": mean}}, {}) for mean in (0.1, math.nextafter(0.1, 1), 0.0, -0.0)]
    assert len({state.hash for state in states}) == 4


def test_a_state_is_text_that_people_can_read_and_compare(state: State) -> None:
    lines = state.to_json().splitlines()
    assert '    "x.standardize()": {' in lines
    assert '      "mean": 0.15000000000000002,' in lines


def change(path: Path, edit: Any) -> None:
    data = json.loads(path.read_text())
    edit(data)
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data["statistics"]["x.standardize()"].update(mean=1.0),
        lambda data: data["statistics"]["s.vocabulary()"]["entries"].reverse(),
        lambda data: data["training"].update(rows=3),
        lambda data: data.update(service="other"),
        lambda data: data.update(fit="0" * 64),
        lambda data: data.update(hash="0" * 64),
    ],
)
def test_a_state_that_was_edited_by_hand_is_refused(edit: Any, state: State, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state.write(path)
    change(path, edit)
    with pytest.raises(StateError, match="changed after it was frozen") as caught:
        read_state(path)
    assert str(path) in caught.value.message
    assert "version control" in caught.value.remedy


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": "skewcheck/state/0"}', "\xff", '{"hash": 1}'])
def test_a_file_that_is_no_state_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(StateError) as caught:
        read_state(path)
    assert str(path) in caught.value.message
    assert "skewcheck fit" in caught.value.remedy


@pytest.mark.parametrize("name", ["service", "fit", "statistics", "training", "hash"])
def test_a_state_that_lacks_a_part_is_refused(name: str, state: State, tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    state.write(path)
    change(path, lambda data: data.pop(name))
    with pytest.raises(StateError, match=name):
        read_state(path)


def test_without_a_file_one_is_told_to_fit(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="there is no state") as caught:
        read_state(tmp_path / "state.json")
    assert caught.value.remedy == "Run `skewcheck fit`."


def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(state: State, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="cannot write"):
        state.write(tmp_path / "file" / "state.json")
    assert [path.name for path in tmp_path.iterdir() if path.suffix != ".parquet"] == ["file"]


def test_the_declarations_own_state_is_accepted(state: State) -> None:
    check_state(declare(), state)


def test_another_services_state_is_refused(state: State) -> None:
    with pytest.raises(StateError, match="of service 'other', expected 'trial'"):
        check_state(declare(), dataclasses.replace(state, service="other"))


def test_a_state_without_a_statistic_is_refused_by_name(state: State) -> None:
    lacking = dataclasses.replace(state, statistics={**state.statistics, "x.standardize()": {"mean": 0.1}})
    with pytest.raises(StateError, match=r"lacks std of x\.standardize\(\), which feature z \(") as caught:
        check_state(declare(), lacking)
    assert caught.value.remedy == "Run `skewcheck fit trial`."


def test_a_state_older_than_a_new_fitted_feature_is_refused(state: State) -> None:
    with pytest.raises(StateError, match=r"lacks minimum of x\.min_max\(\)"):
        check_state(declare(scaled=lambda x: x.min_max(), code=lambda s: s.vocabulary()), state)


def test_a_state_that_lacks_the_table_of_the_keys_is_refused_by_name(tmp_path: Path) -> None:
    service = declare(z=lambda x, s: x.max_abs(by=s))
    state = fit(service, write_rows(tmp_path / "keyed.parquet", service, [{"x": 0.5, "s": "a"}]))
    assert state.statistics == {"x.max_abs_by(s)": {"largest": 0.5, "largest_by_key": [["a", 0.5]]}}
    lacking = dataclasses.replace(state, statistics={"x.max_abs_by(s)": {"largest": 0.5}})
    with pytest.raises(StateError, match="lacks largest_by_key of x"):
        check_state(service, lacking)


def test_a_state_fitted_by_a_key_of_another_type_is_refused(tmp_path: Path) -> None:
    texts, numbers = (
        make_service({"x": FLOAT64, "s": type_}, z=lambda x, s: x.max_abs(by=s)) for type_ in (STRING, INT64)
    )
    state = fit(texts, write_rows(tmp_path / "keyed.parquet", texts, [{"x": 0.5, "s": "a"}]))
    with pytest.raises(StateError, match="fitted to another declaration"):
        check_state(numbers, state)


def test_a_state_fitted_with_another_filter_is_refused(state: State) -> None:
    service = declare()

    @service.trained_on
    def positive(x):
        return x > 0

    with pytest.raises(StateError, match="the training filter, has changed"):
        check_state(service, state)


def test_a_state_fitted_to_a_wider_declaration_is_refused(state: State) -> None:
    with pytest.raises(StateError, match="fitted to another declaration"):
        check_state(declare(z=lambda x: x.standardize()), state)
