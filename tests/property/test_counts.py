"""Counts close, whatever the rows: each is written, rejected under one reason, or suppressed; k and l are true.

Small tables are drawn, run from file to shards, and every figure is taken again in plain Python from the same rows.
"""

from __future__ import annotations

import csv
import datetime
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.edges.parquet import _ranges
from curator.engines import open_engine
from curator.errors import CuratorError
from curator.extraction import extract
from curator.protection import protect
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.samples import Written
from curator.spec import parse_use_case
from curator.spec.model import UseCase
from curator.versioning import write_shards

HEAD = """
curator: 1
name: drawn
version: 1.0.0
title: Drawn rows
owner: {organisation: x, contact: x}
purpose: {statement: x}
law: {regime: gdpr, basis: public-task, text: x, dpia: x, ai_act: minimal, retention_days: 1}
sources: {t: {path: t.csv, columns: {id: integer, who: text, age: integer, place: text, ill: integer, day: date}}}
extract: {from: t, row_key: [id], entity: [who]}
fields:
  id: {meaning: x, identifier: none}
  age_band: {value: "band(age, 10)", meaning: x, identifier: quasi, protect: generalise}
  place: {meaning: x, identifier: quasi}
  ill: {meaning: x, identifier: sensitive}
  day: {meaning: x}
quality:
  max_rejected: 1
  expectations:
    - {type: expect_column_values_to_be_between, kwargs: {column: age, min_value: 0, max_value: 59}}
    - {type: expect_column_values_to_be_in_set, kwargs: {column: ill, value_set: [0, 1, 2]}}
    - {type: expect_column_values_to_not_be_null, kwargs: {column: place}, on_failure: warn}
"""
ENTITY = "splits: {by: entity, shares: {train: 0.6, test: 0.4}}\n"
TIME = "splits: {by: time, column: day, until: {train: 2020-01-02, validation: 2020-01-03, test: null}}\n"
ROOT = bytes(range(32))
CONTEXT = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")
DAYS = st.one_of(st.none(), st.dates(datetime.date(2020, 1, 1), datetime.date(2020, 1, 4)))
CELL = {
    "who": st.sampled_from(["", "ann", "bob", "cid"]),
    "age": st.sampled_from(["", "5", "7", "15", "25", "61", "x", "1e1", " 7 "]),
    "place": st.sampled_from(["", "n", "s"]),
    "ill": st.sampled_from(["", "0", "1", "2", "3"]),
    "day": DAYS.map(lambda day: day.isoformat() if day else ""),
}
TABLE = st.lists(st.fixed_dictionaries(CELL), min_size=1, max_size=40)


def use_case(*, k: int, l: int, splits: str = ENTITY, count: str = "persons") -> UseCase:  # noqa: E741
    diversity = f", l: {{column: ill, value: {l}}}" if l > 1 else ""
    return parse_use_case(f"{HEAD}disclosure: {{k: {k}, suppress: 1, count: {count}{diversity}}}\n{splits}")


def run(rows: list[dict[str, str]], spec: UseCase, folder: Path) -> Written:
    with (folder / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["id", *CELL])
        writer.writeheader()
        writer.writerows({"id": number, **row} for number, row in enumerate(rows))
    (folder / "scratch").mkdir()
    engine = open_engine("duckdb", scratch=folder / "scratch", threads=1)
    try:
        sample = extract(spec, engine=engine, paths={"t": folder / "t.csv"})
        protected = protect(check(sample), root=ROOT, context=CONTEXT)
        return write_shards(protected, folder=folder, scratch=folder / "scratch")
    finally:
        engine.close()


def number(cell: str) -> int | None:
    """A cell read as an integer as the source does: digits and a sign, spaces around left out."""
    text = cell.strip()
    return int(text) if text.lstrip("+-").isdigit() else None


def sound(row: dict[str, str], splits: str = ENTITY) -> bool:
    """Whether the rules accept a row; nulls pass rules on values, but a row without its split's day goes nowhere."""
    if splits == TIME and not row["day"]:
        return False
    age, ill = number(row["age"]), number(row["ill"])
    readable = all(not row[name] or number(row[name]) is not None for name in ("age", "ill"))
    return readable and (age is None or 0 <= age <= 59) and (ill is None or ill in (0, 1, 2))


