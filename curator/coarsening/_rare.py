"""Rare categories become one: which stay, decided by the people in each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.coarsening._combinations import counted
from curator.coarsening._kept import Kept
from curator.generalising import Merged, People, people_of
from curator.samples import CheckedSample
from curator.spec.model import OutputField

Numbers = npt.NDArray[np.int64]

_NOBODY = np.empty(0, np.int64)


def merge(checked: CheckedSample, name: str, *, field: OutputField, kept: Kept | None) -> tuple[Merged, dict[str, Any]]:
    """The categories of a field that stay, of enough people each; and how many stay and go.

    Where the merged ones have too few people together, the smallest of the others join them.
    """
    column, least, other = field.from_ or name, field.fewer_than or 2, field.other
    counts = counted(checked, [column], sensitive=[])
    values, numbers = counts.columns[0].values, counts.codes[0]
    kind = checked.sample.scope.types[column]
    stay = _still(kept, name) if kept is not None else None
    if stay is None:
        persons = counts.people or people_of(_NOBODY, _NOBODY, count=len(counts.rows), alone=counts.rows)
        stay = _frequent(values, numbers, people=persons, least=least, other=str(other))
    merged = [text for text in values if text is not None and text not in stay and text != str(other)]
    made = pa.int64() if kind == "integer" else pa.string()
    cells = [int(text) if kind == "integer" else text for text in sorted(stay)]
    found = Merged(kept=pa.array(cells, made), other=pa.array([other], made))
    return found, {"other": other, "kept": len(stay), "merged": len(merged)}


def _frequent(
    values: Sequence[str | None], numbers: Numbers, *, people: People, least: int, other: str
) -> frozenset[str]:
    """Values of enough people, so that those merged have enough together too."""
    each = people.per_class(numbers, count=len(values))
    order = sorted((int(each[number]), text, number) for number, text in enumerate(values) if text is not None)
    merged = {number for count, text, number in order if count < least or text == other}
    waiting = [number for _, _, number in order if number not in merged]
    while merged and waiting and _together(people, numbers, merged=merged) < least:
        merged.add(waiting.pop(0))
    return frozenset(text for _, text, number in order if number not in merged)


def _together(people: People, numbers: Numbers, *, merged: set[int]) -> int:
    """People of several values taken together."""
    inside = np.isin(numbers, list(merged)).astype(np.int64)
    return int(people.per_class(inside, count=2)[1])


def _still(kept: Kept, name: str) -> frozenset[str] | None:
    """The categories in the files of the version before; None when it had no such field. `other` is one of them."""
    found: set[str] = set()
    for path in kept.files:
        file = parquet.ParquetFile(path)
        if name not in file.schema_arrow.names:
            return None
        distinct = pc.unique(file.read(columns=[name]).column(name))
        found |= {str(value) for value in distinct.to_pylist() if value is not None}
    return frozenset(found)
