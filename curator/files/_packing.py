"""Packed files as streams of what they hold: gzip, bzip2, xz, Zstandard, and zip with one member.

Each is read to its own end mark and checksum (RFC 1952 for gzip, RFC 8878 for Zstandard, the formats' own for the
others): a file cut short, or with bytes after its end, is refused instead of being read as far as it goes. Several
packed streams one after the other are one file, as the formats' own tools read them.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from enum import StrEnum
from typing import IO, Any

import pyarrow as pa

from curator.errors import SourceError
from curator.files._faults import unreadable
from curator.files._steps import Layered, Stepped

_BLOCK = 1 << 18


class Packing(StrEnum):
    """How a file is packed, by the end of its name."""

    none = ""
    gzip = ".gz"
    bzip2 = ".bz2"
    xz = ".xz"
    zstd = ".zst"
    zip = ".zip"


PACKED = {
    b"\x1f\x8b": Packing.gzip, b"BZh": Packing.bzip2, b"\xfd7zXZ\x00": Packing.xz, b"(\xb5/\xfd": Packing.zstd,
    b"PK\x03\x04": Packing.zip,
}  # fmt: skip
"""First bytes -> packing."""

_SPELT = {
    Packing.gzip: "gzip", Packing.bzip2: "bzip2", Packing.xz: "xz", Packing.zstd: "Zstandard", Packing.zip: "zip",
}  # fmt: skip


def packing_of(name: str) -> Packing:
    """The packing that the end of a file's name tells, letter case apart."""
    for packing in _SPELT:
        if name.lower().endswith(packing):
            return packing
    return Packing.none


def unpacked(stream: IO[bytes], packing: Packing, *, source: str) -> IO[bytes]:
    """What a packed stream holds, as a stream; closing it closes the packed one.

    Args:
        stream: the packed bytes, from their start; a zip must be seekable.
        packing: how they are packed; `none` gives the stream itself.
        source: name of the source, for the refusals.

    Raises:
        SourceError: `source-unreadable`, here or while the stream is read, when the bytes are not what their name says;
            `source-zip-members` when a zip holds none or several files, or one under a password.
    """
    if packing is Packing.none:
        return stream
    if packing is Packing.zip:
        return _only_member(stream, source)
    if packing is Packing.zstd:
        return io.BufferedReader(_Zstandard(stream, source=source), _BLOCK)
    return io.BufferedReader(_Unpacked(stream, packing, source=source), _BLOCK)


class _Unpacked(Stepped):
    """Unpacks while it is read, and raises SourceError unless the stream ends where it says it ends."""

    def __init__(self, stream: IO[bytes], packing: Packing, *, source: str) -> None:
        super().__init__(stream)
        self._packing, self._source = packing, source
        self._decoder = _decoder(packing)
        self._whole = False  # whether the last packed stream came to its end

    def _step(self) -> bool:
        """Unpack one block; False at the end of a whole file."""
        block = self._stream.read(_BLOCK)
        if not block:
            if not self._whole:
                raise self._damaged()
            return False
        parts = []
        try:
            while block:
                if self._whole:  # another packed stream follows
                    if not block.strip(b"\0"):  # some writers fill their last block with zeros
                        break
                    self._decoder, self._whole = _decoder(self._packing), False
                parts.append(_decompress(self._decoder, block))
                self._whole = self._decoder.eof
                block = self._decoder.unused_data if self._whole else b""
        except (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError):
            raise self._damaged() from None
        self._clear = memoryview(b"".join(parts))
        return True

    def _damaged(self) -> SourceError:
        return _damaged(self._source, self._packing)


class _Zstandard(Layered):
    """Arrow's own reader of Zstandard, which knows a file cut short."""

    def __init__(self, stream: IO[bytes], *, source: str) -> None:
        super().__init__(stream)
        self._source = source
        self._clear = pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd")

    def readinto(self, target: Any) -> int:
        """Fill the buffer as far as one step gives."""
        try:
            block = self._clear.read(len(target))
        except (OSError, pa.ArrowException) as fault:
            if isinstance(fault, OSError) and fault.errno is not None:
                raise
            raise _damaged(self._source, Packing.zstd) from None
        target[: len(block)] = block
        return len(block)


def _damaged(source: str, packing: Packing) -> SourceError:
    word = _SPELT[packing]
    return unreadable(source, f"{'an' if word == 'xz' else 'a'} {word} file that was cut short or damaged")


def _decoder(packing: Packing) -> Any:
    """A new decoder, with `eof` and `unused_data` as those of the standard library have them."""
    if packing is Packing.gzip:
        return zlib.decompressobj(wbits=31)
    if packing is Packing.bzip2:
        return bz2.BZ2Decompressor()
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ)


def _decompress(decoder: Any, block: bytes) -> bytes:
    clear: bytes = decoder.decompress(block)
    return clear


def _only_member(stream: IO[bytes], source: str) -> IO[bytes]:
    try:
        archive = zipfile.ZipFile(stream)
        members = [member for member in archive.infolist() if not member.is_dir() and not _of_mac(member.filename)]
        if len(members) != 1 or members[0].flag_bits & 1:
            raise _members(source, len(members))
        return io.BufferedReader(_Member(archive.open(members[0]), stream, source=source), _BLOCK)
    except (zipfile.BadZipFile, NotImplementedError, OSError, EOFError):
        raise unreadable(source, "a zip file that was cut short or damaged, or packed in a way unknown here") from None


def _of_mac(name: str) -> bool:
    return name.startswith("__MACOSX/")


class _Member(io.RawIOBase):
    """The one member of a zip; the standard library checks its CRC-32 at its end."""

    def __init__(self, member: IO[bytes], stream: IO[bytes], *, source: str) -> None:
        super().__init__()
        self._member, self._stream, self._source = member, stream, source

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, target: Any) -> int:
        """Fill the buffer as far as one step gives."""
        try:
            block = self._member.read(len(target))
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise unreadable(self._source, "a zip file that was cut short or damaged") from None
        target[: len(block)] = block
        return len(block)

    def close(self) -> None:
        """Close the member and the file."""
        if not self.closed:
            self._member.close()
            self._stream.close()
        super().close()


def _members(source: str, count: int) -> SourceError:
    found = "one file under a password" if count == 1 else f"{count} files" if count else "no file"
    return SourceError(
        "source-zip-members",
        asked=f"read the source `{source}` from a zip file",
        found=f"{found} in it",
        expected="one file, without a password",
        todo="unpack it, and name the file that is meant (or several: `path` takes a list)",
    )
