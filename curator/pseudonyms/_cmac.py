"""AES-256-CMAC of a whole Arrow column at once (NIST SP 800-38B, RFC 4493).

CMAC chains AES over the 16-byte blocks of one message: block j needs the cipher of block j - 1, so one message cannot
be made parallel. A column can: block j of *all* rows is one bulk AES-ECB call, which the AES units of the processor
pipeline. What is left is to bring block j of each row into one dense array; values of equal length need no index for
that, since Arrow stores them end to end. Rows are taken by passes that stay in the second-level cache.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

from curator.pseudonyms._blocks import (
    BLOCK,
    CELL,
    PASS,
    WORD,
    Ecb,
    Places,
    Starts,
    Values,
    Words,
    last_block_tables,
    plain_bytes,
    steps,
)
from curator.pseudonyms._keys import require_key

TOKEN_BYTES = 16
"""Length of a token: one AES block, 128 bits."""

_GROUP = PASS << 4  # rows brought in order of length together
_LONG = 255  # bytes from which a value goes alone through the library: identifiers are never so long


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
        self._keep, self._close = last_block_tables(self._key)

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
        array = plain_bytes(array)
        tokens = np.zeros((len(array), 2), WORD)
        if len(array) > array.null_count:
            self._fill(Values(array), tokens)
        return as_tokens(tokens, array)

    def _fill(self, values: Values, tokens: Words) -> None:
        """Write the token of each value. Empty values, mostly nulls, hold no byte: the others stay end to end."""
        cipher = Ecb(self._key)
        for rows in steps(len(tokens), size=_GROUP):
            lengths = values.lengths(rows)
            full = lengths > 0
            if full.all():
                self._fill_group(values.select(rows), lengths, out=tokens[rows], cipher=cipher)
                continue
            tokens[rows] = self._empty(cipher)
            if full.any():
                found = np.empty((int(full.sum()), 2), WORD)
                self._fill_group(values.select(rows, where=full), lengths[full], out=found, cipher=cipher)
                tokens[rows][full] = found

    def _empty(self, cipher: Ecb) -> Words:
        state = np.empty((1, 2), WORD)
        self._chain(lambda place: np.zeros((1, 2), WORD), length=0, state=state, cipher=cipher)
        return state

    def _fill_group(self, values: Starts, lengths: Places, *, out: Words, cipher: Ecb) -> None:
        """Tokens of values that are not empty and stand end to end."""
        length = int(lengths[0])
        if length >= _LONG or (lengths != length).any():
            self._fill_by_length(values, lengths, out=out, cipher=cipher)
            return
        for rows in steps(len(lengths), size=PASS):
            self._chain(values.dense(rows, length), length=length, state=out[rows], cipher=cipher)

    def _fill_by_length(self, values: Starts, lengths: Places, *, out: Words, cipher: Ecb) -> None:
        """Sort rows by length (a radix sort of bytes), run each length as one column, put the tokens back."""
        classes = np.minimum(lengths, _LONG).astype(np.uint8)
        order = np.argsort(classes, kind="stable")
        ends = np.cumsum(np.bincount(classes, minlength=_LONG + 1))
        found = np.empty((len(lengths), 2), WORD)
        for length in np.flatnonzero(np.diff(ends, prepend=0)):
            first = int(ends[length - 1])
            rows = order[first : int(ends[length])]
            if length == _LONG:
                found[first:] = self._alone(values, lengths, rows=rows)
                continue
            for part in steps(len(rows), size=PASS):
                state = found[first + part.start : first + part.stop]
                self._chain(values.gathered(rows[part]), length=int(length), state=state, cipher=cipher)
        out.view(CELL)[order] = found.view(CELL)

    def _alone(self, values: Starts, lengths: Places, *, rows: Places) -> Words:
        """Tokens of long values, one by one: there the chain of one value costs more than the call."""
        tokens = bytearray()
        for row in rows:
            message = CMAC(algorithms.AES(self._key))
            message.update(values.octets(int(row), int(lengths[row])))
            tokens += message.finalize()
        return np.frombuffer(tokens, WORD).reshape(-1, 2)

    def _chain(self, block: Callable[[int], Words], *, length: int, state: Words, cipher: Ecb) -> None:
        """CMAC of equally long messages: SP 800-38B, 6.2, steps 4 to 6; `block(j)` is a fresh array of block j."""
        last = max(1, -(-length // BLOCK)) - 1
        rest = length - BLOCK * last
        for place in range(last + 1):
            cells = block(place)
            if place == last:
                cells &= self._keep[rest]
                cells ^= self._close[rest]
            if place:
                cells ^= state
            cipher.encrypt(cells, state)


def as_tokens(tokens: Words, source: pa.Array) -> pa.FixedSizeBinaryArray:
    """Tokens with the nulls of their source; nothing of a null's bytes stays."""
    valid = None
    if source.null_count:
        valid = source.is_valid().buffers()[1]
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little", count=len(source))
        tokens[bits == 0] = 0
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(TOKEN_BYTES), len(source), [valid, pa.py_buffer(tokens)], source.null_count
    )
