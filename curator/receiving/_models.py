"""A received ONNX model: judged by its bytes before any runtime parses it.

An ONNX file may name other files for its weights; a runtime would read them, even through a hard link. So the wire
format is walked here (Protocol Buffers encoding; field numbers of onnx.proto, IR version 3 to 13) without any ONNX
library, and a model that keeps anything outside of its own bytes is refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curator.errors import IntegrityError
from curator.inference import runtime

_MODEL, _GRAPH, _NODE, _ATTRIBUTE, _TENSOR, _SPARSE, _FUNCTION, _TRAINING = range(8)

_FIELDS: dict[int, dict[int, int]] = {
    _MODEL: {7: _GRAPH, 20: _TRAINING, 25: _FUNCTION},
    _GRAPH: {1: _NODE, 5: _TENSOR, 15: _SPARSE},
    _NODE: {5: _ATTRIBUTE},
    _ATTRIBUTE: {5: _TENSOR, 6: _GRAPH, 10: _TENSOR, 11: _GRAPH, 22: _SPARSE, 23: _SPARSE},
    _TENSOR: {},
    _SPARSE: {1: _TENSOR, 2: _TENSOR},
    _FUNCTION: {7: _NODE, 11: _ATTRIBUTE},
    _TRAINING: {1: _GRAPH, 2: _GRAPH},
}
"""Which field of which message holds which message; only paths that may lead to a tensor."""

_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_DEPTH = 64
_MAX_BYTES = 2 << 30


def check_model(data: bytes) -> None:
    """Whether bytes are one self-contained ONNX model.

    Raises:
        IntegrityError: `package-model`, when they are not a model, keep weights outside of the file, nest too deep,
            or are larger than the 2 GB that the format allows.
    """
    if len(data) > _MAX_BYTES:
        raise _bad("a file larger than an ONNX model can be")
    view = memoryview(data)
    fields = {number for number, _, _ in _walk(view, 0, end=len(view))}
    if not {1, 7} <= fields:
        raise _bad("bytes that are not an ONNX model")
    waiting = [(_MODEL, 0, len(view), 0)]
    while waiting:
        kind, start, end, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise _bad("a model that nests too deep")
        for number, begin, stop in _walk(view, start, end=end):
            if kind == _TENSOR and number in (_EXTERNAL_DATA, _DATA_LOCATION) and _is_set(view, begin, stop=stop):
                raise _bad("a model that keeps weights in another file")
            if begin >= 0 and number in _FIELDS[kind]:
                waiting.append((_FIELDS[kind][number], begin, stop, depth + 1))


def open_session(path: Path, *, sha256: str) -> Any:
    """An `onnxruntime.InferenceSession` over bytes that were read once, compared with the manifest and judged.

    Raises:
        IntegrityError: `package-model`.
    """
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise _bad("a file that was changed since it was verified")
    check_model(data)
    onnxruntime = runtime()
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    refusals = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NoModel)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except (*refusals, state.NotImplemented, state.RuntimeException, RuntimeError, ValueError) as fault:
        raise _bad("a model that the runtime refuses") from fault


def _read(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as fault:
        raise _bad("no regular file of that name") from fault
    with os.fdopen(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_size > _MAX_BYTES:
            raise _bad("a link, or a file larger than a model can be")
        return stream.read()


def _walk(view: memoryview, start: int, *, end: int) -> Iterator[tuple[int, int, int]]:
    """Fields of one message: number, and where its bytes begin and stop; for a varint (-1, value)."""
    at = start
    while at < end:
        key, at = _varint(view, at, end=end)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(view, at, end=end)
            yield number, -1, value
            continue
        if wire == _BYTES:
            length, at = _varint(view, at, end=end)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise _bad("bytes that are not an ONNX model")
        if not number or length > end - at:
            raise _bad("bytes that are not an ONNX model")
        yield number, (at if wire == _BYTES else -1), at + length
        at += length


def _varint(view: memoryview, at: int, *, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise _bad("bytes that are not an ONNX model")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise _bad("bytes that are not an ONNX model")


def _is_set(view: memoryview, begin: int, *, stop: int) -> bool:
    """Whether a field says something: any bytes, or a value other than zero (`data_location` DEFAULT is 0)."""
    return begin >= 0 or stop != 0


def _bad(found: str) -> IntegrityError:
    return IntegrityError(
        "package-model",
        asked="open the model of a package",
        found=found,
        expected="one self-contained ONNX file, as the manifest lists it",
        todo="open the package again; if it stays so, do not use the model and tell its sender",
    )
