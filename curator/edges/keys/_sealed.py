"""Sealed files: bytes that only the holder of a key can read, and in which no change passes unseen.

The file is cut in chunks of 1 MiB, each under AES-256-GCM (SP 800-38D), with the STREAM construction of Hoang,
Reyhanitabar, Rogaway and Vizard ("Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015):
the nonce of a chunk is a random prefix, its number and whether it is the last, so chunks cannot be exchanged, repeated
or cut off. Each file has its own key, derived with HKDF-SHA256 (RFC 5869) from a random salt, so nonces never meet.

    header   "CURSEAL" 0x01 | salt, 32 bytes | nonce prefix, 7 bytes
    chunk i  AES-256-GCM(nonce = prefix | i, 4 bytes big-endian | 1 if last else 0), plaintext <= 1 MiB, tag of 16 bytes
"""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from curator.errors import IntegrityError, SecretError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from typing_extensions import Buffer

CHUNK = 1 << 20
"""Bytes of plaintext in each chunk but the last."""

_MAGIC = b"CURSEAL\x01"
_SALT, _PREFIX, _TAG, _KEY = 32, 7, 16, 32
_HEADER = len(_MAGIC) + _SALT + _PREFIX
_STEP = CHUNK + _TAG
_MAX_CHUNKS = 1 << 32


class SealedWriter(io.RawIOBase):
    """A binary file to write to, sealed as it is written; flat memory (two chunks).

    Only `close` after a clean end marks the last chunk. Leaving a `with` block by an exception, or losing the object
    without closing it, removes the file.

    Args:
        path: a new file, made with mode 0600; never over an existing one (FileExistsError).
        key: 32 secret bytes, derived for this use.

    Raises:
        SecretError: `key-too-short`, when the key is not 32 bytes.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        super().__init__()
        salt, self._prefix = secrets.token_bytes(_SALT), secrets.token_bytes(_PREFIX)
        self._cipher = _cipher(key, salt)
        self._path, self._waiting, self._chunks, self._size = path, bytearray(), 0, 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._target: BinaryIO | None = os.fdopen(descriptor, "wb")
        self._target.write(_MAGIC + salt + self._prefix)

    def writable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Bytes of plaintext written so far."""
        return self._size

    def write(self, data: Buffer, /) -> int:
        """Take all of `data`; returns its size in bytes. Raises ValueError after `close`."""
        if self._target is None:
            raise ValueError("write to a closed sealed file")
        with memoryview(data) as view, view.cast("B") as octets:
            size = len(octets)
            for start in range(0, size, CHUNK):
                self._waiting += octets[start : start + CHUNK]
                if len(self._waiting) > CHUNK:
                    self._put(bytes(self._waiting[:CHUNK]), last=False)
                    del self._waiting[:CHUNK]
        self._size += size
        return size

    def close(self) -> None:
        """Write the last chunk, flush to disk and close; closing twice does nothing. When that fails, no file stays."""
        if self._target is not None:
            try:
                self._put(bytes(self._waiting), last=True)
                self._target.flush()
                os.fsync(self._target.fileno())
            except BaseException:
                self.abandon()
                raise
            self._target.close()
            self._target = None
        super().close()

    def abandon(self) -> None:
        """Close without an end and remove the file."""
        target, self._target = getattr(self, "_target", None), None
        if target is not None:
            with contextlib.suppress(OSError):  # what is still buffered may not fit; the file goes anyway
                target.close()
            self._path.unlink(missing_ok=True)
        super().close()

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def __del__(self) -> None:
        self.abandon()

    def _put(self, plain: bytes, *, last: bool) -> None:
        if self._target is None or self._chunks >= _MAX_CHUNKS:
            raise ValueError("a sealed file holds at most 2**32 chunks, and none after it is closed")
        self._target.write(self._cipher.encrypt(_nonce(self._prefix, self._chunks, last=last), plain, _MAGIC))
        self._chunks += 1


