"""ONNX against scikit-learn: what converts exactly passes the gate, what converts wrongly does not.

The second table is the more important one: each of its pipelines converts without an error and passes `onnx.checker`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, SplineTransformer, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from curator.edges.onnx_models import Fitted, Parity, adopt, convert, parity
from curator.edges.onnx_models._child import convert_request
from curator.edges.onnx_models._convert import request_of
from curator.edges.onnx_models._fitted import feature_names
from curator.errors import CuratorError, ParityError, UsageError
from curator.modelling import training_frame

WORDS = ("l'été", "feu", "forêt", "Noël", "ça", "accident", "route", "ŒUVRE", "naïf", "12", "ÉLÈVE")
NUMBERS, TEXTS = ["age", "count", "flag"], ["place", "kind"]


def rows(count: int = 600, *, seed: int = 0, nulls: bool = True) -> pa.Table:
    """Numbers, categories and French words; the targets depend on all of them."""
    draw = np.random.default_rng(seed)
    age, number = draw.normal(40, 15, count), draw.integers(0, 9, count)
    place = [
        None if nulls and i % 11 == 0 else str(p) for i, p in enumerate(draw.choice(["Élan", "paris", "Zoé"], count))
    ]
    kind = [str(k) for k in draw.choice(["a", "b"], count)]
    text = [" ".join(draw.choice(WORDS, draw.integers(0, 6))) for _ in range(count)]
    value = age + 5 * number + 10 * np.array([p == "paris" for p in place]) + 8 * np.array(["feu" in t for t in text])
    return pa.table(
        {
            "age": pa.array([None if nulls and i % 7 == 0 else float(a) for i, a in enumerate(age)], pa.float64()),
            "count": pa.array(number.tolist(), pa.int32()),
            "flag": pa.array([bool(n % 2) for n in number]),
            "place": pa.array(place, pa.string()).dictionary_encode(),
            "kind": pa.array(kind, pa.string()),
            "text": pa.array(text, pa.string()),
            "severe": pa.array((value + draw.normal(0, 9, count) > 70).tolist()),
            "level": pa.array(["léger", "grave", "tué"][int(v)] for v in np.clip(value // 40, 0, 2)),
            "cost": pa.array((value + draw.normal(0, 9, count)).tolist(), pa.float64()),
        }
    )


def prepare(*, scale: bool, text: bool = False, dense: bool = False, **words: Any) -> ColumnTransformer:
    numbers: list[Any] = [SimpleImputer(strategy="median"), *([StandardScaler()] if scale else [])]
    steps: list[Any] = [
        ("numbers", make_pipeline(*numbers), NUMBERS),
        ("texts", OneHotEncoder(handle_unknown="ignore"), TEXTS),
    ]
    if text:
        steps.append(("words", TfidfVectorizer(**words), "text"))
    return ColumnTransformer(steps, sparse_threshold=0.0 if dense else 0.3)


def fitted(pipeline: Any, *, target: str, features: list[str] | None = None, table: pa.Table | None = None) -> Fitted:
    table = rows() if table is None else table
    names = features or [*NUMBERS, *TEXTS, "text"]
    truth = np.array(table.column(target).to_pylist())
    return adopt(pipeline.fit(training_frame(table, names), truth), table.schema, target=target)


def proof(model: Fitted, *, held_back: pa.Table | None = None) -> Parity:
    """As `convert` does, in this process: the child's start is what takes long."""
    onnx = convert_request(request_of(model))
    return parity(model, onnx, rows=rows(400, seed=1) if held_back is None else held_back)


COUNTS = {"use_idf": False, "norm": None}
EXACT: dict[str, tuple[Any, Any, str]] = {
    "logistic": (prepare(scale=True), LogisticRegression(max_iter=500), "severe"),
    "logistic, words": (prepare(scale=True, text=True), LogisticRegression(max_iter=500), "level"),
    "logistic, pairs of words": (
        prepare(scale=True, text=True, ngram_range=(1, 2)), LogisticRegression(max_iter=500), "severe"),
    "logistic, own word pattern": (
        prepare(scale=True, text=True, token_pattern="[a-zA-ZÀ-ÖØ-öø-ÿŒœ]+"), LogisticRegression(max_iter=500),
        "level"),
    "forest": (prepare(scale=False), RandomForestClassifier(15, random_state=0), "level"),
    "forest, counted words": (
        prepare(scale=False, text=True, **COUNTS), RandomForestClassifier(15, random_state=0), "severe"),
    "boosting": (prepare(scale=False), GradientBoostingClassifier(n_estimators=20, random_state=0), "severe"),
    "histogram boosting": (
        prepare(scale=False, dense=True), HistGradientBoostingClassifier(max_iter=8, random_state=0), "level"),
    "histogram boosting, counted words": (
        prepare(scale=False, text=True, dense=True, **COUNTS),
        HistGradientBoostingClassifier(max_iter=8, random_state=0), "severe"),
    "linear": (prepare(scale=True, text=True), LinearRegression(), "cost"),
    "forest of numbers": (prepare(scale=False), RandomForestRegressor(10, random_state=0), "cost"),
    "boosting of numbers": (prepare(scale=False), GradientBoostingRegressor(n_estimators=20, random_state=0), "cost"),
    "histogram boosting of numbers": (
        prepare(scale=False, dense=True), HistGradientBoostingRegressor(max_iter=8, random_state=0), "cost"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "estimator", "target"), EXACT.values(), ids=EXACT)
