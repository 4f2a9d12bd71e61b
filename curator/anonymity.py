"""Classes of like persons: rows that agree on every quasi-identifier, counted while rows stream by.

k-anonymity (Sweeney, 2002): every class holds at least k people; rows, where people are not counted. Distinct and
entropy l-diversity (Machanavajjhala et al., 2007): every class holds at least l values of the sensitive column, or as
much entropy. t-closeness (Li et al., 2007): the values of no class are further than t from those of all rows that stay.
Among quasi-identifiers a null is a value like another: all rows without a value are alike. In the sensitive column it
is no value, so that it never makes a class look diverse.

Each class gets a 64-bit code that is the same in every batch, process and engine: a weighted sum, modulo 2**64, of
keyed codes of its values. Two classes meet under one code with probability 2**-64 a pair; that could only hide a
small class from suppression, never from the measure, which is taken again on the exact values of the files written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import distinct, integers, runs, token_words, without_chunks
from curator.closeness import Distance, class_distances
from curator.pseudonyms import TokenKernel

Codes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

_COMPACT = 4_000_000  # codes kept apart before they are merged
_FEW_VALUES = 64  # sensitive values that get a counter each
_ODD = 0x9E3779B97F4A7C15  # an odd constant: multiplying by its powers is a bijection modulo 2**64
_NULL_CODE = np.uint64(0x6A09E667F3BCC908)
_OPEN = 50_000  # pairs of class and person held apart before the classes with enough people are let go
_SLOTS = 1 << 16  # places of classes with enough people, by the lowest bits of their codes
_EPSILON = 1e-12
_STEPS = 64  # looks at the farther half before all that are too far go at once


class ClassCoder:
    """Codes of the classes of like rows in a batch.

    Args:
        key: 32 bytes; the codes of one run are comparable with each other only.
        columns: the quasi-identifiers, in order.
    """

    def __init__(self, key: bytes, columns: Sequence[str]) -> None:
        self._kernel = TokenKernel(key)
        self.columns = tuple(columns)

    def codes(self, batch: pa.RecordBatch) -> Codes:
        """One code per row."""
        total = np.zeros(len(batch), np.uint64)
        for place, name in enumerate(self.columns):
            weight = np.uint64(pow(_ODD, place + 1, 1 << 64))
            total += self.value_codes(batch.column(name)) * weight
        return total

    def value_codes(self, column: pa.Array) -> Codes:
        """One code per value of a column; every null has the same one."""
        encoded = pc.dictionary_encode(without_chunks(column))
        words = token_words(self._kernel.tokens(pc.cast(encoded.dictionary, pa.string())))
        known = np.append(words[:, 0].astype(np.uint64), _NULL_CODE)
        places = integers(encoded.indices)
        if encoded.indices.null_count:
            valid = integers(pc.cast(encoded.indices.is_valid(), pa.uint8()))
            places = np.where(valid == 1, places, len(encoded.dictionary))
        codes: Codes = known[places]
        return codes


@dataclass(frozen=True, kw_only=True)
class ClassLimits:
    """What must hold of every class that stays.

    Attributes:
        k: people of the smallest class, or rows where people are not counted.
        l: fewest distinct values of the sensitive field; None for no limit.
        entropy_l: least exp(entropy) of its values; None likewise.
        t: greatest distance of a class from all rows that stay; None likewise.
        distance: the ground distance of t.
    """

    k: int
    l: int | None = None  # noqa: E741 (the literature's own letter)
    entropy_l: float | None = None
    t: float | None = None
    distance: Distance = "equal"

    @property
    def sensitive(self) -> bool:
        """Whether a sensitive field is looked at."""
        return self.l is not None or self.entropy_l is not None or self.t is not None


class ClassCounter:
    """Counts rows, people and sensitive values of every class; memory grows with the classes, not with the rows."""

    def __init__(self) -> None:
        self._rows = _Counts()
        self._values: dict[int, _Counts] = {}
        self._pairs = _Pairs()
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
        known = sensitive != _NULL_CODE  # a null is no value: the measure on the files does not count it either
        values = distinct(sensitive[known]).tolist()
        if self._pairs.used or len(self._values.keys() | set(values)) > _FEW_VALUES:
            self._pairs.add(codes[known], sensitive[known], counts=None if counts is None else counts[known])
            return
        for value in values:
            here, counter = sensitive == np.uint64(value), self._values.setdefault(value, _Counts())
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


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """How sensitive values lie in classes: one entry a pair of class and value that occurs; rows without are not there.

    Attributes:
        classes: class number of each pair.
        values: value number of each pair; in their order where that matters.
        counts: rows of each pair.
        width: distinct values there are.
        total: classes there are, those without any value included.
    """

    classes: Numbers
    values: Numbers
    counts: Numbers
    width: int
    total: int

    def distinct(self) -> Numbers:
        """Distinct values of each class."""
        return np.bincount(self.classes, minlength=self.total)

    def diversity(self) -> npt.NDArray[np.float64]:
        """Exp of the entropy of each class; 0 for a class without any value."""
        rows = np.bincount(self.classes, self.counts, minlength=self.total)
        shares = self.counts / rows[self.classes]
        entropy = np.bincount(self.classes, -shares * np.log(shares), minlength=self.total)
        return np.where(rows > 0, np.exp(entropy), 0.0)

    def distances(self, gone: npt.NDArray[np.bool_] | None = None, *, distance: Distance) -> npt.NDArray[np.float64]:
        """Distance of each class from all rows outside the classes that are gone; 0 for a class without any value."""
        stays = np.ones(len(self.classes), np.bool_) if gone is None else ~gone[self.classes]
        reference = np.bincount(self.values[stays], self.counts[stays], minlength=self.width)
        if not reference.any():
            return np.zeros(self.total)
        found = class_distances(
            self.classes, self.values, counts=self.counts, reference=reference, distance=distance
        )  # fmt: skip
        return np.concatenate([found, np.zeros(self.total - len(found))])

    def short_of(self, limits: ClassLimits) -> Iterator[npt.NDArray[np.bool_]]:
        """For each limit on diversity, the classes below it."""
        if limits.l is not None:
            yield self.distinct() < limits.l
        if limits.entropy_l is not None:
            yield self.diversity() < limits.entropy_l - _EPSILON

    def too_far(self, gone: npt.NDArray[np.bool_], *, t: float, distance: Distance) -> npt.NDArray[np.bool_]:
        """The classes that are gone and those too far from what stays, until none is.

        The farther half goes first: without it, all rows look otherwise, and others may be near enough.
        """
        for step in count():
            far = np.where(gone, 0.0, self.distances(gone, distance=distance))
            farthest = float(far.max(initial=0.0))
            if farthest <= t + _EPSILON:
                return gone
            least = (t + farthest) / 2 if step < _STEPS else t
            gone = gone | (far > least + _EPSILON)
        return gone


class PeopleCounter:
    """Counts the people of classes, exactly up to a cap: a class that has so many is let go, and costs no more.

    Args:
        cap: people of a class beyond which nobody asks.
    """

    def __init__(self, cap: int) -> None:
        self.cap, self._pairs, self._room = cap, _Pairs(), _OPEN
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


class _Pairs:
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


def pair_codes(codes: Codes, values: Codes) -> Codes:
    """A code of class and value together."""
    pairs: Codes = codes * np.uint64(_ODD) ^ values
    return pairs


def _summed(pairs: Codes, classes: Codes, *, values: Codes, counts: Numbers) -> tuple[Codes, Codes, Codes, Numbers]:
    """Equal pairs as one, with the sum of their rows."""
    order, first = runs(pairs)
    kept = order[first]
    sums = np.add.reduceat(counts[order], first) if len(first) else counts[:0]
    return pairs[kept], classes[kept], values[kept], sums


class _Counts:
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


def members(codes: Codes, sorted_codes: Codes) -> npt.NDArray[np.bool_]:
    """Which codes are in an ascending list."""
    if not len(sorted_codes):
        return np.zeros(len(codes), np.bool_)
    places = np.minimum(np.searchsorted(sorted_codes, codes), len(sorted_codes) - 1)
    return np.asarray(sorted_codes[places] == codes)
