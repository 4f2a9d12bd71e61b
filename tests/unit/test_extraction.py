"""Extraction: joins, orphans, filters and reproducible samples, each against the same thing in plain Python."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curator import extraction
from curator.engines import open_engine
from curator.errors import SourceError
from curator.extraction import extract
from curator.files import where_of
from curator.protocols import Engine
from curator.samples import Sample
from curator.spec import parse_use_case

HEAD: dict[str, Any] = {
    "curator": 1, "name": "joined", "version": "1.0.0", "title": "x", "owner": {"organisation": "x", "contact": "x"},
    "purpose": {"statement": "x"},
    "law": {"regime": "gdpr", "basis": "public-task", "text": "x", "dpia": "x", "ai_act": "minimal",
            "retention_days": 1},
    "sources": {
        "visits": {"path": "visits.csv", "columns": {"visit": "integer", "ward": "text", "cost": "integer"}},
        "wards": {"path": "wards.csv", "columns": {"ward": "text", "beds": "integer"}},
    },
    "fields": {"visit": {"meaning": "x", "identifier": "none"}},
    "splits": {"by": "entity", "shares": {"train": 1}},
}  # fmt: skip
VISITS = [(1, "n", 10), (2, "n", 20), (3, "s", None), (4, None, 40), (5, "x", 50), (6, "e'", 60)]
WARDS = [("n", 5), ("s", 7), ("e'", 9), ("w", 1), (None, 3)]


@pytest.fixture
def engine(tmp_path: Path, engine_name: str) -> Iterator[Engine]:
    (tmp_path / "scratch").mkdir()
    engine = open_engine(engine_name, scratch=tmp_path / "scratch", threads=1)
    yield engine
    engine.close()


def text(header: str, rows: list[tuple[Any, ...]]) -> str:
    return header + "\n" + "".join(",".join("" if cell is None else str(cell) for cell in row) + "\n" for row in rows)


def extracted(engine: Engine, folder: Path, visits: list[tuple[Any, ...]] = VISITS, **extract_part: Any) -> Sample:
    (folder / "visits.csv").write_text(text("visit,ward,cost", visits))
    (folder / "wards.csv").write_text(text("ward,beds", WARDS))
    part = {"from": "visits", "row_key": ["visit"], "entity": ["visit"], **extract_part}
    part.setdefault("join", [{"source": "wards", "on": ["ward"]}])
    spec = parse_use_case(json.dumps({**HEAD, "extract": part}))
    return extract(spec, engine=engine, paths={name: folder / f"{name}.csv" for name in ("visits", "wards")})


def rows(engine: Engine, columns: str = "visit, beds") -> list[tuple[Any, ...]]:
    return sorted(engine.rows(f"SELECT {columns} FROM sample"))


def test_an_inner_join_drops_and_a_left_join_keeps(engine: Engine, tmp_path: Path) -> None:
    extracted(engine, tmp_path)
    assert rows(engine) == [(1, 5), (2, 5), (3, 7), (6, 9)]
    extracted(engine, tmp_path, join=[{"source": "wards", "on": ["ward"], "kind": "left"}])
    assert sorted(engine.rows("SELECT visit FROM sample WHERE beds IS NULL")) == [(4,), (5,)]


def test_orphans_are_counted_on_both_sides(engine: Engine, tmp_path: Path) -> None:
    """A null key has no partner."""
    assert extracted(engine, tmp_path).orphans == {"wards": {"left": 2, "right": 2}}
    ignored = extracted(engine, tmp_path, join=[{"source": "wards", "on": ["ward"], "orphans": "ignore"}])
    assert ignored.orphans == {}


def test_partners_are_told_by_every_key_at_once_in_one_query(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Repeated keys, a null in one key or in both, and tables without rows, each against plain Python."""
    keys: list[tuple[int | None, str | None]] = [
        (1, "a"), (1, "b"), (1, None), (None, "a"), (None, None), (2, "c"), (2, "c"), (3, "d"), (1, "a"),
    ]  # fmt: skip
    few, none = [*keys[2:6], (2, "c"), (9, "z"), (9, "z"), (9, "z")], [row for row in keys if row == ()]
    asked = []
    monkeypatch.setattr(engine, "rows", lambda sql, told=engine.rows: asked.append(sql) or told(sql))
    for number, (left, right) in enumerate([(keys, few), (few, keys), (keys, none), (none, keys), (none, none)]):
        for name, table in (("one", left), ("other", right)):
            cells = ", ".join(str(row).replace("None", "NULL") for row in [*table, (0, "")])
            engine.define(f"{name} {number}", f"SELECT * FROM (VALUES {cells}) t(k, m) WHERE k IS NULL OR k <> 0")
        alone = extraction._alone(engine, f"one {number}", right=f"other {number}", on=["k", "m"])
        whole = [{row for row in table if None not in row} for table in (left, right)]
        assert alone == {
            "left": sum(row not in whole[1] for row in left), "right": sum(row not in whole[0] for row in right)
        }  # fmt: skip
        assert len(asked) == number + 1, "one pass over each side"


