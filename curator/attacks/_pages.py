"""The pages of a Parquet file, read from its bytes: where each begins, how long it is, how many entries it has.

Parquet readers follow the footer and skip what it does not name, so that bytes between pages, and entries of a
dictionary that no row uses, travel unseen. Both are found here, by walking the page headers (Apache Parquet format,
`parquet.thrift`: PageHeader) in Thrift's compact protocol; nothing else of Thrift is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DICTIONARY = 2  # PageType
_SIZE, _TYPE, _DICTIONARY_HEADER = 3, 1, 7  # fields of PageHeader
_STRUCT, _LIST, _SET, _BINARY, _BYTE, _DOUBLE = 12, 9, 10, 8, 3, 7


@dataclass(frozen=True)
class Page:
    """A page of a column chunk.

    Attributes:
        start, end: its header and its bytes in the file.
        entries: of a dictionary page; None of others.
    """

    start: int
    end: int
    entries: int | None


def pages(data: bytes, *, start: int, end: int) -> Iterator[Page]:
    """The pages between two places, which a column chunk's metadata gives.

    Raises:
        ValueError: these bytes are no pages.
    """
    while start < end:
        header, place = _struct(data, start)
        size = int(header.get(_SIZE, -1))
        if size < 0 or place + size > end:
            raise ValueError("no page header")
        entries = None
        if header.get(_TYPE) == _DICTIONARY:
            inner = header.get(_DICTIONARY_HEADER)
            entries = int(inner.get(1, 0)) if isinstance(inner, dict) else 0
        yield Page(start, place + size, entries)
        start = place + size


def _struct(data: bytes, place: int) -> tuple[dict[int, Any], int]:
    found: dict[int, Any] = {}
    number = 0
    while True:
        head = _byte(data, place)
        place += 1
        if not head:
            return found, place
        kind, step = head & 15, head >> 4
        if step:
            number += step
        else:
            number, place = _zigzag(data, place)
        found[number], place = _value(data, place, kind=kind)


def _value(data: bytes, place: int, *, kind: int) -> tuple[Any, int]:
    if kind in (1, 2):
        return kind == 1, place
    if kind == _BYTE:
        return _byte(data, place), place + 1
    if kind == _DOUBLE:
        return None, place + 8
    if kind == _BINARY:
        size, place = _varint(data, place)
        return None, place + size
    if kind in (_LIST, _SET):
        return None, _skip_list(data, place)
    if kind == _STRUCT:
        return _struct(data, place)
    return _zigzag(data, place)


def _skip_list(data: bytes, place: int) -> int:
    head = _byte(data, place)
    place += 1
    size = head >> 4
    if size == 15:
        size, place = _varint(data, place)
    if size > len(data) - place:  # each item takes a byte at least, a boolean in a list too
        raise ValueError("no page header")
    if head & 15 in (1, 2):
        return place + size
    for _ in range(size):
        _, place = _value(data, place, kind=head & 15)
    return place


def _zigzag(data: bytes, place: int) -> tuple[int, int]:
    value, place = _varint(data, place)
    return (value >> 1) ^ -(value & 1), place


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = _byte(data, place)
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _byte(data: bytes, place: int) -> int:
    if place >= len(data):
        raise ValueError("no page header")
    return data[place]
