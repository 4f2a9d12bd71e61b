"""Reading a package strictly forward, comparing it with the archive that its own signed list implies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

from curator.errors import IntegrityError
from curator.package_file._faults import bad_layout, changed, not_package
from curator.package_file._members import ENVELOPE, LIMITS, Limits, Member
from curator.package_file._tar import BLOCK, CHUNK, END, claimed_size, header, kind_of, open_regular, padded, write_new


class PackageReader:
    """Reads a package strictly forward. Until `unpack`, nothing is written anywhere.

    Use it as a context manager and in this order: `envelope`, `papers`, `unpack`.

    Args:
        file: the package.
        limits: how much to accept.

    Raises:
        StorageError: `package-absent` when there is no readable file.
        IntegrityError: `package-not-package` when it is not a regular file or does not begin as a package does.
    """

    def __init__(self, file: Path, *, limits: Limits = LIMITS) -> None:
        self.name, self._limits = file.name, limits
        self._members: tuple[Member, ...] = ()
        self._stream, self._size = open_regular(file)
        try:
            self.envelope = self._read_envelope()
        except BaseException:
            self._stream.close()
            raise

    def __enter__(self) -> PackageReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()

    def papers(self, members: Sequence[Member]) -> dict[str, bytes]:
        """Content of the papers and evidence, each matching the list given, which need not be trusted yet.

        Args:
            members: what `read_list` gave for this package's own envelope.

        Raises:
            IntegrityError: `package-size` when the file is not exactly as long as the list implies (checked before
                any content is read); `package-layout` or `package-member-changed` as `unpack`.
        """
        self._members = tuple(members)
        self._check_length()
        return {member.path: b"".join(self._content(member)) for member in self._members if member.is_paper}

    def unpack(self, folder: Path) -> None:
        """Write the remaining members into `folder`, hashing them on the way; call it only once the list is verified.

        Args:
            folder: an empty folder that nobody else can write to. On an error it holds what was written so far and
                the caller removes it.

        Raises:
            IntegrityError: `package-layout` when a header, padding or the end is not what the list implies;
                `package-member-changed` when a content is not the listed bytes.
        """
        for member in self._members:
            if not member.is_paper:
                path = folder / member.path
                path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_new(path, self._content(member))
        if self._stream.read(len(END) + 1) != END:
            raise bad_layout("the end", found="other bytes after the last member")

    def _read_envelope(self) -> bytes:
        block = self._stream.read(BLOCK)
        size = claimed_size(block)
        if size is None or block != header(ENVELOPE, size=size):
            raise not_package(self.name, found=kind_of(block))
        if not 0 < size <= self._limits.envelope:
            raise not_package(
                self.name, found=f"a {ENVELOPE} that is empty or of more than {self._limits.envelope:,} bytes"
            )
        data = self._stream.read(padded(size))
        if len(data) != padded(size) or any(data[size:]):
            raise not_package(self.name, found=f"a {ENVELOPE} that is cut short or badly padded")
        return data[:size]

    def _check_length(self) -> None:
        expected = sum(BLOCK + padded(member.size) for member in self._members)
        expected += BLOCK + padded(len(self.envelope)) + len(END)
        if self._size != expected:
            raise IntegrityError(
                "package-size",
                asked=f"read the package {self.name}",
                found=f"a file of {self._size:,} bytes",
                expected=f"{expected:,} bytes, by its own signed list",
                todo="fetch the file again: it was cut short, or something was added to it",
            )

    def _content(self, member: Member) -> Iterator[bytes]:
        """Blocks of one member; the last one is given only after the whole matched the list."""
        block = self._stream.read(BLOCK)
        if block != header(member.path, size=member.size):
            raise bad_layout(member.path, found=kind_of(block))
        digest, left, held = hashlib.sha256(), member.size, b""
        while left:
            chunk = self._stream.read(min(left, CHUNK))
            if not chunk:
                raise bad_layout(member.path, found="the end of the file")
            digest.update(chunk)
            left -= len(chunk)
            yield held
            held = chunk
        if any(self._stream.read(padded(member.size) - member.size)):
            raise bad_layout(member.path, found="padding that is not zero")
        if digest.hexdigest() != member.sha256:
            raise changed(member.path)
        yield held
