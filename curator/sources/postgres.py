"""PostgreSQL through ADBC: each table by one SELECT, in binary, straight into Arrow; all tables of one transaction.

The transaction is read-only and repeatable-read (PostgreSQL manual, 13.2.2), so every table of a run is of one moment,
whatever others commit meanwhile. The server's words never leave this file: they may quote cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from curator.addresses import Address
from curator.errors import SourceError
from curator.protocols import Asked, AskedClasses, AskedJoin, AskedJoined
from curator.sources import _faults
from curator.sources._joining import LEFT, RIGHT
from curator.sources._postgres_classes import classes_sql
from curator.sources._postgres_sql import (
    FITTING,
    TURNED,
    Side,
    Table,
    earlier_sql,
    highest_sql,
    joined_table,
    partners_sql,
    planned_table,
    same_key,
    select_sql,
)
from curator.sources._postgres_states import refused, rows_of, state_of, unconnected
from curator.sources._secrets import password_of
from curator.sources._shape import plain_watermark, require_columns, require_type, spelt

_OPTIONS = (
    "host",
    "port",
    "user",
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "statement_timeout",
)
_PATIENCE = "10"  # seconds to connect
# Blocks of rows that the processor's cache still holds when they are hashed and taken in; the driver's own are 16 MB.
_BLOCK = {"adbc.postgresql.batch_size_hint_bytes": str(1 << 22)}
_TABLES = """
SELECT c.oid::bigint, n.nspname::text, c.relname::text, pg_table_is_visible(c.oid),
       has_any_column_privilege(c.oid, 'SELECT'), c.relispopulated, row_security_active(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
# Of a domain, the type at its bottom; of any enumeration, `enum`.
_COLUMNS = """
SELECT a.attname::text,
       (WITH RECURSIVE below(type, base, name) AS (
            SELECT t.typtype, t.typbasetype, t.typname FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid
            UNION ALL
            SELECT t.typtype, t.typbasetype, t.typname FROM below
            JOIN pg_catalog.pg_type t ON below.type = 'd' AND t.oid = below.base)
        SELECT (CASE WHEN type = 'e' THEN 'enum' ELSE name END)::text FROM below WHERE type <> 'd'),
       coalesce(l.collisdeterministic, true), has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
       a.attcollation::bigint
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
WHERE a.attrelid = {} AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# What this transaction has looked into and is not what it was at its moment: emptied, rewritten (both of which show it
# no rows, manual 13.6) or made anew. A snapshot sees the old number of the file, the function the new one.
_ALTERED = """
SELECT count(*) FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
WHERE l.locktype = 'relation' AND l.pid = pg_backend_pid() AND (
    (c.oid IS NULL AND pg_get_indexdef(l.relation) IS NULL)
    OR (c.relkind IN ('r', 'm') AND c.relfilenode <> 0 AND c.relfilenode <> pg_relation_filenode(c.oid)))
"""
# How values are spelt, whatever the user's own settings.
_SETTINGS = {
    "TimeZone": "UTC", "DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "extra_float_digits": "1",
    "synchronize_seqscans": "off",
}  # fmt: skip
_BEGIN = """
SELECT to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       txid_current_snapshot()::text, current_setting('server_version'), pg_encoding_to_char(encoding)::text = 'UTF8',
       EXISTS (SELECT 1 FROM pg_catalog.pg_collation WHERE collname = 'und-x-icu'), {}
FROM pg_catalog.pg_database WHERE datname = current_database()
"""


class PostgresSource:
    """One PostgreSQL database in one read-only transaction.

    Args:
        address: `postgresql://user@host:port/database`; options after `?` are host (a folder of the Unix socket), port,
            user, sslmode, sslrootcert, sslcert, sslkey, connect_timeout (seconds), statement_timeout (milliseconds).
        source: the first source that needs it, after which the password's variable is named.

    Raises:
        SourceError: no driver, no server, no login, no such database.
    """

    def __init__(self, address: Address, *, source: str) -> None:
        self._source = source
        self._known: dict[str, Table] = {}
        self._secured: list[str] = []
        password = password_of(source)
        self._connection = _connected(address, source, password=password)
        try:
            self._run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            timeout = int(address.options.get("statement_timeout", "0"))
            settings = _SETTINGS | ({"statement_timeout": str(timeout)} if timeout else {})
            said = (f"set_config('{name}', '{value}', true)" for name, value in settings.items())
            time, snapshot, version, self._utf8, self._icu, *_ = self._rows(_BEGIN.format(", ".join(said)))[0]
        except BaseException:
            self.close()
            raise
        self._moment = {
            "isolation": "repeatable read, read only", "time": time, "transactions": snapshot,
            "server": f"PostgreSQL {version}",
        }  # fmt: skip

    @staticmethod
    def planned(address: Address, asked: Asked) -> str:
        """The statement for a table whose columns are of the declared types."""
        return select_sql(asked, planned_table(asked))

    def snapshot(self) -> Mapping[str, str]:
        """The moment of the transaction, its snapshot (`xmin:xmax:running`) and the server's version.

        Also the tables of which row security (PostgreSQL manual, 5.9) shows the user some rows only.
        """
        return self._moment | ({"row_security": ", ".join(self._secured)} if self._secured else {})

    @staticmethod
    def planned_joinable(join: AskedJoin, tables: Mapping[str, Asked]) -> bool:
        """Whether the keys of a join would be compared as the engine does, were all columns of the declared types."""
        return _comparable(join, {**tables, join.asked.name: join.asked}, described=planned_table)

    @staticmethod
    def planned_joined(asked: AskedJoined) -> str:
        """The statement for tables whose columns are of the declared types."""
        return select_sql(asked.rows, _as_one(asked, planned_table))

    @staticmethod
    def planned_classes(asked: AskedClasses) -> str | None:
        """The statement that would count them, were all columns of the declared types; None where it would not."""
        return _counting(asked, planned_table)

    def table(self, asked: Asked) -> PostgresTable:
        """One table. Raises SourceError when it is missing, forbidden or not as declared."""
        with self._translated(asked.name):
            table, unread = self._checked(asked)
            return self._sent(asked, select_sql(asked, table), unread_of={asked.name: unread})

    def joinable(self, join: AskedJoin, tables: Mapping[str, Asked]) -> bool:
        """Whether the server compares the keys as the engine does."""
        with self._translated(join.asked.name):
            return _comparable(join, {**tables, join.asked.name: join.asked}, described=self._described)

    def joined(self, asked: AskedJoined) -> PostgresTable:
        """Joined rows, by one statement. Raises SourceError when a table is not as declared."""
        with self._translated(asked.rows.name):
            unread_of = {name: self._checked(one)[1] for name, one in asked.tables.items()}
            return self._sent(asked.rows, select_sql(asked.rows, _as_one(asked, self._described)), unread_of=unread_of)

    def classes(self, asked: AskedClasses) -> PostgresTable | None:
        """Counts of classes, by one statement; None where the server might count otherwise than the engine."""
        with self._translated(asked.counts.name):
            for one in asked.tables:
                self._checked(one)
            query = _counting(asked, self._described)
            return self._sent(asked.counts, query, unread_of={}) if query else None

    def count(self, asked: Asked) -> int:
        """How many rows `table` would hand over."""
        with self._translated(asked.name):
            query = select_sql(asked, self._checked(asked)[0])
            return int(self._rows(f"SELECT count(*) FROM ({query}) counted")[0][0])  # noqa: S608 (built from a spec)

    def without_partner(self, left: Asked, right: Asked, *, on: Sequence[str]) -> tuple[int, int] | None:
        """Rows without partner in the other table, counted by the server where it compares keys as the engine does."""
        with self._translated(left.name):
            one = Side(asked=left, table=self._described(left), alias=LEFT)
            other = Side(asked=right, table=self._described(right), alias=RIGHT)
            query = partners_sql(on, one, right=other)
            if query is None:
                return None
            alone = self._rows(query)[0]
            return int(alone[0]), int(alone[1])

    def highest(self, asked: Asked, column: str) -> str | None:
        """The highest value of a column that grows, of those that the engine reads; None without one."""
        with self._translated(asked.name):
            query = highest_sql(column, asked, table=self._checked(asked)[0])
            found = self._rows(query)[0][0] if query else None
            return None if found is None else plain_watermark(found, asked.source.columns[column].type)

    def earlier(self, asked: Asked, column: str, *, floor: int | date | datetime) -> int | None:
        """A figure of the rows below a value, or without one; None for a type whose order is another."""
        with self._translated(asked.name):
            query = earlier_sql(column, asked, table=self._checked(asked)[0], floor=floor)
            return int(self._rows(query)[0][0]) if query else None

    def close(self) -> None:
        """End the transaction, which wrote nothing."""
        from adbc_driver_manager import Error

        with suppress(Error, OSError):
            self._connection.rollback()
        with suppress(Error, OSError):
            self._connection.close()

    def _checked(self, asked: Asked) -> tuple[Table, tuple[str, ...]]:
        """A table that is as declared, and its columns that are not. Raises SourceError."""
        table = self._described(asked)
        unread = require_columns(asked, table.types)
        for key in asked.columns:
            require_type(asked, key, found=table.types[spelt(asked.source, key)], fitting=FITTING, turned=TURNED)
        denied = [spelt(asked.source, key) for key in asked.columns if spelt(asked.source, key) in table.denied]
        if denied:
            raise _faults.denied(asked.name, what=", ".join(f"the column `{name}`" for name in denied))
        return table, unread

    def _sent(self, asked: Asked, statement: str, *, unread_of: Mapping[str, tuple[str, ...]]) -> PostgresTable:
        cursor = self._connection.cursor()
        cursor.adbc_statement.set_options(**_BLOCK)
        cursor.execute(statement)
        return PostgresTable(self, asked, cursor=cursor, statement=statement, unread_of=unread_of)

    def _described(self, asked: Asked) -> Table:
        wanted = asked.source.table or asked.name
        if wanted in self._known:
            return self._known[wanted]
        found = {}
        for row in self._rows(_TABLES):
            found[f"{row[1]}.{row[2]}"] = row
            if row[3]:
                found[row[2]] = row
        if wanted not in found:
            present = [row[2] if row[3] else f"{row[1]}.{row[2]}" for row in set(found.values())]
            raise _faults.table_missing(asked.name, table=wanted, present=present)
        oid, schema, name, _, readable, filled, secured = found[wanted]
        if not readable:
            raise _faults.denied(asked.name, what=f"the table `{wanted}`")
        if not filled:
            raise _faults.not_filled(asked.name, table=wanted)
        if secured:
            self._secured.append(wanted)
        columns = self._rows(_COLUMNS.format(int(oid)))
        self._known[wanted] = Table(
            name=".".join('"' + part.replace('"', '""') + '"' for part in (schema, name)),
            types={column: kind for column, kind, _, _, _ in columns},
            odd=frozenset(column for column, _, plain, _, _ in columns if not plain),
            denied=frozenset(column for column, _, _, allowed, _ in columns if not allowed),
            collations={column: collation for column, _, _, _, collation in columns},
            utf8=bool(self._utf8),
            icu=bool(self._icu),
        )
        return self._known[wanted]

    def _require_unaltered(self, source: str) -> None:
        """Refuse rows of a table that somebody emptied or rewrote since the moment. Raises SourceError."""
        if self._rows(_ALTERED)[0][0]:
            raise _faults.altered(source)

    def _run(self, statement: str) -> None:
        with self._translated(self._source), self._connection.cursor() as cursor:
            cursor.execute(statement)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with self._translated(self._source), self._connection.cursor() as cursor:
            cursor.execute(query)
            return list(cursor.fetchall())

    @contextmanager
    def _translated(self, source: str) -> Iterator[None]:
        from adbc_driver_manager import Error

        try:
            yield
        except SourceError:
            raise
        except (Error, pa.ArrowException, OSError) as fault:
            state = state_of(fault)
            if not state and not self._answers():
                raise _faults.lost(source) from None
            raise refused(source, str(fault), state=state) from None

    def _answers(self) -> bool:
        """Whether the session lives, once a statement failed: a stream that breaks off says in no other way why."""
        from adbc_driver_manager import Error

        try:
            self._connection.rollback()
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchall()
        except (Error, pa.ArrowException, OSError):
            return False
        return True


class PostgresTable:
    """Rows of one SELECT, as the server sends them; see `curator.protocols.LiveTable`."""

    def __init__(
        self, database: PostgresSource, asked: Asked, *, cursor: Any, statement: str,
        unread_of: Mapping[str, tuple[str, ...]],
    ) -> None:  # fmt: skip
        self._database, self._asked = database, asked
        self._cursor = cursor  # must live as long as what it reads
        schema, self._rows = rows_of(cursor)
        self.statement, self.unread_of = statement, unread_of
        self.unread = unread_of.get(asked.name, ())
        fields = zip(asked.columns or ("nothing",), schema, strict=True)
        self.schema = pa.schema([pa.field(key, _plain(field.type)) for key, field in fields])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, a few megabytes at a time."""
        while True:
            with self._database._translated(self._asked.name):
                batch = next(self._rows, None)
                if batch is None:
                    self._cursor.close()
                    self._database._require_unaltered(self._asked.name)
                    return
            columns = [column.storage if isinstance(column, pa.ExtensionArray) else column for column in batch.columns]
            yield pa.RecordBatch.from_arrays(columns, schema=self.schema)


def _comparable(join: AskedJoin, tables: Mapping[str, Asked], *, described: Callable[[Asked], Table]) -> bool:
    """Whether each key of a join is compared as the engine does, in tables as they are described."""
    sides = {
        name: Side(asked=tables[name], table=described(tables[name]), alias=name)
        for name in {join.asked.name, *join.on.values()}
    }
    right = sides[join.asked.name]
    return all(same_key(key, sides[source], right=right) is not None for key, source in join.on.items())


def _as_one(asked: AskedJoined, described: Callable[[Asked], Table]) -> Table:
    """Joined tables as one, as they are described."""
    return joined_table(asked, {name: described(one) for name, one in asked.tables.items()})


def _counting(asked: AskedClasses, described: Callable[[Asked], Table]) -> str | None:
    """The statement that counts classes in tables as they are described."""
    if isinstance(asked.rows, AskedJoined):
        return classes_sql(asked, asked.rows.rows, table=_as_one(asked.rows, described))
    return classes_sql(asked, asked.rows, table=described(asked.rows))


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without the driver's extension: numbers of any precision come as text."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _connected(address: Address, source: str, *, password: str | None) -> Any:
    try:
        from adbc_driver_postgresql import dbapi
    except ModuleNotFoundError:
        raise _faults.driver_missing(source, driver="adbc-driver-postgresql", extra="postgres") from None
    unknown = sorted(set(address.options) - set(_OPTIONS))
    if unknown:
        raise _faults.option_unknown(source, option=unknown[0], known=_OPTIONS)
    for option, unit in (("statement_timeout", "milliseconds"), ("connect_timeout", "seconds")):
        if not address.options.get(option, "0").isdigit():
            raise _faults.option_value(source, option=option, expected=f"a whole number of {unit}")
    settings = {
        "host": address.host, "port": str(address.port) if address.port else None, "user": address.user,
        "dbname": address.place or None, "password": password, "application_name": "curator",
        "connect_timeout": _PATIENCE, "client_encoding": "UTF8",
        **{name: value for name, value in address.options.items() if name != "statement_timeout"},
    }  # fmt: skip
    said = " ".join(f"{name}={_setting(value)}" for name, value in settings.items() if value is not None)
    try:
        return dbapi.connect(said, autocommit=False)
    except dbapi.Error as fault:
        raise unconnected(address, source, words=str(fault), given=password is not None) from None


def _setting(value: str) -> str:
    """A value of a connection string (libpq, 34.1.1.1)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
