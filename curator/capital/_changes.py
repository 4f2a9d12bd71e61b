"""A feed of changes in the place of the base source: of each row that changed only its newest state is read.

    feed ─► rows since the watermark ─► the newest of each row key ─► upserts: extracted, checked and protected as ever
                                                               └────► every key among them: rows that may have to leave

The engine does all of it; only row keys, tokenised at once, and the watermark come out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from curator.addresses import Address
from curator.arrow import token_words
from curator.errors import QualityError
from curator.files import Where
from curator.kernel import ROW_KEY
from curator.protocols import BoundSource, Engine
from curator.rowindex import Codes
from curator.samples import ProtectedSample
from curator.sources import is_live
from curator.spec import UseCase
from curator.spec.model import Refresh, Source
from curator.sqltext import literal, quoted, text_key

_SINCE, _NEWEST, _STAND = "changes since", "changes newest", "changes standing"
_RANK = ".newest"
_ROWS = 131_072


class ChangeFeed:
    """The feed that a use case declares.

    Args:
        use_case: with `refresh.changes`.
        place: where the feed stands.
        after: the watermark that was reached before; None to read all of it.
    """

    def __init__(self, use_case: UseCase, *, place: Where, after: str | None) -> None:
        self._use_case, self.place, self._after = use_case, place, after
        self._refresh = use_case.refresh or Refresh()
        self._base = use_case.extract.from_
        self.position: str | None = after

    @property
    def readable(self) -> bool:
        """Whether it stands in files; the changes of a live source are found by a comparison of all rows."""
        return not (isinstance(self.place, Address) and is_live(self.place))

    def use_case(self) -> UseCase:
        """The use case with the feed in the place of the base source."""
        return self._use_case.model_copy(update={"sources": {**self._use_case.sources, self._base: self.source()}})

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
        bound = engine.bind(self._base, source, path=self.place)
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
        return cast(BoundSource, replace(cast(Any, bound), relation=_STAND))

    def touched(self, protected: ProtectedSample) -> Codes:
        """Ascending tokens of the rows that the feed names."""
        key = text_key(self._use_case.extract.row_key)
        sql = f"SELECT {key} AS {quoted(ROW_KEY)} FROM {quoted(_NEWEST)}"  # noqa: S608 (quoted names)
        found = [np.empty(0, np.uint64)]
        for batch in protected.checked.sample.engine.batches(sql, rows=_ROWS):
            tokens = protected.kernel.row_tokens(batch).drop_null()
            found.append(token_words(tokens)[:, 0].astype(np.uint64))
        return np.unique(np.concatenate(found))

    def source(self) -> Source:
        """The feed with the columns of the base source."""
        base, feed = self._use_case.sources[self._base], self._refresh.changes
        if feed is None:
            return base
        return feed.model_copy(update={"columns": {**base.columns, **feed.columns}})

    def _told(self, source: Source) -> str:
        """The watermark reached before, as SQL."""
        kind = str(source.columns[self._refresh.watermark or ""].type)
        if kind == "integer":
            return str(int(self._after or "0"))
        return f"CAST({literal(self._after or '')} AS {'DATE' if kind == 'date' else 'TIMESTAMP'})"

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
