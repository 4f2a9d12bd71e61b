"""A fitted pipeline together with what is needed to convert and prove it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curator.arrow import positions
from curator.edges.onnx_models._features import Columns, Feature, Task, columns_of, frame_of, read_target, signature
from curator.edges.onnx_models._session import Answers
from curator.errors import ParityError, QualityError, SpecError, UsageError


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A fitted scikit-learn pipeline.

    Attributes:
        pipeline: the fitted estimator; only ever one fitted in this process, never one read from a file.
        task: classification or regression.
        target: column it predicts.
        features: its inputs, in order.
        rows: rows it learnt from; 0 when it was fitted by the caller.
        notes: what a reader of its card must know about the training.
    """

    pipeline: Any
    task: Task
    target: str
    features: tuple[Feature, ...]
    rows: int = 0
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> np.ndarray[Any, Any]:
        """Labels in ascending order, int64 or str; booleans are 0 and 1. Empty for regression."""
        if self.task == "regression":
            return np.empty(0)
        classes = np.asarray(self.pipeline.classes_)
        return classes.astype(np.int64) if classes.dtype.kind in "biu" else classes.astype(object)

    @property
    def counts_words(self) -> bool:
        """Whether a step counts or weighs words."""
        return any(hasattr(part, "build_analyzer") for part in parts(self.pipeline))

    def answers(self, columns: Columns) -> Answers:
        """What the pipeline itself says of some rows. Raises ValueError, as scikit-learn does, for rows it refuses."""
        rows = self._rows(columns)
        if self.task == "regression":
            return Answers(labels=np.empty(0), scores=np.asarray(self.pipeline.predict(rows)).reshape(-1, 1))
        labels = np.asarray(self.pipeline.predict(rows)).astype(self.classes.dtype)
        return Answers(labels=labels, scores=np.asarray(self.pipeline.predict_proba(rows)))

    def _rows(self, columns: Columns) -> Any:
        frame = frame_of({feature.name: columns[feature.name] for feature in self.features})
        if hasattr(self.pipeline, "feature_names_in_"):
            return frame
        if reads_text(self.pipeline):
            return frame[self.features[0].name]
        return frame.to_numpy()


def reads_text(pipeline: Any) -> bool:
    """Whether the first step of a pipeline reads one column of texts (a vectoriser) rather than a table."""
    while hasattr(pipeline, "steps"):
        pipeline = pipeline.steps[0][1]
    return hasattr(pipeline, "build_analyzer")


def parts(estimator: Any, *, seen: set[int] | None = None) -> Iterator[Any]:
    """An estimator and every estimator within it, however nested; each once."""
    from sklearn.base import BaseEstimator

    seen = set() if seen is None else seen
    if id(estimator) in seen:
        return
    seen.add(id(estimator))
    if isinstance(estimator, BaseEstimator):
        yield estimator
        inner: Sequence[Any] = list(vars(estimator).values())
    elif isinstance(estimator, dict):
        inner = list(estimator.values())
    else:
        inner = estimator if isinstance(estimator, list | tuple) else ()
    for part in inner:
        yield from parts(part, seen=seen)


def fit(pipeline: Any, table: pa.Table, *, features: Sequence[str], target: str, task: Task, rarest: int = 1) -> Fitted:
    """Fit a pipeline on the rows of `table` that have a target.

    Args:
        pipeline: unfitted; fitted in place.
        table: needs the features and the target only.
        features: columns to learn from, in the order of the model's inputs.
        target: column to predict.
        task: classification or regression.
        rarest: least number of rows a label must have to be learnt: labels stand in the model file as they are.

    Raises:
        SpecError: as `signature` and `read_target`; `estimator-parameter` when scikit-learn refuses a parameter.
        QualityError: `training-empty`, `target-single-class`, `feature-not-finite`, `training-refused`.
    """
    rows, wanted = read_target(table, target, task=task)
    inputs = signature(table.schema, features)
    notes: tuple[str, ...] = ()
    if task == "classification" and rarest > 1:
        rows, wanted, notes = _frequent_labels(rows, wanted, rarest=rarest)
    check_target(wanted, target=target, task=task)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _fit(pipeline, frame_of(columns_of(rows, inputs)), wanted=wanted)
    if _unconverged(caught):
        notes += ("The training stopped before it converged.",)
    return Fitted(pipeline=pipeline, task=task, target=target, features=inputs, rows=len(wanted), notes=notes)


