# ruff: noqa: E501 (rows of a table)
"""Free text from the demonstration base to a version: masked in the stream, with what was measured on card and evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as parquet
import pytest
from capital_world import curate, empty_capital, spec_value
from text_documents import documents, write_labelled

from curator.capital import Capital
from curator.cli import main
from curator.errors import SpecError, UsageError
from curator.evidence import Stage
from curator.records import DatasetVersion
from curator.spec import parse_use_case

FIELDS = {
    "accident": {"from": "num_acc", "meaning": "Number of the accident.", "identifier": "none", "because": "to look the truth up in this test"},
}  # fmt: skip


def spec(**mask: Any) -> dict[str, Any]:
    value = spec_value(disclosure={"k": 1})
    value.pop("model")
    narrative = {
        "meaning": "What happened, masked.",
        "identifier": "direct",
        "protect": "mask",
        **({"mask": mask} if mask else {}),
    }
    value["fields"] = {**value["fields"], **FIELDS, "narrative": narrative}
    return value


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, demo_base: Path) -> tuple[Capital, DatasetVersion]:
    capital = empty_capital(tmp_path_factory.mktemp("masked") / "capital")
    return capital, curate(capital, demo_base, spec=spec())


def narratives(version: DatasetVersion) -> duckdb.DuckDBPyConnection:
    tables = [parquet.read_table(path, columns=["accident", "narrative"]) for path in version.folder.rglob("*.parquet")]
    engine = duckdb.connect()
    for index, rows in enumerate(tables):
        engine.register(f"part{index}", rows)
    union = " UNION ".join(f"SELECT * FROM part{index}" for index in range(len(tables)))
    engine.execute(f"CREATE TABLE masked AS SELECT * FROM ({union}) WHERE narrative IS NOT NULL")
    return engine


def test_no_identifier_of_the_truth_is_left(made: tuple[Capital, DatasetVersion], demo_base: Path) -> None:
    engine = narratives(made[1])
    truth = next(path for path in (demo_base / "truth").iterdir() if path.name.startswith("identifiers"))
    held = f"""FROM '{truth}' t JOIN masked m ON m.accident = t.num_acc WHERE t."column" = 'narrative'"""
    named, left = engine.execute(
        f"SELECT count(*), count(*) FILTER (contains(m.narrative, t.value)) {held}"
    ).fetchall()[0]
    assert named > 1_000
    assert left <= named * 0.002, f"{left} of {named} identifiers are still there"
    assert engine.execute("SELECT count(*) FROM masked WHERE contains(narrative, 'PERSONNE_1')").fetchall()[0][0] > 400


def test_what_is_no_name_stays(made: tuple[Capital, DatasetVersion]) -> None:
    engine = narratives(made[1])
    kept = engine.execute("SELECT count(*) FROM masked WHERE contains(lower(narrative), 'choc frontal')").fetchall()[0][
        0
    ]
    assert kept > 50


def protected_facts(capital: Capital, version: DatasetVersion) -> dict[str, Any]:
    commits = [envelope.digest for envelope in capital.evidence.about(version.digest)]
    closure = capital.evidence.closure(commits, keys=capital.directory().keys())
    return next(envelope.statement.facts for envelope in closure if envelope.statement.stage is Stage.PROTECT)


def test_without_an_evaluation_card_and_evidence_say_so(made: tuple[Capital, DatasetVersion]) -> None:
    capital, version = made
    facts = protected_facts(capital, version)["fields"]["narrative"]
    assert facts["protect"] == "mask"
    assert facts["evaluation"] is None
    assert "was not measured" in (version.folder / "README.md").read_text(encoding="utf-8")


def test_a_measured_recall_is_on_card_and_evidence(tmp_path: Path, demo_base: Path) -> None:
    write_labelled(tmp_path / "labelled.jsonl", documents(60))
    report = tmp_path / "evaluation.json"
    assert main(["text", "evaluate", str(tmp_path / "labelled.jsonl"), "--out", str(report), "--quiet"]) == 0
    capital = empty_capital(tmp_path / "capital")
    version = curate(capital, demo_base, spec=spec(evaluation=report.name))
    measured = protected_facts(capital, version)["fields"]["narrative"]["evaluation"]
    told = json.loads(report.read_text(encoding="utf-8"))
    assert measured["kinds"]["person"]["recall"] == told["kinds"]["person"]["recall"] > 0.9
    assert measured["labelled"] == told["labelled"]
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    assert f"{told['kinds']['nir']['recall']:.4f}" in card
    assert "labelled texts" in card


@pytest.mark.parametrize(
    ("change", "code"),
    [(None, "text-evaluation-missing"), ("not json", "text-evaluation-stale"), ({"form": "other"}, "text-evaluation-stale"), ("kinds", "text-evaluation-stale")],
)  # fmt: skip
def test_an_evaluation_of_something_else_is_refused(tmp_path: Path, demo_base: Path, change: Any, code: str) -> None:
    write_labelled(tmp_path / "labelled.jsonl", documents(3))
    report = tmp_path / "evaluation.json"
    if change == "kinds":
        main(
            ["text", "evaluate", str(tmp_path / "labelled.jsonl"), "--out", str(report), "--entities", "nir", "--quiet"]
        )
    elif change is not None:
        report.write_text(change if isinstance(change, str) else json.dumps(change), encoding="utf-8")
    with pytest.raises(SpecError) as refused:
        curate(empty_capital(tmp_path / "capital"), demo_base, spec=spec(evaluation=report.name))
    assert refused.value.code == code


def test_one_person_has_one_surrogate_in_the_whole_dataset(tmp_path: Path, demo_base: Path) -> None:
    version = curate(empty_capital(tmp_path / "capital"), demo_base, spec=spec(scope="dataset"))
    engine = narratives(version)
    found = engine.execute("SELECT count(*) FROM masked WHERE regexp_matches(narrative, 'PERSONNE_[A-Z2-7]{24}')")
    assert found.fetchall()[0][0] > 400


def test_a_model_that_is_absent_stops_before_any_row(tmp_path: Path, demo_base: Path) -> None:
    with pytest.raises(UsageError) as refused:
        curate(empty_capital(tmp_path / "capital"), demo_base, spec=spec(model="fr_core_news_lg"))
    assert refused.value.code == "text-model-missing"


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"protect": "keep", "identifier": "none"}, "`mask` or `drop`"),
        ({"protect": "mask", "from": "nature"}, "free_text"),
        ({"protect": "drop", "mask": {"scope": "dataset"}}, "mask"),
        ({"protect": "mask", "mask": {"entities": ["PER"]}}, "coordinates"),
    ],
)
def test_words_that_do_not_go_together_are_refused(field: dict[str, Any], said: str) -> None:
    value = spec()
    value["sources"]["accidents"]["columns"]["nature"] = "text"
    value["fields"]["narrative"] = {"meaning": "What happened.", "identifier": "direct", **field}
    with pytest.raises(SpecError) as refused:
        parse_use_case(json.dumps(value), file="spec.yaml")
    assert said in str(refused.value)
