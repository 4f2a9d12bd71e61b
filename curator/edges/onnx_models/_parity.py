"""The proof that a converted model answers as the fitted one: on held-back rows, and on rows made to be awkward.

Real rows alone prove little: the conversions known to be wrong go wrong on what a held-back split may not hold, a null
where training saw none, a category never met, an accent. So each feature in turn is given those values on rows drawn
from the held-back ones, and both models answer them all.

Tolerances. Classification: every label equal, unless both labels have equal probability (within 2e-5, each lying within
1e-5 of where they cross), and every probability within 1e-4. Regression: within 1e-4 of the answer or of the usual
spread of answers, whichever is larger (a sum of terms that cancel has no relative accuracy of its own).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from curator.edges.onnx_models._features import Columns, columns_of
from curator.edges.onnx_models._fitted import Fitted
from curator.edges.onnx_models._session import Answers, OnnxModel
from curator.errors import ParityError

PROBABILITY = 1e-4
TIE = 2e-5
RELATIVE = 1e-4
_BATCH = 65_536
_STRESSED = 64
_UNKNOWN = "\u241f never met \u241f"
_ACCENTED = "L'été à Noël, l'Œuvre naïve: ÇA, où? ÉLÈVE n° 3"
_ODD = ("", " ", "!?;", "0", "x" * 2000, "\U0001f692 \U0001f9ef", "a_b-c d'e", "\u00a0\t\n")
_EXTREMES = (-1e6, 1e6, 0.0, -1.0, 1e-6)

_Stress: TypeAlias = "tuple[str, str, dict[str, np.ndarray[Any, Any]]]"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One kind of rows.

    Attributes:
        rows: rows compared.
        max_abs_difference: largest difference of a probability, or of a prediction in the target's unit.
        label_disagreements: rows whose labels differ, ties left out; 0 for regression.
        ties: rows whose labels differ where both are equally probable.
        outside: rows beyond the tolerance, in label or number.
        refused: features for which the fitted pipeline itself refuses such values; nothing was compared there.
    """

    rows: int = 0
    max_abs_difference: float = 0.0
    label_disagreements: int = 0
    ties: int = 0
    outside: int = 0
    refused: tuple[str, ...] = ()

    def __add__(self, other: Case) -> Case:
        return Case(
            rows=self.rows + other.rows,
            max_abs_difference=max(self.max_abs_difference, other.max_abs_difference),
            label_disagreements=self.label_disagreements + other.label_disagreements,
            ties=self.ties + other.ties,
            outside=self.outside + other.outside,
            refused=tuple(sorted({*self.refused, *other.refused})),
        )


@dataclass(frozen=True, kw_only=True)
class Parity:
    """How two models agree.

    Attributes:
        per_case: `plain` (held-back rows), `nulls`, `unknown`, `accents`, `extremes`.
        tolerance: what was allowed, in words.
    """

    per_case: Mapping[str, Case] = field(default_factory=dict)
    tolerance: str = ""

    def __add__(self, other: Parity) -> Parity:
        names = dict.fromkeys((*self.per_case, *other.per_case))
        cases = {name: self.per_case.get(name, Case()) + other.per_case.get(name, Case()) for name in names}
        return Parity(per_case=cases, tolerance=self.tolerance)

    @property
    def total(self) -> Case:
        """All cases together."""
        return sum(self.per_case.values(), Case())

    @property
    def rows(self) -> int:
        """Rows compared."""
        return self.total.rows

    @property
    def max_abs_difference(self) -> float:
        """Largest difference of a probability, or of a prediction in the target's unit."""
        return self.total.max_abs_difference

    @property
    def label_disagreements(self) -> int:
        """Rows whose labels differ, ties left out."""
        return self.total.label_disagreements

    @property
    def share(self) -> float:
        """Share of the compared rows that agree, in [0, 1]."""
        total = self.total
        return 1.0 - total.outside / total.rows if total.rows else 0.0

    @property
    def passed(self) -> bool:
        """Whether every row agrees, and there was one."""
        return self.rows > 0 and not self.total.outside

    def to_json(self) -> dict[str, Any]:
        """The proof as `parity.json` holds it."""
        cases = {name: {**vars(case), "refused": list(case.refused)} for name, case in self.per_case.items()}
        return {
            "rows": self.rows,
            "max_abs_difference": self.max_abs_difference,
            "label_disagreements": self.label_disagreements,
            "share": self.share,
            "tolerance": self.tolerance,
            "cases": cases,
        }

    def require(self) -> None:
        """Let nothing pass but full agreement.

        Raises:
            ParityError: `parity-failed`, naming the cases and how many rows, never a row.
        """
        if self.passed:
            return
        bad = [f"{name}: {case.outside} of {case.rows} rows" for name, case in self.per_case.items() if case.outside]
        raise ParityError(
            "parity-failed",
            asked="prove that the ONNX model answers as the fitted pipeline",
            found=f"{'; '.join(bad) or 'no row to compare'} (largest difference {self.max_abs_difference:.3g})",
            expected=self.tolerance,
            todo="impute nulls before a forest, do not scale numbers nor weigh words before trees, keep the default "
            "word pattern; then fit on `curator.modelling.training_frame` and package again",
        )


