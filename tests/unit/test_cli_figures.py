"""What `curator train` tells of the model it made."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

from curator.cli._data import _figures


def test_the_figures_of_rows_not_learnt_from_stand_beside_a_guess(tmp_path: Path) -> None:
    scores = {"rows": 1715, "unseen": 0, "model": {"accuracy": 0.668222, "roc_auc": None, "r2": 0.5},
              "baseline": {"accuracy": 0.569096, "roc_auc": None, "r2": None}}  # fmt: skip
    (tmp_path / "metrics.json").write_text(json.dumps({"splits": {"test": scores, "train": scores}}))
    told = list(_figures(SimpleNamespace(folder=tmp_path)))  # type: ignore[arg-type]
    assert told == ["test, 1,715 rows: accuracy 0.668 (a guess: 0.569), r2 0.500"]
