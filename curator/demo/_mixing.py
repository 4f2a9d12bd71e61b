"""Counters instead of a random state: the value of a row is a function of (seed, label, key) and of nothing else.

A *draw* mixes an integer key with the splitmix64 finaliser (Steele, Lea, Flood, "Fast splittable pseudorandom number
generators", OOPSLA 2014); every column has its own label and so its own stream. Chunks can therefore be made in any
size and order, on any machine and with any library version, and give the same rows. Everything is integer
arithmetic: shares are thresholds and lookup tables, so no rounding of a floating unit can move a row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Words: TypeAlias = npt.NDArray[np.uint64]
Numbers: TypeAlias = npt.NDArray[np.int64]
Mask: TypeAlias = npt.NDArray[np.bool_]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TABLE_BITS = 14
_SCALE = 1 << 64


class Streams:
    """One family of streams: `draw(keys, label)` gives 64 mixed bits for each key.

    Args:
        seed: any integer; another seed gives another base.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._offsets: dict[str, np.uint64] = {}

    def draw(self, keys: Words, label: str) -> Words:
        """64 mixed bits per key; same length as `keys`; the same key and label always give the same bits."""
        offset = self._offsets.get(label)
        if offset is None:
            digest = hashlib.blake2b(f"{self._seed}/{label}".encode(), digest_size=8).digest()
            offset = self._offsets[label] = np.uint64(int.from_bytes(digest, "little"))
        mixed = keys * _GAMMA
        mixed += offset
        mixed ^= mixed >> np.uint64(30)
        mixed *= _FIRST
        mixed ^= mixed >> np.uint64(27)
        mixed *= _SECOND
        mixed ^= mixed >> np.uint64(31)
        return mixed

    def chance(self, keys: Words, label: str, *, share: float) -> Mask:
        """True for about `share` (0 to 1) of the keys."""
        return below(self.draw(keys, label), share=share)

    def below(self, keys: Words, label: str, *, limit: int) -> Numbers:
        """Integers from 0 to `limit` - 1, equally likely (bias below limit / 2**32)."""
        high = self.draw(keys, label) >> np.uint64(32)
        high *= np.uint64(limit)
        high >>= np.uint64(32)
        return high.view(np.int64)

    def pick(self, keys: Words, label: str, *, table: Numbers) -> Numbers:
        """Entries of a table made by `lookup`, drawn with the weights it was made with."""
        return pick(self.draw(keys, label), table=table)


def below(bits: Words, *, share: float) -> Mask:
    """True where 64 mixed bits, read as a fraction, lie below `share` (0 to 1)."""
    threshold = min(round(share * (1 << 40)) << 24, _SCALE - 1)
    return bits < np.uint64(threshold)


def pick(bits: Words, *, table: Numbers) -> Numbers:
    """Entry of a lookup table chosen by the top bits of each word."""
    return np.take(table, (bits >> np.uint64(64 - _TABLE_BITS)).view(np.int64))


def lookup(weights: Sequence[float], *, values: Sequence[int] | None = None) -> Numbers:
    """A table of 2**14 entries in which value `i` fills a share proportional to `weights[i]`.

    Args:
        weights: not negative, at least one above zero.
        values: what to put in the table; positions 0, 1, 2 ... when absent.

    Returns:
        An array of 16,384 integers; shares are exact to 1/16,384.
    """
    size = 1 << _TABLE_BITS
    total = sum(weights)
    bounds = [round(size * sum(weights[: index + 1]) / total) for index in range(len(weights))]
    counts = np.diff(np.array([0, *bounds]))
    chosen = np.arange(len(weights)) if values is None else np.asarray(values)
    return np.repeat(chosen.astype(np.int64), counts)
