"""Rules about how a dataset follows its source."""

from __future__ import annotations

from collections.abc import Iterator

from curator.spec.model import EntitySplits, Refresh, UseCase
from curator.spec.scope import Scope, Trouble

_ORDERED = ("integer", "date", "timestamp")
_WATERMARK = ("refresh", "watermark")


def refresh_troubles(spec: UseCase, scope: Scope) -> Iterator[Trouble]:
    """What is wrong with the watermark and the feed, and what the difference alone cannot keep right."""
    refresh = spec.refresh
    if refresh is None:
        return
    if refresh.feed != "changes":
        yield from _of_changes(refresh)
    if refresh.feed == "full":
        if refresh.watermark is not None:
            yield Trouble(_WATERMARK, "a watermark with `feed: full`", "`feed: append`, or no watermark")
        return
    yield from _append(spec, refresh) if refresh.feed == "append" else _changes(spec, refresh)
    feed, sample = f"`feed: {refresh.feed}`", spec.extract.sample
    if (sample is not None and sample.ranked) or spec.extract.event_tables():
        found = f"{feed} with a draw or a history that depends on all rows"
        yield Trouble(("refresh", "feed"), found, "`feed: full`")
    if spec.representation is not None:
        yield Trouble(("refresh", "feed"), f"{feed} with `representation`, which looks at all rows", "`feed: full`")
    if not isinstance(spec.splits, EntitySplits):
        yield Trouble(("refresh", "feed"), f"{feed} with splits by time", "`feed: full`, or splits by entity")


def _append(spec: UseCase, refresh: Refresh) -> Iterator[Trouble]:
    base = spec.sources.get(spec.extract.from_)
    if refresh.watermark is None:
        yield Trouble(("refresh",), "`feed: append` without `watermark`", "the column that grows with every new row")
    elif base is None or refresh.watermark not in base.columns:
        yield Trouble(_WATERMARK, f"`{refresh.watermark}`", "a column of the base source (`extract.from`)")
    elif str(base.columns[refresh.watermark].type) not in _ORDERED:
        found = f"a column of type {base.columns[refresh.watermark].type}"
        yield Trouble(_WATERMARK, found, "a number, a date or a moment")


def _changes(spec: UseCase, refresh: Refresh) -> Iterator[Trouble]:
    base, feed = spec.sources.get(spec.extract.from_), refresh.changes
    for word, told in (("changes", feed), ("watermark", refresh.watermark), ("operation", refresh.operation)):
        if told is None:
            yield Trouble(("refresh",), f"`feed: changes` without `{word}`", "the feed, its order and what happened")
    if base is None or feed is None:
        return
    for word, kinds, expected in (
        ("watermark", _ORDERED, "a number, a date or a moment"), ("operation", ("text",), "a text"),
    ):  # fmt: skip
        name = getattr(refresh, word)
        if name is not None and name not in feed.columns:
            yield Trouble(("refresh", word), f"`{name}`", "a column that `refresh.changes` declares")
        elif name is not None and str(feed.columns[name].type) not in kinds:
            yield Trouble(("refresh", word), f"a column of type {feed.columns[name].type}", expected)
    for name in spec.extract.row_key:
        if name not in base.columns:
            found = f"the row key `{name}` with `feed: changes`"
            yield Trouble(("extract", "row_key"), found, "columns of the base source, which the feed has too")
    if {code.lower() for code in refresh.upsert} & {code.lower() for code in refresh.delete}:
        yield Trouble(("refresh", "delete"), "a code that `upsert` names too", "codes of their own")


def _of_changes(refresh: Refresh) -> Iterator[Trouble]:
    for word in ("changes", "operation"):
        if getattr(refresh, word) is not None:
            yield Trouble(("refresh", word), f"`{word}` with `feed: {refresh.feed}`", "`feed: changes`")
