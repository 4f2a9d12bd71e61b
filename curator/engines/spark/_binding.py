"""How Spark comes to a declared source: the same columns, types and cells as DuckDB gives, and the same refusals.

DuckDB looks at the source first (names and types), so that what is wrong with it is said in the same words. Parquet
whose declared columns have types that both engines know is then read by Spark, in parts and in parallel. Everything
else (text files, databases, rarer Parquet types) is read by DuckDB inside one task of an executor: two readers of text
never agree on every quote, encoding and empty cell.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
from pyspark import StorageLevel
from pyspark.sql.types import StructType

from curator.engines._adopted import Adopted
from curator.engines._cells import may_exceed, physical_of, within
from curator.engines._days import sound_day
from curator.engines._readers import Bound, kind_of
from curator.engines.duckdb import DuckDBEngine
from curator.engines.spark._faults import carry
from curator.errors import CuratorError
from curator.expressions import quote_name, quote_text
from curator.files import Place, Where
from curator.protocols import LiveTable
from curator.spec.model import Column, LogicalType, Source, SourceFormat
from curator.sqltext import quoted

_READ_ROWS = 32_768
_SPREAD = 64 << 20  # bytes of a text file from which its rows are worth sending to other tasks
_PIECE = 64 << 20  # bytes handed to the executors at a time
_READER_MEMORY = "1GB"
_DDL = {
    pa.bool_(): "BOOLEAN", pa.int8(): "TINYINT", pa.int16(): "SMALLINT", pa.int32(): "INT", pa.int64(): "BIGINT",
    pa.uint8(): "SMALLINT", pa.uint16(): "INT", pa.uint32(): "BIGINT", pa.float32(): "FLOAT", pa.float64(): "DOUBLE",
    pa.string(): "STRING", pa.large_string(): "STRING", pa.date32(): "DATE",
}  # fmt: skip
_PATTERN = re.compile(r"([\\*?\[\]{}])")
_SPELT = {"VARCHAR": "STRING", "INTEGER": "INT", "TIMESTAMP": "TIMESTAMP_NTZ"}  # where Spark calls DuckDB's type else
Named = tuple[str, Source, Where]
Reader = Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]


def bind_source(session: Any, named: Named, *, scratch: Path) -> tuple[Bound, Any]:
    """The source as DuckDB sees it, and the Spark relation of the same columns. Raises SourceError."""
    name, source, where = named
    engine = DuckDBEngine(scratch=scratch, threads=1)
    try:
        bound = engine.bind(name, source, path=where)
        schema = _schema(engine, bound.relation)
    finally:
        engine.close()
    columns = _native_columns(name, source, places=bound.places)
    if columns is not None:
        return bound, _native(session, source, bound=bound, columns=columns)
    frame = session.range(0, 1, 1, 1).mapInArrow(_reader(named), schema)
    if bound.fingerprint[0] >= _SPREAD:
        frame = frame.repartition(session.sparkContext.defaultParallelism)
    # Each query would read the text again, in one task; kept, it is read once, in memory or in encrypted files.
    return bound, frame.persist(StorageLevel.MEMORY_AND_DISK)


def adopt_rows(session: Any, name: str, *, source: Source, table: LiveTable, scratch: Path) -> tuple[Adopted, Any]:
    """The rows of a live source, taken in by DuckDB (its rules, its encrypted spill) and handed to Spark in pieces.

    Each piece is kept by the executors, in memory or in encrypted files; the driver holds one at a time.
    """
    engine = DuckDBEngine(scratch=scratch, threads=1, memory=_READER_MEMORY)
    try:
        adopted = engine.adopt(name, source, table=table)
        schema = _schema(engine, adopted.relation)
        query = f"SELECT * FROM {quoted(adopted.relation)}"  # noqa: S608 (quoted identifier)
        frame = _sent(session, engine.batches(query, rows=_READ_ROWS), schema=StructType.fromDDL(schema))
        return adopted, session.createDataFrame([], schema) if frame is None else frame
    finally:
        engine.close()


def send_files(session: Any, paths: Sequence[Path]) -> Any:
    """The rows of Parquet files that only this machine sees, handed to Spark likewise."""
    batches = (batch for path in paths for batch in parquet.ParquetFile(path).iter_batches(_READ_ROWS))
    frame = _sent(session, batches, schema=None)
    return session.createDataFrame(parquet.read_schema(paths[0]).empty_table()) if frame is None else frame


def _sent(session: Any, batches: Iterable[pa.RecordBatch], *, schema: StructType | None) -> Any:
    """Rows kept by the executors, piece by piece; None without a row."""
    frame = None
    for piece in _pieces(batches):
        rows = session.createDataFrame(piece, schema)
        kept = rows.localCheckpoint(eager=True, storageLevel=StorageLevel.MEMORY_AND_DISK)
        frame = kept if frame is None else frame.unionAll(kept)
    return frame


def _pieces(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(part.nbytes for part in held) >= _PIECE:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def named_file(path: Path) -> str:
    """A file as Spark's readers are told of it: one file, whatever signs are in its name and in those of its folders.

    Spark takes what it is told for a pattern, and not for a URI: a blank stays a blank, a `*` needs a backslash.
    To switch patterns off (`__globPaths__`) is no way: Spark 4.0.1 then reads all files again for each such name.
    """
    return "file://" + _PATTERN.sub(r"\\\1", str(path.resolve()))


def _schema(engine: DuckDBEngine, relation: str) -> str:
    """The columns of a relation as Spark declares them."""
    found = engine.rows(f"DESCRIBE SELECT * FROM {quoted(relation)}")  # noqa: S608 (quoted identifier)
    return ", ".join(f"{quote_name(name, 'spark')} {_SPELT.get(kind, kind)}" for name, kind, *_ in found)


def _native_columns(name: str, source: Source, *, places: Sequence[Place]) -> dict[str, str] | None:
    """Declared columns of Parquet files and their Spark types; None where Spark is not the one to read."""
    if source.drift or any(column.from_name is not None for column in source.columns.values()):
        return None
    wanted = sorted({column.column or key for key, column in source.columns.items()})
    types: dict[str, str] | None = None
    for place in places:
        path = place.path
        if path is None or kind_of(name, source, place=place) != SourceFormat.parquet:
            return None
        if path.name.startswith((".", "_")) or ":" in path.name:
            return None  # the first Spark takes for its own papers and reads nothing of, the second for an address
        found = _file_types(path, wanted)
        if found is not None and any(_worded(key, column, types=found) for key, column in source.columns.items()):
            return None
        if found is None or types not in (None, found):
            return None
        types = found
    return types


def _worded(key: str, column: Column, *, types: dict[str, str]) -> bool:
    """Whether a column has words for true and false in the place of truths, or is to be spelt as a text.

    Only one reader knows such words, and two engines would spell a moment in two ways.
    """
    kind = types[column.column or key]
    spelt = column.type in (LogicalType.text, LogicalType.free_text) and kind != "STRING"
    return spelt or (bool(column.true) and kind != "BOOLEAN")


def _file_types(path: Path, wanted: Sequence[str]) -> dict[str, str] | None:
    try:
        schema = parquet.read_schema(path)
    except (pa.ArrowException, OSError):
        return None  # packed, perhaps: DuckDB has read it already
    types = {name: _ddl(schema.field(name).type) for name in wanted if name in schema.names}
    known = {name: kind for name, kind in types.items() if kind is not None}
    return known if len(known) == len(wanted) else None


def _ddl(kind: pa.DataType) -> str | None:
    if pa.types.is_decimal128(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    if pa.types.is_timestamp(kind):
        if kind.unit not in ("us", "ms"):
            return None
        return "TIMESTAMP" if kind.tz else "TIMESTAMP_NTZ"
    return _DDL.get(kind)


def _native(session: Any, source: Source, *, bound: Bound, columns: dict[str, str]) -> Any:
    schema = ", ".join(f"{quote_name(name, 'spark')} {kind}" for name, kind in columns.items())
    frame = session.read.schema(schema).parquet(*(named_file(place.path) for place in bound.places if place.path))
    selected = []
    for key, column in source.columns.items():
        found = column.column or key
        value, shown = _typed(source, column, kind=columns[found], found=found), quote_name(key, "spark")
        if key in bound.raw_columns:  # of Parquet: a day or a number that no file of text could hold
            sound, cell = sound_day(value), value
            if may_exceed(column, columns[found]):
                cell = quote_name(found, "spark")
                value, sound = within(cell, column, physical=columns[found])
            raw = quote_name(f"raw {key}", "spark")
            selected.append(f"CASE WHEN NOT ({sound}) THEN CAST({cell} AS STRING) END AS {raw}")
            value = f"CASE WHEN {sound} THEN {value} END"
        selected.append(f"{value} AS {shown}")
    return frame.selectExpr(*selected)


def _typed(source: Source, column: Column, *, kind: str, found: str) -> str:
    """A cell widened as `curator.engines._cells.typed` does it, null tokens applied."""
    cell = quote_name(found, "spark")
    if kind == "STRING" and source.null_tokens:
        tokens = ", ".join(quote_text(token, "spark") for token in source.null_tokens)
        cell = f"CASE WHEN {cell} IN ({tokens}) THEN NULL ELSE {cell} END"
    if column.type == LogicalType.float:
        return f"CAST({cell} AS DOUBLE)"
    if column.type == LogicalType.decimal or (column.type == LogicalType.integer and kind.startswith("DECIMAL")):
        return f"CAST({cell} AS {physical_of(column)})"
    if column.type == LogicalType.timestamp:
        return f"CAST({cell} AS TIMESTAMP_NTZ)"  # of a moment with zone: in UTC, the session's zone
    return cell


def _reader(named: Named) -> Reader:
    """Reads a whole source with DuckDB, wherever the task runs. The file must be at the same place there."""
    once = uuid.uuid4()  # else Spark would take a source bound again for the one it has kept

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield from _read(named, once)

    return read


def _read(named: Named, once: uuid.UUID) -> Iterator[pa.RecordBatch]:
    # Mode 0700; DuckDB encrypts what it spills.
    with tempfile.TemporaryDirectory(prefix=f"curator-read-{once.hex[:8]}-") as folder:
        engine = DuckDBEngine(scratch=Path(folder), threads=1, memory=_READER_MEMORY)
        try:
            name, source, where = named
            bound = engine.bind(name, source, path=where)
            yield from engine.batches(f"SELECT * FROM {quoted(bound.relation)}", rows=_READ_ROWS)  # noqa: S608 (quoted)
        except CuratorError as fault:
            raise carry(fault) from None
        finally:
            engine.close()
