"""What the contracts have in common: JSON text that names its schema, and what is refused when it is read back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest

from skewcheck.contracts import known_fields, plain_value, read_contract, write_contract
from skewcheck.errors import SkewcheckError

SCHEMA = "skewcheck/recipe/1"


def read(text: str) -> Any:
    return read_contract(text, SCHEMA, lambda data: data["value"], what="recipe", remedy="Make one.")


def test_what_is_written_is_read_back() -> None:
    assert read(write_contract(SCHEMA, {"value": ["é", None, 1.5]})) == ["é", None, 1.5]


def test_the_schema_comes_first_and_a_newline_last() -> None:
    text = write_contract(SCHEMA, {"value": 1})
    assert text == f'{{\n  "schema": "{SCHEMA}",\n  "value": 1\n}}\n'


def test_a_lone_surrogate_can_be_encoded_and_comes_back() -> None:
    text = write_contract(SCHEMA, {"value": "\ud800"})
    assert read(text.encode().decode()) == "\ud800"


def test_a_number_without_a_literal_is_refused_unless_it_was_made_plain() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_contract(SCHEMA, {"value": float("inf")})
    assert read(write_contract(SCHEMA, plain_value({"value": float("inf")}))) == "Infinity"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (date(2024, 2, 29), "2024-02-29"),
        (datetime(2024, 2, 29, tzinfo=UTC), "2024-02-29T00:00:00+00:00"),
        ({1: (None, True)}, {"1": [None, True]}),
        (1 + 2j, "(1+2j)"),
    ],
)
def test_values_of_other_types_have_a_text(value: Any, plain: Any) -> None:
    assert plain_value(value) == plain


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("{", "not a recipe: ", "Make one."),
        ("[]", "recipe schema is None, expected 'skewcheck/recipe/1'", "Make one. Where another version"),
        ('{"schema": "skewcheck/recipe/2"}', "recipe schema is 'skewcheck/recipe/2'", "make it again with this one"),
        (json.dumps({"schema": SCHEMA}), "not a whole recipe of schema skewcheck/recipe/1: KeyError", "Make one."),
    ],
)
def test_what_cannot_be_read_says_what_was_expected_and_what_to_do(text: str, message: str, remedy: str) -> None:
    with pytest.raises(SkewcheckError) as raised:
        read(text)
    assert message in raised.value.message
    assert remedy in (raised.value.remedy or "")


def test_entries_of_a_later_version_are_passed_over() -> None:
    @dataclass
    class Old:
        value: int

    assert known_fields(Old, {"value": 1, "new": 2}) == {"value": 1}
