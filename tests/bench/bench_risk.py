"""Measures and attacks: processor seconds, and ratios to pycanon in the same run. Prints one JSON object.

`python -m tests.bench.bench_risk ADULT.csv.gz [PYTHON]`: PYTHON is that of an environment with pycanon 1.3.6, which
fixes its own numpy and pandas and cannot live beside curator.
"""

from __future__ import annotations

import gzip
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as parquet

from curator.attacks import Attacker, Limits, attack_package
from curator.pseudonyms import TokenKernel
from curator.risk import Roles, expose_files, measure, measure_files, table_columns

EIGHT = ["sex", "age", "race", "marital-status", "education", "native-country", "workclass", "salary-class"]
_PYCANON = """
import json, sys, time, pandas
from pycanon import anonymity
table, eight = pandas.read_csv(sys.argv[1], sep=";"), json.loads(sys.argv[2])
start = time.process_time()
found = [anonymity.k_anonymity(table, eight), anonymity.l_diversity(table, eight, ["occupation"]),
         anonymity.t_closeness(table, eight, ["occupation"])]
print(json.dumps({"seconds": time.process_time() - start, "found": [float(value) for value in found]}))
"""


def main(adult: str, python: str | None = None) -> None:
    """Measure and print."""
    found = {"adult": _adult(Path(adult), python)}
    with tempfile.TemporaryDirectory() as folder:
        found["million"] = _million(Path(folder))
        found["gate"] = _gate(Path(folder))
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(found, indent=1))


def _adult(path: Path, python: str | None) -> dict[str, object]:
    data = gzip.decompress(path.read_bytes())
    table = csv.read_csv(io.BytesIO(data), parse_options=csv.ParseOptions(delimiter=";"))

    def ours() -> list[float]:
        columns = table_columns(table, [*EIGHT, "occupation"])
        sensitive = columns.pop("occupation")
        result = measure(list(columns.values()), sensitive=[sensitive])
        return [float(result.k), float(result.diversity[0].l), result.diversity[0].t]

    best = min(_seconds(ours) for _ in range(5))
    told: dict[str, object] = {"seconds": best, "found": ours()}
    if python:
        command = [python, "-c", _PYCANON, str(path), json.dumps(EIGHT)]
        theirs = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        told |= {"pycanon_seconds": theirs["seconds"], "pycanon_found": theirs["found"]}
        told["ratio"] = theirs["seconds"] / best
    return told


def _million(folder: Path) -> dict[str, float]:
    """A million rows, eight text columns, almost every row its own class: the worst case of sorting."""
    rng, rows = np.random.default_rng(1), 1_000_000
    texts = {f"c{n}": pa.array(rng.integers(0, values, rows)).cast(pa.string())
             for n, values in enumerate((2, 90, 7, 5, 16, 41, 100, 3))}  # fmt: skip
    numbers = {"s": rng.integers(0, 14, rows), "who": rng.integers(0, 700_000, rows)}
    parquet.write_table(pa.table({**texts, **numbers}), folder / "million.parquet")
    del texts
    roles = {"rows": Roles(quasi=tuple(f"c{n}" for n in range(8)), sensitive=("s",))}
    roles["people"] = Roles(quasi=roles["rows"].quasi, sensitive=("s",), entity=("who",))
    return {name: _seconds(lambda role=role: measure_files([folder / "million.parquet"], role))  # type: ignore[misc]
            for name, role in roles.items()}  # fmt: skip


def _gate(folder: Path) -> dict[str, float]:
    """30,000 rows of 20,000 people, two token columns and nineteen others."""
    rng, rows = np.random.default_rng(0), 30_000
    kernel = TokenKernel(bytes(32))
    sizes = (2, 8, 12, 5, 9, 30, 24, 3, 7, 6, 5, 4, 9, 3, 2, 12, 40, 100)
    table = pa.table({
        "who": kernel.tokens(pa.array([f"person {n}" for n in rng.integers(0, 20_000, rows)])),
        "plate": kernel.tokens(pa.array([f"plate {n}" for n in range(rows)])),
        **{f"c{n}": rng.integers(0, size, rows) for n, size in enumerate(sizes)},
        "ill": rng.random(rows) < 0.2,
    })  # fmt: skip
    file = folder / "data" / "train" / "part-00000.parquet"
    file.parent.mkdir(parents=True)
    parquet.write_table(table, file, write_statistics=False)
    others = tuple(f"c{n}" for n in range(3, len(sizes)))
    roles = Roles(quasi=("c0", "c1", "c2"), sensitive=("ill",), entity=("who",), other=others, tokens=("who", "plate"))
    contents: dict[str, bytes | Path] = {"dataset/data/train/part-00000.parquet": file}

    def attack(knows: tuple[str, ...]) -> Callable[[], object]:
        return lambda: attack_package(
            contents, roles=roles, forms={"who": "nir", "plate": "plate"}, limits=Limits(k=5),
            attacker=Attacker(channel="research", knows=knows), canaries=["GARGOUILLE Zéphyrin"], salts=["a", "b"],
        )  # fmt: skip

    return {
        "knows the three quasi-identifiers": _seconds(attack(roles.quasi)),
        "knows every column": _seconds(attack((*roles.quasi, *others))),
        "every combination of three": _seconds(lambda: expose_files([file], roles)),
    }


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main(*sys.argv[1:])
