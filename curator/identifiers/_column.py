"""A text column as its bytes end to end, so that one operation treats every value (Arrow's own layout, made dense)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curator.errors import UsageError

Mask: TypeAlias = npt.NDArray[np.bool_]
Octets: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]
Ends: TypeAlias = npt.NDArray[np.int32]
Words: TypeAlias = npt.NDArray[np.uint64]

_GONE = 0xFF  # stands for a byte to drop: no UTF-8 text holds it (RFC 3629, section 1)
_ROOM = 8  # zero bytes after the last value, so that the first bytes of any value can be read without a test
_HIGH, _SIX, _THREES = (np.uint64(byte * 0x0101010101010101) for byte in (0xF0, 0x06, 0x33))
_FIRST_BYTES = np.array([(1 << 8 * count) - 1 for count in range(9)], np.uint64)


@dataclass(frozen=True, eq=False)
class Column:
    """Values in UTF-8: value i is data[ends[i]:ends[i + 1]], ends[0] is 0; `known` is None when no value is null."""

    data: bytes
    ends: Ends
    known: Mask | None

    @property
    def octets(self) -> Octets:
        """The bytes as integers; not writable."""
        return np.frombuffer(self.data, np.uint8)

    @property
    def lengths(self) -> Ends:
        """Bytes of each value."""
        return np.diff(self.ends)

    def leading(self) -> Words:
        """The first 8 bytes of each value as one little-endian integer; zero bytes past the end of a value."""
        padded = self.data + bytes(_ROOM)
        windows = np.ndarray((len(self.data) + 1,), "V8", padded, strides=(1,))
        words = windows[self.ends[:-1]].view("<u8")
        words &= _FIRST_BYTES[np.minimum(self.lengths, 8)]
        return words

    def matrix(self, starts: Places | Ends, *, width: int) -> Octets:
        """The `width` bytes from each of these places on, one row each; all must lie in the data."""
        if len(self.data) < width:
            return np.empty((0, width), np.uint8)
        windows = np.ndarray((len(self.data) - width + 1,), f"V{width}", self.data, strides=(1,))
        return windows[starts].view(np.uint8).reshape(-1, width)

    def rows_of(self, places: Places) -> Places:
        """The rows that hold these byte places, ascending, once each."""
        return np.unique(np.searchsorted(self.ends, places, side="right") - 1)

    def shorten(self, gone: Mask | Places | Ends, *, lengths: Places | Ends) -> Column:
        """Drop the bytes at some places, which leaves values of these lengths."""
        marked = bytearray(self.data)
        np.frombuffer(marked, np.uint8)[gone] = _GONE
        return replace(self, data=bytes(marked.translate(None, bytes([_GONE]))), ends=ends_of(lengths))

    def count(self, marks: bytes) -> Ends:
        """How many bytes of each value are marked (1, else 0); added up eight at a time, which makes it cheap."""
        words = np.frombuffer(marks + bytes(2 * _ROOM - len(marks) % _ROOM), "<u8")
        running = np.zeros(len(words), np.int32)
        np.cumsum(np.bitwise_count(words[:-1]), out=running[1:])
        place = self.ends >> 3
        before = running[place] + np.bitwise_count(words[place] & _FIRST_BYTES[self.ends & 7])
        counts: Ends = np.diff(before)
        return counts

    def translate(self, table: bytes, *, drop: bytes) -> Column:
        """Replace each byte by its entry of a table of 256, and drop some bytes."""
        data = self.data.translate(table, drop)
        if len(data) == len(self.data):
            return self if data is self.data else replace(self, data=data)
        return replace(self, data=data, ends=ends_of(self.count(self.data.translate(_kept(drop)))))

    def at(self, rows: Places) -> Column:
        """The values of some rows, nulls as empty texts."""
        return from_arrow(to_arrow(self.all_known()).take(indices(rows)))

    def put(self, rows: Places, texts: Sequence[bytes]) -> Column:
        """Replace the values of some rows, ascending."""
        lengths = self.lengths.astype(np.int64)
        lengths[rows] = [len(text) for text in texts]
        pieces, done = [], 0
        for row, text in zip(rows.tolist(), texts, strict=True):
            pieces += [self.data[done : self.ends[row]], text]
            done = int(self.ends[row + 1])
        return replace(self, data=b"".join([*pieces, self.data[done:]]), ends=ends_of(lengths))

    def all_known(self) -> Column:
        """The same bytes without nulls: for tests of every value whose verdict on a null does not count."""
        return replace(self, known=None)

    def text(self, row: int) -> str:
        """One value."""
        return self.data[self.ends[row] : self.ends[row + 1]].decode()

    def without(self, unknown: Mask) -> Column:
        """Null the values where the mask is true."""
        if not unknown.any():
            return self
        return replace(self, known=~unknown if self.known is None else self.known & ~unknown)


def eight_bytes(cells: Octets, place: int) -> Words:
    """Eight bytes of each row from a place on, as one little-endian integer; rows must lie end to end."""
    if not len(cells):
        return np.empty(0, np.uint64)
    return np.ndarray((len(cells),), "<u8", cells, offset=place, strides=cells.strides[:1]).copy()


def all_digits(words: Words) -> Mask:
    """Whether all eight bytes of each word are digits: high halves 3, and still 3 when 6 is added."""
    digits: Mask = ((words & _HIGH) | (((words + _SIX) & _HIGH) >> np.uint64(4))) == _THREES
    return digits


def from_arrow(array: pa.Array) -> Column:
    """Take an Arrow string array; only its own slice of the bytes."""
    _, offsets, data = array.buffers()
    ends = np.zeros(1, np.int32)
    if len(array):
        ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1]
    first, last = int(ends[0]), int(ends[-1])
    octets = data.slice(first, last - first).to_pybytes() if last > first else b""
    return Column(octets, ends - ends[0], _known(array))


def from_texts(texts: Sequence[bytes]) -> Column:
    """Take texts in UTF-8; `pa.array` would import pandas to look at each of them."""
    return Column(b"".join(texts), ends_of(np.array([len(text) for text in texts], np.int64)), None)


def to_arrow(column: Column) -> pa.Array:
    """Give an Arrow string array, without copying the bytes."""
    valid = None if column.known is None else pa.py_buffer(np.packbits(column.known, bitorder="little"))
    ends = np.ascontiguousarray(column.ends)
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends), pa.py_buffer(column.data), valid)


def booleans(verdict: Mask, *, known: Mask | None) -> pa.BooleanArray:
    """Give an Arrow boolean array; null where not known."""
    valid = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    bits = pa.py_buffer(np.packbits(verdict, bitorder="little"))
    return pa.BooleanArray.from_buffers(pa.bool_(), len(verdict), [valid, bits])


def mask_of(array: pa.BooleanArray) -> Mask:
    """Take an Arrow boolean array without nulls."""
    bits = np.frombuffer(array.buffers()[1], np.uint8) if len(array) else np.empty(0, np.uint8)
    mask = np.unpackbits(bits, bitorder="little")[array.offset : array.offset + len(array)]
    return mask.astype(np.bool_)


def indices(places: Places) -> pa.Array:
    """An index array for Arrow, without its pandas bridge."""
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(np.ascontiguousarray(places, np.int64))])


def ends_of(lengths: Places | Ends) -> Ends:
    """Where values of these lengths end, from 0. Raises UsageError `column-too-long` past 2 GiB."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    if ends[-1] > np.iinfo(np.int32).max:
        raise too_long()
    return ends.astype(np.int32)


def too_long() -> UsageError:
    """The error of a column of more bytes than Arrow's string type can hold."""
    return UsageError(
        "column-too-long",
        asked="bring a column to its canonical spelling",
        found="more than 2 GiB of text in one array",
        expected="batches of some 100,000 rows",
        todo="pass the column batch by batch",
    )


def _known(array: pa.Array) -> Mask | None:
    return mask_of(array.is_valid()) if array.null_count else None


@cache
def _kept(drop: bytes) -> bytes:
    """For each byte value 1 when it is kept, else 0."""
    return bytes(byte not in drop for byte in range(256))
