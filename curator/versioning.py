"""Commit: the one stream. Rows leave the engine, pass the kernel and reach hashed Parquet shards, all once.

    engine ─► batches of 32,768 rows ─► set rejected rows apart ─► kernel ─► keyed range shards ─► measured as written

`write_shards` fills a staged folder; `describe` adds what people and tools read beside the shards. Publishing the
folder as a version is the workspace's part, so that a run which fails leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.anonymity import ClassCoder, ClassCounter
from curator.arrow import first_words, integers, recycled_memory, rows_where, token_words
from curator.edges.parquet import EngineOrderShards, KeyedShards, ShardReport
from curator.errors import DisclosureError, IntegrityError, QualityError
from curator.kernel import CLASS, ORDER, SENSITIVE
from curator.manifest import FileEntry
from curator.protocols import Engine
from curator.risk import measure_files, roles_of
from curator.rowdigest import RowDigest, row_codes
from curator.rowindex import RowIndex
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
from curator.sqltext import quoted

BATCH_ROWS = 32_768  # some 5 MB: what one step leaves is still in the cache for the next
WRITTEN = "written"
COUNTED = ".rows"

Progress = Callable[[str, int, int], None]


class Quarantine(Protocol):
    """Where rejected rows go: the holder's own area, encrypted."""

    def add(self, batch: pa.RecordBatch) -> None:
        """Keep rejected rows, masks included."""


@dataclass(frozen=True, kw_only=True)
class Following:
    """What is known of the version before, when a version follows it.

    Attributes:
        index: takes the token and the content of each accepted row.
        before: those of the version before, when only what came since is read; a row among them is left out.
        files: shards of the version before that stay, already in the folder.
        digests: split -> digest of their rows.
        rows: an estimate of the rows that came since.
    """

    index: RowIndex
    before: RowIndex | None = None
    files: tuple[FileEntry, ...] = ()
    digests: Mapping[str, RowDigest] = field(default_factory=dict)
    rows: int | None = None

    @property
    def first(self) -> int:
        """Number of the first new shard."""
        return 1 + max((int(entry.path[-13:-8]) for entry in self.files), default=-1)


