"""The stream spread over several workers gives the bytes, counts and refusals of the stream in one process."""

from __future__ import annotations

import pickle
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from capital_world import spec_value, write_spec

from curator.anonymity import ClassCounter, ClassLimits
from curator.engines import open_engine
from curator.engines.duckdb import DuckDBEngine
from curator.errors import DisclosureError
from curator.extraction import extract
from curator.protection import protect
from curator.protocols import Gathering, Spreading
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.samples import Written
from curator.spec import load_use_case
from curator.versioning import write_shards

WORKERS = 3


class Workers:
    """Several workers, one after the other; what they are given travels as bytes, and each range in another order."""

    def __init__(self, batches: list[pa.RecordBatch], spreading: Spreading) -> None:
        self.kept: dict[int, list[bytes]] = defaultdict(list)
        for number in range(WORKERS):
            copy: Spreading = pickle.loads(pickle.dumps(spreading))
            for part, data in copy(iter(batches[number::WORKERS])):
                self.kept[part].append(data)

    def notes(self) -> Iterator[bytes]:
        for part in sorted(part for part in self.kept if part < 0):
            yield from self.kept[part]

    def gathered(self, gathering: Gathering) -> Iterator[bytes]:
        copy: Gathering = pickle.loads(pickle.dumps(gathering))
        for part in sorted((part for part in self.kept if part >= 0), reverse=True):
            copy(part, reversed(self.kept[part]))  # a task that is run twice
            yield copy(part, iter(self.kept[part]))

    def forget(self) -> None:
        self.kept.clear()


class SpreadEngine(DuckDBEngine):
    def reaches(self, folder: Path) -> bool:
        return True

    def spread(self, sql: str, spreading: Spreading, *, rows: int, ranges: int) -> Workers:
        return Workers(list(self.batches(sql, rows=1_000)), spreading)


class Kept:
    """A quarantine that only counts."""

    def __init__(self) -> None:
        self.rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        self.rows += len(batch)


def written(engine: Any, spec: Path, base: Path, out: Path) -> tuple[Written, int]:
    case = load_use_case(spec)
    paths = {name: base / source.path for name, source in case.sources.items()}
    context, apart = KeyContext(holder="h", purpose="p", recipient="r", epoch="1"), Kept()
    (out / "work").mkdir(parents=True)
    protected = protect(check(extract(case, engine=engine, paths=paths)), root=bytes(range(32)), context=context)
    return write_shards(protected, folder=out / "v", scratch=out / "work", quarantine=apart), apart.rows


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[list[Any]]:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    opened = [open_engine("duckdb", scratch=tmp_path / "a", threads=1), SpreadEngine(scratch=tmp_path / "b", threads=1)]
    yield opened
    for engine in opened:
        engine.close()


@pytest.mark.parametrize("rows", [500, 10**9])
def test_the_same_bytes_and_counts(
    engines: list[Any], demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr("curator.edges.parquet._ranges.ROWS_PER_SHARD", rows)
    spec = write_spec(tmp_path, spec_value())
    (one, apart), (other, also) = (
        written(engine, spec, demo_base, tmp_path / f"out{place}") for place, engine in enumerate(engines)
    )
    assert one == other, "shards, digests, quality, disclosure, identifiers and schema"
    assert apart == also > 0
    folders = [tmp_path / f"out{place}" / "v" for place in range(2)]
    found = [sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()) for folder in folders]
    assert found[0] == found[1], "nothing of a worker's attempts is left"
    for path in found[0]:
        assert (folders[0] / path).read_bytes() == (folders[1] / path).read_bytes()


def test_a_limit_that_is_not_met_is_refused_by_both(engines: list[Any], demo_base: Path, tmp_path: Path) -> None:
    value = spec_value()
    value["disclosure"] = {**value["disclosure"], "k": 10_000}
    said = []
    for place, engine in enumerate(engines):
        with pytest.raises(DisclosureError) as refused:
            written(engine, write_spec(tmp_path, value), demo_base, tmp_path / f"out{place}")
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_counts_of_parts_add_up() -> None:
    """Rows, people and sensitive values of classes, few values and many."""
    chance = np.random.default_rng(3)
    for values in (5, 500):
        codes = chance.integers(0, 300, 4_000).astype(np.uint64)
        persons, sensitive = (chance.integers(0, top, 4_000).astype(np.uint64) for top in (900, values))
        whole, parts = ClassCounter(), [ClassCounter() for _ in range(WORKERS)]
        for counter in (whole, *parts):
            counter.count_people(6)
        for counter, rows in [(whole, slice(None)), *((part, slice(n, None, WORKERS)) for n, part in enumerate(parts))]:
            counter.add(codes[rows], sensitive[rows])
            counter.people.add(codes[rows], persons[rows])
        total = ClassCounter()
        total.count_people(6)
        for part in parts:
            total.merge(pickle.loads(pickle.dumps(part)))
        limits = ClassLimits(k=6, l=4, entropy_l=3.0, t=0.4)
        for one, other in zip(total.failing(limits), whole.failing(limits), strict=True):
            assert np.array_equal(one, other)
        assert np.array_equal(total.people.counts()[1], whole.people.counts()[1])
