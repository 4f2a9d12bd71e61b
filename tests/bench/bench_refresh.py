"""An appending refresh with 1 % new rows against a full run over the same rows: processor and wall seconds, in one run.

python tests/bench/bench_refresh.py --rows 2000000
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from curator.capital import Capital, RunOptions
from curator.records import DatasetVersion

SHARE = 0.01


def spec(feed: str) -> dict[str, Any]:
    """Ten columns, three tokens, four rules, k and l."""
    numbers = {f"n{place}": "integer" for place in range(4)}
    return {
        "curator": 1, "name": "growing", "version": "1.0.0", "title": "Rows",
        "owner": {"organisation": "Bench", "contact": "bench@example.org"}, "purpose": {"statement": "Measure."},
        "law": {"regime": "gdpr", "basis": "public-task", "text": "-", "dpia": "-", "ai_act": "minimal",
                "retention_days": 1},
        "sources": {"t": {"path": "rows.parquet", "columns": {
            "id": "integer", "person": "text", "plate": "text", "phone": "text", "day": "date", "zone": "text",
            **numbers}}},
        "extract": {"from": "t", "row_key": ["id"], "entity": ["person"]},
        "fields": {
            **{name: {"meaning": name, "identifier": "direct", "protect": "token", "form": "raw"}
               for name in ("person", "plate", "phone")},
            "zone": {"meaning": "Zone.", "identifier": "quasi"},
            "year": {"value": "year(day)", "meaning": "Year.", "identifier": "quasi", "protect": "generalise"},
            "n0": {"meaning": "Outcome.", "identifier": "sensitive"},
            **{name: {"meaning": name} for name in list(numbers)[1:]},
        },
        "quality": {"expectations": [
            {"type": "expect_column_values_to_be_between", "kwargs": {"column": name, "min_value": 0}}
            for name in numbers]},
        "disclosure": {"k": 5, "l": {"column": "n0", "value": 2}, "suppress": 0.1},
        "splits": {"by": "entity", "shares": {"train": 0.8, "validation": 0.1, "test": 0.1}},
        "refresh": {"feed": feed, **({"watermark": "id"} if feed == "append" else {})},
    }  # fmt: skip


def write(path: Path, rows: int) -> None:
    """The same first rows whatever their number; row groups as a warehouse writes them."""
    writer = None
    for start in range(0, rows, 250_000):
        count = min(250_000, rows - start)
        draw = np.random.default_rng(start)
        ids = np.arange(start, start + count)
        people = draw.integers(0, 1_000_000, count)
        table = pa.table({
            "id": pa.array(ids.tolist(), pa.int64()),
            "person": pa.array([f"1{n:012d}" for n in people.tolist()]),
            "plate": pa.array([f"AB-{n % 1000:03d}-{n % 97:02d}" for n in people.tolist()]),
            "phone": pa.array([f"06{n:08d}" for n in people.tolist()]),
            "day": pa.array((18_000 + ids % 1000).tolist(), pa.int32()).cast(pa.date32()),
            "zone": pa.array([f"{n % 90:02d}" for n in people.tolist()]),
            **{f"n{place}": pa.array(draw.integers(0, 50, count).tolist(), pa.int64()) for place in range(4)},
        })  # fmt: skip
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and processor seconds of a call, and its result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - wall, time.process_time() - processor, result


def main(arguments: list[str]) -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows = parser.parse_args(arguments).rows
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "spec.json").write_text(json.dumps(spec("append"), indent=1))
        capital = Capital.create(base / "capital", holder="Bench", root_secret=bytes(range(64)))
        write(base / "rows.parquet", rows)
        first: DatasetVersion = capital.curate(base / "spec.json", RunOptions())
        write(base / "rows.parquet", round(rows * (1 + SHARE)))
        wall, processor, found = timed(lambda: capital.refresh(base / "spec.json"))
        full_wall, full_processor, whole = timed(lambda: capital.refresh(base / "spec.json", full=True))
        print(json.dumps({
            "rows": rows, "feed": found.feed, "added": found.changes.added if found.changes else None,
            "first_rows": sum(first.manifest.rows.values()),
            "refresh_seconds": round(wall, 2), "full_seconds": round(full_wall, 2), "ratio": round(wall / full_wall, 3),
            "refresh_processor": round(processor, 2), "full_processor": round(full_processor, 2),
            "processor_ratio": round(processor / full_processor, 3), "same_rows": whole.version is None,
        }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
