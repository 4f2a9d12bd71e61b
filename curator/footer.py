"""The footer of a Parquet file of somebody else's, read from its bytes by few lines of our own.

A hostile footer can end the whole process inside a library that trusts it: Arrow's column metadata throws where Python
cannot catch. So what is asked of the columns of a source, a shard or a package is read here, from Thrift's compact
protocol (Apache Thrift, `thrift-compact-protocol.md`) and the fields of `FileMetaData` (Apache Parquet,
`parquet.thrift`). A field given twice, or of another type than the format's, is refused: two readers could take it
differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

_MAGIC = b"PAR1"
_MOST_BYTES = 64 << 20
_MOST_DEPTH = 16
_STOP, _TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 0, 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = frozenset({4, 5, 6})
_ROWS, _GROUPS = 3, 4  # fields of FileMetaData
_COLUMNS, _GROUP_ROWS = 1, 3  # of RowGroup
_META, _OFFSETS, _INDEX = 3, 4, 6  # of ColumnChunk
_TYPE, _PATH, _VALUES, _UNPACKED, _PACKED, _DATA, _DICTIONARY, _STATISTICS, _BLOOM = 1, 3, 5, 6, 7, 9, 11, 12, 14
_OLD_HIGH, _OLD_LOW, _NULLS, _HIGH, _LOW = 1, 2, 3, 5, 6  # of Statistics


@dataclass(frozen=True)
class Chunk:
    """A column of one row group.

    Attributes:
        name: its path, parts joined by dots.
        physical: number of its physical type (6: BYTE_ARRAY).
        values: entries, nulls included.
        unpacked: bytes of its pages once decompressed, as the footer says.
        packed: bytes of its pages as they are.
        start: of its first page, in the file.
        low, high: the bytes of its least and greatest value; None where they are not told.
        nulls: their number; None where it is not told.
        tells: whether values are told beside its pages: statistics, a page index, a Bloom filter.
    """

    name: str
    physical: int
    values: int
    unpacked: int
    packed: int
    start: int
    low: bytes | None = None
    high: bytes | None = None
    nulls: int | None = None
    tells: bool = False


@dataclass(frozen=True)
class Footer:
    """What the footer says.

    Attributes:
        rows: of the file.
        groups: rows of each row group.
        chunks: every column of every row group.
    """

    rows: int
    groups: tuple[int, ...]
    chunks: tuple[Chunk, ...]


def read_footer(stream: IO[bytes]) -> Footer:
    """The footer of a file.

    Args:
        stream: the file, of which any part may be read.

    Raises:
        ValueError: the file is no Parquet file, or its footer is not as the format says. OSError: it cannot be read.
    """
    size = stream.seek(0, 2)
    if size < 12:
        raise ValueError("a file too short for Parquet")
    stream.seek(size - 8)
    tail = stream.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC or length > min(size - 12, _MOST_BYTES):
        raise ValueError("no Parquet footer")
    stream.seek(size - 8 - length)
    found, _ = _struct(stream.read(length), 0, depth=0)
    groups = [_typed(group, dict) for group in _typed(found.get(_GROUPS), list)]
    return Footer(
        rows=_count(found.get(_ROWS)),
        groups=tuple(_count(group.get(_GROUP_ROWS)) for group in groups),
        chunks=tuple(chunk for group in groups for chunk in _chunks(group)),
    )


def _chunks(group: dict[int, Any]) -> Iterator[Chunk]:
    for column in _typed(group.get(_COLUMNS), list):
        meta = _typed(_typed(column, dict).get(_META), dict)
        parts = [_typed(part, bytes).decode() for part in _typed(meta.get(_PATH), list)]
        told = _typed(meta.get(_STATISTICS, {}), dict)
        starts = [_count(meta[place]) for place in (_DICTIONARY, _DATA) if meta.get(place)]
        yield Chunk(
            name=".".join(parts),
            physical=_count(meta.get(_TYPE)),
            values=_count(meta.get(_VALUES)),
            unpacked=_count(meta.get(_UNPACKED)),
            packed=_count(meta.get(_PACKED)),
            start=min(starts, default=0),
            low=_bound(told, _LOW, old=_OLD_LOW),
            high=_bound(told, _HIGH, old=_OLD_HIGH),
            nulls=_count(told[_NULLS]) if _NULLS in told else None,
            tells=bool(told) or _BLOOM in meta or _OFFSETS in column or _INDEX in column,
        )


def _bound(told: dict[int, Any], place: int, *, old: int) -> bytes | None:
    """A least or greatest value, which old writers put elsewhere."""
    value = told.get(place, told.get(old))
    return None if value is None else bytes(_typed(value, bytes))


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError("a footer without a field that it needs")
    return value


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("a footer with a count that is none")
    return value


def _struct(data: bytes, at: int, *, depth: int) -> tuple[dict[int, Any], int]:
    found: dict[int, Any] = {}
    number = 0
    while True:
        head, at = _byte(data, at)
        if head == _STOP:
            return found, at
        if head >> 4:
            number += head >> 4
        else:
            number, at = _zigzag(data, at)
        if number in found:
            raise ValueError("a field given twice")
        found[number], at = _value(data, at, kind=head & 15, depth=depth)


def _value(data: bytes, at: int, *, kind: int, depth: int) -> tuple[Any, int]:
    """A value and where it ends; None for kinds that no field read here has."""
    if depth > _MOST_DEPTH:
        raise ValueError("a footer that nests too deep")
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind in _INTEGERS:
        return _zigzag(data, at)
    if kind == _BINARY:
        size, at = _varint(data, at)
        return _slice(data, at, size=size), at + size
    if kind in (_LIST, _SET):
        return _items(data, at, depth=depth)
    if kind == _STRUCT:
        return _struct(data, at, depth=depth + 1)
    if kind in (_BYTE, _DOUBLE):
        size = 1 if kind == _BYTE else 8
        _slice(data, at, size=size)
        return None, at + size
    raise ValueError("a field of a type that no footer has")  # maps too: the format has none


def _items(data: bytes, at: int, *, depth: int) -> tuple[list[Any], int]:
    head, at = _byte(data, at)
    size, kind = head >> 4, head & 15
    if size == 15:
        size, at = _varint(data, at)
    if size > len(data) - at:  # each item takes a byte at least
        raise ValueError("a list longer than its footer")
    if kind in (_TRUE, _FALSE):  # in a list, and only there, each is a byte of its own
        return [None] * size, at + size
    found = []
    for _ in range(size):
        item, at = _value(data, at, kind=kind, depth=depth + 1)
        found.append(item)
    return found, at


def _slice(data: bytes, at: int, *, size: int) -> bytes:
    if size > len(data) - at:
        raise ValueError("a footer that ends too early")
    return data[at : at + size]


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte, at = _byte(data, at)
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError("a number longer than any")


def _byte(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise ValueError("a footer that ends too early")
    return data[at], at + 1
