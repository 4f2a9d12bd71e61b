"""Many byte strings sought at once in many megabytes: the first four bytes of each are met first, by arithmetic.

Each place of the data gives a number of its four bytes; a table of a million bits tells which numbers begin something
that is sought. Only there is the string itself compared, so that ten thousand strings cost little more than one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

_HEAD = 4
_BITS = 20
_CHUNK = 4 << 20
_SPREAD = np.uint32(2_654_435_761)


class Needles:
    """What is sought, ASCII letters in either case.

    Args:
        needles: byte strings of four bytes or more; shorter ones are passed over.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self._by_head: dict[int, list[bytes]] = {}
        for needle in dict.fromkeys(needle.lower() for needle in needles if len(needle) >= _HEAD):
            self._by_head.setdefault(int.from_bytes(needle[:_HEAD], "little"), []).append(needle)
        self._heads = np.sort(np.array(list(self._by_head), np.uint32))
        self._table = np.zeros(1 << _BITS, np.bool_)
        self._table[_spread(self._heads)] = True

    def __len__(self) -> int:
        """How many strings are sought."""
        return sum(map(len, self._by_head.values()))

    def count(self, data: bytes) -> int:
        """Places where something that is sought begins."""
        if not self._by_head:
            return 0
        low = data.lower()
        return sum(
            any(low.startswith(needle, place) for needle in self._by_head[head])
            for start in range(0, max(len(low) - _HEAD + 1, 0), _CHUNK)
            for place, head in self._candidates(low, start)
        )

    def _candidates(self, low: bytes, start: int) -> list[tuple[int, int]]:
        """Places in a chunk where four bytes are those of something sought, and their number."""
        size = min(_CHUNK, len(low) - _HEAD + 1 - start)
        octets = np.frombuffer(low, np.uint8, count=size + _HEAD - 1, offset=start)
        heads = octets[:size].astype(np.uint32)
        for place in range(1, _HEAD):
            heads |= octets[place : place + size].astype(np.uint32) << np.uint32(8 * place)
        places = np.flatnonzero(self._table[_spread(heads)])
        found = heads[places]
        known = self._heads[np.minimum(np.searchsorted(self._heads, found), len(self._heads) - 1)] == found
        return list(zip((places[known] + start).tolist(), found[known].tolist(), strict=True))


def _spread(heads: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    return (heads * _SPREAD) >> np.uint32(32 - _BITS)
