"""What is known of the classes of a version's files, kept by its holder so that new files alone need to be counted.

A book holds each combination of quasi-identifiers (and sensitive value) with its rows, the people of each class, and a
code of each pair of class and person. Files that are added bring their own book, and the two add up to the book that
all files together would give: the limits measured from it are those measured on the files. A person of a new row is
new to the class when no part knows the pair; two pairs under one code of 64 bits could only make a class look smaller.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.anonymity import ClassCoder, Codes, pair_codes
from curator.arrow import distinct, runs
from curator.canonical import sha256_json
from curator.disclosure import COUNTED, Tallied, known_people, person_codes, summed
from curator.edges.keys import SealedWriter, open_sealed
from curator.errors import CuratorError
from curator.manifest import FileEntry
from curator.protocols import Engine
from curator.rowindex import among
from curator.spec import UseCase
from curator.spec.people import people_of
from curator.sqltext import quoted

Numbers = npt.NDArray[np.int64]

_KEY = bytes(32)  # codes of classes stay with their holder, and must be the same in every version
_RELATION = "classes counted"
_BATCH = 131_072


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassBook:
    """The classes of some files.

    Attributes:
        table: each combination of quasi-identifiers and sensitive value, with its rows.
        classes: code of each class in which people are counted, ascending; empty where none are.
        people: people of each of these.
        pairs: codes of class and person, ascending, in one part for each time that files were added.
        owners: class code of each pair of the last part.
    """

    table: pa.Table
    classes: Codes
    people: Numbers
    pairs: Sequence[Codes]
    owners: Codes = field(default_factory=lambda: np.empty(0, np.uint64))

    def tallied(self, use_case: UseCase) -> Tallied:
        """The book as the measure of the limits takes it."""
        counted = people_of(use_case).told == "files" and len(self.people)
        return Tallied(batches=tuple(self.table.to_batches()), fewest=int(self.people.min()) if counted else None)

    def plus(self, new: ClassBook) -> ClassBook | None:
        """The book of these files and those of another, with a part more; None when their columns do not fit."""
        keys = [name for name in self.table.schema.names if name != COUNTED]
        try:
            joined = pa.concat_tables([self.table, new.table.select(self.table.schema.names)])
        except (pa.ArrowInvalid, KeyError):
            return None
        (fresh,) = new.pairs
        unseen = np.ones(len(fresh), np.bool_)
        for part in self.pairs:
            unseen &= ~among(fresh, part)
        met, people = np.unique(new.owners, return_counts=True)
        alone = new.people - _of(
            new.classes, met, counts=people
        )  # rows about nobody known, each of somebody of its own
        came, more = np.unique(new.owners[unseen], return_counts=True)
        classes = distinct(np.concatenate([self.classes, new.classes]))
        total = (
            _of(classes, self.classes, counts=self.people)
            + _of(classes, new.classes, counts=alone)
            + _of(classes, came, counts=more)
        )
        table, pairs = summed(joined, keys), (*self.pairs, fresh[unseen])
        return ClassBook(table=table, classes=classes, people=total, pairs=pairs, owners=new.owners[unseen])

    def save(self, path: Path, *, key: bytes, files: Sequence[FileEntry]) -> dict[str, Any]:
        """Write the book, for the holder alone; returns what `load` must be told.

        Args:
            path: where, without an ending.
            key: 32 bytes that the combinations are sealed under.
            files: that it is of.
        """
        sealed = path.with_name(f"{path.name}.classes.arrow.sealed")
        sealed.unlink(missing_ok=True)
        with SealedWriter(sealed, key) as writer, pa.ipc.new_stream(writer, self.table.schema) as stream:
            stream.write_table(self.table)
        for ending, value in (("people", np.stack([self.classes, self.people.astype(np.uint64)])),
                              ("pairs", self.pairs[-1])):  # fmt: skip
            place = path.with_name(f"{path.name}.{ending}.npy")
            place.touch(mode=0o600)
            with place.open("wb") as target:
                np.save(target, value, allow_pickle=False)
        return {"name": path.name, "files": digest_of(files)}

    @classmethod
    def load(cls, folder: Path, told: Mapping[str, Any], *, key: bytes, files: Sequence[FileEntry]) -> ClassBook | None:
        """The book of some files; None when there is none, or one that is damaged or of other files."""
        try:
            if told["files"] != digest_of(files):
                return None
            name, parts = told["name"], told["pairs"]
            with open_sealed(folder / f"{name}.classes.arrow.sealed", key) as source, pa.ipc.open_stream(source) as one:
                table = one.read_all()
            classes, people = np.load(folder / f"{name}.people.npy", allow_pickle=False)
            pairs = [np.load(folder / f"{part}.pairs.npy", mmap_mode="r", allow_pickle=False) for part in parts]
        except (OSError, ValueError, EOFError, KeyError, TypeError, pa.ArrowException, CuratorError):
            return None
        return cls(table=table, classes=classes, people=people.astype(np.int64), pairs=pairs)


def count_classes(engine: Engine, use_case: UseCase, *, files: Sequence[Path]) -> ClassBook | None:
    """Count the classes of files; None where nothing calls for it, or codes of 64 bits do not tell classes apart.

    Args:
        engine: counts the combinations.
        use_case: with limits.
        files: Parquet shards of one schema.
    """
    limits, quasi, people = use_case.disclosure, use_case.quasi_identifiers(), people_of(use_case)
    if limits is None or not quasi or not files:
        return None
    engine.define_files(_RELATION, files)
    keys = ", ".join(map(quoted, dict.fromkeys([*quasi, *([limits.sensitive] if limits.sensitive else [])])))
    sql = f"SELECT {keys}, count(*) AS {quoted(COUNTED)} FROM {quoted(_RELATION)} GROUP BY {keys}"  # noqa: S608
    batches = list(engine.batches(sql, rows=_BATCH))
    if not batches or any(pa.types.is_floating(kind) for kind in batches[0].schema.types):
        return None  # 0.0 and -0.0 are one value to the engine
    table = pa.Table.from_batches(batches)
    table = table.set_column(table.schema.get_field_index(COUNTED), COUNTED, pc.cast(table.column(COUNTED), pa.int64()))
    empty = np.empty(0, np.uint64)
    if people.told != "files":
        return ClassBook(table=table, classes=empty, people=np.empty(0, np.int64), pairs=(empty,))
    book = _people(files, quasi, fields=people.fields, table=table)
    return book if len(book.classes) == len(summed(table, quasi)) else None


def digest_of(files: Sequence[FileEntry]) -> str:
    """What tells some files from others."""
    return sha256_json(json.loads(json.dumps(sorted((entry.path, entry.sha256) for entry in files))))


def _people(files: Sequence[Path], quasi: Sequence[str], *, fields: Sequence[str], table: pa.Table) -> ClassBook:
    pairs, owners, alone = [], [], []
    for codes, persons, known in _rows(files, quasi, fields=fields):
        codes_known, met = codes[known], pair_codes(codes[known], persons[known])
        order, first = runs(met)
        pairs.append(met[order[first]])
        owners.append(codes_known[order[first]])
        alone.append(codes[~known])
    empty = np.empty(0, np.uint64)
    joined = np.concatenate([empty, *pairs])
    order, first = runs(joined)
    joined, whose = joined[order[first]], np.concatenate([empty, *owners])[order[first]]
    classes, people = np.unique(np.concatenate([whose, *alone]), return_counts=True)
    return ClassBook(table=table, classes=classes, people=people.astype(np.int64), pairs=(joined,), owners=whose)


def _rows(
    files: Sequence[Path], quasi: Sequence[str], *, fields: Sequence[str]
) -> Iterator[tuple[Codes, Codes, npt.NDArray[np.bool_]]]:
    """Class, person, and whether somebody is known, of each row."""
    coder, names = ClassCoder(_KEY, quasi), list(dict.fromkeys([*quasi, *fields]))
    for path in files:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=names):
                persons = person_codes(batch, fields, coder=coder)
                yield coder.codes(batch), persons, known_people(batch, fields)


def _of(wanted: Codes, codes: Codes, *, counts: Numbers) -> Numbers:
    """The count of each wanted code among ascending codes; 0 where it is not."""
    if not len(codes):
        return np.zeros(len(wanted), np.int64)
    places = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return np.where(codes[places] == wanted, counts[places], 0)
