"""Rows put together by range of their keyed token, and each range written sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.anonymity import Codes, members
from curator.arrow import integers, rows_at, token_words
from curator.edges.parquet._background import Background
from curator.edges.parquet._shard import PROBED, ROW_GROUP, ShardFile, ShardReport
from curator.kernel import CLASS, ORDER, SPLIT
from curator.manifest import FileEntry

ROWS_PER_SHARD = 500_000
MOST_SHARDS = 256


def shard_count(estimated_rows: int) -> int:
    """Number of range shards for a base of that many rows: a power of two up to 256, the same for the same data."""
    count = 1
    while count < MOST_SHARDS and count * ROWS_PER_SHARD < estimated_rows:
        count *= 2
    return count


class KeyedShards:
    """Collects protected batches by key range, then writes them sorted. Use as a context manager.

    Args:
        folder: where `data/SPLIT/part-NNNNN.parquet` go.
        scratch: private folder for the temporary ranges.
        splits: names of the splits, by index.
        estimated_rows: decides the number of shards; must depend on the data only.
        workers: ranges written at the same time.
        first: number of the first shard, beyond those of a version whose shards stay.
    """

    def __init__(
        self,
        folder: Path,
        *,
        scratch: Path,
        splits: Sequence[str],
        estimated_rows: int,
        workers: int = 2,
        first: int = 0,
    ) -> None:
        self._first = first
        self._folder, self._scratch, self._splits = folder, scratch, tuple(splits)
        self._count, self._workers = shard_count(estimated_rows), workers
        self._ranges: list[_Range] = []
        self._writer = Background(self._append)

    def __enter__(self) -> KeyedShards:
        return self

    def __exit__(self, *failure: object) -> None:
        self._writer.stop()
        for part in self._ranges:
            part.discard()

    @property
    def ranges(self) -> int:
        """Into how many shards a split the rows are cut."""
        return self._count

    def add(self, batch: pa.RecordBatch) -> None:
        """Take a protected batch; returns before it is stored."""
        if not self._ranges:
            kind = _MemoryRange if self._count == 1 else _FileRange
            self._ranges = [kind(self._scratch / f"range-{index:03d}.arrow") for index in range(self._count)]
        if self._count == 1:
            self._ranges[0].append(batch)
            return
        self._writer.put(by_range(batch, self._count))

    def finish(
        self,
        *,
        failing: Codes,
        hold: bool = False,
        progress: Callable[[int, int], None] | None = None,
        finished: Callable[[FileEntry], None] | None = None,
    ) -> ShardReport:
        """Sort and write every range but the classes in `failing` (ascending codes), whose rows `hold` asks back.

        `finished` hears of each shard.
        """
        self._writer.stop()
        self._writer.raise_fault()
        report = ShardReport()
        with ThreadPoolExecutor(self._workers) as pool:
            jobs = [pool.submit(self._write, index, failing, hold=hold) for index in range(len(self._ranges))]
            try:
                for done, job in enumerate(jobs, start=1):
                    part = job.result()
                    report.merge(part)
                    if finished:
                        for entry in part.files:
                            finished(entry)
                    if progress:
                        progress(done, len(jobs))
            except BaseException:
                for job in jobs:
                    job.cancel()
                raise
        report.files.sort()
        return report

    def _append(self, item: tuple[pa.RecordBatch, npt.NDArray[np.int64]]) -> None:
        for part, rows in zip(self._ranges, sliced(*item), strict=True):
            if len(rows):
                part.append(rows)

    def _write(self, index: int, failing: Codes, *, hold: bool) -> ShardReport:
        table = self._ranges[index].read()
        if table is None:
            return ShardReport()
        writer = RangeWriter(self._folder, self._splits, first=self._first)
        return writer.write(index, table, failing=failing, hold=hold)


@dataclass(frozen=True)
class RangeWriter:
    """Sorts the rows of one range and writes them; the same rows in any order give the same bytes.

    Args:
        folder: where `data/SPLIT/part-NNNNN.parquet` go.
        splits: names of the splits, by index.
        first: number of the first shard.
    """

    folder: Path
    splits: tuple[str, ...]
    first: int = 0

    def write(self, index: int, table: pa.Table, *, failing: Codes, hold: bool = False) -> ShardReport:
        """Write the rows of range `index` but those of the classes in `failing` (ascending codes), one shard a split.

        Args:
            index: of the range.
            table: its protected rows in one chunk, with the helper columns of the kernel.
            failing: codes of the classes to leave out.
            hold: whether their rows are asked back.
        """
        report = ShardReport()
        words = token_words(table.column(ORDER).combine_chunks())
        keep = np.ones(len(table), np.bool_)
        if CLASS in table.schema.names:
            keep = ~members(integers(table.column(CLASS).combine_chunks()), failing)
            report.suppressed = int(len(keep) - keep.sum())
        order, report.repeated = _sorted_places(words)
        if hold and report.suppressed:
            left = rows_at(table, order[~keep[order]])
            report.held.append(left.select([name for name in left.schema.names if name != CLASS]))
        order = order[keep[order]]
        splits = integers(table.column(SPLIT).combine_chunks())[order]
        helpers = [name for name in (ORDER, SPLIT, CLASS) if name in table.schema.names]
        table = table.drop_columns(helpers)
        for place, split in enumerate(self.splits):
            rows = order[splits == place]
            if len(rows):
                self._write_split(table, rows, place=(split, index), report=report)
        return report

    def _write_split(
        self, table: pa.Table, rows: npt.NDArray[np.int64], *, place: tuple[str, int], report: ShardReport
    ) -> None:
        split, index = place
        sample = rows_at(table, rows[:PROBED])
        shard = ShardFile(self.folder, f"data/{split}/part-{self.first + index:05d}.parquet", first=sample)
        try:
            # Row groups one by one, so that a sorted copy of the whole range is never held.
            for start in range(0, len(rows), ROW_GROUP):
                shard.write(rows_at(table, rows[start : start + ROW_GROUP]))
            report.take(shard, split)
        except BaseException:
            shard.abandon()
            raise


class _MemoryRange:
    """A range held in memory."""

    def __init__(self, path: Path) -> None:
        self._batches: list[pa.RecordBatch] = []

    def append(self, batch: pa.RecordBatch) -> None:
        """Take rows."""
        self._batches.append(batch)

    def read(self) -> pa.Table | None:
        """All rows in one chunk, which are no longer kept; None when there was none."""
        batches, self._batches = self._batches, []
        return pa.Table.from_batches(batches).combine_chunks() if batches else None

    def discard(self) -> None:
        """Forget what is kept."""
        self._batches = []


class _FileRange:
    """A range kept in a temporary Arrow file, removed once read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stream: Any = None

    def append(self, batch: pa.RecordBatch) -> None:
        """Take rows."""
        if self._stream is None:
            options = pa.ipc.IpcWriteOptions(compression=None)
            self._stream = pa.ipc.new_stream(str(self._path), batch.schema, options=options)
        self._stream.write_batch(batch)

    def read(self) -> pa.Table | None:
        """All rows in one chunk, which are no longer kept; None when there was none."""
        if self._stream is None:
            return None
        self._stream.close()
        with pa.memory_map(str(self._path)) as source:
            table = pa.ipc.open_stream(source).read_all().combine_chunks()
        self._path.unlink()
        return table

    def discard(self) -> None:
        """Forget what is kept."""
        if self._stream is not None:
            self._stream.close()
        self._path.unlink(missing_ok=True)


