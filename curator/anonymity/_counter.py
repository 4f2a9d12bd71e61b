"""Rows, people and sensitive values of every class."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from curator.anonymity._codes import NULL_CODE, Codes, Numbers, members
from curator.anonymity._people import PeopleCounter
from curator.anonymity._spread import ClassLimits, Spread
from curator.anonymity._tallies import Counts, Pairs
from curator.arrow import distinct

_FEW_VALUES = 64  # sensitive values that get a counter each


class ClassCounter:
    """Counts rows, people and sensitive values of every class; memory grows with the classes, not with the rows."""

    def __init__(self) -> None:
        self._rows = Counts()
        self._values: dict[int, Counts] = {}
        self._pairs = Pairs()
        self.people: PeopleCounter | None = None

    def add(self, codes: Codes, sensitive: Codes | None = None) -> None:
        """Count a batch's classes and, where given, the classes in which each sensitive value occurs.

        A sensitive field has few values (a severity, an outcome): each gets a counter of its own, which costs one pass
        over the batch a value and no sort. A field of many values (a cost) is counted by pairs, which costs a sort.
        """
        self._rows.add(codes)
        if sensitive is not None:
            self._add_values(codes, sensitive)

    def _add_values(self, codes: Codes, sensitive: Codes, *, counts: Numbers | None = None) -> None:
        known = sensitive != NULL_CODE  # a null is no value: the measure on the files does not count it either
        values = distinct(sensitive[known]).tolist()
        if self._pairs.used or len(self._values.keys() | set(values)) > _FEW_VALUES:
            self._pairs.add(codes[known], sensitive[known], counts=None if counts is None else counts[known])
            return
        for value in values:
            here, counter = sensitive == np.uint64(value), self._values.setdefault(value, Counts())
            if counts is None:
                counter.add(codes[here])
            else:
                counter.add_counted(codes[here], counts[here])

    def add_counted(self, codes: Codes, counts: Numbers, *, sensitive: Codes | None = None) -> None:
        """Count classes that were counted elsewhere: each code with its rows, and a sensitive value that it holds."""
        self._rows.add_counted(codes, counts)
        if sensitive is not None:
            self._add_values(codes, sensitive, counts=counts)

    def merge(self, other: ClassCounter) -> None:
        """Add what was counted elsewhere, with the same cap of people."""
        self._rows.add_counted(*other._rows.merged())
        for value, holder in other._values.items():
            codes, counts = holder.merged()
            self._add_values(codes, np.full(len(codes), value, np.uint64), counts=counts)
        if other._pairs.used:
            codes, values, counts = other._pairs.merged()
            self._add_values(codes, values, counts=counts)
        if self.people is not None and other.people is not None:
            self.people.merge(other.people)

    def count_people(self, cap: int) -> PeopleCounter:
        """Count people besides rows, up to `cap` a class: k is of people then."""
        self.people = PeopleCounter(cap)
        return self.people

    def classes(self) -> tuple[Codes, Numbers]:
        """Every class code, ascending, and its number of rows."""
        return self._rows.merged()

    def failing(self, limits: ClassLimits, *, order: Mapping[int, int] | None = None) -> tuple[Codes, int]:
        """Codes, ascending, of the classes below the limits, and the rows they hold.

        What all rows look like, for t, is taken of the rows that stay: each class that must go may take others with it.

        Args:
            limits: what must hold.
            order: place of each sensitive value's code in their order, for the `ordered` distance.
        """
        codes, counts = self.classes()
        short = counts < limits.k
        if self.people is not None:
            short |= ~members(codes, self.people.enough(limits.k))
        if limits.sensitive:
            spread = self.spread(order)
            for bad in spread.short_of(limits):
                short |= bad
            if limits.t is not None:
                short = spread.too_far(short, t=limits.t, distance=limits.distance)
        return codes[short], int(counts[short].sum())

    def spread(self, order: Mapping[int, int] | None = None) -> Spread:
        """How the sensitive values lie in the classes."""
        for value, holder in self._values.items():
            if self._pairs.used:
                classes, counts = holder.merged()
                self._pairs.add(classes, np.full(len(classes), value, np.uint64), counts=counts)
        if self._pairs.used:
            self._values = {}
            classes, values, counts = self._pairs.merged()
        else:
            parts = [(value, *holder.merged()) for value, holder in self._values.items()]
            classes = np.concatenate([np.empty(0, np.uint64), *(codes for _, codes, _ in parts)])
            values = np.repeat(np.array([part[0] for part in parts], np.uint64), [len(part[1]) for part in parts])
            counts = np.concatenate([np.empty(0, np.int64), *(held for *_, held in parts)])
        known, places = np.unique(values, return_inverse=True)
        if order is not None:
            ranks = np.argsort(np.argsort([order[code] for code in known.tolist()]))
            places = ranks[places]
        codes = self.classes()[0]
        return Spread(
            classes=np.searchsorted(codes, classes), values=places, counts=counts, width=len(known), total=len(codes)
        )  # fmt: skip
