"""Settled while a version is made: the node of the lattice, the level of each class, the categories that stay."""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from capital_world import empty_capital, write_spec
from coarsening_world import ROWS, lay, people_by_class, spec, told

from curator.capital import Capital, RunOptions
from curator.cli import main
from curator.errors import CuratorError, DisclosureError, SpecError


@pytest.fixture
def capital(tmp_path: Path) -> Capital:
    lay(tmp_path)
    return empty_capital(tmp_path / "capital")


# ---- the search ------------------------------------------------------------------------------------------------------


def test_curate_finds_the_node_writes_it_and_says_so(capital: Capital, tmp_path: Path) -> None:
    version = capital.curate(write_spec(tmp_path, spec()))
    found = capital.generalise(tmp_path / "spec.yaml")
    facts = told(version)
    searched = facts["coarse"]["search"]
    assert searched["how"] == "searched"
    assert searched["levels"] == {field.name: field.level for field in found.fields}
    assert searched["score"] == pytest.approx(found.score, abs=1e-8)
    assert (searched["suppressed"], facts["suppressed"]) == (found.suppressed, found.suppressed)
    assert "geometric mean" in searched["metric"]
    people = people_by_class(version)
    assert min(map(len, people.values())) == facts["k_persons"] == found.k_persons >= 5
    protect = next(e for e in capital.evidence.envelopes(capital.directory().keys()) if e.statement.stage == "protect")
    assert protect.statement.facts["coarse"]["search"] == searched
    assert "levels found" in (version.folder / "README.md").read_text(encoding="utf-8")


def test_rows_that_are_many_and_people_that_are_few_are_told_apart(capital: Capital, tmp_path: Path) -> None:
    """Counting rows, a finer node would do, and classes of one or two people with many visits would be written."""
    by_rows = capital.generalise(write_spec(tmp_path, spec(count="rows")))
    by_people = capital.generalise(write_spec(tmp_path, spec()))
    assert by_rows.score < by_people.score
    rows = capital.curate(write_spec(tmp_path, spec(count="rows"), name="rows.yaml"))
    assert min(map(len, people_by_class(rows).values())) < 5
    assert (told(rows)["k_persons"], told(rows)["people"]) == (None, "rows")


def test_a_settled_node_is_written_when_it_holds_and_refused_when_not(capital: Capital, tmp_path: Path) -> None:
    value = spec()
    value["disclosure"]["search"]["levels"] = {"age": 4, "town": 2, "job": 1}
    version = capital.curate(write_spec(tmp_path, value))
    assert told(version)["coarse"]["search"]["how"] == "settled"
    assert {key[0] for key in people_by_class(version)} == {"*"}
    value |= {"version": "1.1.0"}
    value["disclosure"]["search"]["levels"] = {"age": 0, "town": 0, "job": 0}
    with pytest.raises(DisclosureError, match="levels-fail") as caught:
        capital.curate(write_spec(tmp_path, value))
    assert "person" not in str(caught.value.found)
    value["disclosure"]["search"]["levels"] = {"age": 9, "town": 0, "job": 0}
    with pytest.raises(SpecError, match="level-unknown"):
        capital.curate(write_spec(tmp_path, value))


def test_a_rekeyed_version_says_the_levels_of_its_source(capital: Capital, tmp_path: Path) -> None:
    version = capital.curate(write_spec(tmp_path, spec()))
    other = capital.rekey(version.ref, to="Institute")
    assert told(other)["coarse"] == told(version)["coarse"]
    assert told(other)["k_persons"] == told(version)["k_persons"]
    card = (other.folder / "README.md").read_text(encoding="utf-8")
    coarse = [line for line in (version.folder / "README.md").read_text("utf-8").splitlines() if "coarser: " in line]
    assert coarse
    assert all(line in card for line in coarse)


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"levels": {"age": 1}}, "no level of `town`, `job`"),
        ({"levels": {"age": 1, "town": 1, "job": 1, "late": 0}}, "`late`, which is not searched"),
        ({"recoding": "local"}, "0.05 with `recoding: local`"),
        ({"recoding": "local", "levels": {"age": 1, "town": 1, "job": 1}}, "settled levels with `recoding: local`"),
    ],
)
def test_a_search_that_contradicts_itself_is_refused(
    capital: Capital, tmp_path: Path, search: dict[str, Any], found: str
) -> None:
    value = spec()
    value["disclosure"]["search"] |= search
    with pytest.raises(SpecError) as caught:
        capital.curate(write_spec(tmp_path, value))
    assert found in str(caught.value)


