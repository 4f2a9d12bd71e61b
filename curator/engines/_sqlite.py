"""SQLite files through the standard library: the columns that something needs, and rows by bounds of numbers and days.

A cell of SQLite has a type of its own, whatever its column declares (sqlite.org/datatype3.html), and numbers come
before all texts. So a condition is left to the file only for cells of the type that it is about; every other cell
passes, and the engine, which reads each as the text it would have in a file, decides.

Writers that keep a log beside the file (`-wal`, sqlite.org/wal.html) change the file itself only later: the log is part
of what is read, and a change of either refuses the run.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from curator.engines._columns import require_table
from curator.errors import SourceError
from curator.expressions import Range, ranges
from curator.files import Identity, LocalPlace, Place, Snapshot, bad_encoding, unreadable
from curator.protocols import Asked
from curator.spec.model import Column, Source
from curator.sqltext import quoted

_ROWS = 50_000
_LONGEST = 1 << 26  # bytes of a cell, and of a row
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNOPENED = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class LogPlace(LocalPlace):
    """The log beside a database file, told by what is in it: SQLite touches it whenever somebody reads."""

    def identity(self) -> Identity | None:
        """Size, time of the last change, and its head, which has salts (sqlite.org/fileformat2.html, 4.1)."""
        state = super().identity()
        if state is None or not state.size:
            return None
        with self.open() as stream:
            return Identity(state.size, state.changed, stream.read(32).hex())


def file_and_log(name: str, path: Path) -> tuple[Snapshot, tuple[Place, ...]]:
    """The state of a database file and of the log that writers keep beside it, and where the two are.

    SQLite calls its log `NAME-wal`, DuckDB `NAME.wal`.

    Args:
        name: of the source.
        path: of the file.
    """
    places = [LocalPlace(path), *(LogPlace(path.with_name(f"{path.name}{end}")) for end in ("-wal", ".wal"))]

    def look() -> dict[str, Identity]:
        states = {place.address: place.identity() for place in places}
        return {address: state for address, state in states.items() if state is not None}

    snapshot = Snapshot.take(name, look)
    return snapshot, tuple(place for place in places if place.address in snapshot.states)


@contextmanager
def sqlite_rows(
    name: str, source: Source, *, path: Path, asked: Asked | None
) -> Iterator[tuple[list[str], pa.RecordBatchReader]]:
    """The names of all columns of a table, and the rows of those that are asked for, every cell as text.

    Args:
        name: of the source.
        source: its declaration.
        path: of the database file.
        asked: columns and conditions; every declared column and row when None.

    Raises:
        SourceError: the table is missing, cells are bytes, or the file cannot be read.
    """
    table = source.table or name
    with _told(name, source), closing(_connected(path, source)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
        require_table(name, table, present=[found for (found,) in tables])
        present = [row[1] for row in connection.execute(f"PRAGMA table_xinfo({quoted(table)})") if row[6] != 1]
        keys = source.columns if asked is None else asked.columns
        spelt = [source.columns[key].column or key for key in keys]
        wanted = list(dict.fromkeys(column for column in spelt if column in present))
        schema = pa.schema([pa.field(column, pa.string()) for column in wanted or ("nothing",)])
        listed = ", ".join(quoted(column) for column in wanted) or "NULL"
        where = where_sql(asked, present) if asked is not None else ""
        cursor = connection.execute(f"SELECT {listed} FROM {quoted(table)}{where}")  # noqa: S608 (quoted identifiers)
        yield present, pa.RecordBatchReader.from_batches(schema, _batches(name, source, cursor=cursor, schema=schema))


def where_sql(asked: Asked, present: Sequence[str]) -> str:
    """The conditions that a SQLite file is left, as a WHERE clause; empty when there is none.

    Args:
        asked: columns and conditions.
        present: the columns of the table.
    """
    tests = []
    for condition in asked.where:
        for bound in ranges(condition) or ():
            column = asked.source.columns[bound.column]
            name = column.column or bound.column
            test = _test(bound, column, cell=quoted(name), source=asked.source) if name in present else None
            tests += [f"({test})"] if test else []
    return " WHERE " + " AND ".join(tests) if tests else ""


def _test(bound: Range, column: Column, *, cell: str, source: Source) -> str | None:
    """What every cell meets that the engine would read as meeting the bound; None where nothing is left out."""
    if bound.operator == "IS NOT NULL":
        return f"{cell} IS NOT NULL"
    if bound.operator == "IS NULL":
        return _null(column, cell, source=source)
    values = ", ".join(str(value) if isinstance(value, int) else f"'{value.isoformat()}'" for value in bound.values)
    right = f"({values})" if bound.operator == "IN" else values
    if column.type == "integer":
        number = f"typeof({cell}) IN ('integer', 'real')"
        return f"CASE WHEN {number} THEN {cell} {bound.operator} {right} ELSE {cell} IS NOT NULL END"
    if column.format is not None or column.type not in ("date", "timestamp"):
        return None
    time = "" if column.type == "date" else "[ T][0-2][0-9]:[0-9][0-9]*"
    spelt = f"typeof({cell}) = 'text' AND {cell} GLOB '{_DAY}{time}' AND substr({cell}, 12, 2) < '24'"
    day = f"substr({cell}, 1, 10)"
    return f"CASE WHEN {spelt} THEN {day} {bound.operator} {right} ELSE {cell} IS NOT NULL END"


def _null(column: Column, cell: str, *, source: Source) -> str | None:
    if source.null_tokens or column.type not in ("text", "free_text", "integer"):
        return None
    if column.type != "integer":
        return f"{cell} IS NULL"
    return f"typeof({cell}) <> 'integer'"


def _connected(path: Path, source: Source) -> sqlite3.Connection:
    # The engine takes the rows from a thread of its own, while this one waits.
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST)  # a view may make a cell of any length
    connection.execute(
        "PRAGMA trusted_schema = OFF"
    )  # nor is a schema from elsewhere trusted (sqlite.org/security.html)
    connection.text_factory = lambda text: text.decode(source.encoding)
    return connection


def _batches(name: str, source: Source, *, cursor: sqlite3.Cursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with _told(name, source):
        while block := cursor.fetchmany(_ROWS):
            cells = zip(schema.names, zip(*block, strict=True), strict=True)
            arrays = [_texts(name, column, cells=values) for column, values in cells]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _texts(name: str, column: str, *, cells: Sequence[Any]) -> pa.Array:
    """Cells as text. SQLite takes bytes in a column of any type; they have no spelling that could be meant."""
    if any(isinstance(cell, bytes) for cell in cells):
        raise SourceError(
            "source-column-type",
            asked=f"read the column `{column}` of the source `{name}`",
            found="cells of the SQLite type BLOB",
            expected="texts, numbers and nulls",
            todo="leave the column out, or name as `table` a view that turns its bytes into text",
        )
    return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())


_FAULTS: Mapping[tuple[int, ...], tuple[str, str]] = {
    _BUSY: ("a database that a writer holds", "run again once the writer is done, or read a copy (`VACUUM INTO`)"),
    _UNOPENED: (
        "a database with changes beside it (`-journal` or `-wal`) that cannot be taken in without writing",
        "let its own program open and close it once, or read a copy made with `VACUUM INTO`",
    ),
}


@contextmanager
def _told(name: str, source: Source) -> Iterator[None]:
    """Turn what SQLite says of a file in use, or of bytes that are no text, into words without a cell."""
    try:
        yield
    except UnicodeDecodeError:
        expected = f"texts in {source.encoding}, which SQLite itself does not check"
        raise bad_encoding(name, "bytes that are not in the declared encoding", expected=expected) from None
    except sqlite3.Error as fault:
        code = getattr(fault, "sqlite_errorcode", 0) & 0xFF  # the primary code (sqlite.org/rescode.html)
        for codes, (found, todo) in _FAULTS.items():
            if code in codes:
                raise unreadable(name, found, todo=todo) from None
        raise
