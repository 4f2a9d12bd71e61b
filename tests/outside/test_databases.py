"""Databases as others keep them: schemas, views, two tables of one file, cells of any type."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from outside_world import curated, kept, spec_of

from curator.engines import open_engine
from curator.errors import SourceError
from curator.spec.model import Source
from curator.sqltext import quoted


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A DuckDB file with a table, a view on it and a table in a schema of its own."""
    with duckdb.connect(str(tmp_path / "base.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT i AS id, 'p' || i AS who, i * 2 AS x FROM range(20) r(i)")
        connection.execute("CREATE VIEW v AS SELECT id, who, x + 100 AS x FROM t")
        connection.execute("CREATE SCHEMA police; CREATE TABLE police.t AS SELECT id, who, x + 1000 AS x FROM t")
    return tmp_path


@pytest.mark.parametrize(("table", "least"), [("t", 0), ("v", 100), ("police.t", 1000)])
def test_a_table_a_view_and_a_table_of_another_schema(base: Path, table: str, least: int) -> None:
    spec = spec_of({"x": "integer"}, path="base.duckdb", source={"table": table})
    assert min(curated(base, spec)["x"].to_pylist()) == least


def test_two_sources_of_one_file(base: Path) -> None:
    spec = spec_of({"x": "integer"}, path="base.duckdb", source={"table": "t"})
    columns = {"id": "integer", "y": {"type": "integer", "column": "x"}}
    spec["sources"]["u"] = {"path": "base.duckdb", "table": "v", "columns": columns}
    spec["extract"]["join"] = [{"source": "u", "on": ["id"], "orphans": "stop"}]
    spec["fields"]["y"] = kept()
    assert {row["y"] - row["x"] for row in curated(base, spec).to_pylist()} == {100}


def test_a_missing_table_is_named_among_those_of_every_schema(base: Path) -> None:
    with pytest.raises(SourceError) as caught:
        curated(base, spec_of({"x": "integer"}, path="base.duckdb", source={"table": "people"}))
    assert (caught.value.code, caught.value.found) == ("source-table-missing", "no such table among police.t, t, v")


def test_a_log_beside_the_file_is_read_and_watched(tmp_path: Path) -> None:
    """A writer that died left its last rows in `.wal`: they are read, and a change of the log refuses the run."""
    path = tmp_path / "base.duckdb"
    writer = (
        f"import duckdb, os; c = duckdb.connect({str(path)!r}); c.execute('PRAGMA disable_checkpoint_on_shutdown');"
        "c.execute('CREATE TABLE t AS SELECT 1 AS id'); c.execute('CHECKPOINT');"
        "c.execute('INSERT INTO t VALUES (2)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", writer], check=True, timeout=60)
    source = Source.model_validate_json('{"path": "x", "table": "t", "columns": {"id": "integer"}}')
    engine = open_engine("duckdb", scratch=tmp_path)
    try:
        bound = engine.bind("t", source, path=path)
        assert engine.rows(f"SELECT sum(id) FROM {quoted(bound.relation)}") == [(3,)]
        assert [place.name for place in bound.places] == ["base.duckdb", "base.duckdb.wal"]
        bound.unchanged()
        with (tmp_path / "base.duckdb.wal").open("ab") as log:
            log.write(b"more")
        with pytest.raises(SourceError) as caught:
            bound.unchanged()
    finally:
        engine.close()
    assert caught.value.code == "source-changed"


Rows = Callable[[str, list[tuple[Any, ...]]], Path]


@pytest.fixture
def sqlite(tmp_path: Path) -> Rows:
    """Makes a SQLite file of one table whose column `x` has no type."""

    def make(table: str, rows: list[tuple[Any, ...]]) -> Path:
        with closing(sqlite3.connect(tmp_path / "base.sqlite")) as connection, connection:
            connection.execute(f"CREATE TABLE {quoted(table)} (id INTEGER PRIMARY KEY, who TEXT, x)")
            connection.executemany(f"INSERT INTO {quoted(table)} VALUES (?, ?, ?)", rows)
        return tmp_path

    return make


def test_a_cell_of_another_type_sets_its_row_apart(sqlite: Rows) -> None:
    folder = sqlite('odd "name"', [(1, "a", 5), (2, "b", "6"), (3, "c", "n/a"), (4, "d", 7.5), (5, "e", None)])
    spec = spec_of({"x": "integer"}, path="base.sqlite", source={"table": 'odd "name"'})
    assert sorted(curated(folder, spec)["x"].to_pylist(), key=str) == [5, 6, None]


def test_bytes_are_refused_not_spelt_as_python_does(sqlite: Rows) -> None:
    folder = sqlite("t", [(1, "a", "text"), (2, "b", b"SECRET\xff")])
    with pytest.raises(SourceError) as caught:
        curated(folder, spec_of({"x": "text"}, path="base.sqlite", source={"table": "t"}))
    assert (caught.value.code, caught.value.found) == ("source-column-type", "cells of the SQLite type BLOB")
    assert "SECRET" not in str(caught.value)


def test_one_column_under_two_names(sqlite: Rows) -> None:
    folder = sqlite("t", [(1, "a", 5), (2, "b", 6)])
    columns = {"x": "integer", "again": {"type": "text", "column": "x"}}
    table = curated(folder, spec_of(columns, path="base.sqlite", source={"table": "t"}))
    assert sorted(zip(table["x"].to_pylist(), table["again"].to_pylist(), strict=True)) == [(5, "5"), (6, "6")]
