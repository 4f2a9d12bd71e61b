"""What every kernel of this room works on: the bytes of a column by blocks of 16, and AES over many blocks at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from curator.errors import UsageError

Words: TypeAlias = npt.NDArray[np.uint64]
Octets: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]
Cells: TypeAlias = npt.NDArray[np.void]
Marks: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = Places | slice

BLOCK = 16
PASS = 1 << 14
"""Rows per AES call: 256 KiB in, 256 KiB out, so that a pass stays in the second-level cache."""
LONG = 256
"""Bytes from which a value goes alone through the library: there the chain of one value costs more than the call."""
WIDE = 4
"""Blocks of a value that are read or written at once: a row costs hardly more than a block."""
SLACK = BLOCK * (WIDE + 1)
"""Bytes of room behind the last value: blocks are read and written whole, past the end of what they mean."""
WORD = np.dtype("<u8")
CELL = np.dtype(f"V{BLOCK}")
ALL = slice(None)


class Ecb:
    """Bulk AES of independent blocks: the raw permutation that CMAC is made of, never used on data by itself."""

    def __init__(self, key: bytes) -> None:
        self._cipher = block_cipher(key)
        self._room = bytearray(PASS * BLOCK + BLOCK - 1)  # the library asks for 15 bytes more than it writes
        self._words = np.frombuffer(self._room, WORD, count=2 * PASS).reshape(-1, 2)

    def encrypt(self, words: Words) -> Words:
        """AES of (n, 2) words, at most one pass of rows, in a room that the next call overwrites."""
        room = memoryview(self._room)[: words.nbytes + BLOCK - 1]
        self._cipher.update_into(words.view(np.uint8).reshape(-1).data, room)
        return self._words[: len(words)]


class Values:
    """The offsets and the bytes of an Arrow array, with room to read on behind the end.

    Attributes:
        data: the bytes, from those of the first value on.
        size: how many of them are the values'.
    """

    def __init__(self, array: pa.Array) -> None:
        _, offsets, data = array.buffers()
        width = np.int64 if pa.types.is_large_binary(array.type) else np.int32
        ends = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
        first, last = int(ends[0]), int(ends[-1])
        self.size = last - first
        room = self.size + SLACK
        if data is not None and data.size >= first + room:
            self.data = np.frombuffer(data, np.uint8, count=room, offset=first)
        else:  # the last bytes of the buffer: copy this slice, never the whole array
            self.data = np.zeros(room, np.uint8)
            if self.size:
                self.data[: self.size] = np.frombuffer(data, np.uint8, count=self.size, offset=first)
        self._ends, self._first = ends, first

    def bounds(self, rows: slice) -> tuple[Places, Places]:
        """Where each value begins in the bytes, and how long it is."""
        ends = self._ends[rows.start : rows.stop + 1].astype(np.int64)
        return ends[:-1] - self._first, np.diff(ends)

    def octets(self, start: int, length: int) -> bytes:
        """One value."""
        return self.data[start : start + length].tobytes()


class Spots:
    """Where some values begin in some bytes: reads and writes blocks of all of them at once.

    Values that stand at equal distances are a stride and need no index. Writing passes the end of short values, by less
    than the blocks that it writes; the values behind must overwrite that with their own, so they come in the order in
    which they stand, and of all their blocks the first ones are written last.
    """

    def __init__(self, data: Octets, starts: Places) -> None:
        self._data, self._starts = data, starts
        gap = int(starts[1] - starts[0]) if len(starts) > 1 else 0
        even = int(starts[-1] - starts[0]) == (len(starts) - 1) * gap and bool((np.diff(starts) == gap).all())
        self._gap = gap if even else None

    def read(self, offset: int, width: int, *, rows: Rows = ALL) -> Cells:
        """`width` blocks of each value from an offset in it on: a fresh array of values x blocks."""
        view, index = self._view(offset, BLOCK * width, rows=rows)
        found = view.copy() if index is None else view[index]
        return found.view(CELL).reshape(-1, width)

    def write(self, offset: int, cells: Cells, *, rows: Rows = ALL) -> None:
        """Put values x blocks."""
        size = BLOCK * cells.shape[1]
        view, index = self._view(offset, size, rows=rows)
        view[ALL if index is None else index] = cells.reshape(-1).view(f"V{size}")

    def _view(self, offset: int, size: int, *, rows: Rows) -> tuple[Cells, Places | None]:
        """The bytes as runs of a size, and which of these runs the values are; None for all of them."""
        if self._gap is not None and isinstance(rows, slice):
            first = offset + int(self._starts[0])
            return np.ndarray((len(self._starts),), f"V{size}", self._data, first, strides=(self._gap,)), None
        count = len(self._data) - offset - size + 1
        return np.ndarray((count,), f"V{size}", self._data, offset, strides=(1,)), self._starts[rows]


def as_words(cells: Cells) -> Words:
    """Cells as pairs of words, the same bytes."""
    return cells.view(WORD).reshape(-1, 2)


def as_cells(words: Words) -> Cells:
    """Pairs of words as cells, the same bytes."""
    return words.view(CELL).reshape(-1)


def block_cipher(key: bytes) -> CipherContext:
    """AES itself, which the library names codebook mode; CMAC adds the chain, so equal blocks do not show."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305


def each(array: pa.Array | pa.ChunkedArray, work: Callable[[pa.Array], pa.Array], *, kind: pa.DataType) -> pa.Array:
    """What `work` makes of the bytes of each value; of a dictionary, of each of its entries once.

    Args:
        array: text or bytes in any of Arrow's forms.
        work: takes binary or large_binary values and gives as many of a type.
        kind: that type.

    Raises:
        UsageError: `token-type` for another type.
    """
    if isinstance(array, pa.ChunkedArray):
        parts = [each(chunk, work, kind=kind) for chunk in array.chunks]
        return pa.concat_arrays(parts) if parts else pa.nulls(0, kind)
    if pa.types.is_dictionary(array.type):
        return each(array.dictionary, work, kind=kind).take(array.indices)
    return work(plain_bytes(array))


def plain_bytes(array: pa.Array) -> pa.Array:
    """The array as binary or large_binary, without copying where Arrow allows it."""
    kind = array.type
    if pa.types.is_null(kind):
        return pa.nulls(len(array), pa.binary())
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return array.view(pa.binary())
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        return array.view(pa.large_binary())
    if kind in (pa.string_view(), pa.binary_view()) or pa.types.is_fixed_size_binary(kind):
        return array.cast(pa.large_binary())
    raise UsageError(
        "token-type",
        asked="make tokens of a column",
        found=f"a column of type {kind}",
        expected="text or binary values",
        todo="write the values as text in one agreed spelling first, leading zeros included",
    )


def known_rows(array: pa.Array) -> Marks:
    """Which rows of an array have a value."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    bits = np.frombuffer(array.is_valid().buffers()[1], np.uint8)
    return np.unpackbits(bits, bitorder="little", count=len(array)).astype(np.bool_)


def parted(lengths: Places, known: Marks) -> tuple[Rows, list[int]]:
    """Values that go together, and those that go alone."""
    short = known & (lengths < LONG)
    if short.all():
        return ALL, []
    return np.flatnonzero(short), np.flatnonzero(known & ~short).tolist()


def steps(total: int, *, size: int) -> Iterator[slice]:
    """0 to `total` by slices of a size."""
    for first in range(0, total, size):
        yield slice(first, min(total, first + size))
