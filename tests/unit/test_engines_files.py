"""An engine reads exactly the file it was given, whatever the file and its folders are called."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.engines import open_engine
from curator.errors import CuratorError, SourceError, UsageError
from curator.protocols import Engine
from curator.spec.model import Source

ODD = [
    "a*.{}",
    "a?.{}",
    "a[1].{}",
    "[a].{}",
    "a{{b}}.{}",
    "a'b.{}",
    'a"b.{}',
    "a;b.{}",
    "é à.{}",
    "%s$1.{}",
    "a\\b.{}",
    "-a.{}",
]
FOLDERS = ["sex=9", "*", "[x]", "a'b", "~", "a b"]
KINDS = ("csv", "parquet", "jsonl")
ROWS = [{"id": 1, "sex": 1}, {"id": 2, "sex": 2}]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "scratch").mkdir()
    engine = open_engine("duckdb", scratch=tmp_path / "scratch", threads=1)
    yield engine
    engine.close()


def written(path: Path, rows: list[dict[str, int]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        path.write_text("id,sex\n" + "".join(f"{row['id']},{row['sex']}\n" for row in rows))
    return path


def source(path: Path, **changes: object) -> Source:
    columns = {"id": {"type": "integer"}, "sex": {"type": "integer"}}
    return Source.model_validate_json(json.dumps({"path": path.name, "columns": columns, **changes}))


def read(engine: Engine, path: Path) -> list[tuple[int, ...]]:
    bound = engine.bind("t", source(path), path=path)
    return sorted(engine.rows(f'SELECT id, sex FROM "{bound.relation}"'))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ODD)
def test_a_file_of_any_name_is_that_file(name: str, kind: str, engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "data" / name.format(kind), ROWS)
    for decoy in ("a1", "ab", "a", "b"):  # what a pattern would match instead, or too
        written(tmp_path / "data" / f"{decoy}.{kind}", [{"id": 7, "sex": 7}])
    assert read(engine, path) == [(1, 1), (2, 2)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_of_any_name_changes_no_column(folder: str, kind: str, engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / folder / f"t.{kind}", ROWS)
    written(tmp_path / "other" / f"t.{kind}", [{"id": 7, "sex": 7}])
    assert read(engine, path) == [(1, 1), (2, 2)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_written_shards_are_measured_by_their_own_values(folder: str, engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / folder / "part-0.parquet", ROWS)
    written(tmp_path / "other" / "part-0.parquet", [{"id": 7, "sex": 7}])
    engine.define_files("written", [path])
    assert sorted(engine.rows('SELECT id, sex FROM "written"')) == [(1, 1), (2, 2)]


@pytest.mark.parametrize("cut", [3, 2_000, -40, -9])
@pytest.mark.parametrize("kind", ["parquet", "csv.gz", "jsonl.gz", "sqlite", "duckdb"])
def test_a_file_cut_short_is_a_source_error_without_its_text(
    kind: str, cut: int, engine: Engine, tmp_path: Path
) -> None:
    rows = [{"id": number, "sex": number % 2, "note": f"CANARY{number}"} for number in range(4_000)]
    path = tmp_path / f"t.{kind}"
    made(path, rows)
    path.write_bytes(path.read_bytes()[:cut])
    columns = {"id": {"type": "integer"}, "note": {"type": "text"}}
    wanted = source(path, columns=columns, **({"table": "t"} if kind in ("sqlite", "duckdb") else {}))
    with pytest.raises(CuratorError) as refused:
        streamed(engine, wanted, path)
    assert isinstance(refused.value, SourceError), str(refused.value)
    assert "CANARY" not in str(refused.value)


def streamed(engine: Engine, wanted: Source, path: Path) -> int:
    bound = engine.bind("t", wanted, path=path)
    return sum(len(batch) for batch in engine.batches(f'SELECT id, note FROM "{bound.relation}"', rows=1_000))


def made(path: Path, rows: list[dict[str, object]]) -> None:
    kind = path.name.split(".", 1)[1]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=500)
    elif kind == "csv.gz":
        text = "id,sex,note\n" + "".join(f"{row['id']},{row['sex']},{row['note']}\n" for row in rows)
        path.write_bytes(gzip.compress(text.encode()))
    elif kind == "jsonl.gz":
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    elif kind == "sqlite":
        import sqlite3

        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE t (id INTEGER, sex INTEGER, note TEXT)")
            connection.executemany("INSERT INTO t VALUES (:id, :sex, :note)", rows)
        connection.close()
    else:
        import duckdb

        with duckdb.connect(str(path)) as connection:
            connection.register("rows", pa.Table.from_pylist(rows))
            connection.execute("CREATE TABLE t AS SELECT * FROM rows")
    shutil.rmtree(path.with_suffix(path.suffix + ".wal"), ignore_errors=True)


def test_a_small_memory_limit_ends_in_words(tmp_path: Path) -> None:
    engine = open_engine("duckdb", scratch=tmp_path, threads=1, memory="20MB")
    (tmp_path / "engine").write_text("a file where the engine would spill")
    with pytest.raises(CuratorError) as refused:
        engine.rows("SELECT md5(range::VARCHAR) AS x FROM range(3000000) ORDER BY x")
    engine.close()
    assert refused.value.code in ("engine-memory", "no-space", "source-unreadable")


def test_an_unknown_engine_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        open_engine("oracle", scratch=tmp_path)
    assert refused.value.code == "engine-unknown"
