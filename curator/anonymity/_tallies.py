"""How often codes and pairs of codes occur, merged whenever many are held apart."""

from __future__ import annotations

import numpy as np

from curator.anonymity._codes import Codes, Numbers, members, pair_codes
from curator.arrow import runs

_COMPACT = 4_000_000  # codes kept apart before they are merged


class Counts:
    """How often each code occurred; merged whenever many are held apart."""

    def __init__(self) -> None:
        self._parts: list[tuple[Codes, Numbers]] = []
        self._held = 0

    def add(self, codes: Codes) -> None:
        """Take codes, one row each."""
        if not len(codes):
            return
        unique, counts = np.unique(codes, return_counts=True)
        self._parts.append((unique, counts))
        self._held += len(unique)
        if self._held > _COMPACT:
            self._held = len(self.merged()[0])

    def add_counted(self, codes: Codes, counts: Numbers) -> None:
        """Codes, each once or more, and how often each occurred."""
        if len(codes):
            order, first = runs(codes)
            self._parts.append((codes[order[first]], np.add.reduceat(counts[order], first)))
            self._held += len(first)

    def merged(self) -> tuple[Codes, Numbers]:
        """Each code once, ascending, and how often it occurred."""
        if not self._parts:
            return np.empty(0, np.uint64), np.empty(0, np.int64)
        if len(self._parts) > 1:
            joined = np.concatenate([codes for codes, _ in self._parts])
            counts = np.concatenate([counts for _, counts in self._parts])
            order, first = runs(joined)
            self._parts = [(joined[order[first]], np.add.reduceat(counts[order], first))]
        return self._parts[0]


class Pairs:
    """Distinct pairs of class and value, each as one code, with their rows.

    Two pairs under one code make a class look less diverse, never more.
    """

    def __init__(self) -> None:
        self._pairs = self._classes = self._values = np.empty(0, np.uint64)
        self._counts: Numbers = np.empty(0, np.int64)
        self._waiting: list[tuple[Codes, Codes, Codes, Numbers]] = []
        self.held = 0
        self.used = False

    def add(self, codes: Codes, values: Codes, *, counts: Numbers | None = None) -> None:
        """Take pairs, each with its rows; one row each when None."""
        self.used = True
        rows = np.ones(len(codes), np.int64) if counts is None else counts
        part = _summed(pair_codes(codes, values), codes, values=values, counts=rows)
        self._waiting.append(part)
        self.held += len(part[0])
        if self.held > max(_COMPACT, 2 * len(self._pairs)):
            self.merged()

    def merged(self) -> tuple[Codes, Codes, Numbers]:
        """Class, value and rows of each pair."""
        if self._waiting:
            parts = [(self._pairs, self._classes, self._values, self._counts), *self._waiting]
            pairs, classes, values, counts = (np.concatenate(list(column)) for column in zip(*parts, strict=True))
            self._pairs, self._classes, self._values, self._counts = _summed(
                pairs, classes, values=values, counts=counts
            )
            self._waiting, self.held = [], len(self._pairs)
        return self._classes, self._values, self._counts

    def leave(self, classes: Codes) -> None:
        """Forget the pairs of some classes, given in ascending order."""
        stay = ~members(self._classes, classes)
        self._pairs, self._classes = self._pairs[stay], self._classes[stay]
        self._values, self._counts = self._values[stay], self._counts[stay]
        self.held = len(self._pairs)


def _summed(pairs: Codes, classes: Codes, *, values: Codes, counts: Numbers) -> tuple[Codes, Codes, Codes, Numbers]:
    """Equal pairs as one, with the sum of their rows."""
    order, first = runs(pairs)
    kept = order[first]
    sums = np.add.reduceat(counts[order], first) if len(first) else counts[:0]
    return pairs[kept], classes[kept], values[kept], sums
