"""Tables to disk, one chunk at a time; a file appears under its name only when it is whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

Format: TypeAlias = Literal["parquet", "csv"]
_PART = ".part"
_WAITING = 1  # chunks at most between the one who makes them and the file
_ORDERED = ("person_id", "num_acc", "occurred_at")  # statistics elsewhere cost a fifth of the writing and skip nothing


class TableWriter:
    """Writes chunks of one table to `folder/name.parquet` or `folder/name.csv`, while the next ones are being made.

    Parquet is zstd level 1 (or LZ4: larger, in half the time), one row group a chunk, dictionaries kept for the columns
    that arrive as dictionaries. CSV is UTF-8 with a header; a null is an empty field, an empty string is a quoted one.
    """

    def __init__(self, folder: Path, name: str, *, form: Format, codec: Literal["zstd", "lz4"] = "zstd") -> None:
        self.path = folder / f"{name}.{form}"
        self._part = self.path.with_name(self.path.name + _PART)
        self._form, self._codec = form, codec
        self._writer: pq.ParquetWriter | pyarrow.csv.CSVWriter | None = None
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[Future[None]] = deque()

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        if self._writer is not None:
            self._writer.close()
        try:
            self._settle(0)
        except BaseException:
            self._part.unlink(missing_ok=True)
            raise
        if kind is None and self._writer is not None:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)

    def write(self, columns: Mapping[str, pa.Array]) -> None:
        """Append one chunk; every chunk has the same columns. What an earlier one met is raised by a later one."""
        if self._form == "csv":
            columns = {name: _plain(column) for name, column in columns.items()}
        batch = pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))
        self._settle(_WAITING)
        self._waiting.append(self._thread.submit(self._append, batch))

    def _settle(self, most: int) -> None:
        while len(self._waiting) > most:
            written = self._waiting.popleft()
            if not written.cancelled():
                written.result()

    def _append(self, batch: pa.RecordBatch) -> None:
        if self._writer is None:
            self._writer = self._open(batch.schema)
        if isinstance(self._writer, pq.ParquetWriter):
            self._writer.write_table(pa.Table.from_batches([batch]), row_group_size=max(1, batch.num_rows))
        else:
            self._writer.write_batch(batch)

    def _open(self, schema: pa.Schema) -> pq.ParquetWriter | pyarrow.csv.CSVWriter:
        if self._form == "csv":
            return pyarrow.csv.CSVWriter(str(self._part), schema)
        listed = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        return pq.ParquetWriter(
            str(self._part),
            schema,
            compression=self._codec,
            compression_level=1 if self._codec == "zstd" else None,
            use_dictionary=listed,
            write_statistics=[name for name in _ORDERED if name in schema.names],
            store_schema=False,
        )


def _plain(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
