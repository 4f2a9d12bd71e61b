"""Two editions of a real register: every known fault counted, classes measured, and nobody moves between splits."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from flows import SPECS, Flow, disclosure, failing, rows

from curator.records import DatasetVersion

QUASI = ("age_band", "sex", "department")


@pytest.fixture(scope="module")
def version(flow: Flow, register: Path) -> DatasetVersion:
    return flow.curate("motor-register", data=register)


@pytest.fixture(scope="module")
def next_year(flow: Flow, version: DatasetVersion, register: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same spec with the next number, over the next edition."""
    text = (SPECS / "motor-register.yaml").read_text(encoding="utf-8")
    assert text.count("version: 1.0.0") == 1
    spec = tmp_path_factory.mktemp("spec") / "motor-register.yaml"
    spec.write_text(text.replace("version: 1.0.0", "version: 1.1.0"), encoding="utf-8")
    return flow.curate(spec, data=register, sources={"policies": register / "policies-year-1.parquet"})


@pytest.fixture(scope="module")
def policies(version: DatasetVersion) -> list[dict[str, Any]]:
    return rows(version)


@pytest.fixture(scope="module")
def source(register: Path) -> list[dict[str, Any]]:
    """The policies as another reader sees them, each with whether it has a claim."""
    import pyarrow.parquet as parquet

    claims = parquet.read_table(register / "claims.parquet", columns=["id_client", "id_vehicle"]).to_pylist()
    claimed = {(claim["id_client"], claim["id_vehicle"]) for claim in claims}
    table = parquet.read_table(register / "policies.parquet").to_pylist()
    return [{**row, "claimed": (row["id_client"], row["id_vehicle"]) in claimed} for row in table]


def test_known_faults_are_counted(version: DatasetVersion) -> None:
    assert failing(version) == {
        "pair_values_a_to_be_greater_than_b driving_age": 34,
        "values_to_not_be_null vehicle_age": 1,
        "values_to_not_be_in_set price": 2,
        "values_to_not_be_in_set displacement": 5,
        "values_to_not_be_in_set weight mostly": 3_744,
    }


def test_claims_do_not_multiply_policies(flow: Flow, version: DatasetVersion) -> None:
    extraction, check = flow.facts(version, "extract"), flow.facts(version, "check")
    assert extraction["rows"] == 100_000
    assert extraction["orphans"] == {"claims": {"left": 100_000 - 12_654, "right": 0}}
    assert (check["accepted"], sum(check["rejected"].values())) == (99_958, 42)


def test_rows_written_are_those_that_a_plain_reading_of_the_rules_leaves(
    version: DatasetVersion, policies: list[dict[str, Any]], source: list[dict[str, Any]]
) -> None:
    accepted = [
        row
        for row in source
        if row["drv_age_lic1"] <= row["drv_age1"] - 16
        and row["vh_age"] is not None
        and row["vh_value"] != 0
        and row["vh_cyl"] != 0
    ]
    classes = defaultdict(list)
    for row in accepted:
        classes[row["drv_age1"] // 10 * 10, row["drv_sex1"], row["pol_insee_code"][:2]].append(row["claimed"])
    kept = {key: found for key, found in classes.items() if len(found) >= 5 and len(set(found)) == 2}
    written = Counter((row["age_band"], row["sex"], row["department"]) for row in policies)
    assert written == {key: len(found) for key, found in kept.items()}
    assert sum(row["claimed"] for row in policies) == sum(sum(found) for found in kept.values())
    assert disclosure(version)["suppressed"] == len(accepted) - len(policies) == 1_259


def test_commune_age_and_sex_would_single_out_two_rows_in_three(source: list[dict[str, Any]]) -> None:
    alike = Counter((row["pol_insee_code"], row["drv_age1"], row["drv_sex1"]) for row in source)
    assert sum(count == 1 for count in alike.values()) / len(source) == pytest.approx(0.679, abs=0.0005)


def test_classes_hold_as_many_clients_as_rows_ask(version: DatasetVersion, policies: list[dict[str, Any]]) -> None:
    """A client may have several policies: five rows alike must not be one person."""
    clients = defaultdict(set)
    for row in policies:
        clients[tuple(row[name] for name in QUASI)].add(row["client"])
    assert min(len(found) for found in clients.values()) >= 5
    assert disclosure(version)["k"] >= 5
    assert disclosure(version)["l"] >= 2


def test_unknown_weight_is_empty_rather_than_nothing(policies: list[dict[str, Any]]) -> None:
    assert not any(row["weight"] == 0 for row in policies)
    assert sum(row["weight"] is None for row in policies) > 3_600


def test_a_client_keeps_token_and_split_in_the_next_edition(
    version: DatasetVersion, next_year: DatasetVersion, policies: list[dict[str, Any]]
) -> None:
    before = {row["client"]: row[".split"] for row in policies}
    after = {row["client"]: row[".split"] for row in rows(next_year)}
    both = before.keys() & after.keys()
    assert len(both) > 0.95 * len(before)
    assert {client: before[client] for client in both} == {client: after[client] for client in both}
    assert next_year.digest != version.digest


def test_both_editions_are_in_the_capital_and_verify(
    flow: Flow, version: DatasetVersion, next_year: DatasetVersion
) -> None:
    assert {"motor-register@1.0.0", "motor-register@1.1.0"} <= set(flow.capital.datasets())
    assert flow.capital.verify() == ()


def test_baseline_learns_something_of_claims(flow: Flow, version: DatasetVersion) -> None:
    model = flow.capital.train(version.ref)
    metrics = json.loads((model.folder / "metrics.json").read_text(encoding="utf-8"))["splits"]
    assert metrics["test"]["model"]["roc_auc"] > 0.58
