"""AES-SIV of a whole Arrow column at once (RFC 5297): tokens that the holder's custodian can turn back.

SIV seals a value under a synthetic initial vector, the CMAC of that very value: equal values give equal tokens, as a
join needs, a changed token does not open, and no nonce can be misused. Values of one length are one column: their CMAC
and their counter-mode key stream are a few bulk AES calls for all rows together, on the blocks of `_cmac`.

    token = V | C      V = S2V(K1, header..., value), 16 bytes      C = value xor AES-CTR(K2, V with two bits cleared)

A token is as long as its value and 16 bytes, so its length tells the value's. `padded=True` adds ISO/IEC 7816-4 padding
(one 0x80, then zeros, to whole blocks of 16) before sealing, which leaves only the number of blocks to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from curator.errors import IntegrityError, SecretError, UsageError
from curator.pseudonyms._blocks import (
    BLOCK,
    PASS,
    WORD,
    Ecb,
    Octets,
    Places,
    Values,
    Words,
    double,
    last_block_tables,
    plain_bytes,
    steps,
)

SIV_KEY_BYTES = 64
"""Length of the keys that curator derives for AES-SIV: two of 256 bits (RFC 5297 also allows 32 and 48 bytes)."""

_KEY_SIZES = (32, 48, 64)
_GROUP = 1 << 16  # rows brought in order of length together, so that what they read and write stays in the cache
_LONG = 256  # bytes from which a value goes alone through the library
_CLEARED = np.array([0xFFFFFFFFFFFFFFFF, 0xFFFFFF7FFFFFFF7F], WORD)  # bits 31 and 63 from the right: bytes 12 and 8
_FIRST_PAD = (np.eye(BLOCK, dtype=np.uint8) * np.uint8(0x80)).view(WORD)  # row r: the byte 0x80 at place r
_LARGEST = np.iinfo(np.int32).max


class SivKernel:
    """Seals and opens whole columns under one key.

    Equal, value by value, to `cryptography.hazmat.primitives.ciphers.aead.AESSIV(key)` with the same headers, for every
    length: the empty value is a value like another and gives the 16 bytes of its synthetic vector, as RFC 5297 has it
    (the canonical spelling of an identifier makes it null before it comes here). Safe to share between threads.

    Args:
        key: 64 bytes from `derive_siv_key`; 32 or 48 for the smaller variants of the standard.
        headers: associated data, authenticated with each value and not part of the token.
        padded: hide the length of values but for the number of their 16-byte blocks.

    Raises:
        SecretError: `key-length-wrong` for another length.
    """

    def __init__(self, key: bytes, headers: Sequence[bytes] = (), *, padded: bool = False) -> None:
        if len(key) not in _KEY_SIZES:
            raise _wrong_length(len(key))
        half = len(key) // 2
        self._mac_key, self._stream_key, self._padded = bytes(key[:half]), bytes(key[half:]), padded
        self._library, self._headers = AESSIV(bytes(key)), list(headers)
        self._close = last_block_tables(self._mac_key)[1]
        self._keep = last_block_tables(self._mac_key)[0]
        self._start = _vector_of_headers(self._mac_key, headers)
        self._doubled = np.frombuffer(double(self._start), WORD)

    def __reduce__(self) -> tuple[Callable[..., SivKernel], tuple[object, ...]]:
        return _rebuild, (self._mac_key + self._stream_key, tuple(self._headers), self._padded)

    def seal(self, array: pa.Array | pa.ChunkedArray) -> pa.BinaryArray:
        """The token of each value; a null stays null and nothing of its bytes stays.

        Args:
            array: as `TokenKernel.tokens`: text or bytes, in their canonical spelling.

        Returns:
            As many binary values, 16 bytes longer than the value (padded, if so asked).

        Raises:
            UsageError: `token-type` for another type, `column-too-long` when the tokens pass 2 GiB.
        """
        return self._each(array, self._seal)

    def open(self, array: pa.Array | pa.ChunkedArray) -> pa.BinaryArray:
        """The value behind each token; a null stays null.

        Raises:
            IntegrityError: `token-not-authentic` when a token was not sealed under this key and these headers, or was
                changed: how many, never which value.
            UsageError: as `seal`.
        """
        return self._each(array, self._open)

    def _each(self, array: pa.Array | pa.ChunkedArray, work: Callable[[pa.Array], pa.Array]) -> pa.Array:
        if isinstance(array, pa.ChunkedArray):
            parts = [self._each(chunk, work) for chunk in array.chunks]
            return pa.concat_arrays(parts) if parts else pa.nulls(0, pa.binary())
        if pa.types.is_dictionary(array.type):
            return self._each(array.dictionary, work).take(array.indices)
        return work(plain_bytes(array)) if len(array) > array.null_count else pa.nulls(len(array), pa.binary())

    # ---- a column as groups of one length -------------------------------------------------------------------------

    def _seal(self, array: pa.Array) -> pa.Array:
        whole = slice(0, len(array))
        values, known = Values(array), _known(array)
        lengths = np.where(known, values.lengths(whole), -1)
        body = np.where(known, (lengths // BLOCK + 1) * BLOCK, -1) if self._padded else lengths
        out = _Output(np.where(known, body + BLOCK, 0))
        starts, ciphers = values.select(whole), _Ciphers(self._mac_key, self._stream_key)
        for rows in _alike(body):
            size = int(body[rows[0]])
            if size < _LONG:
                blocks = starts.runs(rows, max(1, -(-size // BLOCK)))
                out.put(rows, self._seal_rows(blocks, lengths[rows], ciphers))
                continue
            for row in rows.tolist():
                out.put_one(row, self._seal_one(starts.octets(row, int(lengths[row]))))
        return out.to_arrow(array)

    def _open(self, array: pa.Array) -> pa.Array:
        whole = slice(0, len(array))
        values, known = Values(array), _known(array)
        sizes = np.where(known, values.lengths(whole), -1)
        starts, ciphers = values.select(whole), _Ciphers(self._mac_key, self._stream_key)
        found: dict[int, bytes] = {}
        lengths, wrong = np.zeros(len(sizes), np.int64), 0
        parts: list[tuple[Places, Octets, Places]] = []
        for rows in _alike(sizes):
            size = int(sizes[rows[0]])
            if size < BLOCK:
                wrong += len(rows)
            elif size >= _LONG:
                opened = {row: self._open_one(starts.octets(row, int(sizes[row]))) for row in rows.tolist()}
                found |= {row: value for row, value in opened.items() if value is not None}
                wrong += sum(value is None for value in opened.values())
            else:
                count = max(2, -(-size // BLOCK))
                plain, ends, holds = self._open_rows(starts.runs(rows, count), size - BLOCK, ciphers)
                wrong += int(len(holds) - holds.sum())
                lengths[rows] = ends
                parts.append((rows, plain, ends))
        if wrong:
            raise _not_authentic(wrong, len(array) - array.null_count)
        for row, value in found.items():
            lengths[row] = len(value)
        return _ragged(array, lengths, parts=parts, alone=found)

    def _seal_one(self, value: bytes) -> bytes:
        if self._padded:
            value += b"\x80" + bytes(-(len(value) + 1) % BLOCK)
        return self._library.encrypt(value, self._headers)

    def _open_one(self, token: bytes) -> bytes | None:
        try:
            value = self._library.decrypt(token, self._headers)
        except InvalidTag:
            return None
        if not self._padded:
            return value
        end = value.rstrip(b"\0")
        return end[:-1] if end[-1:] == b"\x80" else None

    # ---- rows of one length ---------------------------------------------------------------------------------------

    def _seal_rows(self, blocks: Words, lengths: Places, ciphers: _Ciphers) -> Octets:
        """Tokens as rows of bytes of values whose tokens are equally long; `blocks` is (n, blocks, 2), written to."""
        count = blocks.shape[1]
        rest: Any = lengths - BLOCK * (count - 1)
        rest = rest if (rest != rest[0]).any() else rest[0]
        blocks[:, -1] &= self._keep[rest]
        size = int(lengths[0])
        if self._padded:
            size = count * BLOCK
            blocks[:, -1] |= _FIRST_PAD[rest]
        token = np.empty((len(blocks), 1 + count, 2), WORD)
        token[:, 0] = self._vector(blocks, size, ciphers)
        self._add_stream(token[:, 0], blocks, out=token[:, 1:], ciphers=ciphers)
        return token.reshape(len(token), -1).view(np.uint8)[:, : BLOCK + size]

    def _open_rows(self, token: Words, size: int, ciphers: _Ciphers) -> tuple[Octets, Places, npt.NDArray[np.bool_]]:
        """Values as rows of bytes, how many bytes of each count, and which tokens hold."""
        vector = token[:, 0]
        blocks = np.empty_like(token[:, 1:])
        self._add_stream(vector, token[:, 1:], out=blocks, ciphers=ciphers)
        blocks[:, -1] &= self._keep[size - BLOCK * (blocks.shape[1] - 1)]
        holds = (self._vector(blocks, size, ciphers) == vector).all(axis=1)
        plain = blocks.reshape(len(blocks), -1).view(np.uint8)
        if not self._padded:
            return plain, np.full(len(plain), size, np.int64), holds
        ends = max(size, 1) - 1 - (plain[:, max(size, 1) - 1 :: -1] != 0).argmax(axis=1)
        return plain, ends, holds & (plain[np.arange(len(ends)), ends] == 0x80)

    def _vector(self, blocks: Words, size: int, ciphers: _Ciphers) -> Words:
        """S2V's last step (RFC 5297, 2.4): the CMAC of the value, its last 16 bytes or its padding mixed with D."""
        count = blocks.shape[1]
        mixed = np.zeros(count * BLOCK, np.uint8)
        if size < BLOCK:
            mixed[size] = 0x80
            added = mixed.view(WORD).reshape(1, 2) ^ self._doubled ^ self._close[BLOCK]
        else:
            mixed[size - BLOCK : size] = np.frombuffer(self._start, np.uint8)
            added = mixed.view(WORD).reshape(-1, 2)
            added[-1] ^= self._close[size - BLOCK * (count - 1)]
        state = np.zeros((len(blocks), 2), WORD)
        for place in range(count):
            cells = blocks[:, place] ^ added[place]
            cells ^= state
            ciphers.mac.encrypt(cells, state)
        return state

    def _add_stream(self, vector: Words, blocks: Words, *, out: Words, ciphers: _Ciphers) -> None:
        """Counter mode (RFC 5297, 2.5): the cleared top bit of the counter's last word leaves room to count."""
        counter = vector & _CLEARED
        last = counter.view(">u4")[:, 3]
        stream = np.empty_like(counter)
        for place in range(blocks.shape[1]):
            if place:
                last += 1
            ciphers.stream.encrypt(counter, stream)
            np.bitwise_xor(stream, blocks[:, place], out=out[:, place])


