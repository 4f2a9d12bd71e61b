"""Locks that die with their owner, and private folders that are removed when theirs is gone.

Both rest on `flock`(2): the kernel frees it when the last process that holds the file ends, however it ends, so nothing
is ever guessed from a process number. The number is written in the lock file only for the message people read.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from curator.edges.durable import PRIVATE_MODE, disk_errors, remove_tree
from curator.errors import StorageError, UsageError

log = logging.getLogger("curator")

_OWNER = ".owner"
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,40}")
_POLL_SECONDS = 0.02


class FileLock:
    """One exclusive lock, re-entrant within a thread, shared by the threads of this object in turn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = threading.RLock()
        self._depth = 0
        self.handle = -1

    @contextmanager
    def held(self, *, wait_seconds: float = 600.0) -> Iterator[None]:
        """Hold the lock for a block.

        Args:
            wait_seconds: how long to wait for another owner.

        Raises:
            StorageError: `workspace-locked` when the wait is over.
        """
        deadline = time.monotonic() + wait_seconds
        if not self._turn.acquire(timeout=max(wait_seconds, 0.001)):
            raise _locked("another thread of this process", wait_seconds)
        try:
            if self._depth == 0:
                self._take(deadline, wait_seconds)
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    os.close(self.handle)
                    self.handle = -1
        finally:
            self._turn.release()

    def _take(self, deadline: float, wait_seconds: float) -> None:
        with disk_errors(self._path.parent, asked="lock the workspace"):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._wait(handle, deadline, wait_seconds=wait_seconds)
        except BaseException:
            os.close(handle)
            raise
        with suppress(OSError):  # only a note for the others: a full disk must not stop us here
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()} {socket.gethostname()}\n".encode(), 0)
        self.handle = handle

    def _wait(self, handle: int, deadline: float, *, wait_seconds: float) -> None:
        told = False
        while not _try_lock(handle):
            owner = _owner(handle)
            if time.monotonic() >= deadline:
                raise _locked(owner, wait_seconds)
            if not told:
                log.warning("waiting for %s, which is changing the workspace", owner)
                told = True
            time.sleep(_POLL_SECONDS)


@contextmanager
def scratch_folder(parent: Path, purpose: str) -> Iterator[Path]:
    """A private folder (0700) below `parent`, removed at the end, also after an error.

    Raises:
        UsageError: `purpose-invalid` when the purpose is not lower-case letters, digits and hyphens.
        StorageError: the disk refuses.
    """
    if not _PURPOSE.fullmatch(purpose):
        raise UsageError(
            "purpose-invalid",
            asked="make a temporary folder",
            found="a purpose with other characters",
            expected="lower-case letters, digits and hyphens, as in `curate`",
            todo="pass the name of the command; never a value from the data",
        )
    with disk_errors(parent, asked="make a temporary folder"):
        path = parent / f"{purpose}-{secrets.token_hex(6)}"
        handle = _own(path)
    try:
        with disk_errors(parent, asked="make a temporary folder"):
            path.mkdir(mode=PRIVATE_MODE)
        yield path
    finally:
        _disown(path, handle)


def sweep_scratch(parent: Path) -> int:
    """Remove the temporary folders whose owner is dead; returns how many. Raises OSError."""
    removed = 0
    for name in sorted({path.name.removesuffix(_OWNER) for path in parent.iterdir()}):
        handle = _open_owner(parent / name)
        if _try_lock(handle) and _same_file(handle, _owner_path(parent / name)):
            remove_tree(parent / name)
            _owner_path(parent / name).unlink(missing_ok=True)
            removed += 1
        os.close(handle)
    return removed


def _own(path: Path) -> int:
    """Create and lock the owner file before the folder, so that no sweep ever sees a folder without a living owner."""
    while True:
        handle = _open_owner(path)
        if _try_lock(handle) and _same_file(handle, _owner_path(path)):
            return handle
        os.close(handle)


def _disown(path: Path, handle: int) -> None:
    try:
        with suppress(OSError):  # what cannot be removed now is removed by the next sweep
            remove_tree(path)
            _owner_path(path).unlink(missing_ok=True)
    finally:
        os.close(handle)


def _owner_path(path: Path) -> Path:
    return path.with_name(path.name + _OWNER)


def _open_owner(path: Path) -> int:
    return os.open(_owner_path(path), os.O_RDWR | os.O_CREAT, 0o600)


def _same_file(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(handle: int) -> str:
    words = os.pread(handle, 200, 0).decode(errors="replace").split()
    return f"process {words[0]} on {words[1]}" if len(words) == 2 and words[0].isdigit() else "another process"


def _locked(owner: str, wait_seconds: float) -> StorageError:
    return StorageError(
        "workspace-locked",
        asked="change the workspace",
        found=f"{owner} has been changing it for more than {wait_seconds:g} s",
        expected="one process at a time that publishes",
        todo="wait for it to end, or stop it if it hangs; its lock ends with it and nothing needs to be deleted",
    )