def parity(fitted: Fitted, model: bytes, *, rows: pa.Table) -> Parity:
    """Compare a fitted pipeline with its conversion, as a receiver would run it.

    Args:
        fitted: the pipeline.
        model: its ONNX bytes.
        rows: held-back rows with every feature; each is compared, in batches of 65,536.

    Returns:
        Differences per case. Call `require()` to refuse what is beyond the tolerance.

    Raises:
        ParityError: `pipeline-refuses-rows` when the fitted pipeline cannot answer the held-back rows themselves;
            `onnx-not-runnable`.
    """
    runner, judge = OnnxModel(model), _judge(fitted)
    cases = {"plain": Case()}
    for start in range(0, rows.num_rows, _BATCH):
        columns = columns_of(rows.slice(start, _BATCH), fitted.features)
        cases["plain"] += judge(_reference(fitted, columns), runner.answers(columns, task=fitted.task))
    stress = list(_stress(fitted, _spread(rows, fitted)))
    for name in dict.fromkeys(case for case, _, _ in stress):
        sets = {feature: columns for case, feature, columns in stress if case == name}
        cases[name] = _compare_together(fitted, runner, judge=judge, sets=sets)
    return Parity(per_case=cases, tolerance=_tolerance(fitted))


def _reference(fitted: Fitted, columns: Columns) -> Answers:
    try:
        return fitted.answers(columns)
    except ValueError as fault:  # its message may quote a row
        raise ParityError(
            "pipeline-refuses-rows",
            asked="answer the held-back rows with the fitted pipeline",
            found=f"{type(fault).__name__} from scikit-learn",
            expected="a pipeline that answers every row of the dataset, nulls and new categories too",
            todo="add a SimpleImputer for the numbers and OneHotEncoder(handle_unknown='ignore') for the texts",
        ) from None


def _compare_together(fitted: Fitted, runner: OnnxModel, *, judge: _Judge, sets: Mapping[str, Columns]) -> Case:
    """All sets of a case in one call; one by one only when the pipeline refuses some, to know which."""
    parts = list(sets.values())
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    case = _compare(fitted, runner, judge=judge, feature="", columns=whole)
    if not case.refused:
        return case
    return sum(
        (_compare(fitted, runner, judge=judge, feature=name, columns=columns) for name, columns in sets.items()), Case()
    )


def _compare(fitted: Fitted, runner: OnnxModel, *, judge: _Judge, feature: str, columns: Columns) -> Case:
    """One awkward set of rows; where the pipeline itself refuses it there is nothing to compare."""
    try:
        wanted = fitted.answers(columns)
    except ValueError:
        return Case(refused=(feature,))
    return judge(wanted, runner.answers(columns, task=fitted.task))


_Judge: TypeAlias = Callable[[Answers, Answers], Case]


def _judge(fitted: Fitted) -> _Judge:
    if fitted.task == "regression":
        return _Regression()
    classes = fitted.classes
    return lambda wanted, got: _classification(wanted, got, classes=classes)