def test_what_converts_exactly_passes(before: Any, estimator: Any, target: str) -> None:
    found = proof(fitted(Pipeline([("prepare", before), ("estimator", estimator)]), target=target))
    found.require()
    assert found.share == 1.0
    assert set(found.per_case) == {"plain", "nulls", "unknown", "accents", "extremes"}
    assert found.per_case["plain"].rows == 400
    assert all(case.rows and not case.refused for case in found.per_case.values())
    if target != "cost":
        assert found.max_abs_difference < 1e-5


def test_a_booster_that_knows_nulls_by_itself_is_exact() -> None:
    model = fitted(HistGradientBoostingClassifier(max_iter=8), target="severe", features=NUMBERS)
    proof(model).require()


def test_numbers_alone_without_a_column_step() -> None:
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    proof(fitted(pipeline, target="severe", features=NUMBERS)).require()


def test_a_pipeline_fitted_without_column_names() -> None:
    table = rows()
    frame = training_frame(table, NUMBERS).to_numpy()
    pipeline = make_pipeline(SimpleImputer(), LogisticRegression()).fit(frame, table.column("level").to_pylist())
    proof(adopt(pipeline, table.schema, target="level", features=NUMBERS)).require()


def test_words_alone() -> None:
    table = rows()
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    pipeline.fit(table.column("text").to_pylist(), table.column("severe").to_pylist())
    proof(adopt(pipeline, table.schema, target="severe", features=["text"])).require()


def refused_by_gate(model: Fitted) -> ParityError:
    found = proof(model)
    with pytest.raises(ParityError) as caught:
        found.require()
    assert caught.value.code == "parity-failed"
    assert found.share < 1.0
    return caught.value


def test_a_forest_that_learnt_from_nulls_is_silently_wrong_and_refused() -> None:
    model = fitted(RandomForestClassifier(15, random_state=0), target="severe", features=NUMBERS)
    assert "nulls" in refused_by_gate(model).found


def test_a_forest_that_never_saw_a_null_is_refused_by_made_up_nulls_alone() -> None:
    """Held-back rows without a null prove nothing about nulls: only the made-up rows can."""
    table = rows(nulls=False)
    model = fitted(RandomForestClassifier(15, random_state=0), target="severe", features=NUMBERS, table=table)
    found = proof(model, held_back=rows(400, seed=1, nulls=False))
    assert not found.per_case["plain"].outside
    assert not found.per_case["extremes"].outside
    assert found.per_case["nulls"].label_disagreements > 50
    assert not found.passed


def test_a_word_pattern_that_onnx_reads_in_ascii_is_refused() -> None:
    before = prepare(scale=True, text=True, token_pattern=r"\b\w\w\w+\b")
    model = fitted(Pipeline([("prepare", before), ("e", LogisticRegression(max_iter=500))]), target="severe")
    error = refused_by_gate(model)
    assert "accents" in error.found
    assert "plain" in error.found


def test_an_error_of_parity_never_quotes_a_row() -> None:
    before = prepare(scale=True, text=True, token_pattern=r"\b\w\w\w+\b")
    model = fitted(Pipeline([("prepare", before), ("e", LogisticRegression(max_iter=500))]), target="level")
    text = str(refused_by_gate(model))
    assert not [word for word in (*WORDS, "léger", "grave", "tué", "paris") if len(word) > 2 and word in text.split()]


def test_native_categories_are_refused_before_conversion() -> None:
    pipeline = HistGradientBoostingClassifier(max_iter=5, categorical_features=["count"])
    with pytest.raises(ParityError, match="HistGradientBoostingClassifier") as caught:
        convert(fitted(pipeline, target="severe", features=NUMBERS))
    assert caught.value.code == "estimator-not-convertible"
    assert caught.value.exit_code == 16


