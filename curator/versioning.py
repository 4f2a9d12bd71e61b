"""Commit: the one stream. Rows leave the engine, pass the kernel and reach hashed Parquet shards, all once.

    engine ─► batches of 32,768 rows ─► set rejected rows apart ─► kernel ─► keyed range shards ─► measured as written

`write_shards` fills a staged folder; `describe` adds what people and tools read beside the shards. Publishing the
folder as a version is the workspace's part, so that a run which fails leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from curator.anonymity import Codes
from curator.arrow import recycled_memory, token_words
from curator.classbook import count_classes
from curator.disclosure import Crowd, measure, require
from curator.edges.parquet import EngineOrderShards, KeyedShards, ShardReport
from curator.errors import IntegrityError, QualityError
from curator.following import Following
from curator.kernel import ORDER
from curator.manifest import FileEntry
from curator.protocols import SpreadsRows
from curator.samples import (
    DisclosureReport,
    IdentifierTally,
    ProtectedSample,
    QualityReport,
    RowOrder,
    Tally,
    Written,
    split_names,
)
from curator.spec import UseCase
from curator.spreading import Note, Protecting, SpreadStream, rejected_rows, schema_of, shard_count

BATCH_ROWS = 32_768  # some 5 MB: what one step leaves is still in the cache for the next

Progress = Callable[[str, int, int], None]


class Quarantine(Protocol):
    """Where rejected rows go: the holder's own area, encrypted."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep rejected rows, masks included."""


def write_shards(
    protected: ProtectedSample,
    *,
    folder: Path,
    scratch: Path,
    order: RowOrder = "keyed",
    quarantine: Quarantine | None = None,
    progress: Progress | None = None,
    following: Following | None = None,
    finished: Callable[[FileEntry], None] | None = None,
) -> Written:
    """Stream every row once and write the shards of a version into `folder/data`.

    Args:
        protected: what to write.
        folder: staged folder of the version.
        scratch: private folder for temporary ranges (protected rows only).
        order: `keyed` (default: order tells nothing, bytes reproduce) or `engine` (faster, neither).
        quarantine: takes the rejected rows.
        progress: called with stage, done, total (total 0 when unknown).
        following: the version before, when this one follows it.
        finished: called with each shard that is whole, as soon as it is (keyed order only).

    Raises:
        SourceError: a source cannot be read to its end, or changed meanwhile.
        QualityError: expectations not met, too many rows rejected, or a row key that repeats.
        DisclosureError: the declared limits are not met and may not be reached by suppression.
    """
    stream = _Stream(protected, quarantine=quarantine, progress=progress or _silent, following=following)
    stream.finished = finished
    with recycled_memory():
        report, quality = stream.run(folder, scratch=scratch, order=order)
    protected.checked.sample.unchanged()
    if report.repeated:
        raise _repeated(protected.use_case, report.repeated)
    _close_counts(quality, report, came=stream.came)
    if following is not None:
        new = [folder / entry.path for entry in report.files]
        following.finish(report, first=stream.first, ranges=stream.ranges)
        _keep_book(protected, following, folder=folder, new=new)
    disclosure = _measured(protected, folder, report=report, fewest=stream.fewest, following=following)
    schema = tuple((column.name, str(column.type)) for column in stream.schema or [])
    if not schema and following is not None:
        schema = following.schema
    return Written(
        files=tuple(report.files),
        schema=schema,
        quality=quality,
        disclosure=disclosure,
        order=order,
        identifiers=stream.identifiers.counts(),
        unmoved=stream.identifiers.unmoved(),
        digests=report.digests,
        drawing=protected.checked.sample.drawing,
    )


