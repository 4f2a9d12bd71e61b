"""The three attacks on people beside anonymeter's, on the same people of Adult.

anonymeter 1.1.0 (The Clear BSD License, patent application US-20230401336-A1) fixes numpy below 1.27 and pyarrow below
22, so it cannot live beside curator: `anonymeter_adult.json` holds what it answered in an environment of its own, and
`CURATOR_ANONYMETER_PYTHON`, a Python that has it, lets it answer again. Both draw their guesses; what must agree is
what is found, within both intervals, and what is not.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pytest
from differential.anonymeter_adult import CONTROL, KNOWN, PEOPLE, SECRET, drawn

from curator.attacks import LIMIT, Odds, Tables, attack_people, singling_out
from curator.risk import table_columns

HERE = Path(__file__).parent
CASES = json.loads((HERE / "anonymeter_adult.json").read_text(encoding="utf-8"))
INFERRING = f"inferring: {SECRET}"
ONE = "singling-out (one column)"


@pytest.fixture(scope="module")
def adult(shared_data: Path) -> pa.Table:
    data = gzip.decompress((shared_data / "adult-arx" / "adult.csv.gz").read_bytes())
    return csv.read_csv(io.BytesIO(data), parse_options=csv.ParseOptions(delimiter=";")).select([*KNOWN, SECRET])


def tables(adult: pa.Table, *, seed: int, what: str) -> Tables:
    """The same people, control and shuffled columns as `anonymeter_adult.py` draws."""
    people, control, orders = drawn(seed, rows=len(adult))
    data, others = adult.take(people), adult.take(control)
    mixed = pa.table({
        name: data.column(name).take(pa.array(order)) for name, order in zip(data.column_names, orders, strict=True)
    })  # fmt: skip
    whole = table_columns(pa.concat_tables([data if what == "copy" else mixed, data, others]), [*KNOWN, SECRET])
    parts = [slice(0, PEOPLE), slice(PEOPLE, 2 * PEOPLE), slice(2 * PEOPLE, 2 * PEOPLE + CONTROL)]
    released, targets, held = (
        {name: replace(column, codes=column.codes[part]) for name, column in whole.items()} for part in parts
    )
    who = np.arange(PEOPLE)
    return Tables(released=released, people=who, targets=targets, target_people=who, others=held)


def ours(adult: pa.Table, *, seed: int, what: str) -> tuple[dict[str, Odds], float]:
    start = time.process_time()
    given = tables(adult, seed=seed, what=what)
    found = attack_people(given, known=KNOWN, secrets=[SECRET], seed=seed)
    alone = [singling_out(given, (name,), seed=seed) for name in KNOWN]
    found[ONE] = max(alone, key=lambda item: item.risk)
    return found, time.process_time() - start


def agree(case: dict[str, Any], found: dict[str, Odds]) -> None:
    theirs = case["attacks"]
    copy = case["table"] == "copy"
    for name in ("singling-out", INFERRING):
        assert (found[name].low > LIMIT) == copy, name
    if copy:
        for name in ("singling-out", INFERRING):
            assert theirs[name]["low"] > LIMIT
            assert found[name].low <= theirs[name]["high"], name
            assert theirs[name]["low"] <= found[name].high, name
    for name in ("linking", ONE):  # what barely sees a verbatim copy of so few columns, there as here
        assert found[name].low <= LIMIT
        assert (theirs[name]["low"] or 0) <= LIMIT
    assert abs(found["linking"].risk - theirs["linking"]["risk"]) < 0.03


@pytest.mark.parametrize("case", CASES, ids=[f"{case['table']} {case['seed']}" for case in CASES])
def test_adult(case: dict[str, Any], adult: pa.Table) -> None:
    found, _ = ours(adult, seed=case["seed"], what=case["table"])
    agree(case, found)


def test_independent_columns_are_safer_here_than_there(adult: pa.Table) -> None:
    """anonymeter's only baseline is the control: it gives independent columns, which tell nothing, 0.09 to 0.13."""
    theirs = [case["attacks"]["singling-out"]["risk"] for case in CASES if case["table"] == "marginals"]
    assert min(theirs) > 0.08
    for seed in (0, 1, 2):
        found, _ = ours(adult, seed=seed, what="marginals")
        assert abs(found["singling-out"].risk) < 0.05


def test_anonymeter_itself(adult: pa.Table, shared_data: Path) -> None:
    python = os.environ.get("CURATOR_ANONYMETER_PYTHON")
    if not python:
        pytest.skip("CURATOR_ANONYMETER_PYTHON names no Python that has anonymeter; its kept answers were compared")
    path = shared_data / "adult-arx" / "adult.csv.gz"
    told = subprocess.run([python, HERE / "anonymeter_adult.py", path], capture_output=True, check=True, text=True)
    for case in json.loads(told.stdout):
        found, _ = ours(adult, seed=case["seed"], what=case["table"])
        agree(case, found)
