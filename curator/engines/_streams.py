"""Files that DuckDB cannot open by itself, handed to it as streams: packed, in another encoding, or in an object store.

DuckDB takes file systems written in Python. This one knows only what was offered to it, under addresses of its own,
and so the engine's one reader of CSV, JSON and Parquet reads every file by the same rules, wherever it stands.
"""

from __future__ import annotations

import datetime
import io
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from fsspec.spec import AbstractFileSystem

from curator.errors import CuratorError

PROTOCOL = "curator"
_EPOCH = datetime.datetime(2000, 1, 1)
_BLOCK = 1 << 18


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
        return _Kept(offer.opener, self, size=offer.size) if offer.seekable else _Sequential(offer.opener, self)

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
    """A file of which any part can be read, by several threads of the engine at once: each has its own place in it."""

    def __init__(self, opener: Callable[[], IO[bytes]], streams: FileStreams, *, size: int) -> None:
        super().__init__(opener, streams)
        self._size, self._own = size, threading.local()

    def read(self, size: int = -1) -> bytes:
        """Bytes from this thread's place on."""
        place = self.tell()
        with _kept(self._streams):
            data: bytes = self._file.part(place, size)  # type: ignore[attr-defined] # files of object stores have it
        self._own.place = place + len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        """Set this thread's place."""
        self._own.place = offset + (0, self.tell(), self._size)[whence]
        return self._own.place  # type: ignore[no-any-return]

    def tell(self) -> int:
        """This thread's place."""
        return getattr(self._own, "place", 0)

    def seekable(self) -> bool:
        """Any part may be asked for."""
        return True


class _Sequential(_Watched):
    """A stream that goes forward, in the form of a gzip file whose blocks are not compressed (RFC 1951, 3.2.4).

    Of a plain file the engine wants the length beforehand, and any part of it; a gzip file it reads from its start to
    its end. Beginning again opens the stream anew.
    """

    def __init__(self, opener: Callable[[], IO[bytes]], streams: FileStreams) -> None:
        super().__init__(opener, streams)
        self._held, self._place, self._ended = memoryview(b""), 0, False
        self._wrapper = _stored()

    def read(self, size: int = -1) -> bytes:
        """Up to so many bytes, fewer only at the end: the engine takes a short read for the end."""
        parts, held, wanted = [self._held], len(self._held), size if size >= 0 else 1 << 62
        with _kept(self._streams):
            while held < wanted and not self._ended:
                block = self._file.read(_BLOCK)
                self._ended = not block
                parts.append(self._wrapper.compress(block) if block else self._wrapper.flush())
                held += len(parts[-1])
        data = memoryview(b"".join(parts) if len(parts) > 1 else parts[0])
        self._held = data[wanted:]
        self._place += len(data) - len(self._held)
        return bytes(data[:wanted])

    def seek(self, offset: int, whence: int = 0) -> int:
        """Stay, or begin again. Raises io.UnsupportedOperation for any other place."""
        if whence != 0 or offset not in (0, self._place):
            raise io.UnsupportedOperation("a stream goes forward from its start")
        if offset < self._place:
            self._file.close()
            with _kept(self._streams):
                self._file = self._opener()
            self._begin()
        return self._place

    def tell(self) -> int:
        """Bytes given so far."""
        return self._place

    def seekable(self) -> bool:
        """Only forward."""
        return False

    def _begin(self) -> None:
        self._held, self._place, self._ended = memoryview(b""), 0, False
        self._wrapper = _stored()


def _stored() -> Any:
    return zlib.compressobj(0, zlib.DEFLATED, 31)  # level 0: stored; 31: with the header of gzip


class _kept:  # noqa: N801 (reads as a statement)
    """Keep the refusal that leaves a block."""

    def __init__(self, streams: FileStreams) -> None:
        self._streams = streams

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, fault: object, trace: object) -> None:
        if isinstance(fault, CuratorError):
            self._streams.fault = fault
