"""Where tables come from: every format gives the same table, and what cannot be read says so."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather, ipc

from skewcheck.compare.tables import hide_password, open_table
from skewcheck.engines.session import open_session
from skewcheck.errors import SkewcheckError, TableError, UsageError
from tests.compare.comparing import column, compare, states

ROWS = pa.table({"id": [1, 2, 3], "x": [0.5, None, 2.0], "t": ["a", "", None]})


def write(path: Path, table: pa.Table = ROWS) -> str:
    """A table in the format that a file's name says."""
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".feather":
        feather.write_feather(table, path)
    elif path.suffix in {".arrow", ".arrows"}:
        new = ipc.new_file if path.suffix == ".arrow" else ipc.new_stream
        with new(path, table.schema) as writer:
            writer.write_table(table)
    return str(path)


def write_text(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrow", "t.arrows", "odd [name]*.parquet"])
def test_every_format_gives_the_same_table(tmp_path: Path, name: str) -> None:
    findings = compare(ROWS, write(tmp_path / name))
    assert (findings.verdict, findings.join.compared) == ("pass", 3)


def test_a_file_is_known_by_its_first_bytes_where_its_name_says_nothing(tmp_path: Path) -> None:
    write(tmp_path / "t.parquet")
    (tmp_path / "t.parquet").rename(tmp_path / "table")
    assert compare(ROWS, str(tmp_path / "table")).verdict == "pass"


def test_a_folder_and_a_glob_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "day=1").mkdir()
    write(tmp_path / "day=1" / "a.parquet", ROWS.slice(0, 1))
    write(tmp_path / "b.parquet", ROWS.slice(1))
    write(tmp_path / "_ignored.parquet", ROWS)
    write_text(tmp_path / "notes.md", "no table")
    assert compare(ROWS, str(tmp_path)).join.compared == 3
    assert compare(ROWS, str(tmp_path / "*b.parquet")).join.compared == 2


def test_pandas_frames_are_tables(tmp_path: Path) -> None:
    frame = ROWS.to_pandas()
    assert compare(ROWS, frame).verdict == "pass"


def test_a_table_of_a_database_is_read(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE rows AS SELECT * FROM ROWS")
        database.execute('CREATE SCHEMA other; CREATE VIEW other."odd name" AS SELECT * FROM main.rows')
    assert compare(ROWS, f"{path}::rows").verdict == "pass"
    assert compare(f"{path}::rows", f"{path}::other.odd name").verdict == "pass"
    with pytest.raises(UsageError, match=r"rows, other\.odd name"):
        compare(ROWS, f"{path}::nowhere")
    with pytest.raises(UsageError, match="no file"):
        compare(ROWS, f"{tmp_path / 'no.duckdb'}::rows")
    with pytest.raises(TableError):
        compare(ROWS, f"{write_text(tmp_path / 'bad.duckdb', 'no database')}::rows")


def test_csv_is_compared_as_the_other_tables_types(tmp_path: Path) -> None:
    text = 'id,x,t\n1,.5,a\n2,,""\n3,2e0,\n'
    assert compare(ROWS, write_text(tmp_path / "t.csv", text)).verdict == "pass"
    assert compare(ROWS, write_text(tmp_path / "t.tsv", text.replace(",", "\t"))).verdict == "pass"
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode()))
    assert compare(ROWS, str(tmp_path / "t.csv.gz")).verdict == "pass"


def test_csv_is_compared_with_csv_by_what_all_cells_of_a_column_read_as(tmp_path: Path) -> None:
    a = write_text(tmp_path / "a.csv", "id,n,code,when,flag\n1,1.0,007,2024-01-01T00:00:00Z,true\n2,NaN,12,,False\n")
    b = write_text(tmp_path / "b.csv", "id,n,code,when,flag\n1,1,7,2024-01-01 01:00:00+01:00,TRUE\n2,,12,,false\n")
    findings = compare(a, b)
    assert [found.name for found in findings.differing] == ["code"]
    assert states(column(findings, "n"))["nan", "null"] == 1
    assert column(findings, "when").a_type == "instant (as text)"


@pytest.mark.parametrize("as_csv", [True, False])
def test_text_among_numbers_is_unreadable_and_not_missing(tmp_path: Path, as_csv: bool) -> None:
    a = write_text(tmp_path / "a.csv", "id,x\n1,abc\n2,foo\n3,1\n4,\n")
    b: Any = pa.table({"id": [1, 2, 3, 4], "x": [None, 5.0, 1.0, None]})
    if as_csv:
        b = write_text(tmp_path / "b.csv", "id,x\n1,\n2,5.0\n3,1.0\n4,\n")
    found = column(compare(a, b))
    assert states(found) == {
        ("null", "null"): 1,
        ("unreadable", "null"): 1,
        ("unreadable", "value"): 1,
        ("value", "value"): 1,
    }
    assert (found.mismatched, found.a_missing, found.b_missing) == (2, 0, 1)
    assert [sample.a for sample in found.samples if sample.id == {"id": "1"}] == ["abc"]
    assert found.smape == pytest.approx(4 / 3)


