"""An appending refresh with 1 % new rows against a full run over the same rows: processor and wall seconds, in one run.

Both sides run warm in this process, Git's processes counted in, and with `--commands` as commands again, with all that
they import. A full run is `curate` of the grown source in a capital of its own; `compared` reads every row and writes
nothing.

python tests/bench/bench_refresh.py --rows 2000000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
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

GROUP = 250_000  # rows of a row group, as a warehouse writes them
SHARE = 0.01


def spec(feed: str, *, count: str = "persons") -> dict[str, Any]:
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
        "disclosure": {"k": 5, "l": {"column": "n0", "value": 2}, "suppress": 0.1, "count": count},
        "splits": {"by": "entity", "shares": {"train": 0.8, "validation": 0.1, "test": 0.1}},
        "refresh": {"feed": feed, **({"watermark": "id"} if feed == "append" else {})},
    }  # fmt: skip


def write(path: Path, rows: int) -> None:
    """The same first rows whatever their number; row groups as a warehouse writes them."""
    writer = None
    for start in range(0, rows, GROUP):
        count = min(GROUP, rows - start)
        draw = np.random.default_rng(start)  # whole groups are drawn, so that the first rows stay when more come
        ids = np.arange(start, start + count)
        people = draw.integers(0, 1_000_000, GROUP)[:count]
        others = {f"n{place}": draw.integers(0, 50, GROUP)[:count] for place in range(4)}
        table = pa.table({
            "id": pa.array(ids.tolist(), pa.int64()),
            "person": pa.array([f"1{n:012d}" for n in people.tolist()]),
            "plate": pa.array([f"AB-{n % 1000:03d}-{n % 97:02d}" for n in people.tolist()]),
            "phone": pa.array([f"06{n:08d}" for n in people.tolist()]),
            "day": pa.array((18_000 + ids % 1000).tolist(), pa.int32()).cast(pa.date32()),
            "zone": pa.array([f"{n % 90:02d}" for n in people.tolist()]),
            **{name: pa.array(values.tolist(), pa.int64()) for name, values in others.items()},
        })  # fmt: skip
        writer = writer or parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and processor seconds of a call, the processes that it starts included, and its result."""
    wall, processor = time.perf_counter(), _processor()
    result = work()
    return round(time.perf_counter() - wall, 2), round(_processor() - processor, 2), result


def _processor() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def command(capital: Path, *words: str) -> None:
    """Run curator as a process of its own."""
    root = Path(__file__).resolve().parents[2]
    run = [sys.executable, "-m", "curator", "--capital", str(capital), *words]
    subprocess.run(run, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(root)})


def capital_in(folder: Path) -> Capital:
    """A capital whose tokens are those of the others."""
    return Capital.create(folder, holder="Bench", root_secret=bytes(range(64)))


def main(arguments: list[str]) -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--count", choices=["persons", "rows"], default="persons")
    parser.add_argument("--commands", action="store_true")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        path = base / "spec.json"
        path.write_text(json.dumps(spec("append", count=options.count), indent=1))
        capital = capital_in(base / "capital")
        write(base / "rows.parquet", options.rows)
        capital.curate(path, RunOptions())
        subprocess.run(["cp", "-a", base / "capital", base / "again"], check=True)
        write(base / "rows.parquet", round(options.rows * (1 + SHARE)))
        *refresh, found = timed(lambda: capital.refresh(path))
        *full, whole = timed(lambda: capital_in(base / "whole").curate(path, RunOptions()))
        sides: dict[str, tuple[float, float]] = {"refresh": (*refresh,), "full": (*full,)}
        if options.commands:
            capital_in(base / "once")
            words = {"refresh_command": ("again", "refresh"), "full_command": ("once", "curate")}
            for name, (where, verb) in words.items():
                sides[name] = timed(lambda where=where, verb=verb: command(base / where, verb, str(path)))[:2]
            sides["compared"] = timed(lambda: capital.refresh(path, full=True))[:2]
        digests = [version.manifest.about["row_digest"] for version in (found.version, whole)]
        print(json.dumps({
            "rows": options.rows, "count": options.count, "feed": found.feed, "added": found.changes.added,
            **{name: {"wall": wall, "processor": processor} for name, (wall, processor) in sides.items()},
            "ratio": {"wall": round(refresh[0] / full[0], 3), "processor": round(refresh[1] / full[1], 3)},
            "same_rows": digests[0] == digests[1],
        }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
