"""ustar as this format writes it: one header per member, computed, never interpreted."""

from __future__ import annotations

import os
import re
import stat
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from curator.package_file._faults import absent, not_package

BLOCK = 512
CHUNK = 1 << 20
END = bytes(2 * BLOCK)
"""The end of the archive: two blocks of zeros, and nothing after."""

_NAME_BYTES = 100
_MAGIC = {b"PK": "a zip file", b"\x1f\x8b": "a gzip file", b"(\xb5/\xfd": "a zstd file", b"BZh": "a bzip2 file"}


def padded(size: int) -> int:
    """What a member of a size takes in the archive: whole blocks."""
    return -(-size // BLOCK) * BLOCK


def header(path: str, *, size: int) -> bytes:
    """The one ustar header of a member: no owner, no time, mode 0644.

    Written field by field (POSIX.1-1988 ustar), not by `tarfile`: what a library puts where the standard leaves it a
    choice (the device fields) may change with its version, and the bytes of a package may not.
    """
    name = path.encode("ascii")
    if not 0 < len(name) <= _NAME_BYTES or not 0 <= size < 8**11:
        raise ValueError("a member's name or size that no header of this format holds")
    before = b"%b0000644\0%b%b" % (name.ljust(_NAME_BYTES, b"\0"), b"0000000\0" * 2, b"%011o\0%011o\0" % (size, 0))
    after = (b"0" + bytes(_NAME_BYTES) + b"ustar\x0000").ljust(BLOCK - len(before) - 8, b"\0")
    return b"%b%06o\0 %b" % (before, sum(before) + sum(after) + 8 * ord(" "), after)


def claimed_size(header: bytes) -> int | None:
    """The size field of a ustar header; None when it is not eleven octal digits and a NUL."""
    field = re.fullmatch(rb"([0-7]{11})\0", header[124:136])
    return int(field[1], 8) if field else None


def kind_of(header: bytes) -> str:
    """What a header that is not the expected one seems to be, in words that repeat nothing of it."""
    for magic, kind in _MAGIC.items():
        if header.startswith(magic):
            return kind
    if len(header) < BLOCK:
        return "the end of the file"
    try:
        info = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError, OverflowError):
        return "bytes that are no tar header"
    kinds = {
        tarfile.SYMTYPE: "a symbolic link",
        tarfile.LNKTYPE: "a hard link",
        tarfile.CHRTYPE: "a device",
        tarfile.BLKTYPE: "a device",
        tarfile.FIFOTYPE: "a named pipe",
        tarfile.DIRTYPE: "a folder entry",
        tarfile.GNUTYPE_SPARSE: "a sparse file",
        tarfile.GNUTYPE_LONGNAME: "a long-name extension",
        tarfile.GNUTYPE_LONGLINK: "a long-name extension",
        tarfile.XHDTYPE: "an extended (pax) header",
        tarfile.XGLTYPE: "an extended (pax) header",
    }
    return kinds.get(info.type, "a header with another name, size, owner, mode or time")


def open_regular(file: Path) -> tuple[BinaryIO, int]:
    """An open regular file and its size. Opening without blocking keeps a named pipe from hanging the reader."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as fault:
        raise absent(file, fault) from fault
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        os.close(handle)
        raise not_package(file.name, found="a folder, device or pipe")
    return os.fdopen(handle, "rb"), found.st_size


def write_new(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file that must not exist yet, readable by its owner only, and force it to disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as stream:
        for block in blocks:
            stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk, so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
