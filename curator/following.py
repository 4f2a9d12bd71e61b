"""A version that follows another: which rows are new, which are gone, and which shards must be written again.

    stream ─► unknown: rows with another content, or none before ─► new shards
    settle  : rows that are gone   ─► the shards that held them are written again without them, the others are links
    held    : rows left out before, whose class may have become large enough ─► new shards, or held back again
    leave_out: rows that stood in a shard and whose class became too small  ─► held back

Whatever is held back is kept by the holder, sealed, so that no refresh needs the source to bring it in: a version that
follows has the rows that a run over the whole source would write, to the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as parquet

from curator.arrow import from_integers, integers, positions, rows_at, rows_where, token_words
from curator.classbook import ClassBook
from curator.edges.parquet import ROW_GROUP, ShardFile, ShardReport
from curator.errors import IntegrityError, QualityError
from curator.kernel import CLASS, ORDER, PERSON, SENSITIVE, SPLIT, BatchKernel
from curator.manifest import FileEntry
from curator.rowdigest import RowDigest, digest_rows, row_codes
from curator.rowindex import GONE, HELD, Changes, Codes, Flags, Places, RowIndex, among, told

Feed: TypeAlias = Literal["whole", "append", "changes", "full"]
"""`whole` writes every row anew; the others write the difference, of which they are told by new rows alone, by the rows
that changed, or by all rows."""

_BATCH = 131_072
_PROBED = 2_048
_NOTHING: Changes | None = None
_SPLIT_WEIGHT = np.uint64(0xD6E8FEB86659FD93)
_MODULUS = 1 << 64


class Following:
    """What a run knows of the version before it, and what it finds out.

    Args:
        splits: names of the splits, by index.
        feed: how the source tells what changed.
        index: rows of the version before; None for `whole`.
        files: its shards, already in the folder as links.
        digests: split -> digest of their rows.
        held: rows that it held back, with their `.order` and `.split`.
        live: rows that it was made of, those held back included.
        schema: its fields, for a run without any new row.
        touched: for `changes`, ascending tokens of the rows that may have changed.
        book: what is known of the classes of its shards.

    Attributes:
        files: the shards that stay, by path; those written again among them once they are.
        index: takes in the rows of this run.
        changes: what changed; None for `whole`.
        rows: rows that the new version is made of, those held back included.
        same: rows read that the version before holds as they are.
    """

    def __init__(
        self,
        splits: Sequence[str],
        *,
        feed: Feed = "whole",
        index: RowIndex | None = None,
        files: Sequence[FileEntry] = (),
        digests: Mapping[str, RowDigest] | None = None,
        held: pa.Table | None = None,
        live: int = 0,
        schema: Sequence[tuple[str, str]] = (),
        touched: Codes | None = None,
        book: ClassBook | None = None,
    ) -> None:
        self.splits, self.feed = tuple(splits), feed
        self.index = RowIndex(index.parts if index is not None else ())
        self.files = {entry.path: entry for entry in files}
        self.digests, self.held, self.schema = dict(digests or {}), held, tuple(schema)
        self.previous = frozenset(self.files)
        self.book, self.changes = book, _NOTHING
        self.same, self.rows, self._before = 0, 0, live
        self.touched, self._seen = touched, [np.empty(0, np.uint64)]
        self._gone = np.empty(0, np.uint64)
        self._left: list[pa.Table] = []

    # ---- while rows stream by

    def unknown(self, batch: pa.RecordBatch) -> pa.RecordBatch | None:
        """Rows that the version before does not hold with the same content; None when it holds all of them.

        Raises:
            QualityError: `refresh-changed`, when it holds a row with another content and the feed should only grow.
        """
        tokens, splits = _first_words(batch), integers(batch.column(SPLIT)).astype(np.uint8)
        codes = content_codes(batch)
        if self.feed != "whole":
            found = self.index.find(tokens)
            same = found.known & (found.codes == codes)
            if self.feed == "append" and bool((found.known & ~same).any()):
                raise _changed(int((found.known & ~same).sum()))
            if self.feed != "append":
                self._seen.append(tokens)
            if same.any():
                self.same += int(same.sum())
                tokens, codes, splits = tokens[~same], codes[~same], splits[~same]
                batch = rows_where(batch, ~same)
        self.index.add(tokens, codes, places=splits)
        return batch if len(batch) else None

    def expected(self, rows: int) -> int:
        """About how many rows will be new, of so many in the source: decides how many shards there are."""
        if self.feed == "append":
            return max(0, rows - self._before)
        return rows if self.feed in ("whole", "changes") else rows // 8

    @property
    def first(self) -> int:
        """Number of the first new shard."""
        return 1 + max((int(path[-13:-8]) for path in self.previous), default=-1)

    # ---- once all have

    def settle(self) -> int:
        """Know what changed; returns how many rows there are now, those held back included.

        Raises:
            QualityError: `row-key-repeated`, when the source has two rows of one key.
        """
        new, _, places = self.index.added()
        before = self.index.find(new)
        seen = np.sort(np.concatenate(self._seen))
        if bool((seen[1:] == seen[:-1]).any()):
            raise repeated_key(int((seen[1:] == seen[:-1]).sum()))
        gone, stood = self._vanished(seen)
        self._gone = np.sort(np.concatenate([gone, new[before.known]]))
        self.changes = told(self.splits, added=places[~before.known], changed=places[before.known], vanished=stood)
        self.index.add(gone, np.zeros(len(gone), np.uint64), places=np.full(len(gone), GONE))
        self.rows = self._before - len(self._gone) + len(new)
        return self.rows

    @property
    def only_adds(self) -> bool:
        """Whether no row of the version before is gone, once that is settled."""
        return not len(self._gone)

    def wrote(self, tokens: pa.Array) -> Flags:
        """Which rows of these keyed tokens stand in the files that this run wrote, once they are finished."""
        part = self.index.parts[-1]
        return among(token_words(tokens)[:, 0].astype(np.uint64), part.tokens[part.places < HELD])

    @property
    def untouched(self) -> bool:
        """Whether every shard of the version before stays as it was, once all are written."""
        return self.only_adds and not self._left

    def _vanished(self, seen: Codes) -> tuple[Codes, Places]:
        """Tokens and places of the rows that are in the source no more."""
        if self.feed == "full":
            tokens, _, places = self.index.live()
            gone = ~among(tokens, seen)
            return np.asarray(tokens[gone]), np.asarray(places[gone])
        touched = self.touched if self.touched is not None else np.empty(0, np.uint64)
        tokens = touched[~among(touched, seen)]
        found = self.index.find(tokens)
        return tokens[found.known], found.places[found.known]

    def take_away(self, folder: Path) -> None:
        """Write the shards that hold rows that are gone again, without them. Raises IntegrityError as `_rewrite`."""
        for path, tokens in self.index.file_of(self._gone, self.splits).items():
            here = self.index.tokens_in(path, self.splits)
            self._rewrite(folder, path, gone=among(here, np.sort(tokens)), rows=len(here))

    def standing(self, kernel: BatchKernel) -> Iterator[pa.RecordBatch]:
        """The rows that the version before held back and that are not gone, coded for this run."""
        if self.held is None:
            return
        for batch in self.held.combine_chunks().to_batches():
            stays = rows_where(batch, ~among(_first_words(batch), self._gone))
            if len(stays) and kernel.class_key is not None:
                codes, sensitive = kernel.class_codes(stays)
                stays = stays.append_column(CLASS, from_integers(codes, pa.uint64()))
                if sensitive is not None:
                    stays = stays.append_column(SENSITIVE, from_integers(sensitive, pa.uint64()))
            if len(stays):
                yield stays

    def leave_out(self, folder: Path, failing: Codes, *, kernel: BatchKernel) -> None:
        """Hold back the rows of shards whose class is among those (ascending). Raises IntegrityError as `_rewrite`."""
        names = list(dict.fromkeys([*kernel.quasi, *([kernel.sensitive] if kernel.sensitive else [])]))
        for path in list(self.files):
            with parquet.ParquetFile(folder / path) as file:
                codes = [kernel.class_codes(batch)[0] for batch in file.iter_batches(_BATCH, columns=names)]
            out = among(np.concatenate([np.empty(0, np.uint64), *codes]), failing)
            if out.any():
                tokens = self.index.tokens_in(path, self.splits)
                # Rows that are gone are in the index until this run is settled, and in the shard no more.
                tokens = tokens[~among(tokens, self._gone)]
                self._hold(folder, path, out=out, tokens=tokens)

    def _hold(self, folder: Path, path: str, *, out: Flags, tokens: Codes) -> None:
        split = self.splits.index(self.files[path].split)
        rows = self._rewrite(folder, path, gone=out, rows=len(tokens))
        words = np.zeros((len(rows), 2), ">u8")
        words[:, 0] = tokens[out]
        order = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(rows), [None, pa.py_buffer(words.tobytes())])
        columns = {ORDER: order, SPLIT: from_integers(np.full(len(rows), split, np.int8), pa.int8())}
        self._left.append(pa.table({**columns, **{name: rows.column(name) for name in rows.schema.names}}))
        self.index.add(tokens[out], self.index.find(tokens[out]).codes, places=np.full(len(rows), split, np.uint8))

    def _rewrite(self, folder: Path, path: str, *, gone: Flags, rows: int) -> pa.Table:
        """Write a shard again without some rows; returns these.

        Raises:
            IntegrityError: `refresh-index`, when the holder's notes and the shard disagree.
        """
        entry = self.files.pop(path, None)
        with parquet.ParquetFile(folder / path) as file:
            table = file.read().combine_chunks()
        if entry is None or len(table) != rows or len(gone) != rows:
            raise notes_differ()
        out = table.take(positions(gone))
        split = entry.split
        self.digests[split] = _less(self.digests[split], digest_rows(out))
        (folder / path).unlink()  # a link to the file of the version before, whose bytes must stay
        left = np.flatnonzero(~gone)
        if len(left):
            self.files[path] = self._written(folder, path, table=table, left=left, split=split)
        return out

    def _written(
        self, folder: Path, path: str, *, table: pa.Table, left: npt.NDArray[np.int64], split: str
    ) -> FileEntry:
        shard = ShardFile(folder, path, first=rows_at(table, left[:_PROBED]))
        try:
            for start in range(0, len(left), ROW_GROUP):
                shard.write(rows_at(table, left[start : start + ROW_GROUP]))
            return shard.finish(split)
        except BaseException:
            shard.abandon()
            raise

    # ---- at the end

    def finish(self, report: ShardReport, *, first: int, ranges: int) -> None:
        """Add the shards that stay to those written, and note what was held back.

        Args:
            report: what writing the new rows found out; takes in the others.
            first: number of the first new shard.
            ranges: into how many shards a split they were cut.
        """
        if self.feed == "whole":
            self.rows = len(self.index.added()[0])
        held = [*report.held, *self._left]
        before = _tokens_of(self.held)
        self.held = pa.concat_tables(held).combine_chunks() if held else None
        now = _tokens_of(self.held)
        self._bring_in(before[~among(before, now) & ~among(before, self._gone)])
        self.index.settle(held=now, first=first, ranges=ranges)
        report.suppressed = len(now)
        report.merge(ShardReport(files=list(self.files.values()), digests=dict(self.digests)))
        report.files.sort()

    def _bring_in(self, tokens: Codes) -> None:
        """Rows that are held back no more stand in the new shards."""
        found = self.index.find(tokens)
        self.index.add(tokens, found.codes, places=found.places & ~HELD)


def content_codes(batch: pa.RecordBatch) -> Codes:
    """A code of each row's fields and of its split; of whom it is about, too, where no field says it."""
    names = [name for name in batch.schema.names if not name.startswith(".")]
    codes = row_codes(batch.select(names)) + integers(batch.column(SPLIT)).astype(np.uint64) * _SPLIT_WEIGHT
    if PERSON in batch.schema.names:
        codes = codes ^ integers(batch.column(PERSON)) * _SPLIT_WEIGHT
    return np.asarray(codes)


