"""Reading live sources: each address opened once, all tables of one moment, what was read named by a keyed digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, datetime
from io import UnsupportedOperation
from typing import IO, Any

import pyarrow as pa

from curator.addresses import Address
from curator.files import Identity
from curator.protocols import (
    Asked,
    AskedClasses,
    AskedJoin,
    AskedJoined,
    BoundSource,
    CountsClasses,
    CountsPartners,
    Engine,
    JoinsTables,
    LiveSource,
    LiveTable,
    TellsWatermark,
)
from curator.sources._digest import RowsDigest
from curator.sources._schemes import source_class

_CLASSES = "classes of the population"
_AHEAD = 16  # batches that wait for the digest; each is held in memory meanwhile


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was read of one live source.

    Attributes:
        name: how evidence calls it: database and table, neither host nor user.
        scheme: of its address.
        snapshot: the moment it was read at, as the source names it.
        rows, size: what it handed over; the size is that in memory, in bytes.
        taken: HMAC-SHA256 of the columns and rows handed over, in their order; None when no key was given.
        joined: the sources whose rows came joined, this one among them; empty when it came alone.
    """

    name: str
    scheme: str
    snapshot: Mapping[str, str]
    rows: int
    size: int
    taken: str | None = None
    joined: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Scheme, database and table: what tells it from other places of a run."""
        return f"{self.scheme}:{self.name}"

    @property
    def path(self) -> None:
        """It is no file."""

    def open(self, *, parts: bool = False) -> IO[bytes]:
        """What was read of a database cannot be read again. Raises UnsupportedOperation."""
        raise UnsupportedOperation("what was read of a live source cannot be read again")

    def identity(self) -> Identity:
        """Its size, and the moment it was read at."""
        return Identity(self.size, 0, self.snapshot.get("time", ""))

    def digest(self, key: bytes) -> str:
        """The digest that was taken while the rows passed: there is no file to be compared with."""
        if self.taken is None:
            raise ValueError("rows that were read without a key have no digest")
        return self.taken

    def facts(self) -> dict[str, Any]:
        """What the evidence says of it."""
        return {
            "database": self.name, "scheme": self.scheme, "snapshot": dict(self.snapshot), "bytes": self.size,
            "rows_read": self.rows, **({"joined_there": list(self.joined)} if self.joined else {}),
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Adoption:
    """A live source that was read into an engine; see `curator.protocols.BoundSource`.

    Attributes:
        bound: what the engine took in; of joined rows, the same for each of their sources.
        reading: what was read.
        estimated_rows: the rows of the table that may be wanted.
        raw_columns: texts of its cells without a value of their declared type.
        unread: columns of the table that did not leave it.
    """

    bound: BoundSource
    reading: Reading
    estimated_rows: int
    raw_columns: Mapping[str, str]
    unread: Sequence[str]

    @property
    def relation(self) -> str:
        """Its name in the engine."""
        return self.bound.relation

    @property
    def fingerprint(self) -> tuple[int, int]:
        """Bytes that were read; no time, for what was read cannot change."""
        return self.reading.size, 0

    @property
    def places(self) -> tuple[Reading]:
        """What was read, whose digest was taken meanwhile."""
        return (self.reading,)

    def unchanged(self) -> None:
        """What was read is of one moment, and cannot change any more."""

    def facts(self) -> dict[str, Any]:
        """Database, table, moment, rows and bytes."""
        return self.reading.facts()


@dataclass
class Snapshots:
    """The live sources of one run. Use it in a `with` statement: its end ends every reading, and may refuse it.

    Args:
        key: for the digests of what is read; none are taken without.
    """

    key: bytes | None = None
    _open: dict[str, LiveSource] = field(default_factory=dict)
    _ends: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Snapshots:
        return self

    def __exit__(self, *fault: object) -> None:
        self._ends.close()

    def adopt(self, asked: Asked, where: Address, *, engine: Engine) -> Adoption:
        """Read one table to its end into an engine.

        Raises:
            SourceError: the source cannot be read, or is not as declared.
        """
        source = self._opened(where, asked.name)
        with _Metered(source.table(asked), self.key) as table:
            bound = engine.adopt(asked.name, asked.source, table=table)
        reading = _reading(source, where, asked=asked, table=table)
        return Adoption(
            bound=bound,
            reading=reading,
            estimated_rows=reading.rows,
            raw_columns=bound.raw_columns,
            unread=bound.unread,
        )

    def joinable(self, join: AskedJoin, tables: Mapping[str, Asked], *, where: Address) -> bool:
        """Whether the database at an address joins a table to those before it as the engine would."""
        source = self._opened(where, join.asked.name)
        return isinstance(source, JoinsTables) and source.joinable(join, tables)

    def adopt_joined(self, asked: AskedJoined, where: Address, *, engine: Engine, alone: Asked) -> dict[str, Adoption]:
        """Read joined rows to their end into an engine, as the relation of their base.

        Args:
            asked: the tables.
            where: the database that holds them all.
            engine: where to.
            alone: what the base would be asked by itself: so many rows it is estimated to have.

        Returns:
            Source -> its part of what was read.

        Raises:
            SourceError: a source cannot be read, or is not as declared.
        """
        source = self._opened(where, asked.base.name)
        if not isinstance(source, JoinsTables):  # pragma: no cover (`joinable` was asked)
            raise TypeError(where.scheme)
        rows = source.count(alone)
        joined = source.joined(asked)
        with _Metered(joined, self.key) as table:
            bound = engine.adopt(asked.rows.name, asked.rows.source, table=table)
        return {
            name: Adoption(
                bound=bound,
                reading=_reading(source, where, asked=one, table=table, joined=tuple(asked.tables)),
                estimated_rows=rows,
                raw_columns={key: sql for key, sql in bound.raw_columns.items() if asked.origin[key] == name},
                unread=joined.unread_of.get(name, ()),
            )
            for name, one in asked.tables.items()
        }

    def classes(self, asked: AskedClasses, where: Address, *, engine: Engine) -> str | None:
        """Have a database count the classes of a population that stands in it; the counts become a relation.

        Returns:
            Its name in the engine; None where the database cannot count as the engine would.

        Raises:
            SourceError: a source cannot be read, or is not as declared.
        """
        source = self._opened(where, asked.tables[0].name)
        counts = source.classes(asked) if isinstance(source, CountsClasses) else None
        return None if counts is None else engine.adopt(_CLASSES, asked.counts.source, table=counts).relation

    def without_partner(
        self, left: tuple[Asked, Address], right: tuple[Asked, Address], *, on: Sequence[str]
    ) -> tuple[int, int] | None:
        """Rows of each of two tables without partner in the other, counted by the database that holds both.

        None where they are not of one database, or it does not count as the engine would.
        """
        if left[1].text != right[1].text or left[0].source.where or right[0].source.where:
            return None
        source = self._opened(left[1], left[0].name)
        return source.without_partner(left[0], right[0], on=on) if isinstance(source, CountsPartners) else None

    def highest(self, asked: Asked, where: Address, *, column: str) -> str | None:
        """The highest value of a column of a live table, as text; None without one, or where it cannot be told."""
        source = self._opened(where, asked.name)
        return source.highest(asked, column) if isinstance(source, TellsWatermark) else None

    def earlier(self, asked: Asked, where: Address, *, column: str, floor: int | date | datetime) -> int | None:
        """A figure of the rows of a live table below a value of a column; None where they cannot be told."""
        source = self._opened(where, asked.name)
        return source.earlier(asked, column, floor=floor) if isinstance(source, TellsWatermark) else None

    def _opened(self, address: Address, source: str) -> LiveSource:
        if address.text not in self._open:
            self._open[address.text] = source_class(address, source=source)(address, source=source)
            self._ends.callback(self._open[address.text].close)
        return self._open[address.text]


def _reading(
    source: LiveSource, where: Address, *, asked: Asked, table: _Metered, joined: tuple[str, ...] = ()
) -> Reading:
    return Reading(
        name=f"{where.name} {asked.source.table or asked.name}",
        scheme=where.scheme,
        snapshot=source.snapshot(),
        rows=table.rows,
        size=table.size,
        taken=table.digest(),
        joined=joined,
    )


class _Metered:
    """A table whose batches are counted and hashed as they pass, the hashing on a thread of its own."""

    def __init__(self, table: LiveTable, key: bytes | None) -> None:
        self._table, self._hash = table, None if key is None else RowsDigest(key, table.schema)
        self._worker = ThreadPoolExecutor(1)
        self.rows = self.size = 0

    def __enter__(self) -> _Metered:
        return self

    def __exit__(self, *_: object) -> None:
        self._worker.shutdown()

    @property
    def schema(self) -> pa.Schema:
        """Of the table."""
        return self._table.schema

    @property
    def unread(self) -> Sequence[str]:
        """As of the table."""
        return self._table.unread

    @property
    def statement(self) -> str | None:
        """As of the table."""
        return self._table.statement

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Those of the table; what is hashed lags some batches behind what is given."""
        waiting: list[Future[None]] = []
        for batch in self._table.batches():
            self.rows += len(batch)
            self.size += batch.nbytes
            if self._hash is not None:
                waiting.append(self._worker.submit(self._hash.add, batch))
                if len(waiting) > _AHEAD:
                    waiting.pop(0).result()
            yield batch
        for job in waiting:
            job.result()

    def digest(self) -> str | None:
        """Of all that passed; None without a key."""
        return None if self._hash is None else self._hash.hexdigest()