class _Stream:
    """The loop over batches, with its counters."""

    def __init__(
        self,
        protected: ProtectedSample,
        *,
        quarantine: Quarantine | None,
        progress: Progress,
        following: Following | None = None,
    ) -> None:
        self._protected, self._quarantine, self._progress = protected, quarantine, progress
        self._following, self.came = following, 0
        self.first, self.ranges = 0, 1
        self._tally = Tally(protected.checked)
        self.identifiers = IdentifierTally(protected.kernel)
        counted = protected.kernel.class_key is not None
        self._crowd = Crowd(protected.use_case, protected.kernel) if counted else None
        self._keys = _RowKeys() if protected.checked.implied else None
        self.schema: pa.Schema | None = None
        self.finished: Callable[[FileEntry], None] | None = None

    def run(self, folder: Path, *, scratch: Path, order: RowOrder) -> tuple[ShardReport, QualityReport]:
        """Stream into shards; the quality verdict comes before anything is sorted or measured."""
        splits = split_names(self._protected.use_case)
        sample = self._protected.checked.sample
        if order == "engine":
            with EngineOrderShards(folder, splits=splits) as plain:
                self._feed(plain.add)
                quality = self._protected.checked.report(self._tally)
                self.came = quality.accepted
                self._failing(quality.accepted, allowed=False)
                return plain.finish(), quality
        if self._following is None and isinstance(sample.engine, SpreadsRows) and sample.engine.reaches(folder):
            return self._spread(sample.engine, folder, splits=splits)
        estimated = sample.estimated_rows
        if self._following is not None:
            estimated, self.first = self._following.expected(estimated), self._following.first
        with KeyedShards(folder, scratch=scratch, splits=splits, estimated_rows=estimated, first=self.first) as shards:
            self.ranges = shards.ranges
            self._feed(shards.add)
            quality, failing = self._judged(folder, shards.add)
            report = shards.finish(
                failing=failing,
                hold=self._following is not None,
                progress=lambda done, total: self._progress("write", done, total),
                finished=self.finished,
            )
            return report, quality

    def _judged(self, folder: Path, add: Callable[[pa.RecordBatch], None]) -> tuple[QualityReport, Codes]:
        """The verdict on the rows read, and the classes to leave out of all rows that there are then."""
        following = self._following
        if following is None or following.feed == "whole":
            quality = self._protected.checked.report(self._tally)
            self.came = quality.accepted
            return quality, self._failing(quality.accepted, allowed=True)
        rows = following.settle()
        quality = self._protected.checked.report(self._tally, empty=rows > 0 and self._tally.rows == 0)
        self.came = quality.accepted - following.same
        following.take_away(folder)
        if self._crowd is None:
            return quality, np.empty(0, np.uint64)
        engine, stay = self._protected.checked.sample.engine, [folder / path for path in following.files]
        book = following.book if following.only_adds else None
        tallied = book.tallied(self._protected.use_case) if book else None
        self._crowd.count_before(engine, stay, whole=following.only_adds, tallied=tallied)
        for batch in following.standing(self._protected.kernel):
            self.came += len(batch)
            add(self._crowd.count(batch))
        failing = self._failing(rows, allowed=True)
        if self._crowd.among_before(failing):
            following.leave_out(folder, failing, kernel=self._protected.kernel)
        return quality, failing

    def _spread(
        self, engine: SpreadsRows, folder: Path, *, splits: tuple[str, ...]
    ) -> tuple[ShardReport, QualityReport]:
        """The same in the engine's own processes; what comes here are counts, digests and rejected rows."""
        checked, ranges = self._protected.checked, shard_count(self._protected.checked.sample.estimated_rows)
        step, report, distinct = self._protected.step(), ShardReport(), True
        self.ranges = ranges
        protecting = Protecting(step=step, use_case=self._protected.use_case, ranges=ranges)
        with closing(SpreadStream(engine, self._protected.sql(), protecting=protecting, rows=BATCH_ROWS)) as stream:
            for note in stream.notes():
                self._note(note)
                distinct &= not note.holes
            quality = checked.report(self._tally)
            self.came = quality.accepted
            failing = self._failing(quality.accepted, allowed=True)
            folder.mkdir(parents=True, exist_ok=True)  # a worker that does not find it is on a machine without it
            for done, (part, repeats) in enumerate(stream.write(folder, splits=splits, failing=failing), start=1):
                report.merge(part)
                distinct &= not repeats
                for entry in part.files if self.finished else ():
                    self.finished(entry)  # type: ignore[misc] # asked for in the line above
                self._progress("write", done, ranges)
        report.files.sort()
        if step.keys and not distinct:
            self._tally.count_implied()
            quality = checked.report(self._tally)
        return report, quality

    def _note(self, note: Note) -> None:
        """Add what a part of the rows tells."""
        for pattern, count in note.patterns.items():
            self._tally.add_pattern(pattern, count)
        if note.identifiers is not None:
            self.identifiers.merge(note.identifiers)
        if note.crowd is not None and self._crowd is not None:
            self._crowd.merge(note.crowd)
        for rejected in rejected_rows(note) if self._quarantine is not None else ():
            self._quarantine.add(rejected)  # type: ignore[union-attr] # asked for in the line above
        self.schema = self.schema or schema_of(note)
        self._progress("stream", self._tally.rows, self._protected.checked.sample.estimated_rows)

    def _feed(self, add: Callable[[pa.RecordBatch], None]) -> None:
        checked = self._protected.checked
        total = checked.sample.estimated_rows
        stepped = checked.sample.engine.mapped(self._protected.sql(), self._protected.step(), rows=BATCH_ROWS)
        for masks, rejected, protected in stepped:
            if masks is not None:
                self._tally.add(checked.masks(masks), len(masks))
            if rejected is not None:
                self._set_apart(rejected)
            if protected is not None and self._following is not None:
                protected = self._following.unknown(protected)
            if protected is not None:
                add(self._count(protected))
            self._progress("stream", self._tally.rows, total)
        if self._keys is not None and not self._keys.distinct():
            self._tally.count_implied()

    def _count(self, protected: pa.RecordBatch) -> pa.RecordBatch:
        protected = self.identifiers.add(protected)
        if self._keys is not None:
            self._keys.add(protected.column(ORDER))
        if self._crowd is not None:
            protected = self._crowd.count(protected)
        if self.schema is None:
            self.schema = pa.schema([column for column in protected.schema if not column.name.startswith(".")])
        return protected

    def _set_apart(self, rejected: pa.RecordBatch) -> None:
        if self._keys is not None:
            self._keys.add(rejected.column(ORDER))
            rejected = rejected.drop_columns([ORDER])
        if self._quarantine is not None:
            self._quarantine.add(rejected)

    def _failing(self, accepted: int, *, allowed: bool) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Class codes to leave out; refuses when they hold more rows than may be suppressed."""
        return np.empty(0, np.uint64) if self._crowd is None else self._crowd.failing(accepted, allowed=allowed)

    @property
    def fewest(self) -> int | None:
        """People of the smallest class that stays, where only the stream could count them."""
        return self._crowd.fewest if self._crowd else None


class _RowKeys:
    """The first half of every row's token, accepted or not, to know that no key repeats: 8 bytes a row.

    Two keys share a half with probability 2**-64; that only costs an exact count.
    """

    def __init__(self) -> None:
        self._halves: list[np.ndarray[Any, np.dtype[np.uint64]]] = []
        self._holes = False

    def add(self, tokens: pa.Array) -> None:
        """Take the tokens of some rows."""
        self._holes |= tokens.null_count > 0
        self._halves.append(token_words(tokens)[:, 0].astype(np.uint64))

    def distinct(self) -> bool:
        """Whether every row has a key, and no two the same."""
        halves = np.sort(np.concatenate([np.empty(0, np.uint64), *self._halves]))
        return not self._holes and not bool((halves[1:] == halves[:-1]).any())


def _measured(
    protected: ProtectedSample,
    folder: Path,
    *,
    report: ShardReport,
    fewest: int | None,
    following: Following | None,
) -> DisclosureReport | None:
    """Measure the limits again on the files written, from their values; refuse what does not hold them."""
    book = following.book if following else None
    tallied = book.tallied(protected.use_case) if book else None
    engine, files = protected.checked.sample.engine, [folder / entry.path for entry in report.files]
    measured = measure(
        engine, protected.use_case, files=files, suppressed=report.suppressed, streamed=fewest, tallied=tallied
    )  # fmt: skip
    require(protected.use_case, measured)
    return measured


def _keep_book(protected: ProtectedSample, following: Following, *, folder: Path, new: Sequence[Path]) -> None:
    """Count the classes of the new files, and add them to those of the files that stay, or count all."""
    engine, before = protected.checked.sample.engine, following.book
    whole = [folder / path for path in following.files]
    if before is not None and following.untouched:
        counted = count_classes(engine, protected.use_case, files=new) if new else None
        following.book = before.plus(counted) if counted else (None if new else before)
    if before is None or not following.untouched or following.book is None:
        following.book = count_classes(engine, protected.use_case, files=[*whole, *new])


def _close_counts(quality: QualityReport, report: ShardReport, *, came: int) -> None:
    """Rows that came to be written = rows written + rows suppressed, or something is broken in curator itself.

    Without a version before, these are the rows accepted.
    """
    written = sum(entry.rows for entry in report.files)
    if came != written + report.suppressed:
        raise IntegrityError(
            "counts-open",
            asked="account for every row",
            found=f"{came:,} rows to write of {quality.accepted:,} accepted, {written:,} written and "
            f"{report.suppressed:,} suppressed",
            expected="counts that close",
            todo="run again; if it repeats, report the fault with the spec and no data",
        )


def _repeated(use_case: UseCase, rows: int) -> QualityError:
    return QualityError(
        "row-key-repeated",
        asked=f"name each row of {use_case.ref} by {', '.join(use_case.extract.row_key)}",
        found=f"{rows:,} rows whose key an earlier row has",
        expected="a key that no two rows share",
        todo="add a column to `extract.row_key`, or look for a join that brings the same row twice",
    )


def _silent(stage: str, done: int, total: int) -> None:
    """No progress wanted."""
