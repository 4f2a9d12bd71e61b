"""Same rows, same secret, same bytes; and what an order or a split could tell, it does not."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from capital_world import SECRET, curate, empty_capital, spec_value

from curator.canonical import sha256_file
from curator.capital import Capital
from curator.edges.parquet import _ranges
from curator.records import DatasetVersion


def shards(version: DatasetVersion) -> dict[str, str]:
    folder = version.folder / "data"
    return {path.relative_to(folder).as_posix(): sha256_file(path) for path in sorted(folder.rglob("*.parquet"))}


def shuffled(base: Path, target: Path, *, seed: int) -> Path:
    """The same tables, each with its rows in another order and other row groups."""
    target.mkdir(parents=True)
    for name in ("persons", "vehicles", "accidents"):
        table = pq.read_table(base / f"{name}.parquet")
        order = list(range(len(table)))
        random.Random(seed).shuffle(order)
        pq.write_table(table.take(pa.array(order)), target / f"{name}.parquet", row_group_size=777)
    return target


@pytest.fixture(scope="module")
def reference(demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    return curate(empty_capital(tmp_path_factory.mktemp("reference") / "capital"), demo_base)


TOKENS = ("person", "driver_licence", "vehicle_plate")

RUNS: dict[str, dict[str, Any]] = {
    "again": {},
    "one thread": {"threads": 1},
    "two threads": {"threads": 2},
    "little memory": {"memory": "200MB"},
    "one thread, little memory": {"threads": 1, "memory": "200MB"},
}


@pytest.mark.parametrize("run", RUNS)
def test_the_same_secret_gives_the_same_bytes(
    run: str, reference: DatasetVersion, demo_base: Path, tmp_path: Path
) -> None:
    assert shards(curate(empty_capital(tmp_path / "capital"), demo_base, **RUNS[run])) == shards(reference)


def test_the_order_of_the_source_leaves_no_mark(reference: DatasetVersion, demo_base: Path, tmp_path: Path) -> None:
    moved = shuffled(demo_base, tmp_path / "tables", seed=1)
    assert shards(curate(empty_capital(tmp_path / "capital"), moved)) == shards(reference)


@pytest.mark.parametrize("part", [100, 1_000])
def test_many_shards_hold_the_rows_of_one(
    part: int, reference: DatasetVersion, demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_ranges, "ROWS_PER_SHARD", part)
    first = curate(empty_capital(tmp_path / "first"), demo_base)
    second = curate(empty_capital(tmp_path / "second"), shuffled(demo_base, tmp_path / "tables", seed=2), threads=1)
    assert len(shards(first)) > 3
    assert shards(first) == shards(second)
    for split in reference.splits:
        # Range shards in their order are one sorted run: the very same table, not only the same rows.
        assert first.table(split).equals(reference.table(split))


def test_another_secret_gives_other_tokens_and_another_order(
    reference: DatasetVersion, demo_base: Path, tmp_path: Path
) -> None:
    capital = Capital.create(tmp_path / "capital", holder="Road safety observatory", root_secret=SECRET[::-1])
    other = curate(capital, demo_base)
    tokens = [set(version.table("train", ["person"])["person"].to_pylist()) - {None} for version in (reference, other)]
    assert tokens[0]
    assert not tokens[0] & tokens[1]


@pytest.mark.parametrize("options", [{"recipient": "institute"}, {"epoch": "2"}])
def test_another_recipient_or_epoch_cannot_be_joined_and_moves_nobody(
    options: dict[str, str], reference: DatasetVersion, demo_base: Path, tmp_path: Path
) -> None:
    capital = empty_capital(tmp_path / "capital")
    if "epoch" in options:
        capital.rotate_keys(options["epoch"])
    other = curate(capital, demo_base, **options)
    assert other.manifest.rows == reference.manifest.rows
    for column in TOKENS:
        mine, theirs = (
            {cell for split in version.splits for cell in version.table(split, [column])[column].to_pylist()} - {None}
            for version in (reference, other)
        )
        assert mine
        assert not mine & theirs
    plain = [name for name in reference.table("train").column_names if name not in TOKENS]
    assert _rows(reference, "train", plain) == _rows(other, "train", plain)


def _rows(version: DatasetVersion, split: str, columns: list[str]) -> Counter[tuple[Any, ...]]:
    table = version.table(split, columns)
    return Counter(zip(*(table[name].to_pylist() for name in columns), strict=True))


# ---- order and splits, with the row key written beside the rows ------------------------------------------------


def open_spec(**changes: Any) -> dict[str, Any]:
    """The shipped spec, with the row key and the person's number written as plain fields for tests to see."""
    value = spec_value()
    value["fields"] |= {
        "row": {"from": "person_id", "meaning": "The row.", "identifier": "sensitive"},
    }
    del value["model"]
    return {**value, **changes}


