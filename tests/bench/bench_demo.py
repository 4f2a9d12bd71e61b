"""Seconds and memory of the demonstration base, per million rows of `persons`.

Run: python tests/bench/bench_demo.py [PERSONS ...]  (100,000 and 1,000,000 when none is named)
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from curator.demo import generate


def measure(persons: int, *, truth_identifiers: bool) -> dict[str, object]:
    """One run in a temporary folder, timed on the wall and on the processor."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        truth = generate(Path(folder), persons=persons, truth_identifiers=truth_identifiers)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(path.stat().st_size for path in Path(folder).glob("*.parquet"))
    return {
        "persons": persons,
        "rows": sum(truth.rows.values()),
        "truth_identifiers": truth_identifiers,
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
        "cpu_seconds_per_million_persons": round(cpu / persons * 1e6, 2),
        "bytes_per_person": round(size / persons),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main(sizes: list[int]) -> None:
    """Print one JSON line a run; the first, small run only warms the caches."""
    measure(1_000, truth_identifiers=False)
    for persons in sizes:
        for truth_identifiers in (False, True):
            print(json.dumps(measure(persons, truth_identifiers=truth_identifiers)), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [100_000, 1_000_000])