def repeated_key(rows: int) -> QualityError:
    """The error of a source with several rows of one key."""
    return QualityError(
        "row-key-repeated",
        asked="name each row by its key",
        found=f"{rows:,} rows whose key an earlier row has",
        expected="a key that no two rows share",
        todo="add a column to `extract.row_key`, or look for a join that brings the same row twice",
    )


def notes_differ() -> IntegrityError:
    """The error of private notes that are not of the files beside them; a refresh then writes every row anew."""
    return IntegrityError(
        "refresh-index",
        asked="write a shard again without the rows that left",
        found="private notes of the rows that do not fit the shard",
        expected="the notes that were kept with the version before",
        todo="run again with `--full`; if it repeats, run `curator verify`",
    )


def _tokens_of(held: pa.Table | None) -> Codes:
    if held is None or not len(held):
        return np.empty(0, np.uint64)
    return np.sort(np.concatenate([_first_words(batch) for batch in held.to_batches()]))


def _first_words(batch: pa.RecordBatch) -> Codes:
    return token_words(batch.column(ORDER))[:, 0].astype(np.uint64)


def _less(whole: RowDigest, part: RowDigest) -> RowDigest:
    return RowDigest((whole.first - part.first) % _MODULUS, (whole.second - part.second) % _MODULUS)


def _changed(rows: int) -> QualityError:
    return QualityError(
        "refresh-changed",
        asked="add the rows that came since the version before",
        found=f"{rows:,} rows that the version before holds with another content",
        expected="a source that only grows, as `refresh.feed: append` says",
        todo="refresh with `--full`, or declare `feed: full` in the spec",
    )
