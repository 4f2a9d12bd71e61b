"""Files of secrets: written once for their owner alone, and read only while that is still so."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

from curator.errors import SecretError

_MAX_BYTES = 65_536
_OWNER_ONLY = 0o600
_NO_NAMELESS = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL, errno.EXDEV)


def write_secret(path: Path, data: bytes, *, what: str) -> None:
    """Write a new file of mode 0600, whole or not at all, and never over an existing one.

    The bytes are flushed to disk without a name (`O_TMPFILE`, open(2)), so that a process killed meanwhile leaves none
    of them; where the filesystem cannot, under a temporary name. A hard link then gives them their name, which fails
    when it is taken. Folders that are missing are made with mode 0700.

    Args:
        path: where.
        data: the secret.
        what: what the secret is, for messages.

    Raises:
        SecretError: `key-exists`.
    """
    _make_private(path.parent)
    try:
        if not _link_nameless(path, data):
            _link_draft(path, data)
    except FileExistsError as fault:
        raise _exists(path, what) from fault
    flush_folder(path.parent)


def read_secret(path: Path, *, what: str) -> bytes:
    """The bytes of a secret file, when it is a regular file, mine, of mode 0600 or stricter, and not a link.

    The checks are made on the open file, so it cannot be exchanged between check and reading.

    Args:
        path: the file.
        what: what the secret is, for messages.

    Raises:
        SecretError: `key-missing`, `key-readable-by-others` (mode, owner or link) or `key-malformed` (no regular file,
            or more than 64 KiB).
    """
    descriptor = _open(path, what)
    try:
        _check_private(os.fstat(descriptor), path, what=what)
        return os.read(descriptor, _MAX_BYTES)
    finally:
        os.close(descriptor)


def malformed(what: str, name: str, *, found: str) -> SecretError:
    """The error of a key that is there but is not one; `found` never quotes it."""
    return SecretError(
        "key-malformed",
        asked=f"read {what} from {name}",
        found=found,
        expected="64 or more hexadecimal digits for the root secret; an unencrypted Ed25519 key in PEM for an agent",
        todo="put back the right file, or create the key with `curator init` in a new workspace",
    )


def missing(what: str, name: str) -> SecretError:
    """The error of a key that is not there."""
    return SecretError(
        "key-missing",
        asked=f"read {what}",
        found=f"no {name}",
        expected="a key file in the private folder of the workspace, or the variable that names another place",
        todo="restore the key from its safe copy; without it, tokens and signatures cannot be continued",
    )


def _check_private(found: os.stat_result, path: Path, *, what: str) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_BYTES:
        raise malformed(what, path.name, found="a thing that is not a small regular file")
    if found.st_uid != os.geteuid():
        raise _readable(path, what, found="a file that belongs to another user")
    if stat.S_IMODE(found.st_mode) & ~_OWNER_ONLY:
        raise _readable(path, what, found=f"mode {stat.S_IMODE(found.st_mode):04o}")


def _open(path: Path, what: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError) as fault:
        raise missing(what, path.name) from fault
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise _readable(path, what, found="a symbolic link") from fault
        raise malformed(what, path.name, found="a file that cannot be opened") from fault


def _make_private(folder: Path) -> None:
    """Make a folder and the missing ones above it, all of mode 0700 (`parents=True` would leave those open)."""
    for missing_one in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing_one.mkdir(mode=0o700, exist_ok=True)


def _link_nameless(path: Path, data: bytes) -> bool:
    """Write a file that has no name before its last one; False where the system has no such files."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        descriptor = os.open(".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, _OWNER_ONLY, dir_fd=folder)
        with os.fdopen(descriptor, "wb") as stream:
            _flush(stream, data)
            # `dst_dir_fd` makes Python call linkat(2), the one that follows the link to the open file.
            os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    except OSError as fault:
        if fault.errno in _NO_NAMELESS:
            return False
        raise
    finally:
        os.close(folder)
    return True


def _link_draft(path: Path, data: bytes) -> None:
    draft = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWNER_ONLY)
        with os.fdopen(descriptor, "wb") as stream:
            _flush(stream, data)
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _flush(stream: BinaryIO, data: bytes) -> None:
    os.fchmod(stream.fileno(), _OWNER_ONLY)
    stream.write(data)
    stream.flush()
    os.fsync(stream.fileno())


def flush_folder(folder: Path) -> None:
    """Make what was added to or removed from a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exists(path: Path, what: str) -> SecretError:
    return SecretError(
        "key-exists",
        asked=f"create {what}",
        found=f"{path.name} exists already",
        expected="no key of that name: a key is never overwritten, since what it protects would be lost",
        todo="choose another name, or keep using the key that is there",
    )


def _readable(path: Path, what: str, *, found: str) -> SecretError:
    return SecretError(
        "key-readable-by-others",
        asked=f"read {what} from {path.name}",
        found=found,
        expected="a regular file, not a link, owned by you, that nobody else can read (mode 0600 or 0400)",
        todo=f"consider whether the key was read; if not, `chown` it to yourself and `chmod 600` {path.name}",
    )
