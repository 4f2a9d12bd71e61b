"""The people of each class, counted exactly up to a cap."""

from __future__ import annotations

from typing import Any

import numpy as np

from curator.anonymity._codes import Codes, Numbers
from curator.anonymity._tallies import Pairs
from curator.arrow import distinct

_OPEN = 50_000  # pairs of class and person held apart before the classes with enough people are let go
_SLOTS = 1 << 16  # places of classes with enough people, by the lowest bits of their codes


class PeopleCounter:
    """Counts the people of classes, exactly up to a cap: a class that has so many is let go, and costs no more.

    Args:
        cap: people of a class beyond which nobody asks.
    """

    def __init__(self, cap: int) -> None:
        self.cap, self._pairs, self._room = cap, Pairs(), _OPEN
        self._full = np.empty(0, np.uint64)
        self._slots = _no_slots()

    def add(self, codes: Codes, persons: Codes) -> None:
        """Take rows: class of each, and whose it is.

        One look in a table finds most rows of full classes, which is cheaper than a search; the rest do no harm.
        """
        if len(self._full):
            still = self._slots[(codes & np.uint64(_SLOTS - 1)).astype(np.intp)] != codes
            codes, persons = codes[still], persons[still]
        if len(codes):
            self._pairs.add(codes, persons)
        if self._pairs.held > self._room:
            self._settle()

    def let_go(self, codes: Codes) -> None:
        """Ask no more about classes that are known to have enough people."""
        self._full = distinct(np.concatenate([self._full, codes]))

    def merge(self, other: PeopleCounter) -> None:
        """Add what was counted elsewhere: a class that is full there is full."""
        other._settle()
        self.let_go(other._full)
        classes, persons, _ = other._pairs.merged()
        self.add(classes, persons)

    def __getstate__(self) -> dict[str, Any]:
        """What travels: not the table, which is large and only saves looks."""
        return {**vars(self), "_slots": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _slots=_no_slots())

    def enough(self, k: int) -> Codes:
        """Codes, ascending, of the classes of at least `k` people; `k` is at most the cap."""
        codes, people = self.counts()
        return codes[people >= k]

    def counts(self) -> tuple[Codes, Numbers]:
        """Classes, ascending, and the people of each, at most the cap."""
        self._settle()
        classes, people = self._open()
        codes = np.concatenate([self._full, classes])
        order = np.argsort(codes)
        return codes[order], np.concatenate([np.full(len(self._full), self.cap), people])[order]

    def _open(self) -> tuple[Codes, Numbers]:
        return np.unique(self._pairs.merged()[0], return_counts=True)

    def _settle(self) -> None:
        """Let go of the classes with as many people as anybody asks for."""
        self._pairs.merged()
        if len(self._full):
            self._pairs.leave(self._full)
        classes, people = self._open()
        full = classes[people >= self.cap]
        if len(full):
            self._full = distinct(np.concatenate([self._full, full]))
            self._slots[(full & np.uint64(_SLOTS - 1)).astype(np.intp)] = full
            self._pairs.leave(full)
        self._room = max(_OPEN, 2 * self._pairs.held)


def _no_slots() -> Codes:
    """A table in which no code stands in the place of another."""
    return np.arange(1, _SLOTS + 1, dtype=np.uint64)
