"""Batches on their way through Spark: packed where they are made, unpacked where they are used.

A function may give batches of several schemas (masks, rejected rows, protected rows), which no Spark relation holds.
Each result travels as one row: a number that spreads results over partitions, and the batches in Arrow's own stream
format, one after the other, each behind its length.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

from curator.engines.spark._faults import carry
from curator.engines.spark._workers import require_same, versions
from curator.errors import CuratorError
from curator.protocols import Gathering, Spreading, Step

COLUMNS = "part INT, data BINARY"
_LENGTH = struct.Struct("<q")
_NONE = -1
_SCHEMA = pa.schema([("part", pa.int32()), ("data", pa.binary())])


def carried(step: Step, names: Sequence[str]) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """The function as `mapInArrow` wants it, of batches whose columns get these names back.

    Spark would read a dot in a name of a column as a path into it; nor do its notes on columns without nulls arrive,
    which would change the bytes of a shard.
    """
    ours = versions()

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        require_same(ours)
        context = TaskContext.get()
        place = (context.partitionId() if context else 0) * 7_919  # so that partitions do not march in step
        for number, batch in enumerate(batches):
            packed = pack(step(pa.RecordBatch.from_arrays(batch.columns, names=list(names))))
            part = pa.array([(place + number) % (1 << 31)], pa.int32())
            yield pa.RecordBatch.from_arrays([part, pa.array([packed], pa.binary())], schema=_SCHEMA)

    return run


def spread(
    spreading: Spreading, names: Sequence[str]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function that gives bytes by range as `mapInArrow` wants it, of batches whose columns get these names back."""
    ours = versions()

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        require_same(ours)
        named = (pa.RecordBatch.from_arrays(batch.columns, names=list(names)) for batch in batches)
        for part, data in spreading(named):
            columns = [pa.array([part], pa.int32()), pa.array([data], pa.binary())]
            yield pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)

    return run


def gathered(gathering: Gathering) -> Callable[[pa.Table], pa.Table]:
    """A function of the bytes of one range as `applyInArrow` wants it."""
    ours = versions()

    def run(table: pa.Table) -> pa.Table:
        require_same(ours)
        part = table.column("part")[0].as_py()
        try:
            data = gathering(part, (cell.as_py() for cell in table.column("data")))
        except CuratorError as fault:
            raise carry(fault) from None
        return pa.table([pa.array([part], pa.int32()), pa.array([data], pa.binary())], schema=_SCHEMA)

    return run


def reaching(files: Sequence[str]) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function of a task that tells whether it sees these files: 1 when it does, else 0."""

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            seen = pa.array([int(all(Path(file).is_file() for file in files))], pa.int32())
            yield pa.RecordBatch.from_arrays([seen, pa.array([b""], pa.binary())], schema=_SCHEMA)

    return run


def pack(batches: Iterable[pa.RecordBatch | None]) -> bytes:
    """A few batches as one text of bytes."""
    parts: list[bytes] = []
    for batch in batches:
        if batch is None:
            parts.append(_LENGTH.pack(_NONE))
            continue
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        data = sink.getvalue()
        parts += [_LENGTH.pack(data.size), data]
    return b"".join(parts)


def unpacked(data: bytes | bytearray) -> tuple[pa.RecordBatch | None, ...]:
    """What `pack` took."""
    batches: list[pa.RecordBatch | None] = []
    whole, start = pa.py_buffer(data), 0
    while start < whole.size:
        (length,) = _LENGTH.unpack_from(data, start)
        start += _LENGTH.size
        if length == _NONE:
            batches.append(None)
            continue
        with pa.ipc.open_stream(whole.slice(start, length)) as stream:
            batches.append(stream.read_next_batch())
        start += length
    return tuple(batches)


def plain_rows(rows: Iterable[Any]) -> list[tuple[Any, ...]]:
    """Rows as DuckDB gives them: whole decimals (sums of integers, which Spark keeps exact that way) as integers."""
    return [tuple(_plain(value) for value in row) for row in rows]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        return int(value)
    return value
