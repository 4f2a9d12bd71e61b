"""What stops PostgreSQL, in our words: by its SQLSTATE (PostgreSQL manual, appendix A), never by its text alone.

The text may quote a cell. It is looked into only where there is no state: for faults before a session exists, of which
libpq hands on no more than words, in the language of the server.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from curator.addresses import Address
from curator.errors import SourceError
from curator.sources import _faults

_STATE = re.compile(r"SQLSTATE:? \(?([0-9A-Z]{5})\b")
_LOGIN = re.compile(
    r"password|authentification|authentication|Passwort|contrase|no pg_hba|role .* does not exist|28P01|28000"
    r"|not permitted to log in|pas autorisé à se connecter",
    re.I,
)
_NO_DATABASE = re.compile(r'database ".*" does not exist|base de données .* n\'existe pas|3D000')
_CLOSED_TO_USER = re.compile(r"permission denied for database|droit refusé pour la base", re.I)
_SLOW = re.compile(r"57014|statement timeout")
_NOT_TAKEN = {
    re.compile(r"too many (connections|clients)|connection slots|trop de (connexions|clients)|53300", re.I):
        "a server that takes no more connections, or no more of this user",
    re.compile(r"not currently accepting|starting up|shutting down|not yet accepting|n'accepte|57P03", re.I):
        "a server that takes no connections now, or none to this database",
    re.compile(r"\b(SSL|TLS|certificate)\b"):
        "a server that speaks no TLS, or whose certificate is not the one that `sslmode` asks for",
}  # fmt: skip
_UNDECODED = re.compile(r"22021|22P05|invalid byte sequence|invalid UTF-?8", re.I)

# The start of a state -> what is said of it; the longest counts.
_STATES: dict[str, Callable[[str], SourceError]] = {
    "57014": _faults.timed_out, "55P03": _faults.timed_out, "25P03": _faults.timed_out, "25P04": _faults.timed_out,
    "42P01": _faults.altered, "42703": _faults.altered,  # for it was there, by the catalogue of that moment
    "08": _faults.lost, "57P": _faults.lost,
    "22021": _faults.not_decoded, "22P05": _faults.not_decoded,
    "42501": lambda source: _faults.denied(source, what="a table"),
    "40": _faults.broken_off, "72000": _faults.broken_off,
    "53": _faults.exhausted, "54": _faults.exhausted,
    "XX001": _faults.damaged, "XX002": _faults.damaged, "58": _faults.damaged,
}  # fmt: skip


def state_of(fault: Exception) -> str:
    """The SQLSTATE of a fault; empty without one."""
    return getattr(fault, "sqlstate", None) or next(iter(_STATE.findall(str(fault))), "")


def rows_of(cursor: Any) -> tuple[pa.Schema, Any]:
    """The schema of what was asked, and its batches.

    The driver's own reader of batches makes its errors of what stops them, with the state; the one that it hands out
    knows no more than the text.
    """
    reader = cursor.fetch_record_batch()
    return reader.schema, iter(getattr(cursor._results, "reader", reader))


def unconnected(address: Address, source: str, *, words: str, given: bool) -> SourceError:
    """Why there is no session, by the words of libpq."""
    if _NO_DATABASE.search(words):
        return _faults.no_database(source, address)
    if _SLOW.search(words):
        return _faults.timed_out(source)
    if _CLOSED_TO_USER.search(words):
        return _faults.denied(source, what=f"the database `{address.name}`")
    if _LOGIN.search(words):
        return _faults.login_refused(source, given=given)
    found = next((found for sign, found in _NOT_TAKEN.items() if sign.search(words)), None)
    return _faults.unreachable(source, address, found=found) if found else _faults.unreachable(source, address)


def refused(source: str, words: str, *, state: str) -> SourceError:
    """Why a statement has no rows, or no more of them."""
    known = [start for start in _STATES if state.startswith(start)]
    if known:
        return _STATES[max(known, key=len)](source)
    return _faults.not_decoded(source) if _UNDECODED.search(words) else _faults.fault(source, state=state)
