"""Files that were cut short or damaged on their way, which the engine would read as far as they go."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from curator.files import unreadable

_BLOCK = 1 << 20


def require_whole_gzip(name: str, path: Path) -> None:
    """Unpack a gzip file once, to its length and checksum (RFC 1952, 2.3.1), of which the engine asks neither.

    A file cut short would lose its last rows, or the end of its last cell, without a word. Raises SourceError.
    """
    try:
        with gzip.open(path, "rb") as stream:
            while stream.read(_BLOCK):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise unreadable(name, "a gzip file that was cut short or damaged") from None


def require_whole_sqlite(name: str, path: Path) -> None:
    """Refuse a SQLite file shorter than its header says; SQLite itself reads what is missing as zeros.

    Fields of the header: www.sqlite.org/fileformat2.html, 1.3. Raises SourceError.
    """
    with path.open("rb") as stream:
        head = stream.read(100)
    page, pages = int.from_bytes(head[16:18], "big"), int.from_bytes(head[28:32], "big")
    counted = head[24:28] == head[92:96]  # else an old version wrote last and left the number of pages behind
    if len(head) < 100 or (counted and path.stat().st_size < (65_536 if page == 1 else page) * pages):
        raise unreadable(name, "a database that was cut short")
