"""SQLite files as others keep them: cells of any type, tables of any kind, a writer at work, and rows left behind."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from live_world import extracted
from outside_world import curated, spec_of

from curator.engines._sqlite import where_sql
from curator.errors import SourceError
from curator.expressions import parse
from curator.protocols import Asked
from curator.spec.model import Source

CELLS: list[Any] = [
    None, 0, 5, -7, 12, 5.0, 7.5, 10**17, 10**18, -(2**63), "6", " 8 ", "+9", "n/a", "", "1e3", "٣", "12", "-0",
    "2020-01-01", " 2020-06-01", "2020-6-1", "2019-12-31", "2020-12-31", "20200101", 2459000.5, 1577836800,
    "2020-01-01 00:00:00", "2020-12-31T23:59:59.999999", "2019-12-31 23:59", "2020-01-01 24:00:00", "2020-02-30",
    "2020-01-01T12:00:00Z", "0000-00-00", "infinity", "NA", "x",
]  # fmt: skip
CONDITIONS = {
    "integer": ["x > 5", "x >= 5", "x <= 10", "x < 0", "x = 12", "x <> 5", "x in (5, 8, 9)", "x between 5 and 100",
                "x is null", "x is not null"],
    "date": ["x >= parse_date('2020-01-01', '%Y-%m-%d')", "x < parse_date('2020-06-01', '%Y-%m-%d')",
             "x = parse_date('2020-06-01', '%Y-%m-%d')", "year(x) = 2020", "x is null", "x is not null"],
    "timestamp": ["date_of(x) >= parse_date('2020-01-01', '%Y-%m-%d')", "year(date_of(x)) = 2020",
                  "date_of(x) <= parse_date('2019-12-31', '%Y-%m-%d')",
                  "date_of(x) = parse_date('2020-01-02', '%Y-%m-%d')"],
    "text": ["x is null", "x is not null", "x = '5'", "x > 'a'"],
}  # fmt: skip


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A file whose table has each cell in a column without type, and in columns of four affinities."""
    with closing(sqlite3.connect(tmp_path / "base.sqlite")) as connection, connection:
        for affinity in ("", "INTEGER", "TEXT", "NUMERIC", "REAL"):
            name = f"t{affinity}"
            connection.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, who TEXT DEFAULT 'p', x {affinity})")
            connection.executemany(f"INSERT INTO {name} (x) VALUES (?)", [(cell,) for cell in CELLS])
    return tmp_path


@pytest.mark.parametrize("affinity", ["", "INTEGER", "TEXT", "NUMERIC", "REAL"])
@pytest.mark.parametrize(("kind", "condition"), [(kind, text) for kind, texts in CONDITIONS.items() for text in texts])
def test_a_condition_left_to_the_file_changes_no_row(base: Path, affinity: str, kind: str, condition: str) -> None:
    """Every row that the engine would keep passes; of cells of the condition's own type, no other."""
    for tokens in ((), ("NA", "5")):
        path = str(base / "base.sqlite")
        value = spec_of({"x": kind}, path=path, source={"table": f"t{affinity}", "null_tokens": list(tokens)})
        whole = extracted(base / "whole", value, "id, x")
        value["extract"]["where"] = condition
        left = extracted(base / "left", value, "id, x")
        assert [row["id"] for row in left] == kept(whole, condition, kind)


def kept(rows: list[dict[str, Any]], condition: str, kind: str) -> list[int]:
    """The rows that meet a condition, as the engine decides it over rows that were all read."""
    import duckdb
    import pyarrow as pa

    types = {"integer": pa.int64(), "date": pa.date32(), "timestamp": pa.timestamp("us"), "text": pa.string()}
    here = pa.table({"id": [row["id"] for row in rows], "x": pa.array([row["x"] for row in rows], types[kind])})  # noqa: F841
    sql = parse(condition, {"id": "integer", "x": kind}).sql("duckdb")
    return [row[0] for row in duckdb.sql(f"SELECT id FROM here WHERE {sql} ORDER BY id").fetchall()]


def test_rows_and_columns_stay_behind(base: Path) -> None:
    source = Source.model_validate_json('{"path": "x", "columns": {"x": "integer", "d": "date", "y": "text"}}')
    types = {"x": "integer", "d": "date", "y": "text"}
    where = tuple(parse(text, types) for text in ("x between 5 and 10", "year(d) >= 2020", "y = 'a'"))
    asked = Asked(name="t", source=source, columns=("x", "d"), where=where)
    written = where_sql(asked, ["x", "d", "y"])
    assert "y" not in written.replace("typeof", "").replace("day", "")
    with closing(sqlite3.connect(base / "base.sqlite")) as connection:
        found = connection.execute(f"SELECT x FROM (SELECT x, x AS d FROM t){where_sql(asked, ['x'])}").fetchall()
    assert [cell for (cell,) in found] == [5, 5.0, 7.5, "6", " 8 ", "+9", *CELLS[13:25], *CELLS[27:]]


Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(*statements: str) -> Path:
        with closing(sqlite3.connect(tmp_path / "base.sqlite")) as connection, connection:
            for statement in statements:
                connection.execute(statement)
        return tmp_path

    return made


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE t (id INTEGER PRIMARY KEY, who TEXT, x INT) WITHOUT ROWID", "INSERT INTO t VALUES (1, 'a', 5)"),
        ("CREATE TABLE t (id INT, who TEXT, x INT) STRICT", "INSERT INTO t VALUES (1, 'a', 5)"),
        ("CREATE TABLE t (id INT, who TEXT, x INT AS (id + 4) STORED)", "INSERT INTO t VALUES (1, 'a')"),
        ("CREATE TABLE t (id INT, who TEXT, x INT AS (id + 4) VIRTUAL)", "INSERT INTO t VALUES (1, 'a')"),
        (
            "CREATE TABLE u (a, b)",
            "INSERT INTO u VALUES (1, 'a')",
            "CREATE VIEW t AS SELECT a AS id, b AS who, 5 AS x FROM u",
        ),
        ("CREATE VIRTUAL TABLE t USING fts5(id, who, x)", "INSERT INTO t VALUES (1, 'a', 5)"),
    ],
)
def test_tables_of_every_kind(make: Make, statements: tuple[str, ...]) -> None:
    folder = make(*statements)
    table = curated(folder, spec_of({"x": "integer"}, path="base.sqlite", source={"table": "t"}))
    assert table["x"].to_pylist() == [5]