def klass(row: dict[str, str]) -> tuple[int | None, str]:
    age = number(row["age"])
    return (None if age is None else age // 10 * 10, row["place"])


def classes(rows: list[dict[str, str]]) -> dict[Any, list[int | None]]:
    found: dict[Any, list[int | None]] = defaultdict(list)
    for row in rows:
        found[klass(row)].append(number(row["ill"]))
    return found


def people(rows: list[dict[str, str]], count: str) -> Counter[Any]:
    """People of each class, or rows; a row about nobody known is of somebody of its own."""
    told = {(klass(row), row["who"] if row["who"] and count == "persons" else place) for place, row in enumerate(rows)}
    return Counter(key for key, _ in told)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    TABLE, st.integers(1, 4), st.integers(1, 3), st.sampled_from([ENTITY, TIME]), st.sampled_from(["rows", "persons"])
)
def test_every_row_is_accounted_for(
    rows: list[dict[str, str]], k: int, diversity: int, splits: str, count: str
) -> None:
    good = {place for place, row in enumerate(rows) if sound(row, splits)}
    alike = people([rows[place] for place in sorted(good)], count)
    kept_classes = {
        key for key, values in classes([rows[place] for place in good]).items()
        if alike[key] >= k and (diversity == 1 or len(set(values) - {None}) >= diversity)
    }  # fmt: skip
    kept = {place for place in good if klass(rows[place]) in kept_classes}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not kept:
            with pytest.raises(CuratorError) as refused:
                run(rows, use_case(k=k, l=diversity, splits=splits, count=count), folder)
            assert refused.value.code == ("too-rare" if good else "all-rejected")
            return
        written = run(rows, use_case(k=k, l=diversity, splits=splits, count=count), folder)
        shards = [row | {"split": entry.split} for entry in written.files for row in read(folder / entry.path)]
    report, found = written.quality, written.disclosure
    assert found is not None
    assert (report.rows, report.accepted) == (len(rows), len(good))
    assert sum(report.rejected.values()) == len(rows) - len(good)
    assert (found.rows, found.suppressed) == (len(kept), len(good) - len(kept))
    assert {row["id"] for row in shards} == kept
    assert len(shards) == len(kept)
    true = classes([rows[place] for place in kept])
    assert (found.classes, found.k) == (len(true), min(map(len, true.values())))
    if count == "persons":
        assert found.k_persons == min(people([rows[place] for place in sorted(kept)], count).values())
    if diversity > 1:
        assert found.l == min(len(set(values) - {None}) for values in true.values())
    assert sum(found.sizes.values()) == found.rows
    if splits == TIME:
        assert all(row["split"] == by_day(row["day"]) for row in shards)
    else:
        whose = Counter((rows[row["id"]]["who"], row["split"]) for row in shards if rows[row["id"]]["who"])
        assert len({who for who, _ in whose}) == len(whose), "a person in two splits"


def by_day(day: datetime.date) -> str:
    """The first split whose last day is not before this one."""
    if day <= datetime.date(2020, 1, 2):
        return "train"
    return "validation" if day <= datetime.date(2020, 1, 3) else "test"


def read(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path, partitioning=None).to_pylist()
    return rows


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TABLE, st.sampled_from([1, 3, 10]))
def test_many_shards_are_one(rows: list[dict[str, str]], part: int) -> None:
    """Shards by key range, read in their order, are the single shard, row for row."""
    if not any(sound(row) for row in rows):
        return
    found = []
    for per_shard in (1_000_000, part):
        with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
            patch.setattr(_ranges, "ROWS_PER_SHARD", per_shard)
            written = run(rows, use_case(k=1, l=1), Path(name))
            splits: dict[str, list[Any]] = defaultdict(list)
            for entry in sorted(written.files):
                splits[entry.split] += read(Path(name) / entry.path)
            assert all(len(read(Path(name) / entry.path)) == entry.rows for entry in written.files)
        found.append(dict(splits))
    assert found[0] == found[1]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TABLE)
def test_check_alone_counts_as_the_stream_does(rows: list[dict[str, str]]) -> None:
    if not any(sound(row) for row in rows):
        return
    spec = use_case(k=1, l=1)
    with tempfile.TemporaryDirectory() as name:
        written = run(rows, spec, Path(name))
        engine = open_engine("duckdb", scratch=Path(name) / "scratch", threads=1)
        alone = check(extract(spec, engine=engine, paths={"t": Path(name) / "t.csv"})).run()
        engine.close()
    assert alone.facts() == written.quality.facts()
    assert alone.failing == written.quality.failing
    assert alone.failing["e03-not-null-place"] == sum(1 for row in rows if not row["place"])
