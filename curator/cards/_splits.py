"""The splits of a version, in the order of the spec."""

from __future__ import annotations

from curator.samples import Written
from curator.spec import UseCase
from curator.spec.model import EntitySplits


def declared_splits(use_case: UseCase) -> tuple[str, ...]:
    """Names of the declared splits."""
    splits = use_case.splits
    return tuple(splits.shares if isinstance(splits, EntitySplits) else splits.until)


def rows_per_split(use_case: UseCase, written: Written) -> list[tuple[str, int]]:
    """Every declared split with its rows, 0 included; then those that only the files know."""
    rows = dict.fromkeys(declared_splits(use_case), 0)
    for entry in written.files:
        if entry.split:
            rows[entry.split] = rows.get(entry.split, 0) + entry.rows
    return list(rows.items())
