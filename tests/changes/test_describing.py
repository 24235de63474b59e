"""What is written down of a repo with Feast's own objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from skewcheck.changes.configuration import Configuration
from skewcheck.changes.describing import describe_repository
from skewcheck.changes.diffing import Options, Version, diff_versions
from skewcheck.changes.snapshot import Snapshot
from skewcheck.diff_verdict import DiffVerdict
from tests.changes.small_repository import edit
from tests.shop import write_shop

SHOP = "features/shop.py"
READERS = {"spending", "tier_code", "many_orders", "orders_filled"}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Snapshot]:
    root = tmp_path_factory.mktemp("feast").resolve() / "shop"
    root.mkdir()
    write_shop(root)
    return root, describe_repository(root, root)


def compare(plain: tuple[Path, Snapshot], old: str, new: str) -> DiffVerdict:
    root, before = plain
    edit(root, (SHOP, old, new))
    try:
        after = Snapshot.from_json(describe_repository(root, root).to_json())
    finally:
        edit(root, (SHOP, new, old))
    versions = Version("old", None, before), Version("new", None, after)
    return diff_versions(*versions, Configuration(), Options(rows=100))


def test_a_view_is_described_by_all_that_can_decide_a_value(plain: tuple[Path, Snapshot]) -> None:
    shop = plain[1].services["shop"]
    view: dict[str, Any] = shop.views["account"]
    assert (view["ttl"], view["timestamp"], view["created"]) == (30 * 86_400_000_000, "event_timestamp", "created")
    assert view["path"] == "data/account.parquet"
    assert view["settings"]["online"] is True
    assert "object at" not in str(view)
    assert shop.columns["balance"].stored_as == "Float64"
    assert shop.keys == {"account": {"customer_id": "Int64"}}
    assert set(plain[1].data) == {"data/account.parquet"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "    ttl=timedelta(days=30),",
            '    ttl=timedelta(days=30), description="Accounts", tags={"team": "risk"}, owner="me",',
        ),
        ('Field(name="balance", dtype=Float64)', 'Field(name="balance", dtype=Float64, description="In the bank")'),
    ],
)
def test_documentation_is_passed_in_silence(plain: tuple[Path, Snapshot], old: str, new: str) -> None:
    verdict = compare(plain, old, new)
    assert verdict.counts == {"unchanged": 8}
    assert verdict.findings == ()


@pytest.mark.parametrize(
    ("old", "new", "rule", "verdict"),
    [
        ("ttl=timedelta(days=30)", "ttl=timedelta(days=29)", "VIEW_SAME_TTL", "values-changed"),
        ('created_timestamp_column="created"', 'created_timestamp_column=""', "VIEW_SAME_CREATED", "values-changed"),
        ("ttl=timedelta(days=30)", "ttl=timedelta(days=30), online=False", "VIEW_SAME_SETTINGS", "unknown"),
        ('timestamp_field="ev', 's3_endpoint_override="http://x", timestamp_field="ev', "VIEW_SAME_SOURCE", "unknown"),
        ('"data/account.parquet"', '"data/accounts.parquet"', "VIEW_SAME_SOURCE", "unknown"),
        ('join_keys=["customer_id"]', 'join_keys=["client_id"]', "VIEW_SAME_KEYS", "breaking"),
    ],
)  # fmt: skip
def test_a_setting_of_a_view_is_seen(plain: tuple[Path, Snapshot], old: str, new: str, rule: str, verdict: str) -> None:
    found = compare(plain, old, new)
    assert rule in {finding.rule for finding in found.findings}
    assert {f.name for f in found.features if f.verdict == verdict} == READERS
    place = next(finding.location for finding in found.findings if finding.rule == rule)
    assert place is not None
    assert (place.path, place.line) == (SHOP, 11)


def test_a_source_that_moved_is_the_same_source(plain: tuple[Path, Snapshot]) -> None:
    root, _ = plain
    (root / "data" / "moved.parquet").write_bytes((root / "data" / "account.parquet").read_bytes())
    assert compare(plain, '"data/account.parquet"', '"data/moved.parquet"').findings == ()
