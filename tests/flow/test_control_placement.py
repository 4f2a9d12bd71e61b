"""Four real or invented tables and two of papers, one row a person: counts close, nobody is named, nobody is alone."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows import SPECS, Flow, disclosure, failing, rows

from curator.demo import Truth
from curator.records import DatasetVersion

QUASI = ("age_band", "sex", "department")


@pytest.fixture(scope="module")
def sources(shared_data: Path) -> dict[str, Path]:
    names = {"vehicles": "vehicules", "accidents": "caracteristiques", "places": "lieux"}
    return {name: shared_data / "baac-2013" / f"{stem}_2013.csv.gz" for name, stem in names.items()}


@pytest.fixture(scope="module")
def version(flow: Flow, identities: tuple[Path, Truth], sources: dict[str, Path]) -> DatasetVersion:
    return flow.curate("control-placement", data=identities[0], sources=sources)


@pytest.fixture(scope="module")
def persons(version: DatasetVersion) -> list[dict[str, Any]]:
    return rows(version)


def _usagers(folder: Path) -> Iterator[dict[str, str]]:
    with (folder / "usagers.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def test_no_row_is_lost_or_doubled_by_five_joins(
    flow: Flow, version: DatasetVersion, identities: tuple[Path, Truth]
) -> None:
    extraction = flow.facts(version, "extract")
    assert extraction["rows"] == identities[1].rows["usagers"] == 143_028
    assert set(extraction["orphans"]) == {"vehicles", "vehicle_papers", "accidents", "places", "reports"}
    assert {count for sides in extraction["orphans"].values() for count in sides.values()} == {0}


def test_counts_close(flow: Flow, version: DatasetVersion, persons: list[dict[str, Any]]) -> None:
    check = flow.facts(version, "check")
    assert check["rows"] == check["accepted"] + sum(check["rejected"].values())
    assert check["accepted"] == len(persons) + disclosure(version)["suppressed"]


def test_every_injected_fault_is_found(version: DatasetVersion, identities: tuple[Path, Truth]) -> None:
    found, faults = failing(version), identities[1].faults
    assert found["values_to_not_be_null severity"] == faults["usagers.grav.null"]
    assert found["values_to_be_in_set sex"] == faults["usagers.sexe.outside_codes"]
    assert found["values_to_not_be_null age"] == faults["usagers.date_naissance.null"]
    impossible = faults["usagers.date_naissance.impossible"] + faults["usagers.date_naissance.after_accident"]
    assert found["values_to_be_between age"] == impossible
    assert found["values_to_not_be_null nir mostly"] == faults["usagers.nir.null"] + faults["usagers.nir.empty"]


def test_positions_of_zero_are_unknown(version: DatasetVersion, shared_data: Path) -> None:
    """20,058 of 58,397 accidents have a position; per person the share is about the same."""
    unknown = failing(version)["values_to_not_be_null latitude mostly"]
    assert unknown / 143_028 == pytest.approx(1 - 20_058 / 58_397, abs=0.01)


def test_nothing_written_names_anybody(version: DatasetVersion, persons: list[dict[str, Any]]) -> None:
    written = {column["name"]: column["type"] for column in version.manifest.about["schema"]}
    assert not set(written) & {
        "last_name", "married_name", "first_names", "phone", "email", "home_address", "vin", "road_address",
        "agent_number", "report_number", "narrative", "commune", "latitude", "longitude", "nir", "plate", "birth_date",
    }  # fmt: skip
    texts = {name for name, kind in written.items() if kind in ("string", "large_string")}
    assert texts == {"department", "category", "obstacle", "manoeuvre"}
    for name in texts:
        assert all(value is None or re.fullmatch("[0-9]{2,3}|2[AB]", value) for value in {r[name] for r in persons})
    for name in ("person", "vehicle_plate", "driver_licence"):
        assert {len(row[name]) for row in persons if row[name] is not None} == {16}


def test_k_and_l_hold_when_counted_apart(version: DatasetVersion, persons: list[dict[str, Any]]) -> None:
    sizes: Counter[tuple[Any, ...]] = Counter()
    values = defaultdict(set)
    for row in persons:
        key = tuple(row[name] for name in QUASI)
        sizes[key] += 1
        values[key].add(row["severe"])
    report = disclosure(version)
    assert tuple(report["quasi_identifiers"]) == QUASI
    assert (report["k"], report["l"], report["classes"]) == (
        min(sizes.values()), min(len(found) for found in values.values()), len(sizes),
    )  # fmt: skip
    assert report["k"] >= 5
    assert report["l"] == 2


def test_a_person_stays_in_one_split(persons: list[dict[str, Any]]) -> None:
    splits = defaultdict(set)
    for row in persons:
        if row["person"] is not None:
            splits[row["person"]].add(row[".split"])
    assert all(len(found) == 1 for found in splits.values())


def test_severe_means_killed_or_in_hospital(identities: tuple[Path, Truth], persons: list[dict[str, Any]]) -> None:
    """Killed or in hospital, over all persons and over those written: suppression and rejection do not shift it."""
    known = [row["grav"] for row in _usagers(identities[0]) if row["grav"]]
    share = sum(grav in ("2", "3") for grav in known) / len(known)
    assert sum(row["severe"] for row in persons) / len(persons) == pytest.approx(share, abs=0.002)


def test_baseline_ranks_better_than_chance(
    flow: Flow, identities: tuple[Path, Truth], sources: dict[str, Path], tmp_path: Path
) -> None:
    """On one person in ten, drawn the same on every run, with fewer rounds."""
    text = (SPECS / "control-placement.yaml").read_text(encoding="utf-8")
    for old, new in {
        "name: control-placement": "name: control-placement-sample",
        "  row_key: [person_id]": "  sample: {fraction: 0.1, by: [person_id]}\n  row_key: [person_id]",
        "suppress: 0.05": "suppress: 0.2",
        "max_iter: 60": "max_iter: 20",
    }.items():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "sample.yaml").write_text(text, encoding="utf-8")
    version = flow.curate(tmp_path / "sample.yaml", data=identities[0], sources=sources)
    assert flow.facts(version, "extract")["rows"] == pytest.approx(14_303, rel=0.05)
    model = flow.capital.train(version.ref)
    metrics = json.loads((model.folder / "metrics.json").read_text(encoding="utf-8"))["splits"]
    assert metrics["test"]["model"]["roc_auc"] > 0.7
    used = {name.partition(":")[0] for step in flow.capital.trace(model.path) for name in step.used}
    assert {f"source {name}" for name in ("persons", "vehicles", "accidents", "places", "vehicle_papers")} <= used
