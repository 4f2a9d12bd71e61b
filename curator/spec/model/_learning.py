"""How the rows are split, and the baseline that learns from them."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from curator.spec.model._words import Name, Share, Slug, Word


class EntitySplits(Word):
    """Splits drawn by keyed hash of the entity: stable when the data grows. Shares add up to 1."""

    by: Literal["entity"]
    shares: dict[Name, Share] = Field(min_length=1, max_length=8)


class TimeSplits(Word):
    """Splits cut in time: each holds rows up to and including its date; the last is open (null)."""

    by: Literal["time"]
    column: Name
    until: dict[Name, str | None] = Field(min_length=1, max_length=8)


class Estimator(StrEnum):
    """Baseline estimators that convert to ONNX with proven parity."""

    logistic_regression = "logistic-regression"
    random_forest = "random-forest"
    gradient_boosting = "gradient-boosting"
    hist_gradient_boosting = "hist-gradient-boosting"
    linear_regression = "linear-regression"


class Baseline(Word):
    """The model that any later one must beat.

    Attributes:
        name: registry name of the model.
        task: classification or regression.
        estimator: scikit-learn estimator.
        target: output field to predict.
        features: output fields to learn from: numbers are imputed and scaled, texts one-hot encoded.
        text_features: output fields vectorised by TF-IDF.
        parameters: estimator parameters, by scikit-learn's names.
        seed: random state.
    """

    name: Slug
    task: Literal["classification", "regression"]
    estimator: Estimator
    target: Name
    features: tuple[Name, ...] = Field(min_length=1)
    text_features: tuple[Name, ...] = ()
    parameters: dict[str, bool | int | float | str | None] = Field(default_factory=dict)
    seed: int = Field(default=0, ge=0)
