"""Classes of like persons: rows that agree on every quasi-identifier, counted while rows stream by.

k-anonymity (Sweeney, 2002): every class holds at least k rows. Distinct l-diversity (Machanavajjhala et al., 2007):
every class holds at least l values of the sensitive column. Among quasi-identifiers a null is a value like another: all
rows without a value are alike. In the sensitive column it is no value, so that it never makes a class look diverse.

Each class gets a 64-bit code that is the same in every batch, process and engine: a weighted sum, modulo 2**64, of
keyed codes of its values. Two classes meet under one code with probability 2**-64 a pair; that could only hide a
small class from suppression, never from the measure, which is taken again on the exact values of the files written.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import integers, token_words, without_chunks
from curator.pseudonyms import TokenKernel

Codes = npt.NDArray[np.uint64]

_COMPACT = 4_000_000  # codes kept apart before they are merged
_FEW_VALUES = 64  # sensitive values that get a counter each
_ODD = 0x9E3779B97F4A7C15  # an odd constant: multiplying by its powers is a bijection modulo 2**64
_NULL_CODE = np.uint64(0x6A09E667F3BCC908)


class ClassCoder:
    """Codes of the classes of like rows in a batch.

    Args:
        key: 32 bytes; the codes of one run are comparable with each other only.
        columns: the quasi-identifiers, in order.
    """

    def __init__(self, key: bytes, columns: Sequence[str]) -> None:
        self._kernel = TokenKernel(key)
        self._columns = tuple(columns)

    def codes(self, batch: pa.RecordBatch) -> Codes:
        """One code per row."""
        total = np.zeros(len(batch), np.uint64)
        for place, name in enumerate(self._columns):
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


class ClassCounter:
    """Counts rows, and distinct sensitive values, of every class; memory grows with the classes, not with the rows."""

    def __init__(self) -> None:
        self._rows = _Counts()
        self._values: dict[int, _Counts] = {}
        self._pairs = _Pairs()
        self._people = _Pairs()

    def add(self, codes: Codes, sensitive: Codes | None = None) -> None:
        """Count a batch's classes and, where given, the classes in which each sensitive value occurs.

        A sensitive field has few values (a severity, an outcome): each gets a counter of its own, which costs one pass
        over the batch a value and no sort. A field of many values (a cost) is counted by pairs, which costs a sort.
        """
        self._rows.add(codes)
        if sensitive is not None:
            self._add_values(codes, sensitive)

    def _add_values(self, codes: Codes, sensitive: Codes) -> None:
        known = sensitive != _NULL_CODE  # a null is no value: the measure on the files does not count it either
        values = np.unique(sensitive[known]).tolist()
        if self._pairs.used or len(self._values.keys() | set(values)) > _FEW_VALUES:
            self._pairs.add(codes[known], sensitive[known])
            return
        for value in values:
            self._values.setdefault(value, _Counts()).add(codes[sensitive == np.uint64(value)])

    def add_counted(self, codes: Codes, counts: npt.NDArray[np.int64], sensitive: Codes | None = None) -> None:
        """Count classes that were counted elsewhere: each code with its rows, and a sensitive value that it holds."""
        order = np.argsort(codes, kind="stable")
        self._rows.take(codes[order], counts[order])
        if sensitive is not None:
            self._add_values(codes, sensitive)

    def add_persons(self, codes: Codes, persons: Codes) -> None:
        """Count the people of classes, besides their rows: whose each row of a batch is, as a code."""
        self._people.add(codes, persons)

    def classes(self) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Every class code, ascending, and its number of rows."""
        return self._rows.merged()

    def failing(self, *, k: int, diversity: int | None = None) -> tuple[Codes, int]:
        """Codes, ascending, of the classes below k rows or `diversity` sensitive values, and the rows they hold.

        Where people were counted, k is of people.
        """
        codes, counts = self.classes()
        short = counts < k
        if self._people.used:
            classes, people = self._people.per_class()
            short |= ~members(codes, classes[people >= k])
        if diversity is not None:
            short |= self._distinct(codes) < diversity
        return codes[short], int(counts[short].sum())

    def _distinct(self, codes: Codes) -> npt.NDArray[np.int64]:
        """Distinct sensitive values of each class."""
        distinct = np.zeros(len(codes), np.int64)
        if self._pairs.used:
            for value, holder in self._values.items():
                classes = holder.merged()[0]
                self._pairs.add(classes, np.full(len(classes), value, np.uint64))
            self._values = {}
            classes, counts = self._pairs.per_class()
            distinct[np.searchsorted(codes, classes)] = counts
        for holder in self._values.values():
            distinct[np.searchsorted(codes, holder.merged()[0])] += 1
        return distinct


class _Pairs:
    """Distinct pairs of class and value, each as one code; two pairs under one code make a class look less diverse."""

    def __init__(self) -> None:
        self._pairs = self._classes = np.empty(0, np.uint64)
        self._waiting: list[tuple[Codes, Codes]] = []
        self._held = 0
        self.used = False

    def add(self, codes: Codes, values: Codes) -> None:
        self.used = True
        pairs, first = np.unique(codes * np.uint64(_ODD) ^ values, return_index=True)
        self._waiting.append((pairs, codes[first]))
        self._held += len(pairs)
        if self._held > max(_COMPACT, len(self._pairs)):
            self._merge()

    def per_class(self) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Classes, ascending, and the distinct values of each."""
        self._merge()
        return np.unique(self._classes, return_counts=True)

    def _merge(self) -> None:
        parts = [(self._pairs, self._classes), *self._waiting]
        joined = np.concatenate([pairs for pairs, _ in parts])
        classes = np.concatenate([codes for _, codes in parts])
        self._pairs, first = np.unique(joined, return_index=True)
        self._classes, self._waiting, self._held = classes[first], [], 0


class _Counts:
    """How often each code occurred; merged whenever many are held apart."""

    def __init__(self) -> None:
        self._parts: list[tuple[Codes, npt.NDArray[np.int64]]] = []
        self._held = 0

    def add(self, codes: Codes) -> None:
        if not len(codes):
            return
        unique, counts = np.unique(codes, return_counts=True)
        self._parts.append((unique, counts))
        self._held += len(unique)
        if self._held > _COMPACT:
            self._held = len(self.merged()[0])

    def take(self, codes: Codes, counts: npt.NDArray[np.int64]) -> None:
        """Codes in ascending order, a code once or more, and how often each occurred."""
        first = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1]))) if len(codes) else codes
        if len(codes):
            self._parts.append((codes[first], np.add.reduceat(counts, first)))
            self._held += len(first)

    def merged(self) -> tuple[Codes, npt.NDArray[np.int64]]:
        if not self._parts:
            return np.empty(0, np.uint64), np.empty(0, np.int64)
        if len(self._parts) > 1:
            joined = np.concatenate([codes for codes, _ in self._parts])
            counts = np.concatenate([counts for _, counts in self._parts])
            order = np.argsort(joined, kind="stable")
            joined, counts = joined[order], counts[order]
            first = np.flatnonzero(np.concatenate(([True], joined[1:] != joined[:-1])))
            self._parts = [(joined[first], np.add.reduceat(counts, first))]
        return self._parts[0]


def members(codes: Codes, sorted_codes: Codes) -> npt.NDArray[np.bool_]:
    """Which codes are in an ascending list."""
    if not len(sorted_codes):
        return np.zeros(len(codes), np.bool_)
    places = np.minimum(np.searchsorted(sorted_codes, codes), len(sorted_codes) - 1)
    return np.asarray(sorted_codes[places] == codes)
