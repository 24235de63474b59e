"""Tables of a PostgreSQL server, against a real one."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from adbc_driver_postgresql import dbapi

from skewcheck.errors import TableError, UsageError
from tests.compare.comparing import column, compare

TABLE = """
CREATE TYPE mood AS ENUM ('calm', 'sad');
CREATE TABLE served (id int PRIMARY KEY, x double precision, price numeric(10, 2), serial numeric(20, 0), text text,
    mood mood, tags text[], at timestamptz, "Odd name" boolean);
INSERT INTO served VALUES
    (1, 0.1, 1.50, 12345678901234567890, '', 'sad', '{a,b}', '2024-01-01 00:00:00+01', true),
    (2, 'NaN', 'NaN', 12345678901234567891, NULL, 'calm', '{}', '2024-01-02 00:00:00Z', NULL),
    (3, NULL, NULL, NULL, 'c', NULL, NULL, NULL, false);
CREATE SCHEMA other;
CREATE VIEW other.first AS SELECT id, x FROM served WHERE id = 1;
"""


def find_server() -> Path | None:
    """The folder of the server's programs; None where it is not installed."""
    found = [shutil.which("initdb"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True))]
    return next((Path(path).parent for path in found if path), None)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server with the table; where none is installed the test is skipped."""
    programs = find_server()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed")
    # The server refuses to run as the administrator.
    user = {"user": "nobody"} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as folder:
        if user:
            shutil.chown(folder, "nobody")

        def run(program: str, *arguments: str) -> None:
            command = [str(programs / program), *arguments]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, **user)
            assert done.returncode == 0, done.stderr

        run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "me", "--no-sync", "-E", "UTF8")
        settings = f"-k {folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "-D", f"{folder}/data", "-o", settings, "-w", "-l", f"{folder}/log", "start")
        try:
            address = f"postgresql://me@/postgres?host={folder}"
            with dbapi.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
                for statement in TABLE.strip().removesuffix(";").split(";"):
                    cursor.execute(statement)
            yield address
        finally:
            run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")


TRAINED = pa.table(
    {
        "id": [1, 2, 3],
        "x": [0.1, float("nan"), None],
        "price": pa.array([Decimal("1.50"), None, None], pa.decimal128(10, 2)),
        "serial": pa.array([Decimal(12345678901234567890), Decimal(12345678901234567891), None]),
        "text": ["", None, "c"],
        "mood": ["sad", "calm", None],
        "tags": [["a", "b"], [], None],
        "at": pa.array([1704063600, 1704153600, None], pa.timestamp("s", tz="UTC")),
        "Odd name": [True, None, False],
    }
)


def test_a_table_of_a_server_matches_the_same_rows(address: str) -> None:
    findings = compare(TRAINED, f"{address}::served")
    assert findings.verdict == "pass"
    assert len(findings.columns) == 8
    assert findings.join.compared == 3


def test_a_digit_that_a_float_does_not_hold_is_a_difference(address: str) -> None:
    serial = pa.array([Decimal(12345678901234567892), Decimal(12345678901234567891), None])
    other = TRAINED.set_column(TRAINED.schema.get_field_index("serial"), "serial", serial)
    assert column(compare(other, f"{address}::served"), "serial").mismatched == 1


def test_a_view_of_a_schema_is_read(address: str) -> None:
    assert compare(TRAINED.slice(0, 1), f"{address}::other.first").verdict == "pass"


def test_a_table_that_is_not_there_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="no table nowhere"):
        compare(TRAINED, f"{address}::nowhere")
    with pytest.raises(TableError):
        compare(TRAINED, f"{address.replace('/postgres?', '/nowhere?')}::served")
