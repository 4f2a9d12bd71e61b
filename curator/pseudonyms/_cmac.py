"""AES-256-CMAC of a whole Arrow column at once (NIST SP 800-38B, RFC 4493).

Rows are taken by passes that stay in the second-level cache; `_chain` treats the values of a pass together, whatever
their lengths.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC

from curator.pseudonyms._blocks import (
    BLOCK,
    LONG,
    PASS,
    WORD,
    Cells,
    Ecb,
    Places,
    Spots,
    Values,
    Words,
    as_cells,
    plain_bytes,
    steps,
)
from curator.pseudonyms._chain import chained, closing_of, pieces
from curator.pseudonyms._keys import require_key

TOKEN_BYTES = 16
"""Length of a token: one AES block, 128 bits."""


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
        self._closing = closing_of(self._key)
        self._empty = np.frombuffer(self._alone(b""), WORD)

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
        cipher, out = Ecb(self._key), as_cells(tokens)
        for rows in steps(len(tokens), size=PASS):
            starts, lengths = values.bounds(rows)
            if lengths.min() and lengths.max() < LONG:
                out[rows] = self._chain(Spots(values.data, starts), lengths, cipher=cipher)
                continue
            tokens[rows] = self._empty
            short = np.flatnonzero((lengths > 0) & (lengths < LONG))
            if len(short):
                out[rows][short] = self._chain(Spots(values.data, starts[short]), lengths[short], cipher=cipher)
            for row in np.flatnonzero(lengths >= LONG).tolist():
                alone = self._alone(values.octets(int(starts[row]), int(lengths[row])))
                tokens[rows.start + row] = np.frombuffer(alone, WORD)

    def _chain(self, spots: Spots, lengths: Places, *, cipher: Ecb) -> Cells:
        cut = pieces(lengths)
        blocks = [spots.read(BLOCK * piece.place, piece.width, rows=piece.rows) for piece in cut]
        return chained(cut, blocks, closing=self._closing, cipher=cipher)

    def _alone(self, value: bytes) -> bytes:
        message = CMAC(algorithms.AES(self._key))
        message.update(value)
        return message.finalize()


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