def by_row(version: DatasetVersion, base: Path) -> dict[int, tuple[str, str | None]]:
    """Row key -> split and person, who is looked up in the source: no version would hold them in clear."""
    persons = pq.read_table(base / "persons.parquet", columns=["person_id", "nir"])
    whom = dict(zip(persons["person_id"].to_pylist(), persons["nir"].to_pylist(), strict=True))
    found: dict[int, tuple[str, str | None]] = {}
    for split in version.splits:
        for row in version.table(split, ["row"])["row"].to_pylist():
            found[row] = (split, whom[row])
    return found


@pytest.fixture(scope="module")
def seen(demo_base: Path, tmp_path_factory: pytest.TempPathFactory) -> DatasetVersion:
    return curate(empty_capital(tmp_path_factory.mktemp("seen") / "capital"), demo_base, spec=open_spec())


def test_the_order_of_rows_tells_nothing(seen: DatasetVersion) -> None:
    """Correlation of place and rank stays below what chance passes once in 15,000 (4 / sqrt(n - 1))."""
    table = seen.table("train", ["row", "hour", "age_band"])
    assert len(table) > 1_000
    places = np.arange(len(table))
    for name in table.column_names:
        ranks = np.array(pc.rank(table[name], tiebreaker="dense").to_pylist())
        assert abs(np.corrcoef(places, ranks)[0, 1]) < 4 / np.sqrt(len(table) - 1), name


def test_no_entity_crosses_splits(seen: DatasetVersion, demo_base: Path) -> None:
    places: dict[str, set[str]] = {}
    for split, whom in by_row(seen, demo_base).values():
        if whom:
            places.setdefault("".join(filter(str.isalnum, whom)).upper(), set()).add(split)
    assert len(places) > 1_000
    assert set().union(*places.values()) == {"train", "validation", "test"}
    assert {whom for whom, found in places.items() if len(found) > 1} == set()


def test_shares_are_what_was_asked(seen: DatasetVersion) -> None:
    rows = seen.manifest.rows
    total = sum(rows.values())
    for split, share in {"train": 0.8, "validation": 0.1, "test": 0.1}.items():
        assert abs(rows[split] / total - share) < 5 * np.sqrt(share * (1 - share) / total) + 0.01


def test_more_rows_move_nobody(seen: DatasetVersion, demo_base: Path, tmp_path: Path) -> None:
    """A tenth of the accidents arrives later; whoever was in a split stays there, with the same tokens."""
    smaller = tmp_path / "tables"
    smaller.mkdir()
    for name in ("persons", "vehicles", "accidents"):
        table = pq.read_table(demo_base / f"{name}.parquet")
        early = pc.not_equal(pc.utf8_slice_codeunits(table["num_acc"], 11, 12), "7")
        pq.write_table(table.filter(early), smaller / f"{name}.parquet")
    before = by_row(curate(empty_capital(tmp_path / "capital"), smaller, spec=open_spec()), smaller)
    after = by_row(seen, demo_base)
    common = before.keys() & after.keys()
    assert len(common) > 1_000
    assert len(after) > len(before)
    assert {row for row in common if before[row] != after[row]} == set()


def test_a_new_version_moves_nobody(seen: DatasetVersion, demo_base: Path, tmp_path: Path) -> None:
    capital = empty_capital(tmp_path / "capital")
    later = curate(capital, demo_base, spec=open_spec(version="2.0.0"))
    assert by_row(later, demo_base) == by_row(seen, demo_base)
