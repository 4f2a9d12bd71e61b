"""Received Parquet shards: judged by their footers, and by their dictionaries, before any row is decoded.

A few kilobytes of Parquet can stand for terabytes of rows: a column of one long value and a billion references to it.
So rows are compared with the signed manifest, sizes are bounded, and columns of text are measured in their encoded
form, batch by batch, whenever their footer alone cannot exclude it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curator.errors import IntegrityError, StorageError
from curator.footer import read_footer
from curator.hub import open_shard
from curator.manifest import Manifest

FREE_BYTES = 256 << 20
"""Decoded bytes that a dataset may always hold, however small its files."""

MAX_RATIO = 1_000
"""Beyond that, decoded bytes for each byte on disk. Real tables with one key column stay below 100."""

_BATCH_ROWS = 1 << 16
_TEXT = 6  # BYTE_ARRAY, the physical type whose values have no fixed width


def check_shards(folder: Path, manifest: Manifest) -> None:
    """Whether every shard is Parquet, holds the rows that the manifest says, and decodes to a sane size.

    Raises:
        IntegrityError: `package-table`.
    """
    for entry in manifest.files:
        if entry.split or entry.path.endswith(".parquet"):
            _check_shard(folder / entry.path, rows=entry.rows, size=entry.size)


def _check_shard(path: Path, *, rows: int, size: int) -> None:
    allowed = FREE_BYTES + MAX_RATIO * size
    try:
        with path.open("rb") as stream:
            footer = read_footer(stream)
        if footer.rows != rows or sum(footer.groups) != rows:
            raise _bad("another number of rows than the manifest says")
        with open_shard(path) as shard:
            _check_names(shard.schema_arrow.names)
            fixed = _fixed(shard, rows)
        if sum(chunk.unpacked for chunk in footer.chunks) > allowed or fixed > allowed:
            raise _bad("a file that would unfold to far more than its size")
        texts = [chunk for chunk in footer.chunks if chunk.physical == _TEXT]
        if texts and sum(chunk.values * chunk.unpacked for chunk in texts) > allowed:
            _measure(path, sorted({chunk.name for chunk in texts}), allowed=allowed)
    except (StorageError, pa.ArrowException, OSError, ValueError) as fault:
        raise _bad("bytes that are not a whole Parquet file") from fault


def _check_names(names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise _bad("two columns of one name")


def _fixed(shard: pq.ParquetFile, rows: int) -> int:
    """Bytes of the columns of fixed width once decoded: rows times width."""
    width = 0
    for field in shard.schema_arrow:
        if pa.types.is_nested(field.type):
            raise _bad("a column of lists or structures, which no dataset of curator holds")
        try:
            width += max(field.type.bit_width, 8)
        except ValueError:  # text and binary have no fixed width
            width += 32
    return rows * width // 8


def _measure(path: Path, columns: Sequence[str], *, allowed: int) -> None:
    """Add up what text columns would hold once decoded, reading references and dictionaries only."""
    total = 0
    with pq.ParquetFile(path, read_dictionary=list(columns)) as shard:
        for batch in shard.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=False):
            total += sum(_decoded(column) for column in batch.columns)
            if total > allowed:
                raise _bad("a file that would unfold to far more than its size")


def _decoded(column: pa.Array[Any]) -> int:
    if not isinstance(column, pa.DictionaryArray):
        return int(column.nbytes)
    measure: Any = pc.binary_length
    return int(pc.sum(pc.take(measure(column.dictionary), column.indices)).as_py() or 0)


def _bad(found: str) -> IntegrityError:
    return IntegrityError(
        "package-table",
        asked="open the rows of a package",
        found=found,
        expected="Parquet shards with the rows of the manifest, whose decoded size fits their files",
        todo="do not use the package; tell its sender",
    )