class _Ciphers:
    """The two AES keys of one call, which threads must not share."""

    def __init__(self, mac_key: bytes, stream_key: bytes) -> None:
        self.mac, self.stream = Ecb(mac_key), Ecb(stream_key)


class _Output:
    """Values of known lengths, put row by row or length by length, end to end in one buffer."""

    def __init__(self, lengths: Places) -> None:
        ends = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=ends[1:])
        if ends[-1] > _LARGEST:
            raise _too_long()
        self._ends, self._data = ends, np.empty(int(ends[-1]), np.uint8)

    def put(self, rows: Places, values: Octets) -> None:
        """Equally long values at some rows, ascending."""
        width = values.shape[1]
        first = int(self._ends[rows[0]])
        if int(self._ends[rows[-1]]) - first == (len(rows) - 1) * width:
            self._data[first : first + values.size].reshape(-1, width)[:] = values
            return
        windows = np.ndarray((len(self._data) - width + 1,), f"V{width}", self._data, strides=(1,))
        windows[self._ends[rows]] = np.ascontiguousarray(values).view(f"V{width}")[:, 0]

    def put_one(self, row: int, value: bytes) -> None:
        self._data[self._ends[row] : self._ends[row + 1]] = np.frombuffer(value, np.uint8)

    def to_arrow(self, source: pa.Array) -> pa.Array:
        """As binary, with the nulls of their source."""
        valid = source.is_valid().buffers()[1] if source.null_count else None
        ends = pa.py_buffer(self._ends.astype(np.int32))
        return pa.Array.from_buffers(pa.binary(), len(source), [valid, ends, pa.py_buffer(self._data)])


