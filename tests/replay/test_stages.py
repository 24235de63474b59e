"""Log files as one relation: the files that were named and no others, whatever they and their columns are called."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skewcheck.audit import Options, audit
from skewcheck.engines.session import open_session
from skewcheck.errors import LogError
from skewcheck.replay.stages import read_files
from skewcheck.store.repository import Repository, generated_directory
from tests.shop import fit_and_generate, write_shop

NAMES = ("a1", "a[1]", "a*", "a?", "it's", 'q"', "back\\slash", "date=2024-03-01", "~b", "new\nline", "{a,b}", "]x[!a]")


def test_a_name_with_the_characters_of_a_pattern_is_one_file(tmp_path: Path) -> None:
    files = [tmp_path / f"{name}.parquet" for name in NAMES]
    for place, file in enumerate(files):
        pq.write_table(pa.table({"x": [place]}), file)
    for chosen in ([file] for file in files), [files[::-1]]:
        for some in chosen:
            with open_session() as connection:
                rows = connection.execute(f'SELECT "log.file", "log.row", x FROM {read_files(some)}').fetchall()
            assert sorted(rows) == [(place, 0, files.index(file)) for place, file in enumerate(some)]


def test_a_relative_path_still_names_its_file_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pq.write_table(pa.table({"x": [1]}), tmp_path / "log.parquet")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    relation = read_files([Path("log.parquet")])
    monkeypatch.chdir(tmp_path / "elsewhere")
    with open_session() as connection:
        assert connection.execute(f"SELECT x FROM {relation}").fetchall() == [(1,)]


@pytest.mark.parametrize("given", ["logs", "./logs", "logs/../logs", "logs/*.parquet"])
def test_files_that_lack_a_feature_are_told_apart_by_their_place_however_the_log_is_named(
    shop: Repository, clean_log: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    (tmp_path / "logs").mkdir()
    pq.write_table(clean_log.slice(0, 60), tmp_path / "logs" / "a.parquet")
    pq.write_table(clean_log.slice(60).drop_columns(["feature.amount_z"]), tmp_path / "logs" / "b[1].parquet")
    monkeypatch.chdir(tmp_path)
    options = Options(stages=("transform",), ignore_unreadable=True)
    verdict = audit(given, generated_directory(shop.root, "shop"), None, options)
    assert verdict.verdict == "pass"
    assert {f.name: f.shown.compared for f in verdict.features if f.shown.compared != 120} == {"amount_z": 60}


@pytest.mark.parametrize("name", ["file_row_number", "FILE_INDEX", "log.file"])
def test_a_column_that_the_engine_would_take_for_its_own_is_refused_by_name(
    shop: Repository, clean_log: pa.Table, tmp_path: Path, name: str
) -> None:
    log = clean_log.append_column(name, pa.array(["x"] * clean_log.num_rows))
    pq.write_table(log, tmp_path / "log.parquet")
    with pytest.raises(LogError, match=f"column '{name}'"):
        audit(tmp_path, generated_directory(shop.root, "shop"))


@pytest.mark.parametrize("name", ["served.amount_z", "$kept", "level_0", "inputs", 'a "b" c', "feature.feature.x"])
def test_other_columns_of_a_log_do_no_harm(shop: Repository, clean_log: pa.Table, tmp_path: Path, name: str) -> None:
    log = clean_log.append_column(name, pa.array(["x"] * clean_log.num_rows))
    pq.write_table(log, tmp_path / "log.parquet")
    assert audit(tmp_path, generated_directory(shop.root, "shop"), lambda: shop).verdict == "pass"


def test_inputs_may_be_called_what_the_audit_calls_its_own_columns(clean_log: pa.Table, tmp_path: Path) -> None:
    other = {
        "amount": "file_row_number",
        "country": "request_id",
        "balance": "found",
        "tier": "value",
        "orders": "kept",
    }

    def rename(name: str) -> str:
        prefix, dot, plain = name.rpartition(".")
        return name if prefix == "feature" else f"{prefix}{dot}{other.get(plain, plain)}"

    root = tmp_path / "shop"
    write_shop(root)
    declared = root / "features" / "shop.py"
    declared.write_text(re.sub(r"\b\w+\b", lambda word: other.get(word[0], word[0]), declared.read_text()))
    payments = pq.read_table(root / "data" / "payments.parquet").drop_columns(["request_id"])
    pq.write_table(payments.rename_columns([rename(n) for n in payments.column_names]), root / "data/payments.parquet")
    account = pq.read_table(root / "data" / "account.parquet")
    pq.write_table(account.rename_columns([rename(n) for n in account.column_names]), root / "data/account.parquet")
    repository = fit_and_generate(root)
    pq.write_table(clean_log.rename_columns([rename(n) for n in clean_log.column_names]), tmp_path / "log.parquet")
    verdict = audit(tmp_path / "log.parquet", generated_directory(root, "shop"), lambda: repository)
    assert verdict.verdict == "pass"
    assert set(verdict.stages.values()) == {"compared"}
