"""Provenance inside an ONNX file, written and read without the onnx package, so that a trace can start from the file.

An ONNX file is one protocol buffers message, `ModelProto` (onnx.proto): fields in any order, each a tag and a value.
Field 14, `metadata_props`, repeats messages of a key (1) and a value (2). Appending fields to the bytes of a message
adds to its repeated fields (Protocol Buffers encoding guide, "Last One Wins"), so stamping is appending; reading walks
the top level and steps over the graph, whatever its size.

Nothing here is signed: what a stamp says is believed only once the file's SHA-256 is found in signed evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from curator.errors import IntegrityError

PREFIX = "curator."
_METADATA = 14
_KEY, _VALUE = 1, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_FIELDS = 10_000
_MOST_BYTES = 1 << 16  # of one entry; ours hold a few hundred


def stamp(model: bytes, metadata: Mapping[str, str]) -> bytes:
    """The model with `metadata` added, in the order of the keys.

    Args:
        model: serialised ModelProto without these keys.
        metadata: text by text; keys of ours start with `curator.`.
    """
    entries = [_field(_KEY, key.encode()) + _field(_VALUE, metadata[key].encode()) for key in sorted(metadata)]
    return model + b"".join(_field(_METADATA, entry) for entry in entries)


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


def read_provenance(path: Path) -> dict[str, str]:
    """What a model file says of its origin: the `curator.*` entries of its metadata.

    Safe on any bytes: reads only the top level, at most 10,000 fields and 64 KiB an entry, and follows no reference.

    Raises:
        IntegrityError: `onnx-unreadable` when the bytes are no ONNX message or name an entry twice;
            `onnx-without-provenance` when it carries no entry of ours.
    """
    if not path.is_file():  # a pipe would make its reader wait
        raise _unreadable("no regular file")
    found: dict[str, str] = {}
    with path.open("rb") as stream:
        size = path.stat().st_size
        for entry in _entries(stream, size):
            key, value = _pair(entry)
            if key in found:
                raise _unreadable("an entry of metadata named twice")
            found[key] = value
    ours = {key: value for key, value in found.items() if key.startswith(PREFIX)}
    if not ours:
        raise IntegrityError(
            "onnx-without-provenance",
            asked=f"read where {path.name} comes from",
            found="an ONNX file without any entry of curator",
            expected="a model written by `curator train` or packaged from Python",
            todo="ask whoever gave the file for the packaged model, or package it again",
        )
    return ours


def _entries(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The bytes of each metadata entry; everything else is stepped over."""
    for _ in range(_MOST_FIELDS):
        if stream.tell() == size:
            return
        number, kind = divmod(_read_varint(stream), 8)
        length = _length(stream, kind)
        if number == 0 or length > size - stream.tell():
            raise _unreadable("a field that leaves the file")
        if number == _METADATA and kind == _BYTES:
            if length > _MOST_BYTES:
                raise _unreadable("an entry of metadata beyond 64 KiB")
            yield stream.read(length)
        else:
            stream.seek(length, 1)
    raise _unreadable(f"more than {_MOST_FIELDS} fields")


def _length(stream: BinaryIO, kind: int) -> int:
    """Bytes still to come of a field whose tag was read."""
    if kind == _VARINT:
        _read_varint(stream)
        return 0
    if kind == _BYTES:
        return _read_varint(stream)
    if kind in (_FIXED64, _FIXED32):
        return 8 if kind == _FIXED64 else 4
    raise _unreadable("a field of no known kind")


def _read_varint(stream: BinaryIO) -> int:
    value = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            raise _unreadable("an end in the middle of a field")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise _unreadable("a number of more than ten bytes")


def _pair(entry: bytes) -> tuple[str, str]:
    stream, texts = BytesIO(entry), {_KEY: b"", _VALUE: b""}
    while stream.tell() < len(entry):
        number, kind = divmod(_read_varint(stream), 8)
        length = _length(stream, kind)
        if number not in texts or kind != _BYTES or length > len(entry) - stream.tell():
            raise _unreadable("an entry of metadata that is no pair of texts")
        texts[number] = stream.read(length)
    try:
        return texts[_KEY].decode(), texts[_VALUE].decode()
    except UnicodeDecodeError:
        raise _unreadable("metadata that is not UTF-8") from None


def _unreadable(found: str) -> IntegrityError:
    return IntegrityError(
        "onnx-unreadable",
        asked="read the provenance inside a model file",
        found=found,
        expected="an ONNX file (one ModelProto message)",
        todo="fetch the file again and compare its SHA-256 with the manifest of the model",
    )
