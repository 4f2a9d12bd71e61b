"""Writes protected batches as Parquet shards, hashing each byte on its way out, and in an order that tells nothing.

Rows are ordered by a keyed token of their row key. They go into range shards by its first bits (to temporary Arrow
files that hold protected rows only, or to memory when few), then each range is sorted, relieved of the classes to
suppress and
written: memory stays flat, bytes do not depend on threads, memory limits or the engine's whims.
"""

from __future__ import annotations

import hashlib
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as parquet

from curator.anonymity import Codes, members
from curator.arrow import integers, rows_at, token_words
from curator.kernel import CLASS, ORDER, SPLIT
from curator.manifest import FileEntry
from curator.rowdigest import RowDigest, digest_rows

ROW_GROUP = 122_880
ROWS_PER_SHARD = 500_000
MOST_SHARDS = 256
_LEVEL = 1
_PAGE = 4 << 20  # bytes: one page a column and row group, since each page costs its own headers and codec run
_BUFFER = 1 << 20
_QUEUE = 8
_PROBED = 2_048  # values looked at to choose a column's encoding


class HashingFile(RawIOBase):
    """A file that knows the SHA-256 and MD5 of what was written to it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        self._size = 0

    def writable(self) -> bool:
        """True."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def write(self, data: Any) -> int:
        """Write and hash."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            done += self._file.write(view[done:]) or 0
        self._sha256.update(view)
        self._md5.update(view)
        self._size += len(view)
        return len(view)

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()

    def entry(self, path: str, *, split: str, rows: int) -> FileEntry:
        """The manifest's line about this file, called `path` there."""
        digests = {"sha256": self._sha256.hexdigest(), "md5": self._md5.hexdigest()}
        return FileEntry(path=path, size=self._size, split=split, rows=rows, **digests)


class ShardFile:
    """One Parquet shard being written: zstd, plain pages for tokens and keys, no statistics (they show extremes).

    Args:
        folder: where paths start.
        path: of the shard.
        first: its first rows, which decide the columns' encodings; must depend on the data only.
    """

    def __init__(self, folder: Path, path: str, *, first: pa.Table) -> None:
        self._path = path
        self._file = HashingFile(folder / path)
        self._rows = 0
        self.digest = RowDigest()
        # Gathered outside Python: each call into it would wait for its lock, which the kernel holds most of the time.
        self._buffered = pa.BufferedOutputStream(pa.PythonFile(self._file, mode="w"), _BUFFER)
        self._writer = parquet.ParquetWriter(
            self._buffered,
            first.schema,
            version="2.6",
            compression={column.name: _codec(column.type) for column in first.schema},
            compression_level={column.name: _LEVEL for column in first.schema if _codec(column.type) == "zstd"},
            max_rows_per_page=ROW_GROUP,
            data_page_size=_PAGE,
            use_dictionary=[name for name in first.schema.names if _repeats(first.column(name))],
            write_statistics=False,
        )

    def write(self, table: pa.Table | pa.RecordBatch) -> None:
        """Append rows; row groups are cut every ROW_GROUP rows of each call."""
        if isinstance(table, pa.RecordBatch):
            table = pa.Table.from_batches([table])
        self._writer.write_table(table, row_group_size=ROW_GROUP)
        self._rows += len(table)
        self.digest += digest_rows(table)

    def finish(self, split: str) -> FileEntry:
        """Close the shard and describe it."""
        self._writer.close()
        self._buffered.close()
        self._file.close()
        return self._file.entry(self._path, split=split, rows=self._rows)

    def abandon(self) -> None:
        """Close a shard of a run that failed; its folder is removed by whoever made it."""
        with suppress(OSError, ValueError, pa.ArrowException):
            self._writer.close()  # else it would complain of its closed file when it is collected
        with suppress(OSError, ValueError, pa.ArrowException):
            self._buffered.close()
        self._file.close()


@dataclass
class ShardReport:
    """What writing found out.

    Attributes:
        files: the shards.
        suppressed: rows left out because their class was too rare.
        repeated: rows whose row key another row has too.
        digests: split -> digest of its rows, which neither their order nor the shards change.
        held: the rows left out, with their `.order` and `.split`, where they are asked for.
    """

    files: list[FileEntry] = field(default_factory=list)
    suppressed: int = 0
    repeated: int = 0
    digests: dict[str, RowDigest] = field(default_factory=dict)
    held: list[pa.Table] = field(default_factory=list)

    def take(self, shard: ShardFile, split: str) -> None:
        """Close a shard and add it."""
        self.files.append(shard.finish(split))
        self.digests[split] = self.digests.get(split, RowDigest()) + shard.digest

    def merge(self, other: ShardReport) -> None:
        """Add another report."""
        self.files += other.files
        for split, digest in other.digests.items():
            self.digests[split] = self.digests.get(split, RowDigest()) + digest
        self.suppressed += other.suppressed
        self.repeated += other.repeated
        self.held += other.held


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
        self._writer = _Background(self._append)

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
        sample = rows_at(table, rows[:_PROBED])
        shard = ShardFile(self.folder, f"data/{split}/part-{self.first + index:05d}.parquet", first=sample)
        try:
            # Row groups one by one, so that a sorted copy of the whole range is never held.
            for start in range(0, len(rows), ROW_GROUP):
                shard.write(rows_at(table, rows[start : start + ROW_GROUP]))
            report.take(shard, split)
        except BaseException:
            shard.abandon()
            raise


class EngineOrderShards:
    """Writes batches as they come: faster, but in the engine's order of rows, neither secret nor reproducible."""

    def __init__(self, folder: Path, *, splits: Sequence[str]) -> None:
        self._folder, self._splits = folder, tuple(splits)
        self._shards: dict[str, ShardFile] = {}
        self._held: dict[str, list[pa.RecordBatch]] = {split: [] for split in splits}
        self._keys: list[Codes] = []  # first 64 bits of each row key's token: 8 bytes a row
        self._writer = _Background(self._write)

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


class _Background:
    """A thread that works through a bounded queue; its first fault is raised where the queue is fed."""

    def __init__(self, work: Callable[[Any], None]) -> None:
        self._work = work
        self._items: queue.Queue[Any] = queue.Queue(_QUEUE)
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None

    def put(self, item: Any) -> None:
        """Hand an item over, waiting while the queue is full."""
        self.raise_fault()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._items.put(item)

    def stop(self) -> None:
        """Let the thread finish what it has."""
        if self._thread is not None:
            self._items.put(None)
            self._thread.join()
            self._thread = None

    def raise_fault(self) -> None:
        """Raise what the thread met, once."""
        if self._fault is not None:
            fault, self._fault = self._fault, None
            raise fault

    def _run(self) -> None:
        for item in iter(self._items.get, None):
            if self._fault is None:
                try:
                    self._work(item)
                except BaseException as fault:  # noqa: BLE001 (raised where the queue is fed)
                    self._fault = fault


def _codec(kind: pa.DataType) -> str:
    """Tokens are random bytes, which no codec makes shorter."""
    return "none" if pa.types.is_fixed_size_binary(kind) else "zstd"


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a column's first values repeat enough for a dictionary to be worth its cost; tokens never do."""
    probe = column.slice(0, _PROBED)
    if pa.types.is_fixed_size_binary(column.type):
        return False
    return 2 * len(probe.unique()) <= max(len(probe), 2)


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
