"""Tables without a key: rows named by all their cells, equal rows counted, the same bytes whatever their order."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from capital_world import empty_capital, write_spec
from live_world import shards

from curator.capital import Capital, RunOptions
from curator.errors import CuratorError, SpecError
from curator.planning import plan
from curator.records import DatasetVersion
from curator.spec import parse_use_case, scope_of

LAW = {"regime": "gdpr", "basis": "public-task", "text": "GDPR art. 6(1)(e)", "dpia": "D-1", "ai_act": "minimal",
       "retention_days": 365}  # fmt: skip
HEAD = "place,day,kind,speed,wet,note"
ONES = [
    "Nîmes,2024-01-02,1,48.5,true,calm", "Nîmes,2024-01-02,1,48.25,true,calm", "Nîmes,2024-01-02,1,,true,calm",
    "Nîmes,2024-01-02,1,0.0,true,calm", "Nîmes,2024-01-02,1,-0.0,true,calm", ",2024-01-02,1,48.5,true,calm",
    "Nîmes,,1,48.5,true,calm", "-,,,,,", '"Nî,mes:2024-01-02",,1,48.5,,',
    *(f"Place {n},2024-03-{1 + n % 28:02d},{n % 3},{n / 4},false,n{n % 5}" for n in range(60)),
]  # fmt: skip
TWINS = [*ONES[:3] * 3, *ONES[5:8], *["Twin,2024-05-05,2,1.5,false,same"] * 4]
NUMBERED = 4 + 9 + 3 + 3  # of ONES, alike but for floats; of ONES again; of the last
"""Rows alike in all cells but floats to one before them."""


def spec(**changes: Any) -> dict[str, Any]:
    value = {
        "curator": 1, "name": "stops", "version": "1.0.0", "title": "Stops", "purpose": {"statement": "Know."},
        "owner": {"organisation": "Clinic", "contact": "data@clinic.example"}, "law": LAW,
        "sources": {"stops": {"path": "stops.csv", "columns": {
            "place": "text", "day": "date", "kind": "integer", "speed": "float", "wet": "boolean", "note": "free_text",
        }}},
        "extract": {"from": "stops", "row_key": ["whole_row"], "entity": ["place"]},
        "fields": {name: {"meaning": "x", "identifier": "none", "because": "Of nobody."}
                   for name in ("day", "kind", "speed", "wet")},
        "disclosure": {"k": 1}, "splits": {"by": "entity", "shares": {"train": 0.5, "test": 0.5}},
    }  # fmt: skip
    return {**value, **changes}


def made(folder: Path, lines: list[str], *, engine: str = "duckdb", **changes: Any) -> tuple[Capital, DatasetVersion]:
    folder.mkdir()
    (folder / "stops.csv").write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    path = write_spec(folder, spec(**changes))
    capital = empty_capital(folder / "capital")
    return capital, capital.curate(path, RunOptions(data=folder, engine=engine, threads=1))


def shuffled(seed: int) -> list[str]:
    lines = [*ONES, *TWINS]
    random.Random(seed).shuffle(lines)
    return lines


def drawing(capital: Capital) -> dict[str, int]:
    facts = [envelope.statement.facts for envelope in capital.evidence.unverified()]
    return next(dict(one["drawing"]) for one in facts if "drawing" in one)


def test_every_row_stays_and_their_order_in_the_file_tells_nothing(tmp_path: Path) -> None:
    capital, version = made(tmp_path / "one", shuffled(1))
    assert sum(version.manifest.rows.values()) == len(ONES) + len(TWINS)
    assert drawing(capital)["rows told apart by a number"] == NUMBERED, "-0.0, 0.0, nulls and floats: by exact cells"
    rows = [row for split in version.splits for row in version.table(split).to_pylist()]
    assert sum(row["speed"] == 1.5 and row["kind"] == 2 for row in rows if str(row["day"]) == "2024-05-05") == 4
    assert "which have no key" in (version.folder / "README.md").read_text(encoding="utf-8")
    _, other = made(tmp_path / "two", shuffled(2))
    assert shards(version) == shards(other)


def test_both_engines_give_the_same_bytes(tmp_path: Path, spark: None) -> None:
    _, one = made(tmp_path / "duckdb", shuffled(1))
    capital, other = made(tmp_path / "spark", shuffled(3), engine="spark")
    assert shards(one) == shards(other)
    assert drawing(capital)["rows told apart by a number"] == NUMBERED


def test_a_sample_of_whole_rows_takes_rows(tmp_path: Path) -> None:
    extract = {**spec()["extract"], "sample": {"by": ["whole_row"], "fraction": 0.5, "seed": 1}}
    _, version = made(tmp_path / "half", shuffled(1), extract=extract)
    assert 0 < sum(version.manifest.rows.values()) < len(ONES) + len(TWINS)


def test_one_more_equal_row_moves_no_other(tmp_path: Path) -> None:
    splits = {}
    for name, lines in (("before", [*ONES]), ("after", [*ONES, *ONES[20:21]])):
        _, version = made(tmp_path / name, lines)
        rows = {split: sorted(map(str, version.table(split).to_pylist())) for split in version.splits}
        splits[name] = rows
    assert all(set(splits["before"][split]) == set(splits["after"][split]) for split in ("train", "test"))
    assert sum(map(len, splits["after"].values())) == len(ONES) + 1


def test_a_join_that_brings_a_row_twice_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "joined"
    folder.mkdir()
    (folder / "stops.csv").write_text("\n".join([HEAD, *ONES]) + "\n", encoding="utf-8")
    (folder / "kinds.csv").write_text("kind,word\n0,a\n1,b\n1,c\n2,d\n")
    value = spec()
    value["sources"]["kinds"] = {"path": "kinds.csv", "columns": {"kind": "integer", "word": "text"}}
    value["extract"]["join"] = [{"source": "kinds", "on": ["kind"]}]
    with pytest.raises(CuratorError) as caught:
        empty_capital(folder / "capital").curate(write_spec(folder, value), RunOptions(data=folder))
    assert "join that brings the same row twice" in caught.value.todo


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"extract": {"from": "stops", "row_key": ["whole_row", "kind"], "entity": ["place"]}}, "beside other columns"),
        ({"refresh": {"feed": "append", "watermark": "kind"}}, "rows without a key"),
        ({"fields": {"kind": {"meaning": "x"}, "all": {"from": "whole_row", "meaning": "x"}}}, "holds every cell"),
        ({"fields": {"kind": {"meaning": "x"}, "all": {
            "value": "substr(whole_row, 1, 9)", "meaning": "x", "protect": "generalise"}}}, "holds every cell"),
        ({"extract": {"from": "stops", "row_key": ["whole_row"], "entity": ["place"],
                      "where": "whole_row <> 'x'"}}, "in a condition"),
        ({"sources": {"stops": {"path": "stops.csv", "columns": {"speed": "float"}}},
          "extract": {"from": "stops", "row_key": ["whole_row"], "entity": ["whole_row"]},
          "fields": {"speed": {"meaning": "x"}}}, "a table of floats"),
    ],
)  # fmt: skip
def test_where_it_cannot_be_it_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError, match=told):
        parse_use_case(json.dumps(spec(**changes)))


def test_the_plan_reads_every_declared_column() -> None:
    use_case = parse_use_case(json.dumps(spec()))
    columns = plan(use_case, scope_of(use_case)).sources[0].columns
    assert all("row key" in column.used_for for column in columns)
    assert "named by all their cells" in plan(use_case, scope_of(use_case)).render().replace("\n", " ")


def test_a_column_of_that_name_is_a_column(tmp_path: Path) -> None:
    value = spec()
    value["sources"]["stops"]["columns"]["whole_row"] = "integer"
    assert scope_of(parse_use_case(json.dumps(value))).whole == ()
