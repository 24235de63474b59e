"""The audit finds what serving did differently, where, how often, and says what it could not see."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options, audit
from skewcheck.errors import LogError, StateError, UsageError
from skewcheck.store.repository import Repository, generated_directory, load_repository
from skewcheck.verdict import Verdict
from tests.shop import change

Audit = Callable[..., Verdict]


@pytest.fixture
def audited(shop: Repository, tmp_path: Path) -> Audit:
    def run(log: pa.Table, **options: Any) -> Verdict:
        path = tmp_path / "log.parquet"
        pq.write_table(log, path)
        return audit(path, generated_directory(shop.root, "shop"), lambda: shop, Options(**options))

    return run


def column(log: pa.Table, name: str) -> list[Any]:
    return log.column(name).to_pylist()


def skewed(verdict: Verdict) -> dict[str, str | None]:
    return {feature.name: feature.stage for feature in verdict.features if feature.verdict == "skew"}


def test_faultless_serving_passes_at_every_stage(audited: Audit, clean_log: pa.Table) -> None:
    verdict = audited(clean_log)
    assert verdict.verdict == "pass"
    assert verdict.exit_code == 0
    assert set(verdict.stages.values()) == {"compared"}
    assert (verdict.rows.logged, verdict.rows.replayed, verdict.rows.unmatched) == (120, 120, 0)
    for feature in verdict.features:
        assert {stage: c.compared for stage, c in feature.stages.items()} == dict.fromkeys(feature.stages, 120)
        assert len(feature.stages) == 3


def test_a_fault_in_serving_code_is_found_at_the_transform_stage(audited: Audit, clean_log: pa.Table) -> None:
    wrong = [None if value is None else value * 1.5 for value in column(clean_log, "feature.amount_z")]
    verdict = audited(change(clean_log, "feature.amount_z", wrong))
    assert (verdict.verdict, verdict.exit_code) == ("fail", 1)
    assert skewed(verdict) == {"amount_z": "transform"}
    (feature,) = verdict.skewed
    present = [value for value in column(clean_log, "feature.amount_z") if value is not None]
    assert feature.stages["transform"].mismatched == len(present)
    assert feature.stages["retrieval"].mismatched == 0
    assert feature.stages["end_to_end"].mismatched == len(present)
    largest = max(abs(value) * 0.5 for value in present)
    assert feature.shown.max_absolute_difference == pytest.approx(largest)
    assert feature.shown.samples[0].row.keys() == {"amount"}


def test_a_stale_store_is_found_at_the_retrieval_stage(
    audited: Audit, clean_log: pa.Table, shop: Repository, tmp_path: Path
) -> None:
    # Serving reads an older tier, and computes the right code from it.
    tiers = ["gold"] * clean_log.num_rows
    log = change(clean_log, "store.tier", tiers)
    code = audited(log, stages=("transform",), samples=200)
    (feature,) = [f for f in code.features if f.name == "tier_code"]
    of_gold = {pair.replayed for pair in feature.shown.samples}
    assert len(of_gold) == 1
    verdict = audited(change(log, "feature.tier_code", [of_gold.pop()] * log.num_rows))
    changed = sum(tier != "gold" for tier in column(clean_log, "store.tier"))
    assert skewed(verdict) == {"tier_code": "retrieval"}
    assert verdict.skewed[0].stages["retrieval"].mismatched == changed
    assert verdict.skewed[0].stages["transform"].mismatched == 0
    assert {c.name: c.comparison.mismatched for c in verdict.columns} == {"balance": 0, "orders": 0, "tier": changed}


def test_a_default_for_missing_is_counted_on_the_side_that_is_missing(audited: Audit, clean_log: pa.Table) -> None:
    served = column(clean_log, "feature.spending")
    missing = served.count(None)
    assert 0 < missing < len(served)
    comparison = (
        audited(change(clean_log, "feature.spending", [0.0 if value is None else value for value in served]))
        .skewed[0]
        .shown
    )
    assert (comparison.mismatched, comparison.replayed_missing, comparison.served_missing) == (missing, missing, 0)
    assert comparison.max_absolute_difference is None


def test_nan_served_for_missing_is_the_same_missing_value(audited: Audit, clean_log: pa.Table) -> None:
    served = [float("nan") if value is None else value for value in column(clean_log, "feature.spending")]
    assert audited(change(clean_log, "feature.spending", served)).verdict == "pass"


def test_an_infinity_that_was_served_is_not_missing(audited: Audit, clean_log: pa.Table) -> None:
    served = [float("inf") if value is None else value for value in column(clean_log, "feature.spending")]
    assert skewed(audited(change(clean_log, "feature.spending", served))) == {"spending": "transform"}


def test_vectors_and_strings_are_compared_as_values(audited: Audit, clean_log: pa.Table) -> None:
    vectors = [list(reversed(value)) for value in column(clean_log, "feature.country_one_hot")]
    texts = [value.upper() for value in column(clean_log, "feature.country_code")]
    log = change(change(clean_log, "feature.country_one_hot", vectors), "feature.country_code", texts)
    assert set(skewed(audited(log))) == {"country_one_hot", "country_code"}


def test_a_tolerance_forgives_the_last_bits_and_nothing_more(audited: Audit, clean_log: pa.Table) -> None:
    served = [None if value is None else value * (1 + 1e-12) for value in column(clean_log, "feature.amount_z")]
    log = change(clean_log, "feature.amount_z", served)
    assert skewed(audited(log)) == {"amount_z": "transform"}
    assert audited(log, tolerance=1e-9).verdict == "pass"
    coarse = [None if value is None else value * (1 + 1e-6) for value in column(clean_log, "feature.amount_z")]
    assert audited(change(clean_log, "feature.amount_z", coarse), tolerance=1e-9).verdict == "fail"


def test_a_tolerance_does_not_forgive_a_missing_value(audited: Audit, clean_log: pa.Table) -> None:
    served = [None] * clean_log.num_rows
    assert skewed(audited(change(clean_log, "feature.amount_z", served), tolerance=0.5)) == {"amount_z": "transform"}


def test_first_and_last_mismatch_and_samples_come_in_time_order(audited: Audit, clean_log: pa.Table) -> None:
    served = column(clean_log, "feature.local_hour")
    wrong = [value + 1 if 30 <= place < 50 else value for place, value in enumerate(served)]
    shown = audited(change(clean_log, "feature.local_hour", wrong), samples=3).skewed[0].shown
    ids, times = column(clean_log, "request_id"), column(clean_log, "requested_at")
    assert [pair.request_id for pair in shown.samples] == ids[30:33]
    assert shown.first_mismatch == times[30].strftime("%Y-%m-%dT%H:%M:%SZ")
    assert shown.last_mismatch == times[49].strftime("%Y-%m-%dT%H:%M:%SZ")


def test_no_samples_leave_the_log_when_none_are_asked_for(audited: Audit, clean_log: pa.Table) -> None:
    log = change(clean_log, "feature.local_hour", [0] * clean_log.num_rows)
    assert audited(log, samples=0).skewed[0].shown.samples == ()


def test_rows_that_training_drops_are_counted_by_rule(audited: Audit, clean_log: pa.Table) -> None:
    verdict = audited(clean_log.append_column("refunded", pa.array([n < 7 for n in range(120)])))
    amounts = column(clean_log, "request.amount")
    positive = sum(amount is None or amount <= 0 for amount in amounts)
    either = sum(n < 7 or amount is None or amount <= 0 for n, amount in enumerate(amounts))
    assert {rule.name: rule.outside for rule in verdict.rows.filters} == {"settled": 7, "positive": positive}
    assert verdict.rows.outside_training_filter == either


def test_a_rule_over_a_column_that_the_log_lacks_is_unknown(audited: Audit, clean_log: pa.Table) -> None:
    rows = audited(clean_log).rows
    assert rows.outside_training_filter is None
    (settled,) = [rule for rule in rows.filters if rule.name == "settled"]
    assert settled.outside is None
    assert "refunded" in str(settled.note)


def test_repeated_request_ids_are_counted_and_every_row_compared(audited: Audit, clean_log: pa.Table) -> None:
    verdict = audited(pa.concat_tables([clean_log, clean_log.slice(0, 11)]))
    assert (verdict.rows.duplicated, verdict.rows.replayed, verdict.verdict) == (11, 131, "pass")
    assert any("repeat a request id" in problem.message for problem in verdict.problems)


def test_rows_of_another_version_are_named_and_counted(audited: Audit, clean_log: pa.Table) -> None:
    log = clean_log.append_column("definition_hash", pa.array(["f" * 64] * 100 + [None] * 20, pa.string()))
    verdict = audited(log.append_column("state_hash", pa.array(["0" * 64] * 120)))
    assert [(version.rows, version.current) for version in verdict.versions] == [(100, False), (20, False)]
    assert [problem for problem in verdict.problems if "ffffffffffff" in problem.message and "100" in problem.message]


def test_a_feature_that_was_not_logged_is_not_compared_and_hides_nothing(audited: Audit, clean_log: pa.Table) -> None:
    verdict = audited(clean_log.drop_columns(["feature.spending"]))
    assert (verdict.verdict, verdict.exit_code) == ("incomplete", 3)
    assert [f.name for f in verdict.features if f.verdict == "not-compared"] == ["spending"]


def test_without_keys_only_the_transform_stage_is_compared_and_the_reason_given(
    audited: Audit, clean_log: pa.Table
) -> None:
    verdict = audited(clean_log.drop_columns(["key.customer_id"]))
    assert verdict.stages["transform"] == "compared"
    assert "customer_id" in verdict.stages["retrieval"]
    assert all(set(feature.stages) == {"transform"} for feature in verdict.features)


def test_plain_and_renamed_columns_of_somebody_elses_log_are_found(audited: Audit, clean_log: pa.Table) -> None:
    names = {"request_id": "id", "feature.amount_z": "amount_norm", "requested_at": "ts"}
    log = clean_log.rename_columns([names.get(n, n.partition(".")[2] or n) for n in clean_log.column_names])
    renamed = {"request_id": "id", "feature.amount_z": "amount_norm", "requested_at": "ts"}
    assert audited(log, renamed=renamed).verdict == "pass"


def test_a_dotless_feature_name_can_be_renamed_too(audited: Audit, clean_log: pa.Table) -> None:
    log = clean_log.rename_columns([n.replace("feature.amount_z", "amount_norm") for n in clean_log.column_names])
    assert audited(log, renamed={"amount_z": "amount_norm"}).verdict == "pass"


@pytest.mark.parametrize(
    ("renamed", "said"),
    [({"amount_q": "x"}, "no such column or feature"), ({"amount_z": "absent"}, "has no column 'absent'")],
)
def test_a_renaming_that_names_nothing_is_refused(
    audited: Audit, clean_log: pa.Table, renamed: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        audited(clean_log, renamed=renamed)


def test_a_missing_input_is_refused_by_name(audited: Audit, clean_log: pa.Table) -> None:
    with pytest.raises(LogError, match=r"lacks 2 of 6 inputs.*amount, country"):
        audited(clean_log.drop_columns(["request.amount", "request.country"]))


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("request.amount", pa.array(["12"] * 120), "column 'request.amount' of the log is string, expected Float64"),
        ("store.orders", pa.array([True] * 120), "column 'store.orders' of the log is bool, expected Int64"),
        ("feature.many_orders", pa.array([1] * 120), "column 'feature.many_orders' of the log is int64, expected Bool"),
        ("request.paid_at", pa.array([0] * 120), "expected a timestamp with a time zone"),
        ("requested_at", pa.array([0] * 120, pa.timestamp("us")), "times without a time zone"),
    ],
)
def test_a_retyped_column_is_refused_by_name(
    audited: Audit, clean_log: pa.Table, name: str, values: pa.Array, said: str
) -> None:
    place = clean_log.column_names.index(name)
    with pytest.raises(LogError, match=said):
        audited(clean_log.set_column(place, name, values))


def test_naive_times_are_read_as_utc_when_that_is_said(audited: Audit, clean_log: pa.Table) -> None:
    log = clean_log
    for name in ("requested_at", "request.paid_at"):
        naive = log.column(name).cast(pa.timestamp("us"))
        log = log.set_column(log.column_names.index(name), name, naive)
    assert audited(log, assume_utc=True).verdict == "pass"


def test_times_in_another_zone_and_unit_are_the_same_instants(audited: Audit, clean_log: pa.Table) -> None:
    log = clean_log
    for name in ("requested_at", "request.paid_at"):
        place = log.column_names.index(name)
        log = log.set_column(place, name, log.column(name).cast(pa.timestamp("ns", tz="America/New_York")))
    assert audited(log).verdict == "pass"


def test_narrow_numbers_and_dictionaries_are_widened_exactly(audited: Audit, clean_log: pa.Table) -> None:
    log = clean_log
    for name, type_ in (("store.orders", pa.int16()), ("request.country", pa.dictionary(pa.int8(), pa.string()))):
        log = log.set_column(log.column_names.index(name), name, log.column(name).cast(type_))
    assert audited(log).verdict == "pass"


def test_whole_numbers_logged_as_floats_are_read_back_whole(audited: Audit, clean_log: pa.Table) -> None:
    place = clean_log.column_names.index("store.orders")
    floats = pa.array([float("nan") if v is None else float(v) for v in column(clean_log, "store.orders")])
    assert audited(clean_log.set_column(place, "store.orders", floats)).verdict == "pass"
    halves = pa.array([2.5] * clean_log.num_rows)
    with pytest.raises(LogError, match=r"store\.orders.*not a whole number"):
        audited(clean_log.set_column(place, "store.orders", halves))


def test_requests_from_the_future_are_pointed_out(audited: Audit, clean_log: pa.Table) -> None:
    later = [datetime.now(UTC) + timedelta(days=400)] * clean_log.num_rows
    verdict = audited(change(clean_log, "requested_at", later), stages=("transform",))
    assert any("in the future" in problem.message for problem in verdict.problems)


def test_an_unreadable_file_makes_a_clean_verdict_incomplete_unless_ignored(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    pq.write_table(clean_log, tmp_path / "good.parquet")
    whole = (tmp_path / "good.parquet").read_bytes()
    (tmp_path / "truncated.parquet").write_bytes(whole[: len(whole) // 2])
    generated = generated_directory(shop.root, "shop")
    verdict = audit(tmp_path, generated, lambda: shop)
    assert (verdict.verdict, verdict.exit_code, verdict.rows.replayed) == ("incomplete", 3, 120)
    assert any("truncated.parquet" in problem.where for problem in verdict.problems)
    assert audit(tmp_path, generated, lambda: shop, Options(ignore_unreadable=True)).verdict == "pass"


def test_a_page_that_is_damaged_behind_a_whole_footer_is_an_error_that_names_the_log(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    path = tmp_path / "log.parquet"
    pq.write_table(clean_log, path, compression="none", use_dictionary=False)
    damaged = bytearray(path.read_bytes())
    damaged[4:400] = os.urandom(396)
    path.write_bytes(damaged)
    with pytest.raises(LogError, match=r"log\.parquet could not be replayed"):
        audit(path, generated_directory(shop.root, "shop"), lambda: shop)


def test_text_that_is_not_utf8_is_an_error_and_not_a_value(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    place = clean_log.column_names.index("request.country")
    raw = pa.array([b"\xff\xfe"] * clean_log.num_rows, pa.binary()).view(pa.string())
    pq.write_table(clean_log.set_column(place, "request.country", raw), tmp_path / "log.parquet")
    with pytest.raises(LogError, match="could not be replayed"):
        audit(tmp_path, generated_directory(shop.root, "shop"), lambda: shop)


def test_an_empty_log_is_an_error(shop: Repository, clean_log: pa.Table, tmp_path: Path) -> None:
    pq.write_table(clean_log.slice(0, 0), tmp_path / "log.parquet")
    with pytest.raises(LogError):
        audit(tmp_path, generated_directory(shop.root, "shop"), lambda: shop)


def test_missing_generated_code_is_an_error_that_says_what_to_run(clean_log: pa.Table, tmp_path: Path) -> None:
    pq.write_table(clean_log, tmp_path / "log.parquet")
    with pytest.raises(StateError, match="skewcheck generate"):
        audit(tmp_path / "log.parquet", tmp_path / "codegen" / "shop")


def test_unknown_stages_and_tolerances_are_refused() -> None:
    with pytest.raises(UsageError, match="no stage transfrom"):
        Options(stages=("transfrom",))
    with pytest.raises(UsageError, match="tolerance"):
        Options(tolerance=-1e-9)


def test_the_same_audit_gives_the_same_verdict_to_the_letter(audited: Audit, clean_log: pa.Table) -> None:
    wrong = [None if value is None else value + 0.1 for value in column(clean_log, "feature.spending")]
    log = change(clean_log, "feature.spending", wrong)
    assert len({audited(log).to_json() for _ in range(3)}) == 1


def test_an_audit_without_the_store_loads_neither_feast_nor_pandas(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    pq.write_table(clean_log, tmp_path / "log.parquet")
    program = (
        "import sys; from pathlib import Path; from skewcheck.audit import audit, Options\n"
        "verdict = audit(sys.argv[1], Path(sys.argv[2]), None, Options(stages=('transform',)))\n"
        "print(verdict.verdict, [name for name in ('feast', 'pandas') if name in sys.modules])"
    )
    generated = generated_directory(shop.root, "shop")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "log.parquet"), str(generated)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "pass []\n"


def test_generated_code_that_is_older_than_the_declaration_is_pointed_out(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    shutil.copytree(shop.root, tmp_path / "shop")
    module = tmp_path / "shop" / "features" / "shop.py"
    module.write_text(module.read_text().replace("orders > 3", "orders > 4"))
    pq.write_table(clean_log, tmp_path / "log.parquet")
    root = tmp_path / "shop"
    verdict = audit(tmp_path / "log.parquet", generated_directory(root, "shop"), lambda: load_repository(root))
    assert verdict.verdict == "pass"
    assert [p.where for p in verdict.problems if "stale" in p.message] == ["codegen/shop"]


@pytest.mark.parametrize(
    ("dropped", "silent"),
    [
        ("feature.spending", {"spending"}),
        ("request.amount", {"amount_z", "spending"}),
        ("store.orders", {"many_orders", "orders_filled"}),
    ],
)
def test_rows_of_files_that_lack_a_column_are_not_compared_and_that_is_said(
    shop: Repository, clean_log: pa.Table, tmp_path: Path, dropped: str, silent: set[str]
) -> None:
    pq.write_table(clean_log.slice(0, 80), tmp_path / "whole.parquet")
    pq.write_table(clean_log.slice(80).drop_columns([dropped]), tmp_path / "older's.parquet")
    generated = generated_directory(shop.root, "shop")
    verdict = audit(tmp_path, generated, lambda: shop)
    assert skewed(verdict) == {}
    assert (verdict.verdict, verdict.exit_code) == ("incomplete", 3)
    assert any("older's.parquet" in problem.message for problem in verdict.problems)
    for feature in verdict.features:
        expected = 80 if feature.name in silent else 120
        assert {comparison.compared for comparison in feature.stages.values()} == {expected}
    assert audit(tmp_path, generated, lambda: shop, Options(ignore_unreadable=True)).verdict == "pass"


def test_a_fault_beside_files_that_lack_the_column_is_still_found(
    shop: Repository, clean_log: pa.Table, tmp_path: Path
) -> None:
    wrong = change(clean_log, "feature.local_hour", [0] * clean_log.num_rows)
    pq.write_table(wrong.slice(0, 80), tmp_path / "whole.parquet")
    pq.write_table(wrong.slice(80).drop_columns(["feature.local_hour"]), tmp_path / "older.parquet")
    verdict = audit(tmp_path, generated_directory(shop.root, "shop"), lambda: shop)
    assert skewed(verdict) == {"local_hour": "transform"}
    expected = sum(hour != 0 for hour in column(clean_log, "feature.local_hour")[:80])
    assert verdict.skewed[0].shown.mismatched == expected


def test_generated_sql_that_was_edited_is_refused(shop: Repository, clean_log: pa.Table, tmp_path: Path) -> None:
    shutil.copytree(generated_directory(shop.root, "shop"), tmp_path / "shop")
    query = tmp_path / "shop" / "features.sql"
    query.write_text(query.read_text() + "-- edited\n")
    pq.write_table(clean_log, tmp_path / "log.parquet")
    with pytest.raises(StateError, match=r"features\.sql was changed after it was generated"):
        audit(tmp_path / "log.parquet", tmp_path / "shop")


def test_features_logged_in_32_bits_are_pointed_out_with_the_tolerance_that_forgives_it(
    audited: Audit, clean_log: pa.Table
) -> None:
    place = clean_log.column_names.index("feature.amount_z")
    narrow = clean_log.column("feature.amount_z").cast(pa.float32())
    log = clean_log.set_column(place, "feature.amount_z", narrow)
    verdict = audited(log)
    assert skewed(verdict) == {"amount_z": "transform"}
    assert any("amount_z as 32-bit floats" in problem.message for problem in verdict.problems)
    forgiving = audited(log, tolerance=1e-6)
    assert (forgiving.verdict, forgiving.problems) == ("pass", ())
