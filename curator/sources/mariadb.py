"""MariaDB and MySQL through PyMySQL: each table by one SELECT of its needed columns, all of one consistent snapshot.

Such a server only feeds: its collations hold `Été` and `ete` for equal, so nothing over texts is left to it. The
snapshot is InnoDB's (`START TRANSACTION WITH CONSISTENT SNAPSHOT`); a table of another storage engine has none and is
refused. What the server says is not repeated: it may quote a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeAlias

import pyarrow as pa

from curator.addresses import Address
from curator.protocols import Asked, AskedJoin, AskedJoined
from curator.sources import _faults
from curator.sources._feeding import Feeding, count_sql, select_sql, text_batch, text_schema
from curator.sources._joining import LEFT, RIGHT, KeyTest, alone_sql, joined_from
from curator.sources._mariadb_session import WHOLE_OF, closing, code_of, connected, refused
from curator.sources._secrets import password_of
from curator.sources._shape import plain_watermark, require_columns, require_type, spelt

_BLOCK = 20_000
_TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext")
_SMALL = ("tinyint", "smallint", "mediumint", "int")  # whole numbers of at most ten digits
_WHOLE = (*_SMALL, "bigint")
_PADDED = " zerofill"
_YES = "1"  # every cell comes as text


Side: TypeAlias = tuple[Asked, Mapping[str, str], str]
"""One side of a join: what is asked of it, the types of its columns, and what the statement calls it."""


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _value(column: str, kind: str) -> str:
    """A column as it leaves the server: a single float as the double it is, since its own text keeps six digits.

    Bits go as the number that they spell.
    """
    if kind == "bit":
        return f"CAST({column} AS UNSIGNED)"
    return f"CAST({column} AS DOUBLE)" if kind == "float" else column


def _drawn(column: str, kind: str) -> str:
    """The text by which a key is drawn: in UTF-8, whatever the column is kept in, since MD5 is of bytes."""
    return f"CAST({column} AS CHAR)" if kind in _SMALL else f"CONVERT({column} USING utf8mb4)"


FEEDING = Feeding(
    quote=_quoted,
    value=_value,
    fitting={
        "text": (*_TEXTS, "enum", "set", "uuid", "inet4", "inet6", "time", "json"),
        "free_text": (*_TEXTS, "json"),
        "integer": (*_WHOLE, "decimal", "year", "bit", *_TEXTS),
        "decimal": ("decimal", *_WHOLE, *_TEXTS),
        "float": ("double", "float", "decimal", *_WHOLE, *_TEXTS),
        "boolean": (*_WHOLE, "bit", "enum", *_TEXTS),
        "date": ("date", *_TEXTS),
        "timestamp": ("datetime", "timestamp", *_TEXTS),
    },
    whole=_SMALL,
    ordered={"integer": _WHOLE, "date": ("date",), "timestamp": ("datetime", "timestamp")},
    prose=_TEXTS,
    drawn=_drawn,
)
_NATURAL = {
    "text": "varchar", "free_text": "text", "integer": "int", "decimal": "decimal", "float": "double",
    "boolean": "tinyint", "date": "date", "timestamp": "datetime",
}  # fmt: skip

# Texts of fixed width without their padding; `||` as in SQL.
_MODE = """
SET SESSION sql_mode = CONCAT(REPLACE(@@sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', ''), ',PIPES_AS_CONCAT')
"""
# MySQL joins by hashing; without being asked to, MariaDB compares every row with every row where no index helps.
_HASHING = "SET SESSION join_buffer_size = 33554432"
_MARIADB_HASHING = ", join_cache_level = 8, join_buffer_space_limit = 134217728"
_PROBE, _PROBE_DIGEST = "é👮", "0906713fc031e08abc1be80569711521"
_READ = "<= 9223372036854775807"  # the whole numbers that the engine reads; one without sign may be larger
# That a day, or the day of a moment, is one of the calendar: its number leads back to it.
_DAY = "({0} >= DATE '0001-01-01' AND FROM_DAYS(TO_DAYS({0})) = CAST({0} AS DATE))"
_SQL: dict[type, str] = {date: "DATE", datetime: "DATETIME"}
_TABLES = """
SELECT table_schema, table_name, engine, table_type, table_schema = database() FROM information_schema.tables
WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') AND table_type <> 'SEQUENCE'
"""
_COLUMNS = """
SELECT column_name, data_type, column_type FROM information_schema.columns
WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""


class MariadbSource:
    """One MariaDB or MySQL database in one read-only transaction.

    Args:
        address: `mariadb://user@host:port/database`; options after `?` are socket, ssl_ca (a file of certificates that
            must vouch for the server and its name), ssl_cert and ssl_key (a certificate of the user, and its key),
            ssl_verify_identity (`false`: not for its name; `true` alone: the system's certificates count),
            connect_timeout (seconds), statement_timeout (milliseconds).

    Raises:
        SourceError: no driver, no server, no login, no such database.
    """

    def __init__(self, address: Address, *, source: str) -> None:
        self._source, self._address = source, address
        self._places: dict[str, str] = {}
        self._feeding = FEEDING
        self._connection = connected(address, source, password=password_of(source))
        try:
            with self._translated(source):
                version = self._rows("SELECT version()")[0][0]
                self._run("SET SESSION time_zone = '+00:00'")
                self._run(_MODE)
                self._run(_HASHING + (_MARIADB_HASHING if "mariadb" in version.lower() else ""))
                if not self._digests():
                    self._feeding = replace(FEEDING, drawn=None)
                self._run("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                self._limit(address, version=version)
                self._run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
                time = self._rows("SELECT date_format(utc_timestamp(6), '%Y-%m-%dT%H:%i:%s.%fZ')")[0][0]
        except BaseException:
            self.close()
            raise
        self._moment = {"isolation": "repeatable read, read only", "time": time, "server": version}

    @staticmethod
    def planned(address: Address, asked: Asked) -> str:
        """The statement for a table whose columns are of the declared types."""
        return select_sql(asked, _planned_types(asked), table=_planned_place(asked), feeding=FEEDING)

    @staticmethod
    def planned_joinable(join: AskedJoin, tables: Mapping[str, Asked]) -> bool:
        """Whether the keys of a join would be compared as the engine does, were all columns of the declared types."""
        return _comparable(join, {**tables, join.asked.name: join.asked}, described=_planned_types)

    @staticmethod
    def planned_joined(asked: AskedJoined) -> str:
        """The statement for tables whose columns are of the declared types."""
        types = {name: _planned_types(one) for name, one in asked.tables.items()}
        names = {name: _planned_place(one) for name, one in asked.tables.items()}
        return _joined_sql(asked, types, names=names, feeding=FEEDING)

    def snapshot(self) -> Mapping[str, str]:
        """The moment of the transaction and the server's version."""
        return self._moment

    def table(self, asked: Asked) -> MariadbTable:
        """One table. Raises SourceError when it is missing, forbidden, not as declared, or without snapshots."""
        with self._translated(asked.name):
            types, unread = self._checked(asked)
            statement = select_sql(asked, types, table=self._places[_table(asked)], feeding=self._feeding)
        return MariadbTable(self, asked, statement=statement, unread_of={asked.name: unread})

    def joinable(self, join: AskedJoin, tables: Mapping[str, Asked]) -> bool:
        """Whether the server compares the keys as the engine does: numbers, days and moments."""
        with self._translated(join.asked.name):
            return _comparable(join, {**tables, join.asked.name: join.asked}, described=self._described)

    def joined(self, asked: AskedJoined) -> MariadbTable:
        """Joined rows, by one statement. Raises SourceError when a table is not as declared."""
        with self._translated(asked.rows.name):
            checked = {name: self._checked(one) for name, one in asked.tables.items()}
            places = {name: self._places[_table(one)] for name, one in asked.tables.items()}
            kinds = {name: types for name, (types, _) in checked.items()}
            statement = _joined_sql(asked, kinds, names=places, feeding=self._feeding)
        unread = {name: unread for name, (_, unread) in checked.items()}
        return MariadbTable(self, asked.rows, statement=statement, unread_of=unread)

    def count(self, asked: Asked) -> int:
        """How many rows `table` would hand over."""
        with self._translated(asked.name):
            types, _ = self._checked(asked)
            query = count_sql(asked, types, table=self._places[_table(asked)], feeding=self._feeding)
            return int(self._rows(query)[0][0])

    def without_partner(self, left: Asked, right: Asked, *, on: Sequence[str]) -> tuple[int, int] | None:
        """Rows without partner in the other table, counted by the server where it compares keys as the engine does."""
        with self._translated(left.name):
            sides = {left.name: self._described(left), right.name: self._described(right)}
            keys = [_same(key, (left, sides[left.name], LEFT), right=(right, sides[right.name], RIGHT)) for key in on]
            tests = [test for test in keys if test is not None]
            if len(tests) < len(keys):
                return None
            alone = self._rows(alone_sql(self._places[_table(left)], self._places[_table(right)], keys=tests))[0]
            return int(alone[0]), int(alone[1])

    def highest(self, asked: Asked, column: str) -> str | None:
        """The highest value of a column that grows, of those that the engine reads; None without one."""
        with self._translated(asked.name):
            name, kind, table = self._growing(asked, column)
            if kind is None:
                return None
            read = f"{name} {_READ}" if kind in _WHOLE else f"{name} >= DATE '0001-01-01'"
            found = self._rows(f"SELECT MAX({name}) FROM {table} WHERE {read}")[0][0]  # noqa: S608 (quoted identifiers)
            return None if found is None else plain_watermark(found, asked.source.columns[column].type)

    def earlier(self, asked: Asked, column: str, *, floor: int | date | datetime) -> int | None:
        """A figure of the rows of the whole table below a value, or without one, as `TellsWatermark` has it.

        None for a type whose order is another.
        """
        with self._translated(asked.name):
            name, kind, table = self._growing(asked, column)
            if kind is None:
                return None
            bound = str(floor) if isinstance(floor, int) else f"CAST('{floor}' AS {_SQL[type(floor)]})"
            tests = (f"{name} < {bound}", f"{name} IS NULL")
            figure = f"COUNT(*) * {1 << 64} + COALESCE(SUM(CRC32({name})), 0)"
            parts = (f"(SELECT {figure} FROM {table} WHERE {test})" for test in tests)  # noqa: S608 (likewise)
            return int(self._rows(f"SELECT {' + '.join(parts)}")[0][0])

    def _growing(self, asked: Asked, column: str) -> tuple[str, str | None, str]:
        """A column in quotes, its type where its order is the server's, and its table. Raises SourceError."""
        types, _ = self._checked(asked)
        name = spelt(asked.source, column)
        fits = types[name] in FEEDING.ordered.get(asked.source.columns[column].type, ())
        return _quoted(name), types[name] if fits else None, self._places[_table(asked)]

    def rows(self, source: str, statement: str) -> Iterator[list[tuple[bytes | None, ...]]]:
        """The rows of a statement, some thousands at a time, as they come: cells in UTF-8, none decoded by itself."""
        from pymysql.cursors import SSCursor

        with self._translated(source), closing(self._connection.cursor(SSCursor)) as cursor:
            self._connection.use_unicode = False
            try:
                cursor.execute(statement)
            finally:
                self._connection.use_unicode = True
            while block := cursor.fetchmany(_BLOCK):
                yield block

    def _described(self, asked: Asked) -> dict[str, str]:
        """Column -> type of a table that can be read as of one moment. Raises SourceError."""
        wanted = _table(asked)
        tables = {row[1] if row[4] == _YES else f"{row[0]}.{row[1]}": row for row in self._rows(_TABLES)}
        if wanted not in tables:
            raise _faults.table_missing(asked.name, table=wanted, present=tables, hides=True)
        schema, name, engine, kind, own = tables[wanted]
        self._places[wanted] = _quoted(name) if own == _YES else f"{_quoted(schema)}.{_quoted(name)}"
        if kind == "BASE TABLE" and (engine or "").lower() != "innodb":
            raise _faults.no_snapshot(asked.name, kind=f"the storage engine {engine}")
        return {column: _kind(data, whole) for column, data, whole in self._rows(_COLUMNS, schema, name)}

    def _checked(self, asked: Asked) -> tuple[dict[str, str], tuple[str, ...]]:
        """A table that is as declared, and its columns that are not. Raises SourceError."""
        types = self._described(asked)
        unread = require_columns(asked, types, hidden=_faults.HIDDEN.format("column"))
        for key in asked.columns:
            found = types[spelt(asked.source, key)].removesuffix(_PADDED)
            require_type(asked, key, found=found, fitting=FEEDING.fitting)
        return types, unread

    def close(self) -> None:
        """End the transaction, which wrote nothing."""
        from pymysql import MySQLError

        with suppress(MySQLError, OSError):
            self._connection.close()

    def _limit(self, address: Address, *, version: str) -> None:
        limit = address.options.get("statement_timeout", "0")
        if not limit.isdigit():
            raise _faults.option_value(
                self._source, option="statement_timeout", expected=WHOLE_OF.format("milliseconds")
            )
        if int(limit) and "mariadb" in version.lower():
            self._run(f"SET SESSION max_statement_time = {int(limit) / 1000}")
        elif int(limit):
            self._run(f"SET SESSION max_execution_time = {int(limit)}")

    def _digests(self) -> bool:
        """Whether it has the MD5 by which samples are drawn: from 9.6 on, MySQL leaves it to a component."""
        from pymysql import MySQLError

        try:
            return bool(self._rows("SELECT md5(%s)", _PROBE)[0][0] == _PROBE_DIGEST)
        except MySQLError:  # no such function; a connection that is lost refuses the next statement
            return False

    def _run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values or None)
            return list(cursor.fetchall())

    @contextmanager
    def _translated(self, source: str) -> Iterator[None]:
        from pymysql import MySQLError

        try:
            yield
        except MySQLError as fault:
            raise refused(source, self._address, code=code_of(fault)) from None
        except OSError:
            raise _faults.lost(source) from None


class MariadbTable:
    """Rows of one SELECT, every cell as text; see `curator.protocols.LiveTable`."""

    def __init__(
        self, database: MariadbSource, asked: Asked, *, statement: str, unread_of: Mapping[str, tuple[str, ...]]
    ) -> None:
        self._database, self._asked = database, asked
        self.statement, self.unread_of, self.schema = statement, unread_of, text_schema(asked)
        self.unread = unread_of.get(asked.name, ())

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some thousands at a time."""
        for block in self._database.rows(self._asked.name, self.statement):
            yield text_batch(self.schema, block)


def _table(asked: Asked) -> str:
    return asked.source.table or asked.name


def _planned_place(asked: Asked) -> str:
    return ".".join(_quoted(part) for part in _table(asked).split(".", 1))


def _planned_types(asked: Asked) -> dict[str, str]:
    """The types that declared columns have where nothing else is known."""
    return {
        spelt(asked.source, key): "varchar" if column.spelt else _NATURAL[column.type]
        for key, column in asked.source.columns.items()
    }


def _kind(data: str, whole: str) -> str:
    """A type by its name; a number that is padded with zeros is a number of another kind, for its text is another."""
    return data.lower() + (_PADDED if _PADDED in whole.lower() else "")


def _same(key: str, left: Side, *, right: Side) -> KeyTest | None:
    """The test that a key is the same on both sides: numbers, days and moments that the engine reads; None for others.

    Texts are compared by collations. A day such as `0000-00-00` or `2020-02-31`, which equals itself there, is none to
    the engine. Every cell comes as a text: a null token would make a null of one that has a partner there.
    """
    columns, kinds, declared = [], [], set()
    for asked, types, alias in (left, right):
        if asked.source.null_tokens:
            return None
        declared.add(asked.source.columns[key].type)
        kinds.append(types.get(spelt(asked.source, key)))
        columns.append(f"{_quoted(alias)}.{_quoted(spelt(asked.source, key))}")
    kind = next(iter(declared)) if len(declared) == 1 else None
    if kind not in ("integer", "date", "timestamp") or not all(found in FEEDING.ordered[kind] for found in kinds):
        return None
    same = f"{columns[0]} = {columns[1]}"
    if kind != "integer":
        return KeyTest(same=same, left=_DAY.format(columns[0]), right=_DAY.format(columns[1]))
    if kinds != ["bigint", "bigint"]:
        return KeyTest(same=same)
    return KeyTest(same=same, left=f"{columns[0]} {_READ}", right=f"{columns[1]} {_READ}")


def _comparable(
    join: AskedJoin, tables: Mapping[str, Asked], *, described: Callable[[Asked], Mapping[str, str]]
) -> bool:
    """Whether each key of a join is compared as the engine does, in tables as they are described."""
    right = (join.asked, described(join.asked), RIGHT)
    lefts = {source: (tables[source], described(tables[source]), LEFT) for source in join.on.values()}
    return all(_same(key, lefts[source], right=right) is not None for key, source in join.on.items())


def _joined_sql(
    asked: AskedJoined, types: Mapping[str, Mapping[str, str]], *, names: Mapping[str, str], feeding: Feeding
) -> str:
    """The statement for joined rows, of whose keys `_comparable` is known."""
    tables = asked.tables

    def same(join: AskedJoin, key: str) -> KeyTest | None:
        left, right = join.on[key], join.asked.name
        return _same(key, (tables[left], types[left], left), right=(tables[right], types[right], right))

    kinds = {key: types[source].get(spelt(tables[source].source, key), "") for key, source in asked.origin.items()}
    place = joined_from(asked, names=names, quote=_quoted, same=same)
    return select_sql(asked.rows, kinds, table=place, feeding=feeding)
