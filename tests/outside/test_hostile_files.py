"""Files made by somebody who wants more than to be read: what they name stays unread, what they claim is bounded."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from outside_world import curated, spec_of

from curator.errors import CuratorError, SourceError

ROW = "1 AS id, 'a' AS who"
SECRET = "a line of a file of this machine"


def refused(folder: Path, name: str) -> CuratorError:
    with pytest.raises(CuratorError) as caught:
        curated(folder, spec_of({"x": "text"}, path=name, source={"table": "t"}))
    assert SECRET not in str(caught.value)
    return caught.value


def duckdb_file(folder: Path, *statements: str) -> str:
    (folder / "secret.txt").write_text(SECRET)
    with duckdb.connect(str(folder / "base.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement.replace("SECRET", str(folder / "secret.txt")))
    return "base.duckdb"


VIEWS = {
    "a file": [f"CREATE VIEW t AS SELECT {ROW}, content AS x FROM read_text('SECRET')"],
    "a folder": [f"CREATE VIEW t AS SELECT {ROW}, file AS x FROM glob('SECRET')"],
    "a macro": [
        "CREATE MACRO m() AS (SELECT content FROM read_text('SECRET'))",
        f"CREATE VIEW t AS SELECT {ROW}, m() AS x",
    ],
    "a view below": [
        f"CREATE VIEW v AS SELECT {ROW}, content AS x FROM read_text('SECRET')",
        "CREATE VIEW t AS SELECT * FROM v",
    ],
}


@pytest.mark.parametrize("reads", VIEWS)
def test_a_view_of_a_duckdb_file_reads_nothing_of_this_machine(reads: str, tmp_path: Path) -> None:
    refusal = refused(tmp_path, duckdb_file(tmp_path, *VIEWS[reads]))
    assert (type(refusal), refusal.code) == (SourceError, "source-reads-elsewhere")


def test_a_view_of_a_duckdb_file_over_its_own_tables_is_read(tmp_path: Path) -> None:
    name = duckdb_file(tmp_path, f"CREATE TABLE b AS SELECT {ROW}, 'own' AS x", "CREATE VIEW t AS SELECT * FROM b")
    assert curated(tmp_path, spec_of({"x": "text"}, path=name, source={"table": "t"}))["x"].to_pylist() == ["own"]


@pytest.mark.parametrize(
    "cell", ["hex(zeroblob(200000000))", "load_extension('/nonexistent')", "readfile('/etc/hostname')", "fts5(1)"]
)
def test_a_view_of_a_sqlite_file_is_bounded(cell: str, tmp_path: Path) -> None:
    """No cell of hundreds of megabytes, no code, no file; the process goes on."""
    with closing(sqlite3.connect(tmp_path / "base.sqlite")) as connection, connection:
        connection.execute(f"CREATE VIEW t AS SELECT {ROW}, {cell} AS x")
    assert isinstance(refused(tmp_path, "base.sqlite"), SourceError)