def _frequent_labels(rows: pa.Table, wanted: Any, *, rarest: int) -> tuple[pa.Table, Any, tuple[str, ...]]:
    """The rows whose label is not rare, their labels, and a note for the card when others were left out."""
    labels, places, counts = np.unique(wanted, return_inverse=True, return_counts=True)
    rare = counts < rarest
    if not rare.any():
        return rows, wanted, ()
    if rare.all():
        raise QualityError(
            "training-empty",
            asked="learn to predict a label",
            found=f"no label that {rarest} rows have",
            expected="labels with as many rows as `disclosure.k`: a rarer one would stand in the model file",
            todo="derive a coarser label in the spec, or widen the extraction",
        )
    keep = ~rare[places]
    note = f"{int(counts[rare].sum())} rows of train have one of {int(rare.sum())} of {len(labels)} labels that fewer "
    note += f"than {rarest} rows have: not learnt."
    return rows.take(positions(keep)), wanted[keep], (note,)


def _fit(pipeline: Any, frame: Any, *, wanted: Any) -> None:
    from sklearn.utils._param_validation import InvalidParameterError

    try:
        pipeline.fit(frame, wanted)
    except InvalidParameterError:
        raise SpecError(
            "estimator-parameter",
            asked="train the model",
            found="a parameter whose value scikit-learn refuses",
            expected="values within the estimator's documented range",
            todo="correct `model.parameters` in the spec",
        ) from None
    except ValueError as fault:  # its message may quote a row
        raise QualityError(
            "training-refused",
            asked=f"train on {len(wanted)} rows",
            found=f"{type(fault).__name__} from scikit-learn",
            expected="features that hold something to learn from",
            todo="look for features that are empty, texts without any frequent word, nulls that no step fills, or "
            "labels that a single row has",
        ) from None


def check_target(wanted: np.ndarray[Any, Any], *, target: str, task: Task) -> None:
    """Refuse targets that teach nothing.

    Raises:
        QualityError: `training-empty` without any row, `target-single-class` for classification with one label.
    """
    if not len(wanted):
        raise QualityError(
            "training-empty",
            asked=f"learn to predict `{target}`",
            found="no row that has a target",
            expected="rows in the train split",
            todo="look at the splits and at the nulls of the target in `curator show`",
        )
    if task == "classification" and len(set(wanted.tolist())) < 2:
        raise QualityError(
            "target-single-class",
            asked=f"learn to predict `{target}`",
            found=f"a single class in {len(wanted)} rows",
            expected="at least two classes in the train split",
            todo="widen the extraction, or change how the target is derived or the splits are cut",
        )


