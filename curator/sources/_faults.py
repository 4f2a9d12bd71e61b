"""The refusals that databases share. What a server says is never repeated: it may quote a cell, a user or a host."""

from __future__ import annotations

from collections.abc import Iterable

from curator.addresses import Address
from curator.errors import SourceError


def driver_missing(source: str, *, driver: str, extra: str) -> SourceError:
    """The package that speaks to this kind of database is not installed."""
    return SourceError(
        "driver-missing",
        asked=f"read the source `{source}` from a database",
        found=f"no package {driver}",
        expected="the driver of this kind of database",
        todo=f"install it with `pip install 'curator-capital[{extra}]'`",
    )


def option_unknown(source: str, *, option: str, known: Iterable[str]) -> SourceError:
    """An option of an address that its class does not know."""
    return SourceError(
        "address-invalid",
        asked=f"read the source `{source}` from an address",
        found=f"the option `{option[:40]}`",
        expected="one of " + ", ".join(f"`{name}`" for name in known),
        todo="correct the option after `?` in the address, or leave it out",
    )


def option_value(source: str, *, option: str, expected: str) -> SourceError:
    """An option of an address whose value is none."""
    return SourceError(
        "address-invalid",
        asked=f"read the source `{source}` from an address",
        found=f"the option `{option}` with a value that is not one of its own",
        expected=expected,
        todo="correct the option after `?` in the address, or leave it out",
    )


def unreachable(source: str, address: Address, *, found: str = "no server that answers there") -> SourceError:
    """Nobody answers at the address."""
    return SourceError(
        "database-unreachable",
        asked=f"connect to the database of the source `{source}`",
        found=found,
        expected=f"a {address.scheme} server at the host and port of its address",
        todo="check the host, the port and the network, and whether the server runs",
    )


def login_refused(source: str, *, given: bool) -> SourceError:
    """The server does not know the user, or not with this password."""
    name = variable(source)
    return SourceError(
        "database-login",
        asked=f"connect to the database of the source `{source}`",
        found="the server refuses the user"
        + (", or the password given for it" if given else ": no password was given"),
        expected="a user that may connect, and its password",
        todo=f"check the user in the address, and the password in `{name}` or in the file that `{name}_FILE` names",
    )


def no_database(source: str, address: Address) -> SourceError:
    """The server has no database of that name."""
    return SourceError(
        "database-missing",
        asked=f"connect to the database of the source `{source}`",
        found=f"no database `{address.name}` on the server",
        expected="the database that the address names",
        todo="correct what follows the host in the address",
    )


def denied(source: str, *, what: str) -> SourceError:
    """The user may connect, but not read this."""
    return SourceError(
        "database-denied",
        asked=f"read {what} of the source `{source}`",
        found="the user of the address may not read it",
        expected="the right to read the declared columns, and no other",
        todo="ask the holder of the database to grant it (`GRANT SELECT (column, ...) ON table TO user`)",
    )


def timed_out(source: str) -> SourceError:
    """The server cancelled the reading."""
    return SourceError(
        "database-timeout",
        asked=f"read the source `{source}`",
        found="the server cancelled the reading: it took longer than a statement may, or somebody cancelled it",
        expected="time enough for one pass over the rows",
        todo="ask for fewer rows with `where`, for an index, or for a longer limit of this user",
    )


def lost(source: str) -> SourceError:
    """The connection ended before the rows did."""
    return SourceError(
        "database-lost",
        asked=f"read the source `{source}` to its end",
        found="the connection ended before the rows did; nothing of it was kept",
        expected="a server and a network that last as long as the reading",
        todo="run the same command again once the server is back",
    )


def broken_off(source: str) -> SourceError:
    """The server gave up the reading in favour of other work."""
    return SourceError(
        "database-conflict",
        asked=f"read the source `{source}` to its end",
        found="the server broke the reading off for other work: a standby for what it must replay, or a deadlock",
        expected="a reading that is let to its end",
        todo="run the same command again, or read the primary; on a standby, the holder may let readings last longer "
        "(`max_standby_streaming_delay`, `hot_standby_feedback`)",
    )


