"""Every split through the converted model: how good it is, and whether it answers as the fitted pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from curator.edges.onnx_models import (
    Answers,
    Fitted,
    OnnxModel,
    Parity,
    Score,
    check_target,
    columns_of,
    parity,
    read_target,
    score,
)
from curator.errors import SpecError

Tables: TypeAlias = Callable[[str], pa.Table]
"""Split name -> its rows, with `needed_columns` at least."""

_BATCH = 65_536


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was measured.

    Attributes:
        scores: figures per split that has rows with a target, in the order of the spec.
        without_target: rows per split left out for want of a target.
        proof: agreement of both models on the held-back rows.
        proved_on: the splits whose rows were compared; the train split only when no other has a row.
    """

    scores: Mapping[str, Score]
    without_target: Mapping[str, int]
    proof: Parity
    proved_on: tuple[str, ...]


def examine(fitted: Fitted, model: bytes, *, tables: Tables, splits: Sequence[str]) -> Examination:
    """Measure and compare, one split in memory at a time.

    Args:
        fitted: the pipeline.
        model: its ONNX bytes.
        tables: rows by split.
        splits: the train split first.

    Raises:
        QualityError: `training-empty`, `target-single-class` for the train split; `feature-not-finite`.
        SpecError: as `read_target` and `signature`. ParityError: as `parity`.
    """
    runner, needed = OnnxModel(model), (*(feature.name for feature in fitted.features), fitted.target)
    scores: dict[str, Score] = {}
    without: dict[str, int] = {}
    proofs: dict[str, Parity] = {}
    trained = np.empty(0)
    for split in splits:
        table = project(tables(split), needed)
        if split != splits[0] and not table.num_rows:
            continue
        rows, truth = read_target(table, fitted.target, task=fitted.task)
        without[split] = table.num_rows - rows.num_rows
        if split == splits[0]:
            check_target(truth, target=fitted.target, task=fitted.task)
            trained = truth
        else:
            proofs[split] = parity(fitted, model, rows=table)
        _check_kind(truth, fitted)
        if len(truth):
            found = _answers(runner, rows, fitted=fitted)
            scores[split] = score(truth, found, trained=trained, classes=fitted.classes, task=fitted.task)
    proofs = proofs or {splits[0]: parity(fitted, model, rows=project(tables(splits[0]), needed))}
    proof = sum(list(proofs.values())[1:], next(iter(proofs.values())))
    return Examination(scores=scores, without_target=without, proof=proof, proved_on=tuple(proofs))


def _check_kind(truth: np.ndarray[Any, Any], fitted: Fitted) -> None:
    """Refuse texts where the model answers numbers, and the reverse: no label would ever be right."""
    if fitted.task == "classification" and (truth.dtype == object) != (fitted.classes.dtype == object):
        raise SpecError(
            "target-type",
            asked=f"compare the model's labels with `{fitted.target}`",
            found="texts on one side and numbers on the other",
            expected="a pipeline fitted on the target as the dataset holds it (booleans as 0 and 1)",
            todo=f"fit the pipeline on the column `{fitted.target}` itself, or name the right target",
        )


def project(table: pa.Table, names: Sequence[str]) -> pa.Table:
    """Those of the columns `names` that the table has; a missing one is reported by whoever needs it."""
    present = set(table.column_names)
    return table.select([name for name in dict.fromkeys(names) if name in present])


def _answers(runner: OnnxModel, rows: pa.Table, *, fitted: Fitted) -> Answers:
    parts = [
        runner.answers(columns_of(rows.slice(start, _BATCH), fitted.features), task=fitted.task)
        for start in range(0, rows.num_rows, _BATCH)
    ]
    return Answers(labels=_joined([part.labels for part in parts]), scores=_joined([part.scores for part in parts]))


def _joined(arrays: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    return np.concatenate(arrays)
