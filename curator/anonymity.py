"""Classes of like persons: rows that agree on every quasi-identifier, counted while rows stream by.

k-anonymity (Sweeney, 2002): every class holds at least k rows. Distinct l-diversity (Machanavajjhala et al., 2007): every
class holds at least l values of the sensitive column. A null is a value like another: all rows without a value are alike.

Each class gets a 64-bit code that is the same in every batch, process and engine: a weighted sum, modulo 2**64, of keyed
codes of its values. Two classes meet under one code with probability 2**-64 a pair; that could only hide a small class from
suppression, never from the measure, which is taken again on the exact values of the files written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import integers, token_words, without_chunks
from curator.pseudonyms import TokenKernel

Codes = npt.NDArray[np.uint64]

_COMPACT = 4_000_000  # codes kept apart before they are merged
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
        return known[places]


class ClassCounter:
    """Counts rows, and distinct sensitive values, of every class; memory grows with the classes, not with the rows."""

    def __init__(self) -> None:
        self._codes: list[Codes] = []
        self._counts: list[npt.NDArray[np.int64]] = []
        self._pairs: list[npt.NDArray[np.void]] = []
        self._held = 0

    def add(self, codes: Codes, sensitive: Codes | None = None) -> None:
        """Count a batch's classes and, where given, the pairs of class and sensitive value."""
        unique, counts = np.unique(codes, return_counts=True)
        self._codes.append(unique)
        self._counts.append(counts)
        if sensitive is not None:
            self._pairs.append(_distinct_pairs(codes, sensitive))
        self._held += len(unique)
        if self._held > _COMPACT:
            self._merge()

    def classes(self) -> tuple[Codes, npt.NDArray[np.int64]]:
        """Every class code, ascending, and its number of rows."""
        self._merge()
        return (self._codes[0], self._counts[0]) if self._codes else (np.empty(0, np.uint64), np.empty(0, np.int64))

    def failing(self, *, k: int, diversity: int | None = None) -> tuple[Codes, int]:
        """Codes, ascending, of the classes below k rows or below `diversity` sensitive values, and the rows they hold."""
        codes, counts = self.classes()
        short = counts < k
        if diversity is not None and len(codes):
            pairs = _merged_pairs(self._pairs)
            starts = np.searchsorted(pairs["class"], codes, side="left")
            ends = np.searchsorted(pairs["class"], codes, side="right")
            short |= (ends - starts) < diversity
        return codes[short], int(counts[short].sum())

    def _merge(self) -> None:
        if len(self._codes) > 1:
            joined, counts = np.concatenate(self._codes), np.concatenate(self._counts)
            unique, inverse = np.unique(joined, return_inverse=True)
            self._codes = [unique]
            self._counts = [np.bincount(inverse, weights=counts, minlength=len(unique)).astype(np.int64)]
        if len(self._pairs) > 1:
            self._pairs = [_merged_pairs(self._pairs)]
        self._held = len(self._codes[0]) if self._codes else 0


def members(codes: Codes, sorted_codes: Codes) -> npt.NDArray[np.bool_]:
    """Which codes are in an ascending list."""
    if not len(sorted_codes):
        return np.zeros(len(codes), np.bool_)
    places = np.minimum(np.searchsorted(sorted_codes, codes), len(sorted_codes) - 1)
    return np.asarray(sorted_codes[places] == codes)


_PAIR = np.dtype([("class", np.uint64), ("value", np.uint64)])


def _distinct_pairs(codes: Codes, sensitive: Codes) -> npt.NDArray[np.void]:
    """Distinct (class, value) pairs, ascending. Two 64-bit keys are sorted one after the other: no hash, no loss."""
    order = np.lexsort((sensitive, codes))
    first, second = codes[order], sensitive[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
    pairs = np.empty(int(new.sum()), _PAIR)
    pairs["class"], pairs["value"] = first[new], second[new]
    return pairs


def _merged_pairs(parts: Iterable[npt.NDArray[np.void]]) -> npt.NDArray[np.void]:
    joined = np.concatenate(list(parts) or [np.empty(0, _PAIR)])
    return _distinct_pairs(joined["class"], joined["value"])