def test_a_table_without_rows(make: Make) -> None:
    folder = make("CREATE TABLE t (id INT, who TEXT, x INT)")
    assert (
        extracted(folder / "run", spec_of({"x": "integer"}, path=str(folder / "base.sqlite"), source={"table": "t"}))
        == []
    )


def test_texts_in_another_encoding_are_declared_or_refused(make: Make) -> None:
    folder = make("CREATE TABLE t (id INT, who TEXT, x TEXT)", "INSERT INTO t VALUES (1, 'a', CAST(x'e974e9' AS TEXT))")
    spec = spec_of({"x": "text"}, path="base.sqlite", source={"table": "t"})
    with pytest.raises(SourceError) as caught:
        curated(folder, spec)
    assert caught.value.code == "source-encoding"
    assert "\\xe9" not in str(caught.value)
    spec["sources"]["t"]["encoding"] = "latin-1"
    assert curated(folder, spec)["x"].to_pylist() == ["été"]


def test_a_log_beside_the_file_is_read_and_named(make: Make, tmp_path: Path) -> None:
    """A writer at work keeps rows in `-wal`: they are read, and the log is among the files of the source."""
    folder = make("CREATE TABLE t (id INT, who TEXT, x INT)")
    with closing(sqlite3.connect(folder / "base.sqlite", isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO t VALUES (1, 'a', 5)")
        from outside_world import CAPITALS

        table = curated(folder, spec_of({"x": "integer"}, path="base.sqlite", source={"table": "t"}))
        assert table["x"].to_pylist() == [5]
        private = CAPITALS[-1].workspace.private / "holder" / "sources"
        newest = max(private.glob("outside-*.json"), key=lambda path: path.stat().st_mtime_ns).read_text()
        assert "base.sqlite-wal" in newest


def test_a_log_that_grows_while_it_is_read_refuses_the_run(make: Make, tmp_path: Path) -> None:
    from curator.engines import open_engine

    folder = make("CREATE TABLE t (id INT, who TEXT, x INT)", "PRAGMA journal_mode = WAL")
    source = Source.model_validate_json('{"path": "x", "table": "t", "columns": {"id": "integer"}}')
    with closing(sqlite3.connect(folder / "base.sqlite", isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        engine = open_engine("duckdb", scratch=tmp_path)
        try:
            bound = engine.bind("t", source, path=folder / "base.sqlite")
            bound.unchanged()
            writer.execute("INSERT INTO t VALUES (1, 'a', 5)")
            with pytest.raises(SourceError) as caught:
                bound.unchanged()
        finally:
            engine.close()
    assert caught.value.code == "source-changed"


def test_a_database_that_a_writer_holds_is_refused(make: Make) -> None:
    folder = make("CREATE TABLE t (id INT, who TEXT, x INT)", "INSERT INTO t VALUES (1, 'a', 5)")
    with closing(sqlite3.connect(folder / "base.sqlite", isolation_level=None)) as writer:
        writer.execute("PRAGMA locking_mode = EXCLUSIVE")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError) as caught:
            curated(folder, spec_of({"x": "integer"}, path="base.sqlite", source={"table": "t"}))
    assert (caught.value.code, caught.value.found) == ("source-unreadable", "a database that a writer holds")


def test_a_database_left_in_the_middle_of_a_change(make: Make) -> None:
    """A journal beside the file says that a writer died: reading without it would read half a change."""
    folder = make("CREATE TABLE t (id INT, who TEXT, x INT)", "INSERT INTO t VALUES (1, 'a', 5)")
    with closing(sqlite3.connect(folder / "base.sqlite", isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN")
        writer.execute(
            "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, 'p', i FROM n"
        )
        dead = folder / "dead"
        dead.mkdir()
        for name in ("base.sqlite", "base.sqlite-journal"):
            shutil.copy(folder / name, dead / name)
    with pytest.raises(SourceError) as caught:
        curated(dead, spec_of({"x": "integer"}, path="base.sqlite", source={"table": "t"}))
    assert caught.value.code == "source-unreadable"
