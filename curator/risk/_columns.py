"""Columns as small integers: what the measures count, read from Parquet files one column at a time.

Equal values get equal numbers in every file; a null is a number of its own. Only the numbers stay in memory, one to
four bytes a row and column, so that a wide table of strings costs no more than a wide table of flags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.arrow import integers

Numbers = npt.NDArray[Any]

_WIDTHS = (np.uint8, np.uint16, np.int32, np.int64)


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column as numbers.

    Attributes:
        name: of the column.
        codes: one number a row, 0 to `values` less one; nulls have the last number when there are any.
        values: how many numbers there are, the null's included.
        nulls: rows without a value.
        ordered: whether a greater number means a greater value.
    """

    name: str
    codes: Numbers
    values: int
    nulls: int
    ordered: bool

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which rows have a value."""
        return np.asarray(self.codes != self.values - 1) if self.nulls else np.ones(len(self.codes), np.bool_)


def columns_of(paths: Sequence[Path], names: Sequence[str]) -> dict[str, Column]:
    """Columns of Parquet files with one schema, as numbers; peak memory is the numbers and one column.

    Args:
        paths: the files, in an order that does not matter.
        names: columns to read.

    Returns:
        Name -> column.
    """
    return {name: column_of(name, _read(paths, name)) for name in names}


def column_of(name: str, values: pa.ChunkedArray | pa.Array) -> Column:
    """A column of an Arrow table as numbers; numbers, dates and times keep their order, -0.0 is 0.0, NaN is a value."""
    whole = values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values])
    if pa.types.is_nested(whole.type):
        whole = pa.chunked_array([pa.array([repr(value) for value in whole.to_pylist()], pa.string())])
    if pa.types.is_boolean(whole.type):
        whole = whole.cast(pa.int8())
    if pa.types.is_floating(whole.type):
        whole = pc.add(whole.cast(pa.float64()), 0.0)
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    encoded = whole.unify_dictionaries().combine_chunks()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    ordered = _has_order(encoded.dictionary.type) and not pa.types.is_boolean(values.type)
    ranks = _ranks(encoded.dictionary) if ordered else np.arange(len(encoded.dictionary), dtype=np.int64)
    return _coded(name, encoded, ranks=ranks, ordered=ordered)


def _coded(name: str, encoded: pa.DictionaryArray, *, ranks: Numbers, ordered: bool) -> Column:
    nulls, distinct = encoded.null_count, len(encoded.dictionary)
    values = distinct + (1 if nulls else 0)
    width = next(width for width in _WIDTHS if values <= np.iinfo(width).max + 1)
    places = integers(encoded.indices)
    if nulls:
        valid = integers(pc.cast(encoded.indices.is_valid(), pa.uint8()))
        places = np.where(valid == 1, places, distinct)
    table = np.append(ranks, distinct).astype(width)
    return Column(name=name, codes=table[places], values=max(values, 1), nulls=nulls, ordered=ordered)


def _ranks(dictionary: pa.Array) -> Numbers:
    """Place of each entry of a dictionary when its entries are sorted."""
    order = integers(pc.sort_indices(dictionary)).astype(np.int64)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def _has_order(kind: pa.DataType) -> bool:
    """Numbers, dates and times have an order that means something; texts and tokens do not."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
                or pa.types.is_temporal(kind))  # fmt: skip


def _read(paths: Sequence[Path], name: str) -> pa.ChunkedArray:
    parts = [parquet.ParquetFile(path).read(columns=[name]).column(name) for path in paths]
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], type=parts[0].type)


def dense(codes: Numbers, *, values: int) -> tuple[Numbers, int]:
    """The same partition of rows by numbers without gaps, in the same order; with how many there are.

    Args:
        codes: one number a row, 0 to `values` less one.
        values: how many numbers there could be.
    """
    if values <= max(1 << 16, 4 * len(codes)):
        present = np.zeros(values, np.bool_)
        present[codes] = True
        places = np.cumsum(present, dtype=np.int64) - 1
        return places[codes], int(present.sum())
    unique, places = np.unique(codes, return_inverse=True)
    return places, len(unique)


def together(columns: Sequence[Column]) -> tuple[Numbers, int]:
    """One number a row for the values of several columns together (mixed radix), and how many there could be."""
    if not columns:
        raise ValueError("no column to bring together")
    codes, values = columns[0].codes.astype(np.int64), columns[0].values
    for column in columns[1:]:
        if values > (1 << 62) // column.values:
            codes, values = dense(codes, values=values)
        codes = codes * column.values + column.codes
        values *= column.values
    return codes, values


def together_codes(columns: Sequence[Column]) -> Numbers:
    """Numbers of rows that are equal where the values of all columns are."""
    return together(columns)[0]


def table_columns(table: pa.Table, names: Sequence[str]) -> dict[str, Column]:
    """Columns of a table in memory, as numbers."""
    return {name: column_of(name, table.column(name)) for name in names}
