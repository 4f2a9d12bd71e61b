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
    CELL,
    PASS,
    Cells,
    Ecb,
    Marks,
    Places,
    Spots,
    Values,
    each,
    known_rows,
    parted,
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
        self._empty = np.frombuffer(self._alone(b""), CELL)[0]

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
        return each(array, self._tokens, kind=pa.binary(TOKEN_BYTES))

    def _tokens(self, array: pa.Array) -> pa.FixedSizeBinaryArray:
        tokens = np.zeros(len(array), CELL)
        if len(array) > array.null_count:
            self._fill(Values(array), known_rows(array), tokens=tokens)
        valid = array.is_valid().buffers()[1] if array.null_count else None
        buffers = [valid, pa.py_buffer(tokens.view(np.uint8))]
        return pa.FixedSizeBinaryArray.from_buffers(pa.binary(TOKEN_BYTES), len(array), buffers, array.null_count)

    def _fill(self, values: Values, known: Marks, *, tokens: Cells) -> None:
        """Write the token of each value that is known. The empty value has the same one everywhere."""
        cipher = Ecb(self._key)
        for rows in steps(len(tokens), size=PASS):
            starts, lengths = values.bounds(rows)
            some, own = known[rows] & (lengths > 0), tokens[rows]
            if not some.all():
                own[known[rows] & (lengths == 0)] = self._empty
            short, alone = parted(lengths, some)
            if len(lengths[short]):
                own[short] = self._chain(Spots(values.data, starts[short]), lengths[short], cipher=cipher)
            for row in alone:
                own[row] = np.frombuffer(self._alone(values.octets(starts[row], lengths[row])), CELL)[0]

    def _chain(self, spots: Spots, lengths: Places, *, cipher: Ecb) -> Cells:
        cut = pieces(lengths)
        blocks = [spots.read(BLOCK * piece.place, piece.width, rows=piece.rows) for piece in cut]
        return chained(cut, blocks, closing=self._closing, cipher=cipher)

    def _alone(self, value: bytes) -> bytes:
        message = CMAC(algorithms.AES(self._key))
        message.update(value)
        return message.finalize()
