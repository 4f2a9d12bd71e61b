"""Between Arrow and numpy without a copy, and without the import of pandas that `to_numpy()` may bring."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

_NUMPY = {
    pa.int8(): np.int8, pa.int16(): np.int16, pa.int32(): np.int32, pa.int64(): np.int64,
    pa.uint8(): np.uint8, pa.uint16(): np.uint16, pa.uint32(): np.uint32, pa.uint64(): np.uint64,
}  # fmt: skip


def integers(array: pa.Array) -> npt.NDArray[Any]:
    """The values of an integer array as a numpy view; what stands under a null is undefined."""
    kind = np.dtype(_NUMPY[array.type])
    if not len(array):
        return np.empty(0, kind)
    return np.frombuffer(array.buffers()[1], kind)[array.offset : array.offset + len(array)]


def token_words(array: pa.FixedSizeBinaryArray) -> npt.NDArray[np.uint64]:
    """16-byte tokens as (n, 2) big-endian words: comparing rows of words compares the bytes."""
    if not len(array):
        return np.empty((0, 2), np.dtype(">u8"))
    words = np.frombuffer(array.buffers()[1], ">u8")[2 * array.offset : 2 * (array.offset + len(array))]
    return words.reshape(-1, 2)


def first_words(array: pa.FixedSizeBinaryArray) -> npt.NDArray[np.uint64]:
    """The first 8 bytes of each value of 8 bytes or more, as a number; 0 where there is none."""
    width = array.type.byte_width
    if not len(array):
        return np.empty(0, np.uint64)
    octets = np.frombuffer(array.buffers()[1], np.uint8)[width * array.offset : width * (array.offset + len(array))]
    words = np.ascontiguousarray(octets.reshape(-1, width)[:, :8]).view(">u8")[:, 0].astype(np.uint64)
    if array.null_count:
        words[integers(pc.cast(array.is_valid(), pa.uint8())) == 0] = 0
    return words


def from_integers(values: npt.NDArray[Any], kind: pa.DataType) -> pa.Array:
    """An Arrow array over a numpy integer array, without copy and without nulls."""
    dense = np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, len(dense), [None, pa.py_buffer(dense)])


def distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The distinct values, ascending. `np.unique` hashes whole numbers first, which takes a hundred times longer."""
    ordered = np.sort(values)
    return ordered[begins(ordered)]


def runs(values: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Places that order the values, equal ones as it comes, and where among these places each distinct one begins."""
    order = np.argsort(values)
    return order, np.flatnonzero(begins(values[order]))


def begins(ordered: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Of ordered values, which are the first of their kind."""
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


def rows_at(batch: pa.RecordBatch | pa.Table, places: npt.NDArray[np.int64]) -> Any:
    """The rows at some places, known to lie inside: Arrow would test that again for every column."""
    return pc.take(batch, from_integers(places, pa.int64()), boundscheck=False)


def rows_where(batch: pa.RecordBatch, mask: npt.NDArray[np.bool_]) -> pa.RecordBatch:
    """The rows where a mask holds: cheaper than by their places when most are kept."""
    bits = pa.py_buffer(np.packbits(mask, bitorder="little"))
    return batch.filter(pa.BooleanArray.from_buffers(pa.bool_(), len(mask), [None, bits]))


@contextmanager
def recycled_memory() -> Iterator[None]:
    """Use the allocator that gives pages back latest, while a stream of equal batches passes.

    Arrow's first choice returns the memory of each batch to the system, which must then clear the same pages for the
    next one: about a tenth of the whole job. Where this build of Arrow has no other, nothing changes.
    """
    before = pa.default_memory_pool()
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(before)


def nothing(kind: pa.DataType) -> pa.Scalar:
    """A null of a type; `pa.scalar` would import pandas to look at it."""
    return pa.nulls(1, kind)[0]


def one_text(text: str) -> pa.Scalar:
    """A text as a scalar; compute functions given a Python text would import pandas likewise."""
    octets = text.encode()
    ends = pa.py_buffer(np.array([0, len(octets)], np.int32))
    return pa.StringArray.from_buffers(1, ends, pa.py_buffer(octets))[0]


def positions(mask: npt.NDArray[np.bool_]) -> pa.Array:
    """Positions where a mask holds, as `take` wants them."""
    return from_integers(np.flatnonzero(mask).astype(np.int64), pa.int64())


def without_chunks(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One array, whatever came."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
