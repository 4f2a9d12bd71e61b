"""AES-SIV of a whole Arrow column at once (RFC 5297): tokens that the holder's custodian can turn back.

SIV seals a value under a synthetic initial vector, the CMAC of that very value: equal values give equal tokens, as a
join needs, a changed token does not open, and no nonce can be misused. The CMAC of a column and its counter-mode key
stream are a few bulk AES calls for all rows of a pass together, whatever their lengths (`_siv_rows`).

    token = V | C      V = S2V(K1, header..., value), 16 bytes      C = value xor AES-CTR(K2, V with two bits cleared)

A token is as long as its value and 16 bytes, so its length tells the value's. `padded=True` adds ISO/IEC 7816-4 padding
(one 0x80, then zeros, to whole blocks of 16) before sealing, which leaves only the number of blocks to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.cmac import CMAC

from curator.errors import IntegrityError, SecretError, UsageError
from curator.pseudonyms._blocks import BLOCK, PASS, SLACK, Places, Spots, Values, each, known_rows, parted, steps
from curator.pseudonyms._chain import double
from curator.pseudonyms._siv_rows import SivRows, body_lengths, siv_closing

SIV_KEY_BYTES = 64
"""Length of the keys that curator derives for AES-SIV: two of 256 bits (RFC 5297 also allows 32 and 48 bytes)."""

_KEY_SIZES = (32, 48, 64)
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
        self._closing = siv_closing(self._mac_key, _vector_of_headers(self._mac_key, headers))

    def __reduce__(self) -> tuple[Callable[..., SivKernel], tuple[object, ...]]:
        again = partial(SivKernel, padded=self._padded)
        return again, (self._mac_key + self._stream_key, tuple(self._headers))

    def seal(self, array: pa.Array | pa.ChunkedArray) -> pa.BinaryArray:
        """The token of each value; a null stays null and nothing of its bytes stays.

        Args:
            array: as `TokenKernel.tokens`: text or bytes, in their canonical spelling.

        Returns:
            As many binary values, 16 bytes longer than the value (padded, if so asked).

        Raises:
            UsageError: `token-type` for another type, `column-too-long` when the tokens pass 2 GiB.
        """
        return each(array, self._seal, kind=pa.binary())

    def open(self, array: pa.Array | pa.ChunkedArray) -> pa.BinaryArray:
        """The value behind each token; a null stays null.

        Raises:
            IntegrityError: `token-not-authentic` when a token was not sealed under this key and these headers, or was
                changed: how many, never which value.
            UsageError: as `seal`.
        """
        return each(array, self._open, kind=pa.binary())

    def _rows(self) -> SivRows:
        return SivRows(self._mac_key, self._stream_key, closing=self._closing, padded=self._padded)

    def _seal(self, array: pa.Array) -> pa.Array:
        if len(array) == array.null_count:
            return pa.nulls(len(array), pa.binary())
        values, known, work = Values(array), known_rows(array), self._rows()
        out = _Output(len(array), room=values.size + 2 * BLOCK * len(array))
        for rows in steps(len(array), size=PASS):
            starts, lengths = values.bounds(rows)
            body = body_lengths(lengths, padded=self._padded)
            places = out.extend(np.where(known[rows], BLOCK + body, 0))
            short, alone = parted(lengths, known[rows])
            if len(lengths[short]):
                work.seal(Spots(values.data, starts[short]), Spots(out.data, places[short]), lengths=lengths[short])
            for row in alone:
                out.put(places[row], self._seal_one(values.octets(starts[row], lengths[row])))
        return out.to_arrow(array)

    def _open(self, array: pa.Array) -> pa.Array:
        if len(array) == array.null_count:
            return pa.nulls(len(array), pa.binary())
        values, known, work = Values(array), known_rows(array), self._rows()
        out, holding = _Output(len(array), room=values.size), 0
        for rows in steps(len(array), size=PASS):
            starts, body = values.bounds(rows)
            body -= BLOCK
            lengths = np.zeros(len(body), np.int64)
            short, alone = parted(body, known[rows] & (body >= 0))
            found = {row: self._open_one(values.octets(starts[row], BLOCK + body[row])) for row in alone}
            for row, value in found.items():
                lengths[row] = len(value or b"")
                holding += value is not None
            opened = work.open(Spots(values.data, starts[short]), body=body[short]) if len(body[short]) else None
            if opened:
                lengths[short] = opened.lengths
                holding += int(opened.holds.sum())
            places = out.extend(lengths)
            if opened:
                opened.write(Spots(out.data, places[short]))
            for row, value in found.items():
                out.put(places[row], value or b"")
        asked = len(array) - array.null_count
        if holding < asked:
            raise _not_authentic(asked - holding, asked)
        return out.to_arrow(array)

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
        holds = end[-1:] == b"\x80" and len(value) % BLOCK == 0 and len(value) - len(end) < BLOCK
        return end[:-1] if holds else None


class _Output:
    """Values put end to end in one buffer, pass by pass, and some bytes of room behind them."""

    def __init__(self, rows: int, *, room: int) -> None:
        self.data = np.empty(room + SLACK, np.uint8)
        self._ends, self._rows = np.zeros(rows + 1, np.int32), 0

    def extend(self, lengths: Places) -> Places:
        """Where the next values begin."""
        ends: Places = np.cumsum(lengths) + self._ends[self._rows]
        if ends[-1] > _LARGEST:
            raise _too_long()
        self._ends[self._rows + 1 : self._rows + 1 + len(ends)] = ends
        self._rows += len(ends)
        starts: Places = ends - lengths
        return starts

    def put(self, start: int, value: bytes) -> None:
        """One value."""
        self.data[start : start + len(value)] = np.frombuffer(value, np.uint8)

    def to_arrow(self, source: pa.Array) -> pa.Array:
        """As binary, with the nulls of their source."""
        valid = source.is_valid().buffers()[1] if source.null_count else None
        data = pa.py_buffer(self.data[: self._ends[-1]])
        return pa.Array.from_buffers(pa.binary(), len(source), [valid, pa.py_buffer(self._ends), data])


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
