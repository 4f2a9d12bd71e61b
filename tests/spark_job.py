"""The demonstration job on the engine that is named, in a process of its own: python spark_job.py ENGINE SPEC BASE OUT.

Prints the shards, the digest of the rows and what the engine says of itself as one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from operator import sub
from pathlib import Path

from curator.engines import open_engine
from curator.extraction import extract
from curator.protection import protect
from curator.protocols import SpreadsRows
from curator.pseudonyms import KeyContext
from curator.quality import check
from curator.spec import load_use_case
from curator.versioning import write_shards


def run(name: str, spec: Path, base: Path, out: Path) -> dict[str, object]:
    """The job; its result as plain values."""
    case = load_use_case(spec)
    paths = {source: base / part.addresses[0] for source, part in case.sources.items()}
    scratch = out / "scratch"
    scratch.mkdir(parents=True)
    times = [time.perf_counter()]
    engine = open_engine(name, scratch=scratch, threads=2)
    times.append(time.perf_counter())
    try:
        sample = check(extract(case, engine=engine, paths=paths))
        context = KeyContext(holder="h", purpose="p", recipient="r", epoch="1")
        times.append(time.perf_counter())
        protected = protect(sample, root=bytes(range(32)), context=context)
        written = write_shards(protected, folder=out / "v", scratch=scratch)
        times.append(time.perf_counter())
        return {
            "seconds": dict(
                zip(("open", "bind and check", "stream and write"), map(sub, times[1:], times), strict=False)
            ),
            "files": [vars(entry) for entry in written.files],
            "rows": written.row_digest,
            "engine": engine.describe(),
            "spread": isinstance(engine, SpreadsRows) and engine.reaches(out),
        }
    finally:
        engine.close()


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], *map(Path, sys.argv[2:5]))))
