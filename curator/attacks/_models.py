"""What a model tells besides its answers: words nobody needs, rows of its training, categories that few people have.

An ONNX file is a protocol buffer; its strings and a few numbers are read from the bytes (onnx.proto3: ModelProto,
GraphProto, NodeProto, TensorProto), so that nothing has to be loaded or trusted. Models that keep their examples
(neighbours, support vectors) publish rows; a vocabulary with a word of one person publishes that person's word
(Carlini et al., "The Secret Sharer", USENIX Security 2019, for what models remember besides).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from curator.attacks._leak import Leak
from curator.attacks._spellings import folded

_MODEL_DOC, _MODEL_GRAPH, _MODEL_METADATA, _MODEL_FUNCTIONS = 6, 7, 14, 25
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_DOC = 1, 5, 10
_NODE_OP, _NODE_ATTRIBUTE, _NODE_DOC = 4, 5, 6
_ATTRIBUTE_STRING, _ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_STRINGS, _ATTRIBUTE_DOC = 4, 5, 6, 9, 13
_TENSOR_DIMS, _TENSOR_STRINGS, _TENSOR_DOC = 1, 6, 12
_OWN = b"curator."
_KEEPS_ROWS = {b"SVMClassifier", b"SVMRegressor"}
_COMPARES = {b"CDist", b"TopK"}
_EXAMPLES = 20  # rows of a table of numbers, beside an operator that compares rows with each other


def model_leaks(path: str, data: bytes) -> tuple[Leak, ...]:
    """What an ONNX file tells besides its answers.

    Args:
        path: its name in the package.
        data: its bytes.
    """
    try:
        parts = list(_walk(data))
    except ValueError:
        return (Leak(kind="hidden-bytes", where=path),)
    docs = sum(1 for kind, value in parts if kind == "doc" and value)
    words = sum(1 for kind, value in parts if kind == "key" and not value.startswith(_OWN))
    operators = {value for kind, value in parts if kind == "operator"}
    tables = sum(1 for kind, value in parts if kind == "rows" and int(value) >= _EXAMPLES)
    found = [Leak(kind="metadata", where=path, count=docs + words)] if docs + words else []
    if operators & _KEEPS_ROWS or (operators & _COMPARES and tables):
        found.append(Leak(kind="training-rows", where=path))
    return tuple(found)


def model_strings(data: bytes) -> tuple[str, ...]:
    """The categories and words that an ONNX file holds; none where the bytes are no model."""
    try:
        return tuple(dict.fromkeys(value.decode("utf-8", "replace") for kind, value in _walk(data) if kind == "string"))
    except ValueError:
        return ()


def rare_words(path: str, data: bytes, *, trained: Mapping[str, pa.ChunkedArray], least: int) -> tuple[Leak, ...]:
    """Categories and words of a model that fewer rows of its training have than people must be alike.

    Args:
        path: its name in the package.
        data: the ONNX file.
        trained: text columns of the training split.
        least: the spec's k.
    """
    held = {text for text in map(folded, model_strings(data)) if text} if trained else set()
    rare = set()
    for column in trained.values():
        counted = [(value["values"] or "", value["counts"]) for value in pc.value_counts(column).to_pylist()]
        counts: dict[str, int] = {}
        for text, count in counted:
            for word in {folded(text), *(folded(part) for part in text.split())}:
                counts[word] = counts.get(word, 0) + count
        rare |= {word for word in held if 0 < counts.get(word, least) < least}
    return (Leak(kind="rare-word", where=path, count=len(rare)),) if rare else ()


def _walk(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Documentation, keys of metadata, operators, strings and sizes of tables, in the order of the file."""
    for number, value in _fields(data):
        if number == _MODEL_DOC:
            yield "doc", _blob(value)
        elif number == _MODEL_METADATA:
            yield from (("key", _blob(part)) for field, part in _fields(_blob(value)) if field == 1)
        elif number == _MODEL_GRAPH:
            yield from _graph(_blob(value))
        elif number == _MODEL_FUNCTIONS:
            yield "doc", b"a function of its own"


def _graph(data: bytes) -> Iterator[tuple[str, bytes]]:
    for number, value in _fields(data):
        if number == _GRAPH_NODE:
            yield from _node(_blob(value))
        elif number == _GRAPH_TENSOR:
            yield from _tensor(_blob(value))
        elif number == _GRAPH_DOC:
            yield "doc", _blob(value)


def _node(data: bytes) -> Iterator[tuple[str, bytes]]:
    for number, value in _fields(data):
        if number == _NODE_OP:
            yield "operator", _blob(value)
        elif number == _NODE_DOC:
            yield "doc", _blob(value)
        elif number == _NODE_ATTRIBUTE:
            yield from _attribute(_blob(value))


def _attribute(data: bytes) -> Iterator[tuple[str, bytes]]:
    for number, value in _fields(data):
        if number in (_ATTRIBUTE_STRING, _ATTRIBUTE_STRINGS):
            yield "string", _blob(value)
        elif number == _ATTRIBUTE_TENSOR:
            yield from _tensor(_blob(value))
        elif number == _ATTRIBUTE_GRAPH:
            yield from _graph(_blob(value))
        elif number == _ATTRIBUTE_DOC:
            yield "doc", _blob(value)


def _tensor(data: bytes) -> Iterator[tuple[str, bytes]]:
    dims: list[int] = []
    for number, value in _fields(data):
        if number == _TENSOR_DIMS:
            dims += [value] if isinstance(value, int) else list(_varints(value))
        elif number == _TENSOR_STRINGS:
            yield "string", _blob(value)
        elif number == _TENSOR_DOC:
            yield "doc", _blob(value)
    if len(dims) == 2:
        yield "rows", str(max(dims)).encode()


def _fields(data: bytes) -> Iterable[tuple[int, int | bytes]]:
    """Fields of a message (Protocol Buffers encoding): number and value. Raises ValueError for other bytes."""
    place, size = 0, len(data)
    while place < size:
        tag, place = _varint(data, place)
        kind, value = tag & 7, 0
        if kind == 0:
            value, place = _varint(data, place)
            yield tag >> 3, value
            continue
        if kind in (1, 5):
            length = 8 if kind == 1 else 4
        elif kind == 2:
            length, place = _varint(data, place)
        else:
            raise ValueError("no message")
        if place + length > size:
            raise ValueError("no message")
        yield tag >> 3, data[place : place + length]
        place += length


def _varints(data: bytes) -> Iterator[int]:
    place = 0
    while place < len(data):
        value, place = _varint(data, place)
        yield value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise ValueError("no message")
        byte = data[place]
        value |= (byte & 127) << shift
        place, shift = place + 1, shift + 7
        if byte < 128:
            return value, place


def _blob(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("no message")
    return value
