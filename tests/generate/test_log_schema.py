"""What a service logs: all that its replay asks for, and nothing that it does not."""

from __future__ import annotations

import json
from pathlib import Path

from skewcheck.generate.log_schema import log_schema
from skewcheck.generate.manifest import read_manifest
from skewcheck.replay.columns import find_columns
from skewcheck.serving.reader import open_log
from skewcheck.serving.writer import LogWriter

MANIFEST = Path(__file__).parent.parent.parent / "codegen" / "departure_delay" / "manifest.json"


def test_everything_that_a_replay_asks_for_is_logged(tmp_path: Path) -> None:
    manifest = read_manifest(MANIFEST)
    with LogWriter(log_schema(manifest), tmp_path) as writer:
        writer.log_request(features={})
    found = find_columns(open_log(tmp_path), manifest)
    assert found.absent_features == found.absent_keys == ()
    assert set(found.inputs) == {column.name for column in manifest.columns}
    assert found.requested_at is not None
    assert found.versions is not None


def test_columns_that_no_feature_reads_are_left_out() -> None:
    schema = log_schema(read_manifest(MANIFEST))
    read = {column["name"] for column in json.loads(MANIFEST.read_text(encoding="utf-8"))["columns"]}
    assert {*schema.request, *schema.store} == read
    assert {name for fields in schema.views.values() for name in fields} == set(schema.store)
