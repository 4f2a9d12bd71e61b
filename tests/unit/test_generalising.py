"""From a spec to the best levels: built-in hierarchies, files, the command, and what curate then writes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from capital_world import empty_capital, spec_value, write_spec

from curator.capital import Capital, RunOptions
from curator.cli import main
from curator.coarsening._combinations import _Values
from curator.engines import open_engine
from curator.errors import CuratorError, SpecError
from curator.expressions import parse
from curator.generalising import build_hierarchy, hierarchy_of
from curator.generalising._ladders import REGIONS, department_of, region_of
from curator.spec.model import Ladder

NUMBERS = ["-7", "0", "3", "9", "10", "19", "20", "37", "104"]
DAYS = ["1999-12-31", "2000-01-01", "2000-02-29", "2013-04-01", "2013-09-30", "2013-10-01"]
COMMUNES = ["75056", "2A004", "2B033", "20004", "97105", "97411", "97701", "98818", "01001", "59350", "971", "69"]
CODES = ["4711F", "4711A", "47", "8425Z", "Été12"]


# ---- a level in Python is the level in the engine --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ladder", "kind", "values"),
    [
        (Ladder(bands=(5, 10, 20)), "integer", NUMBERS),
        (Ladder(dates=("month", "quarter", "year")), "date", DAYS),
        (Ladder(places=("department", "region")), "text", COMMUNES),
        (Ladder(prefix=(3, 2)), "text", CODES),
    ],
)
def test_the_groups_of_python_are_those_of_the_formulas(
    ladder: Ladder, kind: str, values: list[str], tmp_path: Path
) -> None:
    hierarchy = build_hierarchy("x", ladder, value="x", values=values, folder=tmp_path)
    engine = open_engine("duckdb", scratch=tmp_path)
    sql_type = {"integer": "BIGINT", "date": "DATE", "text": "VARCHAR"}[kind]
    listed = ", ".join(f"(CAST('{value}' AS {sql_type}))" for value in values)
    for level, formula in enumerate(hierarchy.formulas):
        assert formula is not None
        cell = parse(formula, {"x": kind}).sql("duckdb")
        found = engine.rows(f"SELECT CAST({cell} AS VARCHAR) FROM (VALUES {listed}) t(x)")
        labels = [hierarchy.labels[level][group] for group in hierarchy.codes[level]]
        assert [text for (text,) in found] == labels
    engine.close()


def test_every_commune_of_today_has_its_department_and_region(shared_data: Path) -> None:
    found = next((shared_data / "reference-fr").rglob("communes.json*"))
    data = gzip.decompress(found.read_bytes()) if found.suffix == ".gz" else found.read_bytes()
    communes = [entry for entry in json.loads(data) if entry.get("type") == "commune-actuelle"]
    assert len(communes) > 34_000
    for entry in communes:
        assert department_of(entry["code"]) == entry.get("departement", entry["code"][:3]), "department"
        if "region" in entry:
            assert region_of(entry["code"]) == entry["region"], "region"


def test_regions_have_no_department_twice() -> None:
    every = [name for departments in REGIONS.values() for name in departments.split()]
    assert len(every) == len(set(every)) == 102  # 96, the five overseas, and the old code of Corsica


def test_rows_without_a_value_stay_apart_until_everybody_is_alike(tmp_path: Path) -> None:
    hierarchy = build_hierarchy("age", Ladder(bands=(10,)), value="age", values=["3", None, "14"], folder=tmp_path)
    none = hierarchy.places([None])[0]
    assert hierarchy.labels[1][hierarchy.codes[1][none]] is None
    assert len(set(hierarchy.codes[2])) == 1


# ---- faults of a hierarchy -------------------------------------------------------------------------------------------


def refused(rows: list[list[str]]) -> SpecError:
    with pytest.raises(SpecError) as caught:
        hierarchy_of("job", rows)
    return caught.value


def test_a_table_that_is_no_hierarchy_is_refused_by_line_and_level() -> None:
    twice = refused([["a", "x"], ["b", "x"], ["a", "y"]])
    assert (twice.code, "line 3" in twice.found) == ("hierarchy-not-a-tree", True)
    torn = refused([["a", "x", "1"], ["b", "x", "2"]])
    assert (torn.code, "level 1" in torn.found) == ("hierarchy-not-monotone", True)
    ragged = refused([["a", "x"], ["b"]])
    assert (ragged.code, "line 2" in ragged.found) == ("hierarchy-ragged", True)
    assert refused([]).code == "hierarchy-ragged"


def test_a_value_that_a_hierarchy_misses_is_counted_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("clerk;office\nbaker;trade\n", encoding="utf-8")
    hierarchy = build_hierarchy("job", Ladder(file="jobs.csv"), value="job", values=["clerk"], folder=tmp_path)
    assert hierarchy.labels[-1] == ("*",)
    with pytest.raises(SpecError) as caught:
        hierarchy.places(["clerk", "SECRETVALUE"])
    assert caught.value.code == "hierarchy-misses-value"
    assert "SECRETVALUE" not in str(caught.value)
    with pytest.raises(SpecError, match="hierarchy-misses-value") as missing:
        build_hierarchy("zip", Ladder(places=("region",)), value="zip", values=["75056", "XX999"], folder=tmp_path)
    assert "XX999" not in str(missing.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b'a;"b\n'])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "jobs.csv").write_bytes(content)
    with pytest.raises(SpecError) as caught:
        build_hierarchy("job", Ladder(file="jobs.csv"), value="job", values=["a"], folder=tmp_path)
    assert caught.value.code == "hierarchy-unreadable"


# ---- end to end ------------------------------------------------------------------------------------------------------


def searched(**search: Any) -> dict[str, Any]:
    fields = {
        "age_band": {"of": "age", "bands": [5, 10, 20]},
        "zone": {"of": "dep", "places": ["department", "region"]},
        "sex": {"all": True},
    }
    value = spec_value()
    value["disclosure"] = {**value["disclosure"], "suppress": 0.02, "search": {"fields": fields, **search}}
    return value


@pytest.fixture(scope="module")
def capital(tmp_path_factory: pytest.TempPathFactory) -> Capital:
    return empty_capital(tmp_path_factory.mktemp("search") / "capital")


def test_the_levels_found_are_those_that_curate_accepts(capital: Capital, demo_base: Path, tmp_path: Path) -> None:
    value = searched()
    found = capital.generalise(write_spec(tmp_path, value), RunOptions(data=demo_base))
    assert found.k >= value["disclosure"]["k"]
    assert found.suppressed <= 0.02 * found.rows
    for field in found.fields:
        said = {word: text for word, text in value["fields"][field.name].items() if word not in ("from", "value")}
        value["fields"][field.name] = {**said, **field.words()}
    del value["disclosure"]["search"]
    seen = capital.preview(write_spec(tmp_path, value), until="protect", options=RunOptions(data=demo_base))
    assert seen.disclosure is not None
    assert seen.disclosure["suppressed"] == found.suppressed
    assert (seen.disclosure["k"], seen.disclosure["classes"]) == (found.k, found.classes)
    assert seen.disclosure["k_persons"] == found.k_persons
    assert seen.disclosure["l"] == (found.l if value["disclosure"].get("l") else None)


def test_the_same_table_gives_the_same_answer(capital: Capital, demo_base: Path, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, searched())
    answers = [capital.generalise(spec, RunOptions(data=demo_base, threads=threads)) for threads in (1, 2)]
    assert answers[0] == answers[1]


def test_closeness_costs_more_than_k_alone(capital: Capital, demo_base: Path, tmp_path: Path) -> None:
    close = searched()
    close["disclosure"]["t"] = {"column": "severe", "value": 0.2}
    found = capital.generalise(write_spec(tmp_path, close), RunOptions(data=demo_base))
    plain = capital.generalise(write_spec(tmp_path, searched()), RunOptions(data=demo_base))
    assert found.t is not None
    assert found.t <= 0.2
    assert found.score >= plain.score


def test_the_command_prints_lines_for_the_spec(
    capital: Capital, demo_base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = write_spec(tmp_path, searched())
    place = ["--capital", str(capital.workspace.root)]
    assert main([*place, "generalise", str(spec), "--data", str(demo_base)]) == 0
    told = capsys.readouterr().out
    assert "no other is better" in told
    assert "    protect: generalise" in told
    assert main([*place, "--json", "generalise", str(spec), "--data", str(demo_base)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {field["name"] for field in document["fields"]} == {"age_band", "zone", "sex"}


def test_a_spec_without_a_search_is_told_what_to_add(capital: Capital, demo_base: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        capital.generalise(write_spec(tmp_path, spec_value()), RunOptions(data=demo_base))
    assert caught.value.code == "search-absent"


@pytest.mark.parametrize(
    ("name", "ladder", "told"),
    [
        ("age_bnd", {"bands": [5]}, "age_band"),
        ("role", {"bands": [5]}, "no quasi-identifier"),
        ("age_band", {"of": "age", "bands": [5], "prefix": [1]}, "`bands` and `prefix`"),
        ("age_band", {"of": "age", "bands": [5, 7]}, "no multiple"),
        ("age_band", {"of": "dep", "bands": [5]}, "type text"),
        ("zone", {"of": "dep", "prefix": [1, 2]}, "not below"),
        ("zone", {"of": "dep", "places": ["region", "department"]}, "out of order"),
        ("zone", {"of": "depp", "prefix": [1]}, "depp"),
    ],
)
def test_a_search_that_does_not_fit_its_spec_is_refused_with_its_place(
    capital: Capital, demo_base: Path, tmp_path: Path, name: str, ladder: dict[str, Any], told: str
) -> None:
    value = searched()
    value["disclosure"]["search"]["fields"] = {name: ladder}
    with pytest.raises(CuratorError) as caught:
        capital.generalise(write_spec(tmp_path, value), RunOptions(data=demo_base))
    assert told in str(caught.value)


def test_a_batch_of_nulls_is_counted(tmp_path: Path) -> None:
    values = _Values()
    assert values.of(pa.array(["b", None, "a", None])).tolist() == [0, 1, 2, 1]
    assert values.ordered().tolist() == [2, 0, 1]
