"""What a shard tells besides its rows: its name, its footer, statistics, entries and bytes that no row uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.attacks._leak import Leak
from curator.attacks._pages import pages

_NAME = re.compile(r"(?:[a-z][a-z0-9_-]*/)+(?:part-\d{5}|[a-z][a-z_-]*)\.parquet")
_LONG_NUMBER = re.compile(r"(?<!part-)\d{5,}")
_METADATA = {b"ARROW:schema"}
_FIELD = {b"PARQUET:field_id"}
_CREATED = re.compile(r"parquet-cpp-arrow version [\d.]+")
_MAGIC, _TAIL = 4, 8  # bytes of "PAR1", and of the footer's length and "PAR1"


def shard_leaks(path: str, file: Path | bytes) -> tuple[Leak, ...]:
    """What a shard tells besides its rows.

    Args:
        path: its name inside the dataset.
        file: the file, or its bytes.
    """
    data = file if isinstance(file, bytes) else file.read_bytes()
    told = _NAME.fullmatch(path) is None or _LONG_NUMBER.search(path) is not None
    found = [Leak(kind="file-name", where="the name of a shard")] if told else []
    reader = parquet.ParquetFile(pa.BufferReader(data))
    odd = _odd_metadata(reader)
    if odd:
        found.append(Leak(kind="metadata", where=path, count=odd))
    found += [Leak(kind="statistics", where=f"{path}: {name}") for name in _counted(reader.metadata)]
    return (*found, *_unused(path, data, reader=reader))


def _odd_metadata(reader: parquet.ParquetFile) -> int:
    """Words that nothing needs: of the file, of its Arrow schema, of a field, of who wrote it."""
    metadata, schema = reader.metadata, reader.schema_arrow
    words = len(set(metadata.metadata or {}) - _METADATA) + len(set(schema.metadata or {}) - _METADATA)
    fields = sum(len(set(field.metadata or {}) - _FIELD) for field in _fields(schema))
    return words + fields + (_CREATED.fullmatch(metadata.created_by) is None)


def _fields(schema: pa.Schema) -> Iterator[pa.Field]:
    waiting = list(schema)
    while waiting:
        field = waiting.pop()
        yield field
        if pa.types.is_nested(field.type) and not isinstance(field.type, pa.BaseExtensionType):
            waiting += [field.type.field(place) for place in range(field.type.num_fields)]


def _counted(metadata: parquet.FileMetaData) -> list[str]:
    """Columns with statistics, a page index or a Bloom filter: each tells values that no reader needs."""
    chunks = (metadata.row_group(group).column(place)
              for group in range(metadata.num_row_groups) for place in range(metadata.num_columns))  # fmt: skip
    return sorted({
        chunk.path_in_schema
        for chunk in chunks
        if chunk.is_stats_set or chunk.has_column_index or chunk.has_offset_index
        or chunk.bloom_filter_offset is not None
    })  # fmt: skip


def _unused(path: str, data: bytes, *, reader: parquet.ParquetFile) -> Iterator[Leak]:
    """Bytes of the file that no page holds, and entries of dictionaries that no row uses."""
    metadata, held = reader.metadata, 0
    flat = len(reader.schema_arrow.names) == metadata.num_columns
    for group in range(metadata.num_row_groups):
        for place in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(place)
            start = chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset
            start = chunk.data_page_offset if start is None else min(start, chunk.data_page_offset)
            held += chunk.total_compressed_size
            try:
                walked = list(pages(data, start=start, end=start + chunk.total_compressed_size))
            except ValueError:
                yield Leak(kind="hidden-bytes", where=f"{path}: {chunk.path_in_schema}")
                continue
            entries = sum(page.entries or 0 for page in walked)
            if entries and flat:
                values = reader.read_row_group(group, columns=[chunk.path_in_schema]).column(0)
                unused = entries - len(pc.unique(values).drop_null())
                if unused > 0:
                    yield Leak(kind="hidden-bytes", where=f"{path}: {chunk.path_in_schema}", count=unused)
    footer = int.from_bytes(data[-_TAIL:-_MAGIC], "little")
    beyond = len(data) - _MAGIC - held - footer - _TAIL
    if beyond:
        yield Leak(kind="hidden-bytes", where=path, count=abs(beyond))
