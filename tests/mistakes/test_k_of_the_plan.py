"""Mistake 5: k is measured on the plan, not on the file; or on rows, where one person has many."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from mistakes.red import goes_red
from mistakes_world import made, plain_spec, rewritten, with_column

from curator import versioning
from curator.anonymity import ClassCounter
from curator.capital import Capital
from curator.errors import DisclosureError
from curator.risk import Roles, measure_files


def file_that_breaks_the_plan(folder: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Suppression that does nothing: the counts while rows stream say that all is well, the written file does not."""
    monkeypatch.setattr(ClassCounter, "failing", lambda self, *limits, **named: (np.empty(0, np.uint64), 0))
    with pytest.raises(DisclosureError) as refused:
        made(folder / "capital", base, plain_spec())
    assert refused.value.code == "disclosure-measured"
    assert not list((folder / "capital" / "datasets").glob("*/*"))


def test_a_file_that_does_not_keep_the_plan_is_refused(
    demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_that_breaks_the_plan(tmp_path, demo_base, monkeypatch)


def test_it_goes_red_when_only_the_plan_is_measured(
    demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the measure of the files the version stands, says k >= 5, and people are alone in it."""
    monkeypatch.setattr(versioning, "require", lambda *arguments: None)
    goes_red(lambda: file_that_breaks_the_plan(tmp_path, demo_base, monkeypatch))
    capital = Capital.open(tmp_path / "capital")
    measures = capital.risk(capital.datasets()[0]).report.measures
    assert measures is not None
    assert measures.k == 1
    assert measures.unique > 10


def write(folder: Path, table: pa.Table) -> list[Path]:
    parquet.write_table(table, folder / "x.parquet")
    return [folder / "x.parquet"]


def test_a_null_a_precise_date_and_a_column_of_the_file_count(tmp_path: Path) -> None:
    rows = {"zone": ["7"] * 10, "day": [20_000] * 10}
    roles = Roles(quasi=("zone", "day"))
    assert measure_files(write(tmp_path, pa.table(rows)), roles).k == 10
    assert measure_files(write(tmp_path, pa.table({**rows, "zone": ["7"] * 9 + [None]})), roles).k == 1
    assert measure_files(write(tmp_path, pa.table({**rows, "day": [20_000] * 9 + [20_001]})), roles).k == 1


def test_suppressed_cells_are_a_class_that_is_told_apart(tmp_path: Path) -> None:
    """Rows whose quasi-identifiers are all gone stand in one class by accident, not by likeness."""
    table = pa.table({"zone": pa.array(["7"] * 10 + [None] * 3), "sex": pa.array([1] * 10 + [None] * 3)})
    found = measure_files(write(tmp_path, table), Roles(quasi=("zone", "sex")))
    assert (found.hidden, found.k) == (3, 3)


def test_five_rows_of_one_person_are_one_person(tmp_path: Path) -> None:
    table = pa.table({"zone": ["7"] * 5 + ["8"] * 5, "who": [b"a" * 16] * 5 + [bytes([n]) * 16 for n in range(5)]})
    found = measure_files(write(tmp_path, table), Roles(quasi=("zone",), entity=("who",)))
    assert (found.k, found.k_persons, found.unique) == (5, 1, 1)
    assert found.prosecutor.highest == 1.0


def shared_people(base: Path, target: Path) -> Path:
    """The base with one person, one number, in every four rows that follow each other."""

    def persons(table: pa.Table) -> pa.Table:
        for name in ("nir", "birth_date", "sex"):
            values = table.column(name).to_pylist()
            table = with_column(table, name, [values[n // 4 * 4] for n in range(len(values))])
        return table

    return rewritten(base, target, persons=persons)


@pytest.mark.parametrize("count", ["rows", "persons"])
def test_k_counts_people_where_the_spec_says_so(count: str, demo_base: Path, tmp_path: Path) -> None:
    spec = plain_spec(disclosure={"k": 5, "suppress": 0.9, "count": count})
    capital, version = made(tmp_path / "capital", shared_people(demo_base, tmp_path / "base"), spec)
    measures = capital.risk(version.ref).report.measures
    assert measures is not None
    assert measures.k >= 5
    assert (measures.k_persons >= 5) == (count == "persons")


def people_counted_again(folder: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ClassCounter, "count_people", lambda self, cap: None)
    spec = plain_spec(disclosure={"k": 5, "suppress": 0.9, "count": "persons"})
    with pytest.raises(DisclosureError) as refused:
        made(folder / "capital", shared_people(base, folder / "base"), spec)
    assert refused.value.code == "disclosure-measured"
    assert "people" in refused.value.found


def test_people_are_counted_again_on_the_file(demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people_counted_again(tmp_path, demo_base, monkeypatch)


def test_it_goes_red_when_people_are_counted_on_the_plan_alone(
    demo_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versioning, "require", lambda *arguments: None)
    goes_red(lambda: people_counted_again(tmp_path, demo_base, monkeypatch))
    capital = Capital.open(tmp_path / "capital")
    measures = capital.risk(capital.datasets()[0]).report.measures
    assert measures is not None
    assert (measures.k_persons or 0) < 5 <= measures.k


def test_people_are_counted_before_the_files_where_nothing_in_them_tells_people_apart(
    demo_base: Path, tmp_path: Path
) -> None:
    spec = plain_spec(disclosure={"k": 5, "suppress": 0.95, "count": "persons"})
    dropped = {"from": "nir", "meaning": "Who.", "identifier": "direct", "protect": "drop"}
    spec["fields"] = {**spec["fields"], "person": dropped}
    _, version = made(tmp_path / "capital", shared_people(demo_base, tmp_path / "base"), spec)
    told = json.loads((version.folder / "disclosure.json").read_text(encoding="utf-8"))
    assert told["people"] == "stream"
    assert told["k_persons"] >= 5