def test_a_level_that_only_a_table_says_is_written_from_the_table(capital: Capital, tmp_path: Path) -> None:
    """A formula holds two thousand characters; the table of jobs is longer here."""
    extra = "".join(f"job number {n};{'office' if n % 2 else 'trade'}\n" for n in range(300))
    with (tmp_path / "jobs.csv").open("a", encoding="utf-8") as file:
        file.write(extra)
    value = spec()
    value["disclosure"]["search"]["levels"] = {"age": 4, "town": 3, "job": 1}
    version = capital.curate(write_spec(tmp_path, value))
    assert {key[2] for key in people_by_class(version)} == {"office", "trade"}


# ---- a refresh keeps it ----------------------------------------------------------------------------------------------


def test_a_refresh_keeps_the_node_even_when_a_finer_one_would_do(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec())
    first = capital.curate(path)
    lay(tmp_path, rows=60_000)
    finer = capital.generalise(path)
    second = capital.refresh(path).version
    assert second is not None
    kept = told(second)["coarse"]["search"]
    assert kept["levels"] == told(first)["coarse"]["search"]["levels"]
    assert (kept["how"], kept["of"]) == ("kept", first.ref)
    assert sum({field.name: field.level for field in finer.fields}.values()) <= sum(kept["levels"].values())


def test_a_refresh_whose_node_no_longer_holds_is_refused(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, spec())
    capital.curate(path)
    lay(tmp_path, rows=90)
    with pytest.raises(DisclosureError, match="levels-fail"):
        capital.refresh(path)


def test_a_growing_refresh_keeps_the_node_and_counts_people_over_old_and_new_rows(tmp_path: Path) -> None:
    lay(tmp_path)
    value = {**spec(), "refresh": {"feed": "append", "watermark": "visit"}}
    path, capital = write_spec(tmp_path, value), empty_capital(tmp_path / "capital")
    first = capital.curate(path)
    lay(tmp_path, rows=ROWS + 90)
    done = capital.refresh(path)
    assert done.version is not None
    assert told(done.version)["coarse"]["search"]["levels"] == told(first)["coarse"]["search"]["levels"]
    assert min(map(len, people_by_class(done.version).values())) == told(done.version)["k_persons"] >= 5


# ---- each class on its own -------------------------------------------------------------------------------------------


def test_local_recoding_leaves_nobody_out_and_says_more(capital: Capital, tmp_path: Path) -> None:
    value = spec(suppress=0)
    value["disclosure"]["search"]["recoding"] = "local"
    version = capital.curate(write_spec(tmp_path, value))
    facts = told(version)
    people = people_by_class(version)
    assert (facts["rows"], facts["suppressed"]) == (ROWS, 0)
    assert min(map(len, people.values())) == facts["k_persons"] >= 5
    ages = {key[0] for key in people}
    assert any(".." in age for age in ages), "bands say where they end, since levels are mixed"
    assert facts["coarse"]["search"]["granularity"] > 0.3
    value |= {"version": "1.1.0"}
    value["disclosure"]["search"]["recoding"] = "global"
    coarse = capital.curate(write_spec(tmp_path, value))
    assert len(people) > len(people_by_class(coarse))


