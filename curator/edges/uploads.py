"""The uploads that a run has begun, noted beside the workspace so that the next run can end those of one that died.

A store keeps the parts of an upload that nobody ended, shows them in no listing, and bills them. It cannot tell whose
an upload is: another workspace may be sending to the same place at this moment. So each run notes the numbers that the
store gave it, in a file that it holds locked (`flock`) for as long as it lives; a file that nobody holds is of a run
that died, and only the uploads named there are ended. A run that dies between the store's answer and its own note
leaves one that only a rule of the bucket can end (`AbortIncompleteMultipartUpload`).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from curator.files import ObjectStore, Upload

_MODE = 0o600


class Uploads:
    """The notes of one run, and those of runs before it.

    Args:
        folder: private folder of the notes; made when needed.
        objects: the store that is sent to.
    """

    def __init__(self, folder: Path, objects: ObjectStore) -> None:
        self._folder, self._objects = folder, objects
        # The store's address may name hosts: a digest of it is enough to tell stores apart.
        self._mark = hashlib.sha256(objects.address.encode()).hexdigest()[:16]
        self._path = folder / f"{self._mark}-{secrets.token_hex(8)}"
        self._handle: int | None = None

    def begin(self) -> None:
        """Hold a file of notes for this run. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        unlocked = self._path.with_name(f".{self._path.name}")  # not found by a sweep before it is held
        self._handle = os.open(unlocked, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, _MODE)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        unlocked.rename(self._path)

    def note(self, upload: Upload) -> None:
        """Note an upload that the store has just begun; by several threads. Raises OSError."""
        if self._handle is not None:
            line = json.dumps({"key": upload.key, "number": upload.number}) + "\n"
            os.write(self._handle, line.encode())  # one call: lines of several threads do not mix

    def end(self, *, settled: bool) -> None:
        """Let go of the notes; they stay for the next run unless every upload is completed or taken back."""
        if self._handle is not None:
            if settled:
                self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def sweep(self) -> int:
        """End the uploads to this store that dead runs of this workspace left; returns how many were ended.

        What cannot be ended now is left to the next run.
        """
        ended = 0
        for path in sorted(self._folder.glob(f"{self._mark}-*")) if self._folder.is_dir() else ():
            with suppress(OSError):  # held by a run that lives, or gone meanwhile
                ended += self._ended(path)
        return ended

    def _ended(self, path: Path) -> int:
        handle = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left = list(_noted(path))
            gone = [self._objects.abandon(upload) for upload in left]
            if all(gone):
                path.unlink()
            return sum(gone)
        finally:
            os.close(handle)


def _noted(path: Path) -> Iterator[Upload]:
    """The uploads of a file of notes; a line that was cut short names none."""
    for line in path.read_bytes().splitlines():
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(line)
            yield Upload(str(told["key"]), str(told["number"]))
