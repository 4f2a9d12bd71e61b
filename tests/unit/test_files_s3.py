"""Sources in an object store, against a real server on loopback."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from capital_world import empty_capital, write_spec
from s3_server import ACCESS, s3_server

from curator.addresses import address_of
from curator.capital import RunOptions
from curator.engines import open_engine
from curator.errors import CuratorError, SourceError
from curator.files import Where, _stores, files_of, where_of
from curator.protocols import Engine
from curator.spec.model import Source

s3fs = pytest.importorskip("s3fs")
pytest.importorskip("moto.server")

ROWS = 200_000
COLUMNS = {"id": "integer", "x": "float", "name": "text"}


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3") / "log") as address:
        yield address


@pytest.fixture
def store(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**ACCESS, "AWS_ENDPOINT_URL_S3": endpoint, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    _stores._store.cache_clear()
    client = s3fs.S3FileSystem(skip_instance_cache=True)
    bucket = "b" + os.urandom(6).hex()
    client.mkdir(bucket)
    client.bucket = bucket
    yield client
    _stores._store.cache_clear()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "scratch").mkdir()
    engine = open_engine("duckdb", scratch=tmp_path / "scratch", threads=2)
    yield engine
    engine.close()


def table(rows: int = ROWS) -> pa.Table:
    names = [f"name {number % 97} and some more text" for number in range(rows)]
    return pa.table({"id": list(range(rows)), "x": [number / 7 for number in range(rows)], "name": names})


def source(path: str, columns: dict[str, Any] | None = None, **changes: Any) -> Source:
    return Source.model_validate_json(json.dumps({"path": path, "columns": columns or COLUMNS, **changes}))


def bound(engine: Engine, path: str, columns: dict[str, Any] | None = None, **changes: Any) -> str:
    declared = source(path, columns, **changes)
    where: Where = where_of(declared.addresses, source="t", folder=Path())
    return f'"{engine.bind("t", declared, path=where).relation}"'


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Bytes asked of the store, request by request."""
    sizes: list[int] = []
    plain = _stores._Held.between

    def counting(held: Any, start: int, end: int) -> bytes:
        sizes.append(end - start)
        return plain(held, start, end)

    monkeypatch.setattr(_stores._Held, "between", counting)
    return sizes