def _unconverged(caught: Sequence[warnings.WarningMessage]) -> bool:
    from sklearn.exceptions import ConvergenceWarning

    return any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def adopt(pipeline: Any, schema: pa.Schema, *, target: str, features: Sequence[str] | None = None) -> Fitted:
    """Take over a pipeline that the caller fitted; of a search over parameters, the best that it found.

    Args:
        pipeline: any fitted scikit-learn classifier with probabilities, or regressor of one value.
        schema: of the dataset it was trained on.
        target: column it predicts.
        features: the columns it reads, in order; when absent, the names it was fitted with.

    Raises:
        ParityError: `estimator-not-convertible` when it is not fitted, gives no probabilities, or has other labels
            than texts, integers or booleans.
        UsageError: `features-unknown` when it does not know the names of its features and none are given,
            `target-among-features`.
        SpecError: as `signature`.
    """
    from sklearn.base import is_classifier

    names = feature_names(pipeline, features)
    if target in names:
        raise UsageError(
            "target-among-features",
            asked=f"package a model that predicts `{target}`",
            found=f"a pipeline that reads `{target}` too",
            expected="features other than the target",
            todo="fit it again without that column",
        )
    while hasattr(pipeline, "best_estimator_"):
        pipeline = pipeline.best_estimator_
    task: Task = "classification" if is_classifier(pipeline) else "regression"
    if task == "classification":
        _check_classes(pipeline)
    adopted = Fitted(pipeline=pipeline, task=task, target=target, features=signature(schema, names))
    _check_single(adopted)
    return adopted


def feature_names(pipeline: Any, features: Sequence[str] | None = None) -> tuple[str, ...]:
    """The columns a fitted pipeline reads: those given, or those it was fitted with.

    Raises:
        ParityError: `estimator-not-convertible` when it is no fitted classifier or regressor.
        UsageError: `features-unknown` when there are neither, or when both exist and differ.
    """
    _check_fitted(pipeline)
    own = tuple(str(name) for name in getattr(pipeline, "feature_names_in_", ()))
    if (own or features) and (not own or not features or own == tuple(features)):
        return own or tuple(features or ())
    raise UsageError(
        "features-unknown",
        asked="know which columns the pipeline reads",
        found="a pipeline fitted without column names" if not own else "features other than those it was fitted with",
        expected="the names of its columns, in the order it was fitted with",
        todo="pass features=[...], or fit it on a table with column names",
    )


def _check_single(fitted: Fitted) -> None:
    """Refuse a regressor whose answer to one row is several numbers."""
    if fitted.task == "classification":
        return
    one = {
        f.name: np.zeros(1, np.float32) if f.kind == "number" else np.array([""], dtype=object) for f in fitted.features
    }
    try:
        several = len(fitted.answers(one).scores) > 1
    except ValueError:  # a row that it refuses; the proof asks it again, of many rows
        return
    if several:
        raise not_convertible(type(fitted.pipeline).__name__, "a regressor of several targets")


def _check_fitted(pipeline: Any) -> None:
    from sklearn.base import BaseEstimator, is_classifier, is_regressor
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    if not isinstance(pipeline, BaseEstimator) or not (is_classifier(pipeline) or is_regressor(pipeline)):
        raise not_convertible(
            type(pipeline).__name__,
            "neither a classifier nor a regressor",
            todo="give the fitted pipeline itself, with a classifier or a regressor at its end",
        )
    try:
        check_is_fitted(pipeline)
    except NotFittedError:
        raise not_convertible(
            type(pipeline).__name__, "not fitted", todo="fit it on rows of the version, then package it"
        ) from None


def _check_classes(pipeline: Any) -> None:
    if not hasattr(pipeline, "predict_proba"):
        raise not_convertible(type(pipeline).__name__, "a classifier without probabilities")
    classes = pipeline.classes_
    if isinstance(classes, list):
        raise not_convertible(type(pipeline).__name__, "a classifier of several targets")
    if classes.dtype.kind not in "biuUT" and not all(isinstance(label, str) for label in classes):
        raise not_convertible(type(pipeline).__name__, f"labels of type {classes.dtype}")


_TODO = (
    "replace that step (see how to bring your own pipeline), or calibrate the classifier so that it gives probabilities"
)


def not_convertible(what: str, why: str, *, todo: str = _TODO) -> ParityError:
    """The error for what ONNX cannot hold; `what` names a class, `why` never quotes a value."""
    return ParityError(
        "estimator-not-convertible",
        asked=f"convert {what} to ONNX",
        found=why,
        expected="scikit-learn steps that skl2onnx converts, numbers and texts as inputs, labels with probabilities",
        todo=todo,
    )
