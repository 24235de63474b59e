"""The log's schema: its columns, its metadata, and the names it refuses."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skewcheck.errors import DeclarationError, LogError
from skewcheck.serving.schema import METADATA_KEY, VERSION, LogSchema, NewerLogError, parse_metadata


def test_columns_are_flat_and_prefixed(schema: LogSchema) -> None:
    assert [f"{field.name}: {field.type}" for field in schema.arrow()] == [
        "request_id: string",
        "requested_at: timestamp[us, tz=UTC]",
        "definition_hash: string",
        "state_hash: string",
        "model_version: string",
        "host: string",
        "process: int64",
        "prediction: double",
        "key.origin: string",
        "request.seats: int64",
        "request.asked: timestamp[us, tz=UTC]",
        "store.wind: double",
        "store.calm: bool",
        "event_time.weather: timestamp[us, tz=UTC]",
        "status.wind: string",
        "status.calm: string",
        "feature.wind_z: double",
        "feature.position: list<item: double>",
    ]


def test_metadata_states_version_and_service(schema: LogSchema) -> None:
    document = json.loads(schema.arrow().metadata[METADATA_KEY])
    assert document["version"] == VERSION
    assert document["service"] == "delays"
    assert document["views"] == {"weather": ["wind", "calm"]}


# Hypothesis builds its table of Unicode once, in about a second; no deadline, and no complaint about that.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


@unhurried
@given(st.dictionaries(NAMES, st.sampled_from(["Float64", "String", "Vector(3)"]), max_size=1))
def test_a_schema_survives_its_metadata(features: dict[str, str]) -> None:
    schema = LogSchema("delays", keys={"origin": "String"}, features=features)
    stored = schema.arrow().metadata[METADATA_KEY].decode()
    assert LogSchema.parse(stored) == schema
    assert set(schema.arrow().names) == set(schema.columns())


def test_pairs_are_as_good_as_a_mapping() -> None:
    assert LogSchema("s", keys=(("a", "Int64"),)).keys == {"a": "Int64"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({"features": {"wind": "Float64", "Wind": "Float64"}}, "differ in case only"),
        ({"features": {"straße": "Float64", "STRASSE": "Float64"}}, "differ in case only"),
        ({"features": {"wind": "float"}}, "unknown type 'float'"),
        ({"features": {"wind": "Vector(0)"}}, "unknown type"),
        ({"features": {"": "Float64"}}, "cannot be a column name"),
        ({"features": {"a\0b": "Float64"}}, "cannot be a column name"),
        ({"features": {"\ud800": "Float64"}}, "cannot be a column name"),
        ({"views": {"weather": ["wind"]}}, "not among the store fields"),
    ],
)
def test_unusable_columns_are_refused(parts: dict[str, dict[str, str]], complaint: str) -> None:
    with pytest.raises(DeclarationError, match=complaint) as caught:
        LogSchema("delays", **parts)  # type: ignore[arg-type]
    assert caught.value.remedy


@pytest.mark.parametrize("service", ["", "..", "a/b", "a\\b", "a*", "a\0", "\ud800", "a[0]"])
def test_a_service_must_be_able_to_name_a_folder(service: str) -> None:
    with pytest.raises(DeclarationError, match="cannot be the name of a folder"):
        LogSchema(service)


def test_the_same_name_may_be_input_and_feature() -> None:
    schema = LogSchema("delays", request={"wind": "Float64"}, features={"Wind": "Float64"})
    assert {"request.wind", "feature.Wind"} <= set(schema.columns())


def test_a_newer_version_says_upgrade() -> None:
    with pytest.raises(NewerLogError, match=f"version {VERSION + 1}.*\n.*Upgrade"):
        parse_metadata(json.dumps({"version": VERSION + 1, "service": "delays"}))


@pytest.mark.parametrize("text", ["", "[]", "{}", "nonsense", '{"version": "1", "service": "s"}'])
def test_other_metadata_is_refused(text: str) -> None:
    with pytest.raises(LogError, match=r"skewcheck\.log metadata"):
        parse_metadata(text)


def test_a_description_with_holes_is_refused() -> None:
    with pytest.raises(LogError, match="does not describe a log"):
        LogSchema.parse(json.dumps({"version": VERSION, "service": "delays"}))


def test_vectors_are_lists_of_doubles() -> None:
    schema = LogSchema("s", features={"v": "Vector(768)"})
    assert schema.arrow().field("feature.v").type == pa.list_(pa.float64())


def test_importing_the_log_loads_no_heavy_library() -> None:
    program = (
        "import sys; import skewcheck.serving.reader, skewcheck.serving.writer, skewcheck.serving.retrieval\n"
        "print([name for name in ('pyarrow', 'pandas', 'duckdb', 'feast', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
