"""Reading a version's rows as Hugging Face `datasets` gives them: offline, without a second copy on disk.

`datasets.load_dataset` converts Parquet into its own cache (four times the size); here the shards that the manifest
lists become one Arrow table in memory, or a stream, and no cache file is ever written. This is the only file that
touches `datasets`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from curator.canonical import sha256_json
from curator.errors import StorageError, UsageError
from curator.manifest import Manifest

if TYPE_CHECKING:
    import datasets

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
"""Set before `datasets` is imported, whatever the environment says: nothing calls out."""

_T = TypeVar("_T")

Opener = Callable[[Path], pq.ParquetFile]
"""Opens a shard by its path in the version's folder, wherever its bytes are. Raises CuratorError."""

_BATCH_ROWS = 1 << 14
_THRIFT_BYTES = 64 << 20


def open_shard(path: Path) -> pq.ParquetFile:
    """A shard opened for reading, links refused, its footer bounded. Raises StorageError `shard-unreadable`."""
    if path.is_symlink() or not path.is_file():
        raise _unreadable(path, found="no regular file of that name")
    return parquet_of(path, path)


def parquet_of(place: Path | BinaryIO, path: Path) -> pq.ParquetFile:
    """A Parquet file, or one in memory, its footer bounded; `path` is what a refusal calls it."""
    limits = {"thrift_string_size_limit": _THRIFT_BYTES, "thrift_container_size_limit": _THRIFT_BYTES}
    return _read(path, partial(pq.ParquetFile, place, **limits))


def load_split(
    folder: Path, manifest: Manifest, *, split: str, streaming: bool = False, opener: Opener = open_shard
) -> Any:
    """One split as a `datasets.Dataset`, or a `datasets.IterableDataset` when streaming.

    Nulls stay nulls (`None` in a row). The fingerprint follows from the manifest and the split alone, so the same
    version has the same fingerprint on every machine; it is a cache key, not an identity.

    Args:
        folder: the version's folder.
        manifest: its manifest; only the shards that it lists are read.
        split: name of a split, as in `manifest.rows`.
        streaming: read batches as they are asked for, in flat memory, instead of the whole split at once.
        opener: opens a shard; in the folder by itself.

    Raises:
        UsageError: `split-unknown` when the version has no such split.
        StorageError: `shard-unreadable` when a shard is absent or is no Parquet file.
    """
    datasets = _import_datasets()
    if streaming:
        return _stream(datasets, shard_paths(folder, manifest, split=split), split=split, opener=opener)
    from datasets.table import InMemoryTable

    table = read_table(folder, manifest, split=split, opener=opener)
    mark = sha256_json([manifest.digest, split])[:16]
    return datasets.Dataset(InMemoryTable(table), split=datasets.NamedSplit(split), fingerprint=mark)


def read_table(
    folder: Path,
    manifest: Manifest,
    *,
    split: str,
    columns: Sequence[str] | None = None,
    opener: Opener = open_shard,
) -> pa.Table:
    """One split as an Arrow table, shards in the order of the manifest.

    Args:
        folder: the version's folder.
        manifest: its manifest.
        split: name of a split.
        columns: the columns to read, in this order; all of them when None.
        opener: opens a shard; in the folder by itself.

    Raises:
        UsageError: `split-unknown` when there is no such split; `column-unknown` when a column is not there.
        StorageError: `shard-unreadable` when a shard is absent or is no Parquet file.
    """
    tables, wanted = [], None if columns is None else list(columns)
    for path in shard_paths(folder, manifest, split=split):
        with opener(path) as shard:
            _check_columns(shard.schema_arrow.names, columns)
            tables.append(_read(path, partial(shard.read, columns=wanted)))
    table = pa.concat_tables(tables)
    return table if wanted is None else table.select(wanted)


def shard_paths(folder: Path, manifest: Manifest, *, split: str) -> tuple[Path, ...]:
    """Files of a split's shards, in row order. Raises UsageError `split-unknown` when there is no such split."""
    shards = manifest.shards(split)
    if not split or not shards:
        raise UsageError(
            "split-unknown",
            asked=f"read a split of {manifest.ref}",
            found=f"no split named {split!r}",
            expected=", ".join(manifest.rows) or "a dataset; this version holds no rows",
            todo="choose one of these splits",
        )
    return tuple(folder / shard for shard in shards)


def _read(path: Path, reading: Callable[[], _T]) -> _T:
    try:
        return reading()
    except (OSError, pa.ArrowException) as fault:
        raise _unreadable(path, found="bytes that are not a whole Parquet file") from fault


def _stream(datasets: Any, paths: Sequence[Path], *, split: str, opener: Opener) -> datasets.IterableDataset:
    from datasets.iterable_dataset import ArrowExamplesIterable

    with opener(paths[0]) as shard:
        features = datasets.Features.from_arrow_schema(shard.schema_arrow)
    return datasets.IterableDataset(
        ArrowExamplesIterable(_batches, {"paths": [str(path) for path in paths], "opener": opener}),
        info=datasets.DatasetInfo(features=features),
        split=datasets.NamedSplit(split),
    )


def _batches(paths: Sequence[str], opener: Opener) -> Iterator[tuple[str, pa.Table]]:
    for number, path in enumerate(paths):
        with opener(Path(path)) as shard:
            for place, batch in enumerate(shard.iter_batches(_BATCH_ROWS)):
                yield f"{number}_{place}", pa.Table.from_batches([batch])


def _import_datasets() -> Any:
    os.environ.update(OFFLINE)
    import datasets

    return datasets


def _check_columns(present: Sequence[str], columns: Sequence[str] | None) -> None:
    missing = [column for column in columns or () if column not in present]
    if missing:
        raise UsageError(
            "column-unknown",
            asked="read some columns of a version",
            found=f"no column named {', '.join(map(repr, missing))}",
            expected=", ".join(present),
            todo="choose among these columns",
        )


def _unreadable(path: Path, *, found: str) -> StorageError:
    return StorageError(
        "shard-unreadable",
        asked=f"read the shard {path.name}",
        found=found,
        expected="a Parquet file, as the manifest lists it",
        todo="run `curator verify`, then restore the version from a copy or with `dvc pull`, or open the package again",
    )
