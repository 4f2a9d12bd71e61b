"""Reading PostgreSQL: the extraction against the raw driver draining the same SELECT, in one run; memory by rows.

    python -m tests.bench.bench_postgres [--rows N]

Each variant runs in a process of its own, in turn, so that its peak of memory is its own. `small` is the extraction by
an engine held to so little memory that rows spill at both sizes: what is more than the limit must not grow with them.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

LIMIT = "128MB"
COLUMNS = {
    "id": "integer", "dep": "text", "day": "date", "speed": "float", "light": "integer", "moment": "timestamp",
    "note": "text",
}  # fmt: skip
TABLE = """
CREATE TABLE persons_bench AS SELECT i::bigint AS id, lpad((i % 95)::text, 2, '0') AS dep,
    DATE '2010-01-01' + (i % 4000)::int AS day, (i % 130) * 1.5 AS speed_text, ((i % 130) * 1.5)::float8 AS speed,
    (i % 5)::int AS light, TIMESTAMP '2010-01-01' + i * INTERVAL '1 second' AS moment, md5(i::text) AS note
FROM generate_series(1, {}) i
"""


def asked(limit: int):
    from curator.expressions import parse
    from curator.protocols import Asked
    from curator.spec.model import Source

    text = json.dumps({"path": "x", "table": "persons_bench", "columns": COLUMNS})
    return Asked(
        name="persons", source=Source.model_validate_json(text), columns=tuple(COLUMNS),
        where=(parse(f"id <= {limit}", COLUMNS),),
    )  # fmt: skip


def raw(where: str, limit: int) -> int:
    """The driver alone: the same SELECT, each batch read and dropped."""
    from adbc_driver_postgresql import dbapi

    from curator.sources._postgres_sql import Table, select_sql

    types = {"id": "int8", "dep": "text", "day": "date", "speed": "float8", "light": "int4", "moment": "timestamp"}
    sql = select_sql(asked(limit), Table(name='"public"."persons_bench"', types={**types, "note": "text"}))
    with dbapi.connect(where) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return sum(len(batch) for batch in cursor.fetch_record_batch())


def extraction(address: str, limit: int, memory: str | None = None) -> int:
    """The whole extraction: connection, catalogue, the same SELECT, keyed digest, typed table in the engine."""
    from curator.addresses import address_of
    from curator.engines import open_engine
    from curator.sources import Snapshots

    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine("duckdb", scratch=Path(scratch), memory=memory)
        with Snapshots(key=b"k" * 32) as snapshots:
            bound = snapshots.adopt(asked(limit), address_of(address, source="persons"), engine=engine)
        engine.close()
        return bound.estimated_rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--run", choices=("raw", "extraction", "small"))
    parser.add_argument("--where")
    args = parser.parse_args()
    if args.run:
        import adbc_driver_postgresql.dbapi  # noqa: F401 (imports are not what is measured)

        import curator.engines.duckdb
        import curator.sources.postgres  # noqa: F401

        started, before = time.perf_counter(), time.process_time()
        ways = {"raw": raw, "extraction": extraction, "small": partial(extraction, memory=LIMIT)}
        rows = ways[args.run](args.where, args.rows)
        seconds, computed = time.perf_counter() - started, time.process_time() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = {"rows": rows, "seconds": round(seconds, 2), "processor": round(computed, 2), "peak_mb": round(peak)}
        print(json.dumps(told))
        return
    from postgres_server import PASSWORD, postgres_server

    with postgres_server() as server:
        server.run(TABLE.format(args.rows), "ANALYZE persons_bench")
        plain = f"host=127.0.0.1 port={server.port} user=owner dbname=accidents password={PASSWORD}"
        environment = {**os.environ, "CURATOR_SOURCE_PASSWORD": PASSWORD}
        found: dict[str, list[dict[str, float]]] = {}
        for limit in (args.rows // 2, args.rows):
            for _ in range(3):
                for run, where in (("raw", plain), ("extraction", server.address()), ("small", server.address())):
                    command = [sys.executable, "-m", "tests.bench.bench_postgres", "--run", run, "--where", where]
                    done = subprocess.run(
                        [*command, "--rows", str(limit)], capture_output=True, text=True, check=True, env=environment
                    )
                    found.setdefault(f"{run} {limit}", []).append(json.loads(done.stdout))
    for name, runs in found.items():
        seconds, computed = (min(run[key] for run in runs) for key in ("seconds", "processor"))
        print(name, f"best {seconds} s, {computed} s of the processor; peak", max(run["peak_mb"] for run in runs), "MB")
    peak = {name: max(run["peak_mb"] for run in runs) for name, runs in found.items()}
    best = {name: min(run["seconds"] for run in runs) for name, runs in found.items()}
    ratio = best[f"raw {args.rows}"] / best[f"extraction {args.rows}"]
    print(f"extraction has {ratio:.2f} of the raw driver's speed (aim: at least 0.8)")
    grown = peak[f"small {args.rows}"] / peak[f"small {args.rows // 2}"]
    print(f"twice the rows peak at {grown:.2f} times the memory, the engine held to {LIMIT} (aim: 1)")


if __name__ == "__main__":
    main()
