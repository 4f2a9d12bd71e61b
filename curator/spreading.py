"""The one stream spread over the processes of an engine: rows are protected, sorted, written and hashed where they are.

    part of the rows ─► step ─► range by range ─► sorted, written, hashed ─► entries of shards and digests
                          └──► notes: counts of patterns, identifiers and classes, and rejected rows

The asker sees counts, digests and names of files; of rows only those rejected, which go to the holder's own area. What
is written are the bytes that `curator.edges.parquet.KeyedShards` writes of the same rows in one process. The folder of
the version must be one folder for every process.
"""

from __future__ import annotations

import pickle
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from curator.anonymity import Codes
from curator.arrow import integers, token_words
from curator.disclosure import Crowd
from curator.edges.parquet import RangeWriter, ShardReport, by_range, shard_count, sliced
from curator.errors import StorageError
from curator.kernel import ORDER
from curator.protocols import SpreadsRows
from curator.samples import IdentifierTally, Patterns, RowStep
from curator.spec import UseCase

_ATTEMPT = ".attempt-"


@dataclass(frozen=True, kw_only=True)
class Note:
    """What one part of the rows tells: sums that add up, or some rejected rows.

    Attributes:
        patterns: pattern of bits -> rows.
        identifiers: figures of an `IdentifierTally`.
        crowd: counters of a `Crowd`.
        schema: of the protected rows, as an Arrow message.
        holes: whether a rejected row has no key.
        rejected: rows, as an Arrow stream.
    """

    patterns: dict[tuple[int, ...], int] = field(default_factory=dict)
    identifiers: Any = None
    crowd: Any = None
    schema: bytes | None = None
    holes: bool = False
    rejected: bytes | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Protecting:
    """Protects the rows of one part, counts them, and hands them on by range.

    Attributes:
        step: what each batch passes.
        use_case: what is counted for.
        ranges: number of ranges, a power of two up to 256.
    """

    step: RowStep
    use_case: UseCase
    ranges: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, bytes]]:
        """Ranges and their rows; notes under numbers below 0, the sums last."""
        kernel, patterns = self.step.kernel, Patterns()
        identifiers = IdentifierTally(kernel)
        crowd = Crowd(self.use_case, kernel) if kernel.class_key is not None else None
        schema, holes = None, False
        for number, batch in enumerate(batches):
            masks, rejected, protected = self.step(batch)
            if masks is not None:
                patterns.add([integers(masks.column(place)) for place in range(len(self.step.rejecting))], len(masks))
            if rejected is not None:
                if self.step.keys:
                    holes |= rejected.column(ORDER).null_count > 0
                    yield from self._ranged(rejected.select([ORDER]).filter(rejected.column(ORDER).is_valid()))
                    rejected = rejected.drop_columns([ORDER])
                yield -1 - number % self.ranges, pickle.dumps(Note(rejected=_packed(rejected)))
            if protected is not None:
                protected = identifiers.add(protected)
                protected = crowd.count(protected) if crowd else protected
                schema = protected.schema
                yield from self._ranged(protected)
        note = Note(
            patterns=patterns.counted,
            identifiers=identifiers.figures(),
            crowd=crowd.counted() if crowd else None,
            schema=schema.serialize().to_pybytes() if schema is not None else None,
            holes=holes,
        )
        yield -1, pickle.dumps(note)

    def _ranged(self, batch: pa.RecordBatch) -> Iterator[tuple[int, bytes]]:
        for index, rows in enumerate(sliced(*by_range(batch, self.ranges))):
            if len(rows):
                yield index, _packed(rows)


@dataclass(frozen=True, kw_only=True, repr=False)
class Writing:
    """Sorts and writes one range; written twice, by processes that know nothing of each other, it is the same.

    Attributes:
        folder: of the version, the same for every process.
        splits: their names, by index.
        failing: codes of the classes to leave out.
        keys: whether to tell if a key repeats among accepted and rejected rows.
    """

    folder: Path
    splits: tuple[str, ...]
    failing: Codes
    keys: bool

    def __call__(self, index: int, parts: Iterable[bytes]) -> bytes:
        """The report of the range, and whether a key repeats in it. Raises StorageError where the folder is not."""
        if not self.folder.is_dir():
            raise _apart()
        tables = [_unpacked(part) for part in parts]
        rows = [table for table in tables if table.num_columns > 1]
        repeats = self.keys and _repeats([table.column(ORDER).combine_chunks() for table in tables])
        report = ShardReport()
        if rows:
            apart = self.folder / f"{_ATTEMPT}{uuid.uuid4().hex}"
            table = pa.concat_tables(rows).combine_chunks()
            report = RangeWriter(apart, self.splits).write(index, table, failing=self.failing)
            for entry in report.files:
                place = self.folder / entry.path
                place.parent.mkdir(parents=True, exist_ok=True)
                (apart / entry.path).replace(place)
            shutil.rmtree(apart, ignore_errors=True)
        return pickle.dumps((report, repeats))


class SpreadStream:
    """One query's rows on their way through the processes of an engine.

    Args:
        engine: which can spread rows.
        sql: the query.
        protecting: what its parts pass.
        rows: of a batch at most.
    """

    def __init__(self, engine: SpreadsRows, sql: str, *, protecting: Protecting, rows: int) -> None:
        self._protecting = protecting
        self._kept = engine.spread(sql, protecting, rows=rows, ranges=protecting.ranges)

    def notes(self) -> Iterator[Note]:
        """What the parts tell."""
        for data in self._kept.notes():
            yield _loaded(data)

    def write(self, folder: Path, *, splits: Sequence[str], failing: Codes) -> Iterator[tuple[ShardReport, bool]]:
        """The report of each range, and whether a key repeats in it, as they are written."""
        keys = self._protecting.step.keys
        writing = Writing(folder=folder.resolve(), splits=tuple(splits), failing=failing, keys=keys)
        try:
            for data in self._kept.gathered(writing):
                yield _loaded(data)
        finally:
            for apart in folder.glob(f"{_ATTEMPT}*"):
                shutil.rmtree(apart, ignore_errors=True)

    def close(self) -> None:
        """Let go of the rows."""
        self._kept.forget()


def rejected_rows(note: Note) -> Iterator[pa.RecordBatch]:
    """The rejected rows of a note."""
    if note.rejected is not None:
        yield from _unpacked(note.rejected).to_batches()


def schema_of(note: Note) -> pa.Schema | None:
    """The schema of the protected rows, where a note tells it; helper columns are left out."""
    if note.schema is None:
        return None
    found = pa.ipc.read_schema(pa.py_buffer(note.schema))
    return pa.schema([column for column in found if not column.name.startswith(".")])


def _packed(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _unpacked(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
        return stream.read_all()


def _loaded(data: bytes) -> Any:
    """What a process of ours packed: it ran our code with our keys, over the engine's authenticated connections."""
    return pickle.loads(data)  # noqa: S301 (see above)


def _apart() -> StorageError:
    return StorageError(
        "spark-folder",
        asked="write the shards on the workers",
        found="a worker that does not see the folder of the version, though others do",
        expected="the capital on a shared file system, at the same path on every machine",
        todo="mount it on the machine that lacks it, or keep that machine out of the cluster",
    )


def _repeats(tokens: Sequence[pa.Array]) -> bool:
    """Whether two rows share the first half of their token: 8 bytes a row."""
    halves = np.sort(np.concatenate([np.empty(0, np.uint64), *(token_words(part)[:, 0] for part in tokens)]))
    return bool((halves[1:] == halves[:-1]).any())


__all__ = ["Note", "Protecting", "SpreadStream", "rejected_rows", "schema_of", "shard_count"]
