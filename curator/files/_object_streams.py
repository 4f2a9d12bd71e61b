"""An object of a store as a file: any part of it, or its bytes from start to end, some always on their way."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_PART = 4 << 20  # bytes of a stream taken at once
_SMALL = 1 << 18  # least bytes of a request: a Parquet footer and its length are one
_AHEAD = 3  # such parts on their way


class ObjectParts(io.RawIOBase):
    """An object of which parts are asked for, by several threads at once.

    Args:
        fetch: gives the bytes from one place to another.
        size: of the object.
        ends: last bytes of states of the object, by tag: whoever opens it again finds the footer there.
        tag: of this state.
    """

    def __init__(
        self, fetch: Callable[[int, int], bytes], *, size: int, ends: dict[str, tuple[int, bytes]], tag: str
    ) -> None:
        super().__init__()
        self._fetch, self._size, self._place = fetch, size, 0
        self._ends, self._tag = ends, tag
        self._small: tuple[int, bytes] = ends.get(tag, (0, b"")) if tag else (0, b"")

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move."""
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def tell(self) -> int:
        """Where it is."""
        return self._place

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        data = self.part(self._place, size)
        self._place += len(data)
        return data

    def readinto(self, target: Any) -> int:
        """Fill the buffer."""
        data = self.read(len(target))
        target[: len(data)] = data
        return len(data)

    def part(self, start: int, size: int) -> bytes:
        """Some bytes from a place; short ones are kept for the next asker."""
        end = min(self._size, start + size) if size >= 0 else self._size
        if start >= end:
            return b""
        held_from, held = self._small
        if held_from <= start and end <= held_from + len(held):
            return held[start - held_from : end - held_from]
        if end - start >= _SMALL:
            return self._fetch(start, end)
        first = max(0, min(start, self._size - _SMALL))  # of the end of a file, what stands before it is asked for next
        held = self._fetch(first, min(self._size, first + _SMALL))
        self._small = (first, held)
        if first + len(held) == self._size:
            self._ends[self._tag] = self._small
        return held[start - first : end - first]


class ObjectStream(ObjectParts):
    """An object read from its start to its end by one request, the next bytes on their way while some are used.

    Whoever moves in it asks for parts, as of a zip's list of members.
    """

    def __init__(
        self,
        fetch: Callable[[int, int], bytes],
        begin: Callable[[int], Any],
        *,
        size: int,
        ends: dict[str, tuple[int, bytes]],
        tag: str,
    ) -> None:
        super().__init__(fetch, size=size, ends=ends, tag=tag)
        self._begin, self._worker = begin, ThreadPoolExecutor(1)
        self._coming: deque[Future[bytes]] = deque()
        self._body: Any = None
        self._streamed, self._held = -1, memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        wanted = min(self._size - self._place, size if size >= 0 else self._size)
        if wanted <= 0:
            return b""
        if self._streamed != self._place:
            if self._size - self._place <= _SMALL:
                return super().read(size)
            self._restart()
        parts = []
        while wanted > 0:
            if not self._held:
                self._held = memoryview(self._next())
            part = bytes(self._held[:wanted])
            self._held = self._held[len(part) :]
            parts.append(part)
            self._place += len(part)
            wanted -= len(part)
        self._streamed = self._place
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Let go of what is on its way."""
        if not self.closed:
            self._worker.shutdown(cancel_futures=True)
            if self._body is not None:
                self._body(-1)
        super().close()

    def _restart(self) -> None:
        for job in self._coming:
            job.cancel()
        self._coming.clear()
        if self._body is not None:
            self._worker.submit(self._body, -1).result()
        self._held, self._body = memoryview(b""), self._worker.submit(self._begin, self._place).result()

    def _next(self) -> bytes:
        while len(self._coming) < _AHEAD:
            self._coming.append(self._worker.submit(self._body, _PART))
        return self._coming.popleft().result()
