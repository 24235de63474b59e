"""A small service whose log has a column of every type, shared by the tests of the log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from skewcheck.serving.schema import LogSchema

if TYPE_CHECKING:
    from pathlib import Path

NOON = datetime(2013, 7, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def schema() -> LogSchema:
    return LogSchema(
        service="delays",
        keys={"origin": "String"},
        request={"seats": "Int64", "asked": "Timestamp"},
        store={"wind": "Float64", "calm": "Bool"},
        features={"wind_z": "Float64", "position": "Vector(2)"},
        views={"weather": ("wind", "calm")},
    )


@pytest.fixture
def row() -> dict[str, Any]:
    return {
        "requested_at": NOON,
        "keys": {"origin": "JFK"},
        "request": {"seats": 3, "asked": NOON},
        "store": {"wind": 5.5, "calm": False},
        "event_times": {"weather": NOON},
        "statuses": {"wind": "PRESENT", "calm": "PRESENT"},
        "features": {"wind_z": 0.25, "position": [40.6, -73.8]},
        "prediction": 0.75,
    }


@pytest.fixture
def log_folder(tmp_path: Path) -> Path:
    return tmp_path / "log"
