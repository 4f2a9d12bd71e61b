"""Coarser cells, written: what the search or the merging settled, as pure functions of a batch of rows.

Where a level has a formula the engine writes it. What only a table or a class says is written here: the groups of a
hierarchy without a formula, the level of each class when it was recoded alone, and categories of few people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from curator.arrow import integers, without_chunks
from curator.errors import SourceError
from curator.generalising._hierarchy import Hierarchy
from curator.generalising._tuples import Tuples

Integers = npt.NDArray[np.int64]

_ODD = 0x9E3779B97F4A7C15


@dataclass(frozen=True, kw_only=True, eq=False)
class Merged:
    """Categories that stay, and the one that all others become; null stays null.

    Attributes:
        kept: as an array of the column's type.
        other: one value, likewise.
    """

    kept: pa.Array
    other: pa.Array

    def column(self, values: pa.Array) -> pa.Array:
        """The column with its rare categories merged."""
        values = without_chunks(values)
        rare = pc.and_(pc.invert(pc.is_in(values, value_set=self.kept.cast(values.type))), values.is_valid())
        return pc.if_else(rare, self.other.cast(values.type)[0], values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """Fields written at the levels of their hierarchies, by their finest values as text.

    Attributes:
        hierarchies: field -> its hierarchy; every quasi-identifier when each class has levels of its own.
        written: which of the fields are written so; the others only say which class a row is of.
        level: field -> its one level; None when each class has its own.
        classes: combinations of the values' numbers, one code each, ascending; empty when there is one level a field.
        own: fields x combinations; the level of each.
    """

    hierarchies: Mapping[str, Hierarchy]
    written: tuple[str, ...]
    level: Mapping[str, int] | None = None
    classes: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    own: Integers = field(default_factory=lambda: np.empty((0, 0), np.int64))

    def columns(self, leaves: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """The fields of a batch as they are written, from their finest values as text.

        Raises:
            SourceError: `source-changed`, for a value that was not there when the levels were settled.
        """
        places = {name: self._places(name, leaves[name]) for name in self.hierarchies}
        if self.level is not None:
            return {
                name: _labels(self.hierarchies[name].labels, np.full(len(places[name]), self.level[name]), cells=cells)
                for name in self.written
                for cells in [self.hierarchies[name].codes[self.level[name]][places[name]]]
            }
        rows = self._combinations(places)
        found = {}
        for at, (name, hierarchy) in enumerate(self.hierarchies.items()):
            if name in self.written:
                levels = self.own[at][rows]
                found[name] = _labels(hierarchy.alone, levels, cells=hierarchy.codes[levels, places[name]])
        return found

    def _places(self, name: str, leaf: pa.Array) -> Integers:
        """The number of each value; a dictionary keeps the look-up to the distinct ones."""
        encoded = pc.dictionary_encode(without_chunks(leaf), null_encoding="encode")
        known = {label: place for place, label in enumerate(self.hierarchies[name].labels[0])}
        numbers = np.array([known.get(text, -1) for text in encoded.dictionary.to_pylist()], np.int64)
        if (numbers < 0).any():
            raise _changed(name)
        return numbers[integers(encoded.indices)] if len(numbers) else np.empty(0, np.int64)

    def _combinations(self, places: Mapping[str, Integers]) -> Integers:
        sizes = [hierarchy.codes.shape[1] for hierarchy in self.hierarchies.values()]
        codes = radix([places[name] for name in self.hierarchies], sizes)
        at = np.minimum(np.searchsorted(self.classes, codes), max(len(self.classes) - 1, 0))
        if len(codes) and (not len(self.classes) or (self.classes[at] != codes).any()):
            raise _changed(", ".join(self.hierarchies))
        return at


def local_levels(tuples: Tuples, levels: Integers, *, written: Sequence[str]) -> Levels:
    """The levels of each combination, as a recoding found them."""
    sizes = [hierarchy.codes.shape[1] for hierarchy in tuples.hierarchies]
    codes, first = np.unique(radix(list(tuples.codes), sizes), return_index=True)
    return Levels(
        hierarchies={hierarchy.name: hierarchy for hierarchy in tuples.hierarchies},
        written=tuple(written),
        classes=codes,
        own=levels[:, first],
    )


def radix(columns: Sequence[Integers], sizes: Sequence[int]) -> Integers:
    """One number for each combination of numbers; beyond 2**63 possible ones, a hash of 64 bits."""
    code, weight = np.zeros(len(columns[0]) if columns else 0, np.uint64), 1
    exact = prod(sizes) < 1 << 63
    for column, size in zip(columns, sizes, strict=True):
        code += column.astype(np.uint64) * np.uint64(weight)
        weight = weight * (size if exact else _ODD) % (1 << 64)
    return code.astype(np.int64)


def _labels(names: Sequence[Sequence[str | None]], levels: Integers, *, cells: Integers) -> pa.Array:
    """The label of each cell at its level."""
    starts = np.cumsum([0, *(len(level) for level in names)])[:-1]
    flat = pa.array([name for level in names for name in level], pa.string())
    return flat.take(pa.Array.from_buffers(pa.int64(), len(cells), [None, pa.py_buffer(starts[levels] + cells)]))


def _changed(name: str) -> SourceError:
    return SourceError(
        "source-changed", asked=f"write the levels of {name}",
        found="a value that the sources did not hold when the levels were settled",
        expected="sources that stay as they are while a version is made", todo="run again when nothing writes to them",
    )  # fmt: skip