def write_shards(
    protected: ProtectedSample,
    *,
    folder: Path,
    scratch: Path,
    order: RowOrder = "keyed",
    quarantine: Quarantine | None = None,
    progress: Progress | None = None,
    following: Following | None = None,
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

    Raises:
        SourceError: a source cannot be read to its end, or changed meanwhile.
        QualityError: expectations not met, too many rows rejected, or a row key that repeats.
        DisclosureError: the declared limits are not met and may not be reached by suppression.
    """
    stream = _Stream(protected, quarantine=quarantine, progress=progress or _silent, following=following)
    if following is not None:
        stream.count_before(folder)
    with recycled_memory():
        report, quality = stream.run(folder, scratch=scratch, order=order)
    protected.checked.sample.unchanged()
    if report.repeated:
        raise _repeated(protected.use_case, report.repeated)
    _close_counts(quality, report, known=stream.known)
    if following is not None and following.files:
        report.merge(ShardReport(files=list(following.files), digests=dict(following.digests)))
        report.files.sort()
    disclosure = _measured(protected, folder, report)
    schema = tuple((column.name, str(column.type)) for column in stream.schema or [])
    return Written(
        files=tuple(report.files),
        schema=schema,
        quality=quality,
        disclosure=disclosure,
        order=order,
        identifiers=stream.identifiers.counts(),
        digests=report.digests,
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
        self._following, self.known = following, 0
        self._tally = Tally(protected.checked)
        self.identifiers = IdentifierTally(protected.kernel)
        self._classes = ClassCounter() if protected.kernel.class_key is not None else None
        limits = protected.use_case.disclosure
        self._people = roles_of(protected.use_case).entity if limits and limits.count == "persons" else ()
        self._keys = _RowKeys() if protected.checked.implied else None
        self.schema: pa.Schema | None = None

    def count_before(self, folder: Path) -> None:
        """Count the classes of the rows that stay, from the fields that make them."""
        kernel, files = self._protected.kernel, self._following.files if self._following else ()
        if self._classes is None or not files:
            return
        engine = self._protected.checked.sample.engine
        engine.define_files(WRITTEN, [folder / entry.path for entry in files])
        names = dict.fromkeys([*kernel.quasi, *([kernel.sensitive] if kernel.sensitive else []), *self._people])
        keys = ", ".join(quoted(name) for name in names)
        counted = f"SELECT {keys}, count(*) AS {quoted(COUNTED)} FROM {quoted(WRITTEN)} GROUP BY {keys}"  # noqa: S608
        for batch in engine.batches(counted, rows=BATCH_ROWS):
            codes, sensitive = kernel.class_codes(batch)
            self._classes.add_counted(codes, integers(batch.column(COUNTED)), sensitive)
            if self._people:
                self._classes.add_persons(codes, self._person_codes(batch))

    def run(self, folder: Path, *, scratch: Path, order: RowOrder) -> tuple[ShardReport, QualityReport]:
        """Stream into shards; the quality verdict comes before anything is sorted or measured."""
        splits = split_names(self._protected.use_case)
        sample = self._protected.checked.sample
        if order == "engine":
            with EngineOrderShards(folder, splits=splits) as plain:
                self._feed(plain.add)
                quality = self._protected.checked.report(self._tally)
                self._failing(quality.accepted, allowed=False)
                return plain.finish(), quality
        following = self._following
        estimated = sample.estimated_rows if following is None or following.rows is None else following.rows
        first = following.first if following else 0
        with KeyedShards(folder, scratch=scratch, splits=splits, estimated_rows=estimated, first=first) as shards:
            self._feed(shards.add)
            quality = self._protected.checked.report(self._tally)
            failing = self._failing(quality.accepted, allowed=True)
            report = shards.finish(failing=failing, progress=lambda done, total: self._progress("write", done, total))
            return report, quality

    def _feed(self, add: Callable[[pa.RecordBatch], None]) -> None:
        checked = self._protected.checked
        total = checked.sample.estimated_rows
        stepped = checked.sample.engine.mapped(self._protected.sql(), self._protected.step(), rows=BATCH_ROWS)
        for masks, rejected, protected in stepped:
            if masks is not None:
                self._tally.add(checked.masks(masks), len(masks))
            if rejected is not None:
                self._set_apart(rejected)
            if protected is not None and (new := self._unknown(protected)) is not None:
                add(self._count(new))
            self._progress("stream", self._tally.rows, total)
        if self._keys is not None and not self._keys.distinct():
            self._tally.count_implied()

    def _unknown(self, protected: pa.RecordBatch) -> pa.RecordBatch | None:
        """Rows that the version before does not hold already; None when it holds all of them.

        Raises:
            QualityError: `refresh-changed`, when it holds a row with another content.
        """
        if self._following is None:
            return protected
        names = [name for name in protected.schema.names if not name.startswith(".")]
        tokens = token_words(protected.column(ORDER))[:, 0].astype(np.uint64)
        codes = row_codes(protected.select(names))
        before = self._following.before
        if before is not None:
            known, changed = before.known(tokens, codes)
            if changed.any():
                raise _changed(self._protected.use_case, int(changed.sum()))
            if known.any():
                self.known += int(known.sum())
                tokens, codes, protected = tokens[~known], codes[~known], rows_where(protected, ~known)
        self._following.index.add(tokens, codes)
        return protected if len(protected) else None

    def _count(self, protected: pa.RecordBatch) -> pa.RecordBatch:
        protected = self.identifiers.add(protected)
        if self._keys is not None:
            self._keys.add(protected.column(ORDER))
        if self._classes is not None:
            sensitive = integers(protected.column(SENSITIVE)) if SENSITIVE in protected.schema.names else None
            self._classes.add(integers(protected.column(CLASS)), sensitive)
            if self._people:
                self._classes.add_persons(integers(protected.column(CLASS)), self._persons(protected))
            if sensitive is not None:  # counted: no need to carry it to the shards
                protected = protected.drop_columns([SENSITIVE])
        if self.schema is None:
            self.schema = pa.schema([column for column in protected.schema if not column.name.startswith(".")])
        return protected

    def _persons(self, protected: pa.RecordBatch) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """A code of whose each row is; a row about nobody known is of somebody of its own."""
        codes = self._person_codes(protected)
        known = np.zeros(len(protected), np.bool_)
        for name in self._people:
            known |= integers(pc.cast(protected.column(name).is_valid(), pa.uint8())) == 1
        return np.where(known, codes, token_words(protected.column(ORDER))[:, 0].astype(np.uint64))

    def _person_codes(self, batch: pa.RecordBatch) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """A code of the fields that say together whom a row is about: of tokens their first 8 bytes."""
        coder, total = ClassCoder(self._protected.kernel.class_key or b"", ()), np.zeros(len(batch), np.uint64)
        for name in self._people:
            column = batch.column(name)
            binary = pa.types.is_fixed_size_binary(column.type)
            total = total * np.uint64(3) + (first_words(column) if binary else coder.value_codes(column))
        return total

    def _set_apart(self, rejected: pa.RecordBatch) -> None:
        if self._keys is not None:
            self._keys.add(rejected.column(ORDER))
            rejected = rejected.drop_columns([ORDER])
        if self._quarantine is not None:
            self._quarantine.add(rejected)

    def _failing(self, accepted: int, *, allowed: bool) -> np.ndarray[Any, np.dtype[np.uint64]]:
        """Class codes to leave out; refuses when they hold more rows than may be suppressed."""
        limits = self._protected.use_case.disclosure
        if self._classes is None or limits is None:
            return np.empty(0, np.uint64)
        codes, rows = self._classes.failing(k=limits.k, diversity=limits.l.value if limits.l else None)
        if rows and (not allowed or rows > limits.suppress * accepted or rows == accepted):
            raise _too_rare(self._protected.use_case, counts=(rows, accepted, len(codes)), allowed=allowed)
        return codes


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


def _measured(protected: ProtectedSample, folder: Path, report: ShardReport) -> DisclosureReport | None:
    """Measure the limits again on the files written, from their values."""
    limits, quasi = protected.use_case.disclosure, protected.use_case.quasi_identifiers()
    if limits is None or not quasi:
        return None
    engine = protected.checked.sample.engine
    engine.define_files(WRITTEN, [folder / entry.path for entry in report.files])
    measured = measure(
        engine, quasi=quasi, sensitive=limits.l.column if limits.l else None, suppressed=report.suppressed
    )
    if measured.k < limits.k or (limits.l is not None and (measured.l or 0) < limits.l.value):
        raise DisclosureError(
            "disclosure-measured",
            asked=f"keep the limits of {protected.use_case.ref} in the files written",
            found=f"k = {measured.k}" + (f", l = {measured.l}" if limits.l else ""),
            expected=f"k >= {limits.k}" + (f", l >= {limits.l.value}" if limits.l else ""),
            todo="run again; if it repeats, generalise further, since suppression and measure disagree",
        )
    _check_persons(protected.use_case, [folder / entry.path for entry in report.files])
    return measured


def _check_persons(use_case: UseCase, files: list[Path]) -> None:
    """Where k is of people, count them in the files written."""
    limits = use_case.disclosure
    if limits is None or limits.count != "persons" or not files:
        return
    found = measure_files(files, roles_of(use_case))
    people = found.k_persons if found else None
    if people is not None and people < limits.k:
        raise DisclosureError(
            "disclosure-measured",
            asked=f"keep the limits of {use_case.ref} in the files written",
            found=f"k = {people} people",
            expected=f"k >= {limits.k} people",
            todo="run again; if it repeats, generalise further, since suppression and measure disagree",
        )


def measure(
    engine: Engine, *, quasi: tuple[str, ...], sensitive: str | None, suppressed: int = 0, relation: str = WRITTEN
) -> DisclosureReport:
    """K and distinct l of a relation, exactly: one group-by on the values of the quasi-identifiers.

    Nulls are one value (rows without a value are alike); a null counts as no value of the sensitive field.
    """
    keys = ", ".join(quoted(name) for name in quasi)
    distinct = f"count(DISTINCT {quoted(sensitive)})" if sensitive else "NULL"
    grouped = f"SELECT count(*) AS n, {distinct} AS l FROM {quoted(relation)} GROUP BY {keys}"  # noqa: S608
    bounds = (1, 2, 4, 9, 19, 49, 99)
    sizes = ", ".join(
        f"coalesce(sum(CASE WHEN n > {low} AND n <= {high} THEN n END), 0)"
        for low, high in zip((0, *bounds[:-1]), bounds, strict=True)
    )
    figures = f"coalesce(sum(n), 0), count(*), coalesce(min(n), 0), min(l), {sizes}"
    rows, classes, k, diversity, *binned = engine.rows(f"SELECT {figures} FROM ({grouped}) g")[0]  # noqa: S608
    counts = {str(bound): int(count) for bound, count in zip(bounds, binned, strict=True)}
    counts["more"] = int(rows) - sum(counts.values())
    return DisclosureReport(
        rows=int(rows), quasi_identifiers=quasi, classes=int(classes), k=int(k),
        l=None if sensitive is None else int(diversity or 0), suppressed=suppressed, sizes=counts,
    )  # fmt: skip


def _close_counts(quality: QualityReport, report: ShardReport, *, known: int = 0) -> None:
    """Rows accepted = rows written + rows suppressed + rows held already, or something is broken in curator itself."""
    written = sum(entry.rows for entry in report.files)
    if quality.accepted != written + report.suppressed + known:
        raise IntegrityError(
            "counts-open",
            asked="account for every row",
            found=f"{quality.accepted:,} rows accepted, {written:,} written and {report.suppressed:,} suppressed",
            expected="counts that close",
            todo="run again; if it repeats, report the fault with the spec and no data",
        )


def _too_rare(use_case: UseCase, *, counts: tuple[int, int, int], allowed: bool) -> DisclosureError:
    """The refusal of (rows, accepted rows, classes) below the limits; `allowed` when suppression was possible."""
    limits, (rows, accepted, classes) = use_case.disclosure, counts
    wanted = f"k >= {limits.k}" if limits else ""
    if limits and limits.l:
        wanted += f" and l >= {limits.l.value} of `{limits.l.column}`"
    suppress = limits.suppress if limits else 0.0
    most = f"at most {suppress:.2%} of the rows to suppress (`disclosure.suppress`)"
    if rows <= suppress * accepted:  # every row, and every row may be
        most = "a row that is left once those below the limits are suppressed"
    return DisclosureError(
        "too-rare",
        asked=f"write {use_case.ref} with {wanted} over {', '.join(use_case.quasi_identifiers())}",
        found=f"{rows:,} of {accepted:,} rows ({rows / accepted:.2%}) in {classes:,} classes below the limits",
        expected=most if allowed else "no row below the limits: rows in the engine's order cannot be suppressed",
        todo="make a quasi-identifier coarser, drop one, or "
        + ("allow more suppression in the spec" if allowed else "write in keyed order"),
    )


def _repeated(use_case: UseCase, rows: int) -> QualityError:
    return QualityError(
        "row-key-repeated",
        asked=f"name each row of {use_case.ref} by {', '.join(use_case.extract.row_key)}",
        found=f"{rows:,} rows whose key an earlier row has",
        expected="a key that no two rows share",
        todo="add a column to `extract.row_key`, or look for a join that brings the same row twice",
    )


def _changed(use_case: UseCase, rows: int) -> QualityError:
    return QualityError(
        "refresh-changed",
        asked=f"add to {use_case.name} the rows that came since the version before",
        found=f"{rows:,} rows that the version before holds with another content",
        expected="a source that only grows, as `refresh.feed: append` says",
        todo="refresh with `--full`, or declare `feed: full` in the spec",
    )


def _silent(stage: str, done: int, total: int) -> None:
    """No progress wanted."""
