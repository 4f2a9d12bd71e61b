"""Addresses of sources that are no local file: `scheme://[user@]host[:port]/place[?name=value]` (RFC 3986).

An address is written into specs, plans, errors and evidence, so it never holds a secret: one that does is refused where
it is first seen, with a text that says where secrets belong and does not repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from curator.errors import SourceError

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PASSWORD = re.compile(r"://[^/?#@]*:[^/?#]*@")  # anything after a colon before the last @ of the authority
_WORDS = re.compile(
    r"[?&;#](?:[^=&;#]*[-_.])?"
    r"(?:passw(?:or)?d|passfile|sslpassword|pwd|pass|secret|secret[-_]?key|token|sig|signature|api[-_]?key|access[-_]?key"
    r"|accesskey|accesskeyid|credentials?)(?:[-_.][^=&;#]*)?=",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a source stands, without any secret.

    Attributes:
        text: as it was written.
        scheme: in lower case.
        user, host, port: of the authority; None where the address is silent.
        place: what follows the host, without its first `/` (a database, a bucket's key).
        options: names and values after `?`.
    """

    text: str
    scheme: str
    user: str | None = None
    host: str | None = None
    port: int | None = None
    place: str = ""
    options: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def name(self) -> str:
        """The last part of the place, as evidence calls it: neither host nor user."""
        return self.place.rstrip("/").rsplit("/", 1)[-1] or self.scheme

    def __str__(self) -> str:
        return self.text


Place: TypeAlias = "Path | Address"
"""Where a source is read from: a file of this machine, or an address."""


def is_address(text: object) -> bool:
    """Whether a place is written as an address, `scheme://...`, rather than as a path."""
    return isinstance(text, str) and _SCHEME.match(text) is not None


def holds_secret(text: str) -> bool:
    """Whether an address holds a password, a token or the like; an address that nobody can read may hold one."""
    if _PASSWORD.search(text) or _WORDS.search(text):
        return True
    if not is_address(text):
        return False
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises when what follows the host is no number: perhaps a password with a `/`
        return parts.password is not None
    except ValueError:
        return True


def address_of(text: str, *, source: str) -> Address:
    """The parts of an address.

    Args:
        text: the address.
        source: the source it belongs to, for the refusal.

    Raises:
        SourceError: `address-secret` when it holds a secret, `address-invalid` when it is no address.
    """
    if holds_secret(text):
        raise SourceError(
            "address-secret",
            asked=f"read the source `{source}` from an address",
            found="an address that holds a password or another secret (it is not repeated here)",
            expected="an address without secret: it is written into plans, errors and evidence",
            todo="take it out of the address, and give it in the environment or in a file that only you can read "
            "(`curator explain address-secret` names both); then change it, for it may have been seen",
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _invalid(source) from None
    if not _SCHEME.match(text) or any(not char.isprintable() for char in text):
        raise _invalid(source)
    return Address(
        text=text,
        scheme=parts.scheme.lower(),
        user=unquote(parts.username) if parts.username else None,
        host=unquote(parts.hostname) if parts.hostname else None,
        port=port,
        place=unquote(parts.path.removeprefix("/")),
        options=dict(parse_qsl(parts.query, keep_blank_values=True)),
    )


def place_of(text: str | Path, *, source: str, folder: Path | None = None) -> Place:
    """A path (below `folder` when it is relative) or an address. Raises SourceError like `address_of`."""
    if isinstance(text, str) and is_address(text):
        return address_of(text, source=source)
    return folder / text if folder is not None else Path(text)


def _invalid(source: str) -> SourceError:
    return SourceError(
        "address-invalid",
        asked=f"read the source `{source}` from an address",
        found="a text that is no address",
        expected="such as `postgresql://reader@db.example:5432/accidents`",
        todo="correct the address; a port is a number, and special characters are written as %20",
    )
