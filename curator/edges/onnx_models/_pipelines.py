"""The baseline pipeline of a spec: only steps whose conversion is proved exact, and only groups no smaller than k.

Linear models: numbers imputed by the median and scaled, texts weighed by TF-IDF. Ensembles of trees: no scaling and
plain word counts. A tree only compares, so scaling and weighing teach it nothing; and both round differently in
32 bits, so that a row lying on a threshold would fall on the other side of it once converted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curator.edges.onnx_models._features import Feature, signature, texts
from curator.errors import ParityError, SpecError
from curator.spec.model import Baseline, Estimator

_TREES = {Estimator.random_forest, Estimator.gradient_boosting, Estimator.hist_gradient_boosting}
_MOST_WORDS = {True: 300, False: 2000}  # by "is an ensemble of trees"
_NATIVE = "categorical_features"


def baseline_pipeline(
    baseline: Baseline,
    schema: pa.Schema,
    *,
    rarest: int = 1,
    categories: Mapping[str, Sequence[str]] | None = None,
) -> Any:
    """The unfitted scikit-learn Pipeline that a spec's `model` asks for.

    Args:
        baseline: estimator, features, parameters and seed.
        schema: of the dataset; decides which features are numbers and which are texts.
        rarest: least number of rows a word or a tree's leaf stands for (the spec's k); a parameter of the
            estimator's own overrides the leaf.
        categories: categories kept per text feature (see `frequent_categories`); all those met when absent.

    Raises:
        SpecError: `feature-absent`, `feature-type`, `estimator-task`, `estimator-parameter`.
        ParityError: `estimator-not-convertible` for native categories of histogram gradient boosting.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    trees = baseline.estimator in _TREES
    words = baseline.text_features
    plain = [name for name in baseline.features if name not in words]
    features = signature(schema, plain) if plain else ()
    steps = _numbers(features, scaled=not trees) + _categories(features, categories or {})
    _check_words(schema, words)
    steps += [(f"words_{name}", _words(trees=trees, rarest=rarest), name) for name in words]
    dense = baseline.estimator == Estimator.hist_gradient_boosting
    prepare = ColumnTransformer(steps, sparse_threshold=0.0 if dense else 0.3)
    return Pipeline([("prepare", prepare), ("estimator", _estimator(baseline, rarest=rarest))])


def _check_words(schema: pa.Schema, names: Sequence[str]) -> None:
    numbers = [feature.name for feature in (signature(schema, names) if names else ()) if feature.kind == "number"]
    if numbers:
        raise SpecError(
            "feature-type",
            asked=f"count the words of {', '.join(f'`{name}`' for name in numbers)}",
            found="numbers",
            expected="texts among `text_features`",
            todo="list numbers and categories under `features`",
        )


def _numbers(features: Sequence[Feature], *, scaled: bool) -> list[tuple[str, Any, Any]]:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    names = [feature.name for feature in features if feature.kind == "number"]
    steps: list[tuple[str, Any]] = [("impute", SimpleImputer(strategy="median", keep_empty_features=True))]
    if scaled:
        steps.append(("scale", StandardScaler()))
    return [("numbers", Pipeline(steps), names)] if names else []


def _categories(features: Sequence[Feature], known: Mapping[str, Sequence[str]]) -> list[tuple[str, Any, Any]]:
    from sklearn.preprocessing import OneHotEncoder

    names = [feature.name for feature in features if feature.kind == "text"]
    kept: Any = [np.array(known[name], dtype=object) for name in names] if known else "auto"
    encoder = OneHotEncoder(categories=kept, handle_unknown="ignore", dtype=np.float32)
    return [("categories", encoder, names)] if names else []


def _words(*, trees: bool, rarest: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    weighing = {"use_idf": False, "norm": None} if trees else {}
    return TfidfVectorizer(min_df=max(2, rarest), max_features=_MOST_WORDS[trees], dtype=np.float32, **weighing)


def _estimator(baseline: Baseline, *, rarest: int) -> Any:
    if baseline.estimator == Estimator.hist_gradient_boosting and _NATIVE in baseline.parameters:
        raise ParityError(
            "estimator-not-convertible",
            asked=f"build the baseline `{baseline.name}`",
            found=f"the parameter `{_NATIVE}` of hist-gradient-boosting",
            expected="texts that are one-hot encoded before the estimator",
            todo=f"remove `{_NATIVE}`: its conversion to ONNX is wrong without any error; texts are encoded anyway",
        )
    estimator = _plain_estimator(baseline, rarest=rarest)
    known = estimator.get_params()
    unknown = sorted(set(baseline.parameters) - set(known))
    if unknown:
        raise SpecError(
            "estimator-parameter",
            asked=f"build the baseline `{baseline.name}`",
            found=f"no parameter {', '.join(f'`{name}`' for name in unknown)} in {type(estimator).__name__}",
            expected=f"some of: {', '.join(sorted(known))}",
            todo="correct `model.parameters` in the spec",
        )
    seed = {"random_state": baseline.seed} if "random_state" in known else {}
    return estimator.set_params(**{**baseline.parameters, **seed})


def _plain_estimator(baseline: Baseline, *, rarest: int) -> Any:
    from sklearn import ensemble, linear_model

    classify = baseline.task == "classification"
    kind = "Classifier" if classify else "Regressor"
    match baseline.estimator:
        case Estimator.random_forest:
            return getattr(ensemble, f"RandomForest{kind}")(min_samples_leaf=max(1, rarest))
        case Estimator.gradient_boosting:
            return getattr(ensemble, f"GradientBoosting{kind}")(min_samples_leaf=max(1, rarest))
        case Estimator.hist_gradient_boosting:
            return getattr(ensemble, f"HistGradientBoosting{kind}")(min_samples_leaf=max(20, rarest))
        case Estimator.logistic_regression if classify:
            return linear_model.LogisticRegression(max_iter=1000)
        case Estimator.linear_regression if not classify:
            return linear_model.LinearRegression()
    raise SpecError(
        "estimator-task",
        asked=f"build the baseline `{baseline.name}`",
        found=f"{baseline.estimator} for {baseline.task}",
        expected="logistic-regression for classification, linear-regression for regression, ensembles for both",
        todo="change `model.estimator` or `model.task` in the spec",
    )


def frequent_categories(table: pa.Table, names: Sequence[str], *, rarest: int) -> dict[str, tuple[str, ...]]:
    """The categories met in at least `rarest` rows, per text column, sorted by code point; a null counts as "".

    A category is written into the model file as it stands, so one that few rows share must not be. Where none is
    frequent enough only the null category stays.
    """
    kept = {}
    for name in names:
        counts = texts(table, name).value_counts()
        frequent = counts.filter(pc.greater_equal(counts.field("counts"), pa.scalar(rarest, pa.int64())))
        kept[name] = tuple(sorted(frequent.field("values").to_pylist())) or ("",)
    return kept
