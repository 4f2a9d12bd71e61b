"""Rows written in the engine's order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from curator.anonymity import Codes
from curator.arrow import integers, rows_at, token_words
from curator.edges.parquet._background import Background
from curator.edges.parquet._shard import ROW_GROUP, ShardFile, ShardReport
from curator.kernel import ORDER, SPLIT


class EngineOrderShards:
    """Writes batches as they come: faster, but in the engine's order of rows, neither secret nor reproducible."""

    def __init__(self, folder: Path, *, splits: Sequence[str]) -> None:
        self._folder, self._splits = folder, tuple(splits)
        self._shards: dict[str, ShardFile] = {}
        self._held: dict[str, list[pa.RecordBatch]] = {split: [] for split in splits}
        self._keys: list[Codes] = []  # first 64 bits of each row key's token: 8 bytes a row
        self._writer = Background(self._write)

    def __enter__(self) -> EngineOrderShards:
        return self

    def __exit__(self, *failure: object) -> None:
        self._writer.stop()
        for shard in self._shards.values():
            shard.abandon()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a protected batch; rows of a split are held until they fill a row group."""
        splits = integers(batch.column(SPLIT))
        self._keys.append(token_words(batch.column(ORDER))[:, 0].astype(np.uint64))
        batch = batch.select([name for name in batch.schema.names if not name.startswith(".")])
        batch = rows_at(batch, np.argsort(splits, kind="stable"))
        start = 0
        for split, count in zip(self._splits, np.bincount(splits, minlength=len(self._splits)).tolist(), strict=True):
            if count:
                self._held[split].append(batch.slice(start, count))
                start += count
                if sum(map(len, self._held[split])) >= ROW_GROUP:
                    self._flush(split)

    def finish(self) -> ShardReport:
        """Write what is held and close the shards."""
        for split in self._splits:
            self._flush(split)
        self._writer.stop()
        self._writer.raise_fault()
        shards, self._shards = self._shards, {}
        keys = np.sort(np.concatenate(self._keys or [np.empty(0, np.uint64)]))
        repeated = int((keys[1:] == keys[:-1]).sum())
        report = ShardReport(repeated=repeated)
        for split, shard in shards.items():
            report.take(shard, split)
        report.files.sort()
        return report

    def _flush(self, split: str) -> None:
        if self._held[split]:
            self._writer.put((split, self._held[split]))
            self._held[split] = []

    def _write(self, item: tuple[str, list[pa.RecordBatch]]) -> None:
        split, batches = item
        if split not in self._shards:
            path = f"data/{split}/part-00000.parquet"
            self._shards[split] = ShardFile(self._folder, path, first=pa.Table.from_batches(batches[:1]))
        self._shards[split].write(pa.Table.from_batches(batches))