class Doubled(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step of a user's own, which no converter knows."""

    def fit(self, rows: Any, truth: Any = None) -> Doubled:
        self.fitted_ = True
        return self

    def transform(self, rows: Any) -> Any:
        return np.asarray(rows) * 2


@pytest.mark.parametrize(
    "before",
    [make_pipeline(SimpleImputer(), Doubled()), make_pipeline(SimpleImputer(), Pipeline([("f", Doubled())]))],
    ids=["own step", "own step within"],
)
def test_a_step_that_onnx_cannot_hold_is_named(before: Any) -> None:
    with pytest.raises(ParityError, match="Doubled") as caught:
        convert(fitted(make_pipeline(before, LogisticRegression()), target="severe", features=NUMBERS))
    assert caught.value.code == "estimator-not-convertible"


class Twice(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A regressor of two targets."""

    def fit(self, rows: Any, truth: Any) -> Twice:
        self.fitted_ = True
        return self

    def predict(self, rows: Any) -> Any:
        return np.zeros((len(rows), 2))


REFUSED: dict[str, tuple[Any, str]] = {
    "no probabilities": (make_pipeline(SimpleImputer(), LinearSVC()), "probabilities"),
    "no model": (make_pipeline(SimpleImputer()), "neither"),
    "several answers": (make_pipeline(SimpleImputer(), Twice()), "several targets"),
}


@pytest.mark.parametrize(("pipeline", "why"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_packaged_says_why(pipeline: Any, why: str) -> None:
    with pytest.raises(ParityError, match=why):
        fitted(pipeline, target="severe", features=NUMBERS)


def test_an_unfitted_pipeline_is_refused() -> None:
    with pytest.raises(ParityError, match="not fitted"):
        adopt(LogisticRegression(), rows().schema, target="severe", features=NUMBERS)


@pytest.mark.parametrize("what", ["pipeline.pkl", None, LogisticRegression], ids=["a path", "nothing", "a class"])
def test_what_is_no_pipeline_is_not_called_a_pipeline_without_names(what: Any) -> None:
    with pytest.raises(ParityError, match="neither a classifier nor a regressor"):
        feature_names(what)


def test_a_pipeline_that_reads_its_own_target_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        fitted(make_pipeline(SimpleImputer(), LogisticRegression()), target="severe", features=["age", "severe"])
    assert caught.value.code == "target-among-features"


def test_the_step_that_the_converter_refuses_is_named_alone() -> None:
    pipeline = make_pipeline(SimpleImputer(), SplineTransformer(), LogisticRegression(max_iter=500))
    with pytest.raises(ParityError) as caught:
        convert(fitted(pipeline, target="severe", features=NUMBERS))
    assert caught.value.found.startswith("skl2onnx refuses SplineTransformer (")


def test_of_a_search_the_best_that_it_found_is_packaged() -> None:
    search = GridSearchCV(
        make_pipeline(prepare(scale=True), LogisticRegression(max_iter=500)),
        {"logisticregression__C": [0.1, 1.0]},
        cv=2,
    )
    model = fitted(search, target="severe", features=[*NUMBERS, *TEXTS])
    assert model.pipeline is search.best_estimator_
    proof(model).require()


def test_a_vote_and_bins_are_converted_in_a_form_of_equal_answers() -> None:
    vote = VotingClassifier(
        [("a", LogisticRegression(max_iter=500)), ("b", DecisionTreeClassifier(max_depth=3))], voting="soft"
    )
    proof(fitted(make_pipeline(prepare(scale=False), vote), target="severe", features=[*NUMBERS, *TEXTS])).require()
    bins = make_pipeline(SimpleImputer(), KBinsDiscretizer(4), LogisticRegression(max_iter=500))
    found = proof(fitted(bins, target="severe", features=NUMBERS))
    assert found.per_case["plain"].rows == 400


def test_what_the_pipeline_itself_refuses_is_told_not_hidden() -> None:
    table = rows(nulls=False)
    steps = [("n", StandardScaler(), ["age"]), ("t", OneHotEncoder(), ["kind"])]
    pipeline = make_pipeline(ColumnTransformer(steps), LogisticRegression())
    model = fitted(pipeline, target="severe", features=["age", "kind"], table=table)
    found = proof(model, held_back=rows(400, seed=1, nulls=False))
    found.require()
    assert "age" in found.per_case["nulls"].refused
    assert found.per_case["unknown"].refused == ("kind",)
    with pytest.raises(CuratorError) as caught:
        proof(model)
    assert caught.value.code == "pipeline-refuses-rows"


def test_on_real_rows(shared_data: Any) -> None:
    """Adult census rows (UCI, in ARX's form): eight categories and an age."""
    from pyarrow import csv

    options = csv.ParseOptions(delimiter=";")
    table = csv.read_csv(shared_data / "adult-arx" / "adult.csv.gz", parse_options=options)
    table = table.rename_columns([name.replace("-", "_") for name in table.column_names])
    *names, target = [name for name in table.column_names if name != "salary_class"] + ["salary_class"]
    texts = [name for name in names if pa.types.is_string(table.schema.field(name).type)]
    numbers = [name for name in names if name not in texts]
    before = ColumnTransformer(
        [("n", SimpleImputer(strategy="median"), numbers), ("t", OneHotEncoder(handle_unknown="ignore"), texts)],
        sparse_threshold=0.0,
    )
    pipeline = make_pipeline(before, HistGradientBoostingClassifier(max_iter=8, random_state=0))
    pipeline.fit(training_frame(table.slice(0, 8000), names), table.slice(0, 8000).column(target).to_pylist())
    found = proof(adopt(pipeline, table.schema, target=target), held_back=table.slice(8000, 4000))
    found.require()
    assert found.per_case["plain"].rows == 4000


@pytest.mark.parametrize("name", ["marital-status", "a b", "âge", "1st", "label", "probabilities"])
def test_a_name_that_the_converter_would_change_is_refused(name: str) -> None:
    table = rows().rename_columns([name, *rows().column_names[1:]])
    with pytest.raises(CuratorError) as caught:
        training_frame(table, [name])
    assert caught.value.code == "feature-name"
