"""Whose each row is, in batches and in files."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as parquet

from curator.anonymity import ClassCoder, Codes, PeopleCounter
from curator.arrow import first_words, integers

_GOLD = np.uint64(0x9E3779B97F4A7C15)
_READERS = 2  # files whose people are counted at a time
BATCH = 131_072


def person_codes(batch: pa.RecordBatch, fields: Sequence[str], *, coder: ClassCoder) -> Codes:
    """A code of the fields that say together whom a row is about: of tokens their first 8 bytes."""
    total: Codes | None = None
    for name in fields:
        column = batch.column(name)
        if pa.types.is_binary(column.type):  # as an engine hands tokens over
            column = pc.binary_slice(column, 0, 8).cast(pa.binary(8))
        binary = pa.types.is_fixed_size_binary(column.type)
        codes = first_words(column) if binary else coder.value_codes(column)
        total = codes if total is None else total * _GOLD + codes
    return np.zeros(len(batch), np.uint64) if total is None else total


def known_people(batch: pa.RecordBatch, fields: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Which rows are about somebody known."""
    known = np.zeros(len(batch), np.bool_)
    for name in fields:
        column = batch.column(name)
        if not column.null_count:
            return np.ones(len(batch), np.bool_)
        known |= integers(pc.cast(column.is_valid(), pa.uint8())) == 1
    return known


def people_in(files: Sequence[Path], fields: Sequence[str], *, coder: ClassCoder, cap: int) -> PeopleCounter:
    """People of the classes of some files, several of which are read at a time."""
    counter, turn = PeopleCounter(cap), threading.Lock()
    before = np.cumsum([0, *(parquet.read_metadata(path).num_rows for path in files)])

    def count(place: int) -> None:
        for codes, persons in _rows(files[place], fields, coder=coder, seen=int(before[place])):
            with turn:
                counter.add(codes, persons)

    with ThreadPoolExecutor(_READERS) as pool:
        list(pool.map(count, range(len(files))))  # raises what one of them raised
    return counter


def _rows(path: Path, fields: Sequence[str], *, coder: ClassCoder, seen: int = 0) -> Iterator[tuple[Codes, Codes]]:
    """Class and person of each row of a file, batch by batch; `seen` rows came before.

    Texts come as the dictionaries they were written with, which saves coding each value.
    """
    names = list(dict.fromkeys([*coder.columns, *fields]))
    schema = parquet.read_schema(path)
    texts = [name for name in names if pa.types.is_string(schema.field(name).type)]
    with parquet.ParquetFile(path, read_dictionary=texts) as source:
        for batch in source.iter_batches(batch_size=BATCH, columns=names):
            persons, known = person_codes(batch, fields, coder=coder), known_people(batch, fields)
            if not known.all():
                alone = np.arange(seen, seen + len(batch), dtype=np.uint64) * _GOLD
                persons = np.where(known, persons, alone)
            yield coder.codes(batch), persons
            seen += len(batch)
