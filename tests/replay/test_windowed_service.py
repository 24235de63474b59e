"""The audit of a service that reads windows: it asks for their values at the instant of every request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options, audit
from skewcheck.store.repository import Repository, generated_directory
from skewcheck.verdict import Verdict
from tests.windowed_shop import build_windowed_shop, serve

Audit = Callable[[pa.Table], Verdict]


@pytest.fixture(scope="module")
def windowed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return build_windowed_shop(tmp_path_factory.mktemp("windowed"))


@pytest.fixture
def audited(windowed: Repository, tmp_path: Path) -> Audit:
    def run(log: pa.Table, **options: Any) -> Verdict:
        pq.write_table(log, tmp_path / "log.parquet")
        directory = generated_directory(windowed.root, "shop")
        return audit(tmp_path / "log.parquet", directory, lambda: windowed, Options(**options))

    return run


def test_values_of_the_very_instant_pass_at_every_stage(windowed: Repository, audited: Audit) -> None:
    verdict = audited(serve(windowed))
    assert verdict.verdict == "pass"
    assert set(verdict.stages.values()) == {"compared"}


def test_values_of_a_day_ago_are_skew_at_the_retrieval_stage(windowed: Repository, audited: Audit) -> None:
    verdict = audited(serve(windowed, timedelta(hours=30)))
    skewed = {feature.name: feature.stage for feature in verdict.features if feature.verdict == "skew"}
    assert skewed
    assert set(skewed.values()) == {"retrieval"}
    assert "share_of_week" in skewed
