"""Oracle through oracledb's thin mode: each table by one SELECT of its needed columns, in one read-only transaction.

**Tested against a stand-in of the driver only: no Oracle server was at hand.** What is left to the server is therefore
the least: null tests, bounds of numbers and days. Names are in capitals where the spec gives no other spelling.
`READ ONLY` transactions see one moment (Oracle SQL reference, SET TRANSACTION). In Oracle an empty text is a null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pyarrow as pa

from curator.addresses import Address
from curator.errors import SourceError
from curator.protocols import Asked
from curator.sources import _faults
from curator.sources._feeding import Feeding, select_sql, text_batch, text_schema
from curator.sources._secrets import password_of
from curator.sources._shape import require_columns, require_type, spelt

_OPTIONS = ("connect_timeout", "statement_timeout")
_BLOCK = 20_000
_TEXTS = ("varchar2", "nvarchar2", "char", "nchar")
_FLOATS = ("binary_double", "binary_float")
_MOMENTS = ("timestamp", "timestamp with time zone", "timestamp with local time zone")
_ISO = 'SYYYY-MM-DD"T"HH24:MI:SS'


def _quoted(name: str) -> str:
    return '"' + name.replace('"', "") + '"'  # a quote cannot be part of an Oracle name


def _value(column: str, kind: str) -> str:
    """A column as it leaves the server: a text whatever the session's language; binary floats as they are.

    A DATE has a time of day; one with another than midnight is spelt with it, and is then no day for the engine.
    """
    if kind in ("number", "float"):
        return f"TO_CHAR({column}, 'TM9', 'NLS_NUMERIC_CHARACTERS=''.,''')"
    if kind in ("char", "nchar"):
        return f"RTRIM({column})"
    if kind == "date":
        return f"TO_CHAR({column}, CASE WHEN {column} = TRUNC({column}) THEN 'SYYYY-MM-DD' ELSE '{_ISO}' END)"
    if kind == "timestamp":
        return f"TO_CHAR({column}, '{_ISO}.FF6')"
    if kind in _MOMENTS:
        return f"TO_CHAR(SYS_EXTRACT_UTC({column}), '{_ISO}.FF6')"
    return column


FEEDING = Feeding(
    quote=_quoted,
    value=_value,
    fitting={
        "text": _TEXTS,
        "free_text": (*_TEXTS, "clob", "nclob"),
        "integer": ("number", *_TEXTS),
        "decimal": ("number", *_TEXTS),
        "float": (*_FLOATS, "float", "number", *_TEXTS),
        "boolean": ("number", *_TEXTS),
        "date": ("date", *_TEXTS),
        "timestamp": (*_MOMENTS, *_TEXTS),
    },
    whole=(),
    ordered={"integer": ("number",), "date": ("date",)},
    prose=("varchar2", "nvarchar2"),
)
_NATURAL = {
    "text": "varchar2", "free_text": "varchar2", "integer": "number", "decimal": "number", "float": "binary_double",
    "boolean": "number", "date": "date", "timestamp": "timestamp",
}  # fmt: skip

_LOGIN, _NO_SERVICE, _DENIED, _CANCELLED = (1017, 1005, 28000, 28001), (12514, 12505), (1031, 1749), (1013, 2395, 2396)
_LOST, _UNREACHABLE = (3113, 3114, 3135, 12, 28, 1012, 1089), (12541, 12543, 12545, 12170, 12154)
_LOST_HERE, _UNREACHABLE_HERE, _TIMED_HERE = ("DPY-4011", "DPY-1001"), ("DPY-6005", "DPY-6001"), ("DPY-4024",)
_TABLES = "SELECT owner, table_name FROM all_tables UNION ALL SELECT owner, view_name FROM all_views"
_COLUMNS = """
SELECT column_name, data_type FROM all_tab_columns WHERE owner = :1 AND table_name = :2 ORDER BY column_id
"""
_MOMENT = """
SELECT TO_CHAR(SYS_EXTRACT_UTC(SYSTIMESTAMP), 'YYYY-MM-DD"T"HH24:MI:SS.FF6"Z"'),
       SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA')
