"""Differencing: what two releases tell together that neither tells alone.

Whoever holds both can subtract them. When they differ by one person, every table of their difference is about that
person (Denning, Denning and Schwartz, "The tracker", ACM TODS 4(1), 1979; OpenSAFELY rounds for the same reason). The
rows of one that have no like in the other are counted; few, but some, are people of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from curator.attacks._leak import Leak
from curator.risk import Column, column_of, together_codes


def difference_leaks(
    table: pa.Table, earlier: Sequence[Path], *, left_out: Sequence[str], least: int
) -> tuple[Leak, ...]:
    """Whether a table and an earlier one differ by fewer rows than hide each other.

    Args:
        table: about to be released.
        earlier: shards of a table released before.
        left_out: columns that another recipient has otherwise (tokens).
        least: rows that must differ, if any does.
    """
    if not earlier:
        return ()
    before = pa.concat_tables([parquet.ParquetFile(file).read() for file in earlier], promote_options="default")
    names = [name for name in table.column_names if name in before.column_names and name not in left_out]
    added, removed = differing(table, before, columns=names)
    found = []
    for what, count in (("rows that an earlier release does not have", added), ("rows that only it has", removed)):
        if 0 < count < least:
            found.append(Leak(kind="differencing", where=what, count=count))
    return tuple(found)


def differing(table: pa.Table, before: pa.Table, *, columns: Sequence[str]) -> tuple[int, int]:
    """Rows of each table beyond their like in the other, on some columns; as in a difference of multisets."""
    if not columns:
        return (max(len(table) - len(before), 0), max(len(before) - len(table), 0))
    joined: list[Column] = []
    for name in columns:
        parts = [_loose(table.column(name)), _loose(before.column(name))]
        joined.append(column_of(name, pa.chunked_array([chunk for part in parts for chunk in part.chunks])))
    codes = together_codes(joined)
    values, places = np.unique(codes, return_inverse=True)
    ours = np.bincount(places[: len(table)], minlength=len(values))
    theirs = np.bincount(places[len(table) :], minlength=len(values))
    return int(np.maximum(ours - theirs, 0).sum()), int(np.maximum(theirs - ours, 0).sum())


def _loose(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values that compare whatever their type became in another version."""
    return column.cast(pa.string()) if not pa.types.is_nested(column.type) else column
