"""Writing so that it stays written: a file is whole or absent after a crash, and on the disk once we say so.

The order is always the same: write a temporary file, `fsync` it, `rename` it, `fsync` the folder (POSIX.1-2017
`rename`: the name changes atomically; `fsync` of the folder makes the new name durable). A full disk becomes one
clear error.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from curator.errors import StorageError

FILE_MODE = 0o644
FROZEN_MODE = 0o444
PRIVATE_MODE = 0o700

_FULL = (errno.ENOSPC, errno.EDQUOT)


def sync_file(path: Path) -> None:
    """Push one file's bytes to the disk. Raises OSError."""
    _sync(path, os.O_RDONLY)


def sync_folder(path: Path) -> None:
    """Push one folder's names to the disk. Raises OSError."""
    _sync(path, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(folder: Path) -> None:
    """Push every file and folder below `folder` to the disk, files first. Raises OSError."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            sync_file(Path(parent, name))
        sync_folder(Path(parent))


def write_synced(path: Path, data: bytes, *, mode: int = FILE_MODE) -> None:
    """Write a new file and push its bytes to the disk; its name is not durable yet. Raises FileExistsError, OSError."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fchmod(handle, mode)
        os.fsync(handle)
    finally:
        os.close(handle)


def link(source: Path, target: Path) -> None:
    """Give a file a second name without a copy of its bytes, or copy it where names cannot cross. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError as fault:
        if fault.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        shutil.copyfile(source, target)


def move(source: Path, target: Path) -> None:
    """Rename and make the new name durable. Both must be on one filesystem. Raises OSError."""
    source.rename(target)
    sync_folder(target.parent)


def make_folders(root: Path, names: Iterable[str]) -> None:
    """Create folders below `root`, parents first in `names`, each name durable. Raises OSError."""
    for name in names:
        path = root / name
        if not path.is_dir():
            path.mkdir()
            sync_folder(path.parent)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all it holds; nothing happens when it is absent. Raises OSError."""
    if folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)


@contextmanager
def disk_errors(place: Path, *, asked: str, needed: int = 0) -> Iterator[None]:
    """Turn an OSError into the StorageError that says what to do.

    Args:
        place: a path on the filesystem that is written; its free space is named.
        asked: what was being done.
        needed: bytes the work writes, where known; 0 otherwise.

    Raises:
        StorageError: `no-space` for a full disk or quota, `disk-failed` for any other refusal of the system.
    """
    try:
        yield
    except OSError as fault:
        if fault.errno in _FULL:
            raise no_space(place, asked=asked, needed=needed) from fault
        raise disk_failed(fault, asked=asked) from fault


def no_space(place: Path, *, asked: str, needed: int = 0) -> StorageError:
    """The error of a full disk, with bytes needed (where known) and bytes free."""
    try:
        free = f"{shutil.disk_usage(place).free:,} bytes are free"
    except OSError:
        free = "free space is unknown"
    return StorageError(
        "no-space",
        asked=asked,
        found=f"the disk or quota is full: {free}",
        expected=f"{needed:,} bytes and some room for Git objects" if needed else "room for the files to write",
        todo="free some space or move the workspace to a larger disk, then run the same command again",
    )


def disk_failed(fault: OSError, *, asked: str) -> StorageError:
    """The error of a disk or filesystem that refuses for another reason than space."""
    reason = os.strerror(fault.errno) if fault.errno else type(fault).__name__
    return StorageError(
        "disk-failed",
        asked=asked,
        found=f"the system refused: {reason}",
        expected="a local filesystem that this user can write",
        todo="check the disk, the mount and the rights (`dmesg`, `df`, `ls -l`), then run the same command again",
    )


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
