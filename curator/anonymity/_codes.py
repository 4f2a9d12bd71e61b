"""Codes of 64 bits for classes of like rows, and for their values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import integers, token_words, without_chunks
from curator.pseudonyms import TokenKernel

Codes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
_ODD = 0x9E3779B97F4A7C15  # an odd constant: multiplying by its powers is a bijection modulo 2**64
NULL_CODE = np.uint64(0x6A09E667F3BCC908)


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
        known = np.append(words[:, 0].astype(np.uint64), NULL_CODE)
        places = integers(encoded.indices)
        if encoded.indices.null_count:
            valid = integers(pc.cast(encoded.indices.is_valid(), pa.uint8()))
            places = np.where(valid == 1, places, len(encoded.dictionary))
        codes: Codes = known[places]
        return codes


def pair_codes(codes: Codes, values: Codes) -> Codes:
    """A code of class and value together."""
    pairs: Codes = codes * np.uint64(_ODD) ^ values
    return pairs


def members(codes: Codes, sorted_codes: Codes) -> npt.NDArray[np.bool_]:
    """Which codes are in an ascending list."""
    if not len(sorted_codes):
        return np.zeros(len(codes), np.bool_)
    places = np.minimum(np.searchsorted(sorted_codes, codes), len(sorted_codes) - 1)
    return np.asarray(sorted_codes[places] == codes)
