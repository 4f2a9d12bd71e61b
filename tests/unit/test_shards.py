"""Shards: the same bytes however the rows came, hashed on their way, with nothing left of a run that failed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curator.arrow import from_integers, recycled_memory, rows_at, rows_where
from curator.edges.parquet import EngineOrderShards, KeyedShards, ShardReport, shard_count
from curator.kernel import CLASS, ORDER, SPLIT

SPLITS = ("train", "test")
MANY = 1_900_000  # a source so large that rows go through four temporary ranges
NONE = np.empty(0, np.uint64)


def rows(count: int, *, seed: int = 1) -> pa.RecordBatch:
    draw = np.random.default_rng(seed)
    tokens = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), count, [None, pa.py_buffer(draw.bytes(16 * count))])
    columns = {
        ORDER: tokens,
        SPLIT: from_integers((draw.random(count) < 0.2).astype(np.int8), pa.int8()),
        CLASS: from_integers(draw.integers(0, 5, count).astype(np.uint64), pa.uint64()),
        "token": tokens,
        "number": from_integers(np.arange(count), pa.int64()),
        "word": pa.array([None if place % 11 == 0 else f"w{place % 13}" for place in range(count)]),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def keyed(folder: Path, batches: list[pa.RecordBatch], *, estimate: int = MANY, failing: object = NONE) -> ShardReport:
    folder.mkdir()
    with KeyedShards(folder, scratch=folder, splits=SPLITS, estimated_rows=estimate) as shards:
        for batch in batches:
            shards.add(batch)
        return shards.finish(failing=failing)  # type: ignore[arg-type]


def read(folder: Path, report: ShardReport) -> pa.Table:
    return pa.concat_tables(parquet.read_table(folder / entry.path) for entry in report.files)


def test_bytes_do_not_depend_on_how_rows_came(tmp_path: Path) -> None:
    whole = rows(4_000)
    shuffled = rows_at(whole, np.random.default_rng(2).permutation(4_000))
    one = keyed(tmp_path / "one", [whole])
    other = keyed(tmp_path / "other", [shuffled.slice(start, 333) for start in range(0, 4_000, 333)])
    assert one.files == other.files
    assert len(one.files) == 2 * shard_count(MANY)


@pytest.mark.parametrize("estimate", [10, MANY])
def test_digests_are_those_of_the_files_and_no_scratch_stays(tmp_path: Path, estimate: int) -> None:
    report = keyed(tmp_path / "v", [rows(1_000)], estimate=estimate)
    for entry in report.files:
        data = (tmp_path / "v" / entry.path).read_bytes()
        assert entry.sha256 == hashlib.sha256(data).hexdigest()
        assert entry.md5 == hashlib.md5(data, usedforsecurity=False).hexdigest()
        assert (entry.size, entry.rows) == (len(data), parquet.read_metadata(tmp_path / "v" / entry.path).num_rows)
    assert [path.name for path in (tmp_path / "v").iterdir()] == ["data"]


@pytest.mark.parametrize("estimate", [10, MANY])
def test_rows_are_sorted_by_their_token_and_lose_the_failing_classes(tmp_path: Path, estimate: int) -> None:
    whole = rows(3_000)
    report = keyed(tmp_path / "v", [whole], estimate=estimate, failing=np.array([1, 3], np.uint64))
    kept = [cls not in (1, 3) for cls in whole.column(CLASS).to_pylist()]
    assert report.suppressed == 3_000 - sum(kept)
    written = read(tmp_path / "v", report)
    expected = rows_where(whole, np.array(kept)).select(["token", "number", "word"])
    assert pa.Table.from_batches([expected]).sort_by("number").equals(written.sort_by("number"))
    for split in SPLITS:
        files = [entry for entry in report.files if entry.split == split]
        tokens = read(tmp_path / "v", ShardReport(files=files)).column("token").to_pylist()
        assert tokens == sorted(tokens)


@pytest.mark.parametrize("estimate", [10, MANY])
def test_a_repeated_token_is_counted(tmp_path: Path, estimate: int) -> None:
    whole = rows(500)
    assert keyed(tmp_path / "v", [whole, whole.slice(7, 3)], estimate=estimate).repeated == 3


def test_engine_order_writes_the_same_rows_and_counts_repeats(tmp_path: Path) -> None:
    whole = rows(2_000)
    with EngineOrderShards(tmp_path, splits=SPLITS) as shards:
        for start in range(0, 2_000, 600):
            shards.add(whole.slice(start, 600))
        shards.add(whole.slice(0, 2))
        report = shards.finish()
    assert report.repeated == 2
    numbers = sorted(read(tmp_path, report).column("number").to_pylist())
    assert numbers == sorted([*range(2_000), 0, 1])
    for entry in report.files:
        assert entry.sha256 == hashlib.sha256((tmp_path / entry.path).read_bytes()).hexdigest()


def test_a_failure_while_writing_is_raised_and_leaves_no_range(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "data").write_text("a file where the folder should be")
    shards = KeyedShards(tmp_path / "v", scratch=tmp_path / "v", splits=SPLITS, estimated_rows=MANY)
    with shards:
        shards.add(rows(100))
        with pytest.raises(OSError):
            shards.finish(failing=NONE)
    assert [path.name for path in (tmp_path / "v").iterdir()] == ["data"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.booleans(), max_size=70), st.integers(0, 9))
def test_rows_where_is_take_of_the_places(mask: list[bool], offset: int) -> None:
    whole = rows(len(mask) + offset).slice(offset)
    kept = np.array(mask, np.bool_)
    assert rows_where(whole, kept).equals(rows_at(whole, np.flatnonzero(kept)))


def test_the_allocator_is_given_back() -> None:
    before = pa.default_memory_pool().backend_name
    with recycled_memory():
        assert pa.default_memory_pool().backend_name in {"jemalloc", before}
    assert pa.default_memory_pool().backend_name == before
