"""The distinct combinations of values and how many rows have each: all that the search ever looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.generalising._hierarchy import Hierarchy
from curator.generalising._people import People

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tuples:
    """Distinct combinations of the quasi-identifiers (and the sensitive value), with their rows.

    Attributes:
        hierarchies: one a quasi-identifier.
        codes: quasi-identifiers x combinations; numbers of the values in their hierarchies.
        rows: rows of each combination.
        sensitive: number of the sensitive value of each combination; None when none is looked at.
        values: sensitive values there are.
        hollow: whether sensitive value 0 stands for rows without a value.
        people: whose the rows are, when k is of people; None when it is of rows.
    """

    hierarchies: tuple[Hierarchy, ...]
    codes: Integers
    rows: Integers
    sensitive: Integers | None = None
    values: int = 0
    hollow: bool = False
    people: People | None = None

    @property
    def total(self) -> int:
        """Rows of the table."""
        return int(self.rows.sum())


def compact(columns: Sequence[npt.NDArray[Any]], sizes: Sequence[int]) -> tuple[Integers, int]:
    """One code a row that tells combinations apart, and a bound above every code; small when few combinations are.

    Mixed radix; where the product of the sizes passes a few times the number of rows it is renumbered on the way.
    """
    count = len(columns[0]) if columns else 0
    code, bound, room = np.zeros(count, np.int64), 1, max(4 * count, 1 << 16)
    for column, size in zip(columns, sizes, strict=True):
        if size == 1:
            continue
        if bound > 1 and bound * size > 1 << 62:
            code, bound = renumbered(code)
        code, bound = code * size + column, bound * size
    if bound > room:
        code, bound = renumbered(code)
    return code, bound


def renumbered(code: Integers) -> tuple[Integers, int]:
    """The same classes, numbered from 0 without holes."""
    known, places = np.unique(code, return_inverse=True)
    return places.astype(np.int64, copy=False), len(known)
