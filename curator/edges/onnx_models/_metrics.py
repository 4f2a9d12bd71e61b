"""How good a model is, in plain names, beside the answer that looks at nothing (majority class or mean).

Every figure is measured on the converted model, since that is what is handed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curator.edges.onnx_models._features import Task
from curator.edges.onnx_models._session import Answers

METRIC_NAMES = {
    "accuracy": "share of rows whose label is right",
    "balanced_accuracy": "share of right labels, each class counting alike",
    "f1_macro": "harmonic mean of precision and recall, mean over classes",
    "roc_auc": "chance that a row of the second class is ranked above one of the first",
    "log_loss": "mean of minus the natural logarithm of the probability given to the true label",
    "mae": "mean absolute error, in the unit of the target",
    "rmse": "root of the mean squared error, in the unit of the target",
    "r2": "share of the variance explained",
}
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Score:
    """Figures of one split.

    Attributes:
        rows: rows with a target.
        unseen: rows whose true label did not occur in training; always wrong, left out of `roc_auc` and `log_loss`.
        model: metric -> value; a metric that the rows do not define (one class only, one row) is None.
        baseline: the same for the majority class (or mean) of the train split.
    """

    rows: int
    unseen: int
    model: dict[str, float | None]
    baseline: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """As `metrics.json` holds it."""
        return dict(vars(self))


def score(
    truth: np.ndarray[Any, Any],
    answers: Answers,
    *,
    trained: np.ndarray[Any, Any],
    classes: np.ndarray[Any, Any],
    task: Task,
) -> Score:
    """Measure a model on rows whose targets are known.

    Args:
        truth: targets, shape (n,), n > 0.
        answers: of the model on the same rows.
        trained: targets of the train split; the baseline's knowledge.
        classes: labels in the order of the probabilities; empty for regression.
        task: classification or regression.

    Sources: scikit-learn's definitions (`sklearn.metrics`).
    """
    if task == "regression":
        mean = Answers(labels=np.empty(0), scores=np.full((len(truth), 1), trained.mean()))
        return Score(rows=len(truth), unseen=0, model=_regression(truth, answers), baseline=_regression(truth, mean))
    shares = np.array([(trained == label).mean() for label in classes])
    majority = np.full(len(truth), classes[shares.argmax()], dtype=classes.dtype)
    constant = Answers(labels=majority, scores=np.tile(shares, (len(truth), 1)))
    return Score(
        rows=len(truth),
        unseen=int((~np.isin(truth, classes)).sum()),
        model=_classification(truth, answers, classes=classes),
        baseline=_classification(truth, constant, classes=classes),
    )


def _classification(
    truth: np.ndarray[Any, Any], answers: Answers, *, classes: np.ndarray[Any, Any]
) -> dict[str, float | None]:
    from sklearn import metrics

    labels = answers.labels.astype(classes.dtype)
    present = np.unique(truth)
    recalls = [float((labels[truth == label] == label).mean()) for label in present]
    known = np.isin(truth, classes)
    places, scores = np.searchsorted(classes, truth[known]), answers.scores[known].astype(np.float64)
    binary = len(classes) == 2 and len(np.unique(places)) == 2
    return {
        "accuracy": _round((labels == truth).mean()),
        "balanced_accuracy": _round(np.mean(recalls)),
        "f1_macro": _round(metrics.f1_score(truth, labels, average="macro", zero_division=0.0)),
        "roc_auc": _round(metrics.roc_auc_score(places, scores[:, 1])) if binary else None,
        "log_loss": _log_loss(places, scores),
    }


def _log_loss(places: np.ndarray[Any, Any], scores: np.ndarray[Any, Any]) -> float | None:
    """Mean of -ln p, with p kept within float32 resolution of 0 and 1 (as scikit-learn clips)."""
    if not len(places):
        return None
    given = scores[np.arange(len(places)), places]
    return _round(-np.log(np.clip(given, np.finfo(np.float32).eps, 1.0)).mean())


def _regression(truth: np.ndarray[Any, Any], answers: Answers) -> dict[str, float | None]:
    errors = truth - answers.scores[:, 0]
    spread = float(((truth - truth.mean()) ** 2).sum())
    return {
        "mae": _round(np.abs(errors).mean()),
        "rmse": _round(np.sqrt((errors**2).mean())),
        "r2": _round(1.0 - (errors**2).sum() / spread) if spread > 0 else None,
    }


def _round(value: Any) -> float:
    return round(float(value), _DIGITS)
