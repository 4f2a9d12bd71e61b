"""One row through the fitted pipeline and through its ONNX conversion. Prints one JSON object.

Both get the row as their caller holds it: a pandas DataFrame, and one tensor per feature. The median of rounds taken in
turn, so that the ratio means something on a busy machine. The goal is a ratio of 15.
`python tests/bench/bench_onnx.py [ROUNDS]`
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from curator.edges.onnx_models import adopt, columns_of, convert
from curator.modelling import training_frame

ESTIMATORS = {
    "logistic-regression": LogisticRegression(max_iter=500),
    "random-forest": RandomForestClassifier(50, max_depth=10, random_state=0),
    "hist-gradient-boosting": HistGradientBoostingClassifier(max_iter=30, random_state=0),
}


def table(count: int) -> pa.Table:
    """Eight numbers, four categories and a target."""
    draw = np.random.default_rng(0)
    numbers = {f"n{i}": pa.array(draw.normal(size=count).tolist()) for i in range(8)}
    texts = {f"t{i}": pa.array([str(v) for v in draw.integers(0, 9, count)]) for i in range(4)}
    return pa.table({**numbers, **texts, "y": pa.array((draw.normal(size=count) > 0).tolist())})


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(rounds: int) -> None:
    """Measure each estimator."""
    rows = table(3000)
    names = rows.column_names[:-1]
    frame, truth = training_frame(rows, names), rows.column("y").to_pylist()
    report = {}
    for name, estimator in ESTIMATORS.items():
        texts = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        prepare = ColumnTransformer([("n", SimpleImputer(), names[:8]), ("t", texts, names[8:])])
        pipeline = make_pipeline(prepare, estimator).fit(frame, truth)
        model = adopt(pipeline, rows.schema, target="y")
        session = onnxruntime.InferenceSession(convert(model), providers=["CPUExecutionProvider"])
        one = frame.iloc[:1]
        feeds = {key: values.reshape(-1, 1) for key, values in columns_of(rows.slice(0, 1), model.features).items()}
        pairs = [
            (seconds(lambda p=pipeline, o=one: p.predict_proba(o)), seconds(lambda s=session, f=feeds: s.run(None, f)))
            for _ in range(rounds)
        ]
        slow, fast = (statistics.median(pair[i] for pair in pairs) for i in (0, 1))
        figures = {"sklearn_us": slow * 1e6, "onnx_us": fast * 1e6, "ratio": slow / fast}
        report[name] = {key: round(value, 1) for key, value in figures.items()}
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
