"""AES-SIV of the rows of one pass (RFC 5297): S2V by the chain of CMAC, counter mode by one AES call a block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curator.pseudonyms._blocks import (
    ALL,
    BLOCK,
    CELL,
    WORD,
    Cells,
    Ecb,
    Places,
    Rows,
    Spots,
    as_cells,
    as_words,
)
from curator.pseudonyms._chain import KEPT, MARKED, Closing, Piece, chained, closing_of, double, pieces

_CLEARED = np.array([0xFFFFFFFFFFFFFFFF, 0xFFFFFF7FFFFFFF7F], WORD)  # bits 31 and 63 from the right: bytes 12 and 8


@dataclass(frozen=True, kw_only=True)
class Opened:
    """Values that were opened, not yet written.

    Attributes:
        lengths: of the values; 0 for those that do not hold.
        holds: which tokens are authentic and whole.
        cut, blocks: the bytes of the values.
    """

    lengths: Places
    holds: npt.NDArray[np.bool_]
    cut: Sequence[Piece]
    blocks: Sequence[Cells]

    def write(self, target: Spots) -> None:
        """Put the values where they belong."""
        for piece, cells in zip(reversed(self.cut), reversed(self.blocks), strict=True):
            target.write(BLOCK * piece.place, cells, rows=piece.rows)


class SivRows:
    """Seals and opens some values at once; of one call, since threads must not share its two AES keys.

    Args:
        mac_key, stream_key: the halves of the key.
        closing: `siv_closing` of the first half and the headers.
        padded: whether values are padded.
    """

    def __init__(self, mac_key: bytes, stream_key: bytes, *, closing: Closing, padded: bool) -> None:
        self._mac, self._stream, self._closing, self._padded = Ecb(mac_key), Ecb(stream_key), closing, padded

    def seal(self, source: Spots, target: Spots, *, lengths: Places) -> None:
        """Read values of some lengths, at least one, and write their tokens."""
        body = body_lengths(lengths, padded=self._padded)
        cut = pieces(body)
        blocks = [source.read(BLOCK * piece.place, piece.width, rows=piece.rows) for piece in cut]
        if self._padded:
            _pad(cut, blocks, lengths=lengths)
        vector = chained(cut, blocks, closing=self._closing, cipher=self._mac)
        token = np.empty((len(vector), 1 + cut[0].width), CELL)
        token[:, 0] = vector
        self._add_stream(cut, blocks, out=[token[:, 1:], *blocks[1:]], vector=vector)
        for piece, cells in zip(reversed(cut[1:]), reversed(blocks[1:]), strict=True):
            target.write(BLOCK * (1 + piece.place), cells, rows=piece.rows)
        target.write(0, token)

    def open(self, source: Spots, *, body: Places) -> Opened:
        """Read tokens, of 16 bytes and some more, at least one of them."""
        cut = pieces(body)
        token = source.read(0, 1 + cut[0].width)
        rest = [source.read(BLOCK * (1 + piece.place), piece.width, rows=piece.rows) for piece in cut[1:]]
        vector, blocks = token[:, 0].copy(), [np.empty((len(token), cut[0].width), CELL), *rest]
        self._add_stream(cut, [token[:, 1:], *rest], out=blocks, vector=vector)
        same = as_words(chained(cut, blocks, closing=self._closing, cipher=self._mac)) == as_words(vector)
        holds = same[:, 0] & same[:, 1]
        if not self._padded:
            return Opened(lengths=np.where(holds, body, 0), holds=holds, cut=cut, blocks=blocks)
        ends, marked = _unpadded(cut, blocks, body=body)
        holds &= marked
        return Opened(lengths=np.where(holds, ends, 0), holds=holds, cut=cut, blocks=blocks)

    def _add_stream(
        self, cut: Sequence[Piece], blocks: Sequence[Cells], *, out: Sequence[Cells], vector: Cells
    ) -> None:
        """Counter mode (RFC 5297, 2.5): the cleared top bit of the counter's last word leaves room to count."""
        counters = as_words(vector) & _CLEARED
        counters[:, 1].byteswap(inplace=True)
        for piece, cells, result in zip(cut, blocks, out, strict=True):
            own = as_cells(counters)[piece.rows]
            for column, (rows, _) in enumerate(piece.columns):
                counter = as_words(own[rows].copy())
                last = counter[:, 1]
                last += np.uint64(piece.place + column)
                last.byteswap(inplace=True)
                words = as_words(cells[:, column][rows].copy())
                words ^= self._stream.encrypt(counter)
                result[:, column][rows] = as_cells(words)


