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

BLOCK = 16
PASS = 1 << 14
"""Rows per AES call: 256 KiB in, 256 KiB out, so that a pass stays in the second-level cache."""
WORD = np.dtype("<u8")
CELL = np.dtype("V16")


class Ecb:
    """Bulk AES of independent blocks: the raw permutation that CMAC is made of, never used on data by itself."""

    def __init__(self, key: bytes) -> None:
        self._cipher: CipherContext = _block_cipher(key)
        self._room = bytearray(PASS * BLOCK + BLOCK - 1)  # the library asks for 15 bytes more than it writes

    def encrypt(self, cells: Words, out: Words) -> None:
        """Write AES(cells) to out; both (n, 2) words, at most one pass of rows."""
        size = cells.nbytes
        room = memoryview(self._room)[: size + BLOCK - 1]
        self._cipher.update_into(cells.view(np.uint8).reshape(-1).data, room)
        out[:] = np.frombuffer(room, WORD, count=size // 8).reshape(-1, 2)


class Values:
    """The offsets and the bytes of an Arrow array, with room to read one whole block past the end."""

    def __init__(self, array: pa.Array) -> None:
        _, offsets, data = array.buffers()
        width = np.int64 if pa.types.is_large_binary(array.type) else np.int32
        ends = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
        first, last = int(ends[0]), int(ends[-1])
        size, room = last - first, last - first + 2 * BLOCK
        if data is not None and data.size >= first + room:
            self._data = np.frombuffer(data, np.uint8, count=room, offset=first)
        else:  # the last bytes of the buffer: copy this slice, never the whole array
            self._data = np.zeros(room, np.uint8)
            if size:
                self._data[:size] = np.frombuffer(data, np.uint8, count=size, offset=first)
        self._ends, self._first = ends, first

    def lengths(self, rows: slice) -> Places:
        return np.diff(self._ends[rows.start : rows.stop + 1]).astype(np.int64)

    def select(self, rows: slice, *, where: npt.NDArray[np.bool_] | None = None) -> Starts:
        starts = self._ends[rows].astype(np.int64) - self._first
        return Starts(self._data, starts if where is None else starts[where])


class Starts:
    """Where some values begin in the bytes; reads block j of many values at once."""

    def __init__(self, data: Octets, starts: Places) -> None:
        self._data, self._starts = data, starts
        self._windows = np.ndarray((len(data) - BLOCK + 1,), CELL, data, strides=(1,))

    def dense(self, rows: slice, length: int) -> Callable[[int], Words]:
        """Blocks of values that stand end to end and have one length: a stride, no index."""
        first = int(self._starts[rows.start])
        count = rows.stop - rows.start

        def block(place: int) -> Words:
            cells = np.ndarray((count,), CELL, self._data, offset=first + BLOCK * place, strides=(length,))
            return cells.copy().view(WORD).reshape(count, 2)

        return block

    def gathered(self, rows: Places) -> Callable[[int], Words]:
        """Blocks of values that stand anywhere."""
        starts = self._starts[rows]
        return lambda place: self._windows[starts + BLOCK * place].view(WORD).reshape(-1, 2)

    def runs(self, rows: Places, count: int) -> Words:
        """`count` blocks from the start of each of these values on, (n, count, 2), a fresh array."""
        width = BLOCK * count
        windows = np.ndarray((len(self._data) - width + 1,), f"V{width}", self._data, strides=(1,))
        return windows[self._starts[rows]].view(WORD).reshape(-1, count, 2)

    def octets(self, row: int, length: int) -> bytes:
        first = int(self._starts[row])
        return self._data[first : first + length].tobytes()


def last_block_tables(key: bytes) -> tuple[Words, Words]:
    """For each count r of bytes in the last block: what to keep of it, and what to add to it.

    A whole last block takes subkey K1; a shorter one is padded with a one bit, then zeros, and takes K2
    (SP 800-38B, 6.1 and 6.2 steps 3 and 4). Row r: keep r bytes, add padding xor subkey.
    """
    zero = _block_cipher(key).update(bytes(BLOCK))
    whole = double(zero)
    partial = np.frombuffer(double(whole), np.uint8)
    keep = np.tri(BLOCK + 1, BLOCK, k=-1, dtype=np.uint8) * np.uint8(255)
    close = np.tile(partial, (BLOCK + 1, 1))
    close[np.arange(BLOCK), np.arange(BLOCK)] ^= 0x80
    close[BLOCK] = np.frombuffer(whole, np.uint8)
    return keep.view(WORD), close.view(WORD)


def _block_cipher(key: bytes) -> CipherContext:
    """AES itself, which the library names codebook mode; CMAC adds the chain, so equal blocks do not show."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305


def double(block: bytes) -> bytes:
    """Multiply by x in GF(2**128), polynomial x**128 + x**7 + x**2 + x + 1 (SP 800-38B, 5.3 and 6.1)."""
    shifted = int.from_bytes(block, "big") << 1
    carry = 0x87 if shifted >> 128 else 0
    return ((shifted & ((1 << 128) - 1)) ^ carry).to_bytes(BLOCK, "big")


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


def steps(total: int, *, size: int) -> Iterator[slice]:
    for first in range(0, total, size):
        yield slice(first, min(total, first + size))
