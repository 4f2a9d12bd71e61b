"""Where the engine puts what memory cannot hold: files on the disk that are encrypted before they reach it.

DuckDB's own wheel can decrypt temporary files but not encrypt them. It takes file systems written in Python, though,
and asks of a temporary one little: to write blocks, and to read the same blocks again. So each write is sealed with
AES-256-GCM (NIST SP 800-38D) under a key that is drawn for one engine, is never stored and dies with the process, and
a nonce that is never used twice. Lengths stay the same on the disk; nonces and tags, a few bytes a block, stay in
memory. What is read back is what was written, or nothing.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fsspec.spec import AbstractFileSystem

PROTOCOL = "sealed"
_TAG = 16
_NONCE = 12


@dataclass(frozen=True)
class _Sealed:
    """One written block: how long it is, and what opens it."""

    size: int
    nonce: bytes
    tag: bytes


class SealedSpill(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """A file system of temporary files, sealed block by block, for one engine.

    Paths are `sealed://...` and lie in one folder. Blocks are read as they were written, whole or in part; a read over
    a hole or across blocks is a fault of the engine's and fails. Files that were never written are empty, and stay so.

    Args:
        folder: private folder on the disk; made when the first file is.
    """

    protocol = PROTOCOL
    cachable = False

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._cipher = AESGCM(AESGCM.generate_key(256))
        self._nonces: Iterator[int] = count(secrets.randbits(64))
        self._blocks: dict[str, dict[int, _Sealed]] = {}
        self._lock = threading.Lock()

    def open(self, path: str, mode: str = "rb", **options: Any) -> _SpillFile:
        """Open a file; any mode but reading makes it."""
        place = self._place(path)
        if mode in ("r", "rb") and not place.exists():
            return _SpillFile(self, os.open(os.devnull, os.O_RDONLY), name=place.name)
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _SpillFile(self, os.open(place, os.O_RDWR | os.O_CREAT, 0o600), name=place.name)

    def seal(self, descriptor: int, data: bytes, *, name: str, position: int) -> int:
        """Write one block, encrypted, and remember what opens it. Returns its length."""
        with self._lock:
            nonce = next(self._nonces).to_bytes(_NONCE, "big")
        sealed = self._cipher.encrypt(nonce, data, _bound(name, position))
        view = memoryview(sealed)[: len(data)]
        done = 0
        while done < len(view):
            done += os.pwrite(descriptor, view[done:], position + done)
        self._blocks.setdefault(name, {})[position] = _Sealed(len(data), nonce, sealed[-_TAG:])
        return len(data)

    def unseal(self, descriptor: int, size: int, *, name: str, position: int) -> bytes:
        """Read back bytes of one block. Raises OSError when no block holds them, or one was changed on the disk."""
        blocks = self._blocks.get(name, {})
        start = position if position in blocks else max((p for p in blocks if p <= position), default=-1)
        block = blocks.get(start)
        if block is None or position + size > start + block.size:
            raise OSError("a temporary file is read where nothing was written")
        data = os.pread(descriptor, block.size, start)
        try:
            clear = self._cipher.decrypt(block.nonce, data + block.tag, _bound(name, start))
        except InvalidTag:
            raise OSError("a temporary file was changed while it was in use") from None
        return clear if block.size == size else clear[position - start : position - start + size]

    def touch(self, path: str, truncate: bool = True, **options: Any) -> None:
        """What the engine calls to give back the end of a file: kept, for its new length is not told."""

    def exists(self, path: str, **options: Any) -> bool:
        """Whether a file or folder is there."""
        return self._place(path).exists()

    def isdir(self, path: str) -> bool:
        """Whether it is a folder."""
        return self._place(path).is_dir()

    def isfile(self, path: str) -> bool:
        """Whether it is a file."""
        return self._place(path).is_file()

    def mkdir(self, path: str, create_parents: bool = True, **options: Any) -> None:
        """Make a folder."""
        self._place(path).mkdir(mode=0o700, parents=True, exist_ok=True)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a folder and those above it."""
        self.mkdir(path)

    def ls(self, path: str, detail: bool = True, **options: Any) -> list[Any]:
        """What a folder holds."""
        place = self._place(path)
        base = path.rstrip("/")
        names = sorted(entry.name for entry in place.iterdir()) if place.is_dir() else []
        found = [self.info(f"{base}/{name}") for name in names]
        return found if detail else [entry["name"] for entry in found]

    def info(self, path: str, **options: Any) -> dict[str, Any]:
        """Name, size and kind."""
        place = self._place(path)
        size = place.stat().st_size if place.is_file() else 0
        return {"name": path, "size": size, "type": "directory" if place.is_dir() else "file"}

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return int(self.info(path)["size"])

    def rm(self, path: str, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Remove a file or a folder; one that is not there is as good as removed."""
        place = self._place(path)
        if place.is_dir():
            shutil.rmtree(place, ignore_errors=True)
            return
        place.unlink(missing_ok=True)
        self._blocks.pop(place.name, None)

    def rm_file(self, path: str) -> None:
        """Remove a file."""
        self.rm(path)

    def _place(self, path: str) -> Path:
        return self._folder / path.split("://", 1)[-1].strip("/")


class _SpillFile:
    """An open file. The engine seeks, then reads or writes, from several threads at once: each has its own place."""

    def __init__(self, system: SealedSpill, descriptor: int, *, name: str) -> None:
        self._system, self._descriptor, self._name = system, descriptor, name
        self._at = threading.local()
        self.closed = False

    def __enter__(self) -> _SpillFile:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def seek(self, position: int, whence: int = 0) -> int:
        """Go to a place, from the beginning of the file."""
        self._at.position = position
        return position

    def tell(self) -> int:
        """The place."""
        return int(getattr(self._at, "position", 0))

    def read(self, size: int = -1) -> bytes:
        """Bytes of one block."""
        if size <= 0:
            return b""
        data = self._system.unseal(self._descriptor, size, name=self._name, position=self.tell())
        self._at.position = self.tell() + len(data)
        return data

    def write(self, data: bytes) -> int:
        """One block."""
        written = self._system.seal(self._descriptor, data, name=self._name, position=self.tell())
        self._at.position = self.tell() + written
        return written

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Close the file; what it holds stays until it is removed."""
        if not self.closed:
            self.closed = True
            os.close(self._descriptor)


def _bound(name: str, position: int) -> bytes:
    """What a block is bound to, so that one cannot stand in for another."""
    return f"{name}:{position}".encode()
