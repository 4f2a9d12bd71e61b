"""Rules about how a dataset follows its source."""

from __future__ import annotations

from collections.abc import Iterator

from curator.spec.model import EntitySplits, UseCase
from curator.spec.scope import Scope, Trouble

_ORDERED = ("integer", "date", "timestamp")


def refresh_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """What is wrong with the watermark, and what a growing feed cannot keep right."""
    refresh = spec.refresh
    if refresh is None:
        return
    path = ("refresh", "watermark")
    base = spec.sources.get(spec.extract.from_)
    if refresh.feed == "full":
        if refresh.watermark is not None:
            yield Trouble(path, "a watermark with `feed: full`", "`feed: append`, or no watermark")
        return
    if refresh.watermark is None:
        yield Trouble(("refresh",), "`feed: append` without `watermark`", "the column that grows with every new row")
    elif base is None or refresh.watermark not in base.columns:
        yield Trouble(path, f"`{refresh.watermark}`", "a column of the base source (`extract.from`)")
    elif str(base.columns[refresh.watermark].type) not in _ORDERED:
        yield Trouble(path, f"a column of type {base.columns[refresh.watermark].type}", "a number, a date or a moment")
    sample = spec.extract.sample
    if (sample is not None and sample.ranked) or spec.extract.event_tables():
        found = "`feed: append` with a draw or a history that depends on all rows"
        yield Trouble(("refresh", "feed"), found, "`feed: full`")
    if spec.representation is not None:
        yield Trouble(
            ("refresh", "feed"), "`feed: append` with `representation`, which looks at all rows", "`feed: full`"
        )
    if not isinstance(spec.splits, EntitySplits):
        yield Trouble(("refresh", "feed"), "`feed: append` with splits by time", "`feed: full`, or splits by entity")
