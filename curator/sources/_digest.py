"""A keyed digest of rows as they pass: of their columns, in the order of the rows, however they are cut into batches.

It is the HMAC-SHA256 (RFC 2104) of one text: names and types of the columns as JSON, the number of rows (8 bytes,
little-endian), and of each column three SHA-256:

    nulls     the places of its nulls, the first row being 0, as 8 bytes each
    values    what stands in the other rows: numbers, days and moments in their own width, truths as a byte each, texts
              one after the other
    lengths   of the texts in bytes, in the width of the type's offsets

So a column is hashed where its cells are, none of them copied. Cells of any other type are hashed as Arrow writes them,
and a digest of such a column tells batches apart.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.evidence import keyed_hash

_FIXED = (pa.types.is_primitive, pa.types.is_decimal, pa.types.is_fixed_size_binary)


class RowsDigest:
    """The digest of rows that pass.

    Args:
        key: at least 32 bytes.
        schema: of the batches to come.

    Raises:
        SecretError: `key-too-short`.
    """

    def __init__(self, key: bytes, schema: pa.Schema) -> None:
        self._outer, self._rows = keyed_hash(key), 0
        self._columns = [_ColumnHash() for _ in schema]
        self._outer.update(json.dumps([[field.name, str(field.type)] for field in schema]).encode())

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in the next rows."""
        for hashed, column in zip(self._columns, batch.columns, strict=True):
            hashed.add(column, first=self._rows)
        self._rows += len(batch)

    def hexdigest(self) -> str:
        """Of all rows so far."""
        outer = self._outer.copy()
        outer.update(self._rows.to_bytes(8, "little"))
        for column in self._columns:
            outer.update(column.digest())
        return outer.hexdigest()


class _ColumnHash:
    def __init__(self) -> None:
        self._nulls, self._values, self._lengths = (hashlib.sha256() for _ in range(3))

    def add(self, column: pa.Array, *, first: int) -> None:
        if column.null_count:
            places = pc.add(pc.indices_nonzero(column.is_null()), pa.scalar(first, pa.uint64()))
            self._nulls.update(_fixed(places, 8))
            column = column.drop_null()
        if not len(column):
            return
        kind = column.type
        if pa.types.is_boolean(kind):
            column, kind = column.cast(pa.uint8()), pa.uint8()
        if any(test(kind) for test in _FIXED):
            self._values.update(_fixed(column, kind.bit_width // 8))
        elif kind in (pa.string(), pa.binary()):
            self._texts(column, np.int32)
        elif kind in (pa.large_string(), pa.large_binary()):
            self._texts(column, np.int64)
        else:
            self._values.update(pa.record_batch([column], ["cells"]).serialize())

    def _texts(self, column: pa.Array, width: type[np.int32] | type[np.int64]) -> None:
        _, ends, cells = column.buffers()
        places = np.frombuffer(ends, width)[column.offset : column.offset + len(column) + 1]
        self._lengths.update(np.diff(places).data)
        if cells is not None:
            self._values.update(memoryview(cells)[int(places[0]) : int(places[-1])])

    def digest(self) -> bytes:
        return self._nulls.digest() + self._values.digest() + self._lengths.digest()


def _fixed(column: pa.Array, width: int) -> Any:
    """The bytes of cells of one width, none of which is null."""
    return memoryview(column.buffers()[1])[column.offset * width : (column.offset + len(column)) * width]
