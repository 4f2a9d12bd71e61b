"""What the members of a package tell by being there: odd names, containers that hide what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from curator.attacks._leak import Leak

_MEMBER = re.compile(
    r"(?:SHA256SUMS|holder\.pub|evidence/[0-9a-f]{64}\.json"
    r"|(?:[a-z]{2,12}/){0,2}data/[a-z][a-z0-9_-]{0,63}/part-\d{5}\.parquet"
    r"|(?:[a-z][a-z0-9_-]{0,31}/){0,3}[A-Za-z][A-Za-z_-]{0,40}\.(?:json|md|yaml|txt|html|svg|onnx|pub|csv|parquet))"
)
_CONTAINERS = (
    b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!",
    b"\x04\x22\x4d\x18", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"\x80\x04", b"\x80\x05",
)  # fmt: skip


def member_leaks(contents: Mapping[str, bytes | Path]) -> tuple[Leak, ...]:
    """Members whose name follows no rule, and members that hold others compressed or as pictures.

    Args:
        contents: path inside the package -> its bytes, or the file that holds them.
    """
    odd = sum(1 for path in contents if not _MEMBER.fullmatch(path))
    found = [Leak(kind="file-name", where="the name of a member", count=odd)] if odd else []
    for path, content in contents.items():
        if _MEMBER.fullmatch(path) and _head(content).startswith(_CONTAINERS):
            found.append(Leak(kind="container", where=path))
    return tuple(found)


def _head(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content[:8]
    with content.open("rb") as stream:
        return stream.read(8)
