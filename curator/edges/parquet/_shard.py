"""One Parquet shard, hashed on its way out, and what writing shards found out."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from io import RawIOBase
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from curator.manifest import FileEntry
from curator.rowdigest import RowDigest, digest_rows

ROW_GROUP = 122_880
_LEVEL = 1
_PAGE = 4 << 20  # bytes: one page a column and row group, since each page costs its own headers and codec run
_BUFFER = 1 << 20
PROBED = 2_048  # values looked at to choose a column's encoding


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


def _codec(kind: pa.DataType) -> str:
    """Tokens are random bytes, which no codec makes shorter."""
    return "none" if pa.types.is_fixed_size_binary(kind) else "zstd"


def _repeats(column: pa.ChunkedArray) -> bool:
    """Whether a column's first values repeat enough for a dictionary to be worth its cost; tokens never do."""
    probe = column.slice(0, PROBED)
    if pa.types.is_fixed_size_binary(column.type):
        return False
    return 2 * len(probe.unique()) <= max(len(probe), 2)
