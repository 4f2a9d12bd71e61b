"""Files that DuckDB cannot open by itself, handed to it as streams: packed, in another encoding, or in an object store.

DuckDB takes file systems written in Python. This one knows only what was offered to it, under addresses of its own,
and so the engine's one reader of CSV, JSON and Parquet reads every file by the same rules, wherever it stands.
"""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from fsspec.spec import AbstractFileSystem

from curator.errors import CuratorError

PROTOCOL = "curator"
_EPOCH = datetime.datetime(2000, 1, 1)
_SKIP = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _Offer:
    opener: Callable[[], IO[bytes]]
    size: int
    seekable: bool


class FileStreams(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """The files offered to one engine.

    Attributes:
        fault: what a stream refused while the engine read it; the engine's own words about it say less.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self.fault: CuratorError | None = None
        self._offers: dict[str, _Offer] = {}

    def offer(self, name: str, opener: Callable[[], IO[bytes]], *, size: int, seekable: bool = False) -> str:
        """Give a file an address that the engine can open any number of times.

        Args:
            name: part of the address, its suffix included.
            opener: gives its bytes from the start.
            size: bytes, or a guess when it is not `seekable`.
            seekable: whether the engine may ask for any part of it; else it is read from its start to its end.
        """
        address = f"{PROTOCOL}://{len(self._offers)}/{name}"
        self._offers[address] = _Offer(opener=opener, size=size, seekable=seekable)
        return address

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        """Open an offered file for reading."""
        offer = self._offers[path]
        return (_Kept if offer.seekable else _Sequential)(offer.opener, self)

    def glob(self, path: str, **options: Any) -> list[str]:
        """The address itself: no pattern is followed."""
        return [path] if path in self._offers else []

    def exists(self, path: str, **options: Any) -> bool:
        """Whether it was offered."""
        return path in self._offers

    def size(self, path: str) -> int:
        """Its bytes, or a guess."""
        return self._offers[path].size

    def modified(self, path: str) -> datetime.datetime:
        """A fixed time: whether the file stands still is watched elsewhere."""
        return _EPOCH

    def isfile(self, path: str) -> bool:
        """Whether it was offered."""
        return path in self._offers


class _Watched(io.RawIOBase):
    """A file whose refusals are kept for whoever asked the engine to read it."""

    def __init__(self, opener: Callable[[], IO[bytes]], streams: FileStreams) -> None:
        super().__init__()
        self._opener, self._streams = opener, streams
        with _kept(streams):
            self._file = opener()

    def readable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Close the file."""
        if not self.closed:
            self._file.close()
        super().close()


class _Kept(_Watched):
    """A file of which any part can be read."""

    def read(self, size: int = -1) -> bytes:
        with _kept(self._streams):
            return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


class _Sequential(_Watched):
    """A stream that goes forward; the engine may begin again, which opens it anew."""

    _place = 0

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, fewer only at the end: the engine takes a short read for the end."""
        parts, wanted = [], size if size >= 0 else 1 << 62
        with _kept(self._streams):
            while wanted > 0 and (part := self._file.read(min(wanted, 1 << 24))):
                parts.append(part)
                wanted -= len(part)
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._place += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence != 0:
            raise io.UnsupportedOperation("a stream has no end to start from")
        if offset < self._place:
            self._file.close()
            with _kept(self._streams):
                self._file = self._opener()
            self._place = 0
        while self._place < offset and self.read(min(_SKIP, offset - self._place)):
            pass
        return self._place

    def tell(self) -> int:
        return self._place

    def seekable(self) -> bool:
        return False


class _kept:  # noqa: N801 (reads as a statement)
    """Keep the refusal that leaves a block."""

    def __init__(self, streams: FileStreams) -> None:
        self._streams = streams

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: object, trace: object) -> None:
        if isinstance(fault, CuratorError):
            self._streams.fault = fault