def _ragged(
    source: pa.Array, lengths: Places, *, parts: Sequence[tuple[Places, Octets, Places]], alone: dict[int, bytes]
) -> pa.Array:
    """Rows of bytes of which only the first ones count, and single values, as one binary array."""
    out = _Output(lengths)
    for rows, plain, ends in parts:
        for length in np.unique(ends).tolist():
            chosen = ends == length
            if length:
                out.put(rows[chosen], plain[chosen][:, :length])
    for row, value in alone.items():
        out.put_one(row, value)
    return out.to_arrow(source)


def _alike(sizes: Places) -> Iterator[Places]:
    """Rows of one size, ascending, at most a pass of them at once; nulls (below 0) are left out.

    All sizes from _LONG on come together: such values go one by one.
    """
    for group in steps(len(sizes), size=_GROUP):
        classes = (np.clip(sizes[group], -1, _LONG) + 1).astype(np.uint16)
        order = np.argsort(classes, kind="stable")  # a radix sort
        ends = np.cumsum(np.bincount(classes, minlength=_LONG + 2))
        for place in np.flatnonzero(np.diff(ends)).tolist():
            rows = order[ends[place] : ends[place + 1]] + group.start
            yield from (rows[part] for part in steps(len(rows), size=PASS))


def _known(array: pa.Array) -> npt.NDArray[np.bool_]:
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    bits = np.frombuffer(array.is_valid().buffers()[1], np.uint8)
    return np.unpackbits(bits, bitorder="little", count=len(array)).astype(np.bool_)


