"""Shards: the digests said are those of the bytes, nothing tells more than the rows, and a fault leaves no thread."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curator.edges.parquet import EngineOrderShards, KeyedShards, _ranges, shard_count
from curator.kernel import CLASS, ORDER, SPLIT


def batch(keys: list[int], *, split: int = 0, klass: int = 1) -> pa.RecordBatch:
    """Rows whose order token is spread by a hash of their key."""
    tokens = [hashlib.sha256(str(key).encode()).digest()[:16] for key in keys]
    return pa.record_batch(
        {
            ORDER: pa.array(tokens, pa.binary(16)),
            SPLIT: pa.array([split] * len(keys), pa.int8()),
            CLASS: pa.array([klass] * len(keys), pa.uint64()),
            "token": pa.array(tokens, pa.binary(16)),
            "key": pa.array(keys, pa.int64()),
            "text": pa.array([None if key % 5 == 0 else f"t{key % 3}" for key in keys]),
        }
    )


def shards(folder: Path, rows: int, **changes: Any) -> KeyedShards:
    (folder / "scratch").mkdir(exist_ok=True)
    usual: dict[str, Any] = {"scratch": folder / "scratch", "splits": ("train", "test"), "estimated_rows": rows}
    return KeyedShards(folder, **{**usual, **changes})


NONE = np.empty(0, np.uint64)


@pytest.mark.parametrize("per_shard", [1_000_000, 300, 10])
def test_what_is_said_of_a_file_is_true(per_shard: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ranges, "ROWS_PER_SHARD", per_shard)
    with shards(tmp_path, 1_000) as writer:
        for start in range(0, 1_000, 100):
            writer.add(batch(list(range(start, start + 100)), split=start // 100 % 2))
        report = writer.finish(failing=NONE)
    assert sum(entry.rows for entry in report.files) == 1_000
    assert (report.suppressed, report.repeated) == (0, 0)
    for entry in report.files:
        data = (tmp_path / entry.path).read_bytes()
        assert (entry.size, entry.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert entry.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
        file = pq.ParquetFile(tmp_path / entry.path)
        assert file.metadata.num_rows == entry.rows
        assert file.schema_arrow.names == ["token", "key", "text"]
        for column in range(3):
            assert file.metadata.row_group(0).column(column).statistics is None, "extremes of a column"
        tokens = file.read(["token"])["token"].to_pylist()
        assert tokens == sorted(tokens)
    assert not [*(tmp_path / "scratch").iterdir()]


@pytest.mark.parametrize("per_shard", [1_000_000, 100])
def test_classes_to_leave_out_and_repeated_keys(
    per_shard: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ranges, "ROWS_PER_SHARD", per_shard)
    with shards(tmp_path, 1_000) as writer:
        writer.add(batch(list(range(500)), klass=7))
        writer.add(batch(list(range(490, 600)), klass=2**63 + 5))
        report = writer.finish(failing=np.array([7], np.uint64))
    assert report.repeated == 10
    assert report.suppressed == 500
    keys = [key for entry in report.files for key in pq.read_table(tmp_path / entry.path)["key"].to_pylist()]
    assert sorted(keys) == list(range(490, 600))


def test_a_fault_of_the_writer_is_raised_where_rows_are_fed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ranges, "ROWS_PER_SHARD", 10)
    before = threading.active_count()

    def fed() -> None:
        nowhere = tmp_path / "a folder that is not there"
        with KeyedShards(tmp_path, scratch=nowhere, splits=("train",), estimated_rows=1_000) as writer:
            for start in range(0, 1_000, 100):
                writer.add(batch(list(range(start, start + 100))))
            writer.finish(failing=NONE)

    with pytest.raises(OSError):
        fed()
    assert threading.active_count() == before


def test_leaving_early_removes_what_was_kept_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ranges, "ROWS_PER_SHARD", 10)
    before = threading.active_count()

    def stopped() -> None:
        with shards(tmp_path, 1_000) as writer:
            writer.add(batch(list(range(1_000))))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not [*(tmp_path / "scratch").iterdir()]
    assert threading.active_count() == before


def test_no_row_makes_no_file(tmp_path: Path) -> None:
    with shards(tmp_path, 0) as writer:
        assert writer.finish(failing=NONE).files == []
    with EngineOrderShards(tmp_path, splits=("train",)) as plain:
        assert plain.finish().files == []


def test_the_engines_order_holds_every_row_once(tmp_path: Path) -> None:
    with EngineOrderShards(tmp_path, splits=("train", "test")) as plain:
        for start in range(0, 1_000, 100):
            plain.add(batch(list(range(start, start + 100)), split=start // 100 % 2))
        report = plain.finish()
    keys = [key for entry in report.files for key in pq.read_table(tmp_path / entry.path)["key"].to_pylist()]
    assert sorted(keys) == list(range(1_000))
    assert [entry.split for entry in report.files] == ["test", "train"]


@pytest.mark.parametrize(("rows", "count"), [(0, 1), (1, 1), (500_000, 1), (500_001, 2), (2_000_001, 8), (10**12, 256)])
def test_the_number_of_shards_depends_on_rows_alone(rows: int, count: int) -> None:
    assert shard_count(rows) == count