def test_a_word_stands_for_null_only_where_it_is_said(tmp_path: Path) -> None:
    a = write_text(tmp_path / "a.csv", "id,x,t\n1,NA,NA\n2,1,x\n")
    b = pa.table({"id": [1, 2], "x": [None, 1.0], "t": [None, "x"]})
    assert compare(a, b).exit_code == 1
    assert compare(a, b, null_texts=["NA"]).exit_code == 0


def test_integers_beyond_floats_are_read_exactly(tmp_path: Path) -> None:
    a = write_text(tmp_path / "a.csv", "id,x\n1,9007199254740993\n2,9007199254740992.0\n")
    b = pa.table({"id": [1, 2], "x": [9007199254740992, 9007199254740992]})
    assert column(compare(a, b)).mismatched == 1


def test_times_in_text_keep_their_zone(tmp_path: Path) -> None:
    a = write_text(tmp_path / "a.csv", "id,x\n1,2024-01-01T02:00:00+02:00\n2,2024-01-01T02:00:00+0200\n3,soon\n")
    b = pa.table({"id": [1, 2, 3], "x": pa.array([1704067200, 1704074400, 0], pa.timestamp("s", tz="UTC"))})
    found = column(compare(a, b))
    assert found.mismatched == 2
    assert states(found)["unreadable", "value"] == 1


def test_ids_of_csv_meet_those_of_every_type(tmp_path: Path) -> None:
    a = write_text(tmp_path / "a.csv", "id,x\n1,1\n2.0,2\nabc,3\n")
    for ids in ([1, 2, 3], [1.0, 2.0, 3.0]):
        findings = compare(a, pa.table({"id": ids, "x": [1.0, 2.0, 3.0]}))
        assert (findings.join.compared, findings.a.unmatched_rows, findings.a.missing_ids) == (2, 1, 0)


@pytest.mark.parametrize("name", ["nowhere.parquet", "nowhere/*.csv", "empty", "notes.txt"])
def test_what_is_no_table_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    write_text(tmp_path / "notes.txt", "no table")
    with pytest.raises(UsageError):
        compare(ROWS, str(tmp_path / name))


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.arrow"])
def test_a_broken_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x00\xff" * 9 if name != "t.csv" else b"id,x\n1,2\n" * 9 + b'"unclosed\n1,2,3,4,5')
    with pytest.raises(SkewcheckError, match=name):
        compare(ROWS, str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.csv is empty"),
        ("id,x\n1,2\n3,4,5\n", "t.csv cannot be read: line 3 has 3 cells, expected 2 as in the line of names"),
        ("id,x\n1\n", "t.csv cannot be read: line 2 has 1 cells, expected 2 as in the line of names"),
    ],
)
def test_what_is_wrong_with_a_csv_file_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TableError) as raised:
        compare(ROWS, write_text(tmp_path / "t.csv", text))
    assert raised.value.message.endswith(said)


def test_the_only_column_of_a_csv_file_may_have_a_comma_in_its_name(tmp_path: Path) -> None:
    table = write_text(tmp_path / "t.csv", '"a,b"\n1\n2\n')
    assert compare(table, table, "a,b").join.pairs == 2


def test_a_folder_without_a_table_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the folder .* has no table"):
        compare(ROWS, str(tmp_path))


def test_files_of_several_formats_are_no_table(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet")
    write_text(tmp_path / "b.csv", "id,x\n")
    with pytest.raises(UsageError, match="several formats"):
        compare(ROWS, str(tmp_path))


def test_a_password_stays_out_of_reports() -> None:
    assert hide_password("postgresql://me:secret@host:5432/db") == "postgresql://me:***@host:5432/db"
    assert hide_password("postgresql://host/db?user=me&password=secret") == "postgresql://host/db?user=me&password=***"
    assert hide_password("postgresql://me@host/db") == "postgresql://me@host/db"


def test_an_unreachable_server_is_an_error_that_hides_the_password(tmp_path: Path) -> None:
    address = f"postgresql://me:secret@/db?host={tmp_path}"
    with pytest.raises(TableError) as raised:
        compare(ROWS, f"{address}::rows")
    assert "secret" not in str(raised.value)
    with pytest.raises(UsageError, match="names no table"):
        compare(ROWS, address)


def test_a_type_that_only_one_engine_has_is_compared_by_its_text(tmp_path: Path) -> None:
    with open_session() as connection:
        rows = connection.sql(
            "SELECT 1 AS id, uuid '5ad67a52-0e3c-4a5e-9a8e-0f9f2a0c1c3b' AS x, 'b'::ENUM('a', 'b') AS e"
        )
        rows.write_parquet(str(tmp_path / "t.parquet"))
        assert open_table(connection, tmp_path / "t.parquet", "c", tmp_path).columns["x"].kind == "text"
    other = pa.table({"id": [1], "x": ["5ad67a52-0e3c-4a5e-9a8e-0f9f2a0c1c3b"], "e": ["b"]})
    assert compare(str(tmp_path / "t.parquet"), other).verdict == "pass"