def test_parquet_brings_only_the_named_columns(store: Any, engine: Engine, tmp_path: Path, fetched: list[int]) -> None:
    pq.write_table(table(), tmp_path / "x.parquet", compression="none", use_dictionary=False, row_group_size=50_000)
    store.put(str(tmp_path / "x.parquet"), f"{store.bucket}/x.parquet")
    relation = bound(engine, f"s3://{store.bucket}/x.parquet", {"id": "integer"})
    assert engine.rows(f"SELECT count(*), sum(id) FROM {relation}") == [(ROWS, ROWS * (ROWS - 1) // 2)]
    assert sum(fetched) < (tmp_path / "x.parquet").stat().st_size / 3


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_csv_streams(suffix: str, store: Any, engine: Engine, tmp_path: Path) -> None:
    text = "id,x,name\n" + "".join(f"{n},{n / 8},é {n}\n" for n in range(ROWS))
    data = gzip.compress(text.encode("latin-1")) if suffix.endswith(".gz") else text.encode("latin-1")
    store.pipe_file(f"{store.bucket}/rows{suffix}", data)
    relation = bound(engine, f"s3://{store.bucket}/rows{suffix}", encoding="latin-1")
    wanted = (ROWS, sum(range(ROWS)), "é 7")
    assert engine.rows(f"SELECT count(*), sum(id), max(CASE id WHEN 7 THEN name END) FROM {relation}") == [wanted]


def test_a_pattern_of_objects_is_one_source(store: Any, engine: Engine) -> None:
    for year in (2012, 2013):
        store.pipe_file(f"{store.bucket}/y/{year}.csv", f"id,x,name\n{year},1,a\n".encode())
    relation = bound(engine, f"s3://{store.bucket}/y/*.csv")
    assert engine.rows(f"SELECT id FROM {relation} ORDER BY id") == [(2012,), (2013,)]


def test_an_object_written_anew_while_it_is_read_is_refused(store: Any, engine: Engine, tmp_path: Path) -> None:
    key = f"{store.bucket}/rows.csv"
    store.pipe_file(key, b"id,x,name\n1,1,a\n")
    where = address_of(f"s3://{key}", source="t")
    snapshot, places = files_of("t", where)
    stream = places[0].open(parts=True)
    store.pipe_file(key, b"id,x,name\n2,2,b\n")
    with pytest.raises(SourceError, match="source-changed"):
        stream.read()
    with pytest.raises(SourceError, match="source-changed"):
        snapshot.unchanged()


def test_a_version_from_a_store_is_the_version_from_a_disk(store: Any, tmp_path: Path) -> None:
    from test_files_snapshot import SPEC

    pq.write_table(pa.table({"id": list(range(500)), "x": list(range(500))}), tmp_path / "rows-1.parquet")
    store.put(str(tmp_path / "rows-1.parquet"), f"{store.bucket}/rows-1.parquet")
    shards = []
    for place in (str(tmp_path / "rows-1.parquet"), f"s3://{store.bucket}/rows-1.parquet"):
        capital = empty_capital(tmp_path / f"capital{len(shards)}")
        version = capital.curate(write_spec(tmp_path, SPEC), RunOptions(sources={"t": place}))
        shards.append([entry.sha256 for entry in version.manifest.files if entry.split])
        told = json.dumps([envelope.statement.facts for envelope in capital.evidence.unverified()])
        assert ACCESS["AWS_SECRET_ACCESS_KEY"] not in told
        assert store.bucket not in told, "evidence names the object, not where it is kept"
    assert shards[0] == shards[1]


def test_what_the_store_refuses_is_told(store: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError) as caught:
        bound(engine, f"s3://{store.bucket}/absent.csv")
    assert (caught.value.code, caught.value.found) == ("source-missing", "no file at absent.csv")
    with pytest.raises(SourceError, match="source-missing"):
        bound(engine, f"s3://{store.bucket}/absent-*.csv")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    _stores._store.cache_clear()
    with pytest.raises(SourceError, match="store-login"):
        bound(engine, f"s3://{store.bucket}/absent.csv")


def test_a_store_that_does_not_answer(store: Any, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{probe.getsockname()[1]}")
    _stores._store.cache_clear()
    with pytest.raises(SourceError, match="store-unreachable"):
        bound(engine, "s3://bucket/rows.csv")


@pytest.mark.parametrize(
    "address",
    ["s3://key:CANARY@bucket/rows.csv", "s3://bucket/rows.csv?X-Amz-Signature=CANARY", "s3://b/r.csv?token=CANARY"],
)
def test_a_secret_in_an_address_is_refused(address: str) -> None:
    with pytest.raises(CuratorError) as caught:
        where_of([address], source="t", folder=Path())
    assert "CANARY" not in str(caught.value)


def test_nothing_else_is_asked_for_credentials(store: Any) -> None:
    resolver = _stores._store().session.get_component("credential_provider")
    assert {provider.METHOD for provider in resolver.providers} <= set(_stores._PROVIDERS)


def test_dvc_pushes_a_version_to_a_store_and_pulls_it_back(store: Any, endpoint: str, tmp_path: Path) -> None:
    pytest.importorskip("dvc_s3")
    import shutil

    from test_files_snapshot import SPEC

    (tmp_path / "rows-1.csv").write_text("id,x\n" + "".join(f"{n},{n}\n" for n in range(500)))
    capital = empty_capital(tmp_path / "capital")
    version = capital.curate(write_spec(tmp_path, SPEC))
    root = capital.workspace.root

    def dvc(*words: str) -> None:
        subprocess.run([sys.executable, "-m", "dvc", *words], cwd=root, check=True, capture_output=True)

    dvc("remote", "add", "--local", "-d", "store", f"s3://{store.bucket}/capital")
    dvc("remote", "modify", "--local", "store", "endpointurl", endpoint)
    dvc("remote", "modify", "--local", "store", "verify", "true")
    dvc("push", "datasets/rows/1.0.0.dvc")
    assert store.du(f"{store.bucket}/capital") > sum(entry.size for entry in version.manifest.files) / 2
    shutil.rmtree(root / ".dvc" / "cache")
    shutil.rmtree(version.folder)
    dvc("pull", "datasets/rows/1.0.0.dvc")
    assert capital.verify() == ()
