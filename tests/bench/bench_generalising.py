"""The lattice search in the settings of ARX's own table: processor time, peak memory, and what was found. Prints JSON.

`python -m tests.bench.bench_generalising FOLDER`: FOLDER holds `adult.csv.gz` and its hierarchies. Every setting runs
in a process of its own, so that its memory is its own; the best of three searches counts, without loading and grouping.
"""

from __future__ import annotations

import csv
import gzip
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from curator.generalising import Limits, Tuples, hierarchy_of, recode, search

NINE = (
    "sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation", "salary-class",
)  # fmt: skip
EIGHT = tuple(name for name in NINE if name != "occupation")
SETTINGS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    **{f"9 fields, {share:.0%}": (NINE, {"suppress": share}) for share in (0.0, 0.02, 0.05, 1.0)},
    **{f"8 fields, {share:.0%}": (EIGHT, {"suppress": share}) for share in (0.02, 0.05, 1.0)},
    **{f"8 fields, l = 2, {share:.0%}": (EIGHT, {"suppress": share, "l": 2}) for share in (0.02, 0.05, 1.0)},
    "8 fields, t = 0.2, 5%": (EIGHT, {"suppress": 0.05, "t": 0.2}),
    "5 fields, 5%": (NINE[:5], {"suppress": 0.05}),
    "9 fields, local": (NINE, {}),
}


def main(folder: str, setting: str | None = None) -> None:
    """Measure one setting, or every one in a process of its own."""
    if setting is not None:
        print(json.dumps(_measure(Path(folder), setting)))
        return
    found = {}
    for name in SETTINGS:
        command = [sys.executable, "-m", "tests.bench.bench_generalising", folder, name]
        found[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(json.dumps(found, indent=1))


def _measure(folder: Path, setting: str) -> dict[str, Any]:
    names, limits = SETTINGS[setting]
    tuples = _tuples(folder, names, sensitive="l" in limits or "t" in limits)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, result = [], {}
    for _ in range(1 if "local" in setting else 3):
        start = time.process_time()
        result = _run(tuples, limits, local="local" in setting)
        seconds.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"ms": round(1000 * min(seconds)), "peak_mb": peak // 1024, "before_mb": before // 1024, **result}


def _run(tuples: Tuples, limits: dict[str, Any], *, local: bool) -> dict[str, Any]:
    if local:
        found = recode(tuples, Limits(k=5, **limits))
        return {"granularity": found.granularity, "k": found.k}
    chosen = search(tuples, Limits(k=5, **limits))
    return {"levels": chosen.levels, "score": chosen.score, "looked_at": chosen.looked_at, "nodes": chosen.nodes}


def _tuples(folder: Path, names: tuple[str, ...], *, sensitive: bool) -> Tuples:
    with gzip.open(folder / "adult.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    wanted = [*names, "occupation"] if sensitive else list(names)
    tables = {}
    for name in wanted:
        with (folder / f"adult_hierarchy_{name}.csv").open(encoding="utf-8") as file:
            tables[name] = hierarchy_of(name, list(csv.reader(file, delimiter=";")))
    places = np.stack([tables[name].places([row[name] for row in rows]) for name in wanted])
    found, counts = np.unique(places, axis=1, return_counts=True)
    return Tuples(
        hierarchies=tuple(tables[name] for name in names),
        codes=found[: len(names)],
        rows=counts,
        sensitive=found[-1] if sensitive else None,
        values=len(tables["occupation"].labels[0]) if sensitive else 0,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