def siv_closing(mac_key: bytes, start: bytes) -> Closing:
    """S2V's last step (RFC 5297, 2.4) is a CMAC too, with D mixed into its blocks.

    A value of 16 bytes and more has D added to its last 16 bytes, which are in its last block and the one before it: to
    32 bytes are left there. A shorter one is padded and 2D is added, which leaves a whole block of CMAC.

    Args:
        mac_key: first half of the key.
        start: D, S2V of the headers.
    """
    plain = closing_of(mac_key)
    mixed = np.zeros((2 * BLOCK + 2, 2), WORD)
    for left in range(1, 2 * BLOCK + 1):
        end = (left - 1) % BLOCK + 1
        both = (bytes(end) + start).ljust(2 * BLOCK, b"\0")  # the block before the last, then the last
        mixed[left] = np.frombuffer(both[BLOCK:] if left <= BLOCK else both[:BLOCK], WORD)
    add = mixed.copy()
    add[: BLOCK + 1] ^= plain.add[: BLOCK + 1]
    first = add.copy()
    first[:BLOCK] = MARKED[:BLOCK] ^ np.frombuffer(double(start), WORD) ^ plain.add[BLOCK]
    return Closing(keep=plain.keep, add=add, first=first)


def body_lengths(lengths: Places, *, padded: bool) -> Places:
    """How many bytes of a token follow its vector."""
    return (lengths // BLOCK + 1) * BLOCK if padded else lengths


def _pad(cut: Sequence[Piece], blocks: Sequence[Cells], *, lengths: Places) -> None:
    """ISO/IEC 7816-4: one 0x80 behind the value, then zeros, to a whole block."""
    for rows, cells, place in _last_blocks(cut, blocks, body=lengths + 1):
        words = as_words(cells[place])
        ends = lengths[rows] % BLOCK
        words &= np.take(KEPT, ends, axis=0)
        words |= np.take(MARKED, ends, axis=0)
        cells[place] = as_cells(words)


def _unpadded(cut: Sequence[Piece], blocks: Sequence[Cells], *, body: Places) -> tuple[Places, npt.NDArray[np.bool_]]:
    """Where the padding of each value begins, and which have one: the last byte of the last block that is not zero.

    The exponent of a word as a floating number tells its highest bit; rounding can only reach the next byte when all
    bits of the highest byte are one, and that is no 0x80.
    """
    last = np.empty(len(body), CELL)
    for rows, cells, place in _last_blocks(cut, blocks, body=body):
        last[rows] = cells[place]
    words = as_words(last)
    upper = words[:, 1] != 0
    word = np.where(upper, words[:, 1], words[:, 0])
    byte = ((word.astype(np.float64).view(np.int64) >> 52) - 1023) >> 3
    marked = (body > 0) & (body % BLOCK == 0) & (word != 0)
    marked &= word >> (byte << 3).astype(np.uint64) == 0x80
    return body - BLOCK + 8 * upper + byte, marked


def _last_blocks(
    cut: Sequence[Piece], blocks: Sequence[Cells], *, body: Places
) -> Iterator[tuple[Rows, Cells, Places]]:
    """For each piece: the values that end in it, its blocks in a row, and where among these the last ones are."""
    for piece, cells in zip(cut, blocks, strict=True):
        ends = np.maximum(body[piece.rows] - 1, 0) // BLOCK - piece.place
        rows: Rows = ALL
        if piece is not cut[-1]:
            rows = np.flatnonzero(ends < piece.width)
        place = (np.arange(len(ends)) * piece.width + ends)[rows]
        yield _within(piece.rows, rows), cells.reshape(-1), place


def _within(outer: Rows, inner: Rows) -> Rows:
    """Rows among rows."""
    return inner if isinstance(outer, slice) else outer[inner]
