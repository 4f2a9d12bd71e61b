"""Which joins a database makes itself, because it holds the tables and compares their keys as the engine does.

    base ─► the joins that may be made there, in their order ─► the others, in the engine

A join made there comes before those that are left: each takes its keys from the base or from tables joined there, so
that the order changes no row. Nothing is joined there where whole tables are looked at: by a count of rows without
partner that the engine takes, by events, by a watermark.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from curator.planning._asked import asked_joined, to_count
from curator.protocols import Asked, AskedJoin, AskedJoined
from curator.spec import Scope, UseCase
from curator.spec.model import Join
from curator.spec.scope import nameless

Able = Callable[[AskedJoin, Mapping[str, Asked]], bool]
"""Whether the database compares the keys of a join as the engine does, given the tables before it."""

THERE = "joined in the database"


@dataclass(frozen=True, kw_only=True)
class Together:
    """What is joined where.

    Attributes:
        asked: the tables that the database joins; None where it joins none.
        said: joined source in a database -> `joined in the database`, or why it is joined here.
    """

    asked: AskedJoined | None
    said: Mapping[str, str]

    @property
    def merged(self) -> tuple[str, ...]:
        """The sources whose rows come with those of the base."""
        return tuple(join.asked.name for join in self.asked.joins) if self.asked else ()


def together(
    use_case: UseCase, scope: Scope, *, wanted: Mapping[str, Asked], places: Mapping[str, str], able: Able,
    counted: Collection[str],
) -> Together:  # fmt: skip
    """Which joins a database makes itself.

    Args:
        use_case: a checked spec.
        scope: its names.
        wanted: what each source would be asked alone.
        places: the live sources, with their addresses.
        able: asked of each join that nothing else forbids.
        counted: joined sources whose rows without partner the database has counted, or counts.
    """
    joins: list[AskedJoin] = []
    said: dict[str, str] = {}
    tables = {use_case.extract.from_: wanted[use_case.extract.from_]}
    for join in use_case.extract.join:
        if join.source not in places:
            continue
        link = AskedJoin(asked=wanted[join.source], on={key: scope.origin[key] for key in join.on}, kind=join.kind)
        why = _forbidden(use_case, join, places=places, counted=counted) or _apart(link, tables)
        if not why and not able(link, tables):
            why = "joined here: its keys may be compared otherwise there"
        said[join.source] = why or THERE
        if not why:
            joins.append(link)
            tables[join.source] = link.asked
    if not joins:
        return Together(asked=None, said=said)
    asked = asked_joined(use_case, scope, wanted=wanted, joins=joins, counted=counted)
    return Together(asked=asked, said=said)


def _forbidden(use_case: UseCase, join: Join, *, places: Mapping[str, str], counted: Collection[str]) -> str:
    """What of the spec as a whole stands against the join, in words; empty when nothing does."""
    base, source = use_case.extract.from_, use_case.sources[join.source]
    events = {table.events for table in use_case.extract.event_tables()} & {base, join.source}
    uncounted = [one.source for one in to_count(use_case) if one.source not in counted]
    if places.get(base) != places[join.source]:
        return f"joined here: it is not of one database with `{base}`"
    if uncounted:
        return f"joined here: rows without partner of `{uncounted[0]}` are counted here, over whole tables"
    if events:
        return f"joined here: `{min(events)}` is also read as events, whole"
    if use_case.refresh is not None and use_case.refresh.watermark is not None:
        return "joined here: the watermark is looked for in the whole base"
    if nameless(use_case):
        return "joined here: rows are named by all their cells before any join"
    if join.kind == "left" and source.where is not None:
        return "joined here: its own `where` comes before a left join"
    return ""


def _apart(link: AskedJoin, tables: Mapping[str, Asked]) -> str:
    """What of the tables before it stands against the join, in words; empty when nothing does."""
    away = [source for source in link.on.values() if source not in tables]
    if away:
        return f"joined here: its key comes from `{away[0]}`, which is joined here"
    first = next(iter(tables.values())).source
    if (link.asked.source.null_tokens, link.asked.source.decimal) != (first.null_tokens, first.decimal):
        return "joined here: its texts are read by other rules (`null_tokens`, `decimal`)"
    return ""
