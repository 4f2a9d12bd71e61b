"""How a dataset follows its source."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from curator.spec.model._sources import Source
from curator.spec.model._words import Name, Word


class Refresh(Word):
    """How a dataset follows a source that changes.

    Attributes:
        feed: `full` compares every row with those of the version before, so that changed and vanished rows are seen;
            `append` reads only the rows beyond the watermark, for a source that grows and does not change otherwise;
            `changes` reads a feed of changes beyond its watermark.
        watermark: column that grows with every new row (a number, a date, a moment): of the base source for `append`,
            of the feed for `changes`.
        changes: the feed: rows of the base source as they are after each change, with its columns, which need not be
            declared again, and those declared here. Of a row that was deleted only the row key is read.
        operation: column of the feed that says what happened to a row.
        upsert: what it says, in whatever case, of a row that was inserted or updated.
        delete: what it says of a row that was deleted.
        overlap: how far before the watermark rows are read again, for those that are committed late: numbers, days or
            minutes, after the type of the watermark.
    """

    feed: Literal["full", "append", "changes"] = "full"
    watermark: Name | None = None
    changes: Source | None = None
    operation: Name | None = None
    upsert: tuple[str, ...] = Field(default=("upsert", "insert", "update", "i", "u", "c", "r"), min_length=1)
    delete: tuple[str, ...] = Field(default=("delete", "d"), min_length=1)
    overlap: int = Field(default=0, ge=0, le=1_000_000_000)