def test_the_command_tells_a_local_recoding(
    capital: Capital, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value = spec(suppress=0)
    value["disclosure"]["search"]["recoding"] = "local"
    path = write_spec(tmp_path, value)
    assert main(["--capital", str(capital.workspace.root), "generalise", str(path)]) == 0
    assert "nobody suppressed" in capsys.readouterr().out
    assert main(["--capital", str(capital.workspace.root), "--json", "generalise", str(path)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {sum(rows) for rows in document["fields"].values()} == {ROWS}
    written = told(capital.curate(path))
    assert written["coarse"]["search"]["granularity"] == pytest.approx(document["granularity"], abs=1e-8)
    assert written["classes"] <= document["classes"]


QUASI = (
    "sex",
    "age",
    "race",
    "marital_status",
    "education",
    "native_country",
    "workclass",
    "occupation",
    "salary_class",
)


def test_nine_columns_of_adult_lose_less_than_arx_s_local_recoding(shared_data: Path, tmp_path: Path) -> None:
    """30,162 rows, k = 5, nobody left out; ARX's own local recoding reaches a granularity of 0.7943."""
    source = shared_data / "adult-arx"
    with gzip.open(source / "adult.csv.gz", "rt", encoding="utf-8") as file:
        held = list(csv.DictReader(file, delimiter=";"))
    columns = {name: [row[name.replace("_", "-")] for row in held] for name in QUASI}
    pq.write_table(pa.table({"row": list(range(len(held))), **columns}), tmp_path / "adult.parquet")
    for name in QUASI:
        table = (source / f"adult_hierarchy_{name.replace('_', '-')}.csv").read_bytes()
        (tmp_path / f"{name}.csv").write_bytes(table)
    value = spec()
    value["sources"] = {"t": {"path": "adult.parquet", "columns": {"row": "integer", **dict.fromkeys(QUASI, "text")}}}
    value["extract"] = {"from": "t", "row_key": ["row"], "entity": ["row"]}
    value["fields"] = {name: {"meaning": name, "identifier": "quasi"} for name in QUASI}
    search = {"recoding": "local", "fields": {name: {"file": f"{name}.csv", "all": False} for name in QUASI}}
    value["disclosure"] = {"k": 5, "search": search}
    version = empty_capital(tmp_path / "capital").curate(write_spec(tmp_path, value))
    facts = told(version)
    assert facts["coarse"]["search"]["granularity"] > 0.85
    assert (facts["rows"], facts["suppressed"]) == (30_162, 0)
    classes: dict[Any, int] = defaultdict(int)
    for path in sorted(version.folder.rglob("*.parquet")):
        for row in pq.ParquetFile(path).read().to_pylist():
            classes[tuple(row[name] for name in QUASI)] += 1
    assert min(classes.values()) == facts["k"] >= 5


def test_local_recoding_reads_all_rows_again_when_its_source_grows(tmp_path: Path) -> None:
    lay(tmp_path)
    value = {**spec(suppress=0), "refresh": {"feed": "append", "watermark": "visit"}}
    value["disclosure"]["search"]["recoding"] = "local"
    path, capital = write_spec(tmp_path, value), empty_capital(tmp_path / "capital")
    capital.curate(path)
    lay(tmp_path, rows=ROWS + 90)
    done = capital.refresh(path)
    assert (done.feed, sum(done.version.manifest.rows.values()) if done.version else 0) == ("full", ROWS + 90)


# ---- rare categories -------------------------------------------------------------------------------------------------


def merging(least: int = 50, **field: Any) -> dict[str, Any]:
    value = spec(k=1)
    del value["disclosure"]["search"]
    rare = {"meaning": "Occupation.", "identifier": "quasi", "protect": "merge_rare", "fewer_than": least}
    value["fields"]["job"] = {**rare, "other": "other", **field}
    return value


def jobs_of(version: Any) -> dict[str | None, int]:
    return {key[0]: len(people) for key, people in people_by_class(version, ("job",)).items()}


def test_categories_of_few_people_become_one(capital: Capital, tmp_path: Path) -> None:
    """Six hundred people: 300 clerks, 180 bakers, 120 masons."""
    few = capital.curate(write_spec(tmp_path, merging(150)))
    held = jobs_of(few)
    assert set(held) == {"clerk", "other"}, "masons are too few, and bakers join them: they would be too few together"
    assert min(held.values()) >= 150
    assert told(few)["coarse"]["merged"]["job"] == {"fewer_than": 150, "other": "other", "kept": 1, "merged": 2}


def test_enough_rare_people_together_draw_nobody_in(tmp_path: Path) -> None:
    pool = ["clerk"] * 40 + ["baker"] * 30 + [f"rare {n}" for n in range(30)]
    lay(tmp_path, jobs=pool)
    capital = empty_capital(tmp_path / "capital")
    held = jobs_of(capital.curate(write_spec(tmp_path, merging(20))))
    assert set(held) == {"clerk", "baker", "other"}
    assert "rare 1" not in (tmp_path / "capital/datasets/visits/1.0.0/README.md").read_text(encoding="utf-8")


def test_a_null_stays_null_and_a_category_called_other_is_one_of_the_others(tmp_path: Path) -> None:
    pool: list[Any] = ["clerk"] * 40 + [None] * 20 + ["other"] * 35 + ["rare"] * 5
    lay(tmp_path, jobs=pool)
    held = jobs_of(empty_capital(tmp_path / "capital").curate(write_spec(tmp_path, merging(40))))
    assert set(held) == {"clerk", None, "other"}


def test_whole_numbers_are_merged_too(capital: Capital, tmp_path: Path) -> None:
    value = merging()
    value["fields"]["job"] = {"meaning": "Job.", "identifier": "none", "because": "test"}
    value["fields"]["age"] |= {"protect": "merge_rare", "fewer_than": 15, "other": -1}
    held = people_by_class(capital.curate(write_spec(tmp_path, value)), ("age",))
    assert all(len(people) >= 15 for people in held.values())
    value |= {"version": "1.1.0"}
    value["fields"]["age"]["other"] = "none"
    with pytest.raises(SpecError, match="another type than integer"):
        capital.curate(write_spec(tmp_path, value))


def test_a_refresh_keeps_the_categories(capital: Capital, tmp_path: Path) -> None:
    path = write_spec(tmp_path, merging())
    assert set(jobs_of(capital.curate(path))) == {"clerk", "baker", "mason"}
    lay(tmp_path, rows=ROWS + 30, jobs=["clerk"] * 5 + ["baker"] * 3 + ["pilot"] * 2)
    done = capital.refresh(path).version
    assert set(jobs_of(done)) == {"clerk", "baker", "other"}, "pilots are new: they stay with the others"


@pytest.mark.parametrize("word", [{"other": None}, {"fewer_than": None}])
def test_both_words_are_needed(capital: Capital, tmp_path: Path, word: dict[str, Any]) -> None:
    value = merging()
    for name in word:
        del value["fields"]["job"][name]
    with pytest.raises(CuratorError, match="`merge_rare` without"):
        capital.curate(write_spec(tmp_path, value), RunOptions())


def test_merged_categories_take_part_in_the_search(capital: Capital, tmp_path: Path) -> None:
    value = merging(150)
    value["disclosure"] = {"k": 5, "suppress": 0.05, "search": {"fields": {
        "age": {"bands": [5, 10, 20]}, "town": {"prefix": [2, 1]}}}}  # fmt: skip
    version = capital.curate(write_spec(tmp_path, value))
    people = people_by_class(version)
    assert {key[2] for key in people} == {"clerk", "other"}
    assert min(map(len, people.values())) >= 5
    assert told(version)["coarse"]["search"]["suppressed"] == told(version)["suppressed"]
