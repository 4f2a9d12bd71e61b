"""What the verbs ask of an engine and of a live source. Only Arrow batches and small results cross this line.

A file is read by the engine itself (`Engine.bind`). A live source, such as a database, hands its rows over instead:

    Asked ─► LiveSource.table ─► LiveTable ─► Engine.adopt ─► a relation of the run, like any bound file

`Asked` says which columns something needs and which rows may stay behind. What a source leaves behind is only ever a
saving: the engine applies every condition again, so a source may ignore conditions, but never drop a row that meets
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    import pyarrow as pa

    from curator.expressions import Engine as Dialect
    from curator.expressions import Expression
    from curator.files import Place, Where
    from curator.spec.model import Source


Step: TypeAlias = "Callable[[pa.RecordBatch], tuple[pa.RecordBatch | None, ...]]"
"""A pure function from one batch of rows to a few."""


class Engine(Protocol):
    """An engine that holds relations by name and answers SQL over them.

    SQL text given to an engine is always built by curator from a checked spec; it never holds a key or a row value.
    """

    @property
    def dialect(self) -> Dialect:
        """The dialect in which formulas are printed: `duckdb`, `spark` or `postgres`."""

    def describe(self) -> dict[str, Any]:
        """Name, version and settings, for the evidence."""

    def bind(self, name: str, source: Source, *, path: Where, asked: Asked | None = None) -> BoundSource:
        """Make a source readable as relation `name`, typed as declared. Raises SourceError.

        Of a source that must be copied to be read, columns and rows that `asked` does not want may be left out.
        """

    def adopt(self, name: str, source: Source, *, table: LiveTable) -> BoundSource:
        """Take in the rows of a live source as relation `name` of the run, typed as declared, read to their end.

        The relation has every declared column: one that the table does not hand over was not asked for, and is null.
        Cells are read by the rules of files: a text that cannot be read as its declared type, a number that is not
        finite, a day outside the years 1 to 9999 become null, and `raw_columns` keeps their text. Rows may not be kept
        on a disk in clear. Raises SourceError, and whatever the table's batches raise.
        """

    def define(self, name: str, sql: str) -> None:
        """Name a query as a relation (not materialised)."""

    def define_files(self, name: str, paths: Sequence[Path]) -> None:
        """Name Parquet shards as one relation."""

    def materialise(self, name: str, sql: str) -> None:
        """Keep the result of a query for the run, in memory or in encrypted temporary files."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result (counts, figures)."""

    def batches(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """A query's rows as record batches of about `rows` rows, read as they are asked for."""

    def mapped(self, sql: str, step: Step, *, rows: int) -> Iterator[tuple[pa.RecordBatch | None, ...]]:
        """A query's rows, each batch of at most `rows` passed through a pure function where the rows are.

        On a cluster the function runs on its workers: it must be picklable and hold no file and no connection. Batches
        come in any order.
        """

    def close(self) -> None:
        """Release memory and temporary files."""


Spreading: TypeAlias = "Callable[[Iterator[pa.RecordBatch]], Iterator[tuple[int, bytes]]]"
"""A function from the batches of one part of the rows to bytes: by range, or for the asker under a number below 0."""

Gathering: TypeAlias = "Callable[[int, Iterable[bytes]], bytes]"
"""A function from the bytes of one range, in any order, to a few bytes for the asker."""


@runtime_checkable
class SpreadsRows(Protocol):
    """What an engine of several processes may do besides: keep rows by range where they are, and work on them there."""

    def reaches(self, folder: Path) -> bool:
        """Whether every process of the engine writes into this very folder."""

    def spread(self, sql: str, spreading: Spreading, *, rows: int, ranges: int) -> Spread:
        """Pass a query's rows, in batches of at most `rows`, through a function, and keep what it gives by range.

        Both functions run in the engine's processes, perhaps more than once: they must be picklable and hold no file.
        """


class Spread(Protocol):
    """Rows kept by range in the processes of an engine."""

    def notes(self) -> Iterator[bytes]:
        """What was given for the asker."""

    def gathered(self, gathering: Gathering) -> Iterator[bytes]:
        """What a function gives of each range that has bytes, in any order."""

    def forget(self) -> None:
        """Let go of the rows."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a run asks of one source: the columns that something needs, and what is known of the rows wanted.

    Attributes:
        name: of the source in the spec.
        source: its declaration.
        columns: names in the spec of the declared columns that something needs, in the order of the spec.
        where: conditions over these columns, by their names in the spec; a row that fails one (null counts as failing)
            is wanted by nobody.
        share: condition of the sample over the texts of the sampling key, where a threshold alone decides; takes the
            SQL of each key column as text in the source's dialect, which must have `md5`, `substr` and `||`.
    """

    name: str
    source: Source
    columns: tuple[str, ...]
    where: tuple[Expression, ...] = ()
    share: Callable[[Mapping[str, str]], str | None] | None = None


@dataclass(frozen=True, kw_only=True)
class AskedJoin:
    """A table to be brought to the tables before it, where they all stand in one live source.

    Attributes:
        asked: the table, its columns and rows.
        on: key -> the source before it that the key is of; the same name on both sides.
        kind: `inner`, or `left`, which keeps rows without partner.
    """

    asked: Asked
    on: Mapping[str, str]
    kind: Literal["inner", "left"]


@dataclass(frozen=True, kw_only=True)
class AskedJoined:
    """Several tables of one live source, to be handed over as joined rows.

    Attributes:
        rows: the columns of the joined rows and what is known of those wanted; its source declares the columns of all
            tables by their names in the spec, and has no table.
        base: the first table.
        joins: the tables brought to it, in their order.
        origin: column of `rows` -> the source it is of.
    """

    rows: Asked
    base: Asked
    joins: tuple[AskedJoin, ...]
    origin: Mapping[str, str]

    @property
    def tables(self) -> dict[str, Asked]:
        """Source -> what is asked of it."""
        return {one.name: one for one in (self.base, *(join.asked for join in self.joins))}


class WritesCounts(Protocol):
    """Writes the query that counts the classes of a population."""

    def __call__(self, values: Sequence[str], *, rows: str, dialect: Dialect) -> str:
        """The query.

        Args:
            values: SQL of each formula.
            rows: what stands after `FROM`.
            dialect: of the source.
        """


@dataclass(frozen=True, kw_only=True)
class AskedClasses:
    """The classes of a population that stands in one live source, to be counted there.

    Attributes:
        rows: the population's rows; their conditions are all that there are, and only those that the source and the
            engine decide alike may be decided there.
        formulas: the values to be counted, over the columns of `rows`.
        counts: columns of the answer, under the name of the population's first table.
        statement: writes the query.
    """

    rows: Asked | AskedJoined
    formulas: tuple[Expression, ...]
    counts: Asked
    statement: WritesCounts

    @property
    def tables(self) -> tuple[Asked, ...]:
        """What is asked of each table."""
        return tuple(self.rows.tables.values()) if isinstance(self.rows, AskedJoined) else (self.rows,)


class LiveTable(Protocol):
    """One table of a live source, its rows on their way. It is read once."""

    @property
    def schema(self) -> pa.Schema:
        """The columns asked for, by their names in the spec.

        A column of strings whose declared type is no text is read by the rules of a text file; any other has an Arrow
        type that holds its declared type without loss.
        """

    @property
    def unread(self) -> Sequence[str]:
        """Columns of the table that the spec does not declare, and which therefore do not leave it."""

    @property
    def statement(self) -> str | None:
        """What the source is asked, in its own language; None where it has none."""

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, as they come; memory does not grow with their number. Raises SourceError."""


class LiveSource(Protocol):
    """An open live source: everything read through it is of one moment.

    A class of such sources is called with the `curator.addresses.Address` to open; see `curator.sources.register`.
    """

    def table(self, asked: Asked) -> LiveTable:
        """A table of which columns and rows are asked. Raises SourceError when it is not as declared."""

    def snapshot(self) -> Mapping[str, str]:
        """The moment that all tables are of, for the evidence: by what means, and when. Neither host nor user."""

    def close(self) -> None:
        """End the reading. Raises SourceError when what was read is not of one moment after all."""


@runtime_checkable
class CountsPartners(Protocol):
    """What a live source may do besides: count rows without partner itself, so that only two numbers travel."""

    def without_partner(self, left: Asked, right: Asked, *, on: Sequence[str]) -> tuple[int, int] | None:
        """Rows of each of two whole tables to which no row of the other has equal keys; a key with a null has no equal.

        None where the source might count otherwise than the engine, which then reads both tables whole.
        """


@runtime_checkable
class TellsWatermark(Protocol):
    """What a live source may do besides: tell how far a column that grows reaches, and which rows are below a value."""

    def highest(self, asked: Asked, column: str) -> str | None:
        """The highest value that the engine would read, as `str` writes the int, date or datetime; None without one."""

    def earlier(self, asked: Asked, column: str, *, floor: int | date | datetime) -> int | None:
        """A figure of the rows of the whole table below a value, or without one; 0 where there are none.

        Other rows have another figure, also where they are as many: it mixes their values of that column. None where
        the source might compare otherwise.
        """


class JoinedTable(LiveTable, Protocol):
    """Joined rows of a live source."""

    @property
    def unread_of(self) -> Mapping[str, Sequence[str]]:
        """Source -> columns of its table that the spec does not declare."""


@runtime_checkable
class JoinsTables(Protocol):
    """What a live source may do besides: join tables itself, where it compares keys as the engine does."""

    def joinable(self, join: AskedJoin, tables: Mapping[str, Asked]) -> bool:
        """Whether it compares the keys of a join as the engine does.

        Args:
            join: the join.
            tables: the tables before it, by the name of their source.
        """

    def joined(self, asked: AskedJoined) -> JoinedTable:
        """The joined rows. Raises SourceError when a table is not as declared."""

    def count(self, asked: Asked) -> int:
        """How many rows `table` would hand over."""


@runtime_checkable
class CountsClasses(Protocol):
    """What a live source may do besides: count the classes of a population itself, so that only counts travel."""

    def classes(self, asked: AskedClasses) -> LiveTable | None:
        """The counts.

        None where the source might decide a condition or a value otherwise than the engine, or would hand over the
        rows that a sample leaves out all the same. Raises SourceError when a table is not as declared.
        """


class BoundSource(Protocol):
    """A source that an engine can read."""

    @property
    def relation(self) -> str:
        """The relation's name in the engine."""

    @property
    def estimated_rows(self) -> int:
        """Rows by the file's own account, or an estimate from its size; the same for the same bytes."""

    @property
    def raw_columns(self) -> Mapping[str, str]:
        """Name -> SQL of the cell as text, for columns whose cells may be unreadable as their declared type."""

    @property
    def unread(self) -> Sequence[str]:
        """Columns of the source that the spec does not declare, and which are therefore never read."""

    @property
    def fingerprint(self) -> tuple[int, int]:
        """Size and modification time at binding."""

    @property
    def places(self) -> Sequence[Place]:
        """The files it consists of, or the table of a live source."""

    def unchanged(self) -> None:
        """Refuse a source that changed since it was bound. Raises SourceError `source-changed`."""

    def facts(self) -> dict[str, Any]:
        """What the evidence says of it: names of files and sizes, or the snapshot of a database; no value."""
