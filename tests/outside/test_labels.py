"""A label that few rows have is not learnt: it would stand in the model file as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from outside_world import CAPITALS, TOKEN, kept, spec_of

from curator.capital import RunOptions
from curator.errors import QualityError

RARE = "RARELABEL"


def spec_with(folder: Path, *, k: int, estimator: str) -> Path:
    """600 rows of two labels, 4 rows of a third."""
    labels = [RARE if place < 4 else ("low", "high")[place % 2] for place in range(604)]
    lines = [f"{place},p{place},{place % 7},{label},{place % 3}" for place, label in enumerate(labels)]
    (folder / "table.csv").write_text("\n".join(["id,who,x,y,g", *lines]) + "\n")
    model = {
        "name": f"labels-{estimator}-{k}", "task": "classification", "estimator": estimator, "target": "y",
        "features": ["x"], "parameters": {"max_iter": 100},
    }  # fmt: skip
    fields = {
        "who": TOKEN, "x": kept(), "g": {"meaning": "A group.", "identifier": "quasi"},
        "y": {"meaning": "A label.", "identifier": "sensitive"},
    }  # fmt: skip
    spec = spec_of(
        {"x": "integer", "y": "text", "g": "integer"}, name=f"data-{estimator}-{k}", model=model, fields=fields,
        disclosure={"k": k}, splits={"by": "entity", "shares": {"train": 1.0}},
    )  # fmt: skip
    path = folder / "spec.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    return path


@pytest.mark.parametrize(("k", "held"), [(4, True), (5, False)])
def test_a_label_of_fewer_than_k_rows_is_not_in_the_model(tmp_path: Path, k: int, held: bool) -> None:
    version = CAPITALS[-1].curate(spec_with(tmp_path, k=k, estimator="logistic-regression"), RunOptions(data=tmp_path))
    model = CAPITALS[-1].train(version.ref)
    assert (RARE.encode() in (model.folder / "model.onnx").read_bytes()) is held
    card = (model.folder / "README.md").read_text(encoding="utf-8")
    told = "4 rows of train have one of 1 of 3 labels that fewer than 5 rows have: not learnt."
    assert (told in card) is not held
    assert RARE not in card


def test_only_rare_labels_is_nothing_to_learn(tmp_path: Path) -> None:
    path = spec_with(tmp_path, k=200, estimator="hist-gradient-boosting")
    spec = json.loads(path.read_text(encoding="utf-8"))
    spec["fields"]["y"]["from"] = "who"
    spec["fields"]["y"] |= {"because": "invented"}
    path.write_text(json.dumps(spec), encoding="utf-8")
    version = CAPITALS[-1].curate(path, RunOptions(data=tmp_path))
    with pytest.raises(QualityError) as caught:
        CAPITALS[-1].train(version.ref)
    assert (caught.value.code, caught.value.found) == ("training-empty", "no label that 200 rows have")
