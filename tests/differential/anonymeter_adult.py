"""What anonymeter answers on Adult; run in an environment of its own with `pip install anonymeter==1.1.0`.

usage: python anonymeter_adult.py adult.csv.gz > anonymeter_adult.json

Of 12,000 people drawn 8,000 are in the data and 4,000 are the control. Two tables are attacked: a verbatim copy of the
data, and one whose columns are shuffled independently.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

KNOWN = ("sex", "age", "race", "marital-status", "education", "native-country", "workclass")
SECRET = "salary-class"
SEEDS = (0, 1, 2)
ATTACKS = 500
PEOPLE, CONTROL = 8_000, 4_000


def drawn(seed: int, *, rows: int) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Places of the people and of the control, and an order of the people for each column."""
    rng = np.random.default_rng(seed)
    places = rng.permutation(rows)[: PEOPLE + CONTROL]
    orders = [rng.permutation(PEOPLE) for _ in (*KNOWN, SECRET)]
    return places[:PEOPLE], places[PEOPLE:], orders


def main(path: str) -> None:
    """Print the risk, its 95 % interval and the seconds of a processor, for each seed, table and attack."""
    import pandas as pd

    warnings.simplefilter("ignore")
    with gzip.open(path) as stream:
        adult = pd.read_csv(stream, sep=";")[[*KNOWN, SECRET]]
    found = []
    for seed in SEEDS:
        people, control, orders = drawn(seed, rows=len(adult))
        ori, others = (adult.iloc[places].reset_index(drop=True) for places in (people, control))
        names = (*KNOWN, SECRET)
        mixed = pd.DataFrame({name: ori[name].to_numpy()[order] for name, order in zip(names, orders, strict=True)})
        for what, table in (("copy", ori), ("marginals", mixed)):
            np.random.seed(seed)
            found.append({"seed": seed, "table": what, "attacks": attacked(ori, table, others)})
    print(json.dumps(found, indent=1))


def attacked(ori: Any, syn: Any, control: Any) -> dict[str, dict[str, float | None]]:
    """The four attacks on one table."""
    from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

    known, half = list(KNOWN), (len(KNOWN) + 1) // 2
    tables = {"ori": ori, "syn": syn, "control": control, "n_attacks": ATTACKS}
    plain = {**tables, "ori": ori[known], "syn": syn[known], "control": control[known]}
    return {
        "singling-out (one column)": told(lambda: SinglingOutEvaluator(**plain), mode="univariate"),
        "singling-out": told(lambda: SinglingOutEvaluator(**plain), mode="multivariate"),
        "linking": told(
            lambda: LinkabilityEvaluator(**tables, aux_cols=(known[:half], known[half:]), n_neighbors=1), n_jobs=1
        ),
        f"inferring: {SECRET}": told(lambda: InferenceEvaluator(**tables, aux_cols=known, secret=SECRET), n_jobs=1),
    }


def told(make: Callable[[], Any], **options: Any) -> dict[str, float | None]:
    """One attack's figures; None where it could make no guess."""
    start = time.process_time()
    with contextlib.redirect_stdout(sys.stderr):
        evaluator = make()
        try:
            evaluator.evaluate(**options)
            risk = evaluator.risk(confidence_level=0.95)
        except RuntimeError:
            return {"risk": None, "low": None, "high": None, "seconds": round(time.process_time() - start, 2)}
    low, high = risk.ci
    figures = {"risk": float(risk.value), "low": float(low), "high": float(high)}
    return {
        **{name: round(value, 4) for name, value in figures.items()},
        "seconds": round(time.process_time() - start, 2),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
