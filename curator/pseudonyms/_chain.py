"""CMAC's chain over many values at once (NIST SP 800-38B), for tokens and for AES-SIV.

Block j needs the cipher of block j - 1, so one value cannot be made parallel. A column can: block j of *all* values
that have one is one bulk AES call, which the AES units of the processor pipeline. Lengths may mix freely: what is kept
of a block and what is added to it hangs on how many bytes its value has left there, which is one look into a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curator.pseudonyms._blocks import (
    ALL,
    BLOCK,
    CELL,
    WIDE,
    WORD,
    Cells,
    Ecb,
    Places,
    Rows,
    Words,
    as_cells,
    as_words,
    block_cipher,
)

KEPT = (np.tri(BLOCK + 1, BLOCK, k=-1, dtype=np.uint8) * np.uint8(255)).view(WORD)
"""Row r: the first r bytes of a block."""
MARKED = (np.eye(BLOCK + 1, BLOCK, dtype=np.uint8) * np.uint8(0x80)).view(WORD)
"""Row r: the byte 0x80 at place r, the padding of a block that ends there."""


@dataclass(frozen=True)
class Piece:
    """Up to `WIDE` blocks of each of some values.

    Attributes:
        place: of the first of these blocks in its value.
        rows: the values that go so far.
        columns: for each of the blocks, which of these values have it, and how many bytes they have left from it on,
            as one number when all values are equally long.
    """

    place: int
    rows: Rows
    columns: tuple[tuple[Rows, Places | int], ...]

    @property
    def width(self) -> int:
        """Blocks of a value."""
        return len(self.columns)


def pieces(lengths: Places) -> list[Piece]:
    """Values of some lengths, cut. The empty value has one block, of which nothing counts."""
    longest = int(lengths.max())
    alike, blocks = bool((lengths == longest).all()), max(1, -(-longest // BLOCK))
    found = []
    for place in range(0, blocks, WIDE):
        rows: Rows = ALL if alike or not place else np.flatnonzero(lengths > BLOCK * place)
        left: Places | int = (longest if alike else lengths[rows]) - BLOCK * place
        columns = [_column(left, BLOCK * column) for column in range(min(WIDE, blocks - place))]
        found.append(Piece(place, rows, tuple(columns)))
    return found


def _column(left: Places | int, before: int) -> tuple[Rows, Places | int]:
    if isinstance(left, int) or not before:
        return ALL, left - before
    rows = np.flatnonzero(left > before)
    return rows, left[rows] - before


@dataclass(frozen=True)
class Closing:
    """What the chain keeps of a block and adds to it.

    Attributes:
        keep: (n, 2) words, one row for each count of bytes left; the last row also serves for more.
        add: the same of what is added to a block.
        first: what is added to a block that is the first of its value.
    """

    keep: Words
    add: Words
    first: Words


def closing_of(key: bytes) -> Closing:
    """CMAC's own: a last block that is whole takes subkey K1, a shorter one is padded and takes K2.

    SP 800-38B, 6.1 and 6.2, steps 3 and 4: the padding is a one bit, then zeros. A block with 0 to 16 bytes left is the
    last one; with more it stays as it is.
    """
    whole = double(block_cipher(key).update(bytes(BLOCK)))
    add = MARKED ^ np.frombuffer(double(whole), WORD)
    add[BLOCK] = np.frombuffer(whole, WORD)
    keep = np.concatenate([KEPT, KEPT[BLOCK:]])
    add = np.concatenate([add, np.zeros((1, 2), WORD)])
    return Closing(keep=keep, add=add, first=add)


def chained(cut: Sequence[Piece], blocks: Sequence[Cells], *, closing: Closing, cipher: Ecb) -> Cells:
    """CMAC of some values (SP 800-38B, 6.2, steps 4 to 6), from their blocks, which stay as they are.

    Args:
        cut: `pieces` of their lengths.
        blocks: values x blocks, for each of the pieces.
        closing: what is kept and added.
        cipher: under the same key.
    """
    state = np.empty(len(blocks[0]), CELL)
    for piece, cells in zip(cut, blocks, strict=True):
        own = state[piece.rows]
        for column, (rows, left) in enumerate(piece.columns):
            later = bool(piece.place + column)
            words = as_words(cells[:, column][rows].copy())
            words &= np.take(closing.keep, left, axis=0, mode="clip")
            words ^= np.take(closing.add if later else closing.first, left, axis=0, mode="clip")
            if later:
                words ^= as_words(own[rows])
            own[rows] = as_cells(cipher.encrypt(words))
        state[piece.rows] = own
    return state


def double(block: bytes) -> bytes:
    """Multiply by x in GF(2**128), polynomial x**128 + x**7 + x**2 + x + 1 (SP 800-38B, 5.3 and 6.1)."""
    shifted = int.from_bytes(block, "big") << 1
    carry = 0x87 if shifted >> 128 else 0
    return ((shifted & ((1 << 128) - 1)) ^ carry).to_bytes(BLOCK, "big")