class SealedReader(io.RawIOBase):
    """A sealed file opened for reading: seekable, one chunk in memory, each chunk verified before its bytes are given.

    The last chunk is verified on opening, so a file that was cut is refused at once.

    Args:
        path: the file.
        key: the 32 bytes it was written with.

    Raises:
        IntegrityError: `sealed-file-invalid`, on opening or reading, for a wrong key or any change of the file.
        SecretError: `key-too-short`, when the key is not 32 bytes.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        super().__init__()
        self._name, self._position, self._cached, self._plain = path.name, 0, -1, b""
        self._source = path.open("rb", buffering=0)
        try:
            self._read_header(key)
            self._chunk(self._chunks - 1)
        except BaseException:
            self.close()
            raise

    def _read_header(self, key: bytes) -> None:
        header = _read_fully(self._source, _HEADER)
        body = os.fstat(self._source.fileno()).st_size - _HEADER
        self._chunks = -(-body // _STEP)
        if not header.startswith(_MAGIC) or body < _TAG or body - (self._chunks - 1) * _STEP < _TAG:
            raise _broken(self._name)
        salt, self._prefix = header[len(_MAGIC) : -_PREFIX], header[-_PREFIX:]
        self._cipher = _cipher(key, salt)
        self._size = body - self._chunks * _TAG

    def readable(self) -> bool:
        """Always true."""
        return True

    def seekable(self) -> bool:
        """Always true."""
        return True

    def tell(self) -> int:
        """Position in the plaintext, bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move in the plaintext; returns the new position. Raises ValueError for a place before the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("a place before the start of the file")
        self._position = base + offset
        return self._position

    def readinto(self, target: Buffer, /) -> int:
        """Fill `target` from one chunk; returns the bytes given, 0 at the end."""
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, CHUNK)
        with memoryview(target) as view, view.cast("B") as octets:
            piece = self._chunk(number)[start : start + len(octets)]
            octets[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        """Close the file and forget the chunk in memory."""
        if not self.closed:
            self._source.close()
            self._plain = b""
        super().close()

    def _chunk(self, number: int) -> bytes:
        from cryptography.exceptions import InvalidTag

        if number != self._cached:
            self._source.seek(_HEADER + number * _STEP)
            sealed = _read_fully(self._source, _STEP)
            nonce = _nonce(self._prefix, number, last=number == self._chunks - 1)
            try:
                self._plain = self._cipher.decrypt(nonce, sealed, _MAGIC)
            except (InvalidTag, ValueError) as fault:
                raise _broken(self._name) from fault
            self._cached = number
        return self._plain


def open_sealed(path: Path, key: bytes) -> io.BufferedReader:
    """A sealed file as an ordinary binary file: `read`, `seek`, iteration by lines. Raises as `SealedReader`."""
    return io.BufferedReader(SealedReader(path, key), buffer_size=1 << 16)


def seal(key: bytes, *, source: Iterable[bytes], target: Path) -> None:
    """Seal chunks of bytes into a new file; on an error no file stays. Raises as `SealedWriter`."""
    with SealedWriter(target, key) as writer:
        for piece in source:
            writer.write(piece)


def unseal(key: bytes, *, source: Path, target: BinaryIO) -> None:
    """Write the plaintext of a sealed file to `target`, chunk by chunk.

    Each chunk is verified before it is written, but a fault may come after earlier chunks: on an error, drop `target`.
    Raises as `SealedReader`.
    """
    with SealedReader(source, key) as reader:
        while piece := reader.read(CHUNK):
            target.write(piece)


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(key) != _KEY:
        raise SecretError(
            "key-too-short",
            asked="seal or open a file",
            found="a key that is not 32 bytes",
            expected="32 bytes, derived for this use",
            todo="derive the key from the root secret for the usage `quarantine`",
        )
    return AESGCM(HKDF(algorithm=SHA256(), length=_KEY, salt=salt, info=_MAGIC).derive(key))


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def _read_fully(source: io.FileIO, size: int) -> bytes:
    """Up to `size` bytes: a raw read may give fewer than asked before the end."""
    data = bytearray()
    while len(data) < size and (piece := source.read(size - len(data))):
        data += piece
    return bytes(data)


def _broken(name: str) -> IntegrityError:
    return IntegrityError(
        "sealed-file-invalid",
        asked=f"open the sealed file {name}",
        found="bytes that do not verify under this key: another key, or a file cut, changed or put together anew",
        expected="the file as it was sealed, and the key it was sealed with",
        todo="restore the file from a copy and check that the workspace's root secret is the one it was made with",
    )
