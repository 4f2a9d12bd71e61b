"""The connection to a MariaDB or MySQL server, and what its numbers of errors mean in our words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from curator.addresses import Address
from curator.errors import SourceError
from curator.sources import _faults

_OPTIONS = ("socket", "ssl_ca", "connect_timeout", "statement_timeout")
_LONGEST = 86_400  # seconds to wait for a greeting
_SILENT = "something that does not answer as a server of this kind, or not in time"
WHOLE_OF = "a whole number of {}"
_UNREACHABLE, _LOST = (2002, 2003, 2005), (2006, 2013, 2055, 1053, 1077, 1927)
_LOGIN, _DENIED, _CANCELLED = (1045, 1698, 1130, 1862), (1142, 1143, 1044, 1227), (1969, 3024, 1317, 1205)


def connected(address: Address, source: str, *, password: str | None) -> Any:
    """An open connection to the database of an address. Raises SourceError."""
    try:
        import pymysql
        from pymysql import converters
    except ModuleNotFoundError:
        raise _faults.driver_missing(source, driver="pymysql", extra="mariadb") from None
    unknown = sorted(set(address.options) - set(_OPTIONS))
    if unknown:
        raise _faults.option_unknown(source, option=unknown[0], known=_OPTIONS)
    settings: dict[str, Any] = {
        "host": address.host or "localhost", "port": address.port or 3306, "user": address.user, "password": password,
        "database": address.place or None, "unix_socket": address.options.get("socket"),
        "ssl_ca": address.options.get("ssl_ca"),
    }  # fmt: skip
    patience = address.options.get("connect_timeout", "10")
    if not patience.isdigit():
        raise _faults.option_value(source, option="connect_timeout", expected=WHOLE_OF.format("seconds"))
    seconds = min(max(int(patience), 1), _LONGEST)
    settings = {name: value for name, value in settings.items() if value is not None}
    try:
        # Without decoders every cell comes as the text that the server wrote. What waits for a word of its client, as
        # other servers do, would never be heard of: the greeting has its time too, the rows then have theirs.
        connection: Any = pymysql.connect(
            **settings, charset="utf8mb4", conv=dict(converters.encoders), autocommit=False, local_infile=False,
            connect_timeout=seconds, read_timeout=seconds,
        )  # fmt: skip
    except pymysql.MySQLError as fault:
        if code_of(fault) in _LOST or not code_of(fault):
            raise _faults.unreachable(source, address, found=_SILENT) from None
        raise refused(source, address, code=code_of(fault), given=password is not None) from None
    connection._read_timeout = None
    return connection


@contextmanager
def closing(cursor: Any) -> Iterator[Any]:
    """Close a cursor in the end. Of a lost connection the driver would read the rest, even when it is collected."""
    connection = cursor.connection
    try:
        yield cursor
        cursor.close()
    finally:
        if not connection.open:
            result, connection._result, cursor._result, cursor.connection = connection._result, None, None, None
            if result is not None:
                result.unbuffered_active = False
        elif cursor.connection is not None:  # refused, or nobody wants the rest
            cursor.close()


def code_of(fault: Exception) -> int:
    """The number of an error of the driver or the server; 0 without one."""
    return fault.args[0] if fault.args and isinstance(fault.args[0], int) else 0


def refused(source: str, address: Address, *, code: int, given: bool) -> SourceError:
    """An error by its number, in our words: the server's own may quote a cell."""
    if code in _UNREACHABLE:
        return _faults.unreachable(source, address)
    if code in _LOGIN:
        return _faults.login_refused(source, given=given)
    if code == 1049:
        return _faults.no_database(source, address)
    if code == 1044:
        return _faults.denied(source, what=f"the database `{address.name}`, if there is one of that name,")
    if code in _DENIED:
        return _faults.denied(source, what="a table")
    if code in _CANCELLED:
        return _faults.timed_out(source)
    if code in _LOST or code == 0:
        return _faults.lost(source)
    return _faults.fault(source, state=str(code))
