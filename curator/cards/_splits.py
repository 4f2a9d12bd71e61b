"""How many rows each split has, in the order of the spec."""

from __future__ import annotations

from curator.samples import Written
from curator.spec import UseCase
from curator.spec.model import EntitySplits


def rows_per_split(use_case: UseCase, written: Written) -> list[tuple[str, int]]:
    """Every declared split with its rows, 0 included; then those that only the files know."""
    declared = use_case.splits.shares if isinstance(use_case.splits, EntitySplits) else use_case.splits.until
    rows = dict.fromkeys(declared, 0)
    for entry in written.files:
        if entry.split:
            rows[entry.split] = rows.get(entry.split, 0) + entry.rows
    return list(rows.items())
