"""Words for true and false, and what cannot be moved: from the spec to the counts of a version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from capital_world import empty_capital, write_spec

from curator.capital import RunOptions
from curator.errors import SpecError
from curator.planning import plan
from curator.spec import parse_use_case, scope_of

LAW = {"regime": "gdpr", "basis": "public-task", "text": "GDPR art. 6(1)(e)", "dpia": "D-1", "ai_act": "minimal",
       "retention_days": 365}  # fmt: skip


def spec(**column: Any) -> dict[str, Any]:
    return {
        "curator": 1, "name": "stops", "version": "1.0.0", "title": "Stops", "purpose": {"statement": "Know."},
        "owner": {"organisation": "Clinic", "contact": "data@clinic.example"}, "law": LAW,
        "sources": {"stops": {"path": "stops.csv", "null_tokens": ["n/c"], "columns": {
            "id": "integer", "paid": {"type": "boolean", **column}, "day": "date", "lat": "float", "lon": "float",
        }}},
        "extract": {"from": "stops", "row_key": ["id"], "entity": ["id"]},
        "fields": {
            "paid": {"meaning": "Paid."},
            "day": {"meaning": "Day.", "identifier": "none", "because": "of nobody", "protect": "shift", "days": 3},
            "lat": {"meaning": "Where.", "identifier": "none", "because": "of nobody", "protect": "jitter",
                    "metres": 50, "by": ["id"]},
            "lon": {"meaning": "Where.", "identifier": "none", "because": "of nobody", "protect": "jitter",
                    "metres": 50, "by": ["id"], "latitude": "lat"},
        },
        "quality": {"max_rejected": 0.5}, "disclosure": {"k": 1},
        "splits": {"by": "entity", "shares": {"train": 1.0}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "told"),
    [
        ({"true": ["O"]}, "`true` without `false`"),
        ({"false": ["N"]}, "`false` without `true`"),
        ({"type": "text", "true": ["O"], "false": ["N"]}, "`true` of a column of type text"),
        ({"true": ["O", "x"], "false": ["X"]}, "`X`, which means true too"),
        ({"true": ["O"], "false": ["N/C"]}, "`N/C`, which means null too"),
        ({"true": [1, "O"], "false": ["1"]}, "`1`, which means true too"),
        ({"true": ["O "], "false": ["N"]}, "a word with spaces around it"),
        ({"true": [""], "false": ["N"]}, "found ''"),
        ({"true": [], "false": ["N"]}, "at least 1 item"),
        ({"true": [1.5], "false": ["N"]}, "found 1.5"),
    ],
)
def test_words_that_make_no_sense_are_refused(column: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_use_case(json.dumps(spec(**column)))
    assert told in str(caught.value)


def test_words_stand_in_the_plan_and_survive_their_own_json() -> None:
    use_case = parse_use_case(json.dumps(spec(true=["O", True, 1], false=["N", 0])))
    assert use_case.sources["stops"].columns["paid"].true == ("O", "true", "1")
    assert parse_use_case(json.dumps(use_case.to_json())).digest == use_case.digest
    assert "true: O, true, 1; false: N, 0" in plan(use_case, scope_of(use_case)).render()


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_what_is_neither_true_nor_a_place_is_counted(tmp_path: Path, engine: str, request: Any) -> None:
    if engine == "spark":
        request.getfixturevalue("spark")
    paid = ["O", "oui", "N", "non", "peut-être", "t", "n/c", "", *["o"] * 12]
    days = ["9999-12-31", "0001-01-01", "2024-02-29", *["2024-05-01"] * 17]
    lat = ["48.5"] * 9 + ["6862305.2", "90.1", "-90", *["48.5"] * 8]
    lon = ["2.5"] * 9 + ["652709.4", "2.5", "2.5", "181", *["2.5"] * 7]
    rows = [",".join(map(str, row)) for row in zip(range(20), paid, days, lat, lon, strict=True)]
    (tmp_path / "stops.csv").write_text("id,paid,day,lat,lon\n" + "\n".join(rows) + "\n")
    path = write_spec(tmp_path, spec(true=["O", "oui"], false=["N", "non"]))
    capital = empty_capital(tmp_path / "capital")
    version = capital.curate(path, RunOptions(data=tmp_path, engine=engine))
    facts = {envelope.statement.stage: envelope.statement.facts for envelope in capital.evidence.unverified()}
    assert facts["check"]["rejected"] == {"unreadable-paid": 2}
    assert facts["check"]["rows"] == 20
    assert facts["protect"]["unmoved"] == {"day": 2, "lat": 2, "lon": 3}
    table: pa.Table = version.table("train")
    assert sorted(table["paid"].to_pylist(), key=str) == sorted([True] * 14 + [False] * 2 + [None] * 2, key=str)
    assert (table["day"].null_count, table["lat"].null_count, table["lon"].null_count) == (2, 2, 3)
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    assert "In 2 rows `day` is null" in card
    assert "In 3 rows `lon` is null" in card
