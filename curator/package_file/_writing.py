"""Writing a package: the same envelope and contents give the same bytes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from curator.errors import IntegrityError, StorageError
from curator.package_file._faults import exists, source_changed, unwritable
from curator.package_file._members import ENVELOPE, Member, read_list
from curator.package_file._tar import CHUNK, END, header, open_regular, padded, sync_folder


def write_package(
    target: Path, *, envelope: bytes, members: Sequence[Member], contents: Mapping[str, bytes | Path]
) -> str:
    """Write a package: the same envelope and contents give the same bytes, whoever writes them and when.

    The file appears under its name only when it is whole and on disk (temporary file, fsync, rename, fsync of the
    folder).

    Args:
        target: the file to make.
        envelope: bytes of `package.json`, whose signed list is `members`.
        members: in order, as `in_order` gives them.
        contents: bytes, or the file to read, of each member by path.

    Returns:
        SHA-256 of the file written.

    Raises:
        IntegrityError: `package-list` as `read_list`; `package-source-changed` when a file is not the listed bytes.
        StorageError: `package-exists` when there is such a file already; `package-unwritable` when the disk refuses.
    """
    members = read_list([member.to_json() for member in members])
    if os.path.lexists(target):
        raise exists(target)
    try:
        handle, name = tempfile.mkstemp(prefix=".curator-", suffix=".tmp", dir=target.parent)
    except OSError as fault:
        raise unwritable(target, fault) from fault
    try:
        with os.fdopen(handle, "wb") as stream:
            digest = _write_members(stream, envelope=envelope, members=members, contents=contents)
            os.fchmod(stream.fileno(), 0o644)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).rename(target)
        sync_folder(target.parent)
    except OSError as fault:
        raise unwritable(target, fault) from fault
    finally:
        Path(name).unlink(missing_ok=True)
    return digest


def _write_members(
    stream: BinaryIO, *, envelope: bytes, members: Sequence[Member], contents: Mapping[str, bytes | Path]
) -> str:
    whole = hashlib.sha256()
    first = Member.of(ENVELOPE, content=envelope)
    for member in (first, *members):
        for block in _member(member, envelope if member is first else contents[member.path]):
            whole.update(block)
            stream.write(block)
    whole.update(END)
    stream.write(END)
    return whole.hexdigest()


def _member(member: Member, content: bytes | Path) -> Iterator[bytes]:
    """Header, content and padding of one member. Raises IntegrityError when the content is not the listed one."""
    yield header(member.path, size=member.size)
    digest, size = hashlib.sha256(), 0
    for block in _blocks(content):
        digest.update(block)
        size += len(block)
        yield block
    if (size, digest.hexdigest()) != (member.size, member.sha256):
        raise source_changed(member.path)
    yield bytes(padded(size) - size)


def _blocks(content: bytes | Path) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        stream, _ = open_regular(content)
    except (StorageError, IntegrityError) as fault:
        raise source_changed(content.name) from fault
    with stream:
        while block := stream.read(CHUNK):
            yield block
