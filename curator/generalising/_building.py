"""From the words of a spec and the values that occur to a hierarchy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from curator.errors import SpecError
from curator.generalising._csv import read_rows
from curator.generalising._hierarchy import EVERYTHING, Hierarchy, hierarchy_of
from curator.generalising._ladders import Level, bands, dates, everything, places, prefixes, table_formulas
from curator.spec.model import Ladder

LONGEST_FORMULA = 2_000
"""Characters of the longest formula that a spec takes."""


def build_hierarchy(
    name: str, ladder: Ladder | None, *, value: str, values: Sequence[str | None], folder: Path
) -> Hierarchy:
    """The hierarchy of a field.

    Args:
        name: the field.
        ladder: its levels; None when it is written as it is.
        value: formula of the finest value.
        values: the distinct values that occur, as text, null among them or not.
        folder: where paths of files start from: the spec's folder.

    Raises:
        SpecError: `hierarchy-misses-value`, `hierarchy-unreadable`, `hierarchy-ragged`, `hierarchy-not-a-tree` or
            `hierarchy-not-monotone`.
    """
    known, nulls = [text for text in values if text is not None], None in values
    if ladder is None:
        rows: list[list[str]] = [[text] for text in known] or [[EVERYTHING]]
        return hierarchy_of(name, rows, formulas=(value,), nulls=nulls)
    if ladder.file is not None:
        return _from_file(name, ladder, value=value, path=folder / ladder.file, nulls=nulls)
    return _built_in(name, ladder, value=value, known=known, nulls=nulls)


def _from_file(name: str, ladder: Ladder, *, value: str, path: Path, nulls: bool) -> Hierarchy:
    rows = read_rows(path, name=name)
    hierarchy_of(name, rows)  # told with the lines of the file
    formulas = table_formulas(value, rows, longest=LONGEST_FORMULA)
    if ladder.all and len({row[-1] for row in rows}) > 1:
        rows, formulas = [[*row, EVERYTHING] for row in rows], [*formulas, everything().formula]
    return hierarchy_of(name, rows, formulas=(value, *formulas), nulls=nulls)


def _built_in(name: str, ladder: Ladder, *, value: str, known: Sequence[str], nulls: bool) -> Hierarchy:
    levels = [
        *bands(value, ladder.bands),
        *dates(value, ladder.dates),
        *places(value, ladder.places),
        *prefixes(value, ladder.prefix),
    ]
    if ladder.all or not known:
        levels.append(everything())
    rows = _rows(name, known or [EVERYTHING], levels=levels)
    formulas = (value, *(level.formula for level in levels))
    alone: list[Callable[[str], str]] = [str, *(level.alone for level in levels)]
    return hierarchy_of(name, rows, formulas=formulas, nulls=nulls, alone=alone)


def _rows(name: str, values: Sequence[str], *, levels: Sequence[Level]) -> list[list[str]]:
    rows: list[list[str]] = []
    missing: dict[str, int] = {}
    for value in values:
        row = [value]
        for level in levels:
            group = level.group(value)
            if group is None:
                missing[level.name] = missing.get(level.name, 0) + 1
            row.append(group or "")
        rows.append(row)
    if missing:
        told = "; ".join(f"`{level}`: {count:,} of {len(values):,}" for level, count in missing.items())
        raise SpecError(
            "hierarchy-misses-value",
            asked=f"find every value of `{name}` in its hierarchy",
            found=f"distinct values without a place in a level ({told})",
            expected="values that each level knows: numbers for bands, dates, codes of French communes or departments",
            todo="reject the rows that hold them with an expectation, or describe the field with a `file`",
        )
    return rows
