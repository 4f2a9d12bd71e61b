"""How a dataset follows its source."""

from __future__ import annotations

from typing import Literal

from curator.spec.model._words import Name, Word


class Refresh(Word):
    """How a dataset follows a source that changes.

    Attributes:
        feed: `full` compares every row with those of the version before, so that changed and vanished rows are seen;
            `append` reads only the rows beyond the watermark, for a source that grows and does not change otherwise.
        watermark: column of the base source that grows with every new row (a number, a date, a moment).
    """

    feed: Literal["full", "append"] = "full"
    watermark: Name | None = None
