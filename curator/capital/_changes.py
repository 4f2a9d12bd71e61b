"""A feed of changes in the place of the base source: of each row that changed only its newest state is read.

    feed ─► rows since the watermark ─► the newest of each row key ─► upserts: extracted, checked and protected as ever
                                                               └────► every key among them: rows that may have to leave

The engine does all of it; only row keys, tokenised at once, and the watermark come out of it. A feed in a database is
asked for the rows since the watermark and the columns that something needs, as of the moment of the tables beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from curator.addresses import Address
from curator.arrow import distinct, token_words
from curator.capital._watermarks import Floor, Watch, beyond, floor_of
from curator.errors import QualityError
from curator.expressions import conjuncts, parse
from curator.files import Where
from curator.kernel import ROW_KEY
from curator.planning import asked
from curator.protocols import Asked, BoundSource, Engine
from curator.rowindex import Codes
from curator.samples import ProtectedSample
from curator.sources import Adoption, Snapshots, is_live
from curator.spec import UseCase, scope_of
from curator.spec.model import Refresh, Source
from curator.spec.scope import source_types
from curator.sqltext import literal, quoted, text_key

_SINCE, _NEWEST, _STAND = "changes since", "changes newest", "changes standing"
_RANK = ".newest"
_ROWS = 131_072
_IN_DATABASE = Path("refresh.changes")  # where a feed stands that was taken in already


class ChangeFeed:
    """The feed that a use case declares.

    Args:
        use_case: with `refresh.changes`.
        place: where the feed stands.
        after: the watermark that was reached before; None to read all of it.
        noted: what was noted of the rows below it, for a feed in a database.

    Attributes:
        place: where it stands, for the extraction; of one in a database, where nothing stands but what is taken in.
        position: how far it was read.
        fence: what the next refresh compares before it reads on; empty for a feed in files.
    """

    def __init__(
        self, use_case: UseCase, *, place: Where, after: str | None, noted: Mapping[str, Any] | None = None
    ) -> None:
        self._use_case, self._after, self._noted = use_case, after, noted or {}
        self._refresh = use_case.refresh or Refresh()
        self._base = use_case.extract.from_
        self._watch = Watch.of(use_case, source=self.source(), where=place)
        self._live = place if isinstance(place, Address) and is_live(place) else None
        self._taken: Adoption | None = None
        self.place: Where = place if self._live is None else _IN_DATABASE
        self.position: str | None = after
        self.fence: dict[str, Any] = {}

    @property
    def readable(self) -> bool:
        """Whether it stands in files, or in a database that counts what was read; else all rows are compared."""
        return self._live is None or (self._watch is not None and bool(self._noted) and self._after is not None)

    def look(self, live: Snapshots, engine: Engine) -> None:
        """Know how far it reaches before the base source is read. Raises as `bound`."""
        if self._live is None:
            self.bound(engine, self.source())
        elif self._watch is not None:
            self.position = self._watch.reach(live)
            self.fence = self._watch.noted(live, self.position)

    def take(self, live: Snapshots, engine: Engine) -> None:
        """Take the rows since the watermark in where they stand in a database.

        Raises:
            OvertakenError: rows before it came late, or are gone.
            SourceError: it cannot be read, or is not shaped as declared.
        """
        if self._live is None or self._watch is None or self._after is None:
            return
        self._watch.require(live, watermark=self._after, noted=self._noted)
        self._taken = live.adopt(self._asked(), self._live, engine=engine)
        name = self._watch.column
        self.position = highest(engine, self._taken.relation, column=name) or self._after
        self.fence = self._watch.noted(live, self.position)

    def _asked(self) -> Asked:
        """The columns that something needs, and the rows since the watermark, whatever the spec wants of them."""
        read, source = self.use_case(), self.source()
        needed = {*asked(read, scope_of(read))[self._base].columns, *self._use_case.extract.row_key}
        needed |= {self._refresh.watermark or "", self._refresh.operation or ""}
        since = parse(beyond(self._refresh.watermark or "", self._floor(source)), source_types(read, self._base))
        columns = tuple(name for name in source.columns if name in needed)
        return Asked(name=self._base, source=source, columns=columns, where=conjuncts(since))

    def use_case(self) -> UseCase:
        """The use case with the feed in the place of the base source; rows without partner of a feed tell nothing."""
        extract = self._use_case.extract
        joins = tuple(join.model_copy(update={"orphans": "ignore"}) for join in extract.join)
        sources = {**self._use_case.sources, self._base: self.source()}
        changed = {"sources": sources, "extract": extract.model_copy(update={"join": joins})}
        return self._use_case.model_copy(update=changed)

    def paths(self, paths: Mapping[str, Where]) -> dict[str, Where]:
        """Where the sources of that use case stand."""
        return {**paths, self._base: self.place}

    def engine(self, engine: Engine) -> Engine:
        """An engine that reads the newest state of each row in the place of the base source."""
        return cast(Engine, _Reading(engine, self))

    def bound(self, engine: Engine, source: Source) -> BoundSource:
        """Read the feed: what is new in it, and of that what stands.

        Raises:
            SourceError: it is missing or not shaped as declared.
            QualityError: `refresh-operation`, `refresh-order`.
        """
        bound: BoundSource = self._taken or engine.bind(self._base, source, path=self.place)
        at, since = quoted(self._refresh.watermark or ""), ""
        if self._after is not None:
            since = f" WHERE {at} >= {self._told(source)}"
        engine.define(_SINCE, f"SELECT * FROM {quoted(bound.relation)}{since}")  # noqa: S608 (quoted names)
        self._require(engine)
        keys = ", ".join(map(quoted, self._use_case.extract.row_key))
        ranked = f"row_number() OVER (PARTITION BY {keys} ORDER BY {at} DESC) AS {quoted(_RANK)}"
        newest = f"SELECT * FROM (SELECT *, {ranked} FROM {quoted(_SINCE)}) r WHERE {quoted(_RANK)} = 1"  # noqa: S608
        engine.define(_NEWEST, newest)
        upserts = self._among(self._refresh.upsert)
        engine.define(_STAND, f"SELECT * FROM {quoted(_NEWEST)} WHERE {upserts}")  # noqa: S608 (quoted names)
        self.position = highest(engine, _SINCE, column=self._refresh.watermark or "") or self._after
        if isinstance(bound, Adoption):
            return replace(bound, bound=replace(cast(Any, bound.bound), relation=_STAND))
        return cast(BoundSource, replace(cast(Any, bound), relation=_STAND))

    def touched(self, protected: ProtectedSample) -> Codes:
        """Ascending tokens of the rows that the feed names."""
        key = text_key(self._use_case.extract.row_key)
        sql = f"SELECT {key} AS {quoted(ROW_KEY)} FROM {quoted(_NEWEST)}"  # noqa: S608 (quoted names)
        found = [np.empty(0, np.uint64)]
        for batch in protected.checked.sample.engine.batches(sql, rows=_ROWS):
            tokens = protected.kernel.row_tokens(batch).drop_null()
            found.append(token_words(tokens)[:, 0].astype(np.uint64))
        return distinct(np.concatenate(found))

    def source(self) -> Source:
        """The feed with the columns of the base source."""
        base, feed = self._use_case.sources[self._base], self._refresh.changes
        if feed is None:
            return base
        return feed.model_copy(update={"columns": {**base.columns, **feed.columns}})

    def _told(self, source: Source) -> str:
        """From where on it is read, as SQL."""
        floor = self._floor(source)
        if isinstance(floor, int):
            return str(floor)
        kind = str(source.columns[self._refresh.watermark or ""].type)
        return f"CAST({literal(str(floor))} AS {'DATE' if kind == 'date' else 'TIMESTAMP'})"

    def _floor(self, source: Source) -> Floor:
        kind = str(source.columns[self._refresh.watermark or ""].type)
        return floor_of(self._after or "0", kind=kind, refresh=self._refresh)

    def _among(self, codes: tuple[str, ...]) -> str:
        listed = ", ".join(literal(code.lower()) for code in codes)
        return f"lower({quoted(self._refresh.operation or '')}) IN ({listed})"

    def _require(self, engine: Engine) -> None:
        """Refuse changes that nobody can order or name."""
        at, keys = quoted(self._refresh.watermark or ""), [quoted(name) for name in self._use_case.extract.row_key]
        known = self._among((*self._refresh.upsert, *self._refresh.delete))
        holes = " OR ".join(f"{name} IS NULL" for name in (at, *keys))
        odd = f"SELECT count(*) FROM {quoted(_SINCE)} WHERE NOT coalesce({known}, FALSE) OR {holes}"  # noqa: S608
        if rows := int(engine.rows(odd)[0][0]):
            raise _unnamed(self._refresh, rows)
        grouped = f"SELECT count(*) AS n FROM {quoted(_SINCE)} GROUP BY {', '.join(keys)}, {at} HAVING count(*) > 1"  # noqa: S608
        if rows := int(engine.rows(f"SELECT coalesce(sum(n), 0) FROM ({grouped}) g")[0][0]):  # noqa: S608
            raise _unordered(self._refresh, rows)


class _Reading:
    """An engine whose base source is the feed."""

    def __init__(self, engine: Engine, feed: ChangeFeed) -> None:
        self._engine, self._feed = engine, feed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def bind(self, name: str, source: Source, *, path: Where, **how: Any) -> BoundSource:
        """As `Engine.bind`; of the feed no row may stay behind, since one that is wanted no more has to leave."""
        if path is self._feed.place:
            return self._feed.bound(self._engine, source)
        return self._engine.bind(name, source, path=path, **how)


def highest(engine: Engine, relation: str, *, column: str) -> str | None:
    """The highest value of a column, as text; None where there is none."""
    found = engine.rows(f"SELECT max({quoted(column)}) FROM {quoted(relation)}")[0][0]  # noqa: S608 (quoted names)
    return None if found is None else str(found)


def _unnamed(refresh: Refresh, rows: int) -> QualityError:
    return QualityError(
        "refresh-operation",
        asked="follow a feed of changes",
        found=f"{rows:,} rows without a key, without `{refresh.watermark}`, or whose `{refresh.operation}` is none of "
        "those declared",
        expected=f"one of {', '.join((*refresh.upsert, *refresh.delete))}, in whatever case, beside key and watermark",
        todo="declare what the feed says in `refresh.upsert` and `refresh.delete`, or correct the feed",
    )


def _unordered(refresh: Refresh, rows: int) -> QualityError:
    return QualityError(
        "refresh-order",
        asked="follow a feed of changes",
        found=f"{rows:,} rows of one key and one `{refresh.watermark}`, so that none is the newest",
        expected="a watermark that orders the changes of a row",
        todo="declare a finer column as `refresh.watermark`, such as a sequence number",
    )
