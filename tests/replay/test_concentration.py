"""Where mismatches concentrate among the rows that training drops, and how long labels take."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options, audit
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.verdict import Filter, Verdict
from tests.shop import change, serve


def run(shop: Repository, log: pa.Table, folder: Path) -> Verdict:
    pq.write_table(log, folder / "log.parquet")
    return audit(folder / "log.parquet", generated_directory(shop.root, "shop"), lambda: shop, Options())


def rule(verdict: Verdict, name: str) -> Filter:
    return next(found for found in verdict.rows.filters if found.name == name)


def test_a_fault_in_the_rows_that_training_drops_is_told_beside_their_rule(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    amounts = clean_log.column("request.amount").to_pylist()
    dropped = [not (amount is not None and amount > 0) for amount in amounts]
    codes = clean_log.column("feature.country_code").to_pylist()
    wrong = [f"{code}?" if drop else code for code, drop in zip(codes, dropped, strict=True)]
    verdict = run(shop, change(clean_log, "feature.country_code", wrong), tmp_path)
    positive = rule(verdict, "positive")
    assert positive.outside == sum(dropped) > 0
    assert {(found["feature"], found["stage"]) for found in positive.concentrated} == {
        ("country_code", "transform"),
        ("country_code", "end_to_end"),
    }
    found = positive.concentrated[0]
    assert (found["share"], found["rate"], found["rate_elsewhere"]) == (1.0, 1.0, 0.0)
    assert (found["mismatched"], found["compared"]) == (sum(dropped), sum(dropped))


def test_a_fault_everywhere_concentrates_nowhere(shop: Repository, clean_log: pa.Table, tmp_path: Path) -> None:
    codes = [f"{code}?" for code in clean_log.column("feature.country_code").to_pylist()]
    verdict = run(shop, change(clean_log, "feature.country_code", codes), tmp_path)
    assert [found.concentrated for found in verdict.rows.filters] == [(), ()]


def test_a_rule_over_a_label_that_was_logged_is_told_too(shop: Repository, clean_log: pa.Table, tmp_path: Path) -> None:
    refunded = [place % 10 == 3 for place in range(clean_log.num_rows)]
    codes = clean_log.column("feature.country_code").to_pylist()
    wrong = [f"{code}?" if drop else code for code, drop in zip(codes, refunded, strict=True)]
    log = change(clean_log, "feature.country_code", wrong).append_column("label.refunded", pa.array(refunded))
    settled = rule(run(shop, log, tmp_path), "settled")
    assert settled.outside == sum(refunded)
    assert settled.concentrated[0]["share"] == 1.0


@pytest.fixture
def labelled(shop: Repository, tmp_path: Path) -> Repository:
    """The shop, whose labels are known three days after the payment."""
    root = tmp_path / "shop"
    shutil.copytree(shop.root, root)
    declared = root / "features" / "shop.py"
    text = declared.read_text().replace('end="2024-03-20")', 'end="2024-03-20", labels_known_at="settled_at")')
    declared.write_text(text)
    path = root / "data" / "payments.parquet"
    rows = pq.read_table(path)
    known = [when + timedelta(days=3) for when in rows.column("event_timestamp").to_pylist()]
    pq.write_table(rows.append_column("settled_at", pa.array(known, pa.timestamp("us", tz="UTC"))), path)
    return load_repository(root)


@pytest.mark.parametrize("logged", [True, False])
def test_the_delay_of_labels_in_training_stands_beside_that_in_serving(
    labelled: Repository, tmp_path: Path, logged: bool
) -> None:
    log = serve(labelled)
    if logged:
        known = [when + timedelta(days=5) for when in log.column("requested_at").to_pylist()]
        log = log.append_column("label.settled_at", pa.array(known, pa.timestamp("us", tz="UTC")))
    verdict = run(labelled, log, tmp_path)
    (labels,) = [entry for entry in verdict.alignment if entry["what"] == "labels"]
    assert labels["training"]["delay_seconds"] == 3 * 86_400
    assert labels["serving"]["delay_seconds"] == (5 * 86_400 if logged else None)


def test_a_log_without_keys_passes_and_says_that_retrieval_was_not_checked(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    from skewcheck.report.wording import say_headline

    verdict = run(shop, clean_log.drop_columns(["key.customer_id"]), tmp_path)
    assert verdict.verdict == "pass"
    assert say_headline(verdict).endswith("; retrieval was not checked")
    assert "retrieval was not checked" not in say_headline(run(shop, clean_log, tmp_path))
