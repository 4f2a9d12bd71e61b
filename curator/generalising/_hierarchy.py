"""A hierarchy: how the values of one field grow coarser, level by level, and the checks that make it one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curator.errors import SpecError

EVERYTHING = "*"
"""The label of the one group that holds every value."""

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Hierarchy:
    """The values of a field and the group of each at every level.

    Attributes:
        name: of the field.
        labels: for each level, the label of each group; level 0 holds the values themselves. None is the label of rows
            without a value: they are alike, and stay apart from the others below a level of one group.
        codes: levels x values; the group of each value at each level.
        formulas: for each level, the formula that makes it, for a spec; None where only the table says it.
        alone: the labels again, said so that groups of two levels are told apart where both are written.
    """

    name: str
    labels: tuple[tuple[str | None, ...], ...]
    codes: Codes
    formulas: tuple[str | None, ...] = ()
    alone: tuple[tuple[str | None, ...], ...] = ()

    @property
    def height(self) -> int:
        """Levels, the values themselves included."""
        return len(self.codes)

    def shares(self) -> npt.NDArray[np.float64]:
        """Levels x values: the share of all values that a value's group holds, which is what the loss counts."""
        count = self.codes.shape[1]
        return np.stack([(np.bincount(groups) / count)[groups] for groups in self.codes])

    def places(self, values: Sequence[str | None]) -> Codes:
        """The number of each value.

        Raises:
            SpecError: `hierarchy-misses-value`, when some are not in the hierarchy.
        """
        known = {label: place for place, label in enumerate(self.labels[0])}
        places = [known.get(value, -1) for value in values]
        missing = sum(place < 0 for place in places)
        if missing:
            raise SpecError(
                "hierarchy-misses-value",
                asked=f"find every value of `{self.name}` in its hierarchy",
                found=f"{missing:,} of {len(places):,} distinct values that it does not have",
                expected="each value of the field in the first column, letter for letter",
                todo="add the values to the hierarchy, or reject the rows that hold them with an expectation",
            )
        return np.array(places, np.int64)


def hierarchy_of(
    name: str,
    rows: Sequence[Sequence[str | None]],
    *,
    formulas: Sequence[str | None] = (),
    nulls: bool = False,
    alone: Sequence[Callable[[str], str]] = (),
) -> Hierarchy:
    """A hierarchy from its table, one row a value: the value, then its groups from fine to coarse.

    Args:
        name: of the field.
        rows: the table; a value may come twice only with the same groups.
        formulas: of each level.
        nulls: whether some rows have no value: they get a place of their own.
        alone: for each level, how a label is said beside those of other levels.

    Raises:
        SpecError: `hierarchy-ragged`, `hierarchy-not-a-tree` or `hierarchy-not-monotone`; places by line and level,
            never a value.
    """
    width = len(rows[0]) if rows else 0
    uneven = [line for line, row in enumerate(rows, 1) if len(row) != width]
    if not width or uneven:
        found = f"another number of columns from line {uneven[0]} on" if uneven else "no value at all"
        raise _fault("hierarchy-ragged", name, found=found, expected="the same number of levels for every value")
    table = _once(name, rows)
    if nulls:
        top = {row[-1] for row in table}
        table.append([*[None] * (width - 1), table[0][-1] if len(top) == 1 and width > 1 else None])
    codes, labels = [], []
    for level in range(width):
        groups: dict[str | None, int] = {}
        codes.append([groups.setdefault(row[level], len(groups)) for row in table])
        labels.append(tuple(groups))
    _require_nesting(name, np.array(codes))
    numbers = np.array(codes)
    return Hierarchy(
        name=name, labels=tuple(labels), codes=numbers, formulas=tuple(formulas) or (None,) * width,
        alone=_told_apart(labels, numbers, alone=alone),
    )  # fmt: skip


def _told_apart(
    labels: Sequence[Sequence[str | None]], codes: Codes, *, alone: Sequence[Callable[[str], str]]
) -> tuple[tuple[str | None, ...], ...]:
    """Labels such that one label is one group of values, whatever its level."""
    known: dict[str, tuple[int, int]] = {}
    told = []
    for level, names in enumerate(labels):
        spoken: list[str | None] = []
        for group, name in enumerate(names):
            text = alone[level](name) if name is not None and alone else name
            if text is not None:
                before, same = known.setdefault(text, (level, group))
                if (before, same) != (level, group) and not np.array_equal(
                    codes[before] == same, codes[level] == group
                ):
                    text = f"{text} (level {level})"
            spoken.append(text)
        told.append(tuple(spoken))
    return tuple(told)


def _once(name: str, rows: Sequence[Sequence[str | None]]) -> list[list[str | None]]:
    """The rows, each value once."""
    seen: dict[str | None, tuple[str | None, ...]] = {}
    for line, row in enumerate(rows, 1):
        if seen.setdefault(row[0], tuple(row)) != tuple(row):
            raise _fault(
                "hierarchy-not-a-tree", name, found=f"the value of line {line} a second time, with other groups",
                expected="one path from each value to the top",
            )  # fmt: skip
    return [list(row) for row in seen.values()]


def _require_nesting(name: str, codes: npt.NDArray[Any]) -> None:
    """Two values that share a group share every group above it."""
    for level in range(1, len(codes)):
        below, above = codes[level - 1], codes[level]
        parent = np.empty(int(below.max()) + 1, np.int64)
        parent[below] = above
        torn = np.flatnonzero(parent[below] != above)
        if len(torn):
            groups = len(np.unique(below[torn]))
            raise _fault(
                "hierarchy-not-monotone", name,
                found=f"{groups:,} group{'s' * (groups > 1)} of level {level - 1} torn apart again on level {level}",
                expected="each level coarser than the one before: a group lies whole in one group above",
            )  # fmt: skip


def _fault(code: str, name: str, *, found: str, expected: str) -> SpecError:
    return SpecError(
        code, asked=f"read the hierarchy of `{name}`", found=found, expected=expected,
        todo="correct the table of the hierarchy: one line a value, the value first, then its groups, fine to coarse",
    )  # fmt: skip
