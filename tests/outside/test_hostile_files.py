"""Files made by somebody who wants more than to be read: what they name stays unread, what they claim is bounded."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from outside_world import curated, spec_of

from curator.capital import Capital
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


# ---- files with any bit changed ----------------------------------------------------------------------------------

COUNT, SWEPT = 6, 300
LINES = [(number, f"p{number % 50}", f"note {number} é") for number in range(300)]
TABLE = pa.table({name: [line[place] for line in LINES] for place, name in enumerate(("id", "who", "x"))})


def as_parquet(path: Path, **options: Any) -> None:
    parquet.write_table(TABLE, path, **options)


def as_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, who TEXT, x TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", LINES)


def as_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t (id INTEGER, who TEXT, x TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?)", LINES)


def as_json(path: Path) -> None:
    path.write_text(json.dumps(TABLE.to_pylist(), ensure_ascii=False))


def as_text(path: Path) -> None:
    text = "id,who,x\n" + "".join(f"{number},{who},{note}\n" for number, who, note in LINES)
    path.write_bytes({".gz": gzip.compress, ".bz2": bz2.compress}.get(path.suffix, bytes)(text.encode()))


WRITERS: dict[str, Callable[[Path], None]] = {
    "a.parquet": as_parquet,
    "plain.parquet": lambda path: as_parquet(path, use_dictionary=False, compression="none", write_statistics=False),
    "pages.parquet": lambda path: as_parquet(path, data_page_version="2.0", compression="zstd"),
    "a.sqlite": as_sqlite, "a.duckdb": as_duckdb, "a.json": as_json,
    "a.csv": as_text, "a.csv.gz": as_text, "a.csv.bz2": as_text,
}  # fmt: skip


@pytest.mark.parametrize("swept", [False, pytest.param(True, marks=pytest.mark.sweep)], ids=["few", "many"])
@pytest.mark.parametrize("name", WRITERS)
def test_a_broken_file_never_ends_the_process(name: str, swept: bool, tmp_path: Path) -> None:
    Capital.create(tmp_path / "capital", holder="Agency")
    WRITERS[name](tmp_path / name)
    (tmp_path / name).rename(tmp_path / f"sound-{name}")
    source = {"table": "t"} if name.endswith(("sqlite", "duckdb")) else {}
    (tmp_path / "spec.yaml").write_text(json.dumps(spec_of({"x": "text"}, path=name, source=source)))
    first, count = (COUNT, SWEPT) if swept else (0, COUNT)
    program = Path(__file__).with_name("broken_files.py")
    done = subprocess.run(
        [sys.executable, str(program), str(tmp_path), name, str(first), str(count)],
        env={**os.environ, "PYTHONPATH": str(program.parents[2])}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout.split()[-1]) == (0, str(first + count - 1)), done.stderr[-2000:]
