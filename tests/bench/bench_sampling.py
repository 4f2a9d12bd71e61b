"""Processor seconds of each way to sample, of a history and of a comparison, beside keeping every row.

Run: python tests/bench/bench_sampling.py [ROWS]  (1,000,000 when none is given)

Every line is the materialised sample of the same table on one thread; the ratio is to the whole population
materialised in the same run, before and after it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import duckdb
from sampling_world import HEAD, drawn_in, spec_of

COLUMNS = {"id": "integer", "who": "text", "place": "text", "ill": "boolean", "day": "date"}
EVENTS = {"who": "text", "on_day": "date", "kind": "text", "cost": "integer"}
SOURCES = {"t": {"path": "t.parquet", "columns": COLUMNS}, "e": {"path": "e.parquet", "columns": EVENTS}}
WAYS: dict[str, dict[str, Any]] = {
    "every row": {},
    "fraction 0.1": {"sample": {"fraction": 0.1, "by": ["who"]}},
    "fraction 0.1, at_least": {"sample": {"fraction": 0.1, "by": ["who"], "at_least": {"by": ["place"], "rows": 999}}},
    "strata 0.1": {"sample": {"by": ["id"], "strata": {"by": ["place"], "fraction": 0.1}}},
    "max_rows 0.1": {"sample": {"by": ["id"], "max_rows": 0}},
    "negatives": {"sample": {"by": ["id"], "negatives": {"positive": "ill", "per_positive": 2.0}}},
    "history and label": {
        "history": [{"events": "e", "on": ["who"], "at": "on_day", "until": "day", "columns": {
            "seen": "count", "spent": {"measure": "sum", "of": "cost"},
            "last_kind": {"measure": "last", "of": "kind"}}}],
        "label": {"name": "back", "events": "e", "on": ["who"], "at": "on_day", "after": "day", "within_days": 30},
    },
}  # fmt: skip


def tables(connection: Any, rows: int) -> None:
    """A table of `rows` rows about a quarter as many people, and as many events as rows."""
    person = f"'p' || (hash(range) % {max(rows // 4, 1)})"
    day = "DATE '2020-01-01' + CAST(hash(range, 1) % 366 AS INTEGER)"
    connection.execute(
        f"CREATE TABLE \"source t\" AS SELECT range AS id, {person} AS who, 'place ' || (hash(range, 2) % 50) AS "
        f"place, hash(range, 3) % 20 = 0 AS ill, {day} AS day FROM range({rows})"
    )
    connection.execute(
        f"CREATE TABLE \"source e\" AS SELECT {person} AS who, {day} AS on_day, 'k' || (range % 9) AS kind, "
        f"CAST(range % 100 AS BIGINT) AS cost FROM range({rows}, {2 * rows})"
    )


def main(rows: int) -> None:
    """Print one line a way; the first run of all only warms up."""
    connection = duckdb.connect(config={"threads": 1})
    tables(connection, rows)
    found: dict[str, list[float]] = {}
    for name in ["every row", *WAYS, "every row"]:
        way = {**HEAD["extract"], **WAYS[name]}
        if name.startswith("max_rows"):
            way["sample"] = {**way["sample"], "max_rows": rows // 10}
        sources = SOURCES if "history" in way else {"t": SOURCES["t"]}
        began = time.process_time()
        left = drawn_in(connection, spec_of(way, sources=sources), "count(*)")[0][0]
        found.setdefault(name, []).append(time.process_time() - began)
        found[name + " rows"] = [left]
    base = min(found["every row"])
    for name in WAYS:
        seconds = min(found[name])
        print(f"| {name} | {int(found[name + ' rows'][0]):,} | {seconds:.2f} | {seconds / base:.1f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
