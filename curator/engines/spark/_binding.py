"""How Spark comes to a declared source: the same columns, types and cells as DuckDB gives, and the same refusals.

DuckDB looks at the source first (names and types), so that what is wrong with it is said in the same words. Parquet
whose declared columns have types that both engines know is then read by Spark, in parts and in parallel. Everything
else (text files, databases, rarer Parquet types) is read by DuckDB inside one task of an executor: two readers of text
never agree on every quote, encoding and empty cell.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet

from curator.engines._readers import Bound, kind_of
from curator.engines.duckdb import DuckDBEngine
from curator.engines.spark._faults import carry
from curator.errors import CuratorError
from curator.expressions import quote_name, quote_text
from curator.spec.model import Column, LogicalType, Source, SourceFormat
from curator.sqltext import quoted

_READ_ROWS = 32_768
_SPREAD = 64 << 20  # bytes of a text file from which its rows are worth sending to other tasks
_READER_MEMORY = "1GB"
_DDL = {
    pa.bool_(): "BOOLEAN", pa.int8(): "TINYINT", pa.int16(): "SMALLINT", pa.int32(): "INT", pa.int64(): "BIGINT",
    pa.uint8(): "SMALLINT", pa.uint16(): "INT", pa.uint32(): "BIGINT", pa.float32(): "FLOAT", pa.float64(): "DOUBLE",
    pa.string(): "STRING", pa.large_string(): "STRING", pa.date32(): "DATE",
}  # fmt: skip
_SPELT = {"VARCHAR": "STRING", "INTEGER": "INT", "TIMESTAMP": "TIMESTAMP_NTZ"}  # where Spark calls DuckDB's type else
Named = tuple[str, Source, Path]
Reader = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def bind_source(session: Any, named: Named, *, scratch: Path) -> tuple[Bound, Any]:
    """The source as DuckDB sees it, and the Spark relation of the same columns. Raises SourceError."""
    bound, types = _looked_at(named, scratch)
    columns = _native_columns(*named)
    if columns is not None:
        return bound, _native(session, named, columns)
    schema = ", ".join(f"{quote_name(name, 'spark')} {_SPELT.get(kind, kind)}" for name, kind in types.items())
    frame = session.range(0, 1, 1, 1).mapInArrow(_reader(named), schema)
    if bound.fingerprint[0] >= _SPREAD:
        frame = frame.repartition(session.sparkContext.defaultParallelism)
    return bound, frame


def _looked_at(named: Named, scratch: Path) -> tuple[Bound, dict[str, str]]:
    """What DuckDB makes of the source: how it is bound, and the types of the columns."""
    engine = DuckDBEngine(scratch=scratch, threads=1)
    try:
        bound = engine.bind(*named)
        found = engine.rows(f"DESCRIBE SELECT * FROM {quoted(bound.relation)}")  # noqa: S608 (quoted identifier)
        return bound, {name: kind for name, kind, *_ in found}
    finally:
        engine.close()


def _native_columns(name: str, source: Source, path: Path) -> dict[str, str] | None:
    """Declared columns of a Parquet file and their Spark types; None where Spark is not the one to read."""
    if kind_of(name, source, path) != SourceFormat.parquet or path.name.startswith((".", "_")):
        return None  # Spark takes such names for its own papers and reads nothing of them
    found = parquet.read_schema(path)
    wanted = {column.column or key for key, column in source.columns.items()}
    columns = {name: _ddl(found.field(name).type) for name in sorted(wanted)}
    return columns if None not in columns.values() else None  # type: ignore[return-value]


def _ddl(kind: pa.DataType) -> str | None:
    if pa.types.is_decimal128(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if pa.types.is_timestamp(kind):
        if kind.unit not in ("us", "ms"):
            return None
        return "TIMESTAMP" if kind.tz else "TIMESTAMP_NTZ"
    return _DDL.get(kind)


def _native(session: Any, named: Named, columns: dict[str, str]) -> Any:
    _, source, path = named
    schema = ", ".join(f"{quote_name(name, 'spark')} {kind}" for name, kind in columns.items())
    # A path is one file, whatever signs are in it; the option is how Spark itself switches patterns off.
    frame = session.read.schema(schema).option("__globPaths__", "false").parquet(path.resolve().as_uri())
    selected = [
        f"{_typed(source, column, columns[column.column or key], column.column or key)} AS {quote_name(key, 'spark')}"
        for key, column in source.columns.items()
    ]
    return frame.selectExpr(*selected)


def _typed(source: Source, column: Column, kind: str, found: str) -> str:
    """A cell widened as `curator.engines._cells.typed` does it, null tokens applied."""
    cell = quote_name(found, "spark")
    if kind == "STRING" and source.null_tokens:
        tokens = ", ".join(quote_text(token, "spark") for token in source.null_tokens)
        cell = f"CASE WHEN {cell} IN ({tokens}) THEN NULL ELSE {cell} END"
    if column.type == LogicalType.float:
        return f"CAST({cell} AS DOUBLE)"
    if column.type == LogicalType.timestamp:
        return f"CAST({cell} AS TIMESTAMP_NTZ)"  # of a moment with zone: in UTC, the session's zone
    return cell


def _reader(named: Named) -> Reader:
    """Reads a whole source with DuckDB, wherever the task runs. The file must be at the same place there."""

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield from _read(named)

    return read


def _read(named: Named) -> Iterator[pa.RecordBatch]:
    with tempfile.TemporaryDirectory(prefix="curator-read-") as folder:  # mode 0700; DuckDB encrypts what it spills
        engine = DuckDBEngine(scratch=Path(folder), threads=1, memory=_READER_MEMORY)
        try:
            bound = engine.bind(*named)
            yield from engine.batches(f"SELECT * FROM {quoted(bound.relation)}", rows=_READ_ROWS)  # noqa: S608 (quoted)
        except CuratorError as fault:
            raise carry(fault) from None
        finally:
            engine.close()
