"""The real tables alone: three joined, no row lost, none doubled, and codes read as they are written."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flows import SPECS, Flow, failing, quality, rows

from curator.capital import RunOptions
from curator.errors import SourceError
from curator.records import DatasetVersion


@pytest.fixture(scope="module")
def version(flow: Flow, shared_data: Path) -> DatasetVersion:
    return flow.curate("accident-vehicles", data=shared_data / "baac-2013")


@pytest.fixture(scope="module")
def written(version: DatasetVersion) -> list[dict[str, Any]]:
    return rows(version)


@pytest.fixture(scope="module")
def accidents(shared_data: Path) -> dict[str, dict[str, str]]:
    """The source read by another reader."""
    path = shared_data / "baac-2013" / "caracteristiques_2013.csv.gz"
    with gzip.open(path, "rt", encoding="latin-1", newline="") as stream:
        return {row["Num_Acc"]: row for row in csv.DictReader(stream)}


def test_evidence_counts_98925_vehicles_and_no_orphan(flow: Flow, version: DatasetVersion) -> None:
    extraction, check = flow.facts(version, "extract"), flow.facts(version, "check")
    assert extraction["rows"] == 98_925
    assert extraction["orphans"] == {"accidents": {"left": 0, "right": 0}, "places": {"left": 0, "right": 0}}
    assert (check["rows"], check["accepted"], check["rejected"]) == (98_925, 98_925, {})


def test_quality_observes_58397_accidents(version: DatasetVersion) -> None:
    observed = {
        result["expectation_config"]["type"]: result["result"].get("observed_value")
        for result in quality(version)["results"]
    }
    assert observed["expect_column_unique_value_count_to_be_between"] == 58_397
    assert observed["expect_table_row_count_to_equal"] == 98_925


def test_every_vehicle_is_written_once(written: list[dict[str, Any]]) -> None:
    assert len(written) == len({(row["accident"], row["vehicle"]) for row in written}) == 98_925
    assert len({row["accident"] for row in written}) == 58_397


def test_vehicles_of_an_accident_stay_in_one_split(written: list[dict[str, Any]]) -> None:
    splits = Counter(accident for accident, _ in {(row["accident"], row[".split"]) for row in written})
    assert set(splits.values()) == {1}


def test_times_and_days_are_those_of_the_source(
    written: list[dict[str, Any]], accidents: dict[str, dict[str, str]]
) -> None:
    for row in written:
        source = accidents[row["accident"]]
        assert row["minutes"] == int(source["hrmn"][:-2] or 0) * 60 + int(source["hrmn"][-2:])
        assert row["occurred_on"] == date(2013, int(source["mois"]), int(source["jour"]))


def test_short_times_are_there_to_be_misread(accidents: dict[str, dict[str, str]]) -> None:
    assert Counter(len(row["hrmn"]) for row in accidents.values()) == {4: 43_636, 3: 13_762, 2: 788, 1: 211}


def test_departments_and_communes_follow_insee(
    written: list[dict[str, Any]], accidents: dict[str, dict[str, str]]
) -> None:
    corsica = {"201": "2A", "202": "2B"}
    for row in written:
        dep, com = accidents[row["accident"]]["dep"], accidents[row["accident"]]["com"]
        overseas = dep.startswith("97")
        department = dep if overseas else corsica.get(dep, dep[:2])
        assert (row["department"], row["commune"]) == (department, department + (com[-2:] if overseas else com))


def test_communes_are_in_the_official_list_but_for_those_merged_since(
    written: list[dict[str, Any]], accidents: dict[str, dict[str, str]], shared_data: Path
) -> None:
    with gzip.open(shared_data / "reference-fr" / "communes.json.gz", "rt", encoding="utf-8") as stream:
        known = {commune["code"] for commune in json.load(stream)}
    unknown = {row["accident"]: row["commune"] for row in written if row["commune"] not in known}
    assert (len(unknown), len(set(unknown.values()))) == (124, 73)
    assert sum(row["dep"][:2] + row["com"] not in known for row in accidents.values()) == 2_135


def test_codes_keep_their_leading_zeros(written: list[dict[str, Any]]) -> None:
    assert Counter(row["category"] for row in written)["07"] == 60_951
    assert Counter(row["obstacle"] for row in written)["00"] == 86_578


def test_undefined_surface_is_counted_and_empty(version: DatasetVersion, written: list[dict[str, Any]]) -> None:
    counts = failing(version)
    assert counts.pop("values_to_not_be_null weather") == sum(row["weather"] is None for row in written)
    undefined = counts.pop("values_to_not_be_in_set surface")
    assert not counts
    assert not any(row["surface"] == 0 for row in written)
    assert sum(row["surface"] is None for row in written) > undefined > 0


def test_the_wrong_encoding_is_refused(flow: Flow, shared_data: Path, tmp_path: Path) -> None:
    spec = (SPECS / "accident-vehicles.yaml").read_text(encoding="utf-8")
    (tmp_path / "utf8.yaml").write_text(
        spec.replace("encoding: latin-1", "encoding: utf-8").replace("version: 1.0.0", "version: 9.0.0"),
        encoding="utf-8",
    )
    with pytest.raises(SourceError, match="latin-1") as refused:
        flow.curate(tmp_path / "utf8.yaml", data=shared_data / "baac-2013")
    assert refused.value.code == "source-encoding"


def test_a_lost_accident_stops_the_run(flow: Flow, shared_data: Path, tmp_path: Path) -> None:
    lines = gzip.decompress((shared_data / "baac-2013" / "lieux_2013.csv.gz").read_bytes()).splitlines(keepends=True)
    (tmp_path / "lieux_2013.csv").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(SourceError) as refused:
        flow.capital.preview(
            SPECS / "accident-vehicles.yaml",
            until="extract",
            options=RunOptions(data=shared_data / "baac-2013", sources={"places": tmp_path / "lieux_2013.csv"}),
        )
    assert refused.value.code == "join-orphans"
