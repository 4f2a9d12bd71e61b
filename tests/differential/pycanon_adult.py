"""What pycanon answers on Adult; run in an environment of its own with `pip install pycanon==1.3.6`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

CASES = [
    ("five", ["sex", "age10", "race", "marital-status", "education"], "occupation"),
    ("four, age sensitive", ["sex", "race", "marital-status", "salary-class"], "age"),
    ("two", ["sex", "race"], "occupation"),
    ("three, education sensitive", ["age10", "sex", "salary-class"], "education"),
    (
        "raw eight",
        ["sex", "age", "race", "marital-status", "education", "native-country", "workclass", "salary-class"],
        "occupation",
    ),
]


def main(adult: str) -> None:
    import pandas as pd
    from pycanon import anonymity

    table = pd.read_csv(adult, sep=";")
    table["age10"] = (table["age"] // 10 * 10).astype(str)
    measures = {
        "l": anonymity.l_diversity, "entropy_l": anonymity.entropy_l_diversity, "t": anonymity.t_closeness,
    }  # fmt: skip
    answers = []
    for name, quasi, sensitive in CASES:
        start = time.perf_counter()
        found = {"k": float(anonymity.k_anonymity(table, quasi))}
        found |= {key: float(function(table, quasi, [sensitive])) for key, function in measures.items()}
        ms = round(1000 * (time.perf_counter() - start))
        answers.append({"name": name, "quasi": quasi, "sensitive": sensitive, **found, "ms": ms})
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
