"""The connection to a MariaDB or MySQL server, and what its numbers of errors mean in our words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from curator.addresses import Address
from curator.errors import SourceError
from curator.sources import _faults

_OPTIONS = ("socket", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_identity", "connect_timeout", "statement_timeout")
_LONGEST = 86_400  # seconds to wait for a greeting
_SILENT = "something that does not answer as a server of this kind, or not in time"
WHOLE_OF = "a whole number of {}"
_UNVOUCHED = "a server whose certificate none of `ssl_ca` vouches for, or not for this name"
_NO_TLS = "a server that speaks no TLS, or none that is spoken here"
_FULL = "a server that takes no more connections, or no more of this user"
_UNREACHABLE, _BUSY = (2002, 2003, 2005, 3032), (1040, 1203, 1226)
_LOST = (2006, 2013, 2055, 1053, 1077, 1927, 4031)
# Wrong passwords; accounts that are locked (3118, 4151), expired, blocked for a time (3955) or want what is not had
# here: a certificate, TLS, or a kind of password that the server or the driver has no plugin for.
_LOGIN = (1045, 1698, 1130, 1862, 1820, 3118, 4151, 3955, 3159, 1251, 1524, 2059)
_DENIED, _CANCELLED = (1142, 1143, 1044, 1227, 1370), (1969, 3024, 1317, 1205)
_ALTERED = (1412, 1146, 1054)  # it was there, by the catalogue of that moment
_CONFLICT, _NO_ROOM = (1213,), (1021, 1037, 1038, 1041, 1114, 1135)
_DAMAGED = (1033, 1034, 1194, 1712, 1812, 1877, 1932)
_VIEW = (1356, 1449, 1045)  # its tables or its owner; MariaDB then speaks as if the owner came to log in
_SAID = (
    (_VIEW, _faults.view_broken), (_CANCELLED, _faults.timed_out), ((*_LOST, 0), _faults.lost),
    (_ALTERED, _faults.altered), (_CONFLICT, _faults.broken_off), (_NO_ROOM, _faults.exhausted),
    (_DAMAGED, _faults.damaged),
)  # fmt: skip


def connected(address: Address, source: str, *, password: str | None) -> Any:
    """An open connection to the database of an address. Raises SourceError."""
    try:
        import pymysql
        from pymysql import converters
    except ModuleNotFoundError:
        raise _faults.driver_missing(source, driver="pymysql", extra="mariadb") from None
    settings, seconds = _settings(address, source, password=password), _patience(address, source)
    try:
        # Without decoders every cell comes as the text that the server wrote. What waits for a word of its client, as
        # other servers do, would never be heard of: the greeting has its time too, the rows then have theirs.
        connection: Any = pymysql.connect(
            **settings, charset="utf8mb4", conv=dict(converters.encoders), autocommit=False, local_infile=False,
            connect_timeout=seconds, read_timeout=seconds,
        )  # fmt: skip
    except pymysql.MySQLError as fault:
        raise _unconnected(fault, address, source=source, given=password is not None) from None
    connection._read_timeout = None
    return connection


def _settings(address: Address, source: str, *, password: str | None) -> dict[str, Any]:
    """What the driver is told. The password is in UTF-8, as servers keep it: the driver itself would write Latin-1."""
    unknown = sorted(set(address.options) - set(_OPTIONS))
    if unknown:
        raise _faults.option_unknown(source, option=unknown[0], known=_OPTIONS)
    settings = {
        "host": address.host or "localhost", "port": address.port or 3306, "user": address.user,
        "password": None if password is None else password.encode("utf-8", "surrogateescape"),
        "database": address.place or None, "unix_socket": address.options.get("socket"), "ssl": _tls(address, source),
    }  # fmt: skip
    return {name: value for name, value in settings.items() if value is not None}


def _tls(address: Address, source: str) -> ssl.SSLContext | None:
    """TLS that knows whom it speaks to; without, the driver takes any TLS that the server has. Raises SourceError."""
    authority, own = address.options.get("ssl_ca"), address.options.get("ssl_cert")
    identity = address.options.get("ssl_verify_identity", "true" if authority or own else "false")
    if identity not in ("true", "false"):
        raise _faults.option_value(source, option="ssl_verify_identity", expected="`true` or `false`")
    if not authority and not own and identity == "false":
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
    except OSError:
        raise _faults.option_value(source, option="ssl_ca", expected="the name of a file of certificates") from None
    try:
        if own:  # a pass phrase that is wrong, lest one be asked for
            context.load_cert_chain(own, address.options.get("ssl_key"), password="")
    except OSError:
        expected = "the name of a file of a certificate, and `ssl_key` that of its key, without pass phrase"
        raise _faults.option_value(source, option="ssl_cert", expected=expected) from None
    context.check_hostname = identity == "true"
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # certificates that MySQL makes for itself lack extensions
    return context


def _patience(address: Address, source: str) -> int:
    """Seconds to wait for a greeting. Raises SourceError."""
    patience = address.options.get("connect_timeout", "10")
    if not patience.isdigit():
        raise _faults.option_value(source, option="connect_timeout", expected=WHOLE_OF.format("seconds"))
    return min(max(int(patience), 1), _LONGEST)


def _unconnected(fault: Exception, address: Address, *, source: str, given: bool) -> SourceError:
    """Why there is no connection."""
    code, below = code_of(fault), getattr(fault, "original_exception", None)
    if isinstance(below, ssl.SSLCertVerificationError):
        return _faults.unreachable(source, address, found=_UNVOUCHED)
    if code == 2026 or isinstance(below, ssl.SSLError):
        return _faults.unreachable(source, address, found=_NO_TLS)
    if code in _LOST or not code:
        return _faults.unreachable(source, address, found=_SILENT)
    if code in _LOGIN:
        return _faults.login_refused(source, given=given)
    return refused(source, address, code=code)


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


def refused(source: str, address: Address, *, code: int) -> SourceError:
    """An error of a connection by its number, in our words: the server's own may quote a cell."""
    if code in _UNREACHABLE:
        return _faults.unreachable(source, address)
    if code in _BUSY:
        return _faults.unreachable(source, address, found=_FULL)
    if code == 1049:
        return _faults.no_database(source, address)
    if code == 1044:
        return _faults.denied(source, what=f"the database `{address.name}`, if there is one of that name,")
    if code in _DENIED:
        return _faults.denied(source, what="a table")
    if code in _LOGIN and code not in _VIEW:
        return _faults.login_refused(source, given=True)
    said = [refusal for codes, refusal in _SAID if code in codes]
    return said[0](source) if said else _faults.fault(source, state=str(code))
