"""What `curate` tells of rows and identifiers that did not come through as they stood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import outside_world
import pytest
from outside_world import kept, spec_of

from curator.capital import RunOptions


def notes(folder: Path, spec: dict[str, Any]) -> tuple[str, ...]:
    path = folder / "told.yaml"
    path.write_text(json.dumps({**spec, "name": f"told-{next(outside_world._NUMBERS)}"}), encoding="utf-8")
    return outside_world.CAPITALS[-1].curate(path, RunOptions(data=folder)).notes


@pytest.mark.parametrize(("kind", "told"), [("inner", True), ("left", False)])
def test_rows_that_a_join_loses_are_told(tmp_path: Path, kind: str, told: bool) -> None:
    (tmp_path / "table.csv").write_text("id,who,area\n1,a,01\n2,b,1\n3,c,02\n")
    (tmp_path / "areas.csv").write_text("area,x\n01,north\n02,south\n03,east\n")
    spec = spec_of({}, extract={"join": [{"source": "areas", "on": ["area"], "kind": kind}]})
    spec["sources"]["t"]["columns"]["area"] = "text"
    spec["sources"]["areas"] = {"path": "areas.csv", "columns": {"area": "text", "x": "text"}}
    spec["fields"]["x"] = kept()
    expected = ("1 rows of `t` have no partner in `areas`, and are not kept",)
    assert notes(tmp_path, spec) == (expected if told else ())


def test_rows_set_apart_and_left_out_are_told(tmp_path: Path) -> None:
    rows = "".join(f"{number},p{number},{number % 2}\n" for number in range(20))
    (tmp_path / "table.csv").write_text(f"id,who,x\n{rows}20,p20,many\n21,p21,9\n")
    spec = spec_of({"x": "integer"}, disclosure={"k": 5, "suppress": 0.5})
    spec["fields"]["x"] = {"meaning": "A group.", "identifier": "quasi"}
    assert notes(tmp_path, spec) == (
        "1 of 22 rows set apart: `curator rejected` tells why",
        "1 rows left out: too few people are like them",
    )


def test_nothing_is_told_of_a_table_that_came_through_whole(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("id,who,x\n1,a,5\n")
    assert notes(tmp_path, spec_of({"x": "integer"})) == ()


def test_each_version_of_a_refresh_tells_of_its_own_check(tmp_path: Path) -> None:
    capital, table, spec = outside_world.CAPITALS[-1], tmp_path / "table.csv", tmp_path / "told.yaml"
    name = f"told-{next(outside_world._NUMBERS)}"
    parts = {**spec_of({"x": "integer"}), "name": name, "refresh": {"feed": "full"}}
    spec.write_text("".join(f"{word}: {json.dumps(part).strip(chr(34))}\n" for word, part in parts.items()))
    for text in ("1,a,5\n", "1,a,5\n2,b,6\n", "1,a,5\n2,b,6\n3,c,many\n4,d,7\n"):
        table.write_text("id,who,x\n" + text)
        capital.refresh(spec, RunOptions(data=tmp_path))
    counted = [capital.quality(f"{name}@1.0.{number}") for number in range(3)]
    assert [(counts["rows"], counts["accepted"]) for counts in counted] == [(1, 1), (2, 2), (4, 3)]
    assert counted[2]["rejected"] == {"unreadable-x": 1}
