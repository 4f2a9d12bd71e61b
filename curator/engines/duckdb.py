"""DuckDB as the default engine: in-process, out of core, its temporary files encrypted.

Nothing is installed or fetched. What DuckDB says may quote cells, so it never leaves this file: it is turned into
curator errors that name the table, the line and the kind of fault only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from curator.engines._adopted import Adopted, remembering, taking
from curator.engines._readers import Bound, kind_of, one_file, only_database, read_sql, require_table
from curator.engines._refusals import no_memory, no_space, too_large
from curator.engines._spill import PROTOCOL, SealedSpill
from curator.engines._sqlite import file_and_log, sqlite_rows
from curator.engines._streams import FileStreams
from curator.engines._whole import require_whole_sqlite
from curator.errors import CuratorError, SourceError
from curator.expressions import Engine as Dialect
from curator.files import Where, files_of, unreadable
from curator.protocols import Asked, LiveTable, Step
from curator.spec.model import Source, SourceFormat
from curator.sqltext import literal, quoted

_STREAMING_BUFFER = "64MB"
_TAKING = "1GB"
_MANY = 200  # columns in which the engine looks for common parts for far longer than it takes to compute them twice
_FULL = "No space left"  # of the operating system, through the engine
_OURS = "_spill.py"  # in a fault of the place it spills to


class DuckDBEngine:
    """One in-memory DuckDB database for one run.

    Args:
        scratch: private folder for encrypted temporary files.
        threads, memory: limits; DuckDB's own defaults when None.
    """

    dialect: Dialect = "duckdb"

    def __init__(self, *, scratch: Path, threads: int | None = None, memory: str | None = None) -> None:
        self._attached: dict[Path, str] = {}
        self._limited = memory is not None
        self._streams = FileStreams()
        self._connection = duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "allow_community_extensions": False,
            }
        )
        settings: dict[str, str | int | bool] = {
            "temp_directory": f"{PROTOCOL}://engine",
            "preserve_insertion_order": False,
            "enable_progress_bar": False,  # else a long query draws one on standard output
            "streaming_buffer_size": _STREAMING_BUFFER,
            "TimeZone": "UTC",
        }
        if threads:
            settings["threads"] = threads
        if memory:
            settings["memory_limit"] = memory
        with _translated("set up the engine"):
            self._connection.register_filesystem(SealedSpill(scratch))
            self._connection.register_filesystem(self._streams)
            for name, value in settings.items():
                self._connection.execute(f"SET {name} = {_setting(value)}")

    def describe(self) -> dict[str, Any]:
        """Name, version and settings."""
        threads, memory = self.rows("SELECT current_setting('threads'), current_setting('memory_limit')")[0]
        return {"name": "duckdb", "version": duckdb.__version__, "threads": int(threads), "memory_limit": str(memory)}

    def bind(self, name: str, source: Source, *, path: Where, asked: Asked | None = None) -> Bound:
        """Make a source readable. Raises SourceError when it is missing or not shaped as declared."""
        with self._reading(f"read the source `{name}`"):
            if len(source.columns) > _MANY:
                self._connection.execute("SET disabled_optimizers = 'common_subexpressions'")
            snapshot, places = files_of(name, path)
            files = places
            kinds = {kind_of(name, source, place=place) for place in places}
            if kinds & {SourceFormat.sqlite, SourceFormat.duckdb}:
                database = only_database(name, places)
                snapshot, files = file_and_log(name, database)
                if SourceFormat.sqlite in kinds:
                    self._load_sqlite(name, source, path=database, asked=asked)
                else:
                    self._attach(name, source, path=database)
            bound = read_sql(name, source, places=places, describe=self._columns_of, streams=self._streams)
            self.define(bound.relation, bound.sql)
        fingerprint = (snapshot.size, snapshot.changed)
        return replace(bound, places=files, snapshot=snapshot, fingerprint=fingerprint)

    def adopt(self, name: str, source: Source, *, table: LiveTable) -> Adopted:
        """Take rows in as a temporary table, which spills encrypted; they pass once, as they come."""
        faults: list[Exception] = []
        try:
            with self._reading(f"read the source `{name}`"):
                return self._taken(name, source, table=table, faults=faults)
        except CuratorError:
            if faults:
                raise faults[0] from None
            raise

    def _taken(self, name: str, source: Source, *, table: LiveTable, faults: list[Exception]) -> Adopted:
        kept, arriving = quoted(f"taken {name}"), f"arriving {name}"
        self._connection.register(arriving, table.schema.empty_table())
        way = taking(name, source, physical=self._columns_of(f"SELECT * FROM {quoted(arriving)}"))  # noqa: S608 (quoted)
        reader = pa.RecordBatchReader.from_batches(table.schema, remembering(table.batches(), faults))
        self._connection.register(arriving, reader)
        rows = f"SELECT {', '.join(way.selected)} FROM {quoted(arriving)}"  # noqa: S608 (quoted identifiers)
        with self._spilling():
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {kept} AS {rows}")
        self._connection.unregister(arriving)
        relation = f"source {name}"
        self.define(relation, f"SELECT {', '.join(way.shown)} FROM {kept}")  # noqa: S608 (quoted identifiers)
        count = int(self.rows(f"SELECT count(*) FROM {kept}")[0][0])  # noqa: S608 (quoted identifier)
        return Adopted(relation=relation, estimated_rows=count, raw_columns=way.raw, unread=tuple(table.unread))

    @contextmanager
    def _spilling(self) -> Iterator[None]:
        """Let rows taken in fill no more than this, where nobody set a limit: what is more spills encrypted."""
        if self._limited:
            yield
            return
        self._connection.execute(f"SET memory_limit = {literal(_TAKING)}")
        try:
            yield
        finally:
            self._connection.execute("RESET memory_limit")

    def define(self, name: str, sql: str) -> None:
        """Name a query."""
        with self._reading("prepare the extraction"):
            self._connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {sql}")

    def define_files(self, name: str, paths: Sequence[Path]) -> None:
        """Name Parquet shards as one relation."""
        files = ", ".join(one_file(path) for path in paths)
        self.define(name, f"SELECT * FROM read_parquet([{files}], hive_partitioning = false)")  # noqa: S608 (escaped literals)

    def materialise(self, name: str, sql: str) -> None:
        """Keep a query's result for the run."""
        with self._reading("read the sources"):
            self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {quoted(name)} AS {sql}")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with self._reading("read the sources"):
            return list(self._connection.execute(sql).fetchall())

    def batches(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """A query's rows as record batches, streamed."""
        with self._reading("read the sources"):
            reader = self._connection.sql(sql).to_arrow_reader(rows)
            yield from reader

    def mapped(self, sql: str, step: Step, *, rows: int) -> Iterator[tuple[pa.RecordBatch | None, ...]]:
        """A query's rows, each batch passed through a function, streamed."""
        for batch in self.batches(sql, rows=rows):
            yield step(batch)

    def close(self) -> None:
        """Close the database; its temporary files go with it."""
        self._connection.close()

    @contextmanager
    def _reading(self, asked: str) -> Iterator[None]:
        """Turn the engine's faults into curator's; where a stream of ours refused, its own words are raised."""
        try:
            with _translated(asked):
                yield
        except CuratorError as refused:
            fault, self._streams.fault = self._streams.fault, None
            raise (fault or refused) from None

    def _columns_of(self, sql: str) -> dict[str, str]:
        """Column names and engine types of a query, without running it."""
        described = self._connection.execute(f"DESCRIBE {sql}").fetchall()
        return {row[0]: row[1] for row in described}

    def _attach(self, name: str, source: Source, *, path: Path) -> None:
        """Name the table or view; one outside the schema `main` is written `schema.table`. A file is attached once."""
        place = path.resolve()
        if "\\" in str(path):  # DuckDB would open another file, or none
            reason = "a database below a folder, or of a name, with a backslash, which DuckDB takes for a `/`"
            raise unreadable(name, reason, todo="give a copy, or a link, whose path has no backslash")
        if place not in self._attached:
            self._attached[place] = "db_" + name
            self._connection.execute(f"ATTACH {literal(str(path))} AS {quoted('db_' + name)} (READ_ONLY)")
        database = self._attached[place]
        query = "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ?"
        found = {
            table if schema == "main" else f"{schema}.{table}": f"{quoted(database)}.{quoted(schema)}.{quoted(table)}"
            for schema, table in self._connection.execute(query, [database]).fetchall()
        }
        table = source.table or name
        require_table(name, table, present=list(found))
        _require_own_rows(name, path, relation=found[table].partition(".")[2])
        self.define("duckdb_" + name, f"SELECT * FROM {found[table]}")  # noqa: S608 (quoted identifiers)

    def _load_sqlite(self, name: str, source: Source, *, path: Path, asked: Asked | None) -> None:
        """Bring what is asked of a SQLite table in, through the standard library, every cell as text."""
        require_whole_sqlite(name, path)
        target, arriving = quoted("sqlite_" + name), f"arriving {name}"
        with sqlite_rows(name, source, path=path, asked=asked) as (present, reader):
            columns = ", ".join(f"{quoted(column)} VARCHAR" for column in present)
            self._connection.execute(f"CREATE TEMP TABLE {target} ({columns})")
            if reader.schema.names == ["nothing"]:
                return
            names = ", ".join(quoted(column) for column in reader.schema.names)
            faults: list[Exception] = []
            batches = pa.RecordBatchReader.from_batches(reader.schema, remembering(reader, faults))
            self._connection.register(arriving, batches)
            try:
                insert = f"INSERT INTO {target} ({names}) SELECT {names} FROM {quoted(arriving)}"  # noqa: S608 (quoted)
                self._connection.execute(insert)
            except (duckdb.Error, pa.ArrowException, OSError):
                if faults:
                    raise faults[0] from None
                raise
            finally:
                self._connection.unregister(arriving)


def _require_own_rows(name: str, path: Path, *, relation: str) -> None:
    """Refuse a view that reads more than its own file: files of this machine, or another source of the run.

    The relation is bound once where the file stands alone and nothing outside may be read. What a view brought from
    elsewhere would be in no digest of the source, and a file from a stranger must not choose what is read here.
    """
    try:
        with duckdb.connect(str(path), read_only=True) as alone:
            alone.execute("SET enable_external_access = false")  # once it is open: what stands beside it has odd names
            alone.execute(f"DESCRIBE SELECT * FROM {relation}")  # noqa: S608 (quoted identifiers)
    except (duckdb.PermissionException, duckdb.CatalogException, duckdb.BinderException):
        raise SourceError(
            "source-reads-elsewhere",
            asked=f"read the source `{name}`",
            found="a view that reads other files than its own database, or does not stand alone",
            expected="a table, or a view over tables of the same file: its digest is what the evidence names",
            todo="write the rows of the view into a table of the file, or name the other files as sources of their own",
        ) from None


def _setting(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, (bool, int)) else literal(value)


@contextmanager
def _translated(asked: str) -> Iterator[None]:
    """Turn the engine's faults into curator's; what the engine says is dropped, for it may quote a cell."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise no_memory(asked) from None
    except duckdb.IOException as fault:
        raise _io_fault(asked, str(fault)) from None
    except (duckdb.Error, sqlite3.Error) as fault:
        raise _fault(asked, fault) from None
    except (pa.ArrowException, OSError) as fault:
        # Once rows stream as Arrow, the engine's faults come as Arrow's, told apart by the first words of their text.
        if isinstance(fault, OSError) and fault.errno is not None:
            raise
        if "Out of Memory Error" in str(fault):
            raise no_memory(asked) from None
        if "IO Error" in str(fault):
            raise _io_fault(asked, str(fault)) from None
        raise _fault(asked, fault) from None


# Words of the engine that name a fault of shape; what else they say is dropped.
_SHAPES = {
    "Expected Number of Columns": "a row with another number of cells than the header",
    "unterminated quote": "a quote that is opened and never closed",
    "Maximum line size": "a line of more than 2 MB",
    "CSV Parser state machine": "text that is no CSV: a mix of line ends (CRLF and LF), or a quote inside a cell",
    "No magic bytes found": "a file that is no Parquet",
    "Footer length error": "a Parquet file that was cut short or damaged",
    "has duplicate key": "an object with one key twice",
    "not a valid DuckDB database": "a file that is no DuckDB database",
    "not a database": "a file that is no SQLite database",
    "Malformed JSON": "text that is not JSON",
}


# What mends a fault of shape, by a word of it.
_MENDED = {
    "mix of line ends": "give the file one kind of line end (`dos2unix FILE`); a quote inside a cell is "
    'written twice, or `quote: ""` says that quotes mean nothing',
    "Parquet": "correct `format` when it is another kind of file; else ask for it again and compare its digest",
    "JSON": "ask for the file again, or have it written anew: one value after the other, by a JSON writer",
    "2 MB": "close the quote that is left open; where a cell is that long, bring the table as Parquet or JSON lines",
    "key twice": "have the file written with each key once in an object: which of the two is meant, no reader can know",
    "": "check the separator, the quote and the number of columns of the source at that place",
}


def _io_fault(asked: str, message: str) -> CuratorError:
    if _FULL in message:
        return no_space(asked)
    return SourceError(
        "source-unreadable",
        asked=asked,
        found="a file that cannot be read, or that is not what its format says",
        expected="a readable file of the declared format",
        todo="check the file, its `format` and its permissions",
    )


def _fault(asked: str, fault: Exception) -> CuratorError:
    message = str(fault)
    if _FULL in message:
        return no_space(asked)
    if _OURS in message:
        return no_memory(asked)
    line = re.search(r"(?:on Line|in line|Line):?\s*(\d+)", message)
    place = f" at line {line.group(1)}" if line else ""
    shape = next((words for sign, words in _SHAPES.items() if sign in message), None)
    if shape is not None:
        return _malformed(asked, f"{shape}{place}")
    if isinstance(fault, duckdb.OutOfRangeException) or "Out of Range Error" in message:
        return too_large(asked)
    encoding = "unicode" in message.lower() or "utf-8" in message.lower() or "encoding" in message.lower()
    if encoding:
        return SourceError(
            "source-encoding",
            asked=asked,
            found=f"bytes that are not in the declared encoding{place}",
            expected="the encoding the file was written in",
            todo="state `encoding: latin-1` (or utf-16) in the source",
        )
    kind = type(fault).__name__
    article = "an" if kind[0] in "AEIO" else "a"
    return _malformed(asked, f"{article} {kind} of the engine{place} (its text is withheld: it may quote a cell)")


def _malformed(asked: str, found: str) -> SourceError:
    return SourceError(
        "source-malformed",
        asked=asked,
        found=found,
        expected="rows of the declared shape",
        todo=next((todo for sign, todo in _MENDED.items() if sign in found), _MENDED[""]),
    )
