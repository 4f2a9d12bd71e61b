"""Canonical bytes and digests: the same record gives the same SHA-256 on every machine (RFC 8785, FIPS 180-4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, TypeAlias

import rfc8785

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_BLOCK = 1 << 20
_WORDS = {None: "null", True: "true", False: "false"}
_EXACT = 2**53  # whole numbers below it are themselves as doubles


def canonical_json(value: Any) -> bytes:
    """RFC 8785 bytes of a JSON value. Raises ValueError for NaN, infinities and integers beyond 2**53."""
    parts: list[str] = []
    try:
        _write(value, parts.append)
        return "".join(parts).encode()
    except (TypeError, UnicodeEncodeError):  # keys that are no texts, half characters: told by whom numbers are left to
        return bytes(rfc8785.dumps(value))


def _write(value: Any, put: Callable[[str], None]) -> None:
    """Put the parts of a value; what is not text, whole number, list or object is left to `rfc8785`."""
    kind = type(value)
    if kind is str:
        put(encode_basestring(value))
    elif kind is dict and value:
        mark = "{"
        for key in sorted(value) if "".join(value).isascii() else sorted(value, key=_units):
            put(f"{mark}{encode_basestring(key)}:")
            _write(value[key], put)
            mark = ","
        put("}")
    elif kind in (list, tuple) and value:
        mark = "["
        for item in value:
            put(mark)
            _write(item, put)
            mark = ","
        put("]")
    elif value is None or kind is bool:
        put(_WORDS[value])
    elif kind is int and -_EXACT < value < _EXACT:
        put(str(value))
    else:
        put(rfc8785.dumps(value).decode())


def _units(key: str) -> bytes:
    """What names are ordered by (RFC 8785, 3.2.3)."""
    return key.encode("utf-16be")


def sha256_bytes(data: bytes) -> str:
    """SHA-256 of bytes, lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def sha256_json(value: Any) -> str:
    """SHA-256 of a JSON value's canonical bytes: the identity of a record."""
    return sha256_bytes(canonical_json(value))


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