def exhausted(source: str) -> SourceError:
    """The server has no room for the reading."""
    return SourceError(
        "database-resources",
        asked=f"read the source `{source}`",
        found="the server is out of memory, disk or connections, or over a limit that it was given",
        expected="room on the server for one pass over the rows",
        todo="ask for fewer rows and columns, or tell the holder of the database, whose log says what is missing",
    )


def damaged(source: str) -> SourceError:
    """The server cannot read its own files."""
    return SourceError(
        "database-damaged",
        asked=f"read the source `{source}` to its end",
        found="the server cannot read its own files of the table: they are damaged or missing",
        expected="a table whose every row the server can read",
        todo="tell the holder of the database: its log names the file, and the rows must come from a backup",
    )


def fault(source: str, *, state: str) -> SourceError:
    """Anything else that a server refuses, by its SQLSTATE (ISO/IEC 9075-2, 24.1) or error number."""
    return SourceError(
        "database-fault",
        asked=f"read the source `{source}`",
        found=f"the database refuses, with the state {state or 'unknown'} (its text is withheld: it may quote a cell)",
        expected="a table that can be read with the declared columns and types",
        todo="look the state up in the manual of the database; its own log has the text",
    )


def not_filled(source: str, *, table: str) -> SourceError:
    """A materialised view without rows of its own."""
    return SourceError(
        "database-fault",
        asked=f"read the table `{table}` of the source `{source}`",
        found="a materialised view that was never filled",
        expected="a table that can be read with the declared columns and types",
        todo="ask the holder for `REFRESH MATERIALIZED VIEW`, or read the tables that it is made from",
    )


def not_decoded(source: str) -> SourceError:
    """Texts that the server cannot hand over as UTF-8."""
    return SourceError(
        "source-encoding",
        asked=f"read the source `{source}`",
        found="a text that the server cannot turn into UTF-8 (a database of the encoding SQL_ASCII keeps any bytes)",
        expected="texts that are what the encoding of the database says",
        todo="name as `table` a view that says what the bytes are "
        "(`convert_from(convert_to(name, 'SQL_ASCII'), 'LATIN1')`), or ask the holder to mend the text",
    )


def no_snapshot(source: str, *, kind: str) -> SourceError:
    """A table that cannot be read as of one moment."""
    return SourceError(
        "database-snapshot",
        asked=f"read the source `{source}` as of one moment",
        found=f"a table of {kind}, which keeps no snapshot",
        expected="a table whose rows stand still for one transaction",
        todo="ask the holder for a copy that is at rest, or for a transactional table (InnoDB)",
    )


def altered(source: str) -> SourceError:
    """A table that was changed as a whole within the moment."""
    return SourceError(
        "database-snapshot",
        asked=f"read the source `{source}` as of one moment",
        found="a table that was altered, emptied or made anew since that moment",
        expected="a table whose rows stand still for one transaction",
        todo="run the same command again, at another hour than what fills the table",
    )


def view_broken(source: str) -> SourceError:
    """A view that nobody can read as it stands."""
    return SourceError(
        "database-fault",
        asked=f"read a view of the source `{source}`",
        found="a view whose tables or columns are gone, or whose owner is gone or may not read them",
        expected="a table that can be read with the declared columns and types",
        todo="ask the holder of the database to mend the view, or read the tables that it is made from",
    )


def table_missing(source: str, *, table: str, present: Iterable[str], hides: bool = False) -> SourceError:
    """The database has no such table, or the user sees none (`hides`: it does not show what one may not read)."""
    return SourceError(
        "source-table-missing",
        asked=f"read the table `{table}` of the source `{source}`",
        found=f"no such table among {', '.join(sorted(present)) or 'none at all'}"[:600],
        expected="the table that the spec names",
        todo="correct `table` in the source, or ask the holder what changed"
        + (HIDDEN.format("table") if hides else ""),
    )


HIDDEN = " (a {} that the user of the address may not read does not show)"


def variable(source: str) -> str:
    """The environment variable that holds the password of a source."""
    return f"CURATOR_{source.upper()}_PASSWORD"
