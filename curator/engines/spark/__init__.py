"""Spark as the second engine: the same answers as DuckDB, on as many machines as there are.

Relations are temporary views of one Spark session in ANSI mode, and take the same SQL as DuckDB's; formulas come in
Spark's own dialect. Parquet is read by Spark. Text files and databases are read by DuckDB inside the executors, so that
a quote, an encoding or a cell is never read in two ways. The batch function (and with it the keys) travels in the
closure of `mapInArrow`: to threads of this machine, or to a cluster over authenticated and encrypted connections.

What Spark says may quote cells, so it never leaves this folder (`_faults.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import StorageLevel

from curator.engines._adopted import Adopted
from curator.engines._readers import Bound
from curator.engines.spark._binding import adopt_rows, bind_source, named_file, send_files
from curator.engines.spark._faults import translated
from curator.engines.spark._ranges import Ranges
from curator.engines.spark._session import hold, require_java, shared, version
from curator.engines.spark._transport import COLUMNS, carried, plain_rows, reaching, unpacked
from curator.engines.spark._workers import require_alike
from curator.expressions import Engine as Dialect
from curator.expressions import quote_name
from curator.files import Where
from curator.protocols import Asked, LiveTable, Spreading, Step
from curator.spec.model import Source

_FETCHED = 48 << 20  # bytes of source a partition of results should stand for: what the driver holds at a time
_LIVE_ROW = 64  # bytes, a guess of what a row taken from a live source stands for
_MOST_PARTITIONS = 4_096


class SparkEngine:
    """One Spark session for one run.

    Args:
        scratch: private folder for shuffle and spill files, which Spark encrypts.
        threads: worker threads where no cluster is named; all processors when None.
        memory: of the driver, which does all the work where no cluster is named.

    Raises:
        UsageError: `spark-missing`, `java-missing`: what to install; `spark-worker`: a cluster of unlike machines.
        SecretError: `spark-secret`, of a cluster.
    """

    dialect: Dialect = "spark"

    def __init__(self, *, scratch: Path, threads: int | None = None, memory: str | None = None) -> None:
        with translated("set up the engine"):
            self._context = hold(scratch, threads=threads, memory=memory)
            self._session = self._context.session()
            if not self._alone():
                self._greet()
        self._scratch = scratch
        self._bytes = 0
        self._kept: list[Any] = []

    def describe(self) -> dict[str, Any]:
        """Name, version and settings."""
        return {"name": "spark", "version": version(), **self._context.facts()}

    def bind(self, name: str, source: Source, *, path: Where, asked: Asked | None = None) -> Bound:
        """Make a source readable. Raises SourceError when it is missing or not shaped as declared."""
        with translated(f"read the source `{name}`"):
            bound, frame = bind_source(self._session, (name, source, path), scratch=self._scratch)
            self._kept.append(frame)  # forgetting one that is not kept is no fault
            self._view(bound.relation, frame)
        self._bytes += bound.fingerprint[0]
        return bound

    def adopt(self, name: str, source: Source, *, table: LiveTable) -> Adopted:
        """Take in the rows of a live source. Raises SourceError."""
        with translated(f"read the source `{name}`"):
            adopted, frame = adopt_rows(self._session, name, source=source, table=table, scratch=self._scratch)
            self._view(adopted.relation, frame)
        self._bytes += adopted.estimated_rows * _LIVE_ROW
        return adopted

    def define(self, name: str, sql: str) -> None:
        """Name a query."""
        with translated("prepare the extraction"):
            self._view(name, self._session.sql(sql))

    def define_files(self, name: str, paths: Sequence[Path]) -> None:
        """Name Parquet shards as one relation; rows that the executors do not see are sent to them."""
        seen = self._see(*{path.parent: path for path in paths}.values())
        with translated("read the files written"):
            frame = self._session.read.parquet(*map(named_file, paths)) if seen else send_files(self._session, paths)
            self._view(name, frame)

    def materialise(self, name: str, sql: str) -> None:
        """Keep a query's result for the run, in memory or in encrypted files."""
        with translated("read the sources"):
            frame = self._session.sql(sql).persist(StorageLevel.MEMORY_AND_DISK)
            self._kept.append(frame)
            self._view(name, frame)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        with translated("read the sources"):
            return plain_rows(self._session.sql(sql).collect())

    def batches(self, sql: str, *, rows: int) -> Iterator[pa.RecordBatch]:
        """A query's rows as record batches, a partition at a time."""
        for (batch,) in self.mapped(sql, _as_it_is, rows=rows):
            if batch is not None:
                yield batch

    def mapped(self, sql: str, step: Step, *, rows: int) -> Iterator[tuple[pa.RecordBatch | None, ...]]:
        """A query's rows, each batch passed through a function in the executors, fetched a partition at a time.

        Every partition is worked on before the first is fetched: results wait in the executors' encrypted shuffle
        files, so that this process never holds more than two partitions of them.
        """
        with translated("read the sources"):
            self._session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows))
            partitions = min(max(self._bytes // _FETCHED, 1), _MOST_PARTITIONS)
            frame = self._session.sql(sql)
            names, places = frame.columns, [f"c{place}" for place in range(len(frame.columns))]
            packed = frame.toDF(*places).mapInArrow(carried(step, names), COLUMNS)
            for row in packed.repartition(partitions, "part").toLocalIterator(prefetchPartitions=True):
                yield unpacked(row.data)

    def reaches(self, folder: Path) -> bool:
        """Whether the executors write into this very folder: always without a cluster; of one, each is asked."""
        if self._alone():
            return True
        folder.mkdir(parents=True, exist_ok=True)
        mark = folder / f".reached-{uuid.uuid4().hex}"
        mark.touch()
        try:
            return self._see(mark)
        finally:
            mark.unlink()

    def spread(self, sql: str, spreading: Spreading, *, rows: int, ranges: int) -> Ranges:
        """A query's rows passed through a function in the executors, and kept there by range (`_ranges.py`)."""
        with translated("read the sources"):
            self._session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(rows))
            return Ranges(self._session.sql(sql), spreading, ranges=ranges)

    def close(self) -> None:
        """Forget what was kept; the session ends, and its temporary files with it, unless others share it."""
        kept, self._kept = self._kept, []
        with translated("close the engine"):
            for frame in kept:
                frame.unpersist()
            self._context.release()

    def _alone(self) -> bool:
        return bool(self._context.settings["master"] == "local")

    def _see(self, *files: Path) -> bool:
        """Whether every executor sees these files of this machine."""
        if self._alone():
            return True
        with translated("look for a folder that every executor reaches"):
            tasks = 4 * self._session.sparkContext.defaultParallelism
            step = reaching([str(path.resolve()) for path in files])
            frame = self._session.range(0, tasks, 1, tasks).mapInArrow(step, COLUMNS)
            return all(row.part == 1 for row in frame.select("part").collect())

    def _greet(self) -> None:
        """Refuse a cluster whose machines differ; the context ends then, for nobody will close this engine."""
        try:
            require_alike(self._session)
        except BaseException:
            self._context.release()
            raise

    def _view(self, name: str, frame: Any) -> None:
        frame.createOrReplaceTempView(quote_name(name, "spark"))


def _as_it_is(batch: pa.RecordBatch) -> tuple[pa.RecordBatch | None, ...]:
    return (batch,)


__all__ = ["SparkEngine", "require_java", "shared"]
