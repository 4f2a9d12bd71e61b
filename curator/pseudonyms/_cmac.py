"""AES-256-CMAC of a whole Arrow column at once (NIST SP 800-38B, RFC 4493).

CMAC chains AES over the 16-byte blocks of one message: block j needs the cipher of block j - 1, so one message cannot
be made parallel. A column can: block j of *all* rows is one bulk AES-ECB call, which the AES units of the processor
pipeline. What is left is to bring block j of each row into one dense array; values of equal length need no index for
that, since Arrow stores them end to end. Rows are taken by passes that stay in the second-level cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from curator.errors import UsageError
from curator.pseudonyms._keys import require_key

TOKEN_BYTES = 16
"""Length of a token: one AES block, 128 bits."""

Words: TypeAlias = npt.NDArray[np.uint64]
Octets: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]

_BLOCK = 16
_PASS = 1 << 14  # rows per AES call: 256 KiB in, 256 KiB out
_GROUP = _PASS << 4  # rows brought in order of length together
_LONG = 255  # bytes from which a value goes alone through the library: identifiers are never so long
_WORD = np.dtype("<u8")
_CELL = np.dtype("V16")


class TokenKernel:
    """The tokens of whole columns under one key.

    Equal, value by value, to `cryptography.hazmat.primitives.cmac.CMAC(AES(key))` over the value's bytes, so anyone who
    holds the key can recompute a token in three lines. Safe to share between threads: each call has its own cipher.

    Args:
        key: 32 bytes from `derive_key`.

    Raises:
        SecretError: `key-length-wrong` when the key is not 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        require_key(key, asked="make tokens")
        self._key = bytes(key)
        self._keep, self._close = _last_block_tables(self._key)

    def tokens(self, array: pa.Array | pa.ChunkedArray) -> pa.FixedSizeBinaryArray:
        """The token of each value; a null stays null, the empty text is a value like another.

        Values are taken as their bytes (UTF-8 for text): give canonical values (`curator.identifiers.canonical`) when
        two spellings must give one token.

        Args:
            array: string, large_string, string_view, binary, large_binary, binary_view or fixed-size binary values,
                a dictionary of these, or the null type.

        Returns:
            As many 16-byte tokens; the bytes under a null are zero.

        Raises:
            UsageError: `token-type` for another type: a number has no single spelling.
        """
        if isinstance(array, pa.ChunkedArray):
            parts = [self.tokens(chunk) for chunk in array.chunks]
            return pa.concat_arrays(parts) if parts else pa.nulls(0, pa.binary(TOKEN_BYTES))
        if pa.types.is_dictionary(array.type):
            return self.tokens(array.dictionary).take(array.indices)
        array = _plain_bytes(array)
        tokens = np.zeros((len(array), 2), _WORD)
        if len(array) > array.null_count:
            self._fill(_Values(array), tokens)
        return _as_arrow(tokens, array)

    def _fill(self, values: _Values, tokens: Words) -> None:
        """Write the token of each value. Empty values, mostly nulls, hold no byte: the others stay end to end."""
        cipher = _Ecb(self._key)
        for rows in _steps(len(tokens), size=_GROUP):
            lengths = values.lengths(rows)
            full = lengths > 0
            if full.all():
                self._fill_group(values.select(rows), lengths, out=tokens[rows], cipher=cipher)
                continue
            tokens[rows] = self._empty(cipher)
            if full.any():
                found = np.empty((int(full.sum()), 2), _WORD)
                self._fill_group(values.select(rows, where=full), lengths[full], out=found, cipher=cipher)
                tokens[rows][full] = found

    def _empty(self, cipher: _Ecb) -> Words:
        state = np.empty((1, 2), _WORD)
        self._chain(lambda place: np.zeros((1, 2), _WORD), length=0, state=state, cipher=cipher)
        return state

    def _fill_group(self, values: _Starts, lengths: Places, *, out: Words, cipher: _Ecb) -> None:
        """Tokens of values that are not empty and stand end to end."""
        length = int(lengths[0])
        if length >= _LONG or (lengths != length).any():
            self._fill_by_length(values, lengths, out=out, cipher=cipher)
            return
        for rows in _steps(len(lengths), size=_PASS):
            self._chain(values.dense(rows, length), length=length, state=out[rows], cipher=cipher)

    def _fill_by_length(self, values: _Starts, lengths: Places, *, out: Words, cipher: _Ecb) -> None:
        """Sort rows by length (a radix sort of bytes), run each length as one column, put the tokens back."""
        classes = np.minimum(lengths, _LONG).astype(np.uint8)
        order = np.argsort(classes, kind="stable")
        ends = np.cumsum(np.bincount(classes, minlength=_LONG + 1))
        found = np.empty((len(lengths), 2), _WORD)
        for length in np.flatnonzero(np.diff(ends, prepend=0)):
            first = int(ends[length - 1])
            rows = order[first : int(ends[length])]
            if length == _LONG:
                found[first:] = self._alone(values, lengths, rows=rows)
                continue
            for part in _steps(len(rows), size=_PASS):
                state = found[first + part.start : first + part.stop]
                self._chain(values.gathered(rows[part]), length=int(length), state=state, cipher=cipher)
        out.view(_CELL)[order] = found.view(_CELL)

    def _alone(self, values: _Starts, lengths: Places, *, rows: Places) -> Words:
        """Tokens of long values, one by one: there the chain of one value costs more than the call."""
        tokens = bytearray()
        for row in rows:
            message = CMAC(algorithms.AES(self._key))
            message.update(values.octets(int(row), int(lengths[row])))
            tokens += message.finalize()
        return np.frombuffer(tokens, _WORD).reshape(-1, 2)

    def _chain(self, block: Callable[[int], Words], *, length: int, state: Words, cipher: _Ecb) -> None:
        """CMAC of equally long messages: SP 800-38B, 6.2, steps 4 to 6; `block(j)` is a fresh array of block j."""
        last = max(1, -(-length // _BLOCK)) - 1
        rest = length - _BLOCK * last
        for place in range(last + 1):
            cells = block(place)
            if place == last:
                cells &= self._keep[rest]
                cells ^= self._close[rest]
            if place:
                cells ^= state
            cipher.encrypt(cells, state)


class _Ecb:
    """Bulk AES of independent blocks: the raw permutation that CMAC is made of, never used on data by itself."""

    def __init__(self, key: bytes) -> None:
        self._cipher: CipherContext = _block_cipher(key)
        self._room = bytearray(_PASS * _BLOCK + _BLOCK - 1)  # the library asks for 15 bytes more than it writes

    def encrypt(self, cells: Words, out: Words) -> None:
        """Write AES(cells) to out; both (n, 2) words, at most one pass of rows."""
        size = cells.nbytes
        room = memoryview(self._room)[: size + _BLOCK - 1]
        self._cipher.update_into(cells.view(np.uint8).reshape(-1).data, room)
        out[:] = np.frombuffer(room, _WORD, count=size // 8).reshape(-1, 2)


class _Values:
    """The offsets and the bytes of an Arrow array, with room to read one whole block past the end."""

    def __init__(self, array: pa.Array) -> None:
        _, offsets, data = array.buffers()
        width = np.int64 if pa.types.is_large_binary(array.type) else np.int32
        ends = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
        first, last = int(ends[0]), int(ends[-1])
        size, room = last - first, last - first + 2 * _BLOCK
        if data is not None and data.size >= first + room:
            self._data = np.frombuffer(data, np.uint8, count=room, offset=first)
        else:  # the last bytes of the buffer: copy this slice, never the whole array
            self._data = np.zeros(room, np.uint8)
            if size:
                self._data[:size] = np.frombuffer(data, np.uint8, count=size, offset=first)
        self._ends, self._first = ends, first

    def lengths(self, rows: slice) -> Places:
        return np.diff(self._ends[rows.start : rows.stop + 1]).astype(np.int64)

    def select(self, rows: slice, *, where: npt.NDArray[np.bool_] | None = None) -> _Starts:
        starts = self._ends[rows].astype(np.int64) - self._first
        return _Starts(self._data, starts if where is None else starts[where])


class _Starts:
    """Where some values begin in the bytes; reads block j of many values at once."""

    def __init__(self, data: Octets, starts: Places) -> None:
        self._data, self._starts = data, starts
        self._windows = np.ndarray((len(data) - _BLOCK + 1,), _CELL, data, strides=(1,))

    def dense(self, rows: slice, length: int) -> Callable[[int], Words]:
        """Blocks of values that stand end to end and have one length: a stride, no index."""
        first = int(self._starts[rows.start])
        count = rows.stop - rows.start

        def block(place: int) -> Words:
            cells = np.ndarray((count,), _CELL, self._data, offset=first + _BLOCK * place, strides=(length,))
            return cells.copy().view(_WORD).reshape(count, 2)

        return block

    def gathered(self, rows: Places) -> Callable[[int], Words]:
        """Blocks of values that stand anywhere."""
        starts = self._starts[rows]
        return lambda place: self._windows[starts + _BLOCK * place].view(_WORD).reshape(-1, 2)

    def octets(self, row: int, length: int) -> bytes:
        first = int(self._starts[row])
        return self._data[first : first + length].tobytes()


def _last_block_tables(key: bytes) -> tuple[Words, Words]:
    """For each count r of bytes in the last block: what to keep of it, and what to add to it.

    A whole last block takes subkey K1; a shorter one is padded with a one bit, then zeros, and takes K2
    (SP 800-38B, 6.1 and 6.2 steps 3 and 4). Row r: keep r bytes, add padding xor subkey.
    """
    zero = _block_cipher(key).update(bytes(_BLOCK))
    whole = _double(zero)
    partial = np.frombuffer(_double(whole), np.uint8)
    keep = np.tri(_BLOCK + 1, _BLOCK, k=-1, dtype=np.uint8) * np.uint8(255)
    close = np.tile(partial, (_BLOCK + 1, 1))
    close[np.arange(_BLOCK), np.arange(_BLOCK)] ^= 0x80
    close[_BLOCK] = np.frombuffer(whole, np.uint8)
    return keep.view(_WORD), close.view(_WORD)


def _block_cipher(key: bytes) -> CipherContext:
    """AES itself, which the library names codebook mode; CMAC adds the chain, so equal blocks do not show."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305


def _double(block: bytes) -> bytes:
    """Multiply by x in GF(2**128), polynomial x**128 + x**7 + x**2 + x + 1 (SP 800-38B, 5.3 and 6.1)."""
    shifted = int.from_bytes(block, "big") << 1
    carry = 0x87 if shifted >> 128 else 0
    return ((shifted & ((1 << 128) - 1)) ^ carry).to_bytes(_BLOCK, "big")


def _plain_bytes(array: pa.Array) -> pa.Array:
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


def _as_arrow(tokens: Words, source: pa.Array) -> pa.FixedSizeBinaryArray:
    """Tokens with the nulls of their source; nothing of a null's bytes stays."""
    valid = None
    if source.null_count:
        valid = source.is_valid().buffers()[1]
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little", count=len(source))
        tokens[bits == 0] = 0
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(TOKEN_BYTES), len(source), [valid, pa.py_buffer(tokens)], source.null_count
    )


def _steps(total: int, *, size: int) -> Iterator[slice]:
    for first in range(0, total, size):
        yield slice(first, min(total, first + size))
