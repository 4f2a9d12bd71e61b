"""Streams made of other streams: what every one of them does alike."""

from __future__ import annotations

import io
from typing import IO, Any


class Layered(io.RawIOBase):
    """A stream over another one, which it closes with itself."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self._stream = stream

    def readable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Close the other stream too."""
        if not self.closed:
            self._stream.close()
        super().close()


class Stepped(Layered):
    """A stream whose bytes come step by step; a step leaves those that are ready in `_clear`."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self._clear = memoryview(b"")

    def readinto(self, target: Any) -> int:
        """Fill the buffer as far as one step gives."""
        while not self._clear and self._step():
            pass
        count = min(len(target), len(self._clear))
        target[:count] = self._clear[:count]
        self._clear = self._clear[count:]
        return count

    def _step(self) -> bool:
        """Make the next bytes ready, perhaps none; False when there are no more to come."""
        raise NotImplementedError
