"""The demonstration job on Spark `local[2]` beside DuckDB on two threads: wall and processor seconds of every process.

python tests/bench/bench_spark.py [PERSONS]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent)]
_TICK = os.sysconf("SC_CLK_TCK")
_EVERY = 0.2


def processor(session: int, seen: dict[int, float]) -> None:
    """Keep the processor seconds so far of each process of a session (proc(5): fields 6, 14 and 15 of stat)."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session:
            seen[int(path.parent.name)] = (int(fields[11]) + int(fields[12])) / _TICK


def measured(engine: str, spec: Path, base: Path, out: Path) -> dict[str, object]:
    """One run in a session of its own."""
    command = [sys.executable, str(TESTS / "spark_job.py"), engine, str(spec), str(base), str(out)]
    seen: dict[int, float] = {}
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        while process.poll() is None:
            processor(process.pid, seen)
            time.sleep(_EVERY)
        told = json.loads(process.stdout.read() if process.stdout else b"{}")
    return {
        "wall": round(time.perf_counter() - start, 1),
        "processor": round(sum(seen.values()), 1),
        "driver processor": round(seen.get(process.pid, 0.0), 1),
        "rows": told["rows"]["digest"],
        "files": [file["sha256"] for file in told["files"]],
        "seconds": told["seconds"],
    }


def main(persons: int) -> None:
    """Print one JSON document."""
    from curator.demo import generate

    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder) / "base"
        generate(base, persons=persons, seed=7)
        spec = TESTS.parent / "specs" / "road-accidents.yaml"
        found = {name: measured(name, spec, base, Path(folder) / name) for name in ("duckdb", "spark")}
    one, other = found["duckdb"], found["spark"]
    same = one.pop("files") == other.pop("files")
    ratio = {name: round(other[name] / one[name], 1) for name in ("wall", "processor")}  # type: ignore[operator]
    print(json.dumps({"persons": persons, "same bytes": same, **found, "spark / duckdb": ratio}, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
