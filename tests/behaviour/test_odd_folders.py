"""Folders whose names hold what a person may write and a reader may take for a pattern, a list or an address."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet
import pytest
from capital_world import curate, empty_capital, spec_value
from live_world import TABLES, shards

from curator.engines import open_engine
from curator.errors import SourceError
from curator.spec.model import Source

ODD = (
    "a b",
    "a#b",
    "a%b",
    "a%20b",
    "é",
    "e\u0301",
    "a*b",
    "a?b",
    "a[b]",
    "[!a]",
    "{a,b}",
    "a,b",
    "k=1",
    "a'b",
    'a"b',
    "a\\b",
)
ALL = "Données 50%20 #1, {x} [y] *?'\" k=1"


def table(number: int) -> pa.Table:
    return pa.table({"number": [number], "word": ["é"]})


def test_each_file_is_read_once_whatever_its_folder_is_called(engine_name: str, tmp_path: Path) -> None:
    paths = []
    for number, name in enumerate(ODD):
        paths.append(tmp_path / name / f"{name}.parquet")
        paths[-1].parent.mkdir()
        parquet.write_table(table(number), paths[-1])
    (tmp_path / "scratch").mkdir()
    engine = open_engine(engine_name, scratch=tmp_path / "scratch", threads=1)
    try:
        engine.define_files("all", paths)
        assert engine.rows('SELECT number FROM "all" ORDER BY number') == [(number,) for number in range(len(ODD))]
        source = Source.model_validate_json('{"path": "x", "columns": {"number": "integer", "word": "text"}}')
        bound = engine.bind("t", source, path=tuple(paths))
        found = engine.rows(f'SELECT number, word FROM "{bound.relation}" ORDER BY number')
        assert found == [(number, "é") for number in range(len(ODD))]
    finally:
        engine.close()


@pytest.mark.parametrize("name", ["a:b", ".hidden", "_hidden"])
def test_names_that_spark_takes_for_something_else(engine_name: str, tmp_path: Path, name: str) -> None:
    path = tmp_path / name / f"{name}.parquet"
    path.parent.mkdir()
    parquet.write_table(table(7), path)
    shards_there = path.with_name("0.parquet")
    parquet.write_table(table(8), shards_there)
    (tmp_path / "scratch").mkdir()
    engine = open_engine(engine_name, scratch=tmp_path / "scratch", threads=1)
    try:
        source = Source.model_validate_json('{"path": "x", "columns": {"number": "integer"}}')
        assert engine.rows(f'SELECT number FROM "{engine.bind("t", source, path=path).relation}"') == [(7,)]
        engine.define_files("all", [shards_there])
        assert engine.rows('SELECT number FROM "all"') == [(8,)]
    finally:
        engine.close()


def laid(folder: Path, base: Path, kind: str) -> dict[str, Path]:
    """The demonstration tables as files of a kind, below a folder."""
    folder.mkdir(parents=True)
    places = {name: folder / f"{name}.{kind}" for name in TABLES}
    for name, place in places.items():
        held = parquet.read_table(base / f"{name}.parquet")
        if kind == "parquet":
            shutil.copy(base / f"{name}.parquet", place)
        elif kind == "csv":
            csv.write_csv(held, place)
        elif kind == "duckdb":
            with tempfile.TemporaryDirectory() as made:  # DuckDB itself writes its log beside such a folder
                with duckdb.connect(f"{made}/made") as connection:
                    connection.register("held", held)
                    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM held")
                shutil.move(f"{made}/made", place)
        else:
            with sqlite3.connect(place) as connection:
                texts = [[None if cell is None else str(cell) for cell in row.values()] for row in held.to_pylist()]
                connection.execute(f"CREATE TABLE {name} ({', '.join(held.column_names)})")
                marks = ", ".join("?" * held.num_columns)
                connection.executemany(f"INSERT INTO {name} VALUES ({marks})", texts)
    return places


@pytest.fixture(scope="module")
def plain(demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The shards of a capital in a folder of a plain name."""
    return shards(curate(empty_capital(tmp_path_factory.mktemp("plain") / "capital"), demo_base))


def test_a_capital_in_such_a_folder(engine_name: str, demo_base: Path, plain: dict[str, bytes], tmp_path: Path) -> None:
    """Sources, scratch, versions and what DVC keeps of them, all below it."""
    places = laid(tmp_path / ALL / "in put", demo_base, "parquet")
    capital = empty_capital(tmp_path / ALL / "cap ital#1")
    version = curate(capital, places["persons"].parent, engine=engine_name, sources=places)
    assert shards(version) == plain
    assert capital.verify() == ()
    if engine_name == "duckdb":
        root = capital.workspace.root
        told = subprocess.run(
            [sys.executable, "-m", "dvc", "status"], cwd=root, capture_output=True, text=True, check=True
        )
        assert "up to date" in told.stdout
        shutil.rmtree(version.folder / "data")
        subprocess.run([sys.executable, "-m", "dvc", "checkout"], cwd=root, capture_output=True, check=True)
        assert shards(version) == plain


@pytest.mark.parametrize("kind", ["csv", "duckdb", "sqlite"])
def test_other_files_in_such_a_folder(kind: str, demo_base: Path, tmp_path: Path) -> None:
    value, found = spec_value(), []
    for name, source in value["sources"].items():
        source |= {"path": f"{name}.{kind}"} | ({} if kind == "csv" else {"format": kind, "table": name})
    for name in ("plain", ALL):
        laid(tmp_path / name / "base", demo_base, kind)
        found.append(shards(curate(empty_capital(tmp_path / name / "capital"), tmp_path / name / "base", spec=value)))
    assert found[0] == found[1]


def test_a_database_below_a_backslash_is_refused_and_no_other_is_read(tmp_path: Path) -> None:
    """DuckDB takes the sign for a `/`: a neighbour's file would be read instead."""
    for folder, number in (("a/b", 7), ("a\\b", 8)):
        (tmp_path / folder).mkdir(parents=True)
        with duckdb.connect(str(tmp_path / "made")) as base:
            base.execute(f"CREATE TABLE t AS SELECT {number} AS number")
        shutil.move(tmp_path / "made", tmp_path / folder / "t.duckdb")
    source = Source.model_validate_json('{"path": "x", "columns": {"number": "integer"}}')
    engine = open_engine("duckdb", scratch=tmp_path, threads=1)
    try:
        with pytest.raises(SourceError, match="backslash"):
            engine.bind("t", source, path=tmp_path / "a\\b" / "t.duckdb")
        bound = engine.bind("t", source, path=tmp_path / "a" / "b" / "t.duckdb")
        assert engine.rows(f'SELECT number FROM "{bound.relation}"') == [(7,)]
    finally:
        engine.close()


def test_a_table_of_many_columns_is_not_looked_through_for_common_parts(tmp_path: Path) -> None:
    """The search takes the square of the number of columns: half a minute for a thousand."""
    names = [f"c{number}" for number in range(201)]
    (tmp_path / "wide.csv").write_text(",".join(names) + "\n" + ",".join(map(str, range(201))) + "\n")
    source = Source.model_validate_json(json.dumps({"path": "x", "columns": dict.fromkeys(names, "decimal")}))
    engine = open_engine("duckdb", scratch=tmp_path, threads=1)
    try:
        bound = engine.bind("t", source, path=tmp_path / "wide.csv")
        assert engine.rows(f'SELECT {", ".join(names)} FROM "{bound.relation}"')[0] == tuple(range(201))
        assert engine.rows("SELECT current_setting('disabled_optimizers')") == [("common_subexpressions",)]
    finally:
        engine.close()
