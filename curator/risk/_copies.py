"""Two copies for two recipients: what links their rows although no pseudonym is in both.

Tokens under keys of their own cannot be compared; every other column can. Whoever holds both copies matches rows whose
values only one row has in each (record linkage on exact agreement: Fellegi and Sunter, "A theory for record linkage",
JASA 64, 1969), first on the quasi-identifiers, then on every column that both have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.risk._columns import column_of, together_codes
from curator.risk._files import Roles


@dataclass(frozen=True, kw_only=True)
class Copies:
    """What links a version with another one, made for another recipient.

    Attributes:
        other: reference of the other version.
        rows: of this version.
        tokens: pseudonyms that stand in both; anything but 0 is a fault.
        quasi: columns that both have among the declared quasi-identifiers.
        columns: every column that both have, but pseudonyms.
        by_quasi, by_all: share of this version's rows with a like of their own in the other, on these columns.
    """

    other: str
    rows: int
    tokens: int
    quasi: tuple[str, ...]
    columns: tuple[str, ...]
    by_quasi: float
    by_all: float

    def facts(self) -> dict[str, Any]:
        """The figures as JSON."""
        return {**vars(self), "quasi": list(self.quasi), "columns": list(self.columns)}


def compare_copies(other: str, paths: Sequence[Path], *, others: Sequence[Path], roles: Roles) -> Copies:
    """Link the rows of two versions.

    Args:
        other: reference of the second one.
        paths: shards of the first, of one schema.
        others: shards of the second.
        roles: what the columns of both are.
    """
    names, beside = _names(paths), _names(others)
    both = tuple(name for name in names if name in beside)
    columns = tuple(name for name in both if name not in roles.tokens)
    quasi = tuple(name for name in roles.quasi if name in columns)
    rows = sum(parquet.read_metadata(path).num_rows for path in paths)
    return Copies(
        other=other, rows=rows, tokens=sum(_shared(paths, others, name=name) for name in both if name in roles.tokens),
        quasi=quasi, columns=columns, by_quasi=_linked(paths, others, names=quasi, rows=rows),
        by_all=_linked(paths, others, names=columns, rows=rows),
    )  # fmt: skip


def _linked(paths: Sequence[Path], others: Sequence[Path], *, names: Sequence[str], rows: int) -> float:
    """Share of rows whose values one row has here, and one there."""
    if not names or not rows:
        return 0.0
    joined = [column_of(name, _values([*paths, *others], name)) for name in names]
    codes, places = np.unique(together_codes(joined), return_inverse=True)
    here = np.bincount(places[:rows], minlength=len(codes))
    there = np.bincount(places[rows:], minlength=len(codes))
    return float(((here == 1) & (there == 1)).sum()) / rows


def _shared(paths: Sequence[Path], others: Sequence[Path], *, name: str) -> int:
    """Distinct values that stand in both."""
    here, there = pc.unique(_values(paths, name)).drop_null(), pc.unique(_values(others, name)).drop_null()
    if here.type != there.type:
        return 0
    return int(pc.sum(pc.is_in(here, value_set=there)).as_py() or 0)


def _values(paths: Sequence[Path], name: str) -> pa.ChunkedArray:
    """A column of several files; as text where their types differ."""
    parts = [parquet.ParquetFile(path).read(columns=[name]).column(name) for path in paths]
    if len({part.type for part in parts}) > 1:
        parts = [part.cast(pa.string()) for part in parts]
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], type=parts[0].type)


def _names(paths: Sequence[Path]) -> list[str]:
    return list(parquet.read_schema(paths[0]).names) if paths else []