def _vector_of_headers(key: bytes, headers: Sequence[bytes]) -> bytes:
    """S2V over the headers (RFC 5297, 2.4): D, before the value joins it."""
    state = _mac(key, bytes(BLOCK))
    for header in headers:
        mixed = int.from_bytes(double(state), "big") ^ int.from_bytes(_mac(key, header), "big")
        state = mixed.to_bytes(BLOCK, "big")
    return state


def _mac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(message)
    return mac.finalize()


def _rebuild(key: bytes, headers: tuple[bytes, ...], padded: bool) -> SivKernel:
    return SivKernel(key, headers, padded=padded)


def _wrong_length(size: int) -> SecretError:
    return SecretError(
        "key-length-wrong",
        asked="seal or open tokens",
        found=f"a key of {size} bytes",
        expected=f"{SIV_KEY_BYTES} bytes (or 48 or 32, RFC 5297)",
        todo="pass a key made by curator.pseudonyms.derive_siv_key",
    )


def _not_authentic(wrong: int, known: int) -> IntegrityError:
    return IntegrityError(
        "token-not-authentic",
        asked="open sealed tokens",
        found=f"{wrong:,} of {known:,} tokens that do not open under this key",
        expected="tokens sealed for this holder, use case, recipient, epoch and domain, unchanged",
        todo="check the version, the column and the whole token; a token of another version has another key",
    )


def _too_long() -> UsageError:
    return UsageError(
        "column-too-long",
        asked="seal or open tokens",
        found="more than 2 GiB of tokens in one array",
        expected="batches of some 100,000 rows",
        todo="pass the column batch by batch",
    )