def _classification(wanted: Answers, got: Answers, *, classes: np.ndarray[Any, Any]) -> Case:
    if not len(wanted.labels):
        return Case()
    if wanted.scores.shape != got.scores.shape or not set(got.labels.tolist()) <= set(classes.tolist()):
        return Case(rows=len(wanted.labels), max_abs_difference=1.0, outside=len(wanted.labels))
    gaps = _gaps(wanted.scores, got.scores)
    chosen = np.searchsorted(classes, got.labels)
    lead = wanted.scores.max(axis=1) - wanted.scores[np.arange(len(chosen)), chosen]
    differs = wanted.labels != got.labels
    ties = differs & (lead <= TIE)
    outside = (differs & ~ties) | ~(gaps <= PROBABILITY)
    return Case(
        rows=len(gaps),
        max_abs_difference=float(gaps.max()),
        label_disagreements=int((differs & ~ties).sum()),
        ties=int(ties.sum()),
        outside=int(outside.sum()),
    )


def _gaps(wanted: np.ndarray[Any, Any], got: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Largest difference per row; what is no number differs by the largest float."""
    gaps: np.ndarray[Any, Any] = np.abs(wanted.astype(np.float64) - got.astype(np.float64)).max(axis=1)
    return np.where(np.isfinite(gaps), gaps, np.finfo(np.float64).max)


class _Regression:
    """Compares predictions, remembering the spread of the first rows, which are held-back ones."""

    def __init__(self) -> None:
        self._spread: float | None = None

    def __call__(self, wanted: Answers, got: Answers) -> Case:
        if not len(wanted.scores):
            return Case()
        if self._spread is None:
            self._spread = float(np.std(wanted.scores))
        gaps = _gaps(wanted.scores, got.scores)
        allowed = RELATIVE * np.maximum(np.abs(wanted.scores).max(axis=1), self._spread)
        return Case(rows=len(gaps), max_abs_difference=float(gaps.max()), outside=int((~(gaps <= allowed)).sum()))


def _tolerance(fitted: Fitted) -> str:
    if fitted.task == "regression":
        return f"every prediction within {RELATIVE:g} of itself, or of the standard deviation of predictions"
    return f"equal labels, but where two are within {TIE:g} of each other, and probabilities within {PROBABILITY:g}"


def _spread(rows: pa.Table, fitted: Fitted) -> dict[str, np.ndarray[Any, Any]]:
    """Up to 64 rows spread evenly over the held-back ones."""
    chosen = np.unique(np.linspace(0, max(rows.num_rows - 1, 0), min(_STRESSED, rows.num_rows)).astype(int))
    return columns_of(rows.take(pa.array(chosen.tolist(), pa.int64())), fitted.features)


def _stress(fitted: Fitted, base: Columns) -> Iterator[_Stress]:
    """Case, feature touched, and rows with that one feature (or, for nulls, all of them at once) made awkward."""
    numbers = [feature.name for feature in fitted.features if feature.kind == "number"]
    texts = [feature.name for feature in fitted.features if feature.kind == "text"]
    for name in numbers:
        yield "nulls", name, _with(base, name, values=[np.nan])
        yield "extremes", name, _with(_repeated(base, len(_EXTREMES)), name, values=_EXTREMES)
    for name in texts:
        yield "nulls", name, _with(base, name, values=[""])
        yield "unknown", name, _with(base, name, values=[_UNKNOWN])
        yield "extremes", name, _with(base, name, values=_ODD)
        changed = [change(value) for change in _CHANGES for value in base[name]]
        yield "accents", name, _with(_repeated(base, len(_CHANGES)), name, values=changed)
    empty: dict[str, list[Any]] = {**{name: [np.nan] for name in numbers}, **{name: [""] for name in texts}}
    together: Columns = base
    for name, values in empty.items():
        together = _with(together, name, values=values)
    yield "nulls", "all features at once", dict(together)


def _repeated(base: Columns, times: int) -> dict[str, np.ndarray[Any, Any]]:
    return {name: np.tile(values, times) for name, values in base.items()}


def _with(base: Columns, name: str, *, values: Sequence[Any]) -> dict[str, np.ndarray[Any, Any]]:
    column = np.empty_like(base[name])
    column[:] = [values[i % len(values)] for i in range(len(column))]
    return {**base, name: column}


_CHANGES: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda value: f"{value} {_ACCENTED}",
    lambda value: unicodedata.normalize("NFC", f"e\u0301{value}"),
    lambda value: unicodedata.normalize("NFD", f"{value} {_ACCENTED}"),
)