_Range = _MemoryRange | _FileRange


def by_range(batch: pa.RecordBatch, ranges: int) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]]:
    """Rows with the keyed token `.order`, put together by range, and where each range ends."""
    if ranges == 1:
        return batch, np.array([len(batch)])
    first = _first_bytes(batch.column(ORDER)) // (256 // ranges)
    order = np.argsort(first, kind="stable")
    return rows_at(batch, order), np.cumsum(np.bincount(first, minlength=ranges))


def sliced(batch: pa.RecordBatch, ends: npt.NDArray[np.int64]) -> Iterator[pa.RecordBatch]:
    """The parts that `by_range` put together."""
    start = 0
    for end in ends.tolist():
        yield batch.slice(start, end - start)
        start = end


def _first_bytes(order: pa.FixedSizeBinaryArray) -> npt.NDArray[np.uint8]:
    octets = np.frombuffer(order.buffers()[1], np.uint8)[16 * order.offset : 16 * (order.offset + len(order)) : 16]
    return np.ascontiguousarray(octets)


def _sorted_places(words: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], int]:
    """Places in ascending order of 16-byte tokens, and how many rows repeat an earlier token."""
    first = words[:, 0].astype(np.uint64)
    order = np.argsort(first)
    ordered = first[order]
    if not bool((ordered[1:] == ordered[:-1]).any()):
        return order, 0
    order = np.lexsort((words[:, 1].astype(np.uint64), first))
    both = words[order]
    return order, int((both[1:] == both[:-1]).all(axis=1).sum())
