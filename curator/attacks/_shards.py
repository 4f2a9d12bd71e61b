"""What a shard tells besides its rows: its name, its footer, statistics, entries and bytes that no row uses."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.attacks._leak import Leak
from curator.attacks._pages import pages
from curator.footer import Chunk, read_footer

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

    Raises:
        ValueError, pyarrow.ArrowException: it is no sound Parquet file.
    """
    data = file if isinstance(file, bytes) else file.read_bytes()
    told = _NAME.fullmatch(path) is None or _LONG_NUMBER.search(path) is not None
    found = [Leak(kind="file-name", where="the name of a shard")] if told else []
    reader = parquet.ParquetFile(pa.BufferReader(data))
    odd = _odd_metadata(reader)
    if odd:
        found.append(Leak(kind="metadata", where=path, count=odd))
    chunks = read_footer(io.BytesIO(data)).chunks
    # Statistics, a page index, a Bloom filter: each tells values that no reader needs.
    found += [Leak(kind="statistics", where=f"{path}: {name}") for name in sorted({c.name for c in chunks if c.tells})]
    return (*found, *_unused(path, data, chunks=chunks, reader=reader))


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


def _unused(path: str, data: bytes, *, chunks: Sequence[Chunk], reader: parquet.ParquetFile) -> Iterator[Leak]:
    """Bytes of the file that no page holds, and entries of dictionaries that no row uses."""
    groups = Counter[str]()
    flat = {chunk.name for chunk in chunks} == set(reader.schema_arrow.names)
    for chunk in chunks:
        group = groups[chunk.name]
        groups[chunk.name] += 1
        try:
            walked = list(pages(data, start=chunk.start, end=chunk.start + chunk.packed))
        except ValueError:
            yield Leak(kind="hidden-bytes", where=f"{path}: {chunk.name}")
            continue
        entries = sum(page.entries or 0 for page in walked)
        if entries and flat:
            values = reader.read_row_group(group, columns=[chunk.name]).column(0)
            unused = entries - len(pc.unique(values).drop_null())
            if unused > 0:
                yield Leak(kind="hidden-bytes", where=f"{path}: {chunk.name}", count=unused)
    footer = int.from_bytes(data[-_TAIL:-_MAGIC], "little")
    beyond = len(data) - _MAGIC - sum(chunk.packed for chunk in chunks) - footer - _TAIL
    if beyond:
        yield Leak(kind="hidden-bytes", where=path, count=abs(beyond))