def test_orphans_that_may_not_be_stop_the_run(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refused:
        extracted(engine, tmp_path, join=[{"source": "wards", "on": ["ward"], "orphans": "stop"}])
    assert refused.value.code == "join-orphans"
    assert "2 rows of `visits`, 2 of `wards`" in refused.value.found


def test_a_filter_takes_no_row_it_knows_nothing_of(engine: Engine, tmp_path: Path) -> None:
    extracted(engine, tmp_path, where="cost < 45")
    assert rows(engine, "visit") == [(1,), (2,)]
    extracted(engine, tmp_path, where="not (cost < 45)")
    assert rows(engine, "visit") == [(6,)]


def test_a_derived_column_may_use_those_before_it(engine: Engine, tmp_path: Path) -> None:
    extracted(engine, tmp_path, derive={"twice": "cost * 2", "more": "twice + beds"}, where="more > 30")
    assert rows(engine, "visit, more") == [(2, 45), (6, 129)]


def test_a_sample_is_a_share_that_only_grows(engine: Engine, tmp_path: Path) -> None:
    many = [(number, "n", 1) for number in range(4_000)]
    chosen = {}
    for fraction in (0.01, 0.1, 0.5, 1 - 1e-12, 1.0):
        extracted(engine, tmp_path, many, sample={"fraction": fraction, "by": ["visit"]})
        chosen[fraction] = {visit for (visit,) in rows(engine, "visit")}
        assert abs(len(chosen[fraction]) - 4_000 * fraction) <= 5 * (4_000 * fraction * (1 - fraction)) ** 0.5 + 1
    assert chosen[0.01] < chosen[0.1] < chosen[0.5] < chosen[1 - 1e-12] <= chosen[1.0]
    extracted(engine, tmp_path, many[:2_000], sample={"fraction": 0.1, "by": ["visit"]})
    assert {visit for (visit,) in rows(engine, "visit")} == {visit for visit in chosen[0.1] if visit < 2_000}
    extracted(engine, tmp_path, many, sample={"fraction": 0.1, "by": ["visit"], "seed": 1})
    other = {visit for (visit,) in rows(engine, "visit")}
    assert len(other & chosen[0.1]) < 100, "another seed draws others"


def test_what_belongs_together_is_sampled_together(engine: Engine, tmp_path: Path) -> None:
    many = [(number, "ns"[number % 2], number % 40) for number in range(2_000)]
    extracted(engine, tmp_path, many, sample={"fraction": 0.3, "by": ["ward", "cost"]})
    found = rows(engine, "ward, cost, count(*) OVER (PARTITION BY ward, cost)")
    assert {count for _, _, count in found} == {50}


def test_a_row_without_sampling_key_is_drawn_by_its_own(engine: Engine, tmp_path: Path) -> None:
    many = [(number, "n", None if number % 3 == 0 else number) for number in range(3_000)]
    extracted(engine, tmp_path, many, sample={"fraction": 0.5, "by": ["cost"]})
    found = rows(engine, "visit, cost")
    assert 400 < sum(cost is None for _, cost in found) < 600, "half of 1,000: neither all nor none"
    assert 900 < sum(cost is not None for _, cost in found) < 1_100


def test_a_source_that_changes_meanwhile_is_refused(engine: Engine, tmp_path: Path) -> None:
    sample = extracted(engine, tmp_path)
    sample.unchanged()
    with (tmp_path / "visits.csv").open("a") as stream:
        stream.write("7,n,70\n")
    with pytest.raises(SourceError) as refused:
        sample.unchanged()
    assert refused.value.code == "source-changed"
    (tmp_path / "visits.csv").unlink()
    with pytest.raises(SourceError):
        sample.unchanged()


def test_events_that_cannot_be_read_are_counted(engine: Engine, tmp_path: Path) -> None:
    """No row of the dataset shows them: without a time they are looked past, a cost that is no number is a null."""
    (tmp_path / "visits.csv").write_text("visit,who,day\n1,ann,2020-01-05\n2,bob,2020-01-05\n")
    (tmp_path / "events.csv").write_text(
        "who,on_day,cost\nann,2020-01-01,5\nann,2020-01-02,n/c\nann,31/01/2020,7\nann,,9\nbob,2020-01-06,1\n"
    )
    history = {"events": "events", "on": ["who"], "at": "on_day", "until": "day",
               "columns": {"seen": "count", "spent": {"measure": "sum", "of": "cost"}}}  # fmt: skip
    label = {"name": "back", "events": "events", "on": ["who"], "at": "on_day", "after": "day", "within_days": 3}
    sources = {"visits": {"path": "visits.csv", "columns": {"visit": "integer", "who": "text", "day": "date"}},
               "events": {"path": "events.csv",
                          "columns": {"who": "text", "on_day": "date", "cost": "integer"}}}  # fmt: skip
    part = {"from": "visits", "row_key": ["visit"], "entity": ["who"], "history": [history], "label": label}
    spec = parse_use_case(json.dumps({**HEAD, "sources": sources, "extract": part}))
    paths = {
        name: where_of(source.addresses, source=name, folder=tmp_path) for name, source in spec.sources.items()
    }  # fmt: skip
    sample = extract(spec, engine=engine, paths=paths)
    assert sorted(engine.rows("SELECT visit, seen, spent, back FROM sample")) == [(1, 2, 5, False), (2, 0, None, True)]
    assert sample.facts()["drawing"] == {
        "events without on_day": 2, "events unreadable on_day": 1, "events unreadable cost": 1,
        "times compared with the cut-off": 1,
    }  # fmt: skip