FROM dual
"""


class OracleSource:
    """One Oracle service in one read-only transaction.

    Args:
        address: `oracle://user@host:port/service`; options after `?` are connect_timeout (seconds) and
            statement_timeout (milliseconds).
        source: the first source that needs it, after which the password's variable is named.

    Raises:
        SourceError: no driver, no server, no login, no such service.
    """

    def __init__(self, address: Address, *, source: str) -> None:
        self._address = address
        self._connection = _connected(address, source, password=password_of(source))
        try:
            with self._translated(source):
                with self._connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
                time, self._schema = self._rows(_MOMENT)[0]
        except BaseException:
            self.close()
            raise
        server = f"Oracle {self._connection.version}"
        self._moment = {"isolation": "read only", "time": time, "server": server}

    @staticmethod
    def planned(address: Address, asked: Asked) -> str:
        """The statement for a table whose columns are of the declared types."""
        asked = _in_capitals(asked)
        types = {
            spelt(asked.source, key): "varchar2" if column.spelt else _NATURAL[column.type]
            for key, column in asked.source.columns.items()
        }
        table = ".".join(_quoted(part) for part in (asked.source.table or asked.name.upper()).split(".", 1))
        return select_sql(asked, types, table=table, feeding=FEEDING)

    def snapshot(self) -> Mapping[str, str]:
        """The moment of the transaction and the server's version."""
        return self._moment

    def table(self, asked: Asked) -> OracleTable:
        """One table. Raises SourceError when it is missing, forbidden or not as declared."""
        asked = _in_capitals(asked)
        with self._translated(asked.name):
            wanted = asked.source.table or asked.name.upper()
            tables = {f"{owner}.{name}": (owner, name) for owner, name in self._rows(_TABLES)}
            tables |= {name: (owner, name) for owner, name in tables.values() if owner == self._schema}
            if wanted not in tables:
                own = [name for name in tables if "." not in name]
                raise _faults.table_missing(asked.name, table=wanted, present=own)
            owner, name = tables[wanted]
            types = {column: _kind(data) for column, data in self._rows(_COLUMNS, owner, name)}
            unread = require_columns(asked, types)
            for key in asked.columns:
                require_type(asked, key, found=types[spelt(asked.source, key)], fitting=FEEDING.fitting)
            place = f"{_quoted(owner)}.{_quoted(name)}"
            statement = select_sql(asked, types, table=place, feeding=FEEDING)
        return OracleTable(self, asked, statement=statement, unread=unread)

    def rows(self, source: str, statement: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a statement, some thousands at a time, as they come."""
        with self._translated(source), self._connection.cursor() as cursor:
            cursor.arraysize = _BLOCK
            cursor.execute(statement)
            while block := cursor.fetchmany(_BLOCK):
                yield block

    def close(self) -> None:
        """End the transaction, which wrote nothing."""
        import oracledb

        with suppress(oracledb.Error):
            self._connection.close()

    def _rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(query, list(values))
            return list(cursor.fetchall())

    @contextmanager
    def _translated(self, source: str) -> Iterator[None]:
        import oracledb

        try:
            yield
        except oracledb.Error as fault:
            raise _refused(source, self._address, fault=fault, given=True) from None


class OracleTable:
    """Rows of one SELECT, every cell as text; see `curator.protocols.LiveTable`."""

    def __init__(self, database: OracleSource, asked: Asked, *, statement: str, unread: tuple[str, ...]) -> None:
        self._database, self._asked = database, asked
        self.statement, self.unread, self.schema = statement, unread, text_schema(asked)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some thousands at a time."""
        for block in self._database.rows(self._asked.name, self.statement):
            yield text_batch(self.schema, [[_text(cell) for cell in row] for row in block])


def _in_capitals(asked: Asked) -> Asked:
    """The same, columns without a spelling of their own in capitals, as Oracle folds names that are not quoted."""
    columns = {
        key: column.model_copy(update={"column": column.column or key.upper()})
        for key, column in asked.source.columns.items()
    }
    return replace(asked, source=asked.source.model_copy(update={"columns": columns}))


def _text(cell: object) -> object:
    """A cell as text: a binary float by its shortest spelling."""
    return cell if cell is None or isinstance(cell, str) else repr(cell)


def _kind(data_type: str) -> str:
    """`TIMESTAMP(6) WITH TIME ZONE` as `timestamp with time zone`."""
    return re.sub(r"\([0-9]+\)", "", data_type).lower()


def _connected(address: Address, source: str, *, password: str | None) -> Any:
    try:
        import oracledb
    except ModuleNotFoundError:
        raise _faults.driver_missing(source, driver="oracledb", extra="oracle") from None
    unknown = sorted(set(address.options) - set(_OPTIONS))
    if unknown:
        raise _faults.option_unknown(source, option=unknown[0], known=_OPTIONS)
    times = {name: address.options.get(name, default) for name, default in zip(_OPTIONS, ("10", "0"), strict=True)}
    for name, value in times.items():
        if not value.isdigit():
            raise _faults.option_unknown(source, option=name, known=("a whole number",))
    oracledb.defaults.fetch_lobs = False  # long texts as texts
    try:
        connection = oracledb.connect(
            user=address.user, password=password, host=address.host, port=address.port or 1521,
            service_name=address.place, tcp_connect_timeout=int(times["connect_timeout"]),
        )  # fmt: skip
    except oracledb.Error as fault:
        raise _refused(source, address, fault=fault, given=password is not None) from None
    connection.call_timeout = int(times["statement_timeout"])
    return connection


def _refused(source: str, address: Address, *, fault: Exception, given: bool) -> SourceError:
    told = fault.args[0] if fault.args else None
    code, full = int(getattr(told, "code", 0) or 0), str(getattr(told, "full_code", ""))
    if code in _LOGIN or full == "DPY-4000":
        return _faults.login_refused(source, given=given)
    if code in _NO_SERVICE:
        return _faults.no_database(source, address)
    if code in _UNREACHABLE or full in _UNREACHABLE_HERE:
        return _faults.unreachable(source, address)
    if code in _DENIED:
        return _faults.denied(source, what="a table")
    if code in _CANCELLED or full in _TIMED_HERE:
        return _faults.timed_out(source)
    if code in _LOST or full in _LOST_HERE:
        return _faults.lost(source)
    return _faults.fault(source, state=full or str(code))
