"""Reading MariaDB: the extraction against the raw driver draining the same SELECT, in one run.

    python -m tests.bench.bench_mariadb [--rows N]

Each variant runs in a process of its own, in turn; the seconds of its processor are told beside those of the clock,
since the driver is written in Python and computes more than it waits.
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
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.bench.bench_postgres import COLUMNS

TABLE = """
CREATE TABLE persons_bench AS SELECT CAST(seq AS SIGNED) AS id, lpad(seq % 95, 2, '0') AS dep,
    DATE '2010-01-01' + INTERVAL (seq % 4000) DAY AS day, CAST((seq % 130) * 1.5 AS DOUBLE) AS speed,
    CAST(seq % 5 AS SIGNED) AS light, TIMESTAMP '2010-01-01 00:00:00' + INTERVAL seq SECOND AS moment, md5(seq) AS note
FROM seq_1_to_{}
"""


def asked(limit: int) -> Any:
    from curator.expressions import parse
    from curator.protocols import Asked
    from curator.spec.model import Source

    text = json.dumps({"path": "x", "table": "persons_bench", "columns": COLUMNS})
    where = (parse(f"id <= {limit}", COLUMNS),)
    return Asked(name="persons", source=Source.model_validate_json(text), columns=tuple(COLUMNS), where=where)


def raw(port: int, limit: int, password: str) -> int:
    """The driver alone, as a user would call it: each row a tuple of Python's values, dropped."""
    import pymysql
    from pymysql.cursors import SSCursor

    sql = f"SELECT {', '.join(f'`{name}`' for name in COLUMNS)} FROM persons_bench WHERE id <= {limit}"
    with (
        pymysql.connect(host="127.0.0.1", port=port, user="reader", password=password, database="accidents") as session,
        session.cursor(SSCursor) as cursor,
    ):
        cursor.execute(sql)
        return sum(1 for _ in cursor)


def extraction(address: str, limit: int) -> int:
    """The whole extraction: connection, catalogue, the same SELECT, keyed digest, typed table in the engine."""
    from curator.addresses import address_of
    from curator.engines import open_engine
    from curator.sources import Snapshots

    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine("duckdb", scratch=Path(scratch))
        with Snapshots(key=b"k" * 32) as snapshots:
            bound = snapshots.adopt(asked(limit), address_of(address, source="persons"), engine=engine)
        engine.close()
        return bound.estimated_rows


def measured(run: str, *, where: str, rows: int) -> dict[str, float]:
    """One variant, in this process."""
    import pandas  # noqa: F401 (which the engine loads where it is installed; imports are not what is measured)
    import pymysql  # noqa: F401

    import curator.engines.duckdb
    import curator.sources.mariadb  # noqa: F401

    clock, processor = time.perf_counter(), time.process_time()
    password = os.environ["CURATOR_SOURCE_PASSWORD"]
    found = raw(int(where), rows, password) if run == "raw" else extraction(where, rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds, computed = time.perf_counter() - clock, time.process_time() - processor
    return {"rows": found, "seconds": round(seconds, 2), "processor": round(computed, 2), "peak_mb": round(peak)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--run", choices=("raw", "extraction"))
    parser.add_argument("--where")
    args = parser.parse_args()
    if args.run:
        print(json.dumps(measured(args.run, where=args.where, rows=args.rows)))
        return
    from mariadb_server import PASSWORD, mariadb_server

    found: dict[str, list[dict[str, float]]] = {}
    with mariadb_server() as server:
        server.run(TABLE.format(args.rows))
        environment = {**os.environ, "CURATOR_SOURCE_PASSWORD": PASSWORD}
        for limit in (args.rows // 2, args.rows):
            for _ in range(3):
                for run, where in (("raw", str(server.port)), ("extraction", server.address())):
                    command = [sys.executable, "-m", "tests.bench.bench_mariadb", "--run", run, "--where", where]
                    done = subprocess.run(
                        [*command, "--rows", str(limit)], capture_output=True, text=True, check=True, env=environment
                    )
                    found.setdefault(f"{run} {limit}", []).append(json.loads(done.stdout))
    best = {name: {key: min(run[key] for run in runs) for key in runs[0]} for name, runs in found.items()}
    for name, run in best.items():
        print(name, f"best {run['seconds']} s, {run['processor']} s of the processor; peak {run['peak_mb']} MB")
    one, other = best[f"raw {args.rows}"], best[f"extraction {args.rows}"]
    print(f"extraction has {one['seconds'] / other['seconds']:.2f} of the raw driver's speed", end=", ")
    print(f"{one['processor'] / other['processor']:.2f} by the processor")


if __name__ == "__main__":
    main()
