"""Equal to pycanon's k, l, entropy l and t on Adult.

pycanon 1.3.6 (Apache-2.0) fixes its own numpy and pandas, so it cannot live beside curator: `pycanon_adult.json` holds
what it answered in an environment of its own (`python tests/differential/pycanon_adult.py adult.csv.gz` makes the file
anew), with the milliseconds that it took there. Its entropy l is the whole part of ours.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pytest

from curator.risk import measure, table_columns

CASES = json.loads((Path(__file__).parent / "pycanon_adult.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def adult(shared_data: Path) -> pa.Table:
    data = gzip.decompress((shared_data / "adult-arx" / "adult.csv.gz").read_bytes())
    table = csv.read_csv(io.BytesIO(data), parse_options=csv.ParseOptions(delimiter=";"))
    band = pc.multiply(pc.divide(table.column("age"), 10), 10).cast(pa.string())
    return table.append_column("age10", band)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_adult(case: dict[str, Any], adult: pa.Table) -> None:
    columns = table_columns(adult, [*case["quasi"], case["sensitive"]])
    sensitive = columns.pop(case["sensitive"])
    found = measure(list(columns.values()), sensitive=[sensitive])
    spread = found.diversity[0]
    assert (found.k, spread.l, int(spread.entropy_l + 1e-9)) == (case["k"], case["l"], case["entropy_l"])
    assert spread.t == pytest.approx(case["t"], abs=1e-12)
    assert spread.distance == ("ordered" if case["sensitive"] == "age" else "equal")


def test_the_raw_table_as_researched(adult: pa.Table) -> None:
    """Figures of the raw table that pycanon does not give: 12,458 classes and 8,841 people alone in theirs."""
    case = next(case for case in CASES if case["name"] == "raw eight")
    found = measure(list(table_columns(adult, case["quasi"]).values()))
    assert (found.rows, found.classes, found.unique) == (30_162, 12_458, 8_841)
    assert found.marketer == pytest.approx(12_458 / 30_162)
