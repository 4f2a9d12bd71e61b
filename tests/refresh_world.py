"""A source that changes from day to day, and a spec that follows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = tuple[int, str | None, str | None, int]
_NAMES = ("visit", "person", "ward", "cost")
_KINDS = (pa.int64(), pa.string(), pa.string(), pa.int64())


def spec(feed: str = "full", **changes: Any) -> dict[str, Any]:
    """Visits to wards, followed by that feed; whole top-level parts replaced."""
    columns = {"visit": "integer", "person": "text", "ward": "text", "cost": "integer"}
    refresh: dict[str, Any] = {"feed": feed}
    if feed == "append":
        refresh["watermark"] = "visit"
    if feed == "changes":
        refresh |= {"watermark": "at", "operation": "op", "changes": {
            "path": "changes.parquet", "columns": {"op": "text", "at": "integer"}}}  # fmt: skip
    value: dict[str, Any] = {
        "curator": 1, "name": "visits", "version": "1.0.0", "title": "Visits?",
        "owner": {"organisation": "O", "contact": "o@example.org"}, "purpose": {"statement": "Test."},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "-", "dpia": "-", "ai_act": "minimal",
                "retention_days": 1},
        "sources": {"t": {"path": "visits.parquet", "columns": columns}},
        "extract": {"from": "t", "row_key": ["visit"], "entity": ["person"]},
        "fields": {
            "person": {"meaning": "Who.", "identifier": "direct", "protect": "token", "form": "raw"},
            "ward": {"meaning": "Ward.", "identifier": "quasi"},
            "cost": {"meaning": "Cost."},
        },
        "quality": {"expectations": [
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": "cost", "min_value": 0}}],
            "max_rejected": 0.5},
        "disclosure": {"k": 5, "suppress": 0.2},
        "splits": {"by": "entity", "shares": {"train": 0.7, "test": 0.3}},
        "refresh": refresh,
    }  # fmt: skip
    return {**value, **changes}


def table(held: Sequence[Row]) -> pa.Table:
    """Rows as a table."""
    columns = zip(*held, strict=True) if held else ((),) * len(_NAMES)
    return pa.table(
        {name: pa.array(list(cells), kind) for name, kind, cells in zip(_NAMES, _KINDS, columns, strict=True)}
    )


def lay(folder: Path, held: Sequence[Row]) -> None:
    """The source as it is now."""
    pq.write_table(table(held), folder / "visits.parquet")


def lay_feed(folder: Path, changes: Sequence[tuple[str, int, Row]]) -> None:
    """What changed in it so far: operation, place in the feed, the row after it (before it, of one that left)."""
    found = table([row for _, _, row in changes])
    found = found.append_column("op", pa.array([op for op, _, _ in changes], pa.string()))
    pq.write_table(
        found.append_column("at", pa.array([at for _, at, _ in changes], pa.int64())), folder / "changes.parquet"
    )
