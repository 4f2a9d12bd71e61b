"""The holder's root secret, from which every other secret key is derived."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from curator.edges.keys._files import malformed, read_secret, write_secret
from curator.errors import SecretError

MIN_BYTES = 32
_WHAT = "the root secret"
_VALUE, _FILE = ROOT_VARIABLES = "CURATOR_ROOT_KEY", "CURATOR_ROOT_KEY_FILE"
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")


def load_root(private: Path, environ: Mapping[str, str]) -> bytes:
    """The root secret: from CURATOR_ROOT_KEY, else from the file CURATOR_ROOT_KEY_FILE, else `keys/root.key`.

    A variable that is set but empty is refused rather than passed over: a deployment that lost its secret must not
    quietly go on with another one.

    Args:
        private: the workspace's private folder.
        environ: the environment, usually `os.environ`.

    Returns:
        32 bytes or more.

    Raises:
        SecretError: `key-missing`, `key-too-short`, `key-malformed`, `key-readable-by-others`.
    """
    if _VALUE in environ:
        return _parse(environ[_VALUE], source=_VALUE)
    path = Path(environ[_FILE]) if _FILE in environ else _path(private)
    data = read_secret(path, what=_WHAT)
    return _parse(data.decode("ascii", errors="replace"), source=path.name)


def create_root(private: Path, *, secret: bytes | None = None) -> None:
    """Write the root secret to `keys/root.key`, mode 0600, never over an existing one.

    Args:
        private: the workspace's private folder.
        secret: 32 bytes or more, to carry on with a known secret; drawn from the operating system by default.

    Raises:
        SecretError: `key-exists`, `key-too-short`.
    """
    value = secrets.token_bytes(MIN_BYTES) if secret is None else secret
    if len(value) < MIN_BYTES:
        raise _too_short("the secret given")
    write_secret(_path(private), value.hex().encode("ascii") + b"\n", what=_WHAT)


def has_root(private: Path) -> bool:
    """Whether `keys/root.key` is there."""
    return _path(private).exists()


def _path(private: Path) -> Path:
    return private / "keys" / "root.key"


def _parse(text: str, *, source: str) -> bytes:
    digits = text.strip(" \t\r\n")
    if len(digits) < 2 * MIN_BYTES and (not digits or _HEX.fullmatch(digits)):
        raise _too_short(source)
    if not _HEX.fullmatch(digits):
        raise malformed(_WHAT, source, found="something that is not an even number of hexadecimal digits")
    return bytes.fromhex(digits)


def _too_short(source: str) -> SecretError:
    return SecretError(
        "key-too-short",
        asked=f"use the root secret from {source}",
        found=f"fewer than {MIN_BYTES} bytes",
        expected=f"at least {MIN_BYTES} random bytes ({2 * MIN_BYTES} hexadecimal digits)",
        todo="restore the whole secret; for a new workspace draw one with `openssl rand -hex 32`",
    )
